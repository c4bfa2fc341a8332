//! Rows about files: ways around a path, and what Landlock has no right for.

use syscalls::abi::Syscall::*;
use syscalls::abi::arguments::file::*;
use syscalls::abi::arguments::terminal::*;
use syscalls::abi::filter::errno::{ENOSYS, EPERM};

use crate::enforce::bpf::Action::{Allow, Errno};
use crate::enforce::bpf::Argument::{A1, A2, A3};
use crate::enforce::bpf::write::{always, int, when};
use crate::enforce::bpf::{Condition, Rule};

/// A regular file with a set-id bit. No other kind of file gains anything by one.
const SET_ID_NODE: &[Condition<'_>] = &[int(A1).masked(S_IFMT).is(&[0, S_IFREG]), int(A1).has_any(SET_ID)];
const SET_ID_NODE_AT: &[Condition<'_>] = &[int(A2).masked(S_IFMT).is(&[0, S_IFREG]), int(A2).has_any(SET_ID)];

pub(super) const REFUSED: &[Rule<'_>] = &[
    // A handle opens an inode from any directory of its filesystem.
    always(open_by_handle_at, Errno(EPERM)),
    always(name_to_handle_at, Errno(EPERM)),
    // Devices open the hardware, whatever the path says. The mode is 16 bits wide; the mask leaves the rest out.
    when(mknod, &[int(A1).masked(S_IFMT).is(&[S_IFCHR, S_IFBLK])], Errno(EPERM)),
    when(mknodat, &[int(A2).masked(S_IFMT).is(&[S_IFCHR, S_IFBLK])], Errno(EPERM)),
    // A set-user-id file that stays after the run lends its owner's power to whoever starts it.
    when(open, &[int(A1).has_any(CREATES), int(A2).has_any(SET_ID)], Errno(EPERM)),
    when(openat, &[int(A2).has_any(CREATES), int(A3).has_any(SET_ID)], Errno(EPERM)),
    when(creat, &[int(A1).has_any(SET_ID)], Errno(EPERM)),
    when(mknod, SET_ID_NODE, Errno(EPERM)),
    when(mknodat, SET_ID_NODE_AT, Errno(EPERM)),
    // Types into the terminal, as its user would.
    when(ioctl, &[int(A1).is(&[TIOCSTI, TIOCLINUX])], Errno(EPERM)),
    // Takes the console's output, changes what the terminal's bytes mean, lets nobody else open it, also after the run.
    when(ioctl, &[int(A1).is(&[TIOCCONS, TIOCEXCL, TIOCSETD])], Errno(EPERM)),
    // On a virtual console: what a key types.
    when(ioctl, &[int(A1).is(&[KDSKBENT, KDSKBSENT, KDSKBDIACR, KDSKBDIACRUC, KDSETKEYCODE])], Errno(EPERM)),
    // Flags, project, generation, DOS attributes: the owner may change them through a descriptor open for reading.
    when(ioctl, &[int(A1).is(&[FS_IOC_SETFLAGS, FS_IOC32_SETFLAGS, FS_IOC_FSSETXATTR])], Errno(EPERM)),
    when(
        ioctl,
        &[int(A1).is(&[FS_IOC_SETVERSION, FS_IOC32_SETVERSION, EXT4_IOC_SETVERSION, EXT4_IOC32_SETVERSION])],
        Errno(EPERM),
    ),
    when(ioctl, &[int(A1).is(&[FAT_IOCTL_SET_ATTRIBUTES])], Errno(EPERM)),
    // The same: makes a file unchangeable for ever.
    when(ioctl, &[int(A1).is(&[FS_IOC_ENABLE_VERITY])], Errno(EPERM)),
    // Locks or unlocks encrypted directories for all of the user's processes.
    when(
        ioctl,
        &[int(A1).is(&[
            FS_IOC_SET_ENCRYPTION_POLICY,
            FS_IOC_ADD_ENCRYPTION_KEY,
            FS_IOC_REMOVE_ENCRYPTION_KEY,
            FS_IOC_REMOVE_ENCRYPTION_KEY_ALL_USERS,
        ])],
        Errno(EPERM),
    ),
    // On btrfs a directory open for reading is enough to make, copy and delete whole trees, and Landlock is not asked.
    // Three commands of its range became everybody's and only copy between open files.
    when(ioctl, &[int(A1).is(&[FICLONE, FICLONERANGE, FIDEDUPERANGE])], Allow),
    when(ioctl, &[int(A1).masked(COMMAND_TYPE_MASK).is(&[BTRFS])], Errno(EPERM)),
    // A descriptor that is shared with a process outside, as standard input is, may signal that process; by this it would do so
    // with any signal, and as the process's own wish.
    when(fcntl, &[int(A1).is(&[F_SETSIG])], Errno(EPERM)),
    // What FS_IOC_FSSETXATTR does, by path.
    always(file_setattr, Errno(EPERM)),
];

/// Where nobody looks at the object, or at memory: a set-id bit is refused for directories as well, and so is the one open
/// whose mode is behind a pointer. Programs know that error from kernels before 5.6 and use `openat(2)`.
pub(super) const SET_ID_REFUSED: &[Rule<'_>] = &[
    always(openat2, Errno(ENOSYS)),
    when(chmod, &[int(A1).has_any(SET_ID)], Errno(EPERM)),
    when(fchmod, &[int(A1).has_any(SET_ID)], Errno(EPERM)),
    when(fchmodat, &[int(A2).has_any(SET_ID)], Errno(EPERM)),
    when(fchmodat2, &[int(A2).has_any(SET_ID)], Errno(EPERM)),
];

/// Landlock sees none of these: they work on files it denies altogether, and on descriptors open for reading.
pub(super) const METADATA_REFUSED: &[Rule<'_>] = &[
    always(chmod, Errno(EPERM)),
    always(fchmod, Errno(EPERM)),
    always(fchmodat, Errno(EPERM)),
    always(fchmodat2, Errno(EPERM)),
    always(chown, Errno(EPERM)),
    always(fchown, Errno(EPERM)),
    always(lchown, Errno(EPERM)),
    always(fchownat, Errno(EPERM)),
    always(utime, Errno(EPERM)),
    always(utimes, Errno(EPERM)),
    always(utimensat, Errno(EPERM)),
    always(futimesat, Errno(EPERM)),
    always(setxattr, Errno(EPERM)),
    always(lsetxattr, Errno(EPERM)),
    always(fsetxattr, Errno(EPERM)),
    always(setxattrat, Errno(EPERM)),
    always(removexattr, Errno(EPERM)),
    always(lremovexattr, Errno(EPERM)),
    always(fremovexattr, Errno(EPERM)),
    always(removexattrat, Errno(EPERM)),
];
