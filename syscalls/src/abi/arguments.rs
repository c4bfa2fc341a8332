//! Values that programs pass to system calls and a filter looks for, with the header of each.

/// Flags of `clone(2)` and `unshare(2)`, `include/uapi/linux/sched.h`.
pub mod clone {
    pub const VM: u64 = 0x0000_0100;
    pub const FS: u64 = 0x0000_0200;
    pub const FILES: u64 = 0x0000_0400;
    pub const SIGHAND: u64 = 0x0000_0800;
    pub const THREAD: u64 = 0x0001_0000;
    pub const NEWNS: u64 = 0x0002_0000;
    pub const SYSVSEM: u64 = 0x0004_0000;
    pub const NEWCGROUP: u64 = 0x0200_0000;
    pub const NEWUTS: u64 = 0x0400_0000;
    pub const NEWIPC: u64 = 0x0800_0000;
    pub const NEWUSER: u64 = 0x1000_0000;
    pub const NEWPID: u64 = 0x2000_0000;
    pub const NEWNET: u64 = 0x4000_0000;
}

/// Families, types, protocols, flags and options of sockets: `include/linux/socket.h`, `include/linux/net.h`,
/// `include/uapi/linux/{in,netlink,tcp}.h`.
pub mod socket {
    pub const UNIX: u64 = 1;
    pub const INET: u64 = 2;
    pub const INET6: u64 = 10;
    pub const NETLINK: u64 = 16;

    pub const STREAM: u64 = 1;
    pub const DGRAM: u64 = 2;
    pub const RAW: u64 = 3;
    pub const SEQPACKET: u64 = 5;
    /// The type without `SOCK_CLOEXEC` and `SOCK_NONBLOCK`.
    pub const TYPE_MASK: u64 = 0xF;

    pub const TCP: u64 = 6;
    pub const UDP: u64 = 17;
    pub const SCTP: u64 = 132;
    pub const MPTCP: u64 = 262;
    pub const NETLINK_ROUTE: u64 = 0;

    pub const MSG_FASTOPEN: u64 = 0x2000_0000;
    /// `sizeof(struct sockaddr_nl)`.
    pub const NETLINK_ADDRESS_SIZE: u64 = 12;

    pub const TCP_FASTOPEN_CONNECT: u64 = 30;
    pub const TCP_ULP: u64 = 31;

    /// Levels and names of options: `include/linux/socket.h`, `include/uapi/linux/{in,in6}.h`.
    pub const IP_LEVEL: u64 = 0;
    pub const IP_OPTIONS: u64 = 4;
    pub const IPV6_LEVEL: u64 = 41;
    pub const IPV6_2292RTHDR: u64 = 5;
    pub const IPV6_2292PKTOPTIONS: u64 = 6;
    pub const IPV6_RTHDR: u64 = 57;
    pub const IP_ADD_MEMBERSHIP: u64 = 35;
    pub const IP_ADD_SOURCE_MEMBERSHIP: u64 = 39;
    pub const IP_MSFILTER: u64 = 41;
    pub const IPV6_ADD_MEMBERSHIP: u64 = 20;
    pub const IPV6_JOIN_ANYCAST: u64 = 27;
    /// The same at both levels.
    pub const MCAST_JOIN_GROUP: u64 = 42;
    pub const MCAST_JOIN_SOURCE_GROUP: u64 = 46;
    pub const MCAST_MSFILTER: u64 = 48;
}

/// Commands of `ioctl(2)` for terminals: `include/uapi/asm-generic/ioctls.h`, `include/uapi/linux/kd.h`.
pub mod terminal {
    pub const TIOCEXCL: u64 = 0x540C;
    pub const TIOCSTI: u64 = 0x5412;
    pub const TIOCLINUX: u64 = 0x541C;
    pub const TIOCCONS: u64 = 0x541D;
    pub const TIOCSETD: u64 = 0x5423;
    pub const KDSKBENT: u64 = 0x4B47;
    pub const KDSKBSENT: u64 = 0x4B49;
    pub const KDSKBDIACR: u64 = 0x4B4B;
    pub const KDSETKEYCODE: u64 = 0x4B4D;
    pub const KDSKBDIACRUC: u64 = 0x4BFB;
}

/// Commands of `ioctl(2)` for files: `include/uapi/linux/{fs,fscrypt,fsverity,msdos_fs,btrfs}.h`, `fs/ext4/ext4.h`.
pub mod file {
    pub const FS_IOC_SETFLAGS: u64 = 0x4008_6602;
    pub const FS_IOC32_SETFLAGS: u64 = 0x4004_6602;
    pub const FS_IOC_SETVERSION: u64 = 0x4008_7602;
    pub const FS_IOC32_SETVERSION: u64 = 0x4004_7602;
    pub const EXT4_IOC_SETVERSION: u64 = 0x4008_6604;
    pub const EXT4_IOC32_SETVERSION: u64 = 0x4004_6604;
    pub const FS_IOC_FSSETXATTR: u64 = 0x401C_5820;
    pub const FAT_IOCTL_SET_ATTRIBUTES: u64 = 0x4004_7211;
    pub const FS_IOC_ENABLE_VERITY: u64 = 0x4080_6685;
    pub const FS_IOC_SET_ENCRYPTION_POLICY: u64 = 0x800C_6613;
    pub const FS_IOC_ADD_ENCRYPTION_KEY: u64 = 0xC050_6617;
    pub const FS_IOC_REMOVE_ENCRYPTION_KEY: u64 = 0xC040_6618;
    pub const FS_IOC_REMOVE_ENCRYPTION_KEY_ALL_USERS: u64 = 0xC040_6619;
    /// The byte of a command that says whose it is, and btrfs's own value there.
    pub const COMMAND_TYPE_MASK: u64 = 0xFF00;
    pub const BTRFS: u64 = 0x9400;
    /// A command of `fcntl(2)`: `include/uapi/asm-generic/fcntl.h`.
    pub const F_SETSIG: u64 = 10;
    pub const FICLONE: u64 = 0x4004_9409;
    pub const FICLONERANGE: u64 = 0x4020_940D;
    pub const FIDEDUPERANGE: u64 = 0xC018_9436;

    /// The kind of object in a mode, `include/uapi/linux/stat.h`.
    pub const S_IFMT: u64 = 0xF000;
    pub const S_IFCHR: u64 = 0x2000;
    pub const S_IFBLK: u64 = 0x6000;
    pub const S_IFREG: u64 = 0x8000;
    /// `S_ISUID` and `S_ISGID`.
    pub const SET_ID: u64 = 0o6000;

    /// `O_CREAT` and the bit that `O_TMPFILE` has beside `O_DIRECTORY`: without one of them the mode of an open is not
    /// looked at. `include/uapi/asm-generic/fcntl.h`.
    pub const CREATES: u64 = 0o20_000_100;
}

/// Operations on processes: `include/uapi/linux/{prctl,seccomp,personality,ioprio,resource}.h`.
pub mod process {
    pub const PR_SET_DUMPABLE: u64 = 4;
    pub const PR_SET_MM: u64 = 35;
    pub const PR_SET_PTRACER: u64 = 0x5961_6D61;
    pub const SECCOMP_SET_MODE_FILTER: u64 = 1;
    pub const SECCOMP_FILTER_FLAG_NEW_LISTENER: u64 = 1 << 3;
    /// `personality(2)` with this only asks.
    pub const PERSONALITY_QUERY: u64 = 0xFFFF_FFFF;
    pub const PER_LINUX: u64 = 0;
    pub const PRIO_PROCESS: u64 = 0;
    pub const IOPRIO_WHO_PROCESS: u64 = 1;
    pub const RLIMIT_CORE: u64 = 4;
}
