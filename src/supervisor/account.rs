//! What was refused during a run, for the account at its end.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::fd::BorrowedFd;
use std::sync::{Mutex, PoisonError};

use syscalls::file;

use crate::approval::{Question, Subject};
use crate::plan::explain::Explanation;
use crate::profile::abs_path::AbsPath;

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
    /// The bytes of the path it is about, where it is about one.
    pub path: Option<Vec<u8>>,
    pub reason: String,
    /// What would allow it; `None` when nothing may.
    pub change: Option<String>,
    pub times: u64,
}

impl Account {
    /// Counts a refusal.
    pub(super) fn denied(&self, explanation: impl FnOnce() -> Explanation) {
        let Explanation { operation, path, reason, change, .. } = explanation();
        self.count(operation, path.as_ref(), reason, change);
    }

    /// Counts a question that got no yes, and why.
    pub(super) fn refused(&self, question: &Question, why: String) {
        let what = question.operation.verb();
        let change = Some(question.advice());
        match &question.object {
            Subject::File(object) => self.count(format!("{what} {}", object.real), Some(&object.real), why, change),
            Subject::Host(host) => self.count(format!("{what} {host}"), None, why, change),
        }
    }

    /// Counts a call that something other than a rule about its object refused, and that nothing would allow.
    pub(super) fn kept_back(&self, operation: String, path: Option<AbsPath>, why: &str) {
        self.count(operation, path.as_ref(), why.to_owned(), None);
    }

    /// Counts a connection that nobody was asked about, because of how many there were.
    pub(super) fn too_many(&self, operation: String) {
        self.count(operation, None, "too many questions were asked shortly before".to_owned(), None);
    }

    /// The reason for an end of everything, in the place of all refusals.
    pub(super) fn only(&self, reason: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).refusals.clear();
        self.count(String::new(), None, reason, None);
    }

    fn count(&self, operation: String, path: Option<&AbsPath>, reason: String, change: Option<String>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.refusals.get_mut(&operation) {
            known.times = known.times.saturating_add(1);
        } else if kept.refusals.len() < MOST_KINDS {
            let path = path.map(|path| path.as_bytes().to_vec());
            kept.refusals.insert(operation.clone(), Refused { operation, path, reason, change, times: 1 });
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

/// Characters that one text of a refusal may have in the pipe to the front.
const LONGEST_TEXT: usize = 1000;
/// Bytes of what would allow it, which has no tab or end of a line.
const LONGEST_CHANGE: usize = 20_000;
/// Bytes that all of it may have: less than a pipe holds, since nobody reads while this process runs.
const MOST_BYTES: usize = 60_000;

impl Account {
    /// Tells the front the most frequent refusals, in less than a pipe holds.
    pub(super) fn send(&self, to: BorrowedFd<'_>) {
        let (refusals, mut beyond) = self.refusals();
        let mut text = String::new();
        for refused in refusals {
            let line = line(&refused);
            if text.len().saturating_add(line.len()) > MOST_BYTES {
                beyond = beyond.saturating_add(refused.times);
            } else {
                text.push_str(&line);
            }
        }
        if beyond > 0 {
            text.push_str(&format!("{beyond}\tother calls\tthe most frequent refusals are listed\t\t\n"));
        }
        // Whoever reads is gone when this fails, and then there is nobody to tell.
        let _ = file::write(to, text.as_bytes());
    }
}

/// One refusal on a line, with tabs between its fields; the path, which may hold anything, in hexadecimal.
fn line(refused: &Refused) -> String {
    let path = refused.path.iter().flatten().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    // Half a name helps nobody.
    let change = refused.change.as_deref().filter(|change| change.len() <= LONGEST_CHANGE).unwrap_or_default();
    let [operation, reason] = [&refused.operation, &refused.reason].map(|text| field_text(text));
    format!("{}\t{operation}\t{reason}\t{change}\t{path}\n", refused.times)
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
        let path = fields.next().and_then(unhex).filter(|path| !path.is_empty());
        Some(Refused { operation, path, reason, change, times })
    };
    text.lines().filter_map(parse).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
    Some(digits?.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

/// A field without what separates fields, and not too long.
fn field_text(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd as _;

    #[test]
    fn what_was_told_is_what_was_counted_whatever_the_names_hold() {
        let account = Account::default();
        let path = AbsPath::new(b"/a\t\n\xff\x1b[2J").unwrap();
        account.count("read it".into(), Some(&path), "no\trule".into(), Some("--read".into()));
        account.count("connect x:1".into(), None, "no".into(), None);
        account.count("connect x:1".into(), None, "no".into(), None);
        let (reading, writing) = file::pipe().unwrap();
        account.send(writing.as_fd());
        drop(writing);
        let told = receive(reading.as_fd());
        let expected = [
            Refused { operation: "connect x:1".into(), path: None, reason: "no".into(), change: None, times: 2 },
            Refused {
                operation: "read it".into(),
                path: Some(path.as_bytes().to_vec()),
                reason: "no rule".into(),
                change: Some("--read".into()),
                times: 1,
            },
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn more_than_a_pipe_holds_is_told_by_its_number() {
        let account = Account::default();
        let path = AbsPath::new(&[b"/".as_slice(), &[b'x'; 4000]].concat()).unwrap();
        for number in 0..100 {
            account.count(format!("read {number}"), Some(&path), "no".into(), None);
        }
        let (reading, writing) = file::pipe().unwrap();
        account.send(writing.as_fd());
        drop(writing);
        let told = receive(reading.as_fd());
        let last = told.last().unwrap();
        assert_eq!(last.operation, "other calls");
        assert_eq!(told.len() as u64 - 1 + last.times, 100);
    }
}
