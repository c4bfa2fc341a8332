//! One session's log, against its own key and the host's log.

use std::io;
use std::path::{Path, PathBuf};

use crate::audit::log::host::session_origin;
use crate::audit::log::session::{self, CERTIFICATE, certified_key};
use crate::audit::record::parse::Record;
use crate::audit::replay::Line;
use crate::audit::replay::ledger::End;
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::key::Verifier;
use crate::merkle::note::Note;
use crate::verbs::audit::{place, shown};
use crate::verbs::gather;

use super::Fault;
use super::host::HostLog;
use super::lanes::looked_at;

/// What is signed about a session.
pub(in crate::verbs::audit) struct Evidence {
    directory: PathBuf,
    pub(in crate::verbs::audit) key: Verifier,
    /// The last checkpoint, with its signatures.
    pub(in crate::verbs::audit) note: Note,
    pub(in crate::verbs::audit) checkpoint: Checkpoint,
    pub(in crate::verbs::audit) end: End,
    running: bool,
}

/// What of a session is proved.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::verbs::audit) struct Proved {
    pub(super) records: u64,
    /// Of those, the first that are signed.
    pub(super) signed: u64,
    /// Bytes behind the last whole record.
    pub(super) torn: u64,
    pub(super) standing: Standing,
}

/// Why a session is proved as far as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::verbs::audit) enum Standing {
    Closed,
    Killed,
    /// This many records were signed only when the next session found them.
    Recovered(u64),
    Running,
}

impl Evidence {
    /// Reads what is signed about session `id`, and verifies the signatures.
    pub(in crate::verbs::audit) fn gather(directory: &Path, id: &str, host: &HostLog) -> Result<Self, Fault> {
        let known = host.ledger.of(id);
        if let Some(End::Damaged(why)) = known.map(|known| &known.end) {
            return Err(Fault::Tampered(format!("the host's log says that it was found damaged: {why}")));
        }
        if known.is_some() && !directory.join(place::EVENTS).exists() {
            return Err(Fault::Tampered("the host's log knows it, and its records are gone".to_owned()));
        }
        // A session that has just begun is signed into the host's log soon.
        let running = known.is_none_or(|known| known.end == End::Open) && session::is_running(directory);
        let note = place::checkpoint(directory).map_err(Fault::Unreadable)?;
        let (Some(known), Some(note)) = (known, &note) else {
            return Err(match (known.map(|known| &known.end), note) {
                (None, Some(_)) => Fault::Tampered("it is signed, and the host's log does not know it".to_owned()),
                (Some(End::Closed { .. } | End::Recovered { .. }), None) => {
                    Fault::Tampered("the host's log knows its checkpoint, and that is gone".to_owned())
                }
                _ if running => Fault::Unproved("it began just now, and nothing is signed yet".to_owned()),
                _ => Fault::Unproved("it was killed before anything was signed".to_owned()),
            });
        };
        let certified = certificate(directory)?.and_then(|note| certified_key(&note, id, &host.key));
        let key = match certified {
            // It died before the host's log knew its key, and all that is signed is signed by the host.
            None if known.key.is_empty() => Some(host.key.clone()),
            certified => certified.filter(|key| known.key.is_empty() || key.to_string() == known.key),
        };
        let key = key.ok_or_else(|| Fault::Tampered("its key is not the one that the host certified".to_owned()))?;
        let wrong = |why: &dyn std::fmt::Display| Fault::Tampered(format!("its checkpoint does not count: {why}"));
        let note = Note::parse(note).map_err(|error| wrong(&error))?;
        let keys = [key.clone(), host.key.clone()];
        let checkpoint = Checkpoint::open(&note, &session_origin(host.key.name(), id), &keys);
        let checkpoint = checkpoint.map_err(|error| wrong(&error))?;
        let named = match &known.end {
            End::Closed { checkpoint, .. } | End::Recovered { checkpoint, .. } => Some(checkpoint),
            End::Damaged(_) | End::Open => None,
        };
        if named.is_some_and(|named| *named != checkpoint) {
            return Err(wrong(&"the host's log names another"));
        }
        Ok(Self { directory: directory.to_owned(), key, note, checkpoint, end: known.end.clone(), running })
    }

    /// Goes through the records, shows each, and says what of them is proved.
    pub(in crate::verbs::audit) fn replay(&self, mut each: impl FnMut(Line<'_>)) -> Result<Proved, Fault> {
        let mut last = Vec::new();
        let (replayed, odd) = looked_at(&self.directory, Some(self.checkpoint.clone()), |line| {
            last.clear();
            last.extend_from_slice(line.text);
            each(line);
        })?;
        if let Some((index, error)) = odd {
            return Err(Fault::Tampered(format!("record {index}: {error}")));
        }
        // A session that was killed has a last record that says what was signed only afterwards.
        let last = Record::parse(&last).ok().filter(|record| record.operation == "log.recovered");
        let unsigned = last.and_then(|record| record.field("unsigned_records").and_then(serde_json::Value::as_u64));
        let unsigned = unsigned.unwrap_or(0);
        let (records, signed) = (replayed.tree.size(), replayed.signed);
        let torn = replayed.torn.len() as u64;
        let standing = match self.end {
            End::Closed { .. } => Standing::Closed,
            End::Recovered { .. } => Standing::Recovered(unsigned),
            End::Damaged(_) | End::Open if self.running => Standing::Running,
            End::Damaged(_) | End::Open => Standing::Killed,
        };
        if matches!(standing, Standing::Closed | Standing::Recovered(_)) && (records > signed || torn > 0) {
            return Err(Fault::Tampered(format!("something stands behind record {signed}, with which it ended")));
        }
        Ok(Proved { records, signed, torn, standing })
    }

    /// The record of the host's log that says how the session ended.
    pub(in crate::verbs::audit) fn ended_at(&self) -> Option<u64> {
        match self.end {
            End::Closed { index, .. } | End::Recovered { index, .. } => Some(index),
            End::Damaged(_) | End::Open => None,
        }
    }
}

/// Verifies session `id`.
pub(super) fn verified(directory: &Path, id: &str, host: &HostLog) -> Result<Proved, Fault> {
    let evidence = Evidence::gather(directory, id, host)?;
    let proved = evidence.replay(|_| {})?;
    if evidence.ended_at().zip(host.seen).is_some_and(|(index, seen)| index >= seen) {
        let why = "the policy's witnesses have not seen its end; `nono audit witness` asks them";
        return Err(Fault::Unproved(why.to_owned()));
    }
    Ok(proved)
}

fn certificate(directory: &Path) -> Result<Option<Vec<u8>>, Fault> {
    let path = directory.join(CERTIFICATE);
    match gather::read(&path) {
        Ok(note) => Ok(Some(note)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Fault::Unreadable(format!("{} cannot be read: {error}", shown(path.as_os_str())))),
    }
}
