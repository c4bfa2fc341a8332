//! JSON documents of this module: every object is read with its duplicates refused, and what is wrong has its place.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::profile::escape::escaped;
use crate::profile::read::json::{DEEPEST, Member, Node, Text, Value};
use crate::profile::read::nearest;
use crate::profile::read::problem::{FileFault, Problem, ProblemKind};

/// Longest piece of a document in a sentence, in characters.
const SHOWN: usize = 80;

/// What is wrong with a document, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// From one; zero when it is about the whole.
    pub line: u32,
    pub column: u32,
    /// Such as `publishers[1].name`; empty for the whole document.
    pub json_path: String,
    /// The rest of the sentence.
    pub why: String,
}

/// A document that was checked for duplicate keys.
pub(super) struct Document<'t> {
    text: Text<'t>,
    root: Node<'t>,
}

/// A value and the way to it.
#[derive(Clone)]
pub(super) struct At<'d, 't> {
    text: &'d Text<'t>,
    node: &'d Node<'t>,
    path: String,
}

/// An object and the way to it.
pub(super) struct Object<'d, 't> {
    at: At<'d, 't>,
    members: &'d [Member<'t>],
}

impl<'t> Document<'t> {
    /// Parses `bytes`, at most `largest` of them.
    ///
    /// # Errors
    /// What is no JSON (RFC 8259), is nested too deeply, or names a key twice, wherever that is.
    pub(super) fn parse(bytes: &'t [u8], largest: usize) -> Result<Self, Malformed> {
        if bytes.len() > largest {
            let why = format!("has {} bytes, and {largest} is the most", bytes.len());
            return Err(Malformed { line: 0, column: 0, json_path: String::new(), why });
        }
        let text = Text::of_at_most(largest, Arc::from(""), bytes).map_err(|problem| of_problem(&problem))?;
        let root = text.parse().map_err(|problem| of_problem(&problem))?;
        At { text: &text, node: &root, path: String::new() }.refuse_duplicates()?;
        Ok(Self { text, root })
    }

    /// The whole document, which must be an object.
    ///
    /// # Errors
    /// It is something else.
    pub(super) fn object(&self) -> Result<Object<'_, 't>, Malformed> {
        At { text: &self.text, node: &self.root, path: String::new() }.object()
    }
}

impl<'d, 't> At<'d, 't> {
    /// Says what is wrong here.
    pub(super) fn malformed(&self, why: impl Into<String>) -> Malformed {
        let (line, column) = self.text.position(self.node.offset);
        Malformed { line, column, json_path: self.path.clone(), why: why.into() }
    }

    pub(super) fn object(self) -> Result<Object<'d, 't>, Malformed> {
        let Value::Object(members) = &self.node.value else { return Err(self.wrong("an object")) };
        Ok(Object { members, at: self })
    }

    /// The items of a list, at most `most`.
    pub(super) fn list(&self, most: usize) -> Result<Vec<Self>, Malformed> {
        let Value::Array(items) = &self.node.value else { return Err(self.wrong("a list")) };
        if items.len() > most {
            return Err(self.malformed(format!("has {} entries, and {most} is the most", items.len())));
        }
        let item = |(index, node)| Self { text: self.text, node, path: format!("{}[{index}]", self.path) };
        Ok(items.iter().enumerate().map(item).collect())
    }

    pub(super) fn text(&self) -> Result<&'d str, Malformed> {
        let Value::String(text) = &self.node.value else { return Err(self.wrong("a text")) };
        Ok(text)
    }

    pub(super) fn flag(&self) -> Result<bool, Malformed> {
        let Value::Bool(value) = &self.node.value else { return Err(self.wrong("true or false")) };
        Ok(*value)
    }

    /// Standard base64 with its padding (RFC 4648, section 4), and nothing else.
    pub(super) fn base64(&self) -> Result<Vec<u8>, Malformed> {
        STANDARD.decode(self.text()?).map_err(|error| self.malformed(format!("is not base64 (RFC 4648): {error}")))
    }

    /// A whole number, in a text as `int64` is written (protocol buffers, "ProtoJSON Format"), or as a number.
    pub(super) fn integer(&self) -> Result<u64, Malformed> {
        let digits: &str = match &self.node.value {
            Value::Number(digits) => digits,
            Value::String(digits) => digits,
            Value::Array(_) | Value::Bool(_) | Value::Null | Value::Object(_) => {
                return Err(self.wrong("a whole number"));
            }
        };
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
        let value = digits.parse::<u64>().ok().filter(|value| plain && i64::try_from(*value).is_ok());
        value.ok_or_else(|| self.malformed(format!("`{}` is not a whole number", escaped(digits.as_bytes(), SHOWN))))
    }

    fn wrong(&self, expected: &str) -> Malformed {
        self.malformed(format!("is {}, and {expected} is expected", self.node.value.kind()))
    }

    fn refuse_duplicates(&self) -> Result<(), Malformed> {
        match &self.node.value {
            Value::Array(items) => items.iter().enumerate().try_for_each(|(index, node)| match holds_more(node) {
                true => Self { text: self.text, node, path: format!("{}[{index}]", self.path) }.refuse_duplicates(),
                false => Ok(()),
            }),
            Value::Object(members) => {
                self.refuse_key_twice(members)?;
                members.iter().filter(|member| holds_more(&member.value)).try_for_each(|member| {
                    let path = joined(&self.path, &member.key);
                    Self { text: self.text, node: &member.value, path }.refuse_duplicates()
                })
            }
            Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    fn refuse_key_twice(&self, members: &[Member<'t>]) -> Result<(), Malformed> {
        let mut keys: Vec<&Member<'t>> = members.iter().collect();
        keys.sort_by(|one, other| (&one.key, one.key_offset).cmp(&(&other.key, other.key_offset)));
        let twice = keys.iter().zip(keys.iter().skip(1)).find(|(one, other)| one.key == other.key);
        let Some((_, again)) = twice else { return Ok(()) };
        let (line, column) = self.text.position(again.key_offset);
        let why = format!("names `{}` twice", escaped(again.key.as_bytes(), SHOWN));
        Err(Malformed { line, column, json_path: self.path.clone(), why })
    }
}

impl<'d, 't> Object<'d, 't> {
    /// Says what is wrong with the object as a whole.
    pub(super) fn malformed(&self, why: impl Into<String>) -> Malformed {
        self.at.malformed(why)
    }

    /// That no key but those in `known` is there.
    pub(super) fn only(&self, known: &[&'static str]) -> Result<(), Malformed> {
        let Some(unknown) = self.members.iter().find(|member| !known.contains(&&*member.key)) else { return Ok(()) };
        let (line, column) = self.at.text.position(unknown.key_offset);
        let close = nearest(&unknown.key, known.iter().copied()).map(|close| format!("; did you mean `{close}`?"));
        let hint = close.unwrap_or_else(|| format!("; the keys are {}", known.join(", ")));
        let why = format!("has the unknown key `{}`{hint}", escaped(unknown.key.as_bytes(), SHOWN));
        Err(Malformed { line, column, json_path: self.at.path.clone(), why })
    }

    /// The value of `key`. `null` is no value ("ProtoJSON Format").
    pub(super) fn find(&self, key: &str) -> Option<At<'d, 't>> {
        let member = self.members.iter().find(|member| member.key == key)?;
        let path = joined(&self.at.path, key);
        (member.value.value != Value::Null).then_some(At { text: self.at.text, node: &member.value, path })
    }

    /// The value of `key`, which must be there.
    pub(super) fn need(&self, key: &str) -> Result<At<'d, 't>, Malformed> {
        self.find(key).ok_or_else(|| self.malformed(format!("has no `{key}`")))
    }

    /// The text of `key`, where it is there.
    pub(super) fn optional_text(&self, key: &str) -> Result<Option<String>, Malformed> {
        self.find(key).map(|at| at.text().map(str::to_owned)).transpose()
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(out, "line {}, column {}: ", self.line, self.column)?;
        }
        match self.json_path.is_empty() {
            true => out.write_str(&self.why),
            false => write!(out, "`{}` {}", self.json_path, self.why),
        }
    }
}

impl std::error::Error for Malformed {}

fn of_problem(problem: &Problem) -> Malformed {
    let (line, column) = (problem.line, problem.column);
    let why = if problem.kind == ProblemKind::File(FileFault::TooDeep) {
        format!("more than {DEEPEST} objects and lists stand inside each other")
    } else {
        problem.kind.to_string()
    };
    Malformed { line, column, json_path: String::new(), why }
}

fn holds_more(node: &Node<'_>) -> bool {
    matches!(node.value, Value::Array(_) | Value::Object(_))
}

fn joined(path: &str, key: &str) -> String {
    let key = escaped(key.as_bytes(), SHOWN);
    if path.is_empty() { key } else { format!("{path}.{key}") }
}
