//! Threads that receive notifications at once.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use syscalls::Errno;
use syscalls::abi::Syscall;
use syscalls::file::status_flags;
use syscalls::notify::{Notification, Pending};

use super::resolve::{RealPath, real_path};
use super::waiting::Waiting;
use super::{Mediator, Outcome};

/// How long the relief sleeps between two looks while calls are made.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// Looks in a row that find a call waiting before the relief helps. A single one may be on its way to the receiver.
const TOO_LONG: u32 = 2;
/// Calls that a helper takes before it ends.
const SPELL: u32 = 256;
/// Looks in a row in which nothing is done, although calls wait, before all threads there are count as hanging.
const HANGING: u32 = 25;
/// Helpers at the same time. A file system that does not answer keeps each for as long as its caller waits.
const MOST_HELPERS: u64 = 32;
/// Calls that are received before one is carried out: a call that nobody has received can still be interrupted.
const MOST_TAKEN: u32 = 16;
/// Calls of one thread in a row after which it counts as the only one that calls: then none can wait beside it.
const ALONE: u32 = 64;

/// What receives and answers the program's calls: the receiver, and helpers when it has more than it can do or hangs in one
/// call. They end with the process.
///
/// Where the receiver runs decides most of what a call costs. It takes turns with the caller on the caller's processor
/// (`SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP`, Linux 6.6). For the smallest supervisor there is, on a machine of two processors
/// with other work besides, an open then took 7 us, no more than when both were bound to one processor, which would keep
/// programs of several threads there. Woken anywhere it took up to 1.8 times that; on another processor 6 to 10 times while
/// that was idle, 3 times while it was busy. A second receiver cost a lone caller another change of threads, a quarter to a
/// third of a call, and two callers on idle processors a fifth to a half; where all were busy it took a fifth to a third
/// off for two. So there is one until calls are left waiting. `cargo bench --bench opens -- --wake-ups` measures this.
#[derive(Debug)]
pub(in crate::supervisor) struct Service {
    mediator: Arc<Mediator>,
    waiting: Arc<Waiting>,
    work: Arc<Work>,
}

impl Service {
    /// Starts the receiver. It calls `wake` when whoever has the relief is to look.
    ///
    /// # Errors
    /// `EAGAIN` when there can be no more threads.
    pub(in crate::supervisor) fn start(mediator: Mediator, wake: fn()) -> Result<Self, Errno> {
        // The best effort of a newer kernel; without it only time is lost.
        let _ = mediator.listener.wake_up_synchronously();
        let service = Self { mediator: Arc::new(mediator), waiting: Waiting::prepare()?, work: Arc::default() };
        let (mediator, waiting, work) = service.parts();
        spawn("receiver", move || {
            receive(&mediator, &waiting, &work, wake);
            // The process ends next, and the kernel takes all of its memory back at once.
            std::mem::forget(mediator);
        })?;
        Ok(service)
    }

    /// What its owner is to look at from now on.
    pub(in crate::supervisor) fn relief(self) -> Relief {
        Relief { service: self, seen: 0, found_waiting: 0, idle: 0, done: (0, 0), look_at: None }
    }

    fn parts(&self) -> (Arc<Mediator>, Arc<Waiting>, Arc<Work>) {
        (Arc::clone(&self.mediator), Arc::clone(&self.waiting), Arc::clone(&self.work))
    }
}

fn spawn(name: &str, thread: impl FnOnce() + Send + 'static) -> Result<(), Errno> {
    thread::Builder::new().name(name.to_owned()).spawn(thread).map(drop).map_err(|_| Errno::TRY_AGAIN)
}

/// What the relief knows of the receiver.
#[derive(Debug, Default)]
struct Work {
    /// Grows by one when the receiver takes a call and again when it has answered, so it is odd in between.
    steps: AtomicU64,
    /// Calls that helpers have carried out, and helpers that live.
    helped: AtomicU64,
    helpers: AtomicU64,
    /// The relief sleeps until it is woken.
    asleep: AtomicBool,
    /// Calls that were received and that nobody carries out yet, and how many. A signal interrupts them no more.
    taken: Mutex<VecDeque<Notification>>,
    taken_count: AtomicUsize,
    /// Held from the look whether a call waits until it is received, so that whoever looked does not wait for another.
    taking: Mutex<()>,
}

impl Work {
    fn next_taken(&self) -> Option<Notification> {
        if !self.has_taken() {
            return None;
        }
        self.with_taken(VecDeque::pop_front)
    }

    fn with_taken<R>(&self, change: impl FnOnce(&mut VecDeque<Notification>) -> R) -> R {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut taken);
        self.taken_count.store(taken.len(), Ordering::SeqCst);
        result
    }

    fn has_taken(&self) -> bool {
        self.taken_count.load(Ordering::SeqCst) > 0
    }

    /// Receives the calls that wait, unless the relief is about to.
    fn take(&self, mediator: &Mediator) {
        for _ in 0..MOST_TAKEN {
            let Ok(_taking) = self.taking.try_lock() else { return };
            if mediator.listener.pending() != Pending::Call {
                return;
            }
            match next_call(mediator) {
                Ok(Some(call)) => self.with_taken(|taken| taken.push_back(call)),
                Ok(None) => {}
                Err(_) => return,
            }
        }
    }
}

/// The next call; `None` when it is gone already.
///
/// # Errors
/// When no further call can come.
fn next_call(mediator: &Mediator) -> Result<Option<Notification>, Errno> {
    match mediator.listener.receive() {
        Ok(notification) => Ok(Some(notification)),
        // Without a process that could call, receiving would fail again and again.
        Err(Errno::NOT_FOUND) if mediator.listener.pending() == Pending::Abandoned => Err(Errno::NOT_FOUND),
        // The caller was killed between its call and here, or this thread got a signal.
        Err(Errno::NOT_FOUND | Errno::INTERRUPTED) => Ok(None),
        Err(errno) => Err(errno),
    }
}

fn carry_out(mediator: &Arc<Mediator>, waiting: &Arc<Waiting>, notification: Notification) {
    match mediator.answer(&notification) {
        later @ (Outcome::Asked(_) | Outcome::Slow(_)) => waiting.put_aside(mediator, notification, later),
        outcome @ (Outcome::Fail(_)
        | Outcome::GoOn
        | Outcome::GoOnRecorded
        | Outcome::HandOver { .. }
        | Outcome::Return(_)) => mediator.send(&notification, outcome),
    }
}

/// The life of the receiver.
fn receive(mediator: &Arc<Mediator>, waiting: &Arc<Waiting>, work: &Work, wake: fn()) {
    let (mut last, mut in_a_row) = (None, 0_u32);
    loop {
        let notification = match work.next_taken().map(Some).map_or_else(|| next_call(mediator), Ok) {
            Ok(Some(notification)) => notification,
            Ok(None) => continue,
            Err(_) => return,
        };
        let steps = work.steps.fetch_add(1, Ordering::SeqCst);
        // Once is enough, however long its owner takes to wake up.
        if work.asleep.load(Ordering::SeqCst) && work.asleep.swap(false, Ordering::SeqCst) {
            wake();
        }
        in_a_row = if last == Some(notification.thread) { in_a_row.saturating_add(1) } else { 0 };
        last = Some(notification.thread);
        if in_a_row < ALONE {
            work.take(mediator);
        }
        carry_out(mediator, waiting, notification);
        // Nobody else changes it.
        work.steps.store(steps.wrapping_add(2), Ordering::Release);
    }
}

/// Looks whether calls wait, and starts helpers for them. It carries none out, so that no call can keep it.
#[derive(Debug)]
pub(in crate::supervisor) struct Relief {
    service: Service,
    /// The steps at the last look.
    seen: u64,
    /// Looks in a row that found a call waiting, and in which nothing was done.
    found_waiting: u32,
    idle: u32,
    /// Steps, and calls of helpers, at the last look.
    done: (u64, u64),
    /// `None` while it sleeps until it is woken.
    look_at: Option<Instant>,
}

impl Relief {
    /// Looks, when it is time. Answers with how long its owner may sleep before it calls again: for good while no calls are
    /// made, since the receiver wakes it.
    pub(in crate::supervisor) fn look(&mut self) -> Option<Duration> {
        let now = Instant::now();
        match self.look_at {
            Some(at) if now < at => return Some(at.saturating_duration_since(now)),
            Some(_) => match self.service.mediator.listener.pending() {
                Pending::Abandoned => {
                    self.look_at = None;
                    return None;
                }
                pending @ (Pending::Call | Pending::Nothing) => self.help(pending == Pending::Call),
            },
            None => {}
        }
        let work = &self.service.work;
        let steps = work.steps.load(Ordering::SeqCst);
        if steps == self.seen && steps & 1 == 0 {
            work.asleep.store(true, Ordering::SeqCst);
            // A call that came just now saw it awake.
            if work.steps.load(Ordering::SeqCst) == self.seen {
                self.look_at = None;
                return None;
            }
        }
        work.asleep.store(false, Ordering::SeqCst);
        self.seen = steps;
        self.look_at = Some(now + LOOK_AGAIN);
        Some(LOOK_AGAIN)
    }

    /// Starts a helper where the receiver has had more than it could do for too long.
    fn help(&mut self, call_waits: bool) {
        let work = &self.service.work;
        self.found_waiting = if call_waits || work.has_taken() { self.found_waiting + 1 } else { 0 };
        let done = (work.steps.load(Ordering::SeqCst), work.helped.load(Ordering::SeqCst));
        self.idle = if done == self.done { self.idle + 1 } else { 0 };
        self.done = done;
        if self.found_waiting < TOO_LONG {
            return;
        }
        let helpers = work.helpers.load(Ordering::SeqCst);
        if helpers == 0 || (self.idle >= HANGING && helpers < MOST_HELPERS) {
            self.idle = 0;
            work.helpers.fetch_add(1, Ordering::SeqCst);
            let (own_mediator, own_waiting, own_work) = self.service.parts();
            let helper = spawn("helper", move || {
                help(&own_mediator, &own_waiting, &own_work);
                own_work.helpers.fetch_sub(1, Ordering::SeqCst);
            });
            if helper.is_err() {
                work.helpers.fetch_sub(1, Ordering::SeqCst);
            }
        }
        // One look that finds another call waiting is enough to go on.
        self.found_waiting = TOO_LONG - 1;
    }
}

/// The life of a helper: the calls that wait, and for as long as the receiver hangs every other one.
fn help(mediator: &Arc<Mediator>, waiting: &Arc<Waiting>, work: &Work) {
    let seen = work.steps.load(Ordering::SeqCst);
    let hangs = || seen & 1 == 1 && work.steps.load(Ordering::SeqCst) == seen;
    for count in 0_u32.. {
        if count >= SPELL && !hangs() {
            return;
        }
        let taken = work.next_taken();
        let call = taken.map_or_else(
            || {
                let _taking = work.taking.lock().unwrap_or_else(PoisonError::into_inner);
                let waits = mediator.listener.pending() == Pending::Call;
                if waits || hangs() { next_call(mediator) } else { Err(Errno::TRY_AGAIN) }
            },
            |notification| Ok(Some(notification)),
        );
        match call {
            Ok(Some(notification)) => carry_out(mediator, waiting, notification),
            Ok(None) => {}
            Err(_) => return,
        }
        work.helped.fetch_add(1, Ordering::SeqCst);
    }
}

impl Mediator {
    /// Records the outcome and sends the answer. Nobody waits for it any more when that fails.
    pub(super) fn send(&self, notification: &Notification, outcome: Outcome) {
        let id = notification.id;
        let _ = match self.recorded(notification, outcome) {
            Outcome::Fail(errno) => self.listener.answer(id, Err(errno)),
            Outcome::GoOn | Outcome::GoOnRecorded => self.listener.go_on(id),
            Outcome::HandOver { file, close_on_exec, alone } => {
                self.hand_over(notification, file, close_on_exec, alone)
            }
            Outcome::Return(value) => self.listener.answer(id, Ok(value)),
            // Slow calls were unwound before they came here.
            Outcome::Asked(_) | Outcome::Slow(_) => self.listener.answer(id, Err(Errno::TRY_AGAIN)),
        };
    }

    fn hand_over(
        &self,
        notification: &Notification,
        file: OwnedFd,
        close_on_exec: bool,
        alone: bool,
    ) -> Result<(), Errno> {
        let id = notification.id;
        let handed = if alone {
            self.listener.add(id, file.as_fd(), close_on_exec)
        } else {
            self.listener.hand_over(id, file.as_fd(), close_on_exec).map(|()| 0)
        };
        match handed {
            Ok(number) if alone => {
                drop(file);
                self.listener.answer(id, Ok(number))
            }
            Ok(_) | Err(Errno::NOT_FOUND) => Ok(()),
            // Such as a full table of descriptors: the caller's error, and never a reason to let the call through.
            Err(errno) => {
                if let Ok(RealPath::Path(real)) = real_path(&file) {
                    let call = Syscall::numbered(notification.number);
                    let flags = status_flags(file.as_fd()).ok();
                    // When nothing can be written any more the run ends by that.
                    let _ = self.recorder.not_taken(&real, (call, flags), errno);
                }
                self.listener.answer(id, Err(errno))
            }
        }
    }
}
