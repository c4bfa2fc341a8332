//! Who may use the terminal now, and how long a question may take.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::unanswered::Unanswered;
use crate::approval::Cancelled;

/// The longest wait between two looks at whether the question still stands.
const STEP: Duration = Duration::from_millis(100);

/// What ends a question that nobody answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience<'a> {
    pub(super) deadline: Instant,
    pub(super) cancelled: &'a Cancelled,
    pub(super) closed: &'a AtomicBool,
}

/// One question at a time has the terminal.
#[derive(Debug, Default)]
pub(super) struct Turns {
    busy: Mutex<bool>,
    freed: Condvar,
}

/// The terminal is this question's until the value is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a>(&'a Turns);

impl Patience<'_> {
    /// How long the next wait may be, or why there is none.
    ///
    /// # Errors
    /// Withdrawn, ended, or out of time.
    pub(super) fn step(&self) -> Result<Duration, Unanswered> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Unanswered::Ended);
        }
        if self.cancelled.is_cancelled() {
            return Err(Unanswered::Withdrawn);
        }
        let left = self.left();
        if left.is_zero() { Err(Unanswered::TooLate) } else { Ok(left.min(STEP)) }
    }

    /// The time to the deadline.
    pub(super) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

impl Turns {
    /// Waits until no other question has the terminal.
    ///
    /// # Errors
    /// The question's patience ended first.
    pub(super) fn take(&self, patience: &Patience<'_>) -> Result<Turn<'_>, Unanswered> {
        let mut busy = self.lock();
        loop {
            let step = patience.step()?;
            if !*busy {
                *busy = true;
                return Ok(Turn(self));
            }
            busy = self.freed.wait_timeout(busy, step).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until no question has the terminal.
    pub(super) fn wait_until_free(&self) {
        let mut busy = self.lock();
        while *busy {
            busy = self.freed.wait(busy).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.lock() = false;
        self.0.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_question_waits_and_gives_up_at_its_own_deadline() {
        let (turns, cancelled, closed) = (Turns::default(), Cancelled::default(), AtomicBool::new(false));
        let patience = |millis| Patience {
            deadline: Instant::now() + Duration::from_millis(millis),
            cancelled: &cancelled,
            closed: &closed,
        };
        let first = turns.take(&patience(1000)).unwrap();
        assert_eq!(turns.take(&patience(30)).unwrap_err(), Unanswered::TooLate);
        drop(first);
        assert!(turns.take(&patience(1000)).is_ok());
    }

    #[test]
    fn a_withdrawn_question_and_an_ended_run_are_told_apart() {
        let (cancelled, closed) = (Cancelled::default(), AtomicBool::new(false));
        let patience =
            Patience { deadline: Instant::now() + Duration::from_secs(9), cancelled: &cancelled, closed: &closed };
        assert!(patience.step().is_ok_and(|step| step <= STEP));
        cancelled.cancel();
        assert_eq!(patience.step(), Err(Unanswered::Withdrawn));
        closed.store(true, Ordering::Release);
        assert_eq!(patience.step(), Err(Unanswered::Ended));
    }
}
