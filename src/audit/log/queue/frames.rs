//! Records one after the other in a buffer. The parts that a record has in common with the ones before it are left out, which
//! is most of it: what is written here is read on another processor, and each line of memory on the way costs both.

use std::time::Duration;

use super::Repeats;
use crate::audit::record::When;
use crate::audit::record::time::Moment;

/// Parts of a record that may be left out.
const MOST_PARTS: usize = 8;
/// Kinds of frames, and the longest that stands in each before the parts: which parts are left out, how many there are, and
/// the time.
const COUNTED: u8 = 0;
const WRITTEN: u8 = 1;
const SETTLE: u8 = 2;
const HEAD: usize = 1 + 1 + 1 + 8 + 4 + 8;

/// What the writer finds in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::audit::log) enum Frame<'f> {
    Record {
        when: When,
        fields: &'f [u8],
        repeats: Repeats,
    },
    /// What was only counted so far comes before whatever follows.
    Settle,
}

/// A batch that is being filled.
#[derive(Debug, Default)]
pub(super) struct Filling {
    bytes: Vec<u8>,
    /// The parts that were written last, and which of them are in this batch.
    last: [Vec<u8>; MOST_PARTS],
    known: u8,
    /// How long all of it is with what was left out.
    whole: usize,
}

impl Filling {
    /// Adds a record.
    pub(super) fn add(&mut self, when: When, parts: &[&[u8]], repeats: Repeats) {
        let kind = match repeats {
            Repeats::Counted => COUNTED,
            Repeats::Written => WRITTEN,
        };
        if parts.len() > MOST_PARTS {
            self.push(kind, when, &[&parts.concat()]);
        } else {
            self.push(kind, when, parts);
        }
    }

    /// Adds [`Frame::Settle`].
    pub(super) fn settle(&mut self) {
        self.push(SETTLE, When::default(), &[]);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How many bytes the records in it come to.
    pub(super) fn whole(&self) -> usize {
        self.whole
    }

    /// Begins another batch, in the memory of `taken`, which gets this one.
    pub(super) fn take(&mut self, taken: &mut Vec<u8>) {
        taken.clear();
        std::mem::swap(&mut self.bytes, taken);
        (self.known, self.whole) = (0, 0);
    }

    fn push(&mut self, kind: u8, when: When, parts: &[&[u8]]) {
        let mut left_out = 0_u8;
        let mut length = HEAD;
        for (place, (part, last)) in parts.iter().zip(&mut self.last).enumerate() {
            self.whole = self.whole.saturating_add(part.len());
            let bit = 1_u8 << place;
            if self.known & bit != 0 && last == part {
                left_out |= bit;
            } else {
                last.clear();
                last.extend_from_slice(part);
                self.known |= bit;
                length = length.saturating_add(4).saturating_add(part.len());
            }
        }
        self.whole = self.whole.saturating_add(HEAD);
        self.bytes.reserve(length);
        let elapsed = u64::try_from(when.elapsed.as_micros()).unwrap_or(u64::MAX);
        self.bytes.extend_from_slice(&[kind, left_out, u8::try_from(parts.len()).unwrap_or(u8::MAX)]);
        self.bytes.extend_from_slice(&when.moment.seconds.to_ne_bytes());
        self.bytes.extend_from_slice(&when.moment.nanoseconds.to_ne_bytes());
        self.bytes.extend_from_slice(&elapsed.to_ne_bytes());
        for (_, part) in parts.iter().enumerate().filter(|(place, _)| left_out >> place & 1 == 0) {
            self.bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_ne_bytes());
            self.bytes.extend_from_slice(part);
        }
    }
}

/// The frames of a batch.
#[derive(Debug)]
pub(in crate::audit::log) struct Frames<'t> {
    rest: &'t [u8],
    last: [&'t [u8]; MOST_PARTS],
    fields: Vec<u8>,
}

impl<'t> Frames<'t> {
    pub(in crate::audit::log) fn of(taken: &'t [u8]) -> Self {
        Self { rest: taken, last: [&[]; MOST_PARTS], fields: Vec::new() }
    }

    /// The next one, with its parts put together.
    pub(in crate::audit::log) fn next_frame(&mut self) -> Option<Frame<'_>> {
        let (&[kind, left_out, count], rest) = self.rest.split_first_chunk()?;
        let (seconds, rest) = rest.split_first_chunk()?;
        let (nanoseconds, rest) = rest.split_first_chunk()?;
        let (elapsed, mut rest) = rest.split_first_chunk()?;
        self.fields.clear();
        for (place, last) in self.last.iter_mut().enumerate().take(usize::from(count)) {
            if left_out >> place & 1 == 0 {
                let (length, behind) = rest.split_first_chunk()?;
                (*last, rest) = behind.split_at_checked(usize::try_from(u32::from_ne_bytes(*length)).ok()?)?;
            }
            self.fields.extend_from_slice(last);
        }
        self.rest = rest;
        let repeats = match kind {
            COUNTED => Repeats::Counted,
            WRITTEN => Repeats::Written,
            _ => return Some(Frame::Settle),
        };
        let moment = Moment { seconds: u64::from_ne_bytes(*seconds), nanoseconds: u32::from_ne_bytes(*nanoseconds) };
        let elapsed = Duration::from_micros(u64::from_ne_bytes(*elapsed));
        Some(Frame::Record { when: When { moment, elapsed }, fields: &self.fields, repeats })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_has_what_was_added_and_is_short() {
        let when = |seconds| When {
            moment: Moment { seconds, nanoseconds: 999_999_999 },
            elapsed: Duration::from_micros(seconds),
        };
        let many: Vec<&[u8]> = vec![b"many"; MOST_PARTS + 1];
        let records: [&[&[u8]]; 9] = [
            &[b"one", b"", b"two"],
            &[b"one", b"", b"two"],
            &[b"one", b"x", b"two"],
            &[b"one"],
            &[],
            &[b"one", b"x", b"", b"three", b"4", b"5", b"6", b"7"],
            &[b"one", b"x", b"two", b"three", b"4", b"5", b"6", b"8"],
            &many,
            &[b"one"],
        ];
        let (mut filling, mut taken) = (Filling::default(), b"old".to_vec());
        for _ in 0..2 {
            for (seconds, parts) in (0..).zip(records) {
                filling.add(when(seconds), parts, if seconds % 2 == 0 { Repeats::Counted } else { Repeats::Written });
            }
            filling.settle();
            filling.add(when(u64::MAX), &[b"one"], Repeats::Counted);
            assert!(!filling.is_empty() && filling.whole() > 0);
            filling.take(&mut taken);
            assert!(filling.is_empty() && filling.whole() == 0);
            let mut frames = Frames::of(&taken);
            for (seconds, parts) in (0..).zip(records) {
                let repeats = if seconds % 2 == 0 { Repeats::Counted } else { Repeats::Written };
                let expected = Frame::Record { when: when(seconds), fields: &parts.concat(), repeats };
                assert_eq!(frames.next_frame(), Some(expected));
            }
            assert_eq!(frames.next_frame(), Some(Frame::Settle));
            let last = Frame::Record { when: when(u64::MAX), fields: b"one", repeats: Repeats::Counted };
            assert_eq!(frames.next_frame(), Some(last));
            assert_eq!(frames.next_frame(), None);
        }
        (0..100).for_each(|_| filling.add(when(1), &[&[b' '; 500]], Repeats::Counted));
        filling.take(&mut taken);
        assert!(taken.len() < 100 * HEAD + 600, "{}", taken.len());
    }
}
