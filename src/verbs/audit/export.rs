//! `nono audit export`: a session's records in the languages of other systems.

use std::path::Path;

use crate::audit::export::{Format, Row, Session};
use crate::audit::record::parse::Record;
use crate::audit::replay::{Line, Replay};
use crate::cli::{Export, ExportFormat};
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::note::Note;
use crate::verbs::{NO, REFUSED, YES, print};

use super::follow::Follow;
use super::{place, shown};

/// Prints a row for each record. Answers 0 when there was one for every record, 1 at the first line that is not what was
/// written, and 125 when the log cannot be read.
pub(super) fn export(arguments: &Export) -> u8 {
    let opened = place::session(&arguments.session).and_then(|directory| Exporter::new(&directory, arguments));
    match opened {
        Ok((exporter, follow)) => exporter.run(follow).unwrap_or_else(|status| status),
        Err(sentence) => {
            print::say(&sentence);
            REFUSED
        }
    }
}

struct Exporter {
    name: String,
    format: Format,
    session: Session,
    replay: Replay,
    /// Whether a record has passed that ends a session, or that was added after it was killed.
    ended: bool,
}

impl Exporter {
    fn new(directory: &Path, arguments: &Export) -> Result<(Self, Follow), String> {
        let follow = Follow::open(directory, arguments.follow)?;
        let id = directory.file_name().unwrap_or(directory.as_os_str());
        // Who signed it is for `nono audit verify`; that it fits is looked at on the way.
        let note = place::checkpoint(directory)?.and_then(|note| Note::parse(&note).ok());
        let signed = note.and_then(|note| Checkpoint::parse(note.unverified_text()));
        let exporter = Self {
            name: shown(directory.as_os_str()),
            format: match arguments.format {
                Some(ExportFormat::Cef) => Format::Cef,
                Some(ExportFormat::Ecs) => Format::Ecs,
                Some(ExportFormat::Json) | None => Format::Json,
                Some(ExportFormat::Ocsf) => Format::Ocsf,
            },
            session: Session::new(&shown(id)),
            replay: Replay::new(signed),
            ended: false,
        };
        Ok((exporter, follow))
    }

    fn run(mut self, mut follow: Follow) -> Result<u8, u8> {
        loop {
            let read = follow.next(self.ended).map_err(|error| {
                print::say(&format!("{} cannot be read: {error}", self.name));
                REFUSED
            })?;
            match read {
                Some(bytes) => self.rows(bytes)?,
                None => return self.finish(),
            }
        }
    }

    /// Prints the rows of the lines that `bytes` complete.
    fn rows(&mut self, bytes: &[u8]) -> Result<(), u8> {
        let (session, format, ended) = (&mut self.session, self.format, &mut self.ended);
        let mut rows = String::new();
        let mut wrong = None;
        let each = |line: Line<'_>| match Record::parse(line.text) {
            Ok(record) if wrong.is_none() => {
                session.learn(&record);
                *ended |= matches!(record.operation.as_str(), "session.end" | "log.recovered");
                rows.push_str(&Row { session, record: &record, leaf: line.leaf }.text(format));
                rows.push('\n');
            }
            Ok(_) => {}
            Err(error) => {
                wrong.get_or_insert((line.index, error));
            }
        };
        let fed = self.replay.feed(bytes, each);
        print::part(&rows)?;
        if let Some((index, error)) = wrong {
            return Err(self.tampered(&format!("line {index} is no record: {error}")));
        }
        fed.map_err(|tampered| self.tampered(&tampered.to_string()))
    }

    fn finish(self) -> Result<u8, u8> {
        let name = self.name.clone();
        match self.replay.finish() {
            Ok(done) if done.torn.is_empty() => Ok(YES),
            Ok(done) => {
                let bytes = done.torn.len();
                print::say(&format!("the last {bytes} bytes of {name} are no whole record and were left out"));
                Ok(YES)
            }
            Err(tampered) => {
                print::say(&format!("{name} is not what was written: {tampered}"));
                Err(NO)
            }
        }
    }

    fn tampered(&self, why: &str) -> u8 {
        print::say(&format!("{} is not what was written: {why}; nothing behind that was printed", self.name));
        NO
    }
}
