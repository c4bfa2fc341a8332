//! What was refused, at the end of a run: for people on standard error, for programs as one document in a file.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::SIGNALLED;
use crate::profile::escape::escaped;
use crate::supervisor::{Ended, Refused};
use crate::verbs::print;

/// Refusals that are listed at the end of a run.
const MOST_ACCOUNTED: usize = 5;

/// A file for the document, open from before the start: what the program does to names meanwhile leads nowhere else.
#[derive(Debug)]
pub(super) struct Document {
    file: File,
    path: PathBuf,
}

impl Document {
    /// Makes the file, or empties it.
    ///
    /// # Errors
    /// A sentence with the system's words.
    pub(super) fn begin(path: PathBuf) -> Result<Self, String> {
        match File::create(&path) {
            Ok(file) => Ok(Self { file, path }),
            Err(error) => Err(format!("the file of --json, {}, cannot be written: {}", shown(&path), words(&error))),
        }
    }

    /// Writes the document. Everything that ran inside is gone.
    pub(super) fn finish(mut self, profile: &str, ended: &Ended, status: u8, refusals: &[Refused]) {
        let text = format!("{:#}\n", document(profile, ended, status, refusals));
        // A pipe or a terminal has no place to go back to.
        let _ = self.file.set_len(0).and_then(|()| self.file.rewind());
        if let Err(error) = self.file.write_all(text.as_bytes()) {
            print::say(&format!("the account could not be written to {}: {}", shown(&self.path), words(&error)));
        }
    }
}

/// Says what was refused, the most frequent first.
pub(super) fn say(refusals: &[Refused], verbose: bool) {
    let most = if verbose { usize::MAX } else { MOST_ACCOUNTED };
    refusals.iter().take(most).for_each(|refused| print::say(&line(refused)));
    let more = refusals.len().saturating_sub(most);
    if more > 0 {
        let things = if more == 1 { "thing" } else { "things" };
        print::say(&format!("refused as well: {more} other {things} (-v lists them)"));
    }
}

fn line(refused: &Refused) -> String {
    let times = if refused.times == 1 { String::new() } else { format!(" {} times", refused.times) };
    let change = match &refused.change {
        Some(change) => format!("; to allow it: {change}"),
        None => String::new(),
    };
    format!("refused{times}: {}: {}{change}", refused.operation, refused.reason)
}

fn document(profile: &str, ended: &Ended, status: u8, refusals: &[Refused]) -> Value {
    let (how, signal) = match ended {
        Ended::Exited(_) => ("exited", None),
        Ended::Killed(signal) => ("killed", Some(signal.0)),
        Ended::KeeperLost => ("supervisor-lost", None),
        Ended::LogLost => ("log-lost", None),
        Ended::NoLog | Ended::NotStarted(_) => ("not-started", None),
    };
    json!({
        "profile": profile,
        "ended": how,
        "signal": signal,
        "status": status,
        "refused": refusals.iter().map(refused_as_json).collect::<Vec<_>>(),
    })
}

fn refused_as_json(refused: &Refused) -> Value {
    let path = refused.path.as_deref();
    let text = path.map(|bytes| std::str::from_utf8(bytes).ok());
    json!({
        "operation": refused.operation,
        // Exactly, where it is text. Any other name is in base64 alone.
        "path": text.flatten(),
        "path_b64": path.filter(|_| text == Some(None)).map(|bytes| STANDARD.encode(bytes)),
        "reason": refused.reason,
        "change": refused.change,
        "times": refused.times,
    })
}

/// The exit status of a program that ended.
pub(super) fn status(ended: &Ended) -> Option<u8> {
    match ended {
        Ended::Exited(status) => Some(*status),
        Ended::Killed(signal) => Some(SIGNALLED.saturating_add(u8::try_from(signal.0).unwrap_or(0))),
        Ended::KeeperLost | Ended::LogLost | Ended::NoLog | Ended::NotStarted(_) => None,
    }
}

fn shown(path: &std::path::Path) -> String {
    escaped(path.as_os_str().as_encoded_bytes(), 400)
}

/// What the system calls the error.
fn words(error: &std::io::Error) -> String {
    let text = error.to_string();
    // std appends ` (os error N)`, which says nothing to a user.
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
