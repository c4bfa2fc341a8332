//! Who makes the calls: looked up once for each thread, and again when it has become another program.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use syscalls::Errno;
use syscalls::process::{Pid, ThreadHandle};

use crate::approval::Process;
use crate::audit::record::Fields;

/// Threads that are remembered; each holds a descriptor.
const MOST: usize = 128;
/// How long a thread that was seen alive counts as alive. Its number is another's only after as many threads were started as
/// there are numbers, which takes many times as long.
const SURE: Duration = Duration::from_micros(100);
/// How long nothing is remembered of a process, one of whose further threads starts another program: until that has
/// happened, the others still look as before.
const UNSETTLED: Duration = Duration::from_secs(1);

/// The threads that are known.
#[derive(Debug, Default)]
pub(super) struct People(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    known: HashMap<i32, Person>,
    unsettled: Vec<(i32, Instant)>,
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

impl People {
    /// Shows the JSON object that describes the process of `thread`, which waits for an answer. `now` is the time.
    pub(super) fn describe<R>(
        &self,
        thread: Pid,
        now: Instant,
        look: impl FnOnce() -> Process,
        show: impl FnOnce(&[u8]) -> R,
    ) -> R {
        {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let person = state.known.get_mut(&thread.number());
            if let Some(person) = person.and_then(|person| person.life.goes_on(now).then_some(person)) {
                return show(&person.described);
            }
        }
        let process = look();
        let described = described(&process);
        let shown = show(&described);
        self.remember(thread, now, process.pid, described);
        shown
    }

    fn remember(&self, thread: Pid, now: Instant, process: i32, described: Vec<u8>) {
        let Ok(life) = Life::of(thread, now) else { return };
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.unsettled.retain(|(_, since)| since.elapsed() < UNSETTLED);
        if state.unsettled.iter().any(|(unsettled, _)| *unsettled == process) {
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

    /// The process of `thread` is about to become another program.
    pub(super) fn forget(&self, thread: Pid) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(process) = state.known.get(&thread.number()).map(|person| person.process) else { return };
        state.known.retain(|_, person| person.process != process);
        if process != thread.number() {
            state.unsettled.push((process, Instant::now()));
        }
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
