//! Rows about processes: namespaces, other processes of the same user, and filters on filters.
//!
//! What stays out of the table because Landlock confines it to the sandbox: `kill` and its like (scope `signal`), `ptrace`,
//! `process_vm_readv`, `pidfd_getfd`. A debugger works on what was started inside. It changes no answer of a filter: the
//! kernel looks at a call after a tracer had its turn (since 4.8).

use syscalls::abi::Syscall::*;
use syscalls::abi::arguments::clone as flags;
use syscalls::abi::arguments::process::*;
use syscalls::abi::filter::errno::{EBUSY, ENOSYS, EPERM};

use crate::enforce::bpf::Action::{self, Errno};
use crate::enforce::bpf::Argument::{A0, A1, A2};
use crate::enforce::bpf::write::{always, int, long, when};
use crate::enforce::bpf::{Condition, Rule};

/// Every flag of `clone(2)` that makes a namespace. `CLONE_NEWTIME` is not one here: its bit belongs to the signal.
const NEW_NAMESPACE: u64 =
    flags::NEWNS | flags::NEWCGROUP | flags::NEWUTS | flags::NEWIPC | flags::NEWUSER | flags::NEWPID | flags::NEWNET;

/// What `unshare(2)` may take apart: things of a thread, never a namespace.
const UNSHARE_PASSED: u64 = flags::FS | flags::FILES | flags::SYSVSEM | flags::VM | flags::SIGHAND | flags::THREAD;

/// The call returns 0 and does nothing (`seccomp(2)`, `SECCOMP_RET_ERRNO`).
const DONE: Action = Errno(0);

/// The first argument names a process, and it is not 0, the caller.
const OTHER_PROCESS: &[Condition<'_>] = &[int(A0).is_not_zero()];

pub(super) const REFUSED: &[Rule<'_>] = &[
    // A user namespace hands out the capabilities that the sandbox took away.
    when(clone, &[int(A0).has_any(NEW_NAMESPACE)], Errno(EPERM)),
    // Its flags are behind a pointer. ENOSYS: the C library goes back to `clone`.
    always(clone3, Errno(ENOSYS)),
    // Refuses flags that do not exist yet, too.
    when(unshare, &[long(A0).has_any(!UNSHARE_PASSED)], Errno(EPERM)),
    always(setns, Errno(EPERM)),
    // Whoever listens may answer "continue" for a call that an older filter gave to its own listener.
    when(
        seccomp,
        &[int(A0).is(&[SECCOMP_SET_MODE_FILTER]), int(A1).has_any(SECCOMP_FILTER_FLAG_NEW_LISTENER)],
        Errno(EBUSY),
    ),
    // Invites a tracer from outside; rewrites what /proc says the program is.
    when(prctl, &[int(A0).is(&[PR_SET_PTRACER, PR_SET_MM])], Errno(EPERM)),
    always(process_vm_writev, Errno(EPERM)),
    always(kcmp, Errno(EPERM)),
    // Other personalities bring old system call behaviour and memory that is executable whenever it is readable.
    when(personality, &[int(A0).is_not(&[PER_LINUX, PERSONALITY_QUERY])], Errno(EPERM)),
    // Limits, priorities, processors and memory of other processes of the same user, the supervisor among them.
    // A program may set its own by the number 0. By its real number it may not: a filter cannot tell whose that is.
    when(prlimit64, &[int(A0).is_not_zero(), long(A2).is_not_zero()], Errno(EPERM)),
    // A crash is piped to a program of the host's, which runs as root (core(5)), but for the one limit that the program
    // was started with. The answer is yes, since programs with keys in memory end when they cannot have no dump.
    when(setrlimit, &[int(A0).is(&[RLIMIT_CORE])], DONE),
    when(prlimit64, &[int(A1).is(&[RLIMIT_CORE]), long(A2).is_not_zero()], DONE),
    when(setpriority, &[int(A0).is_not(&[PRIO_PROCESS])], Errno(EPERM)),
    when(setpriority, &[int(A1).is_not_zero()], Errno(EPERM)),
    when(ioprio_set, &[int(A0).is_not(&[IOPRIO_WHO_PROCESS])], Errno(EPERM)),
    when(ioprio_set, &[int(A1).is_not_zero()], Errno(EPERM)),
    when(sched_setaffinity, OTHER_PROCESS, Errno(EPERM)),
    when(sched_setattr, OTHER_PROCESS, Errno(EPERM)),
    when(sched_setparam, OTHER_PROCESS, Errno(EPERM)),
    when(sched_setscheduler, OTHER_PROCESS, Errno(EPERM)),
    when(migrate_pages, OTHER_PROCESS, Errno(EPERM)),
    when(move_pages, OTHER_PROCESS, Errno(EPERM)),
    // These name the process by a descriptor, so even the caller itself cannot be recognised.
    always(process_madvise, Errno(EPERM)),
    always(process_mrelease, Errno(EPERM)),
];
