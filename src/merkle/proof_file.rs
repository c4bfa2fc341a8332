//! One file that proves one leaf: the way from the leaf to the root of a signed checkpoint (C2SP `tlog-proof`).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::checkpoint::Checkpoint;
use super::note::{Note, NoteError};
use super::policy::{Policy, PolicyError, Seen};
use super::proof::{ProofError, verify_inclusion};
use super::{Hash, decimal, hash_from_base64};

/// The first line.
const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// The longest file that is read, in bytes.
const LONGEST: usize = 2_000_000;
/// A tree with as many leaves as can be counted is as high.
const MOST_HASHES: usize = 64;

/// A proof whose form is right. Nothing of it has been verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofFile {
    /// What the log's own rules add, such as the content of the leaf.
    pub extra: Option<Vec<u8>>,
    /// The leaf's number, from 0.
    pub index: u64,
    /// From the leaf to the root.
    pub path: Vec<Hash>,
    pub checkpoint: Note,
}

/// What a proof shows once it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved {
    /// The checkpoint of the tree that the leaf is in.
    pub checkpoint: Checkpoint,
    /// The witnesses whose cosignatures count.
    pub seen: Vec<Seen>,
}

/// Why a file proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProofFileError {
    /// Its checkpoint is not one that the policy accepts.
    Checkpoint(PolicyError),
    /// Not of the form of a proof; what is wrong.
    Malformed(&'static str),
    /// It is of another tree than the one that is vouched for.
    OtherTree,
    /// The leaf is not where the file says it is.
    Proof(ProofError),
}

impl ProofFile {
    /// Takes a file apart.
    ///
    /// # Errors
    /// [`ProofFileError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofFileError> {
        let malformed = ProofFileError::Malformed;
        if bytes.len() > LONGEST {
            return Err(malformed("it is longer than 2,000,000 bytes"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))?;
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or_else(|| malformed("no blank line stands before a checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(malformed("its first line is not `c2sp.org/tlog-proof@v1`"));
        }
        let extra = match lines.next_if(|line| line.starts_with("extra ")) {
            Some(line) => {
                let encoded = line.strip_prefix("extra ").unwrap_or_default();
                Some(BASE64.decode(encoded).map_err(|_| malformed("its line `extra` is not base64"))?)
            }
            None => None,
        };
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(decimal);
        let index = index.ok_or_else(|| malformed("it has no line `index N`, where N is a decimal number"))?;
        let path: Vec<Hash> = lines
            .take(MOST_HASHES.saturating_add(1))
            .map(|line| {
                hash_from_base64(line).ok_or_else(|| malformed("a line of its path is not a SHA-256 hash in base64"))
            })
            .collect::<Result<_, _>>()?;
        if path.len() > MOST_HASHES {
            return Err(malformed("its path has more than 64 hashes"));
        }
        let note = Note::parse(checkpoint.as_bytes()).map_err(|error| match error {
            NoteError::Malformed | NoteError::Unsigned | NoteError::WrongSignature(_) => {
                malformed("no signed checkpoint stands behind its blank line")
            }
        })?;
        Ok(Self { extra, index, path, checkpoint: note })
    }

    /// Checks that the leaf with this hash is in a log that `policy` trusts, as `policy` asks for it.
    ///
    /// # Errors
    /// Why the file does not show that.
    pub fn verify(&self, leaf: &Hash, policy: &Policy) -> Result<Proved, ProofFileError> {
        let (checkpoint, seen) = policy.verify(&self.checkpoint).map_err(ProofFileError::Checkpoint)?;
        self.verify_in(leaf, &checkpoint)?;
        Ok(Proved { checkpoint, seen })
    }

    /// Checks that the leaf with this hash is in the tree of `checkpoint`, which somebody else vouches for.
    ///
    /// # Errors
    /// Why the file does not show that.
    pub fn verify_in(&self, leaf: &Hash, checkpoint: &Checkpoint) -> Result<(), ProofFileError> {
        if Checkpoint::parse(self.checkpoint.unverified_text()).as_ref() != Some(checkpoint) {
            return Err(ProofFileError::OtherTree);
        }
        verify_inclusion(self.index, checkpoint.size, leaf, &self.path, &checkpoint.root).map_err(ProofFileError::Proof)
    }
}

/// The file.
impl fmt::Display for ProofFile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(out, "extra {}", BASE64.encode(extra))?;
        }
        writeln!(out, "index {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(out, "{}", BASE64.encode(hash)))?;
        write!(out, "\n{}", self.checkpoint)
    }
}

impl fmt::Display for ProofFileError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint(error) => write!(out, "its checkpoint does not count: {error}"),
            Self::Malformed(what) => write!(out, "it is not a proof: {what}"),
            Self::OtherTree => out.write_str("its checkpoint is not the one that is vouched for"),
            Self::Proof(error) => write!(out, "its path does not lead from the leaf to the checkpoint: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::frontier::Frontier;
    use crate::merkle::key::Signer;
    use crate::merkle::leaf_hash;
    use crate::merkle::note::NoteError;
    use crate::merkle::proof::Builder;

    const SIZE: u64 = 21;

    fn signer() -> Signer {
        Signer::new("example.com/log", &[5; 32]).unwrap()
    }

    fn leaf(index: u64) -> Hash {
        leaf_hash(&index.to_be_bytes())
    }

    fn file(index: u64, extra: Option<Vec<u8>>) -> ProofFile {
        let mut builder = Builder::inclusion(index, SIZE).unwrap();
        let mut frontier = Frontier::default();
        for leaf in (0..SIZE).map(leaf) {
            builder.push(&leaf);
            frontier.push(leaf);
        }
        let checkpoint = Checkpoint { origin: "example.com/log".into(), size: SIZE, root: frontier.root() };
        let note = Note::signed(checkpoint.to_string(), &signer());
        ProofFile { extra, index, path: builder.finish().unwrap(), checkpoint: note }
    }

    #[test]
    fn a_proof_is_read_as_it_was_written_and_holds_for_its_leaf_alone() {
        let policy = Policy::of_log(signer().verifier());
        for index in 0..SIZE {
            for extra in [None, Some(Vec::new()), Some(b"a\nb".to_vec())] {
                let written = file(index, extra);
                let read = ProofFile::parse(written.to_string().as_bytes()).unwrap();
                assert_eq!(read, written);
                let proved = read.verify(&leaf(index), &policy).unwrap();
                assert_eq!((proved.checkpoint.size, proved.seen), (SIZE, Vec::new()));
                let other = read.verify(&leaf(index ^ 1), &policy);
                assert_eq!(other, Err(ProofFileError::Proof(ProofError::Root)));
            }
        }
    }

    #[test]
    fn a_proof_of_a_log_that_is_not_trusted_does_not_count() {
        let stranger = Signer::new("example.com/log", &[6; 32]).unwrap();
        let error = file(3, None).verify(&leaf(3), &Policy::of_log(stranger.verifier()));
        assert_eq!(error, Err(ProofFileError::Checkpoint(PolicyError::Note(NoteError::Unsigned))));
    }

    #[test]
    fn no_bit_of_a_proof_can_be_changed_and_no_byte_left_out() {
        let policy = Policy::of_log(signer().verifier());
        let whole = file(13, None).to_string().into_bytes();
        let holds = |bytes: &[u8]| ProofFile::parse(bytes).is_ok_and(|read| read.verify(&leaf(13), &policy).is_ok());
        assert!(holds(&whole));
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(!holds(&bytes), "bit {bit}");
        }
        for end in 0..whole.len() {
            assert!(!holds(&whole[..end]), "{end} bytes");
        }
        assert!(!holds(&[whole, b"\n".to_vec()].concat()));
    }

    #[test]
    fn texts_that_are_no_proof_are_refused() {
        let good = file(13, None).to_string();
        let hash = BASE64.encode([0; 32]);
        let changed = [
            ("c2sp.org/tlog-proof@v1\n", "c2sp.org/tlog-proof@v2\n"),
            ("c2sp.org/tlog-proof@v1\n", ""),
            ("index 13\n", ""),
            ("index 13\n", "index 013\n"),
            ("index 13\n", "index +13\n"),
            ("index 13\n", "index 18446744073709551616\n"),
            ("index 13\n", "index 13 \n"),
            ("index 13\n", "index 13\r\n"),
            ("index 13\n", "index 13\nextra AA==\n"),
            ("index 13\n", "extra AA\nindex 13\n"),
            ("index 13\n", "extra AA==\nextra AA==\nindex 13\n"),
            ("index 13\n", "index 13\nAAAA\n"),
            ("\n\n", "\n"),
        ];
        for (from, to) in changed {
            let text = good.replacen(from, to, 1);
            assert!(matches!(ProofFile::parse(text.as_bytes()), Err(ProofFileError::Malformed(_))), "{text}");
        }
        let high = good.replacen("index 13\n", &format!("index 13\n{}", format!("{hash}\n").repeat(61)), 1);
        assert!(ProofFile::parse(high.as_bytes()).is_err());
        assert!(ProofFile::parse(&vec![b'a'; LONGEST + 1]).is_err());
        assert!(ProofFile::parse(b"\xff").is_err());
    }
}
