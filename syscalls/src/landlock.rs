//! `landlock(7)`: rulesets, by raw system calls. Constants and structures stand in [`crate::abi::landlock`].

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use crate::abi::landlock::{NetPortAttr, PathBeneathAttr, RULE_NET_PORT, RULE_PATH_BENEATH, RulesetAttr};
use crate::errno::{Errno, checked};

/// A ruleset that is being filled (`landlock_create_ruleset(2)`).
#[derive(Debug)]
pub struct Ruleset(OwnedFd);

const CREATE_RULESET_VERSION: libc::c_uint = 1;

/// The newest Landlock ABI the running kernel has.
///
/// # Errors
/// `ENOSYS` when the kernel was built without Landlock, `EOPNOTSUPP` when it was not enabled at boot.
pub fn abi_version() -> Result<u32, Errno> {
    let none = std::ptr::null::<RulesetAttr>();
    // SAFETY: with CREATE_RULESET_VERSION the kernel wants a null pointer and size 0, and reads no memory.
    let version =
        checked(unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, none, 0_usize, CREATE_RULESET_VERSION) })?;
    Ok(u32::try_from(version).unwrap_or(0))
}

impl Ruleset {
    /// `landlock_create_ruleset(2)`: everything `handled` names is refused unless a rule allows it. `size` is how much
    /// of the structure the kernel's ABI knows, in bytes.
    ///
    /// # Errors
    /// `EINVAL` for a right the kernel does not know, `E2BIG` for a larger structure than it knows, `ENOMSG` for no right.
    pub fn new(handled: &RulesetAttr, size: usize) -> Result<Self, Errno> {
        let size = size.min(size_of::<RulesetAttr>());
        // SAFETY: `handled` outlives the call, and `size` is at most the size of what it points to.
        let fd = checked(unsafe {
            libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::from_ref(handled), size, 0_u32)
        })?;
        let fd = i32::try_from(fd).map_err(|_| Errno::INVALID)?;
        // SAFETY: the kernel has just returned this descriptor, so nobody else owns it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// `landlock_add_rule(2)`: grants `access` to the object that is open as `object`, and to what lies beneath it.
    ///
    /// # Errors
    /// `EINVAL` when the ruleset does not handle a right, or the object is a file and a right is only for directories.
    pub fn allow_path(&self, object: BorrowedFd<'_>, access: u64) -> Result<(), Errno> {
        let rule = PathBeneathAttr { allowed_access: access, parent_fd: object.as_raw_fd() };
        self.add(RULE_PATH_BENEATH, std::ptr::from_ref(&rule).cast())
    }

    /// `landlock_add_rule(2)`: grants `access` to a TCP port.
    ///
    /// # Errors
    /// `EINVAL` when the ruleset does not handle a right.
    pub fn allow_port(&self, port: u16, access: u64) -> Result<(), Errno> {
        let rule = NetPortAttr { allowed_access: access, port: u64::from(port) };
        self.add(RULE_NET_PORT, std::ptr::from_ref(&rule).cast())
    }

    /// `landlock_restrict_self(2)`: from here on the calling thread, and every process it starts, is held to the rules.
    /// Needs no_new_privs. Does not allocate.
    ///
    /// # Errors
    /// `EPERM` without no_new_privs, `E2BIG` when 16 rulesets are already in force.
    pub fn restrict_self(&self) -> Result<(), Errno> {
        // SAFETY: the call takes numbers only.
        checked(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, self.0.as_raw_fd(), 0_u32) }).map(drop)
    }

    fn add(&self, kind: u32, rule: *const libc::c_void) -> Result<(), Errno> {
        // SAFETY: both callers pass a pointer to a structure of the kind that `kind` names, on their own stack, so it
        // outlives the call; the kernel only reads it.
        checked(unsafe { libc::syscall(libc::SYS_landlock_add_rule, self.0.as_raw_fd(), kind, rule, 0_u32) }).map(drop)
    }
}
