//! What a host's log says about its sessions.

use std::collections::BTreeMap;

use crate::audit::record::parse::Record;
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::note::Note;

/// The sessions of a host. Memory grows with their number and not with their length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The only session that is looked for; every one when `None`.
    only: Option<String>,
    sessions: BTreeMap<String, Known>,
}

/// What the log says about one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The key that the session signs with, a `vkey` of C2SP `signed-note`.
    pub key: String,
    pub end: End,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It ended by itself, with this checkpoint; `index` is the record that says so.
    Closed { checkpoint: Checkpoint, index: u64 },
    /// Its log was found changed, or gone.
    Damaged(String),
    /// Nothing is said about its end.
    Open,
    /// Its supervisor was killed, and what was there was signed with the host's key.
    Recovered { checkpoint: Checkpoint, index: u64 },
}

impl Ledger {
    /// An empty ledger that will remember `only`, or every session.
    pub fn new(only: Option<&str>) -> Self {
        Self { only: only.map(ToOwned::to_owned), sessions: BTreeMap::new() }
    }

    /// Takes in the next record.
    ///
    /// # Errors
    /// A sentence: it contradicts what came before, or is not of its form.
    pub fn learn(&mut self, record: &Record) -> Result<(), String> {
        let id = &record.target;
        if self.only.as_ref().is_some_and(|only| only != id) {
            return Ok(());
        }
        let (index, operation) = (record.index, record.operation.as_str());
        if operation == "session.opened" {
            let key = record.text("key").ok_or_else(|| format!("record {index} names no key"))?.to_owned();
            let before = self.sessions.insert(id.clone(), Known { key, end: End::Open });
            return if before.is_some() { Err(format!("record {index} begins a session again")) } else { Ok(()) };
        }
        let end = match operation {
            "session.closed" => End::Closed { checkpoint: named(record)?, index },
            "session.recovered" => End::Recovered { checkpoint: named(record)?, index },
            "session.damaged" => End::Damaged(record.text("reason").unwrap_or("no reason is given").to_owned()),
            _ => return Ok(()),
        };
        match self.sessions.get_mut(id) {
            Some(known) if known.end == End::Open => known.end = end,
            // What was found damaged once stays so.
            Some(known) if matches!(known.end, End::Damaged(_)) => {}
            Some(_) => return Err(format!("record {index} ends a session again")),
            // It died before its key was in this log.
            None => {
                self.sessions.insert(id.clone(), Known { key: String::new(), end });
            }
        }
        Ok(())
    }

    /// What is said about session `id`.
    pub fn of(&self, id: &str) -> Option<&Known> {
        self.sessions.get(id)
    }

    /// The ids of all sessions, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.sessions.keys().map(String::as_str)
    }
}

/// The checkpoint that a record names. The host vouches for it by its own signature over the record.
fn named(record: &Record) -> Result<Checkpoint, String> {
    let note = record.text("checkpoint").and_then(|note| Note::parse(note.as_bytes()).ok());
    let checkpoint = note.and_then(|note| Checkpoint::parse(note.unverified_text()));
    checkpoint.ok_or_else(|| format!("record {} names no checkpoint", record.index))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(operation: &str, index: u64, more: &str) -> Record {
        let line = format!(
            r#"{{"index":{index},"timestamp":"2026-01-31T00:00:00Z","operation":"{operation}","target":"s","disposition":"noted"{more}}}"#
        );
        Record::parse(line.as_bytes()).unwrap()
    }

    #[test]
    fn a_session_begins_and_ends_once() {
        let mut ledger = Ledger::new(None);
        let key = r#","key":"k""#;
        assert_eq!(ledger.learn(&record("session.opened", 0, key)), Ok(()));
        assert!(ledger.learn(&record("session.closed", 1, "")).is_err());
        assert_eq!(ledger.of("s"), Some(&Known { key: "k".into(), end: End::Open }));
        assert_eq!(ledger.learn(&record("session.damaged", 1, r#","reason":"gone""#)), Ok(()));
        assert!(ledger.learn(&record("session.opened", 2, key)).is_err());
        assert_eq!(ledger.ids().collect::<Vec<_>>(), ["s"]);
        let mut other = Ledger::new(Some("t"));
        assert_eq!((other.learn(&record("session.opened", 0, key)), other.of("s")), (Ok(()), None));
    }
}
