//! Operations that repeat: the first of a second are recorded one by one, the rest as one record with their number.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

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
    /// The fields of the first that was only counted.
    fields: Vec<u8>,
}

impl Fold {
    /// Whether a record with `fields` is to be written; else it is counted. `same` is the part of them that makes two
    /// operations the same.
    pub(super) fn admits(&mut self, fields: &[u8], same: &[u8], now: Instant) -> bool {
        self.began.get_or_insert(now);
        let seen = self.seen.entry(self.keyed.hash_one(same)).or_default();
        if seen.written < MOST_WRITTEN {
            seen.written += 1;
            return true;
        }
        if seen.held == 0 {
            seen.fields.extend_from_slice(fields);
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

    /// Ends the window: the fields of what was counted, and how often each came.
    pub(super) fn take(&mut self) -> impl Iterator<Item = (Vec<u8>, u64)> + '_ {
        self.began = None;
        self.held = false;
        self.seen.drain().filter(|(_, seen)| seen.held > 0).map(|(_, seen)| (seen.fields, seen.held))
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
            written += u64::from(fold.admits(b"\"a\":1", b"a", start));
            written += u64::from(number % 2 == 0 && fold.admits(b"\"b\":1", b"b", start));
        }
        assert_eq!(written, 32);
        assert!(!fold.is_due(start) && fold.is_due(start + WINDOW));
        assert_eq!(fold.due(), Some(start + WINDOW));
        let mut counted: Vec<_> = fold.take().collect();
        counted.sort_unstable();
        assert_eq!(counted, [(b"\"a\":1".to_vec(), 984), (b"\"b\":1".to_vec(), 484)]);
        assert_eq!((fold.due(), fold.take().count()), (None, 0));
        assert!(fold.admits(b"\"a\":1", b"a", start));
    }

    #[test]
    fn more_kinds_than_are_told_apart_end_the_window() {
        let (mut fold, start) = (Fold::default(), Instant::now());
        for number in 0..MOST_KINDS {
            assert!(!fold.is_due(start));
            assert!(fold.admits(b"", &number.to_be_bytes(), start));
        }
        assert!(fold.is_due(start));
    }
}
