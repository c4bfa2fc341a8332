//! Which logs are trusted, and whose cosignatures a checkpoint needs (C2SP `tlog-policy`).

mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

use super::checkpoint::{Checkpoint, CheckpointError};
use super::key::Verifier;
use super::note::{Note, NoteError};

pub use self::parse::{ParseError, Problem};

/// Logs, witnesses, and the quorum of witnesses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub logs: Vec<Log>,
    pub witnesses: Vec<Witness>,
    /// Witnesses and groups. A group's members stand before it.
    parties: Vec<Party>,
    /// Whose place in `parties` is the quorum's; `None` when nobody has to cosign.
    quorum: Option<usize>,
}

/// A log that is trusted. The key has the log's origin as its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    pub key: Verifier,
    pub url: Option<String>,
}

/// Somebody who may cosign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// As the policy calls it.
    pub name: String,
    pub key: Verifier,
    /// Where to send checkpoints, the submission prefix of C2SP `tlog-witness`.
    pub url: Option<String>,
}

/// Whose cosignatures a quorum may consist of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Party {
    /// The witness with this place among the witnesses.
    Witness(usize),
    /// As many of the members as `threshold` says, by their places among the parties.
    Group { threshold: usize, members: Vec<usize> },
}

/// A cosignature that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// As the policy calls the witness.
    pub witness: String,
    /// When it saw the checkpoint, in seconds since 1970.
    pub time: u64,
}

/// Why a checkpoint is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// The text that is signed is not of the form of a checkpoint.
    Malformed,
    /// Nobody whom the policy names has signed, or somebody has signed something else.
    Note(NoteError),
    /// It is of the log with this origin, which the policy does not name.
    Origin(String),
    /// The witnesses who have cosigned are too few, or not the right ones. How many did.
    Quorum(usize),
}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// The first line that is wrong, and why.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        parse::policy(bytes)
    }

    /// One log, and no witness is needed.
    pub fn of_log(key: Verifier) -> Self {
        Self { logs: vec![Log { key, url: None }], witnesses: Vec::new(), parties: Vec::new(), quorum: None }
    }

    /// The checkpoint of a note that is signed as this policy asks for, and the witnesses who have seen it. A known key with
    /// a signature that is not its own makes the whole note wrong.
    ///
    /// # Errors
    /// Why it is not.
    pub fn verify(&self, note: &Note) -> Result<(Checkpoint, Vec<Seen>), PolicyError> {
        let checkpoint = self.of_its_log(note)?;
        let signed = self.cosigned(note)?;
        let seen: Vec<Seen> = signed.iter().flatten().cloned().collect();
        if self.has_quorum(&signed) { Ok((checkpoint, seen)) } else { Err(PolicyError::Quorum(seen.len())) }
    }

    /// The checkpoint of a note that a log of this policy has signed, whoever else has.
    ///
    /// # Errors
    /// None of the logs has.
    pub fn of_its_log(&self, note: &Note) -> Result<Checkpoint, PolicyError> {
        let claimed = Checkpoint::parse(note.unverified_text()).ok_or(PolicyError::Malformed)?;
        let logs = self.logs.iter().map(|log| &log.key).filter(|key| key.name() == claimed.origin);
        let logs: Vec<Verifier> = logs.cloned().collect();
        if logs.is_empty() {
            return Err(PolicyError::Origin(claimed.origin));
        }
        Checkpoint::open(note, &claimed.origin, &logs).map_err(|error| match error {
            CheckpointError::Malformed => PolicyError::Malformed,
            CheckpointError::Note(error) => PolicyError::Note(error),
            CheckpointError::Origin(origin) => PolicyError::Origin(origin),
        })
    }

    /// What each witness has signed, in their order.
    fn cosigned(&self, note: &Note) -> Result<Vec<Option<Seen>>, PolicyError> {
        let of = |witness: &Witness| match note.verify(std::slice::from_ref(&witness.key)) {
            Ok(_) => {
                let by_it = |name: &str, id: u32| name == witness.key.name() && id == witness.key.id();
                let line = note.signatures().iter().find(|line| by_it(&line.name, line.id));
                // A cosignature begins with its time (C2SP `tlog-cosignature`).
                let time = line.and_then(|line| line.signature.first_chunk().map(|time| u64::from_be_bytes(*time)));
                Ok(time.map(|time| Seen { witness: witness.name.clone(), time }))
            }
            Err(NoteError::Unsigned) => Ok(None),
            Err(error @ (NoteError::Malformed | NoteError::WrongSignature(_))) => Err(PolicyError::Note(error)),
        };
        self.witnesses.iter().map(of).collect()
    }

    /// Whether those who have signed are a quorum. Groups come after their members, so one pass tells.
    fn has_quorum(&self, signed: &[Option<Seen>]) -> bool {
        let mut reached: Vec<bool> = Vec::with_capacity(self.parties.len());
        for party in &self.parties {
            let is_reached = match party {
                Party::Witness(place) => signed.get(*place).is_some_and(Option::is_some),
                Party::Group { threshold, members } => {
                    let count = members.iter().filter(|&&member| reached.get(member) == Some(&true)).count();
                    count >= *threshold
                }
            };
            reached.push(is_reached);
        }
        self.quorum.is_none_or(|quorum| reached.get(quorum) == Some(&true))
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => out.write_str("it is not a checkpoint"),
            Self::Note(error) => error.fmt(out),
            Self::Origin(origin) => write!(out, "it is of the log {origin}, which is not trusted here"),
            Self::Quorum(0) => out.write_str("no witness has cosigned it, and the policy asks for a quorum"),
            Self::Quorum(1) => out.write_str("the one witness who has cosigned it is not the quorum of the policy"),
            Self::Quorum(count) => {
                write!(out, "the {count} witnesses who have cosigned it are not the quorum of the policy")
            }
        }
    }
}
