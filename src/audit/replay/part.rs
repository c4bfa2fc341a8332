//! Whole lines of a log that are hashed and looked at without what stands before them, so that several parts can be at once.

use crate::audit::record::LONGEST;
use crate::audit::record::parse::RecordError;
use crate::audit::record::shape;
use crate::merkle::{Hash, leaf_hash};

use super::{Line, Replay, Tampered, numbered};

/// Whole lines of a log, and what is known of them.
#[derive(Debug, Default)]
pub struct Part {
    bytes: Vec<u8>,
    /// The number that the first line begins with.
    first: u64,
    /// Where each line's end is, and the hash of what stands before it.
    lines: Vec<(usize, Hash)>,
    /// Whether the line behind those is too long, or does not begin with the number that follows.
    stops: bool,
    /// The first line that is no record, counted from the first of this part.
    odd: Option<(u64, RecordError)>,
}

impl Part {
    /// Empties the part and hands its buffer out, to be filled with whole lines before [`Self::look`].
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        self.bytes.clear();
        self.lines.clear();
        (self.first, self.stops, self.odd) = (0, false, None);
        &mut self.bytes
    }

    /// Hashes each line, and looks whether it is a record with the number that follows.
    pub fn look(&mut self) {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', &self.bytes) {
            let line = self.bytes.get(start..end).unwrap_or_default();
            let count = self.lines.len() as u64;
            match numbered(line) {
                Some(number) if count == 0 => self.first = number,
                Some(number) if self.first.checked_add(count) == Some(number) => {}
                Some(_) | None => self.stops = true,
            }
            if self.stops || line.len() > LONGEST {
                self.stops = true;
                return;
            }
            if self.odd.is_none() {
                self.odd = shape::check(line).err().map(|error| (count, error));
            }
            self.lines.push((end, leaf_hash(line)));
            start = end.saturating_add(1);
        }
    }

    /// The first line that is no record, by its place in the log, and why.
    pub fn odd(&self) -> Option<(u64, RecordError)> {
        self.odd.clone().map(|(place, error)| (self.first.saturating_add(place), error))
    }
}

impl Replay {
    /// Takes in the lines of a part that was looked at, as [`Self::feed`] does with its bytes. Nothing may be left behind the
    /// last line end before it.
    ///
    /// # Errors
    /// Those of [`Self::feed`].
    pub fn add(&mut self, part: &Part, mut each: impl FnMut(Line<'_>)) -> Result<(), Tampered> {
        let index = self.tree.size();
        if !self.partial.is_empty() || (!part.lines.is_empty() && part.first != index) {
            return Err(Tampered::Line { index });
        }
        let mut start = 0;
        for (end, leaf) in &part.lines {
            let text = part.bytes.get(start..*end).unwrap_or_default();
            start = end.saturating_add(1);
            self.leaf(text, *leaf, &mut each)?;
        }
        if part.stops { Err(Tampered::Line { index: self.tree.size() }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(bytes: &[u8]) -> Part {
        let mut part = Part::default();
        part.buffer().extend_from_slice(bytes);
        part.look();
        part
    }

    /// Feeds the same bytes in both ways, and in two parts cut behind each line end.
    fn agree(log: &[u8]) {
        let mut fed = Replay::default();
        let by_bytes = fed.feed(log, |_| {}).map(|()| fed.tree);
        let cuts = log.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(place, _)| place + 1);
        for cut in cuts {
            let mut added = Replay::default();
            let mut whole = Vec::new();
            let mut keep = |line: Line<'_>| whole.extend_from_slice(&[line.text, b"\n"].concat());
            let first = added.add(&looked(&log[..cut]), &mut keep);
            let done = first.and_then(|()| added.add(&looked(&log[cut..]), &mut keep));
            assert_eq!(done.map(|()| added.tree), by_bytes, "cut at {cut}");
            assert!(log.starts_with(&whole));
        }
    }

    #[test]
    fn parts_come_to_the_same_as_bytes() {
        let log: Vec<u8> = (0..12).flat_map(|index| format!("{{\"index\":{index},\"x\":1}}\n").into_bytes()).collect();
        agree(&log);
        for place in 0..log.len() - 1 {
            for byte in *b"\n0{x" {
                let mut changed = log.clone();
                changed[place] = byte;
                agree(&changed);
            }
        }
        let long = [&b"{\"index\":0,"[..], &[b' '; LONGEST], b"\n"].concat();
        agree(&long);
    }

    #[test]
    fn the_first_line_that_is_no_record_is_named_by_its_place() {
        let good = |index: u64| {
            let rest = r#""timestamp":"2026-01-31","operation":"o","target":"","disposition":"noted""#;
            format!("{{\"index\":{index},{rest}}}\n")
        };
        assert_eq!(looked(format!("{}{}", good(7), good(8)).as_bytes()).odd(), None);
        let odd = looked(format!("{}{{\"index\":8,\"x\":1}}\n{}", good(7), good(9)).as_bytes()).odd();
        assert_eq!(odd, Some((8, RecordError::Field("disposition"))));
    }
}
