//! Calls that wait: for an answer to a question, for the other end of a FIFO, for a device. Each waits on a thread of its
//! own, and only as long as its caller does.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use syscalls::Errno;
use syscalls::notify::Notification;
use syscalls::process::{self, Pid};
use syscalls::signal::{self, Signal};

use super::caller::Caller;
use super::{Mediator, Outcome};

/// Calls that may wait at the same time. More than these are refused.
const MOST: usize = 1024;
/// How often it is looked whether a caller still waits, and whether a signal is there for it.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// What ends a call that waits in this process.
const INTERRUPT: Signal = Signal::URGENT;

/// The calls that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    state: Mutex<State>,
    added: Condvar,
}

#[derive(Debug, Default)]
struct State {
    count: usize,
    is_watched: bool,
    /// Whose call each thread carries out.
    callers: BTreeMap<i32, Caller>,
}

impl Waiting {
    /// Prepares for calls that wait; most runs have none, so no thread is started yet.
    ///
    /// # Errors
    /// Those of `sigaction(2)`.
    pub(super) fn prepare() -> Result<Arc<Self>, Errno> {
        signal::let_interrupt(INTERRUPT)?;
        Ok(Arc::new(Self::default()))
    }

    /// Lets a slow call wait on a thread of its own.
    pub(super) fn put_aside(self: &Arc<Self>, mediator: &Arc<Mediator>, notification: Notification, later: Outcome) {
        if self.count_in(mediator).is_err() {
            return mediator.send(&notification, Outcome::Fail(Errno::TRY_AGAIN));
        }
        let (waiting, own) = (Arc::clone(self), Arc::clone(mediator));
        let worker = thread::Builder::new().name("waiting".to_owned()).stack_size(256 << 10);
        let started = worker.spawn(move || {
            let outcome = waiting.carry_out(&own, &notification, later);
            waiting.locked().count -= 1;
            own.send(&notification, outcome);
        });
        if started.is_err() {
            self.locked().count -= 1;
            mediator.send(&notification, Outcome::Fail(Errno::TRY_AGAIN));
        }
    }

    /// Counts one more call, and starts the thread that looks after them with the first.
    ///
    /// # Errors
    /// `EAGAIN` when there are too many, or there can be no more threads.
    fn count_in(self: &Arc<Self>, mediator: &Arc<Mediator>) -> Result<(), Errno> {
        let mut state = self.locked();
        if state.count >= MOST {
            return Err(Errno::TRY_AGAIN);
        }
        if !state.is_watched {
            let (own, mediator) = (Arc::clone(self), Arc::clone(mediator));
            let watcher = thread::Builder::new().name("watcher".to_owned()).stack_size(128 << 10);
            watcher.spawn(move || own.watch(&mediator)).map_err(|_| Errno::TRY_AGAIN)?;
            state.is_watched = true;
        }
        state.count += 1;
        Ok(())
    }

    fn carry_out(&self, mediator: &Mediator, notification: &Notification, later: Outcome) -> Outcome {
        let thread = process::own_thread().number();
        let caller = mediator.caller(notification);
        self.locked().callers.insert(thread, caller);
        self.added.notify_one();
        let mut outcome = later;
        let outcome = loop {
            outcome = match outcome {
                Outcome::Asked(ask) => ask(),
                Outcome::Slow(act) => mediator.as_caller(caller, act),
                Outcome::Fail(_)
                | Outcome::GoOn
                | Outcome::GoOnRecorded
                | Outcome::HandOver { .. }
                | Outcome::Return(_) => break outcome,
            };
        };
        // Under the lock, so that no other thread of the same number is interrupted.
        self.locked().callers.remove(&thread);
        // The signal was the caller's, and whether the call is made again is for its handler to say.
        if matches!(outcome, Outcome::Fail(Errno::INTERRUPTED)) { Outcome::Fail(Errno::RESTART) } else { outcome }
    }

    /// Interrupts threads whose callers wait no more. One that was not waiting yet is interrupted again.
    fn watch(&self, mediator: &Mediator) {
        loop {
            let state = self.locked();
            let state = self.added.wait_while(state, |state| state.callers.is_empty());
            let state = state.unwrap_or_else(PoisonError::into_inner);
            for (&thread, caller) in &state.callers {
                let is_over = mediator.listener.still_waits(caller.id).is_err() || caller.has_signal();
                if let (true, Some(thread)) = (is_over, Pid::new(thread)) {
                    // It is there until it has taken itself off the list.
                    let _ = signal::send_to_own_thread(thread, INTERRUPT);
                }
            }
            drop(state);
            thread::sleep(LOOK_AGAIN);
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        // Every change of the state is whole, so a panic elsewhere leaves it usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
