//! Where the calling thread is: its working directory and the mask of its new files, which threads share until one parts with
//! the others (`clone(2)`, `CLONE_FS`).

use std::os::fd::{AsRawFd, BorrowedFd};

use crate::errno::{Errno, checked_int};

/// A thread with a working directory, a root and a mask of its own.
#[derive(Debug)]
pub struct OwnPlace(());

impl OwnPlace {
    /// `unshare(2)` with `CLONE_FS`: what the calling thread changes of these is its own affair from here on.
    ///
    /// # Errors
    /// Those of `unshare(2)`.
    pub fn part() -> Result<Self, Errno> {
        // SAFETY: the call takes numbers only.
        checked_int(unsafe { libc::unshare(libc::CLONE_FS) }).map(|_| Self(()))
    }

    /// `fchdir(2)`.
    ///
    /// # Errors
    /// Those of `fchdir(2)`.
    pub fn enter(&self, directory: BorrowedFd<'_>) -> Result<(), Errno> {
        // SAFETY: the call takes numbers only.
        checked_int(unsafe { libc::fchdir(directory.as_raw_fd()) }).map(drop)
    }

    /// `umask(2)`.
    pub fn set_mask(&self, mask: u32) {
        // SAFETY: the call takes a number only, and cannot fail.
        unsafe { libc::umask(mask) };
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;
    use std::path::Path;

    use super::*;

    #[test]
    fn a_thread_that_parted_moves_alone() {
        let before = std::env::current_dir().unwrap();
        let moved = std::thread::spawn(|| {
            let place = OwnPlace::part().unwrap();
            place.enter(crate::file::open_path(c"/proc").unwrap().as_fd()).unwrap();
            place.set_mask(0o77);
            std::env::current_dir().unwrap()
        });
        assert_eq!(moved.join().unwrap(), Path::new("/proc"));
        assert_eq!(std::env::current_dir().unwrap(), before);
    }
}
