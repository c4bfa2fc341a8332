//! Answers of witnesses, hostile ones included. Shared with the fuzzer.

use nono::merkle::key::Signer;
use nono::merkle::note::Note;
use nono::merkle::witness::{Reply, cosignature, reply};

/// Reads `bytes` as the body of each answer: what is taken from it is what it says.
///
/// # Errors
/// The first thing that does not hold, in words.
pub(crate) fn agree(bytes: &[u8]) -> Result<(), String> {
    let signer = |name: &str, seed: u8| Signer::new(name, &[seed; 32]).map_err(|error| error.to_string());
    let checkpoint = Note::signed("example.com/log\n7\nAAAA\n".to_owned(), &signer("example.com/log", 1)?);
    let (key, _) = signer("witness.example/a", 10)?.cosign(checkpoint.unverified_text(), 0);
    for status in [200, 400, 403, 404, 409, 422, 500] {
        match reply(status, Some("text/x.tlog.size"), bytes) {
            Ok(Reply::Cosigned(lines)) => {
                let written: String = lines.iter().map(ToString::to_string).collect();
                if !bytes.starts_with(written.as_bytes()) {
                    return Err(format!("the lines are read as {written:?}"));
                }
                if let Ok(line) = cosignature(&checkpoint, &key, lines) {
                    let mut note = checkpoint.clone();
                    note.add(line);
                    note.verify(std::slice::from_ref(&key))
                        .map_err(|error| format!("a cosignature is taken, and {error}"))?;
                }
            }
            Ok(Reply::Elsewhere(size)) if !bytes.starts_with(size.to_string().as_bytes()) => {
                return Err(format!("the size is read as {size}"));
            }
            Ok(Reply::Elsewhere(_)) | Err(_) => {}
        }
    }
    Ok(())
}
