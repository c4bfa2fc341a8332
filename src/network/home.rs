//! Which addresses are this machine's own: the kernel knows, whatever their numbers look like.

use std::net::IpAddr;

use syscalls::socket::route::is_local;

use crate::plan::network::connect_home;
use crate::plan::{Operation, Plan, Verdict, decide};
use crate::profile::host::{Target, embedded, private_kind};

/// What is said of such an address.
const OWN: &str = "this machine's own, which counts as private";
const UNKNOWN: &str = "perhaps this machine's own: the kernel does not say, since netlink is closed to nono";

/// The plan's decision about `operation`, with what the kernel knows of the address that it is about.
pub fn decide_here<'p>(plan: &'p Plan, operation: &Operation) -> Verdict<'p> {
    let verdict = decide(plan, operation);
    let Operation::Connect { target: Target::Address(address), port, udp } = operation else { return verdict };
    // An address that is private by its number needs a rule about it anyway.
    let is_open = matches!(verdict, Verdict::Allow(_) | Verdict::Ask(_)) && private_kind(*address).is_none();
    match is_open.then(|| home(*address)).flatten() {
        Some(home) => connect_home(plan, *address, *port, *udp, home),
        None => verdict,
    }
}

/// In words, when `address` is one of this machine now, or an IPv6 form of one, or when the kernel does not say.
pub fn home(address: IpAddr) -> Option<&'static str> {
    let address = address.to_canonical();
    let carried = match address {
        IpAddr::V4(_) => None,
        IpAddr::V6(v6) => embedded(v6).map(IpAddr::V4),
    };
    [Some(address), carried].into_iter().flatten().find_map(|address| match is_local(address) {
        Ok(false) => None,
        Ok(true) => Some(OWN),
        Err(_) => Some(UNKNOWN),
    })
}
