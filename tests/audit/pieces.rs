//! What must hold for any bytes that are read as a log.

use nono::audit::record::parse::Record;
use nono::audit::replay::ledger::Ledger;
use nono::audit::replay::{Replay, Replayed, Tampered};

/// The first byte says how long the pieces are; the rest is the log.
///
/// # Errors
/// What does not hold.
pub(crate) fn agree(bytes: &[u8]) -> Result<(), String> {
    let (piece, log) = bytes.split_first().map_or((1, bytes), |(first, rest)| (usize::from(*first).max(1), rest));
    let (whole, in_pieces) = (replayed([log].into_iter()), replayed(log.chunks(piece)));
    if whole != in_pieces {
        return Err(format!("in pieces of {piece} bytes: {in_pieces:?}; whole: {whole:?}"));
    }
    let Ok(Replayed { tree, whole, torn, .. }) = whole else { return Ok(()) };
    let ends = log.iter().filter(|byte| **byte == b'\n').count() as u64;
    let length = whole.saturating_add(torn.len() as u64);
    if tree.size() == ends && length == log.len() as u64 {
        return Ok(());
    }
    Err(format!("{} lines and {length} bytes of {ends} and {}", tree.size(), log.len()))
}

fn replayed<'b>(pieces: impl Iterator<Item = &'b [u8]>) -> Result<Replayed, Tampered> {
    let (mut replay, mut ledger) = (Replay::default(), Ledger::new(None));
    for piece in pieces {
        replay.feed(piece, |line| {
            // Any record may be in a host's log; what contradicts another is refused, and nothing worse.
            let _ = Record::parse(line.text).map(|record| ledger.learn(&record));
        })?;
    }
    replay.finish()
}
