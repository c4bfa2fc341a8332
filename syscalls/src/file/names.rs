//! How a directory tells the names of its entries apart.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use super::magic;
use crate::at::{self, OpenHow};
use crate::errno::{Errno, checked_int};

/// `FS_CASEFOLD_FL` of `linux/fs.h`.
const CASEFOLD: libc::c_long = 0x4000_0000;
/// `F2FS_SUPER_MAGIC` of `linux/magic.h`, and `RAMFS_MAGIC`, `SQUASHFS_MAGIC`.
const F2FS: i128 = 0xf2f5_2010;
const RAMFS: i128 = 0x8584_58f6;
const SQUASHFS: i128 = 0x7371_7368;

/// What two spellings of one name are to a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Two names: it compares bytes.
    Bytes,
    /// One, when they differ in case or in what Unicode does not count.
    Folded,
    /// That depends on how the filesystem was made or mounted, and it does not say.
    Unknown,
}

/// How `directory`, which may be open without access, takes names: `fstatfs(2)`, and `FS_IOC_GETFLAGS` of
/// `ioctl_iflags(2)` where a directory by itself may ignore case.
///
/// # Errors
/// Those of `fstatfs(2)`, and of opening the directory for reading.
pub fn names(directory: BorrowedFd<'_>) -> Result<Names, Errno> {
    let kind = magic(directory)?;
    if [libc::BTRFS_SUPER_MAGIC.into(), libc::PROC_SUPER_MAGIC.into(), RAMFS, SQUASHFS].contains(&kind) {
        return Ok(Names::Bytes);
    }
    let flagged = [libc::EXT4_SUPER_MAGIC.into(), libc::OVERLAYFS_SUPER_MAGIC.into(), libc::TMPFS_MAGIC.into(), F2FS];
    if !flagged.contains(&kind) {
        return Ok(Names::Unknown);
    }
    let flags = OpenHow::READ_ONLY | OpenHow::DIRECTORY | OpenHow::CLOSE_ON_EXEC;
    let readable = at::open(Some(directory), c".", &OpenHow { flags, mode: 0, resolve: 0 })?;
    let mut flags: libc::c_long = 0;
    // SAFETY: the kernel writes an int, for which `flags` has room; it lives through the call.
    match checked_int(unsafe { libc::ioctl(readable.as_fd().as_raw_fd(), libc::FS_IOC_GETFLAGS, &raw mut flags) }) {
        Ok(_) if flags & CASEFOLD != 0 => Ok(Names::Folded),
        // An overlay without flags is of layers that have none.
        Err(Errno::NO_TERMINAL) if kind == libc::OVERLAYFS_SUPER_MAGIC.into() => Ok(Names::Unknown),
        // Any other is built without what would need them.
        Ok(_) | Err(Errno::NO_TERMINAL) => Ok(Names::Bytes),
        Err(errno) => Err(errno),
    }
}
