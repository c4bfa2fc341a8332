//! A log read again, piece by piece: its lines, their hashes, and whether they are what was signed. The memory that takes
//! does not grow with the log.

pub mod ledger;
pub mod part;

use std::fmt;

use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::frontier::Frontier;
use crate::merkle::{Hash, leaf_hash};

use super::record::LONGEST;

/// Goes through a log from its first byte to its last.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    tree: Frontier,
    /// A line whose end has not come yet.
    partial: Vec<u8>,
    /// Bytes of whole lines.
    whole: u64,
    signed: Option<Checkpoint>,
}

/// Why a log is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tampered {
    /// The lines up to the size of the checkpoint have another root.
    Changed { size: u64 },
    /// There are fewer lines than were signed.
    Missing { signed: u64, there: u64 },
    /// A line does not begin with its own number, or is too long.
    Line { index: u64 },
}

/// What the bytes of a log came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    pub tree: Frontier,
    /// Lines that the checkpoint vouches for.
    pub signed: u64,
    /// Bytes of whole lines.
    pub whole: u64,
    /// What stands behind the last line end.
    pub torn: Vec<u8>,
}

/// One line of a log.
#[derive(Clone, Copy, Debug)]
pub struct Line<'l> {
    pub index: u64,
    pub text: &'l [u8],
    pub leaf: &'l Hash,
}

impl Replay {
    /// A log whose first lines a checkpoint was signed for.
    pub fn new(signed: Option<Checkpoint>) -> Self {
        Self::after(Frontier::default(), 0, signed)
    }

    /// The same behind lines that were read already: their tree, and their length in bytes.
    pub fn after(tree: Frontier, whole: u64, signed: Option<Checkpoint>) -> Self {
        Self { tree, partial: Vec::new(), whole, signed }
    }

    /// Takes the next bytes, and shows every line that they complete.
    ///
    /// # Errors
    /// The first line that is not what was written, or not signed as it is.
    pub fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(Line<'_>)) -> Result<(), Tampered> {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
            bytes = rest.get(1..).unwrap_or_default();
            if self.partial.is_empty() {
                self.line(line, &mut each)?;
            } else {
                let mut whole = std::mem::take(&mut self.partial);
                whole.extend_from_slice(line);
                self.line(&whole, &mut each)?;
                whole.clear();
                self.partial = whole;
            }
        }
        if self.partial.len().saturating_add(bytes.len()) > LONGEST {
            return Err(Tampered::Line { index: self.tree.size() });
        }
        self.partial.extend_from_slice(bytes);
        Ok(())
    }

    /// How many lines have passed.
    pub fn lines(&self) -> u64 {
        self.tree.size()
    }

    /// The end of the log.
    ///
    /// # Errors
    /// Lines that were signed are missing.
    pub fn finish(self) -> Result<Replayed, Tampered> {
        let signed = self.signed.as_ref().map_or(0, |checkpoint| checkpoint.size);
        let there = self.tree.size();
        if signed > there {
            return Err(Tampered::Missing { signed, there });
        }
        if signed == 0 {
            self.check()?;
        }
        Ok(Replayed { tree: self.tree, signed, whole: self.whole, torn: self.partial })
    }

    fn line(&mut self, text: &[u8], each: &mut impl FnMut(Line<'_>)) -> Result<(), Tampered> {
        let index = self.tree.size();
        if text.len() > LONGEST || numbered(text) != Some(index) {
            return Err(Tampered::Line { index });
        }
        self.leaf(text, leaf_hash(text), each)
    }

    /// Takes in a line that has its number, with its hash.
    fn leaf(&mut self, text: &[u8], leaf: Hash, each: &mut impl FnMut(Line<'_>)) -> Result<(), Tampered> {
        let index = self.tree.size();
        self.tree.push(leaf);
        self.whole = self.whole.saturating_add(text.len() as u64).saturating_add(1);
        each(Line { index, text, leaf: &leaf });
        self.check()
    }

    /// Compares with the checkpoint when its size is reached.
    fn check(&self) -> Result<(), Tampered> {
        match &self.signed {
            Some(signed) if signed.size == self.tree.size() && signed.root != self.tree.root() => {
                Err(Tampered::Changed { size: signed.size })
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// The number that a line begins with.
fn numbered(line: &[u8]) -> Option<u64> {
    let rest = line.strip_prefix(b"{\"index\":")?;
    let (digits, _) = rest.split_at_checked(rest.iter().position(|&byte| byte == b',')?)?;
    let canonical = digits == b"0" || digits.first().is_some_and(|&first| first != b'0');
    if !canonical || digits.len() > 20 {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|&digit| digit < 10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

impl fmt::Display for Tampered {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { size } => write!(out, "the first {size} records are not those that were signed"),
            Self::Missing { signed, there } => write!(out, "{signed} records were signed, and {there} are there"),
            Self::Line { index } => write!(out, "record {index} does not begin with its number, or is too long"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(count: u64) -> Vec<u8> {
        (0..count).flat_map(|index| format!("{{\"index\":{index},\"x\":\"{index:x}\"}}\n").into_bytes()).collect()
    }

    fn signed(log: &[u8]) -> Checkpoint {
        let mut replay = Replay::default();
        replay.feed(log, |_| {}).unwrap();
        let done = replay.finish().unwrap();
        Checkpoint { origin: "o".into(), size: done.tree.size(), root: done.tree.root() }
    }

    fn replayed(log: &[u8], checkpoint: &Checkpoint) -> Result<Replayed, Tampered> {
        let mut replay = Replay::new(Some(checkpoint.clone()));
        replay.feed(log, |_| {})?;
        replay.finish()
    }

    #[test]
    fn every_bit_that_is_flipped_is_noticed() {
        let log = log(12);
        let checkpoint = signed(&log);
        assert!(replayed(&log, &checkpoint).is_ok());
        for bit in 0..log.len() * 8 {
            let mut changed = log.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            // A last line without its end is torn, which the signed size tells from complete.
            assert!(replayed(&changed, &checkpoint).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_log_that_ends_at_any_byte_is_missing_what_was_signed_or_torn_behind_it() {
        let log = log(12);
        let half = signed(&log[..log.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(5).unwrap().0 + 1]);
        for end in 0..log.len() {
            let (part, lines) = (&log[..end], log[..end].iter().filter(|byte| **byte == b'\n').count() as u64);
            match replayed(part, &half) {
                Err(Tampered::Missing { signed: 6, there }) => assert!(there == lines && lines < 6),
                Ok(done) => {
                    assert!(lines >= 6 && done.signed == 6 && done.tree.size() == lines);
                    assert_eq!(done.whole as usize + done.torn.len(), end);
                }
                Err(other) => panic!("{end}: {other}"),
            }
        }
    }

    #[test]
    fn pieces_of_any_size_come_to_the_same() {
        let log = log(40);
        let checkpoint = signed(&log);
        for size in 1..70 {
            let mut replay = Replay::new(Some(checkpoint.clone()));
            let mut count = 0;
            for piece in log.chunks(size) {
                replay.feed(piece, |line| count += u64::from(line.index == count)).unwrap();
            }
            assert_eq!((count, replay.lines()), (40, 40));
            assert_eq!(replay.finish().unwrap().torn, b"");
        }
    }

    #[test]
    fn numbers_are_read_in_one_form_only() {
        for (line, number) in [("{\"index\":0,", Some(0)), ("{\"index\":18446744073709551615,", Some(u64::MAX))] {
            assert_eq!(numbered(line.as_bytes()), number);
        }
        for wrong in [
            "",
            "{",
            "{\"index\":",
            "{\"index\":,",
            "{\"index\":01,",
            "{\"index\":18446744073709551616,",
            "{\"index\":1",
            "{\"index\":-1,",
        ] {
            assert_eq!(numbered(wrong.as_bytes()), None, "{wrong}");
        }
        let endless = vec![b'x'; LONGEST + 1];
        assert_eq!(Replay::default().feed(&endless, |_| {}), Err(Tampered::Line { index: 0 }));
    }
}
