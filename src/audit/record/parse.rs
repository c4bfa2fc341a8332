//! Records read back: any line is taken apart or refused, and nothing in it can be there twice.

use std::fmt;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::Value;

use super::text::from_base64;
use super::time::Moment;
use super::{Disposition, LONGEST};

/// A record as its line has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub index: u64,
    pub timestamp: Moment,
    pub operation: String,
    pub target: String,
    pub disposition: Disposition,
    /// Every field, those above included, in their order.
    pub fields: Vec<(String, Value)>,
}

/// Why a line is no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// A field is missing, or of another form; its name.
    Field(&'static str),
    /// Not one JSON object without repeated keys; the parser's words.
    Json(String),
    TooLong,
}

impl Record {
    /// Reads a line without its line end.
    ///
    /// # Errors
    /// Why it is no record.
    pub fn parse(line: &[u8]) -> Result<Self, RecordError> {
        if line.len() > LONGEST {
            return Err(RecordError::TooLong);
        }
        let json = |error: serde_json::Error| RecordError::Json(error.to_string());
        let mut reader = serde_json::Deserializer::from_slice(line);
        let fields = reader.deserialize_map(Object).map_err(json)?;
        reader.end().map_err(json)?;
        let find = |name: &'static str| {
            let found = fields.iter().find_map(|(key, value)| (key == name).then_some(value));
            found.ok_or(RecordError::Field(name))
        };
        let text = |name| find(name)?.as_str().map(ToOwned::to_owned).ok_or(RecordError::Field(name));
        let named = text("disposition")?;
        let disposition = Disposition::ALL.into_iter().find(|known| known.name() == named);
        Ok(Self {
            index: find("index")?.as_u64().ok_or(RecordError::Field("index"))?,
            timestamp: Moment::parse(&text("timestamp")?).ok_or(RecordError::Field("timestamp"))?,
            operation: text("operation")?,
            target: text("target")?,
            disposition: disposition.ok_or(RecordError::Field("disposition"))?,
            fields,
        })
    }

    /// The value of a field; of one inside another with a dot between, such as `process.pid`.
    pub fn field(&self, path: &str) -> Option<&Value> {
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let found = self.fields.iter().find_map(|(key, value)| (key == first).then_some(value))?;
        rest.map_or(Some(found), |rest| found.get(rest))
    }

    /// The text of a field.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.field(path)?.as_str()
    }

    /// The exact bytes of a field that a program chose.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        match self.text(&format!("{name}_b64")) {
            Some(exact) => from_base64(exact),
            None => Some(self.text(name)?.as_bytes().to_vec()),
        }
    }

    /// How many operations it stands for: more than one where repeats were folded.
    pub fn count(&self) -> u64 {
        self.field("repeats").and_then(Value::as_u64).unwrap_or(1)
    }
}

/// An object's members, each key once.
struct Object;

impl<'de> Visitor<'de> for Object {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members: Vec<(String, Value)> = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, Value>()? {
            if members.iter().any(|(there, _)| *there == key) {
                return Err(serde::de::Error::custom("a key is there twice"));
            }
            members.push((key, value));
        }
        Ok(members)
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(out, "the field `{name}` is missing, or not of its form"),
            Self::Json(why) => write!(out, "it is not a JSON object: {why}"),
            Self::TooLong => write!(out, "it has more than {LONGEST} bytes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"index":1,"timestamp":"2026-01-31T00:00:00.000000000Z","operation":"fs.read","target":"/a","disposition":"allowed","process":{"pid":7},"salt":""}"#;

    #[test]
    fn a_record_is_read_with_its_inner_fields() {
        let record = Record::parse(GOOD.as_bytes()).unwrap();
        assert_eq!((record.index, record.operation.as_str(), record.disposition), (1, "fs.read", Disposition::Allowed));
        assert_eq!(record.field("process.pid").and_then(Value::as_u64), Some(7));
        assert_eq!(record.bytes("target").as_deref(), Some(b"/a".as_slice()));
    }

    #[test]
    fn lines_that_are_no_record_are_refused() {
        let deep = format!("{}1{}", "[".repeat(60_000 / 2), "]".repeat(60_000 / 2));
        let wrong = [
            String::new(),
            "[]".into(),
            "{}".into(),
            GOOD.replace("\"index\":1", "\"index\":-1"),
            GOOD.replace("allowed", "perhaps"),
            GOOD.replace("\"salt\":\"\"", "\"index\":1"),
            GOOD.replace("\"salt\":\"\"", &format!("\"salt\":{deep}")),
            GOOD.replace("2026-01-31", "2026-02-31"),
            format!("{GOOD}{GOOD}"),
            format!("{GOOD}{}", " ".repeat(LONGEST)),
        ];
        for line in wrong {
            assert!(Record::parse(line.as_bytes()).is_err(), "{}", &line[..line.len().min(200)]);
        }
        assert!(Record::parse(b"\xff").is_err());
    }
}
