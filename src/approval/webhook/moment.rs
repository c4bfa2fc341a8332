//! Moments as text (RFC 3339), counted in the proleptic Gregorian calendar without leap seconds.

use core::time::Duration;

const SECONDS_A_DAY: u64 = 86_400;

/// `2026-01-31T23:59:59.123456789Z`, for a time since 1970-01-01T00:00:00Z.
pub(super) fn written(since_1970: Duration) -> String {
    let (seconds, nanos) = (since_1970.as_secs(), since_1970.subsec_nanos());
    let (year, month, day) = date_of(seconds / SECONDS_A_DAY);
    let clock = seconds % SECONDS_A_DAY;
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
}

/// The time since 1970 of a text such as `2026-01-31T23:59:59+01:00`, with a fraction of any length; `None` when it is no
/// such text or before 1970.
pub(super) fn parsed(text: &str) -> Option<Duration> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<u64> {
        let digits = text.get(from..to)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    };
    let sign = |at: usize, signs: &[u8]| bytes.get(at).is_some_and(|byte| signs.contains(byte));
    if !(sign(4, b"-") && sign(7, b"-") && sign(10, b"Tt") && sign(13, b":") && sign(16, b":")) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (nanos, zone) = fraction(text.get(19..)?)?;
    let local = days_of(year, month, day)? * SECONDS_A_DAY + hour * 3600 + minute * 60 + second;
    let seconds = local.checked_add_signed(-offset(zone)?)?;
    Some(Duration::new(seconds, nanos))
}

/// Nanoseconds of a `.123` at the start, and what follows.
fn fraction(text: &str) -> Option<(u32, &str)> {
    let Some(rest) = text.strip_prefix('.') else { return Some((0, text)) };
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, zone) = rest.split_at_checked(length).filter(|_| length > 0)?;
    let nine: String = digits.chars().chain("00000000".chars()).take(9).collect();
    // What is shorter than a nanosecond is dropped.
    let nanos: u32 = nine.parse().ok()?;
    Some((nanos, zone))
}

/// Seconds east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let (sign, clock) = match zone.split_at_checked(1)? {
        ("+", clock) => (1, clock),
        ("-", clock) => (-1, clock),
        _ => return None,
    };
    let (hours, minutes) = clock.split_once(':')?;
    let number = |digits: &str, most: i64| {
        let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse::<i64>().ok()).flatten().filter(|number| *number <= most)
    };
    Some(sign * (number(hours, 23)? * 3600 + number(minutes, 59)? * 60))
}

/// Days from 1970-01-01; `None` for a day that the month does not have.
fn days_of(year: u64, month: u64, day: u64) -> Option<u64> {
    if year < 1970 || !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
        return None;
    }
    let months: u64 = (1..month).map(|month| days_in(year, month)).sum();
    Some(days_before(year) + months + day - 1)
}

/// Year, month and day.
fn date_of(days: u64) -> (u64, u64, u64) {
    // No year is longer than 366 days, so this is at most a few years early.
    let mut year = 1970 + days / 366;
    while days_before(year + 1) <= days {
        year += 1;
    }
    let mut left = days - days_before(year);
    let mut month = 1;
    while left >= days_in(year, month) && month < 12 {
        left -= days_in(year, month);
        month += 1;
    }
    (year, month, left + 1)
}

/// Days from 1970-01-01 to the first of January of `year`.
fn days_before(year: u64) -> u64 {
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969)
}

fn days_in(year: u64, month: u64) -> u64 {
    match month {
        2 => 28 + u64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_are_written_and_read() {
        for (seconds, nanos, text) in [
            (0, 0, "1970-01-01T00:00:00.000000000Z"),
            (951_782_399, 5, "2000-02-28T23:59:59.000000005Z"),
            (951_782_400, 0, "2000-02-29T00:00:00.000000000Z"),
            (1_649_367_553, 0, "2022-04-07T21:39:13.000000000Z"),
            (4_107_542_400, 0, "2100-03-01T00:00:00.000000000Z"),
            (253_402_300_799, 999_999_999, "9999-12-31T23:59:59.999999999Z"),
        ] {
            assert_eq!(written(Duration::new(seconds, nanos)), text);
            assert_eq!(parsed(text), Some(Duration::new(seconds, nanos)), "{text}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_is_read_as_it_is_written() {
        for day in 0..146_097 {
            let moment = Duration::from_secs(day * SECONDS_A_DAY);
            assert_eq!(parsed(&written(moment)), Some(moment));
        }
    }

    #[test]
    fn offsets_and_fractions_are_understood() {
        for (text, seconds, nanos) in [
            ("1970-01-01T01:00:00+01:00", 0, 0),
            ("1969-12-31t23:30:00-00:30", 0, 0),
            ("1970-01-01T00:00:01.5z", 1, 500_000_000),
            ("1970-01-01T00:00:01.1234567899Z", 1, 123_456_789),
        ] {
            let expected = (!text.starts_with("1969")).then(|| Duration::new(seconds, nanos));
            assert_eq!(parsed(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for text in [
            "",
            "2026-01-31",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:60Z",
            "2026-01-01 00:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00Z ",
            "2026-01-01T00:00:00+1:00",
            "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:00+00:60",
            "+026-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+00:01",
            "2026-01-01T00:00:0éZ",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
