//! Every system call of both architectures up to [`Syscall::HIGHEST`], with its number on each.
//!
//! From `arch/x86/entry/syscalls/syscall_64.tbl` and `scripts/syscall.tbl` of the kernel, where the second is what aarch64
//! uses. From 424 on the numbers are the same everywhere.

use super::Arch;

/// One row a call: name, number on x86_64, number on aarch64 (`-` where there is none).
macro_rules! numbers {
    (@number -) => { None };
    (@number $number:literal) => { Some($number) };
    ($($name:ident $x86_64:tt $aarch64:tt;)+) => {
        /// A system call, by the kernel's own name.
        #[expect(non_camel_case_types, reason = "the kernel's own names are easier to find in its pages")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Syscall { $($name,)+ }

        impl Syscall {
            /// Every call, in the order of the numbers on x86_64.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// What the manual calls it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// Its number on `arch`, or nothing where the architecture never had it.
            pub const fn number(self, arch: Arch) -> Option<u16> {
                match (self, arch) {
                    $((Self::$name, Arch::X86_64) => numbers!(@number $x86_64),
                    (Self::$name, Arch::Aarch64) => numbers!(@number $aarch64),)+
                }
            }
        }
    };
}

impl Syscall {
    /// The highest number in the table, on both architectures. What lies above was not looked at.
    pub const HIGHEST: u16 = 469;

    /// The numbers of all calls that `arch` has, the lowest first.
    pub fn numbers(arch: Arch) -> impl Iterator<Item = u16> {
        let known = match arch {
            Arch::X86_64 => &KNOWN_X86_64,
            Arch::Aarch64 => &KNOWN_AARCH64,
        };
        (0..=Self::HIGHEST).zip(known).filter(|(_, known)| **known).map(|(number, _)| number)
    }

    /// The call with that number on the architecture that this runs on.
    pub fn numbered(number: i32) -> Option<Self> {
        usize::try_from(number).ok().and_then(|number| NUMBERED.get(number).copied().flatten())
    }
}

/// Which numbers are a call's.
static KNOWN_X86_64: [bool; Syscall::HIGHEST as usize + 1] = known(Arch::X86_64);
static KNOWN_AARCH64: [bool; Syscall::HIGHEST as usize + 1] = known(Arch::Aarch64);

/// Made while compiling.
const fn known(arch: Arch) -> [bool; Syscall::HIGHEST as usize + 1] {
    let mut known = [false; Syscall::HIGHEST as usize + 1];
    let mut index = 0;
    while index < Syscall::ALL.len() {
        if let Some(number) = Syscall::ALL[index].number(arch) {
            known[number as usize] = true;
        }
        index += 1;
    }
    known
}

/// The call behind each number, made while compiling.
static NUMBERED: [Option<Syscall>; Syscall::HIGHEST as usize + 1] = {
    let mut calls = [None; Syscall::HIGHEST as usize + 1];
    let mut index = 0;
    while index < Syscall::ALL.len() {
        let call = Syscall::ALL[index];
        if let Some(number) = call.number(Arch::NATIVE) {
            calls[number as usize] = Some(call);
        }
        index += 1;
    }
    calls
};

numbers! {
    read 0 63; write 1 64; open 2 -; close 3 57; stat 4 -; fstat 5 80; lstat 6 -; poll 7 -; lseek 8 62;
    mmap 9 222; mprotect 10 226; munmap 11 215; brk 12 214; rt_sigaction 13 134; rt_sigprocmask 14 135;
    rt_sigreturn 15 139; ioctl 16 29; pread64 17 67; pwrite64 18 68; readv 19 65; writev 20 66; access 21 -;
    pipe 22 -; select 23 -; sched_yield 24 124; mremap 25 216; msync 26 227; mincore 27 232; madvise 28 233;
    shmget 29 194; shmat 30 196; shmctl 31 195; dup 32 23; dup2 33 -; pause 34 -; nanosleep 35 101;
    getitimer 36 102; alarm 37 -; setitimer 38 103; getpid 39 172; sendfile 40 71; socket 41 198;
    connect 42 203; accept 43 202; sendto 44 206; recvfrom 45 207; sendmsg 46 211; recvmsg 47 212;
    shutdown 48 210; bind 49 200; listen 50 201; getsockname 51 204; getpeername 52 205; socketpair 53 199;
    setsockopt 54 208; getsockopt 55 209; clone 56 220; fork 57 -; vfork 58 -; execve 59 221; exit 60 93;
    wait4 61 260; kill 62 129; uname 63 160; semget 64 190; semop 65 193; semctl 66 191; shmdt 67 197;
    msgget 68 186; msgsnd 69 189; msgrcv 70 188; msgctl 71 187; fcntl 72 25; flock 73 32; fsync 74 82;
    fdatasync 75 83; truncate 76 45; ftruncate 77 46; getdents 78 -; getcwd 79 17; chdir 80 49; fchdir 81 50;
    rename 82 -; mkdir 83 -; rmdir 84 -; creat 85 -; link 86 -; unlink 87 -; symlink 88 -; readlink 89 -;
    chmod 90 -; fchmod 91 52; chown 92 -; fchown 93 55; lchown 94 -; umask 95 166; gettimeofday 96 169;
    getrlimit 97 163; getrusage 98 165; sysinfo 99 179; times 100 153; ptrace 101 117; getuid 102 174;
    syslog 103 116; getgid 104 176; setuid 105 146; setgid 106 144; geteuid 107 175; getegid 108 177;
    setpgid 109 154; getppid 110 173; getpgrp 111 -; setsid 112 157; setreuid 113 145; setregid 114 143;
    getgroups 115 158; setgroups 116 159; setresuid 117 147; getresuid 118 148; setresgid 119 149;
    getresgid 120 150; getpgid 121 155; setfsuid 122 151; setfsgid 123 152; getsid 124 156; capget 125 90;
    capset 126 91; rt_sigpending 127 136; rt_sigtimedwait 128 137; rt_sigqueueinfo 129 138;
    rt_sigsuspend 130 133; sigaltstack 131 132; utime 132 -; mknod 133 -; uselib 134 -; personality 135 92;
    ustat 136 -; statfs 137 43; fstatfs 138 44; sysfs 139 -; getpriority 140 141; setpriority 141 140;
    sched_setparam 142 118; sched_getparam 143 121; sched_setscheduler 144 119; sched_getscheduler 145 120;
    sched_get_priority_max 146 125; sched_get_priority_min 147 126; sched_rr_get_interval 148 127;
    mlock 149 228; munlock 150 229; mlockall 151 230; munlockall 152 231; vhangup 153 58; modify_ldt 154 -;
    pivot_root 155 41; _sysctl 156 -; prctl 157 167; arch_prctl 158 -; adjtimex 159 171; setrlimit 160 164;
    chroot 161 51; sync 162 81; acct 163 89; settimeofday 164 170; mount 165 40; umount2 166 39; swapon 167 224;
    swapoff 168 225; reboot 169 142; sethostname 170 161; setdomainname 171 162; iopl 172 -; ioperm 173 -;
    create_module 174 -; init_module 175 105; delete_module 176 106; get_kernel_syms 177 -; query_module 178 -;
    quotactl 179 60; nfsservctl 180 42; getpmsg 181 -; putpmsg 182 -; afs_syscall 183 -; tuxcall 184 -;
    security 185 -; gettid 186 178; readahead 187 213; setxattr 188 5; lsetxattr 189 6; fsetxattr 190 7;
    getxattr 191 8; lgetxattr 192 9; fgetxattr 193 10; listxattr 194 11; llistxattr 195 12; flistxattr 196 13;
    removexattr 197 14; lremovexattr 198 15; fremovexattr 199 16; tkill 200 130; time 201 -; futex 202 98;
    sched_setaffinity 203 122; sched_getaffinity 204 123; set_thread_area 205 -; io_setup 206 0;
    io_destroy 207 1; io_getevents 208 4; io_submit 209 2; io_cancel 210 3; get_thread_area 211 -;
    lookup_dcookie 212 18; epoll_create 213 -; epoll_ctl_old 214 -; epoll_wait_old 215 -;
    remap_file_pages 216 234; getdents64 217 61; set_tid_address 218 96; restart_syscall 219 128;
    semtimedop 220 192; fadvise64 221 223; timer_create 222 107; timer_settime 223 110; timer_gettime 224 108;
    timer_getoverrun 225 109; timer_delete 226 111; clock_settime 227 112; clock_gettime 228 113;
    clock_getres 229 114; clock_nanosleep 230 115; exit_group 231 94; epoll_wait 232 -; epoll_ctl 233 21;
    tgkill 234 131; utimes 235 -; vserver 236 -; mbind 237 235; set_mempolicy 238 237; get_mempolicy 239 236;
    mq_open 240 180; mq_unlink 241 181; mq_timedsend 242 182; mq_timedreceive 243 183; mq_notify 244 184;
    mq_getsetattr 245 185; kexec_load 246 104; waitid 247 95; add_key 248 217; request_key 249 218;
    keyctl 250 219; ioprio_set 251 30; ioprio_get 252 31; inotify_init 253 -; inotify_add_watch 254 27;
    inotify_rm_watch 255 28; migrate_pages 256 238; openat 257 56; mkdirat 258 34; mknodat 259 33;
    fchownat 260 54; futimesat 261 -; newfstatat 262 79; unlinkat 263 35; renameat 264 38; linkat 265 37;
    symlinkat 266 36; readlinkat 267 78; fchmodat 268 53; faccessat 269 48; pselect6 270 72; ppoll 271 73;
    unshare 272 97; set_robust_list 273 99; get_robust_list 274 100; splice 275 76; tee 276 77;
    sync_file_range 277 84; vmsplice 278 75; move_pages 279 239; utimensat 280 88; epoll_pwait 281 22;
    signalfd 282 -; timerfd_create 283 85; eventfd 284 -; fallocate 285 47; timerfd_settime 286 86;
    timerfd_gettime 287 87; accept4 288 242; signalfd4 289 74; eventfd2 290 19; epoll_create1 291 20;
    dup3 292 24; pipe2 293 59; inotify_init1 294 26; preadv 295 69; pwritev 296 70; rt_tgsigqueueinfo 297 240;
    perf_event_open 298 241; recvmmsg 299 243; fanotify_init 300 262; fanotify_mark 301 263; prlimit64 302 261;
    name_to_handle_at 303 264; open_by_handle_at 304 265; clock_adjtime 305 266; syncfs 306 267;
    sendmmsg 307 269; setns 308 268; getcpu 309 168; process_vm_readv 310 270; process_vm_writev 311 271;
    kcmp 312 272; finit_module 313 273; sched_setattr 314 274; sched_getattr 315 275; renameat2 316 276;
    seccomp 317 277; getrandom 318 278; memfd_create 319 279; kexec_file_load 320 294; bpf 321 280;
    execveat 322 281; userfaultfd 323 282; membarrier 324 283; mlock2 325 284; copy_file_range 326 285;
    preadv2 327 286; pwritev2 328 287; pkey_mprotect 329 288; pkey_alloc 330 289; pkey_free 331 290;
    statx 332 291; io_pgetevents 333 292; rseq 334 293; uretprobe 335 -; uprobe 336 -;
    pidfd_send_signal 424 424; io_uring_setup 425 425; io_uring_enter 426 426; io_uring_register 427 427;
    open_tree 428 428; move_mount 429 429; fsopen 430 430; fsconfig 431 431; fsmount 432 432; fspick 433 433;
    pidfd_open 434 434; clone3 435 435; close_range 436 436; openat2 437 437; pidfd_getfd 438 438;
    faccessat2 439 439; process_madvise 440 440; epoll_pwait2 441 441; mount_setattr 442 442;
    quotactl_fd 443 443; landlock_create_ruleset 444 444; landlock_add_rule 445 445;
    landlock_restrict_self 446 446; memfd_secret 447 447; process_mrelease 448 448; futex_waitv 449 449;
    set_mempolicy_home_node 450 450; cachestat 451 451; fchmodat2 452 452; map_shadow_stack 453 453;
    futex_wake 454 454; futex_wait 455 455; futex_requeue 456 456; statmount 457 457; listmount 458 458;
    lsm_get_self_attr 459 459; lsm_set_self_attr 460 460; lsm_list_modules 461 461; mseal 462 462;
    setxattrat 463 463; getxattrat 464 464; listxattrat 465 465; removexattrat 466 466; open_tree_attr 467 467;
    file_getattr 468 468; file_setattr 469 469;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const BOTH: [Arch; 2] = [Arch::X86_64, Arch::Aarch64];

    #[test]
    fn no_number_names_two_calls() {
        for arch in BOTH {
            let numbers: Vec<u16> = Syscall::ALL.iter().filter_map(|call| call.number(arch)).collect();
            let distinct: BTreeSet<u16> = numbers.iter().copied().collect();
            assert_eq!(numbers.len(), distinct.len());
            assert_eq!(distinct.last(), Some(&Syscall::HIGHEST));
        }
    }

    #[test]
    fn each_number_leads_back_to_its_call() {
        for call in Syscall::ALL {
            let number = call.number(Arch::NATIVE).map(i32::from);
            assert_eq!(number.and_then(Syscall::numbered), number.map(|_| *call));
        }
        assert_eq!([-1, 470, i32::MAX].map(Syscall::numbered), [None; 3]);
    }

    #[test]
    fn every_number_of_the_shared_range_is_named() {
        for arch in BOTH {
            let numbers: BTreeSet<u16> = Syscall::ALL.iter().filter_map(|call| call.number(arch)).collect();
            assert!((424..=Syscall::HIGHEST).all(|number| numbers.contains(&number)));
        }
        let x86_64: BTreeSet<u16> = Syscall::ALL.iter().filter_map(|call| call.number(Arch::X86_64)).collect();
        assert!((0..=334).all(|number| x86_64.contains(&number)));
        let aarch64: BTreeSet<u16> = Syscall::ALL.iter().filter_map(|call| call.number(Arch::Aarch64)).collect();
        assert!((0..=243).chain(260..=294).all(|number| aarch64.contains(&number)));
    }

    #[test]
    fn from_424_on_both_architectures_agree() {
        for call in Syscall::ALL {
            let x86_64 = call.number(Arch::X86_64);
            if x86_64 >= Some(424) {
                assert_eq!(x86_64, call.number(Arch::Aarch64), "{}", call.name());
            }
        }
    }

    /// A test that compares the names given with the C library's constants for the architecture it runs on.
    macro_rules! same_as_libc {
        ($test:ident: $($name:ident => $constant:ident;)+) => {
            #[test]
            fn $test() {
                $(assert_eq!(
                    Syscall::$name.number(Arch::NATIVE).map(libc::c_long::from),
                    Some(libc::$constant),
                    stringify!($name)
                );)+
            }
        };
    }

    same_as_libc! {
        numbers_are_the_c_library_s:
        read => SYS_read; write => SYS_write; close => SYS_close; fstat => SYS_fstat; lseek => SYS_lseek;
        mmap => SYS_mmap; mprotect => SYS_mprotect; munmap => SYS_munmap; brk => SYS_brk;
        rt_sigaction => SYS_rt_sigaction; rt_sigprocmask => SYS_rt_sigprocmask; rt_sigreturn => SYS_rt_sigreturn;
        ioctl => SYS_ioctl; pread64 => SYS_pread64; pwrite64 => SYS_pwrite64; readv => SYS_readv;
        writev => SYS_writev; sched_yield => SYS_sched_yield; mremap => SYS_mremap; msync => SYS_msync;
        mincore => SYS_mincore; madvise => SYS_madvise; shmget => SYS_shmget; shmat => SYS_shmat;
        shmctl => SYS_shmctl; dup => SYS_dup; nanosleep => SYS_nanosleep; getitimer => SYS_getitimer;
        setitimer => SYS_setitimer; getpid => SYS_getpid; sendfile => SYS_sendfile; socket => SYS_socket;
        connect => SYS_connect; accept => SYS_accept; sendto => SYS_sendto; recvfrom => SYS_recvfrom;
        sendmsg => SYS_sendmsg; recvmsg => SYS_recvmsg; shutdown => SYS_shutdown; bind => SYS_bind;
        listen => SYS_listen; getsockname => SYS_getsockname; getpeername => SYS_getpeername;
        socketpair => SYS_socketpair; setsockopt => SYS_setsockopt; getsockopt => SYS_getsockopt;
        clone => SYS_clone; execve => SYS_execve; exit => SYS_exit; wait4 => SYS_wait4; kill => SYS_kill;
        uname => SYS_uname; semget => SYS_semget; semop => SYS_semop; semctl => SYS_semctl; shmdt => SYS_shmdt;
        msgget => SYS_msgget; msgsnd => SYS_msgsnd; msgrcv => SYS_msgrcv; msgctl => SYS_msgctl;
        fcntl => SYS_fcntl; flock => SYS_flock; fsync => SYS_fsync; fdatasync => SYS_fdatasync;
        truncate => SYS_truncate; ftruncate => SYS_ftruncate; getcwd => SYS_getcwd; chdir => SYS_chdir;
        fchdir => SYS_fchdir; fchmod => SYS_fchmod; fchown => SYS_fchown; umask => SYS_umask;
        gettimeofday => SYS_gettimeofday; getrusage => SYS_getrusage; sysinfo => SYS_sysinfo; times => SYS_times;
        ptrace => SYS_ptrace; getuid => SYS_getuid; syslog => SYS_syslog; getgid => SYS_getgid;
        setuid => SYS_setuid; setgid => SYS_setgid; geteuid => SYS_geteuid; getegid => SYS_getegid;
        setpgid => SYS_setpgid; getppid => SYS_getppid; setsid => SYS_setsid; setreuid => SYS_setreuid;
        setregid => SYS_setregid; getgroups => SYS_getgroups; setgroups => SYS_setgroups;
        setresuid => SYS_setresuid; getresuid => SYS_getresuid; setresgid => SYS_setresgid;
        getresgid => SYS_getresgid; getpgid => SYS_getpgid; setfsuid => SYS_setfsuid; setfsgid => SYS_setfsgid;
        getsid => SYS_getsid; capget => SYS_capget; capset => SYS_capset; rt_sigpending => SYS_rt_sigpending;
        rt_sigtimedwait => SYS_rt_sigtimedwait; rt_sigqueueinfo => SYS_rt_sigqueueinfo;
        rt_sigsuspend => SYS_rt_sigsuspend; sigaltstack => SYS_sigaltstack; personality => SYS_personality;
        statfs => SYS_statfs; fstatfs => SYS_fstatfs; getpriority => SYS_getpriority;
        setpriority => SYS_setpriority; sched_setparam => SYS_sched_setparam;
        sched_getparam => SYS_sched_getparam; sched_setscheduler => SYS_sched_setscheduler;
        sched_getscheduler => SYS_sched_getscheduler; sched_get_priority_max => SYS_sched_get_priority_max;
        sched_get_priority_min => SYS_sched_get_priority_min; sched_rr_get_interval => SYS_sched_rr_get_interval;
        mlock => SYS_mlock; munlock => SYS_munlock; mlockall => SYS_mlockall; munlockall => SYS_munlockall;
        vhangup => SYS_vhangup; pivot_root => SYS_pivot_root; prctl => SYS_prctl; adjtimex => SYS_adjtimex;
        chroot => SYS_chroot; sync => SYS_sync; acct => SYS_acct; settimeofday => SYS_settimeofday;
        mount => SYS_mount; umount2 => SYS_umount2; swapon => SYS_swapon; swapoff => SYS_swapoff;
        reboot => SYS_reboot; sethostname => SYS_sethostname; setdomainname => SYS_setdomainname;
        init_module => SYS_init_module; delete_module => SYS_delete_module; quotactl => SYS_quotactl;
        nfsservctl => SYS_nfsservctl; gettid => SYS_gettid; readahead => SYS_readahead; setxattr => SYS_setxattr;
        lsetxattr => SYS_lsetxattr; fsetxattr => SYS_fsetxattr; getxattr => SYS_getxattr;
        lgetxattr => SYS_lgetxattr; fgetxattr => SYS_fgetxattr; listxattr => SYS_listxattr;
        llistxattr => SYS_llistxattr; flistxattr => SYS_flistxattr; removexattr => SYS_removexattr;
        lremovexattr => SYS_lremovexattr; fremovexattr => SYS_fremovexattr; tkill => SYS_tkill;
        futex => SYS_futex; sched_setaffinity => SYS_sched_setaffinity;
        sched_getaffinity => SYS_sched_getaffinity; io_setup => SYS_io_setup; io_destroy => SYS_io_destroy;
        io_getevents => SYS_io_getevents; io_submit => SYS_io_submit; io_cancel => SYS_io_cancel;
        lookup_dcookie => SYS_lookup_dcookie; remap_file_pages => SYS_remap_file_pages;
        getdents64 => SYS_getdents64; set_tid_address => SYS_set_tid_address;
        restart_syscall => SYS_restart_syscall; semtimedop => SYS_semtimedop; fadvise64 => SYS_fadvise64;
        timer_create => SYS_timer_create; timer_settime => SYS_timer_settime; timer_gettime => SYS_timer_gettime;
        timer_getoverrun => SYS_timer_getoverrun; timer_delete => SYS_timer_delete;
        clock_settime => SYS_clock_settime; clock_gettime => SYS_clock_gettime; clock_getres => SYS_clock_getres;
        clock_nanosleep => SYS_clock_nanosleep; exit_group => SYS_exit_group; epoll_ctl => SYS_epoll_ctl;
        tgkill => SYS_tgkill; mbind => SYS_mbind; set_mempolicy => SYS_set_mempolicy;
        get_mempolicy => SYS_get_mempolicy; mq_open => SYS_mq_open; mq_unlink => SYS_mq_unlink;
        mq_timedsend => SYS_mq_timedsend; mq_timedreceive => SYS_mq_timedreceive; mq_notify => SYS_mq_notify;
        mq_getsetattr => SYS_mq_getsetattr; kexec_load => SYS_kexec_load; waitid => SYS_waitid;
        add_key => SYS_add_key; request_key => SYS_request_key; keyctl => SYS_keyctl;
        ioprio_set => SYS_ioprio_set; ioprio_get => SYS_ioprio_get; inotify_add_watch => SYS_inotify_add_watch;
        inotify_rm_watch => SYS_inotify_rm_watch; migrate_pages => SYS_migrate_pages; openat => SYS_openat;
        mkdirat => SYS_mkdirat; mknodat => SYS_mknodat; fchownat => SYS_fchownat; newfstatat => SYS_newfstatat;
        unlinkat => SYS_unlinkat; linkat => SYS_linkat; symlinkat => SYS_symlinkat; readlinkat => SYS_readlinkat;
        fchmodat => SYS_fchmodat; faccessat => SYS_faccessat; pselect6 => SYS_pselect6; ppoll => SYS_ppoll;
        unshare => SYS_unshare; set_robust_list => SYS_set_robust_list; get_robust_list => SYS_get_robust_list;
        splice => SYS_splice; tee => SYS_tee; vmsplice => SYS_vmsplice; move_pages => SYS_move_pages;
        utimensat => SYS_utimensat; epoll_pwait => SYS_epoll_pwait; timerfd_create => SYS_timerfd_create;
        fallocate => SYS_fallocate; timerfd_settime => SYS_timerfd_settime;
        timerfd_gettime => SYS_timerfd_gettime; accept4 => SYS_accept4; signalfd4 => SYS_signalfd4;
        eventfd2 => SYS_eventfd2; epoll_create1 => SYS_epoll_create1; dup3 => SYS_dup3; pipe2 => SYS_pipe2;
        inotify_init1 => SYS_inotify_init1; preadv => SYS_preadv; pwritev => SYS_pwritev;
        rt_tgsigqueueinfo => SYS_rt_tgsigqueueinfo; perf_event_open => SYS_perf_event_open;
        recvmmsg => SYS_recvmmsg; fanotify_init => SYS_fanotify_init; fanotify_mark => SYS_fanotify_mark;
        prlimit64 => SYS_prlimit64; name_to_handle_at => SYS_name_to_handle_at;
        open_by_handle_at => SYS_open_by_handle_at; clock_adjtime => SYS_clock_adjtime; syncfs => SYS_syncfs;
        sendmmsg => SYS_sendmmsg; setns => SYS_setns; getcpu => SYS_getcpu;
        process_vm_readv => SYS_process_vm_readv; process_vm_writev => SYS_process_vm_writev; kcmp => SYS_kcmp;
        finit_module => SYS_finit_module; sched_setattr => SYS_sched_setattr; sched_getattr => SYS_sched_getattr;
        renameat2 => SYS_renameat2; seccomp => SYS_seccomp; getrandom => SYS_getrandom;
        memfd_create => SYS_memfd_create; bpf => SYS_bpf; execveat => SYS_execveat;
        userfaultfd => SYS_userfaultfd; membarrier => SYS_membarrier; mlock2 => SYS_mlock2;
        copy_file_range => SYS_copy_file_range; preadv2 => SYS_preadv2; pwritev2 => SYS_pwritev2;
        pkey_mprotect => SYS_pkey_mprotect; pkey_alloc => SYS_pkey_alloc; pkey_free => SYS_pkey_free;
        statx => SYS_statx; rseq => SYS_rseq; pidfd_send_signal => SYS_pidfd_send_signal;
        io_uring_setup => SYS_io_uring_setup; io_uring_enter => SYS_io_uring_enter;
        io_uring_register => SYS_io_uring_register; open_tree => SYS_open_tree; move_mount => SYS_move_mount;
        fsopen => SYS_fsopen; fsconfig => SYS_fsconfig; fsmount => SYS_fsmount; fspick => SYS_fspick;
        pidfd_open => SYS_pidfd_open; clone3 => SYS_clone3; close_range => SYS_close_range;
        openat2 => SYS_openat2; pidfd_getfd => SYS_pidfd_getfd; faccessat2 => SYS_faccessat2;
        process_madvise => SYS_process_madvise; epoll_pwait2 => SYS_epoll_pwait2;
        mount_setattr => SYS_mount_setattr; quotactl_fd => SYS_quotactl_fd;
        landlock_create_ruleset => SYS_landlock_create_ruleset; landlock_add_rule => SYS_landlock_add_rule;
        landlock_restrict_self => SYS_landlock_restrict_self; memfd_secret => SYS_memfd_secret;
        process_mrelease => SYS_process_mrelease; futex_waitv => SYS_futex_waitv;
        set_mempolicy_home_node => SYS_set_mempolicy_home_node; mseal => SYS_mseal;
    }

    #[cfg(target_arch = "x86_64")]
    same_as_libc! {
        older_numbers_are_the_c_library_s:
        open => SYS_open; stat => SYS_stat; lstat => SYS_lstat; poll => SYS_poll; access => SYS_access;
        pipe => SYS_pipe; select => SYS_select; dup2 => SYS_dup2; pause => SYS_pause; alarm => SYS_alarm;
        fork => SYS_fork; vfork => SYS_vfork; getdents => SYS_getdents; rename => SYS_rename; mkdir => SYS_mkdir;
        rmdir => SYS_rmdir; creat => SYS_creat; link => SYS_link; unlink => SYS_unlink; symlink => SYS_symlink;
        readlink => SYS_readlink; chmod => SYS_chmod; chown => SYS_chown; lchown => SYS_lchown;
        getrlimit => SYS_getrlimit; getpgrp => SYS_getpgrp; utime => SYS_utime; mknod => SYS_mknod;
        uselib => SYS_uselib; ustat => SYS_ustat; sysfs => SYS_sysfs; modify_ldt => SYS_modify_ldt;
        _sysctl => SYS__sysctl; arch_prctl => SYS_arch_prctl; setrlimit => SYS_setrlimit; iopl => SYS_iopl;
        ioperm => SYS_ioperm; getpmsg => SYS_getpmsg; putpmsg => SYS_putpmsg; afs_syscall => SYS_afs_syscall;
        tuxcall => SYS_tuxcall; security => SYS_security; time => SYS_time;
        set_thread_area => SYS_set_thread_area; get_thread_area => SYS_get_thread_area;
        epoll_create => SYS_epoll_create; epoll_ctl_old => SYS_epoll_ctl_old;
        epoll_wait_old => SYS_epoll_wait_old; epoll_wait => SYS_epoll_wait; utimes => SYS_utimes;
        vserver => SYS_vserver; inotify_init => SYS_inotify_init; futimesat => SYS_futimesat;
        renameat => SYS_renameat; sync_file_range => SYS_sync_file_range; signalfd => SYS_signalfd;
        eventfd => SYS_eventfd; kexec_file_load => SYS_kexec_file_load; fchmodat2 => SYS_fchmodat2;
    }
}
