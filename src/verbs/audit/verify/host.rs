//! The host's log, verified once, with what it says about sessions.

use std::path::Path;

use crate::audit::log;
use crate::audit::record::parse::Record;
use crate::audit::replay::Line;
use crate::audit::replay::ledger::Ledger;
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::key::Verifier;
use crate::merkle::note::Note;
use crate::merkle::policy::Policy;
use crate::verbs::audit::{place, shown};
use crate::verbs::gather;

use super::Fault;
use super::lanes::replayed;

/// Where the last checkpoint is that witnesses have cosigned.
const COSIGNED: &str = "cosigned";

/// A host's log whose lines are those that were signed.
pub(in crate::verbs::audit) struct HostLog {
    pub(in crate::verbs::audit) key: Verifier,
    /// The signed checkpoint, with its signatures.
    pub(in crate::verbs::audit) note: Note,
    pub(in crate::verbs::audit) checkpoint: Checkpoint,
    pub(in crate::verbs::audit) ledger: Ledger,
    /// Records that a policy's quorum has seen; `None` where no policy asks for one.
    pub(super) seen: Option<u64>,
}

impl HostLog {
    /// Reads and verifies the log beneath `state`, and remembers what it says about `only`, or about every session.
    pub(in crate::verbs::audit) fn read(
        state: &Path,
        policy: Option<&Policy>,
        only: Option<&str>,
    ) -> Result<Self, Fault> {
        let directory = state.join("host-log");
        let name = shown(directory.as_os_str());
        // The checkpoint first: what is added meanwhile stands behind it.
        let note = place::checkpoint(&directory).map_err(Fault::Unreadable)?;
        let note = note.ok_or_else(|| Fault::Unproved(unsigned(&directory)))?;
        let note = Note::parse(&note).map_err(|error| Fault::Tampered(format!("{name}/checkpoint: {error}")))?;
        let key = key(state, policy, &note)?;
        let checkpoint = Checkpoint::open(&note, key.name(), std::slice::from_ref(&key));
        let checkpoint = checkpoint.map_err(|error| Fault::Tampered(format!("{name}/checkpoint: {error}")))?;
        let mut ledger = Ledger::new(only);
        let mut wrong = None;
        let learn = |line: Line<'_>| {
            let record = Record::parse(line.text).map_err(|error| format!("record {}: {error}", line.index));
            let learnt =
                record.and_then(|record| if line.index < checkpoint.size { ledger.learn(&record) } else { Ok(()) });
            if let Err(error) = learnt {
                wrong.get_or_insert(error);
            }
        };
        replayed(&directory, Some(checkpoint.clone()), learn)?;
        if let Some(why) = wrong {
            return Err(Fault::Tampered(format!("{name}: {why}")));
        }
        let seen = match policy {
            Some(policy) => Some(seen(&directory, policy, &note)?),
            None => None,
        };
        Ok(Self { key, note, checkpoint, ledger, seen })
    }
}

/// Why a log without a checkpoint proves nothing.
fn unsigned(directory: &Path) -> String {
    let name = shown(directory.as_os_str());
    if directory.exists() {
        format!("{name} has no checkpoint: nothing is signed there")
    } else {
        format!("{name} is not there: nothing was recorded yet, or all of it was removed")
    }
}

/// The host's key: the policy's for a log of this name, or the one that this host signs with.
fn key(state: &Path, policy: Option<&Policy>, note: &Note) -> Result<Verifier, Fault> {
    if let Some(policy) = policy {
        let origin = Checkpoint::parse(note.unverified_text()).map(|checkpoint| checkpoint.origin).unwrap_or_default();
        let found = policy.logs.iter().map(|log| &log.key).find(|key| key.name() == origin);
        return found
            .cloned()
            .ok_or_else(|| Fault::Unproved(format!("the policy names no log {}", shown(origin.as_ref()))));
    }
    let host = log::host::Host::existing(state, gather::user());
    match host.map_err(|error| Fault::Unreadable(error.to_string()))? {
        Some(host) => Ok(host.verifier()),
        None => Err(Fault::Unproved("the key of this host's log is gone; name it in a `--policy`".to_owned())),
    }
}

/// How many records of the log a quorum of `policy` has seen: those of the last checkpoint it accepts.
fn seen(directory: &Path, policy: &Policy, note: &Note) -> Result<u64, Fault> {
    let kept = match gather::read(&directory.join(COSIGNED)) {
        Ok(kept) => Note::parse(&kept).ok(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            return Err(Fault::Unreadable(format!("{}: {error}", shown(directory.join(COSIGNED).as_os_str()))));
        }
    };
    let accepted = policy.verify(note).or_else(|error| kept.map_or(Err(error), |kept| policy.verify(&kept)));
    let (checkpoint, _) = accepted.map_err(|error| {
        Fault::Unproved(format!(
            "the host's log is not accepted by the policy: {error}; `nono audit witness` asks for more"
        ))
    })?;
    let size = checkpoint.size;
    replayed(directory, Some(checkpoint), |_| {})?;
    Ok(size)
}
