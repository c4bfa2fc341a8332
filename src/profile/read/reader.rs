//! Reading values: each either is what was expected, or becomes a problem and is left out.

use std::cell::OnceCell;
use std::sync::Arc;

use super::json::{Node, Text, Value};
use super::problem::{Problem, ProblemKind};
use crate::profile::escape::escaped;
use crate::profile::variables::Variables;
use crate::profile::{Given, JsonPath, Provenance};

/// More problems than these are not kept; a last one says so.
pub(crate) const MOST_PROBLEMS: usize = 200;

/// One file while it is read.
pub(super) struct Reader<'t> {
    pub(super) text: &'t Text<'t>,
    pub(super) variables: &'t Variables,
    /// The group that the file defines.
    pub(super) group: Option<Arc<str>>,
    /// Comes with nono: an entry whose variable is unset has nothing to say on this host and is left out.
    pub(super) built_in: bool,
    pub(super) problems: Vec<Problem>,
}

/// A value and the keys that lead to it.
#[derive(Clone, Copy)]
pub(super) struct At<'a, 't> {
    pub(super) node: &'a Node<'t>,
    pub(super) path: Path<'a>,
}

/// Keys and indexes from the root.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    Index(&'a List<'a>, usize),
    Key(&'a Self, &'a str),
    Root,
}

/// A list, whose items share the text of the keys that lead to it.
pub(super) struct List<'a> {
    path: Path<'a>,
    keys: OnceCell<Arc<str>>,
}

/// The members of an object whose keys are all known, each once.
pub(super) struct Members<'a, 't> {
    path: &'a Path<'a>,
    found: Vec<(&'static str, &'a Node<'t>)>,
}

impl<'a, 't> Members<'a, 't> {
    pub(super) fn find(&'a self, key: &str) -> Option<At<'a, 't>> {
        let (key, node) = self.found.iter().find(|(name, _)| *name == key)?;
        Some(At { node, path: Path::Key(self.path, key) })
    }
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t Text<'t>, variables: &'t Variables, built_in: bool, group: Option<Arc<str>>) -> Self {
        Self { text, variables, group, built_in, problems: Vec::new() }
    }

    pub(super) fn problem(&mut self, at: At<'_, 't>, kind: ProblemKind) {
        self.problem_at(at.node.offset, at.path, kind);
    }

    fn problem_at(&mut self, offset: usize, path: Path<'_>, kind: ProblemKind) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(self.text.problem(offset, path.text(), kind));
        } else if self.problems.len() == MOST_PROBLEMS {
            self.problems.push(self.text.problem(offset, String::new(), ProblemKind::TooMany));
        }
    }

    fn wrong_type(&mut self, at: At<'_, 't>, expected: &'static str) {
        self.problem(at, ProblemKind::WrongType { expected, found: at.node.value.kind() });
    }

    /// Where a value stands.
    pub(super) fn provenance(&self, at: At<'_, 't>) -> Provenance {
        let (line, column) = self.text.position(at.node.offset);
        Provenance { place: Arc::clone(self.text.place()), line, column, json_path: at.path.shared() }
    }

    pub(super) fn given<T>(&self, at: At<'_, 't>, value: T) -> Given<T> {
        Given { value, from: self.provenance(at) }
    }

    /// The members of an object; keys that are not `known`, or come twice, become problems.
    pub(super) fn object<'a>(&mut self, at: &'a At<'a, 't>, known: &'static [&'static str]) -> Option<Members<'a, 't>> {
        let Value::Object(members) = &at.node.value else {
            self.wrong_type(*at, "an object");
            return None;
        };
        let mut found: Vec<(&'static str, &'a Node<'t>)> = Vec::with_capacity(members.len().min(known.len()));
        let mut first_offsets: Vec<(&'static str, usize)> = Vec::new();
        for member in members {
            let path = Path::Key(&at.path, &member.key);
            let Some(key) = known.iter().find(|name| **name == member.key) else {
                let kind = ProblemKind::UnknownKey { key: member.key.to_string(), known };
                self.problem_at(member.key_offset, path, kind);
                continue;
            };
            match first_offsets.iter().find(|(name, _)| name == key) {
                Some((_, first)) => self.duplicate(member.key_offset, path, &member.key, *first),
                None => {
                    first_offsets.push((key, member.key_offset));
                    found.push((key, &member.value));
                }
            }
        }
        Some(Members { path: &at.path, found })
    }

    /// A key that the object had before, at byte `first`.
    pub(super) fn duplicate(&mut self, offset: usize, path: Path<'_>, key: &str, first: usize) {
        let first_line = self.text.position(first).0;
        self.problem_at(offset, path, ProblemKind::DuplicateKey { key: key.to_owned(), first_line });
    }

    /// Calls `each` for every item of the list under `key`, if the key is there.
    pub(super) fn list<T>(
        &mut self,
        members: &Members<'_, 't>,
        key: &str,
        into: &mut Vec<T>,
        mut each: impl FnMut(&mut Self, At<'_, 't>) -> Option<T>,
    ) {
        let Some(at) = members.find(key) else { return };
        let Value::Array(items) = &at.node.value else {
            self.wrong_type(at, "a list, as in [\"…\"]");
            return;
        };
        into.reserve(items.len());
        let list = List::new(at.path);
        for (index, node) in items.iter().enumerate() {
            let item = At { node, path: Path::Index(&list, index) };
            if let Some(value) = each(self, item) {
                into.push(value);
            }
        }
    }

    pub(super) fn string<'a>(&mut self, at: At<'a, 't>) -> Option<&'a str> {
        let Value::String(text) = &at.node.value else {
            self.wrong_type(at, "a string");
            return None;
        };
        Some(text)
    }

    pub(super) fn boolean(&mut self, at: At<'_, 't>) -> Option<bool> {
        let Value::Bool(value) = at.node.value else {
            self.wrong_type(at, "true or false");
            return None;
        };
        Some(value)
    }

    /// A whole number without sign, point or exponent.
    pub(super) fn number(&mut self, at: At<'_, 't>, least: u64, most: u64) -> Option<u64> {
        let Value::Number(digits) = at.node.value else {
            self.wrong_type(at, "a number");
            return None;
        };
        let value = digits.parse().ok().filter(|value| (least..=most).contains(value));
        if value.is_none() {
            self.problem(at, ProblemKind::NumberOutOfRange { least, most });
        }
        value
    }

    /// One of a few words, each with its meaning.
    pub(super) fn choice<T: Copy>(
        &mut self,
        at: At<'_, 't>,
        choices: &'static [&'static str],
        meanings: &[T],
    ) -> Option<T> {
        let written = self.string(at)?;
        let meaning = choices.iter().zip(meanings).find(|(choice, _)| **choice == written).map(|(_, value)| *value);
        if meaning.is_none() {
            self.problem(at, ProblemKind::BadChoice { written: written.to_owned(), choices });
        }
        meaning
    }

    /// A string that `fault` finds nothing wrong with.
    pub(super) fn text(&mut self, at: At<'_, 't>, fault: impl FnOnce(&str) -> Option<&'static str>) -> Option<String> {
        let written = self.string(at)?;
        match fault(written) {
            None => Some(written.to_owned()),
            Some(why) => {
                self.problem(at, ProblemKind::BadText { written: written.to_owned(), why });
                None
            }
        }
    }

    /// The name of a profile or group.
    pub(super) fn name(&mut self, at: At<'_, 't>) -> Option<String> {
        let written = self.string(at)?;
        if is_name(written) {
            return Some(written.to_owned());
        }
        self.problem(at, ProblemKind::BadName { written: written.to_owned() });
        None
    }
}

/// Whether a text can name a profile or a group: then it is also a safe file name.
pub(crate) fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

impl<'a> List<'a> {
    pub(super) fn new(path: Path<'a>) -> Self {
        Self { path, keys: OnceCell::new() }
    }
}

impl Path<'_> {
    /// As a value that outlives the text.
    fn shared(&self) -> JsonPath {
        match self {
            Self::Index(list, index) => {
                let keys = list.keys.get_or_init(|| Arc::from(list.path.text()));
                JsonPath { keys: Arc::clone(keys), index: Some(*index) }
            }
            Self::Key(..) | Self::Root => JsonPath { keys: Arc::from(self.text()), index: None },
        }
    }

    /// As in `sandbox.allow[2]`.
    fn text(&self) -> String {
        let mut text = String::new();
        self.append_to(&mut text);
        text
    }

    fn append_to(&self, text: &mut String) {
        match self {
            Self::Index(list, index) => {
                list.path.append_to(text);
                text.push_str(&format!("[{index}]"));
            }
            Self::Key(above, key) => {
                above.append_to(text);
                let plain = !key.is_empty()
                    && key.len() <= 64
                    && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$'));
                if plain {
                    text.push_str(if text.is_empty() { "" } else { "." });
                    text.push_str(key);
                } else {
                    text.push_str("[\"");
                    text.push_str(&escaped(key.as_bytes(), 64));
                    text.push_str("\"]");
                }
            }
            Self::Root => {}
        }
    }
}
