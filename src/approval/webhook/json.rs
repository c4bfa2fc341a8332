//! JSON of strangers: RFC 8259 without duplicate keys, deep nesting, or anything behind the value.

use core::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::http::Failure;

/// How many objects and lists may stand inside each other.
pub(super) const DEEPEST: usize = 16;

/// A value, every key of which is there once.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Bool(bool),
    List(Vec<Self>),
    Null,
    /// A whole number from zero, or `None` for any other.
    Number(Option<u64>),
    Object(BTreeMap<String, Self>),
    Text(String),
}

/// The value that is the whole of `bytes`.
pub(super) fn parse(bytes: &[u8]) -> Result<Json, Failure> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(Failure::new("json-utf8", "its answer is not UTF-8"));
    };
    let fault = Cell::new(None);
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Level { depth: 0, fault: &fault }.deserialize(&mut reader).map_err(|error| {
        fault.take().unwrap_or_else(|| Failure::new("json", format!("its answer is no JSON: {error}")))
    })?;
    match reader.end() {
        Ok(()) => Ok(value),
        Err(_) => Err(Failure::new("json-trailing", "something follows the JSON of its answer")),
    }
}

/// Reads a value that stands inside `depth` others.
#[derive(Clone, Copy)]
struct Level<'f> {
    depth: usize,
    /// What is wrong beyond the grammar.
    fault: &'f Cell<Option<Failure>>,
}

impl Level<'_> {
    fn inside<E: Error>(self) -> Result<Self, E> {
        if self.depth >= DEEPEST {
            return Err(self.fail("json-depth", format!("its answer nests deeper than {DEEPEST} levels")));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn fail<E: Error>(self, code: &'static str, why: String) -> E {
        let error = E::custom(&why);
        self.fault.set(Some(Failure::new(code, why)));
        error
    }
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Json, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = Json;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(Some(value)))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Number(None))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Number(None))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let inside = self.inside()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let inside = self.inside()?;
        let mut object = BTreeMap::new();
        while let Some(key) = members.next_key::<String>()? {
            let value = members.next_value_seed(inside)?;
            if object.insert(key, value).is_some() {
                return Err(self.fail("json-duplicate", "a key stands twice in an object of its answer".to_owned()));
            }
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &[u8]) -> &'static str {
        match parse(text) {
            Ok(value) => panic!("{} gave {value:?}", text.escape_ascii()),
            Err(failure) => failure.code,
        }
    }

    #[test]
    fn values_come_out_as_they_are_written() {
        let text = r#" {"a": [1, -1, 1.5, null, true], "b": {"c": "\ud83d\ude00"}} "#;
        let list = vec![Json::Number(Some(1)), Json::Number(None), Json::Number(None), Json::Null, Json::Bool(true)];
        let inner = BTreeMap::from([("c".to_owned(), Json::Text("😀".to_owned()))]);
        let whole = [("a".to_owned(), Json::List(list)), ("b".to_owned(), Json::Object(inner))];
        assert_eq!(parse(text.as_bytes()), Ok(Json::Object(BTreeMap::from(whole))));
    }

    #[test]
    fn anything_but_one_plain_value_is_refused() {
        for (text, expected) in [
            (&b""[..], "json"),
            (b"{", "json"),
            (b"{\"a\":1,}", "json"),
            (b"[NaN]", "json"),
            (b"[1e999]", "json"),
            (b"[01]", "json"),
            (b"['a']", "json"),
            (b"{\"a\":\"\\ud800\"}", "json"),
            (b"\xef\xbb\xbf{}", "json"),
            (b"[\"\n\"]", "json"),
            (b"{} {}", "json-trailing"),
            (b"{}\0", "json-trailing"),
            (b"[\"\xff\"]", "json-utf8"),
            (b"{\"a\":1,\"a\":1}", "json-duplicate"),
            (b"{\"x\":{\"a\":1,\"\\u0061\":2}}", "json-duplicate"),
        ] {
            assert_eq!(code(text), expected, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn sixteen_levels_are_read_and_no_more() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(DEEPEST).as_bytes()).is_ok());
        assert_eq!(code(nested(DEEPEST + 1).as_bytes()), "json-depth");
        assert_eq!(code("{\"a\":".repeat(30_000).as_bytes()), "json-depth");
    }
}
