//! Whether a line is a record, without taking it apart: logs are long, and nearly every line is as nono writes it.
//!
//! What is recognised is a part of JSON (RFC 8259): no white space, plain keys, whole numbers. A line that is not of that
//! form is left to [`Record::parse`], so that both come to the same verdict about every line.

use super::parse::{Record, RecordError};
use super::time::Moment;
use super::{Disposition, LONGEST};

/// How deep values lie in each other before the parser decides.
const DEEPEST: u32 = 8;
/// Fields before the parser decides.
const MOST_KEYS: usize = 32;
/// Digits that any number has room for.
const MOST_DIGITS: usize = 19;

/// Whether [`Record::parse`] would take the line.
///
/// # Errors
/// Why it is no record.
pub fn check(line: &[u8]) -> Result<(), RecordError> {
    if is_plain(line) == Some(true) { Ok(()) } else { Record::parse(line).map(drop) }
}

/// A value, as far as it matters.
#[derive(Clone, Copy)]
enum Shape<'l> {
    Number,
    /// Its text as it stands there; `None` when it has escapes.
    Text(Option<&'l [u8]>),
    Other,
}

/// Fields that a record has to have.
#[derive(Default)]
struct Required {
    index: bool,
    timestamp: bool,
    operation: bool,
    target: bool,
    disposition: bool,
}

/// The keys that have passed: each may be there once.
#[derive(Default)]
struct Keys<'l> {
    seen: [&'l [u8]; MOST_KEYS],
    count: usize,
    /// A bit for each length, beginning and end that has passed.
    marks: u64,
}

/// `Some(true)` for a record; anything else is for the parser to say.
fn is_plain(line: &[u8]) -> Option<bool> {
    // The parser looks at the bytes of texts, and this looks at all of them at once.
    let (mut bits, mut has_control) = (0, false);
    for &byte in line {
        bits |= byte;
        has_control |= byte < b' ';
    }
    if line.len() > LONGEST || has_control || (bits >= 0x80 && std::str::from_utf8(line).is_err()) {
        return None;
    }
    let mut rest = line.strip_prefix(b"{")?;
    let (mut required, mut keys) = (Required::default(), Keys::default());
    loop {
        let (key, after) = key(rest)?;
        if !keys.add(key) {
            return None;
        }
        let (shape, after) = value(after, 1)?;
        required.note(key, shape)?;
        match after.split_first()? {
            (b',', after) => rest = after,
            (b'}', []) => break,
            _ => return None,
        }
    }
    let Required { index, timestamp, operation, target, disposition } = required;
    Some(index && timestamp && operation && target && disposition)
}

/// A key with its colon, without escapes. One that begins with `$` may mean something to the parser.
fn key(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = rest.strip_prefix(b"\"")?;
    let (key, rest) = rest.split_at_checked(quote_or_escape(rest)?)?;
    let rest = rest.strip_prefix(b"\":")?;
    (key.first() != Some(&b'$')).then_some((key, rest))
}

/// Where the first quotation mark or reverse solidus stands: eight bytes are compared at once.
fn quote_or_escape(text: &[u8]) -> Option<usize> {
    /// A byte in all places.
    const fn everywhere(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }
    let mut passed = 0;
    let mut left = text;
    while let Some((eight, rest)) = left.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*eight);
        // The lowest byte that is zero gets its highest bit, by the borrow of the subtraction; those above it may as well.
        let zero = |word: u64| word.wrapping_sub(everywhere(1)) & !word & everywhere(0x80);
        let found = zero(word ^ everywhere(b'"')) | zero(word ^ everywhere(b'\\'));
        if found != 0 {
            return usize::try_from(found.trailing_zeros() / 8).ok()?.checked_add(passed);
        }
        passed = passed.saturating_add(8);
        left = rest;
    }
    let end = left.iter().position(|&byte| byte == b'"' || byte == b'\\')?;
    end.checked_add(passed)
}

fn value(rest: &[u8], depth: u32) -> Option<(Shape<'_>, &[u8])> {
    match rest.split_first()? {
        (b'"', after) => text(after),
        (b'0'..=b'9', _) => number(rest).map(|rest| (Shape::Number, rest)),
        (b'{', after) => members(after, depth).map(|rest| (Shape::Other, rest)),
        (b'[', after) => elements(after, depth).map(|rest| (Shape::Other, rest)),
        (b't', _) => Some((Shape::Other, rest.strip_prefix(b"true")?)),
        (b'f', _) => Some((Shape::Other, rest.strip_prefix(b"false")?)),
        (b'n', _) => Some((Shape::Other, rest.strip_prefix(b"null")?)),
        _ => None,
    }
}

/// What stands behind a text whose quotation mark is gone.
fn text(rest: &[u8]) -> Option<(Shape<'_>, &[u8])> {
    let mut left = rest;
    let mut has_escapes = false;
    loop {
        // No byte here is a control character.
        let end = quote_or_escape(left)?;
        let (_, stop) = left.split_at_checked(end)?;
        match stop {
            [b'"', after @ ..] => {
                let length = rest.len().checked_sub(stop.len())?;
                let text = if has_escapes { None } else { rest.get(..length) };
                return Some((Shape::Text(text), after));
            }
            [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', after @ ..] => left = after,
            // Halves of pairs (D800 to DFFF) are the parser's.
            [b'\\', b'u', a, b, c, d, after @ ..]
                if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) && !matches!(a, b'd' | b'D') =>
            {
                left = after;
            }
            _ => return None,
        }
        has_escapes = true;
    }
}

/// What stands behind a whole number.
fn number(rest: &[u8]) -> Option<&[u8]> {
    let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    let (digits, rest) = rest.split_at_checked(end)?;
    let canonical = digits == b"0" || digits.first().is_some_and(|&first| first != b'0');
    (canonical && digits.len() <= MOST_DIGITS).then_some(rest)
}

/// What stands behind the members of an object inside a record. Its keys may repeat: the last counts.
fn members(mut rest: &[u8], depth: u32) -> Option<&[u8]> {
    if let Some(after) = rest.strip_prefix(b"}") {
        return Some(after);
    }
    loop {
        let (_, after) = key(rest)?;
        let (_, after) = value(after, deeper(depth)?)?;
        match after.split_first()? {
            (b',', after) => rest = after,
            (b'}', after) => return Some(after),
            _ => return None,
        }
    }
}

/// What stands behind the elements of an array.
fn elements(mut rest: &[u8], depth: u32) -> Option<&[u8]> {
    if let Some(after) = rest.strip_prefix(b"]") {
        return Some(after);
    }
    loop {
        let (_, after) = value(rest, deeper(depth)?)?;
        match after.split_first()? {
            (b',', after) => rest = after,
            (b']', after) => return Some(after),
            _ => return None,
        }
    }
}

fn deeper(depth: u32) -> Option<u32> {
    depth.checked_add(1).filter(|&depth| depth < DEEPEST)
}

impl Required {
    /// Notes a field that has to be there; `None` when it is not of its form.
    fn note(&mut self, key: &[u8], shape: Shape<'_>) -> Option<()> {
        match (key, shape) {
            (b"index", Shape::Number) => self.index = true,
            (b"timestamp", Shape::Text(Some(text))) if is_moment(text) => self.timestamp = true,
            (b"operation", Shape::Text(_)) => self.operation = true,
            (b"target", Shape::Text(_)) => self.target = true,
            (b"disposition", Shape::Text(Some(text)))
                if Disposition::ALL.iter().any(|known| known.name().as_bytes() == text) =>
            {
                self.disposition = true;
            }
            (b"index" | b"timestamp" | b"operation" | b"target" | b"disposition", _) => return None,
            _ => {}
        }
        Some(())
    }
}

impl<'l> Keys<'l> {
    /// Whether `key` is there for the first time, and there is room for it.
    fn add(&mut self, key: &'l [u8]) -> bool {
        let end = |byte: Option<&u8>| byte.map_or(0, |&byte| usize::from(byte));
        let mixed = key.len().wrapping_mul(7) ^ end(key.first()).wrapping_mul(5) ^ end(key.last()).wrapping_mul(11);
        let mark = 1_u64 << (mixed % 64);
        if self.marks & mark != 0 && self.seen.iter().take(self.count).any(|there| *there == key) {
            return false;
        }
        let Some(place) = self.seen.get_mut(self.count) else { return false };
        *place = key;
        self.marks |= mark;
        self.count = self.count.saturating_add(1);
        true
    }
}

/// Whether a text is a time as records have it. Those that nono writes are told by their digits; the last days of months are
/// for the calendar.
fn is_moment(text: &[u8]) -> bool {
    is_usual(text).unwrap_or(false) || std::str::from_utf8(text).is_ok_and(|text| Moment::parse(text).is_some())
}

/// A time of this millennium with nine digits in its fraction, and not on a leap day.
fn is_usual(text: &[u8]) -> Option<bool> {
    let (text, fraction) = <&[u8; 30]>::try_from(text).ok()?.split_first_chunk::<20>()?;
    let (fraction, end) = fraction.split_last_chunk::<1>()?;
    let [b'2', y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2, b'.'] = text else {
        return None;
    };
    let digits = [y2, y3, y4, m1, m2, d1, d2, h1, h2, n1, n2, s1, s2];
    let all = digits.iter().all(|digit| digit.is_ascii_digit()) && fraction.iter().all(u8::is_ascii_digit);
    let number = |tens: &u8, ones: &u8| (tens & 15).wrapping_mul(10).wrapping_add(ones & 15);
    let last = match number(m1, m2) {
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let clock = number(h1, h2) < 24 && number(n1, n2) < 60 && number(s1, s2) < 60;
    Some(all && *end == [b'Z'] && clock && (1..=last).contains(&number(d1, d2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"index":1,"timestamp":"2026-01-31T00:00:00.000000000Z","operation":"fs.read","target":"/a","disposition":"allowed","process":{"pid":7,"x":[1,true,null,{}]},"salt":""}"#;
    const ESCAPED: &str = r#"{"index":1,"timestamp":"2026-01-31T00:00:00.000000000Z","operation":"fs.read","target":"/\"\\\n\u001b\u202e\ufffdä","disposition":"allowed","salt":""}"#;

    #[test]
    fn lines_that_nono_writes_need_no_parser() {
        assert_eq!((is_plain(GOOD.as_bytes()), is_plain(ESCAPED.as_bytes())), (Some(true), Some(true)));
    }

    #[test]
    fn a_record_with_any_byte_changed_added_or_taken_away_is_one_to_both_or_to_neither() {
        for line in [GOOD.as_bytes(), ESCAPED.as_bytes()] {
            for place in 0..line.len() {
                for byte in (0..=0xff).step_by(5).chain(*b"\"\\,:{}[]0u\nd") {
                    let mut changed = line.to_vec();
                    changed[place] = byte;
                    agree(&changed);
                    changed.insert(place, line[place]);
                    agree(&changed);
                }
                agree(&[&line[..place], &line[place + 1..]].concat());
                agree(&line[..place]);
            }
        }
    }

    #[test]
    fn odd_records_are_for_the_parser_to_judge() {
        let deep = format!("\"k\":{}1{}", "[".repeat(200), "]".repeat(200));
        let many: Vec<String> = (0..40).map(|number| format!("\"k{number}\":1")).collect();
        let long = format!("\"k\":\"{}\"", "x".repeat(LONGEST));
        for more in [
            r#""salt":"","salt":"""#,
            r#""index":2"#,
            r#""k":-1"#,
            r#""k":1e400"#,
            r#""k":18446744073709551616"#,
            r#""k":01"#,
            r#""k": 1"#,
            r#""K":1"#,
            r#""k":"\ud800""#,
            r#""k":"\ud83d\ude00""#,
            r#""k":"\x""#,
            r#""k":{"a":1,"a":2}"#,
            r#""k":{"$serde_json::private::RawValue":1}"#,
            r#""in\u0064ex":1"#,
            r#""k":[1,]"#,
            r#""k":{,}"#,
            &deep,
            &many.join(","),
            &long,
        ] {
            agree(GOOD.replace(r#""salt":"""#, more).as_bytes());
        }
        for (old, new) in [
            ("allowed", r"allow\u0065d"),
            ("2026-01-31", "2026-02-31"),
            ("\"index\":1", "\"index\":18446744073709551615"),
            ("\"index\":1", "\"index\":\"1\""),
            ("\"fs.read\"", "7"),
            ("\"/a\"", "null"),
        ] {
            agree(GOOD.replace(old, new).as_bytes());
        }
    }

    #[test]
    fn times_are_told_by_their_digits_as_by_the_calendar() {
        let mut times: Vec<String> =
            ["2026-01-31T23:59:59.000000000Z", "2026-01-31T00:00:00Z", "1970-01-01"].map(str::to_owned).into();
        for (month, day, hour) in (0..=13).flat_map(|m| (0..=32).flat_map(move |d| [0, 23, 24].map(|h| (m, d, h)))) {
            for year in [1969, 1999, 2023, 2024, 2100, 3000] {
                times.push(format!("{year}-{month:02}-{day:02}T{hour:02}:59:59.123456789Z"));
            }
        }
        for place in 0..30 {
            for byte in ['0', '5', '6', '9', ':', '-', 'Z', 'x', '/'] {
                let mut time = times[0].clone();
                time.replace_range(place..=place, &byte.to_string());
                times.push(time);
            }
        }
        for time in times {
            assert_eq!(is_moment(time.as_bytes()), Moment::parse(&time).is_some(), "{time}");
        }
    }

    #[test]
    fn the_end_of_a_text_is_found_wherever_it_is() {
        for length in 0..40 {
            for place in 0..length {
                for (end, around) in [(b'"', 0xff), (b'\\', b'!'), (b'"', b'#'), (b'\\', 0xdc), (b'"', b']')] {
                    let mut text = vec![around; length];
                    assert_eq!(quote_or_escape(&text), None);
                    text[place] = end;
                    assert_eq!(quote_or_escape(&text), Some(place));
                    text[place + 1..].fill(b'"');
                    assert_eq!(quote_or_escape(&text), Some(place));
                }
            }
        }
    }

    fn agree(line: &[u8]) {
        let parsed = Record::parse(line);
        assert!(is_plain(line) != Some(true) || parsed.is_ok(), "{}", String::from_utf8_lossy(line));
        assert_eq!(check(line), parsed.map(drop));
    }
}
