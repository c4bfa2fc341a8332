//! The kernel's numbers and structures: data, no calls. Each item names the header it comes from.

pub mod arguments;
pub mod filter;
pub mod landlock;
pub mod numbers;

pub use numbers::Syscall;

/// An architecture whose system calls are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arch {
    Aarch64,
    X86_64,
}

impl Arch {
    /// The one this program was built for.
    #[cfg(target_arch = "aarch64")]
    pub const NATIVE: Self = Self::Aarch64;
    #[cfg(target_arch = "x86_64")]
    pub const NATIVE: Self = Self::X86_64;

    /// `AUDIT_ARCH_*` of `include/uapi/linux/audit.h`: how a filter sees which table a number belongs to.
    pub const fn audit(self) -> u32 {
        match self {
            Self::Aarch64 => 0xC000_00B7,
            Self::X86_64 => 0xC000_003E,
        }
    }
}

/// `struct sock_filter` of `include/uapi/linux/filter.h`: one instruction of a filter.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SockFilter {
    pub code: u16,
    /// How many instructions to skip when a comparison holds, and when it does not.
    pub jt: u8,
    pub jf: u8,
    pub k: u32,
}

const _: () = assert!(size_of::<SockFilter>() == 8);
const _: () = assert!(std::mem::offset_of!(SockFilter, k) == 4);
