//! `nono audit show`: a session's records for people.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde_json::Value;

use crate::audit::export::{Format, Row, Session};
use crate::audit::record::parse::Record;
use crate::audit::replay::Line;
use crate::cli::ShowLog;
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::note::Note;
use crate::profile::escape::escaped;
use crate::verbs::{NO, REFUSED, YES, print};

use super::verify::Fault;
use super::verify::lanes::replayed;
use super::{place, verify};

/// Bytes of a path or a reason that are shown.
const SHOWN: usize = 1024;
/// Bytes that are printed at once.
const AT_ONCE: usize = 1 << 16;

/// Prints the records that are asked for. Answers 0 when the log was read to its end, 1 when it is not what was written,
/// and 125 when it cannot be read.
pub(super) fn show(arguments: &ShowLog) -> u8 {
    let shown = place::session(&arguments.session).map_err(Fault::Unreadable);
    match shown.and_then(|directory| Shower::new(arguments, &directory).show(&directory)) {
        Ok(status) => status,
        Err(fault) => fault.said(),
    }
}

struct Shower<'a> {
    asked: &'a ShowLog,
    session: Session,
    text: String,
    count: u64,
    /// The status to end with, once nobody reads on or a record is wrong.
    ended: Option<u8>,
}

impl<'a> Shower<'a> {
    fn new(asked: &'a ShowLog, directory: &Path) -> Self {
        Self { asked, session: Session::new(&verify::id(directory)), text: String::new(), count: 0, ended: None }
    }

    fn show(mut self, directory: &Path) -> Result<u8, Fault> {
        // Who signed it is for `nono audit verify`; that it fits is looked at on the way.
        let note = place::checkpoint(directory).map_err(Fault::Unreadable)?.and_then(|note| Note::parse(&note).ok());
        let signed = note.and_then(|note| Checkpoint::parse(note.unverified_text()));
        let outcome = replayed(directory, signed, |line| self.take(line));
        if self.asked.json {
            self.text += if self.count == 0 { "[]\n" } else { "\n]\n" };
        }
        self.flush();
        let torn = outcome?.torn.len();
        if torn > 0 {
            print::say(&format!("the last {torn} bytes of the log are no whole record and were left out"));
        }
        Ok(self.ended.unwrap_or(YES))
    }

    fn take(&mut self, line: Line<'_>) {
        if self.ended.is_some() {
            return;
        }
        let record = match Record::parse(line.text) {
            Ok(record) => record,
            Err(error) => {
                print::say(&format!("TAMPERED: record {}: {error}", line.index));
                self.ended = Some(NO);
                return;
            }
        };
        self.session.learn(&record);
        if !wanted(self.asked, &record) {
            return;
        }
        if self.asked.json {
            self.text += if self.count == 0 { "[\n" } else { ",\n" };
            self.text += &Row { session: &self.session, record: &record, leaf: line.leaf }.text(Format::Json);
        } else {
            self.text += &sentence(&record);
        }
        self.count = self.count.saturating_add(1);
        if self.text.len() > AT_ONCE {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if let Err(status) = print::part(&std::mem::take(&mut self.text)) {
            self.ended.get_or_insert(if status == YES { YES } else { REFUSED });
        }
    }
}

/// Whether the flags let a record through.
fn wanted(asked: &ShowLog, record: &Record) -> bool {
    let operation = |asked: &String| {
        let rest = record.operation.strip_prefix(asked.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let beneath = |asked: &OsString| {
        let is_it = |name: &str| record.bytes(name).is_some_and(|path| is_beneath(&path, asked.as_bytes()));
        is_it("target") || is_it("to")
    };
    (!asked.denied || record.disposition.is_refusal())
        && asked.operation.as_ref().is_none_or(operation)
        && asked.path.as_ref().is_none_or(beneath)
}

/// Whether `path` is `directory` or lies beneath it.
fn is_beneath(path: &[u8], directory: &[u8]) -> bool {
    let directory = directory.strip_suffix(b"/").unwrap_or(directory);
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// A record on one line, whatever is in it.
fn sentence(record: &Record) -> String {
    let time = record.timestamp.text();
    let time = String::from_utf8_lossy(time.get(11..23).unwrap_or_default()).into_owned();
    let shown = |name: &str| record.bytes(name).map(|bytes| escaped(&bytes, SHOWN));
    let (operation, target) = (escaped(record.operation.as_bytes(), SHOWN), shown("target").unwrap_or_default());
    let mut out = format!("{:>6} {time} {:<10} {operation} {target}", record.index, record.disposition.name());
    for (name, before) in [("to", " -> "), ("command", ": "), ("rule", "  ["), ("reason", "  ("), ("approver", "  by ")]
    {
        let Some(value) = shown(name) else { continue };
        out += before;
        out += &value;
        out += match name {
            "rule" => "]",
            "reason" => ")",
            _ => "",
        };
    }
    if let Some(executable) = record.text("process.executable") {
        let pid = record.field("process.pid").and_then(Value::as_u64).unwrap_or(0);
        out += &format!("  {}[{pid}]", escaped(executable.as_bytes(), SHOWN));
    }
    if let Some(status) = record.field("exit_status").and_then(Value::as_u64) {
        out += &format!("  exit {status}");
    }
    if record.count() > 1 {
        out += &format!("  {} times", record.count());
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_itself_and_what_lies_beneath_it() {
        for (path, directory, expected) in
            [("/a/b", "/a", true), ("/a", "/a/", true), ("/ab", "/a", false), ("/a", "/", true), ("/b", "/a", false)]
        {
            assert_eq!(is_beneath(path.as_bytes(), directory.as_bytes()), expected, "{path} {directory}");
        }
    }

    #[test]
    fn a_record_is_one_line_whatever_is_in_it() {
        let line = br#"{"index":1,"timestamp":"2026-01-31T10:11:12.5Z","operation":"fs.read","target":"/a\n\u001b[2J\u202e","disposition":"denied","process":{"pid":7,"executable":"/x\ny"},"repeats":3}"#;
        let text = sentence(&Record::parse(line).unwrap());
        assert_eq!(text.matches('\n').count(), 1);
        assert!(text.bytes().all(|byte| byte == b'\n' || (0x20..0x7f).contains(&byte)), "{text}");
        assert!(text.starts_with("     1 10:11:12.500 denied ") && text.ends_with("  3 times\n"), "{text}");
    }
}
