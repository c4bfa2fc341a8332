//! One moment until which an answer is worth having, for everything that is done to get it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Failure;

/// How long a wait may last before it is looked up whether the question still stands.
const STEP: Duration = Duration::from_millis(50);

/// Set when an answer is of no use any more: another has come, or whoever asked is gone.
#[derive(Debug, Default)]
pub struct Cancelled(AtomicBool);

/// The moment, and whoever may withdraw the question before.
#[derive(Clone, Copy, Debug)]
pub struct Deadline<'c> {
    until: Instant,
    cancelled: &'c Cancelled,
}

/// A stream whose every wait ends with the deadline, however slowly the bytes come.
#[derive(Debug)]
pub(crate) struct Timed<'c, S> {
    stream: S,
    deadline: Deadline<'c>,
}

/// A stream that can be told how long one call may wait.
pub(crate) trait Waits: Read + Write {
    fn wait_at_most(&self, time: Duration) -> io::Result<()>;
}

/// A stream with a deadline that can be brought forward.
pub(crate) trait Hurries: Read + Write {
    fn hurry(&mut self, time: Duration);
}

impl Cancelled {
    /// Withdraws the question.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl<'c> Deadline<'c> {
    pub fn new(until: Instant, cancelled: &'c Cancelled) -> Self {
        Self { until, cancelled }
    }

    /// What is left of the time.
    ///
    /// # Errors
    /// Codes `deadline` and `cancelled`: there is nothing left to wait for.
    pub fn left(&self) -> Result<Duration, Failure> {
        if self.cancelled.is_cancelled() {
            return Err(Failure::new("cancelled", "the question was withdrawn"));
        }
        match self.until.checked_duration_since(Instant::now()) {
            Some(left) if !left.is_zero() => Ok(left),
            _ => Err(Failure::new("deadline", "there was no answer in time")),
        }
    }

    /// How long to wait before looking again.
    pub(crate) fn step(&self) -> Result<Duration, Failure> {
        self.left().map(|left| left.min(STEP))
    }

    /// Waits for `time`; not at all when the deadline comes before.
    ///
    /// # Errors
    /// Those of [`Deadline::left`].
    pub(crate) fn sleep(&self, time: Duration) -> Result<(), Failure> {
        if self.left()? <= time {
            return Err(Failure::new("deadline", "the next try would come after the deadline"));
        }
        let end = Instant::now() + time;
        while let Some(rest) = end.checked_duration_since(Instant::now()).filter(|rest| !rest.is_zero()) {
            std::thread::sleep(self.step()?.min(rest));
        }
        Ok(())
    }
}

impl<'c, S: Waits> Timed<'c, S> {
    pub(crate) fn new(stream: S, deadline: Deadline<'c>) -> Self {
        Self { stream, deadline }
    }

    /// The call, repeated until something happens or the time is over.
    fn until_done(&mut self, mut call: impl FnMut(&mut S) -> io::Result<usize>) -> io::Result<usize> {
        loop {
            let step = self.deadline.step().map_err(io::Error::other)?;
            self.stream.wait_at_most(step)?;
            match call(&mut self.stream) {
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::Interrupted | io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
                    ) => {}
                other => return other,
            }
        }
    }
}

impl<S: Waits> Hurries for Timed<'_, S> {
    fn hurry(&mut self, time: Duration) {
        self.deadline.until = self.deadline.until.min(Instant::now() + time);
    }
}

impl<S: Waits> Read for Timed<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.until_done(|stream| stream.read(buffer))
    }
}

impl<S: Waits> Write for Timed<'_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.until_done(|stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        // Sockets have nothing to flush.
        Ok(())
    }
}

impl Waits for TcpStream {
    fn wait_at_most(&self, time: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(time))?;
        self.set_write_timeout(Some(time))
    }
}

impl Waits for UnixStream {
    fn wait_at_most(&self, time: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(time))?;
        self.set_write_timeout(Some(time))
    }
}
