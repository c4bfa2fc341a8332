//! The kernel's numbers and structures: data, no calls. Each item names the header it comes from.

pub mod landlock;

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
