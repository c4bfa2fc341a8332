//! A question as text: one fact a line, nothing in it that a terminal would obey.

use core::net::IpAddr;
use std::fmt::Write as _;

use crate::approval::{AskedOperation, Object, Question, Scope, Subject};
use crate::plan::Access;
use crate::profile::escape::escaped;

/// How many characters of the object's path are shown; beyond that the middle is left out.
const LONGEST_OBJECT: usize = 1000;
/// The same for everything that only explains.
const LONGEST_FACT: usize = 300;
/// Addresses of a host that are shown.
const MOST_ADDRESSES: usize = 8;
/// Where the facts begin, so that no continued line looks like a fact of its own.
const INDENT: usize = 13;

/// The parts of a question. Each ends with a newline, apart from `request`, where the answer is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    pub heading: String,
    pub facts: String,
    pub choices: String,
    pub request: String,
}

/// Writes a question that may be answered for `seconds` more, for a terminal of `columns`.
pub fn prompt(question: &Question, seconds: u64, columns: usize) -> Prompt {
    let process = &question.process;
    let mut facts = Facts { text: String::new(), columns };
    match &process.executable {
        Some(path) => facts.add("program", &escaped(path.as_bytes(), LONGEST_FACT)),
        None => facts.add("program", "unknown"),
    }
    facts.add("process", &format!("{}, started by process {}", process.pid, process.parent));
    if let Some(path) = &process.directory {
        facts.add("in", &escaped(path.as_bytes(), LONGEST_FACT));
    }
    facts.add("wants to", &wish(&question.operation));
    match &question.object {
        Subject::File(object) => facts.add_file(object, question.operation.makes()),
        Subject::Host(host) => {
            facts.add("host", &escaped(host.to_string().as_bytes(), LONGEST_OBJECT));
            facts.add("address", &addresses(&host.addresses));
        }
    }
    facts.add("because", &escaped(question.reason.as_bytes(), LONGEST_FACT));
    facts.add("profile", &escaped(question.profile.as_bytes(), LONGEST_FACT));
    facts.add("time left", &format!("{seconds} s"));
    let facts = facts.text;
    let mut choices = Facts { text: String::new(), columns };
    let mut letters = String::new();
    for scope in question.offered() {
        let (letter, words) = choice(scope, question);
        choices.add(letter, &words);
        letters.push_str(letter);
        letters.push('/');
    }
    choices.add("n", "no; so is Enter alone");
    Prompt {
        heading: "nono asks: allow this?\n".to_owned(),
        facts,
        choices: choices.text,
        request: format!("allow? [{letters}N] "),
    }
}

/// The first, which the connection goes to, and as many of the others as a reader takes in.
fn addresses(all: &[IpAddr]) -> String {
    let shown: Vec<String> = all.iter().take(MOST_ADDRESSES).map(IpAddr::to_string).collect();
    match all.len().saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{}, and {more} more", shown.join(", ")),
    }
}

/// Lines of a label and a fact.
struct Facts {
    text: String,
    columns: usize,
}

impl Facts {
    fn add_file(&mut self, object: &Object, is_made: bool) {
        self.add("path", &escaped(object.real.as_bytes(), LONGEST_OBJECT));
        if is_made {
            self.add("", "(nothing is there yet)");
        }
        if let Some(typed) = &object.typed {
            self.add("written as", &escaped(typed, LONGEST_FACT));
        }
    }

    /// Adds a fact, on as many lines as it needs. `fact` is escaped already.
    fn add(&mut self, label: &str, fact: &str) {
        let _ = write!(self.text, "  {label:<width$}", width = INDENT - 2);
        // Some terminals keep the last column for a cursor that waits to wrap.
        let room = self.columns.saturating_sub(INDENT + 1).max(16);
        let mut used: usize = 0;
        for character in fact.chars() {
            // A character that is not ASCII may take two columns. Too short a line does no harm.
            let width = if character.is_ascii() { 1 } else { 2 };
            used = used.saturating_add(width);
            if used > room {
                let _ = write!(self.text, "\n{:INDENT$}", "");
                used = width;
            }
            self.text.push(character);
        }
        self.text.push('\n');
    }
}

fn wish(operation: &AskedOperation) -> String {
    let words = match operation {
        AskedOperation::Change(change) => return change.to_string(),
        AskedOperation::Connect => "connect to the host",
        AskedOperation::ConnectUnix => "connect to the socket",
        AskedOperation::Open(Access { read, write, execute }) => match (read, write, execute) {
            (false, false, false) => "open, without reading or writing",
            (false, false, true) => "execute",
            (false, true, false) => "write",
            (false, true, true) => "write and execute",
            (true, false, false) => "read",
            (true, false, true) => "read and execute",
            (true, true, false) => "read and write",
            (true, true, true) => "read, write and execute",
        },
    };
    words.to_owned()
}

/// The letter that chooses a scope, and what it means for this question.
fn choice(scope: Scope, question: &Question) -> (&'static str, String) {
    match scope {
        Scope::Directory => {
            let shown = question.directory().map(|path| escaped(path.as_bytes(), LONGEST_OBJECT)).unwrap_or_default();
            ("d", format!("yes, and so for everything beneath {shown} in this session"))
        }
        Scope::Object => match question.object {
            Subject::File(Object { identity: None, .. }) => {
                ("o", "yes, and so for this path in this session".to_owned())
            }
            Subject::File(_) => ("o", "yes, and so for this object in this session".to_owned()),
            Subject::Host(_) => ("o", "yes, and so for this host and port in this session".to_owned()),
        },
        Scope::Once => ("y", "yes, once".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approval::{Change, Host, Process};
    use crate::profile::abs_path::AbsPath;
    use crate::profile::host::Target;

    fn path(bytes: &[u8]) -> AbsPath {
        AbsPath::new(bytes).unwrap()
    }

    fn object(real: AbsPath, typed: Option<&[u8]>, identity: Option<(u64, u64)>) -> Object {
        Object { real, typed: typed.map(<[u8]>::to_vec), identity }
    }

    fn question(real: &[u8], typed: Option<&[u8]>) -> Question {
        Question {
            operation: AskedOperation::Open(Access { read: true, write: true, execute: false }),
            object: Subject::File(object(path(real), typed, Some((1, 2)))),
            process: Process {
                pid: 4242,
                parent: 4240,
                executable: Some(path(b"/usr/bin/cat")),
                directory: Some(path(b"/srv/project")),
                user: 1000,
            },
            reason: "no rule covers it".to_owned(),
            profile: "default".to_owned(),
        }
    }

    fn whole(question: &Question, columns: usize) -> String {
        let Prompt { heading, facts, choices, request } = prompt(question, 30, columns);
        [heading, facts, choices, request].concat()
    }

    #[test]
    fn a_plain_question_has_a_line_for_each_fact() {
        let asked = question(b"/srv/keys/token", Some(b"../keys/token"));
        let expected = "\
nono asks: allow this?
  program    /usr/bin/cat
  process    4242, started by process 4240
  in         /srv/project
  wants to   read and write
  path       /srv/keys/token
  written as ../keys/token
  because    no rule covers it
  profile    default
  time left  30 s
  y          yes, once
  o          yes, and so for this object in this session
  d          yes, and so for everything beneath /srv/keys in this session
  n          no; so is Enter alone
allow? [y/o/d/N] ";
        assert_eq!(whole(&asked, 80), expected);
    }

    #[test]
    fn a_host_is_shown_with_its_addresses_as_far_as_a_reader_takes_them_in() {
        let text = |count: u8| {
            let addresses = (1..=count).map(|last| IpAddr::from([93, 184, 215, last])).collect();
            let target = Target::Name("other.example.org".to_owned());
            let object = Subject::Host(Host { target, port: 443, udp: false, addresses });
            whole(&Question { operation: AskedOperation::Connect, object, ..question(b"/", None) }, 300)
        };
        assert!(text(2).contains("  host       other.example.org:443\n  address    93.184.215.1, 93.184.215.2\n"));
        assert!(text(30).contains("93.184.215.7, 93.184.215.8, and 22 more\n"));
    }

    #[test]
    fn a_hostile_name_stays_on_its_line_and_shows_what_it_hides() {
        let name = b"/srv/a\x1b[2J\x1b]8;;x\x07b\r\n? [y/N] y\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8bc\xff";
        let text = whole(&question(name, None), 200);
        let shown = r"  path       /srv/a\u{1b}[2J\u{1b}]8;;x\u{7}b\r\n? [y/N] y\u{202e}\u{2066}\u{200b}c\xff";
        assert!(text.lines().any(|line| line == shown), "{text}");
        assert!(!text.chars().any(|character| character.is_control() && character != '\n'), "{text:?}");
    }

    #[test]
    fn a_long_name_loses_its_middle_and_cannot_forge_a_line() {
        let name = [b"/srv/".as_slice(), "x  path /etc/motd ".repeat(600).as_bytes()].concat();
        for columns in [0, 20, 80, 500] {
            let text = whole(&question(&name, Some(&name)), columns);
            assert!(text.contains('…') && text.len() < 6000, "{}", text.len());
            let forged = text.lines().filter(|line| line.starts_with("  path ")).count();
            assert_eq!(forged, 1, "{text}");
            let longest = text.lines().filter(|line| line.starts_with("   ")).map(str::len).max().unwrap_or(0);
            assert!(longest <= columns.max(INDENT + 16 + 1) + '…'.len_utf8(), "{longest} bytes in {columns} columns");
        }
    }

    #[test]
    fn the_whole_of_the_root_is_never_offered() {
        for (name, scopes) in [("/", 2), ("/a", 2), ("/a/b", 3)] {
            assert_eq!(question(name.as_bytes(), None).offered().len(), scopes, "{name}");
        }
        let mut socket = question(b"/run/docker/socket", None);
        socket.operation = AskedOperation::ConnectUnix;
        assert_eq!(socket.offered(), [Scope::Once, Scope::Object]);
    }

    #[test]
    fn what_is_not_there_yet_and_who_is_not_known_is_said() {
        let mut asked = question(b"/srv/new", None);
        asked.object = Subject::File(object(asked.object.path().unwrap().clone(), None, None));
        asked.process.executable = None;
        asked.operation = AskedOperation::Change(Change::File(Access { write: true, ..Access::NONE }));
        let text = whole(&asked, 80);
        for line in ["  program    unknown", "             (nothing is there yet)", "  wants to   create and write"] {
            assert!(text.lines().any(|shown| shown.trim_end() == line), "{line:?} in\n{text}");
        }
    }

    #[test]
    fn a_change_is_named_and_nothing_is_said_to_be_missing_that_may_be_there() {
        let mut asked = question(b"/srv/a", None);
        asked.object = Subject::File(object(path(b"/srv/a"), None, None));
        asked.operation = AskedOperation::Change(Change::RenameTo(path(b"/srv/b\n")));
        let text = whole(&asked, 80);
        assert!(text.contains("  wants to   rename it to /srv/b\\n\n"), "{text}");
        assert!(!text.contains("nothing is there"), "{text}");
    }
}
