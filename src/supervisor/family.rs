//! All processes of one run, as a set that one signal reaches.

use std::os::fd::AsFd;

use syscalls::abi::landlock::fs;
use syscalls::credentials::thread::with_more;
use syscalls::credentials::{CapabilitySet, number};
use syscalls::landlock::Ruleset;
use syscalls::process::{self, Pid};
use syscalls::signal::{self, Signal};
use syscalls::{Errno, credentials, file};

use crate::enforce::landlock::family;

/// The calling process and everything it starts from now on.
#[derive(Debug)]
pub(super) struct Family {
    /// Whether a Landlock domain keeps this process's signals inside the family.
    scoped: bool,
}

impl Family {
    /// Makes the calling process the first of a family.
    pub(super) fn found(landlock_abi: u32) -> Result<Self, Errno> {
        let Some((attribute, size)) = family(landlock_abi) else { return Ok(Self { scoped: false }) };
        credentials::set_no_new_privs()?;
        let ruleset = Ruleset::new(&attribute, size)?;
        ruleset.allow_path(file::open_path(c"/")?.as_fd(), fs::REFER)?;
        ruleset.restrict_self()?;
        // The parent is outside: if a signal could reach it, the domain does not hold, and must not be relied on.
        let scoped = match process::parent_id() {
            Some(parent) => signal::may_signal(parent) == Err(Errno::NOT_PERMITTED),
            None => false,
        };
        Ok(Self { scoped })
    }

    /// Kills everything but the calling process, and waits until it is gone.
    pub(super) fn end(&self) {
        // Once more for each that ended: without a domain, whoever was orphaned by the last round is a child only now.
        loop {
            self.kill();
            if process::wait_for_end().is_err() {
                return;
            }
        }
    }

    /// [`Family::end`] for a process that adopts orphans: without a child left it is the last of the family, and
    /// looking through all processes of the machine for others is spared.
    pub(super) fn end_adopted(&self) {
        loop {
            match process::next_change() {
                Ok(Some(_)) => {}
                Ok(None) => return self.end(),
                Err(_) => return,
            }
        }
    }

    fn kill(&self) {
        reaching(|| self.kill_reached());
    }

    fn kill_reached(&self) {
        if self.scoped {
            // ESRCH: they are all dead already and only wait to be reaped.
            let _ = signal::send_to_whole_domain(Signal::KILL);
            return;
        }
        for child in children() {
            let _ = signal::send(child, Signal::KILL);
        }
    }
}

/// Runs `send` with what it takes to signal processes of the family that became another user, where this process has that.
pub(super) fn reaching<R>(send: impl FnOnce() -> R) -> R {
    with_more(CapabilitySet(1 << number::KILL), send)
}

/// The calling process's children, from `/proc/self/task/TID/children` (`proc_tid_children(5)`).
fn children() -> Vec<Pid> {
    let own = process::own_id().number();
    let listed = std::fs::read_to_string(format!("/proc/self/task/{own}/children")).unwrap_or_default();
    listed.split_ascii_whitespace().filter_map(|word| word.parse().ok()).filter_map(Pid::new).collect()
}
