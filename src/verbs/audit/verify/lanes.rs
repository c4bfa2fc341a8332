//! A log read from its file: cut into parts behind line ends, which are looked at side by side and put together in order.
//! The memory that takes depends on the processors and not on the log.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, Scope, available_parallelism, scope};

use crate::audit::record::LONGEST;
use crate::audit::record::parse::RecordError;
use crate::audit::replay::part::Part;
use crate::audit::replay::{Line, Replay, Replayed};
use crate::merkle::checkpoint::Checkpoint;
use crate::verbs::audit::{place, shown};

use super::Fault;

/// Bytes of one part: several of the longest lines.
const AT_ONCE: usize = 4 * (LONGEST + 1);
/// Parts that wait in front of a lane, or behind it.
const WAITING: usize = 2;
/// More would only wait for the one thread that puts the parts together.
const MOST_LANES: usize = 8;

/// The first line that is no record, and why.
pub(super) type Odd = Option<(u64, RecordError)>;

/// Goes through the log in `directory` and shows every line.
///
/// # Errors
/// It cannot be read, or is not what was signed.
pub(in crate::verbs::audit) fn replayed(
    directory: &Path,
    signed: Option<Checkpoint>,
    each: impl FnMut(Line<'_>),
) -> Result<Replayed, Fault> {
    looked_at(directory, signed, each).map(|(replayed, _)| replayed)
}

/// The same, with the first line that is no record.
///
/// # Errors
/// Those of [`replayed`].
pub(super) fn looked_at(
    directory: &Path,
    signed: Option<Checkpoint>,
    mut each: impl FnMut(Line<'_>),
) -> Result<(Replayed, Odd), Fault> {
    let file = place::events(directory).map_err(Fault::Unreadable)?;
    let name = shown(directory.join(place::EVENTS).as_os_str());
    let mut reader = Reader { file, rest: Vec::new(), over: false };
    let mut joined = Joined { replay: Replay::new(signed), odd: None, each: &mut each };
    let failed = |stopped: Stopped| match stopped {
        Stopped::Read(error) => Fault::Unreadable(format!("{name} cannot be read: {error}")),
        Stopped::Tampered(tampered) => Fault::Tampered(format!("{name}: {tampered}")),
    };
    scope(|threads| side_by_side(threads, &mut reader, &mut joined)).map_err(failed)?;
    joined.replay.feed(&reader.rest, |_| {}).map_err(|tampered| failed(tampered.into()))?;
    let replayed = joined.replay.finish().map_err(|tampered| failed(tampered.into()))?;
    Ok((replayed, joined.odd))
}

/// Why nothing more is read.
enum Stopped {
    Read(io::Error),
    Tampered(crate::audit::replay::Tampered),
}

/// The file, and what of it belongs to the next part.
struct Reader {
    file: File,
    rest: Vec<u8>,
    over: bool,
}

/// What all parts come to.
struct Joined<'e, E> {
    replay: Replay,
    odd: Odd,
    each: &'e mut E,
}

/// A thread that looks at parts.
struct Lane {
    give: SyncSender<Part>,
    take: Receiver<Part>,
}

fn side_by_side<'s, E: FnMut(Line<'_>)>(
    threads: &'s Scope<'s, '_>,
    reader: &mut Reader,
    joined: &mut Joined<'_, E>,
) -> Result<(), Stopped> {
    let mut part = Part::default();
    if !reader.next(&mut part)? {
        return Ok(());
    }
    let wanted = if reader.over { 0 } else { available_parallelism().map_or(1, usize::from).min(MOST_LANES) };
    let lanes: Vec<Lane> = (0..wanted).map_while(|_| Lane::open(threads).ok()).collect();
    // A short log, or no threads to be had.
    if lanes.is_empty() {
        loop {
            part.look();
            joined.add(&part)?;
            if !reader.next(&mut part)? {
                return Ok(());
            }
        }
    }
    let mut spare = vec![part];
    // The first part is read already.
    let mut is_more = true;
    let (mut given, mut taken) = (0_usize, 0_usize);
    while is_more || taken < given {
        let full = given.saturating_sub(taken) >= lanes.len().saturating_mul(WAITING);
        if full || !is_more {
            let lane = lanes.get(taken % lanes.len());
            let part = lane.and_then(|lane| lane.take.recv().ok()).ok_or_else(lost)?;
            joined.add(&part)?;
            taken = taken.saturating_add(1);
            spare.push(part);
            continue;
        }
        let mut part = spare.pop().unwrap_or_default();
        if given > 0 {
            is_more = reader.next(&mut part)?;
        }
        if is_more {
            let sent = lanes.get(given % lanes.len()).map(|lane| lane.give.send(part).is_ok());
            sent.filter(|&sent| sent).ok_or_else(lost)?;
            given = given.saturating_add(1);
        }
    }
    Ok(())
}

/// A lane is gone, which only a panic can do.
fn lost() -> Stopped {
    Stopped::Read(io::Error::other("a thread that read it is gone"))
}

impl Lane {
    fn open<'s>(threads: &'s Scope<'s, '_>) -> io::Result<Self> {
        let (give, todo) = sync_channel::<Part>(WAITING);
        let (done, take) = sync_channel(WAITING);
        Builder::new().spawn_scoped(threads, move || {
            for mut part in todo {
                part.look();
                // Nobody waits for the rest once a part was wrong.
                if done.send(part).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { give, take })
    }
}

impl Reader {
    /// Fills a part with whole lines; `false` when there are no more. What stands behind the last line end, or is longer than
    /// any line, stays in `rest`.
    fn next(&mut self, part: &mut Part) -> Result<bool, Stopped> {
        let buffer = part.buffer();
        buffer.append(&mut self.rest);
        let room = AT_ONCE.saturating_sub(buffer.len()) as u64;
        if !self.over && room > 0 {
            let read = self.file.by_ref().take(room).read_to_end(buffer).map_err(Stopped::Read)?;
            self.over = (read as u64) < room;
        }
        let end = memchr::memrchr(b'\n', buffer).map_or(0, |end| end.saturating_add(1));
        self.rest.extend_from_slice(buffer.get(end..).unwrap_or_default());
        buffer.truncate(end);
        Ok(end > 0)
    }
}

impl<E: FnMut(Line<'_>)> Joined<'_, E> {
    fn add(&mut self, part: &Part) -> Result<(), Stopped> {
        if self.odd.is_none() {
            self.odd = part.odd();
        }
        self.replay.add(part, &mut *self.each).map_err(Stopped::Tampered)
    }
}

impl From<crate::audit::replay::Tampered> for Stopped {
    fn from(tampered: crate::audit::replay::Tampered) -> Self {
        Self::Tampered(tampered)
    }
}
