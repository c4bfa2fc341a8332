//! Operations that repeat: the first of a second are recorded one by one, the rest as one record with their number.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use crate::audit::record::When;

/// How often the same is recorded within [`WINDOW`] before it is only counted.
const MOST_WRITTEN: u32 = 16;
/// How long operations are counted together.
const WINDOW: Duration = Duration::from_secs(1);
/// Different operations that are told apart within a window; then a new window begins.
const MOST_KINDS: usize = 1024;

/// Counts what repeats.
#[derive(Debug, Default)]
pub(super) struct Fold {
    /// Keyed, so that a program cannot choose what looks the same.
    keyed: RandomState,
    seen: HashMap<u64, Seen>,
    began: Option<Instant>,
    held: bool,
}

#[derive(Debug, Default)]
struct Seen {
    written: u32,
    held: u64,
    /// The first that was only counted.
    first: Record,
}

/// What a record says besides its number.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Record {
    pub(super) when: When,
    pub(super) fields: Vec<u8>,
}

impl Fold {
    /// Whether a record with `fields` of that time is to be written; else it is counted. The same fields are the same
    /// operation.
    pub(super) fn admits(&mut self, when: When, fields: &[u8], now: Instant) -> bool {
        self.began.get_or_insert(now);
        let seen = self.seen.entry(self.keyed.hash_one(fields)).or_default();
        if seen.written < MOST_WRITTEN {
            seen.written += 1;
            return true;
        }
        if seen.held == 0 {
            seen.first = Record { when, fields: fields.to_vec() };
        }
        seen.held += 1;
        self.held = true;
        false
    }

    /// Whether the window is over, or full.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        let over = self.began.is_some_and(|began| now.saturating_duration_since(began) >= WINDOW);
        over || self.seen.len() >= MOST_KINDS
    }

    /// When what was counted has to be written; `None` while nothing was.
    pub(super) fn due(&self) -> Option<Instant> {
        self.began.filter(|_| self.held).map(|began| began + WINDOW)
    }

    /// Ends the window: the first of what was counted, and how often each came.
    pub(super) fn take(&mut self) -> impl Iterator<Item = (Record, u64)> + '_ {
        self.began = None;
        self.held = false;
        self.seen.drain().filter(|(_, seen)| seen.held > 0).map(|(_, seen)| (seen.first, seen.held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_written_or_counted() {
        let (mut fold, start) = (Fold::default(), Instant::now());
        let mut written = 0_u64;
        for number in 0..1000_u64 {
            written += u64::from(fold.admits(When::default(), b"a", start));
            written += u64::from(number % 2 == 0 && fold.admits(When::default(), b"b", start));
        }
        assert_eq!(written, 32);
        assert!(!fold.is_due(start) && fold.is_due(start + WINDOW));
        assert_eq!(fold.due(), Some(start + WINDOW));
        let mut counted: Vec<_> = fold.take().collect();
        counted.sort_unstable();
        let record = |fields: &[u8]| Record { when: When::default(), fields: fields.to_vec() };
        assert_eq!(counted, [(record(b"a"), 984), (record(b"b"), 484)]);
        assert_eq!((fold.due(), fold.take().count()), (None, 0));
        assert!(fold.admits(When::default(), b"a", start));
    }

    #[test]
    fn more_kinds_than_are_told_apart_end_the_window() {
        let (mut fold, start) = (Fold::default(), Instant::now());
        for number in 0..MOST_KINDS {
            assert!(!fold.is_due(start));
            assert!(fold.admits(When::default(), &number.to_be_bytes(), start));
        }
        assert!(fold.is_due(start));
    }
}
