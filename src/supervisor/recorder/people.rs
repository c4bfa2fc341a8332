//! Who makes the calls: looked up once for each thread, and again when it has become another program.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use syscalls::Errno;
use syscalls::process::{Pid, ThreadHandle};

use super::Recorder;
use crate::approval::Process;
use crate::audit::record::Fields;

/// Threads that are remembered; each holds a descriptor.
const MOST: usize = 128;
/// How long a thread that was seen alive counts as alive. Its number is another's only after as many threads were started as
/// there are numbers, which takes many times as long.
const SURE: Duration = Duration::from_micros(100);
/// The threads that are known.
#[derive(Debug, Default)]
pub(super) struct People(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    known: HashMap<i32, Person>,
    becoming: Vec<Becoming>,
    /// Grows with each process that is about to become another program.
    changes: u64,
    /// There were more of these than can be looked after.
    lost_count: bool,
    /// A thread may be another user with each call.
    users_change: bool,
}

/// A process, one of whose further threads starts another program. Until that has happened the others still look as before,
/// and so nothing is remembered of them.
#[derive(Debug)]
struct Becoming {
    process: i32,
    by: i32,
    /// It is gone once the program is another, and goes on where that failed.
    handle: ThreadHandle,
}

#[derive(Debug)]
struct Person {
    life: Life,
    process: i32,
    described: Vec<u8>,
}

/// A thread, and when it was seen last. While it lives its number is not another's.
#[derive(Debug)]
pub(in crate::supervisor) struct Life {
    handle: ThreadHandle,
    seen: Instant,
}

impl Recorder {
    /// The process of `thread`, which `find` finds, is about to become another program.
    pub(in crate::supervisor) fn becomes_another(&self, thread: Pid, find: impl FnOnce() -> Option<Pid>) {
        self.people.forget(thread, find);
    }

    /// Whether `thread`, which makes a call, may be another program's soon, with another memory.
    pub(in crate::supervisor) fn may_become_another(&self, thread: Pid) -> bool {
        self.people.is_becoming(thread)
    }

    /// The program may become other users while it runs.
    pub(in crate::supervisor) fn users_may_change(&self) {
        self.people.may_change();
    }
}

impl People {
    /// From now on a thread may be another user with each call, so nothing is remembered.
    pub(super) fn may_change(&self) {
        self.locked().users_change = true;
    }

    /// Shows the JSON object that describes the process of `thread`, which waits for an answer; nothing where `look` finds that
    /// it does not any more. `now` is the time.
    pub(super) fn describe<R>(
        &self,
        thread: Pid,
        now: Instant,
        look: impl FnOnce() -> Option<Process>,
        show: impl FnOnce(Option<&[u8]>) -> R,
    ) -> R {
        let (becoming, changes) = {
            let mut state = self.locked();
            let person = state.known.get_mut(&thread.number());
            if let Some(person) = person.and_then(|person| person.life.goes_on(now).then_some(person)) {
                return show(Some(&person.described));
            }
            (state.becoming(thread), state.changes)
        };
        let Some(process) = look() else { return show(None) };
        let described = described(&process);
        let shown = show(Some(&described));
        // What was read while it became another may be of either.
        if !becoming.contains(&process.pid) {
            self.remember(thread, now, (process.pid, changes), described);
        }
        shown
    }

    fn remember(&self, thread: Pid, now: Instant, (process, changes): (i32, u64), described: Vec<u8>) {
        let Ok(life) = Life::of(thread, now) else { return };
        let mut state = self.locked();
        if state.users_change || state.lost_count || state.changes != changes {
            return;
        }
        if state.known.len() >= MOST {
            state.known.retain(|_, person| person.life.handle.is_alive());
        }
        if state.known.len() >= MOST {
            state.known.clear();
        }
        state.known.insert(thread.number(), Person { life, process, described });
    }

    /// The process of `thread`, which `find` finds, is about to become another program.
    pub(super) fn forget(&self, thread: Pid, find: impl FnOnce() -> Option<Pid>) {
        let process = self.locked().known.get(&thread.number()).map(|person| person.process);
        let Some(process) = process.or_else(|| find().map(Pid::number)) else { return };
        let mut state = self.locked();
        state.changes = state.changes.wrapping_add(1);
        state.known.retain(|_, person| person.process != process);
        if process == thread.number() {
            return;
        }
        match ThreadHandle::open(thread) {
            Ok(handle) if state.becoming(thread).len() < MOST => {
                state.becoming.push(Becoming { process, by: thread.number(), handle });
            }
            // It is gone, or there are too many to look after.
            Ok(_) => state.lost_count = true,
            Err(_) => {}
        }
    }

    /// Whether `thread`, which makes a call, may be another program's soon, with another memory.
    pub(super) fn is_becoming(&self, thread: Pid) -> bool {
        let mut state = self.locked();
        state.lost_count || !state.becoming.is_empty() && state.becoming(thread).contains(&thread.number())
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        // Every change of the state is whole, so a panic elsewhere leaves it usable.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The processes that are becoming other programs; not by `thread`, which makes a call.
    fn becoming(&mut self, thread: Pid) -> Vec<i32> {
        self.becoming.retain(|becoming| becoming.by != thread.number() && becoming.handle.is_alive());
        self.becoming.iter().map(|becoming| becoming.process).collect()
    }
}

impl Life {
    /// The life of `thread`, which makes a call `now`.
    ///
    /// # Errors
    /// Those of [`ThreadHandle::open`].
    pub(in crate::supervisor) fn of(thread: Pid, now: Instant) -> Result<Self, Errno> {
        Ok(Self { handle: ThreadHandle::open(thread)?, seen: now })
    }

    /// Whether it has not ended, as far as it is known `now`.
    pub(in crate::supervisor) fn goes_on(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.seen) < SURE {
            return true;
        }
        let is_alive = self.handle.is_alive();
        if is_alive {
            self.seen = now;
        }
        is_alive
    }
}

fn described(process: &Process) -> Vec<u8> {
    let mut out = vec![b'{'];
    let number = |number: i32| u64::try_from(number).unwrap_or(0);
    let mut fields = Fields::new(&mut out);
    fields.number("pid", number(process.pid));
    fields.number("parent", number(process.parent));
    if let Some(executable) = &process.executable {
        fields.remark("executable", executable.as_bytes());
    }
    fields.number("user", u64::from(process.user));
    out.push(b'}');
    out
}
