//! Notes, checkpoints and proofs, hostile ones included. Shared with the fuzzer.

use nono::merkle::checkpoint::Checkpoint;
use nono::merkle::key::Signer;
use nono::merkle::leaf_hash;
use nono::merkle::note::Note;
use nono::merkle::policy::Policy;
use nono::merkle::proof_file::ProofFile;

/// Reads `bytes` as a note and as a proof: what is read is written as it was, and proves no more than it says.
///
/// # Errors
/// The first thing that does not hold, in words.
pub(crate) fn agree(bytes: &[u8]) -> Result<(), String> {
    if let Ok(note) = Note::parse(bytes) {
        same(bytes, &note.to_string())?;
        if let Some(checkpoint) = Checkpoint::parse(note.unverified_text()) {
            let text = checkpoint.to_string();
            if !note.unverified_text().starts_with(&text) {
                return Err(format!("a checkpoint is read as {text:?}"));
            }
        }
    }
    let Ok(proof) = ProofFile::parse(bytes) else { return Ok(()) };
    same(bytes, &proof.to_string())?;
    let log = Signer::new("example.com/log", &[1; 32]).map_err(|error| error.to_string())?;
    let content = proof.extra.clone().unwrap_or_default();
    let Ok(proved) = proof.verify(&leaf_hash(&content), &Policy::of_log(log.verifier())) else { return Ok(()) };
    if proof.index >= proved.checkpoint.size || proved.checkpoint.origin != "example.com/log" {
        return Err(format!("leaf {} is proved to be in {:?}", proof.index, proved.checkpoint));
    }
    if proof.verify(&leaf_hash(b"another"), &Policy::of_log(log.verifier())).is_ok() && content != b"another" {
        return Err("another leaf is proved as well".to_owned());
    }
    Ok(())
}

/// Reads `bytes` as the text of a checkpoint, and as a note: one by the log's key says what it says, and no other does.
///
/// # Errors
/// The first thing that does not hold, in words.
pub(crate) fn checkpoint(bytes: &[u8]) -> Result<(), String> {
    let log = Signer::new("example.com/log", &[1; 32]).map_err(|error| error.to_string())?;
    let keys = [log.verifier()];
    if let Some(read) = std::str::from_utf8(bytes).ok().and_then(Checkpoint::parse) {
        let again = Checkpoint::parse(&read.to_string());
        if !read.origin.contains('\n') && again.as_ref() != Some(&read) {
            return Err(format!("{read:?} is read as {again:?}"));
        }
        let note = Note::signed(read.to_string(), &log);
        let opened = Checkpoint::open(&note, &read.origin, &keys);
        if opened.as_ref() != Ok(&read) || Checkpoint::open(&note, "another", &keys).is_ok() && read.origin != "another"
        {
            return Err(format!("{read:?} is signed and read as {opened:?}"));
        }
    }
    let Ok(note) = Note::parse(bytes) else { return Ok(()) };
    let Ok(opened) = Checkpoint::open(&note, "example.com/log", &keys) else { return Ok(()) };
    let mut other = note.to_string();
    other.insert(0, 'x');
    let is_other = Note::parse(other.as_bytes()).is_ok_and(|other| other.verify(&keys).is_ok());
    if is_other { Err(format!("{opened:?} counts with another text")) } else { Ok(()) }
}

fn same(bytes: &[u8], written: &str) -> Result<(), String> {
    if written.as_bytes() == bytes { Ok(()) } else { Err(format!("it is written as {written:?}")) }
}
