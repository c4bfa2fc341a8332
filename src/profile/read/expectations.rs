//! Policy tests (`NAME.test.json`): what a policy is expected to say about one operation each.

use std::fmt;
use std::sync::Arc;

use super::json::{Text, Value};
use super::problem::{Problem, ProblemKind};
use super::reader::{At, List, Members, Path, Reader};
use crate::profile::Provenance;
use crate::profile::abs_path::AbsPath;
use crate::profile::host::{Endpoint, Listen};
use crate::profile::variables::Variables;

/// One entry of a policy test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    pub asked: Asked,
    pub expected: Expected,
    /// Where the entry stands.
    pub from: Provenance,
}

/// The operation that an entry asks about. Paths are as written: their symbolic links were not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    Connect(Endpoint),
    Execute(AbsPath),
    Listen(Listen),
    Read(AbsPath),
    UnixConnect(AbsPath),
    Write(AbsPath),
}

/// The answer that an entry expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    Allow,
    /// Somebody would be asked.
    Ask,
    Deny,
}

/// The keys that an entry has exactly one of.
pub(super) const OPERATIONS: [&str; 6] = ["connect", "exec", "listen", "read", "unix", "write"];

/// Reads the text of a policy test: a list of objects, each with one operation and the key `expect`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read_expectations(
    place: &Arc<str>,
    bytes: &[u8],
    variables: &Variables,
) -> Result<Vec<Expectation>, Vec<Problem>> {
    let text = Text::new(Arc::clone(place), bytes).map_err(|problem| vec![problem])?;
    let root = text.parse().map_err(|problem| vec![problem])?;
    let mut reader = Reader::new(&text, variables, false, None);
    let mut expectations = Vec::new();
    let at = At { node: &root, path: Path::Root };
    match &root.value {
        Value::Array(items) => {
            let list = List::new(at.path);
            for (index, node) in items.iter().enumerate() {
                expectations.extend(reader.expectation(At { node, path: Path::Index(&list, index) }));
            }
        }
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::Object(_) | Value::String(_) => {
            let expected = r#"a list, as in [{ "read": "/etc/shadow", "expect": "deny" }]"#;
            reader.problem(at, ProblemKind::WrongType { expected, found: root.value.kind() });
        }
    }
    if reader.problems.is_empty() { Ok(expectations) } else { Err(reader.problems) }
}

impl<'t> Reader<'t> {
    fn expectation(&mut self, at: At<'_, 't>) -> Option<Expectation> {
        const KEYS: [&str; 7] = ["connect", "exec", "expect", "listen", "read", "unix", "write"];
        let members = self.object(&at, &KEYS)?;
        let asked = self.asked(at, &members);
        let Some(expect) = members.find("expect") else {
            self.problem(at, ProblemKind::MissingKey { key: "expect" });
            return None;
        };
        let meanings = [Expected::Allow, Expected::Ask, Expected::Deny];
        let expected = self.choice(expect, &["allow", "ask", "deny"], &meanings)?;
        Some(Expectation { asked: asked?, expected, from: self.provenance(at) })
    }

    fn asked(&mut self, at: At<'_, 't>, members: &Members<'_, 't>) -> Option<Asked> {
        let mut given = OPERATIONS.iter().filter_map(|key| members.find(key).map(|value| (*key, value)));
        let (Some((key, value)), None) = (given.next(), given.next()) else {
            self.problem(at, ProblemKind::NotOneOf { keys: &OPERATIONS });
            return None;
        };
        Some(match key {
            "connect" => {
                let written = self.string(value)?;
                let parsed = Endpoint::parse(written);
                Asked::Connect(self.host(value, written, parsed)?.value)
            }
            "exec" => Asked::Execute(self.any_path(value)?),
            "listen" => Asked::Listen(self.listen(value)?.value),
            "read" => Asked::Read(self.any_path(value)?),
            "unix" => Asked::UnixConnect(self.any_path(value)?),
            _ => Asked::Write(self.any_path(value)?),
        })
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Deny => "deny",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Vec<Expectation>, Vec<String>> {
        let variables =
            Variables::new(AbsPath::root().join(b"srv"), 1000, |name| (name == "HOME").then(|| b"/me".into()));
        read_expectations(&Arc::from("p.test.json"), text, &variables)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn each_operation_is_understood_with_its_place() {
        let text = br#"[
            { "read": "~/.ssh/id_rsa", "expect": "deny" },
            { "expect": "allow", "write": "$WORKDIR/[id]/x" },
            { "exec": "/bin/sh", "expect": "allow" },
            { "connect": "x.org:443", "expect": "ask" },
            { "unix": "/run/db.sock", "expect": "deny" },
            { "listen": 8080, "expect": "deny" },
            { "listen": "0.0.0.0:8080", "expect": "deny" }
        ]"#;
        let path = |text: &str| AbsPath::new(text.as_bytes()).unwrap();
        let all = read(text).unwrap();
        let asked: Vec<_> = all.iter().map(|one| (one.asked.clone(), one.expected)).collect();
        assert_eq!(
            asked,
            [
                (Asked::Read(path("/me/.ssh/id_rsa")), Expected::Deny),
                (Asked::Write(path("/srv/[id]/x")), Expected::Allow),
                (Asked::Execute(path("/bin/sh")), Expected::Allow),
                (Asked::Connect(Endpoint::parse("x.org:443").unwrap()), Expected::Ask),
                (Asked::UnixConnect(path("/run/db.sock")), Expected::Deny),
                (Asked::Listen(Listen::parse("8080").unwrap()), Expected::Deny),
                (Asked::Listen(Listen::parse("0.0.0.0:8080").unwrap()), Expected::Deny),
            ]
        );
        assert_eq!(format!("{} {}", all[1].from, all[1].from.json_path), "p.test.json:3:13 [1]");
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once_and_where() {
        let text = br#"[
            { "raed": "/a", "expect": "deny" },
            { "read": "/a", "write": "/a", "expect": "deny" },
            { "expect": "deny" },
            { "read": "a", "expect": "deny" },
            { "read": "/a" },
            { "read": "/a", "expect": "dney" },
            { "read": 1, "expect": "deny" },
            { "connect": "x.org", "expect": "deny" },
            { "read": "/a", "read": "/b", "expect": "deny" },
            { "read": "$NOTHING/a", "expect": "deny" },
            7
        ]"#;
        let problems = read(text).unwrap_err();
        let line = |problem: &String| problem.split(':').nth(1).unwrap().parse::<u32>().unwrap();
        let mut lines: Vec<_> = problems.iter().map(line).collect();
        lines.dedup();
        assert_eq!(lines, (2..=12).collect::<Vec<_>>(), "{problems:#?}");
        assert!(problems[0].contains("did you mean \"read\"?"), "{problems:#?}");
    }

    #[test]
    fn what_is_no_list_of_entries_is_refused() {
        for text in [&b""[..], b"{}", b"[", b"null", b"\xff", b"[[]]", b"[{}]", b"[null]"] {
            assert!(read(text).is_err(), "{}", String::from_utf8_lossy(text));
        }
        assert_eq!(read(b"[]"), Ok(Vec::new()));
    }
}
