//! `nono audit show`: a session's records for people.

mod pager;
mod sentence;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use crate::audit::export::{Format, Row, Session};
use crate::audit::record::parse::Record;
use crate::audit::replay::{Line, Replay, Replayed};
use crate::cli::ShowLog;
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::note::Note;
use crate::verbs::{NO, REFUSED, YES, gather, print};

use self::pager::Paper;
use self::sentence::sentence;
use super::follow::Follow;
use super::verify::Fault;
use super::verify::lanes::replayed;
use super::{place, verify};

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
    /// The names of the file that is asked for.
    places: Vec<Vec<u8>>,
    session: Session,
    text: String,
    count: u64,
    paper: Paper,
    colours: bool,
    /// Whether the record has passed with which the session ends.
    over: bool,
    /// The status to end with, once nobody reads on or a record is wrong.
    ended: Option<u8>,
}

impl<'a> Shower<'a> {
    fn new(asked: &'a ShowLog, directory: &Path) -> Self {
        Self {
            asked,
            places: asked.path.as_deref().map(places).unwrap_or_default(),
            session: Session::new(&verify::id(directory)),
            text: String::new(),
            count: 0,
            paper: Paper::new(!(asked.no_pager || asked.follow || asked.json)),
            colours: pager::may_colour(),
            over: false,
            ended: None,
        }
    }

    fn show(mut self, directory: &Path) -> Result<u8, Fault> {
        // Who signed it is for `nono audit verify`; that it fits is looked at on the way.
        let note = place::checkpoint(directory).map_err(Fault::Unreadable)?.and_then(|note| Note::parse(&note).ok());
        let signed = note.and_then(|note| Checkpoint::parse(note.unverified_text()));
        let outcome = if self.asked.follow {
            self.follow(directory, signed)
        } else {
            replayed(directory, signed, |line| self.take(line))
        };
        if self.asked.json {
            self.text += if self.count == 0 { "[]\n" } else { "\n]\n" };
        }
        self.flush();
        let read = self.paper.end();
        let torn = outcome?.torn.len();
        if torn > 0 {
            print::say(&format!("the last {torn} bytes of the log are no whole record and were left out"));
        }
        Ok(self.ended.or_else(|| read.err()).unwrap_or(YES))
    }

    /// Prints records as they are written, until the session is over.
    fn follow(&mut self, directory: &Path, signed: Option<Checkpoint>) -> Result<Replayed, Fault> {
        let mut follow = Follow::open(directory, true).map_err(Fault::Unreadable)?;
        let mut replay = Replay::new(signed);
        let name = verify::id(directory);
        let tampered = |why: &dyn std::fmt::Display| Fault::Tampered(format!("{name}: {why}"));
        loop {
            let read = follow.next(self.over || self.ended.is_some());
            match read.map_err(|error| Fault::Unreadable(format!("{name} cannot be read: {error}")))? {
                Some(bytes) => replay.feed(bytes, |line| self.take(line)).map_err(|error| tampered(&error))?,
                None => break,
            }
            self.flush();
        }
        if !self.over && self.ended.is_none() {
            print::say("the supervisor of this session was killed: nothing more comes");
        }
        replay.finish().map_err(|error| tampered(&error))
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
        self.over |= matches!(record.operation.as_str(), "session.end" | "log.recovered");
        if !wanted(self.asked, &self.places, &record) {
            return;
        }
        if self.asked.json {
            self.text += if self.count == 0 { "[\n" } else { ",\n" };
            self.text += &Row { session: &self.session, record: &record, leaf: line.leaf }.text(Format::Json);
        } else {
            self.text += &sentence(&record, self.colours);
        }
        self.count = self.count.saturating_add(1);
        if self.text.len() > AT_ONCE {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if let Err(status) = self.paper.write(&std::mem::take(&mut self.text)) {
            self.ended.get_or_insert(if status == YES { YES } else { REFUSED });
        }
    }
}

/// Whether the flags let a record through.
fn wanted(asked: &ShowLog, places: &[Vec<u8>], record: &Record) -> bool {
    let operation = |asked: &String| {
        let rest = record.operation.strip_prefix(asked.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let beneath = |place: &Vec<u8>| {
        let is_it = |name: &str| record.bytes(name).is_some_and(|path| is_beneath(&path, place));
        is_it("target") || is_it("to")
    };
    (!asked.denied || record.disposition.is_refusal())
        && asked.operation.as_ref().is_none_or(operation)
        && (asked.path.is_none() || places.iter().any(beneath))
}

/// What `given` may be called in records: as it was given, from the working directory, and what it leads to.
fn places(given: &OsStr) -> Vec<Vec<u8>> {
    let mut all = vec![given.as_bytes().to_vec()];
    all.extend(gather::workdir(None).map(|here| here.join_or_absolute(given.as_bytes()).as_bytes().to_vec()));
    all.extend(fs::canonicalize(given).map(|real| real.into_os_string().into_vec()));
    all
}

/// Whether `path` is `directory` or lies beneath it.
fn is_beneath(path: &[u8], directory: &[u8]) -> bool {
    let directory = directory.strip_suffix(b"/").unwrap_or(directory);
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
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
}
