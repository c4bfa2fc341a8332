//! What a filter program is made of: instruction codes, answers and the data it looks at.

/// Instruction codes, `include/uapi/linux/bpf_common.h`. A filter uses no other.
pub mod code {
    /// Loads the 32-bit word at offset `k` of [`struct seccomp_data`](super::data).
    pub const LOAD: u16 = 0x20;
    /// Bitwise and of the loaded word and `k`.
    pub const AND: u16 = 0x54;
    /// Skips `k` instructions.
    pub const JUMP: u16 = 0x05;
    /// Skips `jt` instructions when the word equals `k`, else `jf`.
    pub const JUMP_EQUAL: u16 = 0x15;
    /// The same when the word is at least `k`, unsigned.
    pub const JUMP_AT_LEAST: u16 = 0x35;
    /// The same when the word has any bit of `k`.
    pub const JUMP_ANY_BIT: u16 = 0x45;
    /// Answers `k`.
    pub const RETURN: u16 = 0x06;
}

/// `SECCOMP_RET_*`, `include/uapi/linux/seccomp.h`.
pub mod answer {
    pub const KILL_PROCESS: u32 = 0x8000_0000;
    /// The error number is in the low 16 bits.
    pub const ERRNO: u32 = 0x0005_0000;
    pub const USER_NOTIF: u32 = 0x7FC0_0000;
    pub const ALLOW: u32 = 0x7FFF_0000;
    /// `SECCOMP_RET_ACTION_FULL`: the part that is not data.
    pub const ACTION: u32 = 0xFFFF_0000;
}

/// Offsets into `struct seccomp_data`, `include/uapi/linux/seccomp.h`.
pub mod data {
    /// The number of the call, 32 bits.
    pub const NUMBER: u32 = 0;
    /// `AUDIT_ARCH_*`, 32 bits.
    pub const ARCH: u32 = 4;
    /// The first of six arguments, 64 bits each. Both architectures are little-endian: the low half comes first.
    pub const ARGUMENTS: u32 = 16;
    /// Bytes of the whole structure.
    pub const SIZE: u32 = 64;
}

/// `BPF_MAXINSNS`, `include/uapi/linux/bpf_common.h`: the kernel loads no longer program.
pub const MAX_INSTRUCTIONS: usize = 4096;

/// `__X32_SYSCALL_BIT`, `arch/x86/include/uapi/asm/unistd.h`: set in the numbers of the x32 table.
pub const X32_BIT: u32 = 0x4000_0000;

/// Error numbers a filter answers, `include/uapi/asm-generic/errno{-base,}.h`. The same on both architectures.
pub mod errno {
    pub const EPERM: u16 = 1;
    pub const EACCES: u16 = 13;
    pub const EBUSY: u16 = 16;
    pub const ENOSYS: u16 = 38;
    pub const EPROTONOSUPPORT: u16 = 93;
    pub const EOPNOTSUPP: u16 = 95;
    pub const EAFNOSUPPORT: u16 = 97;
}
