//! Rows about calls that a supervisor answers. What other tables refuse stays refused: their rows come first.

use syscalls::abi::Syscall::*;
use syscalls::abi::arguments::process::*;
use syscalls::abi::filter::errno::{EOPNOTSUPP, EPERM};

use crate::enforce::bpf::Action::{Errno, Notify};
use crate::enforce::bpf::Argument::{A0, A1, A4};
use crate::enforce::bpf::Rule;
use crate::enforce::bpf::write::{always, int, long, when};

pub(super) const NOTIFIED: &[Rule<'_>] = &[
    // Opens.
    always(open, Notify),
    always(openat, Notify),
    always(openat2, Notify),
    always(creat, Notify),
    // Entries of directories.
    always(link, Notify),
    always(linkat, Notify),
    always(mkdir, Notify),
    always(mkdirat, Notify),
    always(mknod, Notify),
    always(mknodat, Notify),
    always(rename, Notify),
    always(renameat, Notify),
    always(renameat2, Notify),
    always(rmdir, Notify),
    always(symlink, Notify),
    always(symlinkat, Notify),
    always(unlink, Notify),
    always(unlinkat, Notify),
    always(truncate, Notify),
    // What a file says about itself, which Landlock has no right for.
    always(chmod, Notify),
    always(fchmod, Notify),
    always(fchmodat, Notify),
    always(fchmodat2, Notify),
    always(chown, Notify),
    always(fchown, Notify),
    always(lchown, Notify),
    always(fchownat, Notify),
    always(utime, Notify),
    always(utimes, Notify),
    always(utimensat, Notify),
    always(futimesat, Notify),
    always(setxattr, Notify),
    always(lsetxattr, Notify),
    always(fsetxattr, Notify),
    always(setxattrat, Notify),
    always(removexattr, Notify),
    always(lremovexattr, Notify),
    always(fremovexattr, Notify),
    always(removexattrat, Notify),
    // Programs.
    always(execve, Notify),
    always(execveat, Notify),
    // Sockets. A datagram needs no connection, and sendmsg(2) has its address behind two pointers.
    when(sendto, &[long(A4).is_not_zero()], Notify),
    always(sendmsg, Notify),
    always(sendmmsg, Notify),
    always(bind, Notify),
    always(connect, Notify),
    always(listen, Notify),
    // Whoever answers is not under rules that the program makes for itself, and what it does for the program would pass them.
    // The error is that of a kernel on which Landlock was switched off at boot, which programs know.
    always(landlock_create_ruleset, Errno(EOPNOTSUPP)),
    always(landlock_add_rule, Errno(EOPNOTSUPP)),
    always(landlock_restrict_self, Errno(EOPNOTSUPP)),
    // Nobody outside could read the arguments of such a process any more, and every call of it would fail.
    when(prctl, &[int(A0).is(&[PR_SET_DUMPABLE]), long(A1).is(&[0])], Errno(EPERM)),
];

/// Where datagrams of the Internet are sent to addresses that stand for others, answers are shown as coming from those.
pub(super) const DATAGRAMS_NOTIFIED: &[Rule<'_>] =
    &[when(recvfrom, &[long(A4).is_not_zero()], Notify), always(recvmsg, Notify), always(recvmmsg, Notify)];
