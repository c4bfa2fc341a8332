//! Rows about the machine: its kernel, its mounts, its clock, its keys.
//!
//! Most of these need a capability that nobody in a sandbox has. They are refused all the same: user namespaces give
//! capabilities away, and each is kernel code that a program under a policy has no business in.

use syscalls::abi::Syscall::*;
use syscalls::abi::filter::errno::{ENOSYS, EPERM};

use crate::enforce::bpf::Action::Errno;
use crate::enforce::bpf::Rule;
use crate::enforce::bpf::write::always;

pub(super) const REFUSED: &[Rule<'_>] = &[
    // A ring opens files and connects sockets without the system calls that a filter sees.
    // EPERM is what a kernel answers with `kernel.io_uring_disabled` set, which programs know.
    always(io_uring_setup, Errno(EPERM)),
    always(io_uring_enter, Errno(EPERM)),
    always(io_uring_register, Errno(EPERM)),
    // Programs inside the kernel, its events, and faults that stop it half-way through a copy.
    always(bpf, Errno(EPERM)),
    always(perf_event_open, Errno(EPERM)),
    always(userfaultfd, Errno(EPERM)),
    // Keyrings are shared with every process of the session.
    always(add_key, Errno(EPERM)),
    always(request_key, Errno(EPERM)),
    always(keyctl, Errno(EPERM)),
    // Mounts: the paths that rules are about must go on meaning the same objects.
    always(mount, Errno(EPERM)),
    always(umount2, Errno(EPERM)),
    always(mount_setattr, Errno(EPERM)),
    always(move_mount, Errno(EPERM)),
    always(open_tree, Errno(EPERM)),
    always(open_tree_attr, Errno(EPERM)),
    always(fsopen, Errno(EPERM)),
    always(fsconfig, Errno(EPERM)),
    always(fsmount, Errno(EPERM)),
    always(fspick, Errno(EPERM)),
    always(pivot_root, Errno(EPERM)),
    always(chroot, Errno(EPERM)),
    // They list mounts that a policy may hide by not granting /proc. ENOSYS: callers fall back to /proc/self/mountinfo.
    always(statmount, Errno(ENOSYS)),
    always(listmount, Errno(ENOSYS)),
    always(swapon, Errno(EPERM)),
    always(swapoff, Errno(EPERM)),
    always(quotactl, Errno(EPERM)),
    always(quotactl_fd, Errno(EPERM)),
    always(acct, Errno(EPERM)),
    // Every file of a filesystem, by inode: marks on one file report on a whole mount.
    always(fanotify_init, Errno(EPERM)),
    always(fanotify_mark, Errno(EPERM)),
    // Another kernel, parts of one, or none.
    always(reboot, Errno(EPERM)),
    always(kexec_load, Errno(EPERM)),
    always(kexec_file_load, Errno(EPERM)),
    always(init_module, Errno(EPERM)),
    always(finit_module, Errno(EPERM)),
    always(delete_module, Errno(EPERM)),
    // Ports of the hardware, and the terminal of whoever is logged in.
    always(iopl, Errno(EPERM)),
    always(ioperm, Errno(EPERM)),
    always(vhangup, Errno(EPERM)),
    // Names and clocks that the whole machine shares. `adjtimex` may only ask, but what it does is behind a pointer.
    always(sethostname, Errno(EPERM)),
    always(setdomainname, Errno(EPERM)),
    always(settimeofday, Errno(EPERM)),
    always(clock_settime, Errno(EPERM)),
    always(adjtimex, Errno(EPERM)),
    always(clock_adjtime, Errno(EPERM)),
    // The kernel's log holds addresses and other users' doings. The C library's syslog(3) does not use this.
    always(syslog, Errno(EPERM)),
    // 16-bit segments: the kernel's own option leaves the call out, and little is lost.
    always(modify_ldt, Errno(EPERM)),
    // Memory that the kernel itself cannot read, nor an auditor. ENOSYS: what `secretmem.enable=0` answers.
    always(memfd_secret, Errno(ENOSYS)),
    // Objects of the same user's processes outside, which no rule of Landlock's covers. ENOSYS: a kernel without
    // CONFIG_SYSVIPC or CONFIG_POSIX_MQUEUE. An open message queue is a file and goes on working.
    always(shmget, Errno(ENOSYS)),
    always(shmat, Errno(ENOSYS)),
    always(shmctl, Errno(ENOSYS)),
    always(semget, Errno(ENOSYS)),
    always(semop, Errno(ENOSYS)),
    always(semtimedop, Errno(ENOSYS)),
    always(semctl, Errno(ENOSYS)),
    always(msgget, Errno(ENOSYS)),
    always(msgsnd, Errno(ENOSYS)),
    always(msgrcv, Errno(ENOSYS)),
    always(msgctl, Errno(ENOSYS)),
    always(mq_open, Errno(ENOSYS)),
    always(mq_unlink, Errno(ENOSYS)),
    // Gone from the kernel, which answers ENOSYS where it finds nothing; EPERM joins them to the rows of their numbers'
    // neighbours and saves the search a few steps.
    always(_sysctl, Errno(EPERM)),
    always(create_module, Errno(EPERM)),
    always(get_kernel_syms, Errno(EPERM)),
    always(lookup_dcookie, Errno(EPERM)),
    always(nfsservctl, Errno(EPERM)),
    always(query_module, Errno(EPERM)),
    // Maps a library that no right of Landlock's was asked about.
    always(uselib, Errno(EPERM)),
];
