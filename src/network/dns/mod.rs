//! Messages of the domain name system (RFC 1035): questions that programs ask, answers to them, and the same the other way
//! round. Bytes in, values out; nothing here waits or sends.

pub mod answer;
pub mod configuration;
pub mod query;
mod reader;

/// `A` and `AAAA` (RFC 1035, section 3.2.2; RFC 3596), `CNAME`, `OPT` (RFC 6891), class `IN`.
pub const A: u16 = 1;
pub const AAAA: u16 = 28;
const CNAME: u16 = 5;
const OPT: u16 = 41;
const IN: u16 = 1;

/// The header of every message.
const HEADER: usize = 12;

/// Bits of the header's flags (RFC 1035, section 4.1.1).
mod flag {
    pub(super) const RESPONSE: u16 = 0x8000;
    pub(super) const OPCODE: u16 = 0x7800;
    pub(super) const TRUNCATED: u16 = 0x0200;
    pub(super) const RECURSION_DESIRED: u16 = 0x0100;
    pub(super) const RECURSION_AVAILABLE: u16 = 0x0080;
    pub(super) const RCODE: u16 = 0x000f;
}

/// How a query ends (RFC 1035, section 4.1.1, `RCODE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    NoError,
    FormatError,
    ServerFailure,
    NoSuchName,
    NotImplemented,
}

impl Code {
    const fn number(self) -> u16 {
        match self {
            Self::NoError => 0,
            Self::FormatError => 1,
            Self::ServerFailure => 2,
            Self::NoSuchName => 3,
            Self::NotImplemented => 4,
        }
    }
}

/// Why a message cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It ends before what its counts and lengths say.
    Short,
    /// A name that is too long, loops, or has a label of an unknown kind.
    Name,
    /// A query where an answer belongs, or the other way round, or an answer to something else.
    Other,
}
