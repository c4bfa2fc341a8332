//! How far the host's log was read: a tree, and the bytes that it stands for. Only what came since has to be read again.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::host::{damaged, hex, unhex};
use super::{LogError, store};
use crate::audit::replay::{Line, Replay, Replayed};
use crate::merkle::Hash;
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::frontier::Frontier;

/// The name of the file that keeps it between runs. What it says counts only when it leads to what was signed.
const FRONTIER: &str = "frontier";
/// Records that may stand behind the file before it is written anew: reading these takes less than writing it.
const MOST_BEHIND: u64 = 16;
/// The longest of these files: more hashes than any tree has.
const LONGEST: u64 = 1 << 13;
/// What is read at once.
const PART: u64 = 1 << 16;

/// A place in the log, behind a whole line.
#[derive(Clone, Debug, Default)]
pub(super) struct Reached {
    pub(super) tree: Frontier,
    pub(super) bytes: u64,
}

impl Reached {
    /// What the file in `directory` says; the beginning where it says nothing.
    ///
    /// # Errors
    /// Those of reading it.
    pub(super) fn kept(directory: &Path) -> Result<Self, LogError> {
        Ok(store::read(&directory.join(FRONTIER), LONGEST)?.and_then(|text| parsed(&text)).unwrap_or_default())
    }

    /// Writes the file, unless the records behind `kept` are few. It may be lost or torn: it is made again from the log.
    ///
    /// # Errors
    /// Those of writing it.
    pub(super) fn keep(&self, directory: &Path, kept: &mut u64) -> Result<(), LogError> {
        if self.tree.size().saturating_sub(*kept) < MOST_BEHIND {
            return Ok(());
        }
        *kept = self.tree.size();
        store::cache(directory, FRONTIER, self.text().as_bytes())
    }

    /// The size of the tree and the bytes it stands for, then a line with each of its complete subtrees.
    fn text(&self) -> String {
        let mut text = format!("{} {}\n", self.tree.size(), self.bytes);
        for hash in self.tree.complete() {
            text.push_str(&hex(hash));
            text.push('\n');
        }
        text
    }

    /// Whether the checkpoint can say that this is what was signed, or that what stands here leads to it.
    pub(super) fn leads_to(&self, signed: Option<&Checkpoint>) -> bool {
        signed.is_some_and(|signed| match self.tree.size().cmp(&signed.size) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Equal => self.tree.root() == signed.root,
            std::cmp::Ordering::Greater => false,
        })
    }

    /// Reads the log at `path` from here to its end, and shows every line.
    ///
    /// # Errors
    /// Those of reading it, and what is not as it was signed.
    pub(super) fn read_on(
        self,
        path: &Path,
        events: &mut File,
        signed: Option<Checkpoint>,
        mut each: impl FnMut(Line<'_>),
    ) -> Result<Replayed, LogError> {
        let failed = |error| LogError::at("read", path, error);
        let there = events.metadata().map_err(failed)?.len();
        if there < self.bytes {
            return Err(damaged(path, "is shorter than it was"));
        }
        events.seek(SeekFrom::Start(self.bytes)).map_err(failed)?;
        let size = there.saturating_sub(self.bytes).saturating_add(1).min(PART);
        let mut part = vec![0; usize::try_from(size).unwrap_or_default()];
        let mut replay = Replay::after(self.tree, self.bytes, signed);
        loop {
            let length = events.read(&mut part).map_err(failed)?;
            let Some(read @ [_, ..]) = part.get(..length) else { break };
            replay.feed(read, &mut each).map_err(|tampered| damaged(path, &format!("was changed: {tampered}")))?;
        }
        replay.finish().map_err(|tampered| damaged(path, &format!("was changed: {tampered}")))
    }
}

fn parsed(text: &[u8]) -> Option<Reached> {
    let mut lines = std::str::from_utf8(text).ok()?.lines();
    let (size, bytes) = lines.next()?.split_once(' ')?;
    let complete: Vec<Hash> = lines.map(unhex).collect::<Option<_>>()?;
    Some(Reached { tree: Frontier::from_parts(size.parse().ok()?, complete)?, bytes: bytes.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(log: &[u8]) -> Checkpoint {
        let mut replay = Replay::new(None);
        replay.feed(log, |_| {}).unwrap();
        let tree = replay.finish().unwrap().tree;
        Checkpoint { origin: "o".into(), size: tree.size(), root: tree.root() }
    }

    #[test]
    fn from_every_place_the_log_comes_to_the_same_and_what_was_changed_since_is_noticed() {
        let lines: Vec<Vec<u8>> = (0..9).map(|index| format!("{{\"index\":{index},\"x\":1}}\n").into_bytes()).collect();
        let (log, checkpoint) = (lines.concat(), signed(&lines[..7].concat()));
        let path = std::env::temp_dir().join(format!("nono-reached-{}", std::process::id()));
        let read_on = |from: Reached, log: &[u8]| {
            std::fs::write(&path, log).unwrap();
            from.read_on(&path, &mut File::open(&path).unwrap(), Some(checkpoint.clone()), |_| {})
        };
        let whole = read_on(Reached::default(), &log).unwrap();
        assert_eq!((whole.tree.size(), whole.signed, whole.whole), (9, 7, log.len() as u64));
        let mut from = Reached::default();
        for line in &lines {
            assert_eq!(from.leads_to(Some(&checkpoint)), from.tree.size() <= 7);
            assert!(
                parsed(from.text().as_bytes())
                    .is_some_and(|again| again.tree == from.tree && again.bytes == from.bytes)
            );
            assert_eq!(read_on(from.clone(), &log).unwrap(), whole);
            assert!(read_on(from.clone(), &log[..from.bytes as usize / 2]).is_err() || from.bytes == 0);
            if from.tree.size() < 7 {
                let mut changed = log.clone();
                changed[from.bytes as usize + 12] ^= 1;
                assert!(read_on(from.clone(), &changed).is_err());
                let other = Reached { bytes: from.bytes + 1, ..from.clone() };
                assert!(read_on(other, &log).is_err());
            }
            from.tree.push(crate::merkle::leaf_hash(line.strip_suffix(b"\n").unwrap()));
            from.bytes += line.len() as u64;
        }
        let mut other = Reached { tree: Frontier::from_parts(7, vec![[1; 32]; 3]).unwrap(), bytes: 1 };
        assert!(!other.leads_to(Some(&checkpoint)) && !other.leads_to(None));
        other.tree = Frontier::from_parts(3, vec![[1; 32]; 2]).unwrap();
        other.bytes = lines[..3].concat().len() as u64;
        assert!(other.leads_to(Some(&checkpoint)) && read_on(other, &log).is_err());
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn what_is_no_place_is_taken_for_the_beginning() {
        for text in ["", "1", "1 2\n", "0 0\nff\n", "1 -1\n", "x 0\n"] {
            assert!(parsed(text.as_bytes()).is_none(), "{text:?}");
        }
    }
}
