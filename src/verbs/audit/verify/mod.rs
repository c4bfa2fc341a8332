//! `nono audit verify`: whether logs are what was written, and up to where that is proved.

pub(super) mod host;
pub(super) mod lanes;
pub(super) mod session;

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::VerifyLogs;
use crate::profile::escape::escaped;
use crate::verbs::{NO, REFUSED, YES, print};

use self::host::HostLog;
use self::session::{Proved, Standing};
use super::{place, shown};

/// Why something is not verified.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is not what was written.
    Tampered(String),
    /// Nothing says whether it is what was written.
    Unproved(String),
    /// It could not be looked at.
    Unreadable(String),
    /// What was asked for could not be written.
    Unwritable(String),
}

impl Fault {
    fn word(&self) -> &'static str {
        match self {
            Self::Tampered(_) => "tampered",
            Self::Unproved(_) => "unproved",
            Self::Unreadable(_) => "unreadable",
            Self::Unwritable(_) => "unwritable",
        }
    }

    fn why(&self) -> &str {
        match self {
            Self::Tampered(why) | Self::Unproved(why) | Self::Unreadable(why) | Self::Unwritable(why) => why,
        }
    }

    fn status(&self) -> u8 {
        match self {
            Self::Tampered(_) | Self::Unproved(_) => NO,
            Self::Unreadable(_) | Self::Unwritable(_) => REFUSED,
        }
    }

    /// Says it, and answers with the exit status.
    pub(super) fn said(&self) -> u8 {
        let word = if matches!(self, Self::Tampered(_)) { "TAMPERED" } else { self.word() };
        print::say(&format!("{word}: {}", self.why()));
        self.status()
    }
}

/// Prints what is proved. Answers 0 when every session is what was written, 1 when one is not or nothing of it is proved,
/// and 125 when something could not be read.
pub(super) fn verify(arguments: &VerifyLogs) -> u8 {
    match places(arguments) {
        Err(sentence) => {
            print::say(&sentence);
            REFUSED
        }
        Ok((state, one)) => verified(arguments, &state, one.as_deref()),
    }
}

fn verified(arguments: &VerifyLogs, state: &Path, one: Option<&Path>) -> u8 {
    let policy = match arguments.policy.as_deref().map(super::policy).transpose() {
        Ok(policy) => policy,
        Err(sentence) => return Fault::Unreadable(sentence).said(),
    };
    let only = one.map(id);
    let host = match HostLog::read(state, policy.as_ref(), only.as_deref()) {
        Ok(host) => host,
        Err(fault) if arguments.json => {
            let all = json!({ "host_log": { "verdict": fault.word(), "reason": fault.why() }, "sessions": [] });
            return print::json(&all).max(fault.status());
        }
        Err(fault) => return fault.said(),
    };
    let ids = only.map_or_else(|| all(state, &host), |id| Ok(BTreeSet::from([id])));
    let ids = match ids {
        Ok(ids) => ids,
        Err(fault) => return fault.said(),
    };
    let (mut worst, mut rows, mut text) = (YES, Vec::new(), String::new());
    for id in ids {
        let directory = one.map_or_else(|| place::sessions(state).join(&id), Path::to_owned);
        let outcome = session::verified(&directory, &id, &host);
        worst = worst.max(outcome.as_ref().map_or_else(Fault::status, |_| YES));
        text += &line(&id, &outcome);
        rows.push(row(&id, &outcome));
    }
    let printed = if arguments.json {
        let (size, origin) = (host.checkpoint.size, &host.checkpoint.origin);
        let log = json!({ "verdict": "verified", "origin": origin, "records": size, "seen_by_witnesses": host.seen });
        print::json(&json!({ "host_log": log, "sessions": rows }))
    } else {
        text += &format!("the host's log: all {} records, signed by {}\n", host.checkpoint.size, host.key);
        print::document(&text)
    };
    printed.max(worst)
}

/// The state directory, and the session's when one is named.
fn places(arguments: &VerifyLogs) -> Result<(PathBuf, Option<PathBuf>), String> {
    match &arguments.session {
        None => Ok((place::state()?, None)),
        Some(given) => place::session_and_state(given).map(|(session, state)| (state, Some(session))),
    }
}

/// The sessions that are there, and those that the host's log knows.
fn all(state: &Path, host: &HostLog) -> Result<BTreeSet<String>, Fault> {
    let sessions = place::sessions(state);
    let failed = |error: std::io::Error| Fault::Unreadable(format!("{}: {error}", shown(sessions.as_os_str())));
    let mut ids: BTreeSet<String> = host.ledger.ids().map(ToOwned::to_owned).collect();
    match fs::read_dir(&sessions) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        entries => {
            for entry in entries.map_err(failed)? {
                ids.insert(id(Path::new(&entry.map_err(failed)?.file_name())));
            }
        }
    }
    Ok(ids)
}

/// The id of the session in `directory`.
pub(super) fn id(directory: &Path) -> String {
    let name: OsString = directory.file_name().map(OsStr::to_owned).unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn line(id: &str, outcome: &Result<Proved, Fault>) -> String {
    let id = escaped(id.as_bytes(), 255);
    match outcome {
        Err(fault @ Fault::Tampered(why)) => {
            format!("{id}  {}: {}\n", fault.word().to_uppercase(), escaped(why.as_bytes(), 4096))
        }
        Err(fault) => format!("{id}  {}: {}\n", fault.word(), escaped(fault.why().as_bytes(), 4096)),
        Ok(proved) => format!("{id}  verified: {}\n", told(proved)),
    }
}

fn told(proved: &Proved) -> String {
    let Proved { records, signed, torn, standing } = proved;
    let behind = records.saturating_sub(*signed);
    match standing {
        Standing::Closed => format!("all {records} records"),
        Standing::Recovered(0) => format!("all {records} records; the supervisor was killed"),
        Standing::Recovered(late) => {
            format!(
                "all {records} records; the supervisor was killed, and the last {late} before the note of that were signed only afterwards"
            )
        }
        Standing::Running => format!("the first {signed} records; {behind} more are not signed yet, it still runs"),
        Standing::Killed => {
            format!(
                "the first {signed} records; {behind} more and {torn} bytes are not signed, the supervisor was killed"
            )
        }
    }
}

fn row(id: &str, outcome: &Result<Proved, Fault>) -> Value {
    match outcome {
        Err(fault) => json!({ "session": id, "verdict": fault.word(), "reason": fault.why() }),
        Ok(proved) => json!({
            "session": id,
            "verdict": "verified",
            "standing": match proved.standing {
                Standing::Closed => "closed",
                Standing::Killed => "killed",
                Standing::Recovered(_) => "recovered",
                Standing::Running => "running",
            },
            "records": proved.records,
            "proved_records": proved.signed,
            "signed_afterwards": match proved.standing { Standing::Recovered(late) => late, Standing::Closed | Standing::Killed | Standing::Running => 0 },
            "torn_bytes": proved.torn,
        }),
    }
}
