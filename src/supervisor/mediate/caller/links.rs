//! Where the caller's directories are: texts of links beneath `/proc/TID`.
//!
//! Much of what it costs to read one is the way there, so the links themselves stay open. Such a link is that of one thread, and
//! says what the number means at the moment; when another thread gets the thread's number, it says nothing any more.

use std::ffi::CStr;
use std::io::Write as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use syscalls::at::OpenHow;
use syscalls::process::Pid;
use syscalls::{Errno, at};

use super::{Caller, DELETED, PATH_MAX, SHORT, directory_link};
use crate::profile::abs_path::AbsPath;

/// Links that are kept open.
const MOST: usize = 32;

/// The links of the threads that called lately.
#[derive(Debug, Default)]
pub(in crate::supervisor::mediate) struct Links(Mutex<Vec<Kept>>);

#[derive(Debug)]
struct Kept {
    thread: Pid,
    /// Of a descriptor, or `AT_FDCWD`.
    number: i32,
    link: Arc<OwnedFd>,
}

impl Links {
    /// The text of where descriptor `number` of `caller` is, or its working directory for `AT_FDCWD`; `None` where it is not
    /// known, or no path leads there.
    pub(in crate::supervisor::mediate) fn directory_name(&self, caller: Caller, number: i32) -> Option<AbsPath> {
        let name = |text: &[u8]| if text.ends_with(DELETED) { None } else { AbsPath::new(text) };
        caller.looking(|| {
            let mut short = [0; SHORT];
            match self.read(caller.thread, number, &mut short) {
                Err(Errno::NAME_TOO_LONG) => name(self.read(caller.thread, number, &mut [0; PATH_MAX]).ok()?),
                text => name(text.ok()?),
            }
        })
    }

    fn read<'b>(&self, thread: Pid, number: i32, buffer: &'b mut [u8]) -> Result<&'b [u8], Errno> {
        let is_it = |kept: &Kept| kept.thread == thread && kept.number == number;
        let known = self.locked().iter().find(|kept| is_it(kept)).map(|kept| Arc::clone(&kept.link));
        if let Some(known) = known {
            match at::read_link(known.as_fd(), c"", buffer).map(<[u8]>::len) {
                Ok(length) => return buffer.get(..length).ok_or(Errno::INVALID),
                Err(Errno::NAME_TOO_LONG) => return Err(Errno::NAME_TOO_LONG),
                // It is another thread's by now, or its owner has changed, or there is no such descriptor.
                Err(_) => {}
            }
        }
        let itself =
            OpenHow { flags: OpenHow::PATH | OpenHow::CLOSE_ON_EXEC | OpenHow::NO_FOLLOW, mode: 0, resolve: 0 };
        let link = Arc::new(at::open(None, &directory_link(thread, number)?, &itself)?);
        let text = at::read_link(link.as_fd(), c"", buffer)?;
        let mut all = self.locked();
        all.retain(|kept| !is_it(kept));
        if all.len() >= MOST {
            all.remove(0);
        }
        all.push(Kept { thread, number, link });
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

    use syscalls::{file, process};

    use super::super::AT_FDCWD;
    use super::*;

    #[test]
    fn a_link_is_read_the_first_time_and_again() {
        let links = Links::default();
        let directory = file::open_path(c"/proc").unwrap();
        let here = fs::read_link("/proc/self/cwd").unwrap();
        for _ in 0..2 {
            let mut buffer = [0; PATH_MAX];
            let text = links.read(process::own_thread(), directory.as_raw_fd(), &mut buffer);
            assert_eq!(text, Ok(&b"/proc"[..]));
            let text = links.read(process::own_thread(), AT_FDCWD, &mut buffer).unwrap();
            assert_eq!(text, here.as_os_str().as_bytes());
        }
        let missing = links.read(process::own_thread(), i32::MAX, &mut [0; PATH_MAX]).map(drop);
        assert_eq!(missing, Err(Errno::NOT_FOUND));
        assert!(decimal(-1, &mut [0; 12]).is_none());
    }

    #[test]
    fn a_number_is_what_it_means_now() {
        let links = Links::default();
        let read = |number| links.read(process::own_thread(), number, &mut [0; PATH_MAX]).map(<[u8]>::to_vec);
        // Another test may have taken the number in between.
        let again = (0..1000).any(|_| {
            let number = {
                let first = file::open_path(c"/proc").unwrap();
                assert_eq!(read(first.as_raw_fd()), Ok(b"/proc".to_vec()));
                first.as_raw_fd()
            };
            let second = file::open_path(c"/dev").unwrap();
            assert_eq!(read(second.as_raw_fd()), Ok(b"/dev".to_vec()));
            second.as_raw_fd() == number
        });
        assert!(again);
    }

    #[test]
    fn threads_that_are_gone_make_room() {
        let links = Links::default();
        for _ in 0..3 * MOST {
            let read = || links.read(process::own_thread(), AT_FDCWD, &mut [0; PATH_MAX]).is_ok();
            assert!(thread::scope(|scope| scope.spawn(read).join().unwrap()));
        }
        assert_eq!(links.locked().len(), MOST);
    }
}
