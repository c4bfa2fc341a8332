//! The memory of the threads that call, kept open: most of what a short read costs is to find whose memory it is, and
//! whether this process may look into it.
//!
//! A thread that becomes another program gets another memory, so all are forgotten when one is about to, and that of a
//! process whose further thread is becoming another program is not kept meanwhile. It is read as a debugger reads, also
//! where the thread itself may not. So what is read here may only decide about what the kernel decides again.

use std::ffi::CStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use syscalls::Errno;
use syscalls::notify::{Listener, Memory};
use syscalls::process::Pid;

use super::{Caller, to_page_end};
use crate::supervisor::recorder::{Life, Recorder};

/// Memories that are kept open, and threads whose calls are counted.
const MOST: usize = 32;
/// Calls after which a thread's memory is kept open. Many programs make only a few.
const SEVERAL: u32 = 4;

/// The memory of the threads that called lately.
#[derive(Debug, Default)]
pub(in crate::supervisor::mediate) struct Memories(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    all: Vec<Known>,
    /// Where in it the thread is that called last: most often it calls again.
    last: usize,
}

#[derive(Debug)]
struct Known {
    thread: Pid,
    calls: u32,
    kept: Option<(Life, Arc<Memory>)>,
}

impl Memories {
    /// The string at `address` in the memory of `caller`, which makes a call `now`; `None` where its memory is not kept open, or
    /// the string is none, or a long one. The kernel may find none there, which it reads with the caller's rights.
    pub(in crate::supervisor::mediate) fn string<'b>(
        &self,
        (caller, now): (Caller, Instant),
        (listener, recorder): (&Listener, &Recorder),
        address: u64,
        buffer: &'b mut [u8],
    ) -> Option<&'b CStr> {
        let memory = self.of(caller.thread, now, || {
            if recorder.may_become_another(caller.thread) {
                return Err(Errno::TRY_AGAIN);
            }
            let opened = caller.looking(|| Memory::open(caller.thread))?;
            // Else it may be the memory of the program that its process became meanwhile.
            listener.still_waits(caller.id).map(|()| opened)
        })?;
        let part = buffer.get_mut(..to_page_end(address).min(buffer.len()))?;
        let copied = memory.read(address, part).unwrap_or(0);
        if copied == 0 {
            self.forget_one(caller.thread);
        }
        CStr::from_bytes_until_nul(part.get(..copied)?).ok()
    }

    fn of(&self, thread: Pid, now: Instant, open: impl FnOnce() -> Result<Memory, Errno>) -> Option<Arc<Memory>> {
        let mut state = self.locked();
        let known = state.known(thread);
        if let Some((life, memory)) = &mut known.kept {
            if life.goes_on(now) {
                return Some(Arc::clone(memory));
            }
            (known.kept, known.calls) = (None, 0);
        }
        known.calls += 1;
        if known.calls < SEVERAL {
            return None;
        }
        // In this order: a memory that is older than the life would be another thread's.
        let life = Life::of(thread, now).ok()?;
        let memory = Arc::new(open().ok()?);
        known.kept = Some((life, Arc::clone(&memory)));
        Some(memory)
    }

    /// A process is about to become another program.
    pub(in crate::supervisor::mediate) fn forget(&self) {
        self.locked().all.clear();
    }

    fn forget_one(&self, thread: Pid) {
        self.locked().all.retain(|known| known.thread != thread);
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        // Every change of the state is whole, so a panic elsewhere leaves it usable.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn known(&mut self, thread: Pid) -> &mut Known {
        let is_last = self.all.get(self.last).is_some_and(|known| known.thread == thread);
        if !is_last {
            self.last = self.all.iter().position(|known| known.thread == thread).unwrap_or_else(|| {
                if self.all.len() >= MOST {
                    self.all.remove(0);
                }
                self.all.push(Known { thread, calls: 0, kept: None });
                self.all.len() - 1
            });
        }
        &mut self.all[self.last]
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use syscalls::process::own_thread;

    use super::*;

    #[test]
    fn memory_is_kept_open_from_the_fourth_call_on_until_it_is_forgotten() {
        let memories = Memories::default();
        let ask = || memories.of(own_thread(), Instant::now(), || Memory::open(own_thread()));
        for _ in 0..2 {
            assert!((1..SEVERAL).all(|_| ask().is_none()));
            for text in [*b"one\0", *b"two\0"] {
                let mut buffer = [0; 4];
                let address = std::hint::black_box(&text).as_ptr().addr() as u64;
                assert_eq!(ask().unwrap().read(address, &mut buffer), Ok(4));
                assert_eq!(buffer, text);
            }
            memories.forget();
        }
    }

    #[test]
    fn threads_that_are_gone_make_room() {
        let memories = Memories::default();
        for _ in 0..3 * MOST {
            let ask = || memories.of(own_thread(), Instant::now(), || Memory::open(own_thread())).is_some();
            assert!(thread::scope(|scope| scope.spawn(|| (0..SEVERAL).any(|_| ask())).join().unwrap()));
        }
        assert_eq!(memories.locked().all.len(), MOST);
    }
}
