//! What must hold for any bytes that are read as a log.

use nono::audit::record::parse::Record;
use nono::audit::record::shape;
use nono::audit::replay::ledger::Ledger;
use nono::audit::replay::part::Part;
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
    // In two parts, cut behind a line end.
    let cut = log.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end.saturating_add(1));
    let middle = log.iter().take(piece).rposition(|byte| *byte == b'\n').map_or(0, |end| end.saturating_add(1));
    let mut replay = Replay::default();
    let parts = [log.get(..middle), log.get(middle..cut)].into_iter().flatten();
    let added = parts.map(|bytes| replay.add(&looked_at(bytes), |_| {})).collect::<Result<Vec<()>, _>>();
    let rest = added.and_then(|_| replay.feed(log.get(cut..).unwrap_or_default(), |_| {}));
    let in_parts = rest.and_then(|()| replay.finish());
    if whole != in_parts {
        return Err(format!("in parts: {in_parts:?}; whole: {whole:?}"));
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

fn looked_at(bytes: &[u8]) -> Part {
    let mut part = Part::default();
    part.buffer().extend_from_slice(bytes);
    part.look();
    part
}

/// Whether a line is a record is the same to whoever takes it apart and to whoever only looks at its shape.
///
/// # Errors
/// What does not hold.
pub(crate) fn record(line: &[u8]) -> Result<(), String> {
    let (parsed, looked) = (Record::parse(line).map(drop), shape::check(line));
    if parsed == looked { Ok(()) } else { Err(format!("{parsed:?} by the parser, {looked:?} by its shape")) }
}
