//! Landlock's rights and structures, from `include/uapi/linux/landlock.h`.

/// `struct landlock_ruleset_attr`: what a ruleset handles.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RulesetAttr {
    pub handled_access_fs: u64,
    pub handled_access_net: u64,
    pub scoped: u64,
}

/// `struct landlock_path_beneath_attr`.
#[repr(C, packed)]
#[derive(Clone, Copy, Debug)]
pub struct PathBeneathAttr {
    pub allowed_access: u64,
    pub parent_fd: i32,
}

/// `struct landlock_net_port_attr`; the port is in host byte order.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct NetPortAttr {
    pub allowed_access: u64,
    pub port: u64,
}

const _: () = assert!(size_of::<RulesetAttr>() == 24);
const _: () = assert!(size_of::<PathBeneathAttr>() == 12);
const _: () = assert!(size_of::<NetPortAttr>() == 16);

/// `enum landlock_rule_type`.
pub const RULE_PATH_BENEATH: u32 = 1;
pub const RULE_NET_PORT: u32 = 2;

/// `LANDLOCK_ACCESS_FS_*`.
pub mod fs {
    pub const EXECUTE: u64 = 1 << 0;
    pub const WRITE_FILE: u64 = 1 << 1;
    pub const READ_FILE: u64 = 1 << 2;
    pub const READ_DIR: u64 = 1 << 3;
    pub const REMOVE_DIR: u64 = 1 << 4;
    pub const REMOVE_FILE: u64 = 1 << 5;
    pub const MAKE_CHAR: u64 = 1 << 6;
    pub const MAKE_DIR: u64 = 1 << 7;
    pub const MAKE_REG: u64 = 1 << 8;
    pub const MAKE_SOCK: u64 = 1 << 9;
    pub const MAKE_FIFO: u64 = 1 << 10;
    pub const MAKE_BLOCK: u64 = 1 << 11;
    pub const MAKE_SYM: u64 = 1 << 12;
    /// ABI 2.
    pub const REFER: u64 = 1 << 13;
    /// ABI 3.
    pub const TRUNCATE: u64 = 1 << 14;
    /// ABI 5.
    pub const IOCTL_DEV: u64 = 1 << 15;
    /// ABI 9.
    pub const RESOLVE_UNIX: u64 = 1 << 16;
}

/// `LANDLOCK_ACCESS_NET_*`.
pub mod net {
    /// ABI 4.
    pub const BIND_TCP: u64 = 1 << 0;
    pub const CONNECT_TCP: u64 = 1 << 1;
    /// ABI 10.
    pub const BIND_UDP: u64 = 1 << 2;
    pub const CONNECT_SEND_UDP: u64 = 1 << 3;
}

/// `LANDLOCK_SCOPE_*`, ABI 6.
pub mod scope {
    pub const ABSTRACT_UNIX_SOCKET: u64 = 1 << 0;
    pub const SIGNAL: u64 = 1 << 1;
}

/// What one ABI version brought, and the kernel that first had it.
#[derive(Clone, Copy, Debug)]
pub struct Version {
    pub abi: u32,
    pub kernel: &'static str,
    pub fs: u64,
    pub net: u64,
    pub scope: u64,
}

/// Every version up to the newest this program makes use of, with what each added.
pub const VERSIONS: [Version; 11] = [
    Version { abi: 1, kernel: "5.13", fs: (1 << 13) - 1, net: 0, scope: 0 },
    Version { abi: 2, kernel: "5.19", fs: fs::REFER, net: 0, scope: 0 },
    Version { abi: 3, kernel: "6.2", fs: fs::TRUNCATE, net: 0, scope: 0 },
    Version { abi: 4, kernel: "6.7", fs: 0, net: net::BIND_TCP | net::CONNECT_TCP, scope: 0 },
    Version { abi: 5, kernel: "6.10", fs: fs::IOCTL_DEV, net: 0, scope: 0 },
    Version { abi: 6, kernel: "6.12", fs: 0, net: 0, scope: scope::ABSTRACT_UNIX_SOCKET | scope::SIGNAL },
    Version { abi: 7, kernel: "6.15", fs: 0, net: 0, scope: 0 },
    Version { abi: 8, kernel: "7.0", fs: 0, net: 0, scope: 0 },
    Version { abi: 9, kernel: "7.1", fs: fs::RESOLVE_UNIX, net: 0, scope: 0 },
    Version { abi: 10, kernel: "7.2", fs: 0, net: net::BIND_UDP | net::CONNECT_SEND_UDP, scope: 0 },
    Version { abi: 11, kernel: "7.3", fs: 0, net: 0, scope: 0 },
];

/// How many bytes of [`RulesetAttr`] the kernel of an ABI version knows: it grew with ABI 4 and 6.
pub fn attribute_size(abi: u32) -> usize {
    match abi {
        0..=3 => 8,
        4 | 5 => 16,
        _ => 24,
    }
}
