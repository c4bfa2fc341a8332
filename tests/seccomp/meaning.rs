//! What the rules are for: calls as programs make them, and the answers wanted, written out.

use nono::enforce::bpf::{Action, Data};
use nono::enforce::seccomp::{Options, rules};
use syscalls::abi::Arch;
use syscalls::abi::Syscall::{self, *};

use crate::{CLOSED, OPEN};

const PASSES: Action = Action::Allow;
/// The call does nothing and says that it did.
const NOTHING: Action = Action::Errno(0);
const EPERM: Action = Action::Errno(1);
const EACCES: Action = Action::Errno(13);
const EBUSY: Action = Action::Errno(16);
const ENOSYS: Action = Action::Errno(38);
const EPROTONOSUPPORT: Action = Action::Errno(93);
const EAFNOSUPPORT: Action = Action::Errno(97);

/// What `options` answer to `call`, on every architecture that has it.
fn answer(options: &Options, call: Syscall, arguments: &[u64]) -> Action {
    let mut six = [0; 6];
    six[..arguments.len()].copy_from_slice(arguments);
    let mut answers: Vec<Action> = [Arch::X86_64, Arch::Aarch64]
        .into_iter()
        .filter_map(|arch| {
            let data = Data { number: call.number(arch)?.into(), arch: arch.audit(), arguments: six };
            Some(rules(options).answer(arch, &data))
        })
        .collect();
    answers.dedup();
    assert_eq!(answers.len(), 1, "the architectures differ on {}", call.name());
    answers.remove(0)
}

#[track_caller]
fn both(call: Syscall, arguments: &[u64], wanted: Action) {
    assert_eq!(answer(&OPEN, call, arguments), wanted, "{}{arguments:x?}", call.name());
    assert_eq!(answer(&CLOSED, call, arguments), wanted, "{}{arguments:x?}", call.name());
}

#[track_caller]
fn open_and_closed(call: Syscall, arguments: &[u64], when_open: Action, when_closed: Action) {
    assert_eq!(answer(&OPEN, call, arguments), when_open, "{}{arguments:x?}", call.name());
    assert_eq!(answer(&CLOSED, call, arguments), when_closed, "{}{arguments:x?}", call.name());
}

#[test]
fn ordinary_work_passes() {
    for call in [
        read,
        write,
        openat,
        close,
        mmap,
        execve,
        execveat,
        exit_group,
        wait4,
        futex,
        rt_sigreturn,
        restart_syscall,
        fork,
        vfork,
        dup3,
        pipe2,
        getdents64,
        unlinkat,
        renameat2,
        linkat,
        symlinkat,
        mkdirat,
        ftruncate,
        truncate,
        statx,
        inotify_add_watch,
        memfd_create,
        timer_create,
        kill,
        tgkill,
        pidfd_open,
        pidfd_send_signal,
        pidfd_getfd,
        ptrace,
        process_vm_readv,
        bind,
        accept4,
        setuid,
        capset,
        sched_getaffinity,
        getpriority,
        landlock_create_ruleset,
        landlock_add_rule,
        landlock_restrict_self,
        copy_file_range,
        close_range,
        faccessat2,
        rseq,
        getrandom,
        setsid,
        setpgid,
    ] {
        both(call, &[1, 1, 1, 1, 1, 1], PASSES);
    }
}

#[test]
fn rings_and_programs_of_the_kernel_are_refused() {
    for call in [io_uring_setup, io_uring_enter, io_uring_register, bpf, perf_event_open, userfaultfd, keyctl, add_key]
    {
        both(call, &[0, 0], EPERM);
    }
}

#[test]
fn the_tree_of_mounts_stays_as_it_is() {
    for call in [
        mount,
        umount2,
        pivot_root,
        chroot,
        move_mount,
        open_tree,
        open_tree_attr,
        mount_setattr,
        fsopen,
        fsconfig,
        fsmount,
        fspick,
        open_by_handle_at,
        name_to_handle_at,
        setns,
    ] {
        both(call, &[0, 0], EPERM);
    }
}

#[test]
fn threads_and_processes_start_but_no_namespace_does() {
    // What the C library asks for: a thread, a fork, a vfork.
    for flags in [0x3d_0f00, 0x120_0011, 0x4111] {
        both(clone, &[flags], PASSES);
    }
    // 0x80 lies in the byte of the signal and is CLONE_NEWTIME only for unshare.
    both(clone, &[0x80], PASSES);
    for bit in [0x2_0000, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000] {
        both(clone, &[bit | 17], EPERM);
        both(clone, &[bit | 17 | 1 << 40], EPERM);
        both(unshare, &[bit], EPERM);
    }
    both(unshare, &[0x80], EPERM);
    // An empty mount namespace, which kernels newer than the table have.
    both(unshare, &[0x10_0000], EPERM);
    // CLONE_FILES, CLONE_FS, CLONE_SYSVSEM.
    both(unshare, &[0x400 | 0x200 | 0x4_0000], PASSES);
    both(clone3, &[1, 88], ENOSYS);
}

#[test]
fn filters_stack_but_have_no_second_listener() {
    both(seccomp, &[1, 0, 1], PASSES);
    both(seccomp, &[1, 1, 1], PASSES);
    both(seccomp, &[1, 8, 1], EBUSY);
    both(seccomp, &[1 | 1 << 32, 8 | 1 << 33 | 1, 1], EBUSY);
    both(seccomp, &[2, 8, 1], PASSES);
    // PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, PR_SET_DUMPABLE.
    for option in [22, 38, 4] {
        both(prctl, &[option, 2], PASSES);
    }
    both(prctl, &[0x5961_6d61, 1], EPERM);
    both(prctl, &[35, 1], EPERM);
    both(prctl, &[35 | 1 << 32, 1], EPERM);
}

#[test]
fn only_the_caller_s_own_limits_change() {
    both(prlimit64, &[0, 7, 1, 0], PASSES);
    both(prlimit64, &[1, 7, 0, 1], PASSES);
    both(prlimit64, &[1, 7, 1, 0], EPERM);
    both(prlimit64, &[1, 7, 1 << 32, 0], EPERM);
    both(prlimit64, &[1 << 32, 7, 1, 0], PASSES);
    // RLIMIT_CORE is 4.
    both(setrlimit, &[7, 1], PASSES);
    both(setrlimit, &[4, 1], NOTHING);
    both(setrlimit, &[4 | 1 << 32, 1], NOTHING);
    both(prlimit64, &[0, 4, 0, 1], PASSES);
    both(prlimit64, &[0, 4, 1, 0], NOTHING);
    both(setpriority, &[0, 0, 5], PASSES);
    both(setpriority, &[0, 1, 5], EPERM);
    // A group or a user, even the caller's own, is more than the caller.
    both(setpriority, &[1, 0, 5], EPERM);
    both(setpriority, &[2, 0, 5], EPERM);
    both(ioprio_set, &[1, 0, 5], PASSES);
    both(ioprio_set, &[1, 9, 5], EPERM);
    both(ioprio_set, &[2, 0, 5], EPERM);
    for call in [sched_setaffinity, sched_setattr, sched_setparam, sched_setscheduler, migrate_pages, move_pages] {
        both(call, &[0, 1], PASSES);
        both(call, &[1, 1], EPERM);
    }
    both(process_madvise, &[0], EPERM);
    both(process_vm_writev, &[0], EPERM);
    both(kcmp, &[0], EPERM);
}

#[test]
fn personality_only_asks_or_returns_to_the_usual() {
    both(personality, &[0], PASSES);
    both(personality, &[0xffff_ffff], PASSES);
    both(personality, &[u64::MAX], PASSES);
    both(personality, &[0x40_0000], EPERM);
    both(personality, &[8], EPERM);
}

#[test]
fn commands_are_compared_on_their_low_half() {
    for command in [
        0x540c,
        0x5412,
        0x541c,
        0x541d,
        0x5423,
        0x4b49,
        0x4008_6602,
        0x4004_6602,
        0x401c_5820,
        0x4080_6685,
        0x5000_9401,
    ] {
        both(ioctl, &[0, command], EPERM);
        both(ioctl, &[0, command | 1 << 32], EPERM);
        both(ioctl, &[0, command | 0xffff_ffff << 32], EPERM);
    }
    // TCGETS, TIOCGWINSZ, TIOCSCTTY, TIOCSPGRP, FIONREAD, FS_IOC_GETFLAGS, FICLONE, FICLONERANGE, FIDEDUPERANGE.
    for command in [0x5401, 0x5413, 0x540e, 0x5410, 0x541b, 0x8008_6601, 0x4004_9409, 0x4020_940d, 0xc018_9436] {
        both(ioctl, &[0, command], PASSES);
    }
}

#[test]
fn devices_are_not_made() {
    both(mknodat, &[0, 1, 0o10_0644], PASSES);
    both(mknodat, &[0, 1, 0o01_0644], PASSES);
    both(mknodat, &[0, 1, 0o14_0644], PASSES);
    both(mknodat, &[0, 1, 0o02_0644], EPERM);
    both(mknodat, &[0, 1, 0o06_0644], EPERM);
    // The kernel takes 16 bits of the mode.
    both(mknodat, &[0, 1, 0x1_0000 | 0o02_0644], EPERM);
    both(mknod, &[1, 0o02_0644], EPERM);
    both(mknod, &[1, 0o06_0644], EPERM);
    both(mknod, &[1, 0o644], PASSES);
}

#[test]
fn no_file_is_made_that_lends_its_owner_s_power() {
    const CREATE: u64 = 0o100;
    const TEMPORARY: u64 = 0o20_200_000;
    for set_id in [0o4755, 0o2755, 0o6000, 0o1_4644, 1 << 32 | 0o4755] {
        for creates in [CREATE, TEMPORARY, CREATE | 0o1002, 1 << 32 | CREATE] {
            both(open, &[1, creates, set_id], EPERM);
            both(openat, &[3, 1, creates, set_id], EPERM);
        }
        both(creat, &[1, set_id], EPERM);
        open_and_closed(chmod, &[1, set_id], EPERM, EPERM);
        open_and_closed(fchmod, &[3, set_id], EPERM, EPERM);
        open_and_closed(fchmodat, &[3, 1, set_id], EPERM, EPERM);
        open_and_closed(fchmodat2, &[3, 1, set_id, 0], EPERM, EPERM);
    }
    for kind in [0, 0o10_0000] {
        both(mknod, &[1, kind | 0o4755], EPERM);
        both(mknodat, &[3, 1, kind | 0o2755], EPERM);
    }
    // Without a file to make, the mode is whatever the register held before.
    both(open, &[1, 0o2, 0o4755], PASSES);
    both(openat, &[3, 1, 0o20_0000, 0o6755], PASSES);
    both(open, &[1, CREATE, 0o1777], PASSES);
    both(openat, &[3, 1, TEMPORARY, 0o777], PASSES);
    both(mknodat, &[3, 1, 0o1_4644], PASSES);
    // Its mode is in memory.
    both(openat2, &[3, 1, 1, 24], ENOSYS);
}

#[test]
fn metadata_changes_follow_the_option() {
    for call in [
        chmod,
        fchmod,
        fchmodat,
        fchmodat2,
        chown,
        fchown,
        lchown,
        fchownat,
        utime,
        utimes,
        utimensat,
        futimesat,
        setxattr,
        lsetxattr,
        fsetxattr,
        setxattrat,
        removexattr,
        lremovexattr,
        fremovexattr,
        removexattrat,
    ] {
        open_and_closed(call, &[0, 0], PASSES, EPERM);
    }
    both(file_setattr, &[0], EPERM);
    for call in [getxattr, listxattr, getxattrat, file_getattr, umask] {
        both(call, &[0], PASSES);
    }
}

#[test]
fn only_tcp_and_local_streams_have_sockets() {
    const CLOEXEC_NONBLOCK: u64 = 0o2_004_000;
    for family in [2, 10] {
        for high in [0, 1 << 32] {
            both(socket, &[family | high, 1, 0], PASSES);
            both(socket, &[family, 1 | CLOEXEC_NONBLOCK | high, 6 | high], PASSES);
            both(socket, &[family | high, 2, 0], EACCES);
            both(socket, &[family, 2 | CLOEXEC_NONBLOCK | high, 17], EACCES);
            both(socket, &[family | high, 3, 1], EPERM);
            both(socket, &[family, 10 | high, 3], EPERM);
            both(socket, &[family, 1, 262 | high], EPROTONOSUPPORT);
            both(socket, &[family, 5, 132 | high], EPROTONOSUPPORT);
            both(socket, &[family, 1, 132], EPROTONOSUPPORT);
            both(socket, &[family, 1, 256], EPROTONOSUPPORT);
            both(socket, &[family, 5, 0], EPERM);
        }
    }
    // Packet, alg, vsock, xdp, bluetooth, tipc, rds, can, smc, qipcrtr, and none.
    for family in [17, 38, 40, 44, 31, 30, 21, 29, 43, 42, 0, 46, 0xffff_ffff] {
        both(socket, &[family, 3, 0], EAFNOSUPPORT);
        both(socketpair, &[family, 1, 0], EAFNOSUPPORT);
    }
    // Routes as the C library asks for them, and other parts of the kernel.
    both(socket, &[16, 3 | CLOEXEC_NONBLOCK, 0], PASSES);
    for protocol in [4, 9, 11, 12, 15, 16] {
        both(socket, &[16, 3, protocol], EAFNOSUPPORT);
    }
}

#[test]
fn unix_sockets_follow_the_option() {
    for call in [socket, socketpair] {
        both(call, &[1, 1, 0], PASSES);
        both(call, &[1, 5 | 0o2_000_000, 0], PASSES);
        open_and_closed(call, &[1, 2, 0], PASSES, EACCES);
        // The kernel makes a datagram socket of it.
        both(call, &[1, 3, 0], EPERM);
    }
    open_and_closed(connect, &[3, 1, 110], PASSES, EACCES);
    open_and_closed(sendto, &[3, 1, 1, 0, 1, 110], PASSES, EACCES);
    open_and_closed(sendto, &[3, 1, 1, 0, 1 << 32, 16], PASSES, EACCES);
    both(sendto, &[3, 1, 1, 0, 0, 0], PASSES);
    both(sendto, &[3, 1, 1, 0, 1, 12], PASSES);
    open_and_closed(listen, &[3, 5], PASSES, EACCES);
}

#[test]
fn nothing_connects_while_it_sends() {
    both(sendto, &[3, 1, 1, 0x2000_0000, 1, 16], EPERM);
    both(sendto, &[3, 1, 1, 0x2000_4000, 0, 0], EPERM);
    both(sendmsg, &[3, 1, 0x2000_0000], EPERM);
    both(sendmsg, &[3, 1, 0x4000], PASSES);
    both(sendmmsg, &[3, 1, 1, 0x2000_0000], EPERM);
    both(sendmmsg, &[3, 1, 1, 0x4000], PASSES);
    both(setsockopt, &[3, 6, 30, 1, 4], EPERM);
    both(setsockopt, &[3, 6 | 1 << 32, 30 | 1 << 32, 1, 4], EPERM);
    both(setsockopt, &[3, 6, 31, 1, 4], EPERM);
    // TCP_NODELAY, TCP_FASTOPEN, and option 30 of another level.
    both(setsockopt, &[3, 6, 1, 1, 4], PASSES);
    both(setsockopt, &[3, 6, 23, 1, 4], PASSES);
    both(setsockopt, &[3, 1, 30, 1, 4], PASSES);
}
