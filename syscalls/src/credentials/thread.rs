//! Users, groups and effective capabilities of the calling thread alone. The kernel keeps them for each thread
//! (`credentials(7)`); the C library's calls of the same names would change every thread of the process.

use crate::credentials::{CAPABILITY_VERSION_3, CapData, CapHeader, CapabilitySet};
use crate::errno::{Errno, checked};

/// What the kernel looks at when a thread acts on a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The effective user and group: what the other end of a socket sees.
    pub user: u32,
    pub group: u32,
    /// The user and group for files (`setfsuid(2)`).
    pub file_user: u32,
    pub file_group: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    pub effective: CapabilitySet,
}

/// Leaves an id as it is.
const UNCHANGED: libc::c_long = -1;

impl Identity {
    /// Makes the calling thread act as this. `permitted` are the thread's permitted capabilities, which stay; without
    /// `CAP_SETUID` and `CAP_SETGID` among them only the effective capabilities can change.
    ///
    /// # Errors
    /// `EPERM` when the thread may not become this. What it then is, is unknown: the caller has to become something that it
    /// may be, or to end the process.
    pub fn assume(&self, permitted: CapabilitySet) -> Result<(), Errno> {
        set_effective(permitted, permitted)?;
        self.change_groups()?;
        // SAFETY: the call takes numbers only.
        checked(unsafe { libc::syscall(libc::SYS_setresuid, UNCHANGED, libc::c_long::from(self.user), UNCHANGED) })?;
        // Leaving or becoming user 0 has changed the effective capabilities (capabilities(7)).
        set_effective(permitted, permitted)?;
        change_file_id(libc::SYS_setfsuid, self.file_user)?;
        set_effective(self.effective, permitted)
    }

    fn change_groups(&self) -> Result<(), Errno> {
        // Without a change nothing is asked of the kernel: that takes a capability even for the same groups.
        if supplementary_groups()? != self.groups {
            // SAFETY: the list is readable for the count given with it, and outlives the call.
            checked(unsafe { libc::syscall(libc::SYS_setgroups, self.groups.len(), self.groups.as_ptr()) })?;
        }
        // SAFETY: the call takes numbers only.
        checked(unsafe { libc::syscall(libc::SYS_setresgid, UNCHANGED, libc::c_long::from(self.group), UNCHANGED) })?;
        change_file_id(libc::SYS_setfsgid, self.file_group)
    }
}

/// `setfsuid(2)` or `setfsgid(2)`, which tell no error: the id before is returned, and asking with an id that nobody has
/// tells the one after.
fn change_file_id(call: libc::c_long, id: u32) -> Result<(), Errno> {
    // SAFETY: the call takes a number only.
    unsafe { libc::syscall(call, libc::c_long::from(id)) };
    // SAFETY: as above.
    let now = unsafe { libc::syscall(call, UNCHANGED) };
    if u32::try_from(now & 0xffff_ffff) == Ok(id) { Ok(()) } else { Err(Errno::NOT_PERMITTED) }
}

/// `getgroups(2)`.
///
/// # Errors
/// Those of `getgroups(2)`.
pub fn supplementary_groups() -> Result<Vec<u32>, Errno> {
    // SAFETY: with a count of zero nothing is written.
    let count = checked(unsafe { libc::syscall(libc::SYS_getgroups, 0_usize, std::ptr::null_mut::<u32>()) })?;
    let mut groups = vec![0_u32; usize::try_from(count).unwrap_or(0)];
    // SAFETY: the list is writable for the count given with it; only this thread changes its groups meanwhile.
    let count = checked(unsafe { libc::syscall(libc::SYS_getgroups, groups.len(), groups.as_mut_ptr()) })?;
    groups.truncate(usize::try_from(count).unwrap_or(0));
    Ok(groups)
}

/// `capget(2)`: the effective and the permitted capabilities of the calling thread.
///
/// # Errors
/// Those of `capget(2)`.
pub fn capabilities() -> Result<(CapabilitySet, CapabilitySet), Errno> {
    let mut header = CapHeader { version: CAPABILITY_VERSION_3, pid: 0 };
    let mut data = [CapData { effective: 0, permitted: 0, inheritable: 0 }; 2];
    // SAFETY: version 3 makes the kernel write two data structures; both outlive the call.
    checked(unsafe { libc::syscall(libc::SYS_capget, &raw mut header, data.as_mut_ptr()) })?;
    let [low, high] = data;
    let whole = |low: u32, high: u32| CapabilitySet(u64::from(high) << 32 | u64::from(low));
    Ok((whole(low.effective, high.effective), whole(low.permitted, high.permitted)))
}

/// `capset(2)`: the effective and permitted capabilities of the calling thread; it has no inheritable ones. Does not
/// allocate.
///
/// # Errors
/// `EPERM` for a permitted capability that the thread lacks, or an effective one that is not permitted.
pub fn set_effective(effective: CapabilitySet, permitted: CapabilitySet) -> Result<(), Errno> {
    super::set_capabilities(effective, permitted, CapabilitySet::default())
}

/// Runs `act` with the effective capabilities of `more` as well, as far as they are permitted.
pub fn with_more<R>(more: CapabilitySet, act: impl FnOnce() -> R) -> R {
    let Some((effective, permitted)) = (more.0 != 0).then(capabilities).and_then(Result::ok) else { return act() };
    let raised = CapabilitySet(effective.0 | more.0 & permitted.0);
    if raised == effective || set_effective(raised, permitted).is_err() {
        return act();
    }
    let lower = Lower { effective, permitted };
    let result = act();
    drop(lower);
    result
}

/// Takes back what was raised, also when `act` panicked.
struct Lower {
    effective: CapabilitySet,
    permitted: CapabilitySet,
}

impl Drop for Lower {
    fn drop(&mut self) {
        if set_effective(self.effective, self.permitted).is_err() {
            // Lowering needs no permission. Where it fails nobody may go on with what was raised.
            crate::process::exit_now(1);
        }
    }
}
