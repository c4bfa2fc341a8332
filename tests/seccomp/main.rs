//! The static filter: what its rules say, that its instructions say the same, and that the kernel loads it.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod kernel;
mod listing;
mod meaning;
mod random;
mod replay;
mod sweep;

use nono::enforce::seccomp::{Datagrams, Metadata, Options, UnixSockets};

/// Every way the options can be set.
fn every_option() -> Vec<Options> {
    let mut all = Vec::new();
    for metadata in [Metadata::Passed, Metadata::Refused] {
        for unix_sockets in [UnixSockets::KernelMediated, UnixSockets::Refused] {
            for tcp_listen in [true, false] {
                for supervised in [true, false] {
                    for datagrams in [Datagrams::Mediated, Datagrams::Refused] {
                        all.push(Options { metadata, unix_sockets, tcp_listen, supervised, datagrams });
                    }
                }
            }
        }
    }
    all
}

/// The two extremes.
const OPEN: Options = Options {
    metadata: Metadata::Passed,
    unix_sockets: UnixSockets::KernelMediated,
    tcp_listen: true,
    supervised: false,
    datagrams: Datagrams::Mediated,
};
const CLOSED: Options = Options {
    metadata: Metadata::Refused,
    unix_sockets: UnixSockets::Refused,
    tcp_listen: false,
    supervised: false,
    datagrams: Datagrams::Refused,
};
/// With somebody who answers what the filter hands over.
const SUPERVISED: Options = Options { supervised: true, ..CLOSED };
/// The same with hosts in the policy.
const NETWORKED: Options = Options { datagrams: Datagrams::Mediated, ..SUPERVISED };
