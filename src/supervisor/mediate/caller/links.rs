//! Where the caller's directories are: texts of links beneath `/proc/TID`.
//!
//! Most of what it costs to read one is the way there, so the directories of `/proc` that hold them stay open. Such a
//! directory is that of one thread: when another gets its number, nothing is found there any more.

use std::ffi::CStr;
use std::io::Write as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use syscalls::process::Pid;
use syscalls::{Errno, at, file};

use super::{AT_FDCWD, Caller, DELETED, PATH_MAX, descriptors_of, proc_of};
use crate::profile::abs_path::AbsPath;

/// Directories of `/proc` that are kept open.
const MOST: usize = 16;

/// The directories of `/proc` of the threads that called lately.
#[derive(Debug, Default)]
pub(in crate::supervisor::mediate) struct Links(Mutex<Vec<Kept>>);

#[derive(Debug)]
struct Kept {
    thread: Pid,
    held: Held,
    directory: Arc<OwnedFd>,
}

/// What a directory of `/proc` has links for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Descriptors,
    WorkingDirectory,
}

impl Links {
    /// The text of where descriptor `number` of `caller` is, or its working directory for `AT_FDCWD`; `None` where it is not
    /// known, or no path leads there.
    pub(in crate::supervisor::mediate) fn directory_name(&self, caller: Caller, number: i32) -> Option<AbsPath> {
        let (mut digits, mut buffer) = ([0_u8; 12], [0_u8; PATH_MAX]);
        let (held, name) = match number {
            AT_FDCWD => (Held::WorkingDirectory, c"cwd"),
            number => (Held::Descriptors, decimal(number, &mut digits)?),
        };
        let text = caller.looking(|| self.read(caller.thread, held, name, &mut buffer)).ok()?;
        if text.ends_with(DELETED) { None } else { AbsPath::new(text) }
    }

    fn read<'b>(&self, thread: Pid, held: Held, name: &CStr, buffer: &'b mut [u8]) -> Result<&'b [u8], Errno> {
        let is_it = |kept: &Kept| kept.thread == thread && kept.held == held;
        let known = self.locked().iter().find(|kept| is_it(kept)).map(|kept| Arc::clone(&kept.directory));
        if let Some(length) = known.and_then(|known| Some(at::read_link(known.as_fd(), name, buffer).ok()?.len())) {
            return buffer.get(..length).ok_or(Errno::INVALID);
        }
        // It is another thread's by now, or its owner has changed, or there is no such link.
        let directory = Arc::new(file::open_path(&match held {
            Held::Descriptors => descriptors_of(thread)?,
            Held::WorkingDirectory => proc_of(thread)?,
        })?);
        let text = at::read_link(directory.as_fd(), name, buffer)?;
        let mut all = self.locked();
        all.retain(|kept| !is_it(kept));
        if all.len() >= MOST {
            all.remove(0);
        }
        all.push(Kept { thread, held, directory });
        Ok(text)
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Kept>> {
        // Every change of the list is whole, so a panic elsewhere leaves it usable.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number of a descriptor as `/proc` writes it; `None` for what cannot be one.
pub(in crate::supervisor::mediate) fn decimal(number: i32, digits: &mut [u8; 12]) -> Option<&CStr> {
    // At most ten digits: the NUL byte behind them stays.
    write!(&mut digits[..], "{}", u32::try_from(number).ok()?).ok()?;
    CStr::from_bytes_until_nul(digits).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::fd::AsRawFd as _;
    use std::os::unix::ffi::OsStrExt as _;
    use std::thread;

    use syscalls::process;

    use super::*;

    #[test]
    fn a_link_is_read_the_first_time_and_again() {
        let (links, mut digits) = (Links::default(), [0; 12]);
        let directory = file::open_path(c"/proc").unwrap();
        let name = decimal(directory.as_raw_fd(), &mut digits).unwrap();
        let here = fs::read_link("/proc/self/cwd").unwrap();
        for _ in 0..2 {
            let mut buffer = [0; PATH_MAX];
            let text = links.read(process::own_thread(), Held::Descriptors, name, &mut buffer);
            assert_eq!(text, Ok(&b"/proc"[..]));
            let text = links.read(process::own_thread(), Held::WorkingDirectory, c"cwd", &mut buffer).unwrap();
            assert_eq!(text, here.as_os_str().as_bytes());
        }
        let missing = decimal(i32::MAX, &mut digits).unwrap();
        let text = links.read(process::own_thread(), Held::Descriptors, missing, &mut [0; PATH_MAX]).map(drop);
        assert_eq!(text, Err(Errno::NOT_FOUND));
        assert!(decimal(-1, &mut [0; 12]).is_none());
    }

    #[test]
    fn threads_that_are_gone_make_room() {
        let links = Links::default();
        for _ in 0..3 * MOST {
            let read = || links.read(process::own_thread(), Held::WorkingDirectory, c"cwd", &mut [0; PATH_MAX]).is_ok();
            assert!(thread::scope(|scope| scope.spawn(read).join().unwrap()));
        }
        assert_eq!(links.locked().len(), MOST);
    }
}
