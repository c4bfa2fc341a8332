//! Records on their way to the disk: appended to one buffer, taken from it in batches, waited for where it matters.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::LogError;
use crate::audit::record::When;
use crate::audit::record::time::Moment;

/// Bytes that wait to be written before whoever adds to them waits as well.
const MOST_PENDING: usize = 4 << 20;
/// Bytes for which the writer is not let sleep any longer.
const ENOUGH: usize = 256 << 10;
/// How long records are gathered before they are written.
const GATHERED_FOR: Duration = Duration::from_millis(10);
/// Kinds of frames, and what stands in each before the fields.
const COUNTED: u8 = 0;
const WRITTEN: u8 = 1;
const SETTLE: u8 = 2;
const HEAD: usize = 1 + 4 + 8 + 4 + 8;

/// The log cannot be written any more: nothing further may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

/// The queue to the thread that writes.
#[derive(Debug)]
pub struct Log {
    queue: Arc<Queue>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// There is something to do for the writer.
    wanted: Condvar,
    /// The writer has taken or synced something.
    done: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// What [`frames()`] takes apart.
    pending: Vec<u8>,
    /// Records that were added, and of these, those that are durable.
    added: u64,
    durable: u64,
    /// Up to which record somebody waits for.
    awaited: u64,
    ended: bool,
    /// Why nothing can be written any more.
    lost: Option<String>,
    writer_waits: WriterWaits,
}

/// What the writer is to be woken for. Whoever wakes it sets [`WriterWaits::No`], so that nobody wakes it a second time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum WriterWaits {
    /// It works, or was woken.
    #[default]
    No,
    /// Anything to write.
    ForAnything,
    /// It gathers: only a lot of records is news to it.
    ForMuch,
}

/// What becomes of records with the same fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// The first of a second are written, the rest is counted together.
    Counted,
    Written,
}

/// What the writer finds in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame<'f> {
    Record {
        when: When,
        fields: &'f [u8],
        repeats: Repeats,
    },
    /// What was only counted so far comes before whatever follows.
    Settle,
}

/// What the writer has to do next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch {
    /// Records that were added before this batch was taken.
    pub(super) added: u64,
    /// Somebody waits until they are durable.
    pub(super) awaited: bool,
    /// Nothing comes after this.
    pub(super) last: bool,
}

impl Log {
    pub(super) fn new(queue: Arc<Queue>, writer: JoinHandle<()>) -> Self {
        Self { queue, writer: Mutex::new(Some(writer)) }
    }

    /// Adds a record with the fields that `parts` come to, among which the time is not. Returns the number to wait for.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn append(&self, when: When, parts: &[&[u8]], repeats: Repeats) -> Result<u64, Lost> {
        self.queue.append(when, parts, repeats)
    }

    /// Waits until the record of that number is on the disk.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn wait(&self, number: u64) -> Result<(), Lost> {
        self.queue.wait(number)
    }

    /// Whether records can be added.
    pub fn is_writable(&self) -> bool {
        self.queue.locked().lost.is_none()
    }

    /// Why nothing can be written any more, once that is so.
    pub fn lost(&self) -> Option<String> {
        self.queue.locked().lost.clone()
    }

    /// Adds what was only counted so far.
    pub fn settle(&self) {
        self.queue.locked().push(SETTLE, When::default(), &[]);
    }

    /// Writes what is left and signs the whole.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn end(&self) -> Result<(), Lost> {
        self.queue.end();
        // A writer that panicked has lost the log.
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let writer = writer.map_or(Ok(()), JoinHandle::join);
        if writer.is_err() || self.queue.locked().lost.is_some() { Err(Lost) } else { Ok(()) }
    }
}

impl Queue {
    fn append(&self, when: When, parts: &[&[u8]], repeats: Repeats) -> Result<u64, Lost> {
        let mut state = self.locked();
        while state.pending.len() >= MOST_PENDING && state.lost.is_none() {
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.lost.is_some() || state.ended {
            return Err(Lost);
        }
        let kind = match repeats {
            Repeats::Counted => COUNTED,
            Repeats::Written => WRITTEN,
        };
        state.push(kind, when, parts);
        let news = match state.writer_waits {
            WriterWaits::No => false,
            WriterWaits::ForAnything => true,
            WriterWaits::ForMuch => state.pending.len() >= ENOUGH,
        };
        if news {
            state.writer_waits = WriterWaits::No;
        }
        let added = state.added;
        drop(state);
        if news {
            self.wanted.notify_one();
        }
        Ok(added)
    }

    fn wait(&self, number: u64) -> Result<(), Lost> {
        let mut state = self.locked();
        state.awaited = state.awaited.max(number);
        self.wanted.notify_one();
        while state.durable < number && state.lost.is_none() {
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.lost.is_some() { Err(Lost) } else { Ok(()) }
    }

    fn end(&self) {
        let mut state = self.locked();
        state.ended = true;
        self.wanted.notify_one();
    }

    /// Waits for something to do, and puts the frames into `taken`, whose old content is thrown away. Without anything to
    /// write it answers at `until`.
    pub(super) fn take(&self, taken: &mut Vec<u8>, until: Option<Instant>) -> Batch {
        taken.clear();
        let mut state = self.locked();
        while state.pending.is_empty() && !state.ended && state.awaited <= state.durable {
            let wait = until.map(|until| until.saturating_duration_since(Instant::now()));
            if wait == Some(Duration::ZERO) {
                break;
            }
            state.writer_waits = WriterWaits::ForAnything;
            state = match wait {
                Some(wait) => self.wanted.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0,
                None => self.wanted.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
            state.writer_waits = WriterWaits::No;
        }
        let gathers =
            |state: &mut State| state.pending.len() < ENOUGH && !state.ended && state.awaited <= state.durable;
        if !state.pending.is_empty() {
            state.writer_waits = WriterWaits::ForMuch;
            let waited = self.wanted.wait_timeout_while(state, GATHERED_FOR, gathers);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.writer_waits = WriterWaits::No;
        }
        std::mem::swap(&mut state.pending, taken);
        self.done.notify_all();
        Batch { added: state.added, awaited: state.awaited > state.durable, last: state.ended }
    }

    /// Everything up to record `number` is on the disk.
    pub(super) fn synced(&self, number: u64) {
        let mut state = self.locked();
        state.durable = number;
        self.done.notify_all();
    }

    /// Nothing can be written any more.
    pub(super) fn lose(&self, why: &LogError) {
        self.locked().lost = Some(why.to_string());
        self.done.notify_all();
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        // Every change of the state is whole, so a panic elsewhere leaves it usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, kind: u8, when: When, parts: &[&[u8]]) {
        let bytes = parts.iter().fold(0_usize, |sum, part| sum.saturating_add(part.len()));
        let length = u32::try_from(bytes).unwrap_or(u32::MAX);
        let elapsed = u64::try_from(when.elapsed.as_micros()).unwrap_or(u64::MAX);
        self.pending.reserve(HEAD.saturating_add(bytes));
        self.pending.push(kind);
        self.pending.extend_from_slice(&length.to_ne_bytes());
        self.pending.extend_from_slice(&when.moment.seconds.to_ne_bytes());
        self.pending.extend_from_slice(&when.moment.nanoseconds.to_ne_bytes());
        self.pending.extend_from_slice(&elapsed.to_ne_bytes());
        parts.iter().for_each(|part| self.pending.extend_from_slice(part));
        self.added = self.added.saturating_add(1);
    }
}

/// The frames of a batch: what kind each is, the length of its fields, the time, and the fields.
pub(super) fn frames(mut taken: &[u8]) -> impl Iterator<Item = Frame<'_>> {
    std::iter::from_fn(move || {
        let (&[kind], rest) = taken.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (seconds, rest) = rest.split_first_chunk()?;
        let (nanoseconds, rest) = rest.split_first_chunk()?;
        let (elapsed, rest) = rest.split_first_chunk()?;
        let (fields, rest) = rest.split_at_checked(usize::try_from(u32::from_ne_bytes(*length)).ok()?)?;
        taken = rest;
        let repeats = match kind {
            COUNTED => Repeats::Counted,
            WRITTEN => Repeats::Written,
            _ => return Some(Frame::Settle),
        };
        let moment = Moment { seconds: u64::from_ne_bytes(*seconds), nanoseconds: u32::from_ne_bytes(*nanoseconds) };
        let elapsed = Duration::from_micros(u64::from_ne_bytes(*elapsed));
        Some(Frame::Record { when: When { moment, elapsed }, fields, repeats })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writer_is_woken_once_for_what_it_waits_for() {
        let queue = Queue::default();
        let wakes = |waits: WriterWaits, fields: &[u8]| {
            queue.locked().writer_waits = waits;
            queue.append(When::default(), &[fields], Repeats::Counted).unwrap();
            queue.locked().writer_waits == WriterWaits::No
        };
        assert!(wakes(WriterWaits::ForAnything, b"first"));
        assert!(!wakes(WriterWaits::ForMuch, b"second"));
        assert!(wakes(WriterWaits::ForMuch, &vec![b' '; ENOUGH]));
    }

    #[test]
    fn a_batch_has_what_was_added() {
        let queue = Queue::default();
        let when = |seconds| When {
            moment: Moment { seconds, nanoseconds: 999_999_999 },
            elapsed: Duration::from_micros(seconds),
        };
        queue.append(when(1), &[b"o", b"", b"ne"], Repeats::Counted).unwrap();
        queue.locked().push(SETTLE, When::default(), &[]);
        queue.append(when(u64::MAX), &[], Repeats::Written).unwrap();
        let mut taken = b"old".to_vec();
        assert_eq!(queue.take(&mut taken, None).added, 3);
        let expected = [
            Frame::Record { when: when(1), fields: b"one", repeats: Repeats::Counted },
            Frame::Settle,
            Frame::Record { when: when(u64::MAX), fields: b"", repeats: Repeats::Written },
        ];
        assert_eq!(frames(&taken).collect::<Vec<_>>(), expected);
    }
}
