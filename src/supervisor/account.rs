//! What was refused during a run, for the account at its end.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::sync::{Mutex, PoisonError};

use syscalls::file;

use crate::approval::{AskedOperation, Question};
use crate::plan::explain::Explanation;

/// Different refusals that are kept apart; past these only their number is known.
const MOST_KINDS: usize = 1000;

/// Refusals, each kind once with how often it happened.
#[derive(Debug, Default)]
pub struct Account(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    refusals: BTreeMap<String, Refused>,
    beyond: u64,
}

/// One kind of refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What was tried and why it was refused.
    pub operation: String,
    pub reason: String,
    /// What would allow it; `None` when nothing may.
    pub change: Option<String>,
    pub times: u64,
}

impl Account {
    /// Counts a refusal.
    pub(super) fn denied(&self, explanation: impl FnOnce() -> Explanation) {
        let Explanation { operation, reason, change, .. } = explanation();
        self.count(operation, reason, change);
    }

    /// Counts a question that got no yes, and why.
    pub(super) fn refused(&self, question: &Question, why: String) {
        let what = match question.operation {
            AskedOperation::Change => "change",
            AskedOperation::ConnectUnix => "connect to the socket",
            AskedOperation::Execute => "execute",
            AskedOperation::Open(access) => match (access.read, access.write) {
                (true, true) => "read and write",
                (false, true) => "write",
                (_, false) => "read",
            },
        };
        self.count(format!("{what} {}", question.object.real), why, None);
    }

    fn count(&self, operation: String, reason: String, change: Option<String>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.refusals.get_mut(&operation) {
            known.times = known.times.saturating_add(1);
        } else if kept.refusals.len() < MOST_KINDS {
            kept.refusals.insert(operation.clone(), Refused { operation, reason, change, times: 1 });
        } else {
            kept.beyond = kept.beyond.saturating_add(1);
        }
    }

    /// Every kind, the most frequent first, and how many refusals were past the most that are kept apart.
    pub fn refusals(&self) -> (Vec<Refused>, u64) {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<Refused> = kept.refusals.values().cloned().collect();
        all.sort_by(|a, b| b.times.cmp(&a.times).then_with(|| a.operation.cmp(&b.operation)));
        (all, kept.beyond)
    }
}

/// Bytes that one refusal's texts may have in the pipe to the front, and how many refusals are told.
const LONGEST_TEXT: usize = 1000;
const MOST_TOLD: usize = 20;

impl Account {
    /// Tells the front the most frequent refusals, in less than a pipe holds.
    pub(super) fn send(&self, to: BorrowedFd<'_>) {
        let (refusals, beyond) = self.refusals();
        let more = refusals.iter().skip(MOST_TOLD).fold(beyond, |sum, refused| sum.saturating_add(refused.times));
        let mut text = String::new();
        for refused in refusals.into_iter().take(MOST_TOLD) {
            let change = refused.change.unwrap_or_default();
            let line = [&refused.times.to_string(), &refused.operation, &refused.reason, &change];
            text.push_str(&line.map(|field| field_text(field)).join("\t"));
            text.push('\n');
        }
        if more > 0 {
            text.push_str(&format!("{more}\tother calls\tthe most frequent refusals are listed\t\n"));
        }
        // Whoever reads is gone when this fails, and then there is nobody to tell.
        let _ = file::write(to, text.as_bytes());
    }
}

/// What [`Account::send`] told.
pub(super) fn receive(from: BorrowedFd<'_>) -> Vec<Refused> {
    let mut text = Vec::new();
    let mut part = [0; 4096];
    while let Ok(length @ 1..) = file::read(from, &mut part) {
        text.extend_from_slice(&part[..length]);
    }
    let text = String::from_utf8_lossy(&text);
    let parse = |line: &str| {
        let mut fields = line.split('\t');
        let times = fields.next()?.parse().ok()?;
        let (operation, reason) = (fields.next()?.to_owned(), fields.next()?.to_owned());
        let change = fields.next().filter(|change| !change.is_empty()).map(ToOwned::to_owned);
        Some(Refused { operation, reason, change, times })
    };
    text.lines().filter_map(parse).collect()
}

/// A field without what separates fields, and not too long.
fn field_text(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).map(|character| if character.is_control() { ' ' } else { character }).collect()
}
