//! Which addresses are this machine's own: the kernel knows, whatever their numbers look like.

use std::net::IpAddr;

use syscalls::socket::route::is_local;

use crate::plan::network::connect_home;
use crate::plan::{Operation, Plan, Verdict, decide};
use crate::profile::host::{Target, embedded, private_kind};

/// The plan's decision about `operation`, with what the kernel knows of the address that it is about.
pub fn decide_here<'p>(plan: &'p Plan, operation: &Operation) -> Verdict<'p> {
    let verdict = decide(plan, operation);
    match (&verdict, operation) {
        // An address that is private by its number needs a rule about it anyway.
        (Verdict::Allow(_) | Verdict::Ask(_), Operation::Connect { target: Target::Address(address), port, udp })
            if private_kind(*address).is_none() && is_home(*address) =>
        {
            connect_home(plan, *address, *port, *udp)
        }
        _ => verdict,
    }
}

/// Whether `address` is one of this machine now, or an IPv6 form of one. Where the kernel does not say, it may be.
pub fn is_home(address: IpAddr) -> bool {
    let here = |address| is_local(address).unwrap_or(true);
    let address = address.to_canonical();
    let carried = match address {
        IpAddr::V4(_) => None,
        IpAddr::V6(v6) => embedded(v6),
    };
    here(address) || carried.is_some_and(|v4| here(v4.into()))
}
