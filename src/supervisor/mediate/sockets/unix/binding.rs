//! Sockets bound to paths on the caller's behalf, in the directory that was decided about and by the name that the caller gave.
//!
//! The kernel keeps the text of the address and shows it to everybody (`getsockname(2)`), so the caller's own text is bound to.
//! That is looked up anew, by a thread that may make a socket nowhere but beneath the directory that was decided about.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::thread;

use syscalls::Errno;
use syscalls::abi::landlock::{RulesetAttr, fs};
use syscalls::at::{self, OpenHow};
use syscalls::credentials;
use syscalls::file::{self, FileType};
use syscalls::landlock::Ruleset;
use syscalls::place::OwnPlace;
use syscalls::socket::{self, diagnosis};

use crate::supervisor::mediate::resolve::{Entry, KEPT};

/// The size of `struct landlock_ruleset_attr` in the first ABI.
const FIRST_RULESET: usize = 8;

/// What is to be bound, and where.
pub(super) struct Binding {
    pub(super) socket: OwnedFd,
    /// The address as the caller gave it.
    pub(super) address: Vec<u8>,
    /// The path in it.
    pub(super) path: CString,
    /// Where a relative path starts.
    pub(super) base: Option<OwnedFd>,
    /// Where it leads.
    pub(super) entry: Entry,
    /// The caller's mask.
    pub(super) mask: u32,
}

impl Binding {
    /// Binds, and answers with the new file.
    ///
    /// # Errors
    /// Those of `bind(2)`.
    pub(super) fn carry_out(&self) -> Result<Option<OwnedFd>, Errno> {
        thread::scope(|scope| {
            let binder = thread::Builder::new().name("binder".to_owned()).stack_size(128 << 10);
            let bound = binder.spawn_scoped(scope, || self.bind()).map_err(|_| Errno::TRY_AGAIN)?;
            bound.join().unwrap_or(Err(Errno::IO))
        })?;
        // Somebody inside may have put another's socket there meanwhile.
        let made = at::open(Some(self.entry.directory.as_fd()), &self.entry.name, &KEPT);
        Ok(made.ok().filter(|made| is_bound_to(&self.socket, made)))
    }

    /// Binds in a thread of its own, which ends with that.
    fn bind(&self) -> Result<(), Errno> {
        let place = OwnPlace::part()?;
        place.set_mask(self.mask);
        if self.leads_there(&place).is_ok_and(|leads| leads) && self.stay_beneath().is_ok() {
            return socket::bind(self.socket.as_fd(), &self.address);
        }
        // The path goes by what each process has for itself (`/proc/self`), or the kernel cannot keep this thread beneath the
        // directory: then the name in it has to do.
        place.enter(self.entry.directory.as_fd())?;
        socket::bind(self.socket.as_fd(), &socket::unix_address(self.entry.name.to_bytes())?)
    }

    /// Whether the caller's text leads this thread to the directory that was decided about.
    fn leads_there(&self, place: &OwnPlace) -> Result<bool, Errno> {
        let Some(above) = self.path.to_bytes().strip_suffix(self.entry.name.to_bytes()) else { return Ok(false) };
        if above.is_empty() {
            // A name, and nothing to be looked up on the way.
            place.enter(self.entry.directory.as_fd())?;
            return Ok(true);
        }
        if let Some(base) = &self.base {
            place.enter(base.as_fd())?;
        }
        let above = CString::new(above).map_err(|_| Errno::INVALID)?;
        Ok(identity(directory(&above)?.as_fd())? == identity(self.entry.directory.as_fd())?)
    }

    /// From here on this thread makes a socket beneath the directory that was decided about, or none.
    fn stay_beneath(&self) -> Result<(), Errno> {
        let handled = RulesetAttr { handled_access_fs: fs::MAKE_SOCK, ..RulesetAttr::default() };
        let rules = Ruleset::new(&handled, FIRST_RULESET)?;
        rules.allow_path(self.entry.directory.as_fd(), fs::MAKE_SOCK)?;
        credentials::set_no_new_privs()?;
        rules.restrict_self()
    }
}

fn directory(path: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OpenHow::PATH | OpenHow::DIRECTORY | OpenHow::CLOSE_ON_EXEC;
    at::open(None, path, &OpenHow { flags, mode: 0, resolve: 0 })
}

fn identity(file: BorrowedFd<'_>) -> Result<(u64, u64), Errno> {
    file::status(file).map(|status| status.identity)
}

/// Whether `file` is what `socket` was bound to. Both lie in one filesystem, where no two files have the same number.
fn is_bound_to(socket: &OwnedFd, file: &OwnedFd) -> bool {
    let low = |number: u64| number & u64::from(u32::MAX);
    let Ok(bound) = diagnosis::bound_file(socket.as_fd()) else { return false };
    file::status(file.as_fd()).is_ok_and(|status| {
        let (_, number) = status.identity;
        status.kind == FileType::Socket && low(number) == u64::from(bound)
    })
}
