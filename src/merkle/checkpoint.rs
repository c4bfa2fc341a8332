//! Checkpoints: what a log says about all of itself at one size (C2SP `tlog-checkpoint`).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::key::Verifier;
use super::note::{Note, NoteError};
use super::{Hash, decimal, hash_from_base64};

/// The body of a checkpoint, without extension lines: nono writes none and signs none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// How many leaves there are.
    pub size: u64,
    pub root: Hash,
}

/// Why a checkpoint says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckpointError {
    /// It is signed, and not of the form of a checkpoint.
    Malformed,
    Note(NoteError),
    /// It is another log's; the name it has.
    Origin(String),
}

impl Checkpoint {
    /// The checkpoint of a note that one of `keys` has signed, of the log `origin`.
    ///
    /// # Errors
    /// Why it says nothing about that log.
    pub fn open(note: &Note, origin: &str, keys: &[Verifier]) -> Result<Self, CheckpointError> {
        let (text, _) = note.verify(keys).map_err(CheckpointError::Note)?;
        let checkpoint = Self::parse(text).ok_or(CheckpointError::Malformed)?;
        if checkpoint.origin == origin { Ok(checkpoint) } else { Err(CheckpointError::Origin(checkpoint.origin)) }
    }

    /// Reads the text of a checkpoint. Lines after the root are extensions, and mean nothing here.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        if origin.is_empty() || lines.any(str::is_empty) {
            return None;
        }
        Some(Self { origin: origin.to_owned(), size: decimal(size)?, root: hash_from_base64(root)? })
    }
}

/// The text that is signed.
impl fmt::Display for Checkpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}\n{}\n{}", self.origin, self.size, BASE64.encode(self.root))
    }
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => out.write_str("it is not a checkpoint"),
            Self::Note(error) => error.fmt(out),
            Self::Origin(origin) => write!(out, "it is of the log {origin}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::key::Signer;

    #[test]
    fn a_checkpoint_is_read_as_it_was_written() {
        let signer = Signer::new("example.com/log", &[3; 32]).unwrap();
        let checkpoint = Checkpoint { origin: "example.com/log".into(), size: u64::MAX, root: [9; 32] };
        let note = Note::parse(Note::signed(checkpoint.to_string(), &signer).to_string().as_bytes()).unwrap();
        assert_eq!(Checkpoint::open(&note, "example.com/log", &[signer.verifier()]), Ok(checkpoint));
        let other = Checkpoint::open(&note, "example.com", &[signer.verifier()]);
        assert_eq!(other, Err(CheckpointError::Origin("example.com/log".into())));
    }

    #[test]
    fn texts_that_are_no_checkpoint_are_refused() {
        let root = BASE64.encode([0; 32]);
        let good = format!("o\n0\n{root}\n");
        assert!(Checkpoint::parse(&good).is_some());
        assert!(Checkpoint::parse(&format!("{good}extension\n")).is_some());
        let short = BASE64.encode([0; 31]);
        let wrong = [
            String::new(),
            format!("o\n0\n{root}"),
            format!("\n0\n{root}\n"),
            format!("o\n00\n{root}\n"),
            format!("o\n+1\n{root}\n"),
            format!("o\n-1\n{root}\n"),
            format!("o\n\n{root}\n"),
            format!("o\n18446744073709551616\n{root}\n"),
            format!("o\n1\n{short}\n"),
            format!("{good}\n"),
        ];
        for text in wrong {
            assert_eq!(Checkpoint::parse(&text), None, "{text:?}");
        }
    }
}
