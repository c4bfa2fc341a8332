//! JSON with the place of every key and value.
//!
//! serde_json checks the grammar (RFC 8259). Its raw values say where each part stands in the text, and an object keeps its
//! members in order with duplicates, so that whoever reads it can speak about each of them.

pub mod apart;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use self::apart::Apart;
use super::problem::{FileFault, Problem, ProblemKind};

/// The largest text, in bytes.
pub const LARGEST: usize = 1 << 20;
/// How many objects and lists may stand inside each other.
pub const DEEPEST: usize = 32;

/// The text of a file, and where its lines begin.
#[derive(Clone, Debug)]
pub struct Text<'t> {
    place: Arc<str>,
    text: &'t str,
    lines: Cow<'t, [usize]>,
    /// Every byte is a character.
    is_ascii: bool,
    /// The same, taken apart before.
    apart: Option<&'static Apart>,
}

/// A value and the byte offset where it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Node<'t> {
    pub offset: usize,
    pub value: Value<'t>,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'t> {
    Array(Vec<Node<'t>>),
    Bool(bool),
    Null,
    /// As it was written.
    Number(&'t str),
    /// In order, with duplicates.
    Object(Vec<Member<'t>>),
    String(Cow<'t, str>),
}

/// A key of an object with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Member<'t> {
    pub key: Cow<'t, str>,
    pub key_offset: usize,
    pub value: Node<'t>,
}

impl<'t> Text<'t> {
    /// Takes the bytes of the file that `place` names.
    ///
    /// # Errors
    /// A text that is too large, begins with a byte order mark, or is not UTF-8.
    pub fn new(place: Arc<str>, bytes: &'t [u8]) -> Result<Self, Problem> {
        Self::of_at_most(LARGEST, place, bytes)
    }

    /// [`Text::new`] with a limit of its own, in bytes.
    ///
    /// # Errors
    /// Those of [`Text::new`].
    pub fn of_at_most(largest: usize, place: Arc<str>, bytes: &'t [u8]) -> Result<Self, Problem> {
        let whole = |fault| Problem::of_file(&place, fault);
        if bytes.len() > largest {
            return Err(whole(FileFault::TooLarge));
        }
        if [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"].iter().any(|mark| bytes.starts_with(mark)) {
            return Err(whole(FileFault::ByteOrderMark));
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                let ends = text.match_indices('\n').map(|(end, _)| end.saturating_add(1));
                let lines = [0].into_iter().chain(ends).collect();
                Ok(Self { place, text, lines, is_ascii: text.is_ascii(), apart: None })
            }
            Err(error) => {
                let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
                let text = std::str::from_utf8(valid).unwrap_or_default();
                let before = Text::of_at_most(largest, Arc::clone(&place), text.as_bytes())?;
                Err(before.problem(
                    valid.len(),
                    String::new(),
                    ProblemKind::File(FileFault::NotUtf8 { offset: valid.len() }),
                ))
            }
        }
    }

    /// A text that was taken apart before.
    pub fn taken_apart(place: Arc<str>, apart: &'static Apart) -> Self {
        let lines = Cow::Borrowed(apart.lines);
        Self { place, text: apart.text, lines, is_ascii: apart.text.is_ascii(), apart: Some(apart) }
    }

    /// The file's name, as the caller gave it.
    pub fn place(&self) -> &Arc<str> {
        &self.place
    }

    /// Line and column of a byte offset, both from one; a column is a character.
    pub fn position(&self, offset: usize) -> (u32, u32) {
        let line = self.lines.partition_point(|&start| start <= offset);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = self.text.as_bytes().get(start..offset).unwrap_or_default();
        // A character's first byte is the one that is no continuation byte (RFC 3629).
        let characters = match self.is_ascii {
            true => before.len(),
            false => before.iter().filter(|&&byte| byte & 0xc0 != 0x80).count(),
        };
        (number(line), number(characters.saturating_add(1)))
    }

    /// A problem at a byte offset.
    pub fn problem(&self, offset: usize, json_path: String, kind: ProblemKind) -> Problem {
        let (line, column) = self.position(offset);
        Problem { place: Arc::clone(&self.place), line, column, json_path, kind }
    }

    /// The value that the text holds.
    ///
    /// # Errors
    /// The first place where the text is not JSON, a string that no text can hold, or values nested too deeply.
    pub fn parse(&self) -> Result<Node<'t>, Problem> {
        if let Some(root) = self.apart.and_then(Apart::value) {
            return Ok(root);
        }
        let raw: &'t RawValue = serde_json::from_str(self.text).map_err(|error| self.syntax(0, self.text, &error))?;
        self.node(raw.get(), 0)
    }

    fn node(&self, raw: &'t str, depth: usize) -> Result<Node<'t>, Problem> {
        let offset = self.offset(raw);
        if depth > DEEPEST {
            return Err(self.problem(offset, String::new(), ProblemKind::File(FileFault::TooDeep)));
        }
        let wrong = |error: serde_json::Error| self.syntax(offset, raw, &error);
        let below = depth.saturating_add(1);
        let value = match raw.as_bytes().first() {
            Some(b'{') => {
                let members: Members<'t> = serde_json::from_str(raw).map_err(wrong)?;
                let members = members.0.into_iter().map(|(key, value)| {
                    Ok(Member {
                        key: self.string(key.get())?,
                        key_offset: self.offset(key.get()),
                        value: self.node(value.get(), below)?,
                    })
                });
                Value::Object(members.collect::<Result<_, Problem>>()?)
            }
            Some(b'[') => {
                if let Ok(strings) = serde_json::from_str::<PlainStrings<'t>>(raw) {
                    // The quote before a string is where it begins.
                    let item = |text: &'t str| Node {
                        offset: self.offset(text).saturating_sub(1),
                        value: Value::String(Cow::Borrowed(text)),
                    };
                    return Ok(Node { offset, value: Value::Array(strings.0.into_iter().map(item).collect()) });
                }
                let items: Items<'t> = serde_json::from_str(raw).map_err(wrong)?;
                Value::Array(items.0.into_iter().map(|item| self.node(item.get(), below)).collect::<Result<_, _>>()?)
            }
            Some(b'"') => Value::String(self.string(raw)?),
            Some(b't') => Value::Bool(true),
            Some(b'f') => Value::Bool(false),
            Some(b'n') => Value::Null,
            _ => Value::Number(raw),
        };
        Ok(Node { offset, value })
    }

    /// The text between two quotes, with its escapes replaced.
    fn string(&self, raw: &'t str) -> Result<Cow<'t, str>, Problem> {
        match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(plain) if !plain.contains('\\') => Ok(Cow::Borrowed(plain)),
            _ => {
                let owned: String =
                    serde_json::from_str(raw).map_err(|error| self.syntax(self.offset(raw), raw, &error))?;
                Ok(Cow::Owned(owned))
            }
        }
    }

    /// Where a part of the text stands in it.
    fn offset(&self, part: &str) -> usize {
        part.as_ptr().addr().wrapping_sub(self.text.as_ptr().addr()).min(self.text.len())
    }

    /// What serde_json found wrong in the part of the text that begins at `base`.
    fn syntax(&self, base: usize, part: &str, error: &serde_json::Error) -> Problem {
        let line_start = match error.line() {
            0 | 1 => 0,
            line => part
                .match_indices('\n')
                .nth(line.saturating_sub(2))
                .map_or(part.len(), |(end, _)| end.saturating_add(1)),
        };
        let within = line_start.saturating_add(error.column().saturating_sub(1)).min(part.len());
        let text = error.to_string();
        let why = text.split(" at line ").next().unwrap_or_default().to_owned();
        self.problem(base.saturating_add(within), String::new(), ProblemKind::File(FileFault::Syntax { why }))
    }
}

impl Value<'_> {
    /// What this is called in a sentence.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Array(_) => "a list",
            Self::Bool(_) => "true or false",
            Self::Null => "null",
            Self::Number(_) => "a number",
            Self::Object(_) => "an object",
            Self::String(_) => "a string",
        }
    }
}

/// The members of one object, undecoded.
struct Members<'t>(Vec<(&'t RawValue, &'t RawValue)>);

/// The items of one list, undecoded.
struct Items<'t>(Vec<&'t RawValue>);

/// The items of a list of strings without escapes, which most lists are: read in one go, without a look at each before.
struct PlainStrings<'t>(Vec<&'t str>);

impl<'de: 't, 't> Deserialize<'de> for PlainStrings<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A borrowed string is one that stands in the text as it is.
        Vec::<&'de str>::deserialize(deserializer).map(Self)
    }
}

impl<'de: 't, 't> Deserialize<'de> for Members<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Collect).map(Self)
    }
}

impl<'de: 't, 't> Deserialize<'de> for Items<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(CollectItems).map(Self)
    }
}

struct Collect;
struct CollectItems;

impl<'de> Visitor<'de> for Collect {
    type Value = Vec<(&'de RawValue, &'de RawValue)>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

impl<'de> Visitor<'de> for CollectItems {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(items)
    }
}

/// Lines and columns fit: a text has at most [`LARGEST`] bytes.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Node<'_>, Problem> {
        Text::new(Arc::from("x.json"), text.as_bytes())?.parse()
    }

    fn words(text: &[u8]) -> String {
        match Text::new(Arc::from("x.json"), text).and_then(|text| text.parse().map(|_| ())) {
            Ok(()) => "fine".to_owned(),
            Err(problem) => problem.to_string(),
        }
    }

    #[test]
    fn every_key_and_value_has_its_place_and_duplicates_stay() {
        let source = " {\"a\": [1, \"é\\n\", null],\n  \"a\": {\"b\\u0041\": true}}\n";
        let text = Text::new(Arc::from("x"), source.as_bytes()).unwrap();
        let Value::Object(members) = text.parse().unwrap().value else { panic!("an object") };
        let places: Vec<_> = members.iter().map(|member| text.position(member.key_offset)).collect();
        assert_eq!(places, [(1, 3), (2, 3)]);
        let Value::Array(items) = &members[0].value.value else { panic!("a list") };
        assert_eq!(items[1].value, Value::String("é\n".into()));
        assert_eq!(text.position(items[2].offset), (1, 19));
        let Value::Object(inner) = &members[1].value.value else { panic!("an object") };
        assert_eq!((inner[0].key.as_ref(), &inner[0].value.value), ("bA", &Value::Bool(true)));
        assert_eq!(text.position(inner[0].value.offset), (2, 20));
    }

    #[test]
    fn broken_text_is_a_sentence_with_its_place() {
        for (text, start) in [
            (&b""[..], "x.json:1:1: "),
            (b"{", "x.json:1:1: "),
            (b"{\n  \"a\": 1,\n}", "x.json:3:1: "),
            (b"{\"a\" 1}", "x.json:1:6: "),
            (b"[1] 2", "x.json:1:5: "),
            (b"[\"\\ud800\"]", "x.json:1:"),
            (b"{\"\\ud800\": 1}", "x.json:1:"),
            (b"[01]", "x.json:1:3: "),
            (b"[\"a\nb\"]", "x.json:"),
            (b"\xef\xbb\xbf{}", "x.json: "),
            (b"\xff\xfe{\0}\0", "x.json: "),
            (b"{\n\"\xff\": 1}", "x.json:2:2: "),
            (b"// c\n{}", "x.json:1:1: "),
            (b"NaN", "x.json:1:1: "),
        ] {
            let said = words(text);
            assert!(said.starts_with(start), "{said}");
        }
    }

    #[test]
    fn nesting_and_size_have_limits() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(&nested(DEEPEST + 1)).is_ok());
        assert!(matches!(parse(&nested(DEEPEST + 2)).unwrap_err().kind, ProblemKind::File(FileFault::TooDeep)));
        assert!(matches!(parse(&nested(100_000)).unwrap_err().kind, ProblemKind::File(FileFault::TooDeep)));
        assert!(matches!(parse(&"[".repeat(LARGEST)).unwrap_err().kind, ProblemKind::File(FileFault::Syntax { .. })));
        assert!(matches!(parse(&" ".repeat(LARGEST + 1)).unwrap_err().kind, ProblemKind::File(FileFault::TooLarge)));
    }
}
