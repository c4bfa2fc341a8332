//! A log with records, witnesses who cosign it, and a directory to put files in.

use std::fs;
use std::path::{Path, PathBuf};

use nono::merkle::checkpoint::Checkpoint;
use nono::merkle::frontier::Frontier;
use nono::merkle::key::Signer;
use nono::merkle::leaf_hash;
use nono::merkle::note::Note;
use nono::merkle::proof::Builder;
use nono::merkle::proof_file::ProofFile;

/// A directory of a test's own, gone with it.
pub(crate) struct Place(PathBuf);

pub(crate) fn log() -> Signer {
    Signer::new("example.com/log", &[1; 32]).expect("a name")
}

/// Witness 0, 1 or 2.
pub(crate) fn witness(number: u8) -> Signer {
    Signer::new(&format!("witness.example/{number}"), &[10 + number; 32]).expect("a name")
}

/// The content of leaf `index`.
pub(crate) fn leaf(index: u64) -> Vec<u8> {
    format!("{{\"index\":{index}}}").into_bytes()
}

/// The proof of leaf `index` of `size`, with `extra`, cosigned by the witnesses with a bit in `by`.
pub(crate) fn proof(index: u64, size: u64, extra: Option<&[u8]>, by: u8) -> ProofFile {
    let mut builder = Builder::inclusion(index, size).expect("there is such a leaf");
    let mut frontier = Frontier::default();
    for hash in (0..size).map(|index| leaf_hash(&leaf(index))) {
        builder.push(&hash);
        frontier.push(hash);
    }
    let body = Checkpoint { origin: "example.com/log".into(), size, root: frontier.root() }.to_string();
    let mut checkpoint = Note::signed(body.clone(), &log());
    for number in (0..3).filter(|number| by >> number & 1 == 1) {
        checkpoint.add(witness(number).cosign(&body, 1_700_000_000).1);
    }
    ProofFile {
        extra: extra.map(<[u8]>::to_vec),
        index,
        path: builder.finish().expect("all leaves passed"),
        checkpoint,
    }
}

impl Place {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("nono-merkle-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(Path::new(name))
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) {
        fs::write(self.path(name), content).expect("a file");
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What cannot be removed is left to the next start of the machine.
        let _ = fs::remove_dir_all(&self.0);
    }
}
