//! Who the caller is by now: a process with `setuid`, `setgid` or another capability may have changed its user, its groups
//! or its capabilities, each thread for itself. What is done for it is done as what it has become.

use syscalls::credentials::thread::{self, Identity};
use syscalls::credentials::{self, CapabilitySet, number};
use syscalls::notify::Listener;
use syscalls::{Errno, process};

use super::{Caller, status_of};

/// What it takes to become what a caller has become.
const TO_BECOME: CapabilitySet = set(&[number::SETGID, number::SETUID]);
/// What it takes to look into a process that has become somebody else: at its memory and descriptors, and whether it is of
/// this run.
const TO_LOOK: CapabilitySet = set(&[number::DAC_READ_SEARCH, number::KILL, number::SYS_PTRACE]);

/// What this process is, and what it may become for a caller.
#[derive(Debug)]
pub(in crate::supervisor) struct Powers {
    own: Identity,
    permitted: CapabilitySet,
    /// Raised for as long as it is looked into the caller.
    to_look: CapabilitySet,
    may_differ: bool,
}

impl Powers {
    /// Gives up every power of this process that the program does not keep. Where the program may become another user, what
    /// it takes to follow stays, without effect until it is needed.
    ///
    /// # Errors
    /// `EPERM` when the program is to keep a capability that this process lacks.
    pub(in crate::supervisor) fn shared_with(kept: CapabilitySet) -> Result<Self, Errno> {
        let changes_user = kept.0 & TO_BECOME.0 != 0;
        let (_, had) = thread::capabilities()?;
        let extra =
            if changes_user { CapabilitySet(had.0 & (TO_BECOME.0 | TO_LOOK.0)) } else { CapabilitySet::default() };
        credentials::keep_capabilities_permitting(kept, extra)?;
        let (_, permitted) = thread::capabilities()?;
        let own = read("thread-self").ok_or(Errno::NOT_FOUND)?;
        let to_look = if changes_user { TO_LOOK } else { CapabilitySet::default() };
        Ok(Self { own, permitted, to_look, may_differ: kept.0 != 0 })
    }

    /// Whether a caller can be anything but what this process is.
    pub(in crate::supervisor::mediate) fn may_differ(&self) -> bool {
        self.may_differ
    }

    pub(in crate::supervisor::mediate) fn to_look(&self) -> CapabilitySet {
        self.to_look
    }

    /// Runs `act` with the users, groups and capabilities of `caller`, and no more.
    ///
    /// # Errors
    /// `ESRCH` when the caller is gone, `EPERM` when this process may not become what it is.
    pub(in crate::supervisor::mediate) fn as_caller<R>(
        &self,
        caller: Caller,
        listener: &Listener,
        act: impl FnOnce() -> R,
    ) -> Result<R, Errno> {
        if !self.may_differ {
            return Ok(act());
        }
        let identity = read(&caller.thread.number().to_string()).ok_or(Errno::NO_SUCH_PROCESS)?;
        listener.still_waits(caller.id).map_err(|_| Errno::NO_SUCH_PROCESS)?;
        if identity == self.own {
            return Ok(act());
        }
        let own_again = OwnAgain(self);
        let result = identity.assume(self.permitted).map(|()| act());
        drop(own_again);
        result
    }
}

/// Makes the thread what it was, also when what it did panicked.
struct OwnAgain<'p>(&'p Powers);

impl Drop for OwnAgain<'_> {
    fn drop(&mut self) {
        let Powers { own, permitted, .. } = self.0;
        if own.assume(*permitted).is_err() {
            // A thread that stays somebody else would act for the next caller as that. Without this process the run ends.
            process::exit_now(1);
        }
    }
}

const fn set(numbers: &[u32]) -> CapabilitySet {
    let mut bits = 0;
    let mut index = 0;
    while index < numbers.len() {
        bits |= 1 << numbers[index];
        index += 1;
    }
    CapabilitySet(bits)
}

fn read(thread: &str) -> Option<Identity> {
    parse(&status_of(thread)?)
}

/// Reads `proc_pid_status(5)`: in `Uid` and `Gid` the real, effective, saved and file id.
fn parse(status: &str) -> Option<Identity> {
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let numbers = |name: &str| -> Option<Vec<u32>> {
        field(name)?.split_ascii_whitespace().map(|number| number.parse().ok()).collect()
    };
    let (users, groups) = (numbers("Uid")?, numbers("Gid")?);
    Some(Identity {
        user: *users.get(1)?,
        group: *groups.get(1)?,
        file_user: *users.get(3)?,
        file_group: *groups.get(3)?,
        groups: numbers("Groups")?,
        effective: CapabilitySet(u64::from_str_radix(field("CapEff")?.trim(), 16).ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str =
        "Name:\tUid:\t9\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t10 20 \nCapEff:\t00000000000000c0\n";

    #[test]
    fn the_effective_and_the_file_ids_are_read() {
        let effective = set(&[number::SETGID, number::SETUID]);
        let expected = Identity { user: 2, group: 6, file_user: 4, file_group: 8, groups: vec![10, 20], effective };
        assert_eq!(parse(STATUS), Some(expected));
    }

    #[test]
    fn what_is_not_whole_is_nobody() {
        for (torn, _) in STATUS.char_indices() {
            let part = &STATUS[..torn];
            // Past its first digit the last number is one as well.
            assert!(parse(part).is_none() || part.contains("CapEff:\t0"), "{part}");
        }
        for wrong in [STATUS.replace("4\n", "x\n"), STATUS.replace("10 20", "10 -1"), STATUS.replace("\t8", "")] {
            assert_eq!(parse(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn this_thread_is_what_it_is() {
        assert_eq!(read("thread-self").unwrap().user, credentials::effective_user());
    }
}
