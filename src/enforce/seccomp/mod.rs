//! The static list: system calls refused to every program, because Landlock does not cover what they do.
//!
//! The tables beside this file have one row a rule. What passes is whatever no row names.

mod files;
mod notified;
mod processes;
mod sockets;
mod system;

use syscalls::abi::{Arch, SockFilter};

use super::bpf::{Program, compile};

/// Calls that change what a file says about itself: mode, owner, times, extended attributes.
/// Landlock has no right for them, so they are refused everywhere or pass everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metadata {
    Passed,
    Refused,
}

/// Sockets with a path for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnixSockets {
    /// Landlock decides who may connect where (ABI 9).
    KernelMediated,
    /// Nothing may connect: an older Landlock does not see the path, and a filter cannot read it.
    Refused,
}

/// Datagrams of the Internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Datagrams {
    /// The supervisor looks at where each goes.
    Mediated,
    Refused,
}

/// What differs from one plan to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    pub metadata: Metadata,
    pub unix_sockets: UnixSockets,
    /// Whether `listen(2)` passes. A TCP socket that listens without `bind(2)` gets a port from the kernel, and Landlock
    /// is not asked.
    pub tcp_listen: bool,
    /// Somebody beside the program answers the calls that need more than a filter: then the three above do not count.
    pub supervised: bool,
    /// They pass only with somebody to answer.
    pub datagrams: Datagrams,
}

/// A few more rules than a table has.
const USUAL_COUNT: usize = 256;

/// The whole table for `options`, in the order in which rules of one call are tried.
pub fn rules(options: &Options) -> Program<'static> {
    let mut rules = Vec::with_capacity(USUAL_COUNT);
    rules.extend_from_slice(system::REFUSED);
    rules.extend_from_slice(processes::REFUSED);
    rules.extend_from_slice(files::REFUSED);
    if options.metadata == Metadata::Refused && !options.supervised {
        rules.extend_from_slice(files::METADATA_REFUSED);
    }
    if options.datagrams == Datagrams::Refused || !options.supervised {
        rules.extend_from_slice(sockets::DATAGRAM_REFUSED);
    }
    rules.extend_from_slice(sockets::REFUSED);
    if options.supervised {
        rules.extend_from_slice(notified::NOTIFIED);
        if options.datagrams == Datagrams::Mediated {
            rules.extend_from_slice(notified::DATAGRAMS_NOTIFIED);
        }
        return Program { rules };
    }
    rules.extend_from_slice(files::SET_ID_REFUSED);
    if options.unix_sockets == UnixSockets::Refused {
        rules.extend_from_slice(sockets::UNIX_REFUSED);
    }
    if !options.tcp_listen {
        rules.extend_from_slice(sockets::LISTEN_REFUSED);
    }
    Program { rules }
}

/// The instructions of [`rules`] on `arch`, ready to load.
pub fn filter(options: &Options, arch: Arch) -> Vec<SockFilter> {
    compile(&rules(options), arch)
}
