//! Decisions about connections and listening ports.

use core::net::IpAddr;
use std::cmp::Reverse;

use crate::profile::Given;
use crate::profile::host::{Host, HostRule, Listen, Target, is_metadata, private_kind};
use crate::profile::url::{Url, is_own};

use super::decide::undecided;
use super::{Plan, Reason, Verdict};

/// A name is decided by the rules for names; the addresses it turns out to have are another question. An address is decided
/// by the rules for networks, and a private one needs a rule that is about private addresses.
pub(super) fn connect<'p>(plan: &'p Plan, target: &Target, port: u16, udp: bool) -> Verdict<'p> {
    reach(plan, target, port, udp, None)
}

/// As [`connect`], for an address that this machine has itself, or may have; `home` says which, in words. It counts as a
/// private one, and if its number is a public one, only a rule with exactly that address is about it.
pub fn connect_home<'p>(plan: &'p Plan, address: IpAddr, port: u16, udp: bool, home: &'static str) -> Verdict<'p> {
    reach(plan, &Target::Address(address), port, udp, Some(home))
}

fn reach<'p>(plan: &'p Plan, target: &Target, port: u16, udp: bool, home: Option<&'static str>) -> Verdict<'p> {
    let Some(network) = &plan.profile.network else { return Verdict::Deny(Reason::NoNetwork) };
    let target = canonical(target);
    if let Some(reason) = approver(plan, &target, port).filter(|_| !udp) {
        return Verdict::Deny(reason);
    }
    let closest = |given: &&Given<HostRule>| Reverse(closeness(&given.value));
    let covering = || network.allow.iter().filter(|given| given.value.matches(&target, port, udp));
    let refused = match target {
        Target::Address(address) if is_metadata(address) => {
            let literal = covering().filter(|given| given.value.is_literal_address()).min_by_key(closest);
            return literal.map_or(Verdict::Deny(Reason::Metadata), |given| Verdict::Allow(Reason::Host(given)));
        }
        Target::Address(address) if network.deny_private.as_ref().is_none_or(|given| given.value) => {
            private_kind(address).or(home)
        }
        Target::Address(_) | Target::Name(_) => None,
    };
    let sufficient = |given: &&Given<HostRule>| {
        refused.is_none() || is_about_private(&given.value.host) || home.is_some() && given.value.is_literal_address()
    };
    match (covering().filter(sufficient).min_by_key(closest), refused) {
        (Some(given), _) => Verdict::Allow(Reason::Host(given)),
        (None, Some(kind)) => Verdict::Deny(Reason::Private(kind)),
        // Nobody is asked about this machine or a private network, also where `deny_private` is off.
        (None, None) if home.is_some() || is_private(&target) => Verdict::Deny(Reason::NoRule),
        (None, None) => undecided(plan, Reason::NoRule),
    }
}

/// `::ffff:127.0.0.1` is 127.0.0.1 to the kernel (RFC 4291, section 2.5.5.2).
fn canonical(target: &Target) -> Target {
    match target {
        Target::Address(address) => Target::Address(address.to_canonical()),
        Target::Name(name) => Target::Name(name.clone()),
    }
}

fn is_private(target: &Target) -> bool {
    matches!(target, Target::Address(address) if private_kind(*address).is_some())
}

/// Whether `name` may be looked up: it is one that some connection may go to, to whatever port.
pub fn look_up<'p>(plan: &'p Plan, name: &Target) -> Verdict<'p> {
    let Some(network) = &plan.profile.network else { return Verdict::Deny(Reason::NoNetwork) };
    let naming = network.allow.iter().filter(|given| given.value.host.holds(name));
    match naming.min_by_key(|given| Reverse(closeness(&given.value))) {
        Some(given) => Verdict::Allow(Reason::Host(given)),
        None => undecided(plan, Reason::NoRule),
    }
}

/// Whether a name that may be connected to may lead to `address`. A public address it may be; for a metadata service, for
/// this machine (`home`, when that does not show in the number), and for any private address while `deny_private` holds, the
/// address itself has to be allowed.
pub fn lead_to<'p>(
    plan: &'p Plan,
    by_name: Reason<'p>,
    address: IpAddr,
    port: u16,
    udp: bool,
    home: Option<&'static str>,
) -> Verdict<'p> {
    let Some(network) = &plan.profile.network else { return Verdict::Deny(Reason::NoNetwork) };
    if let Some(reason) = approver(plan, &Target::Address(address.to_canonical()), port).filter(|_| !udp) {
        return Verdict::Deny(reason);
    }
    let denies_private = network.deny_private.as_ref().is_none_or(|given| given.value);
    let refused = match private_kind(address).or(home) {
        _ if is_metadata(address) => Reason::Metadata,
        Some(kind) if denies_private || home.is_some() || is_own(address) => Reason::Private(kind),
        Some(_) | None => return Verdict::Allow(by_name),
    };
    match reach(plan, &Target::Address(address), port, udp, home) {
        allowed @ Verdict::Allow(_) => allowed,
        Verdict::Ask(_) | Verdict::Deny(_) => Verdict::Deny(refused),
    }
}

/// Whether names may be looked up at all.
pub fn has_names(plan: &Plan) -> bool {
    let Some(network) = &plan.profile.network else { return false };
    let named = network.allow.iter().any(|given| !matches!(given.value.host, Host::Network { .. }));
    named || matches!(undecided(plan, Reason::NoRule), Verdict::Ask(_))
}

/// Whether any connection may be made.
pub fn connects(plan: &Plan) -> bool {
    plan.profile.network.as_ref().is_some_and(|network| !network.allow.is_empty()) || has_names(plan)
}

/// The policy's webhook, where it is at `target` and `port`: whoever reaches it could answer, or talk into an answer. It is
/// known by the host of its URL, and not by other names of the same machine.
fn approver<'p>(plan: &'p Plan, target: &Target, port: u16) -> Option<Reason<'p>> {
    let webhook = plan.profile.supervisor.webhook.as_ref()?;
    let url = Url::parse(&webhook.value).ok()?;
    let (host, its_port) = url.endpoint()?;
    let here = |target: &Target| match target {
        Target::Address(address) => is_own(*address),
        Target::Name(name) => name == "localhost",
    };
    let same = canonical(host) == *target || here(host) && here(target);
    (same && its_port == port).then_some(Reason::Approver(webhook))
}

/// Each entry allows exactly its address and port. Nobody listens where the policy's webhook is asked.
pub(super) fn listen<'p>(plan: &'p Plan, wanted: &Listen) -> Verdict<'p> {
    let Some(network) = &plan.profile.network else { return Verdict::Deny(Reason::NoNetwork) };
    if let Some((webhook, _)) = plan.profile.webhook_reached_by(wanted) {
        return Verdict::Deny(Reason::Approver(webhook));
    }
    let same = |given: &&Given<Listen>| given.value.port == wanted.port && place(&given.value) == place(wanted);
    match network.listen.iter().find(same) {
        Some(given) => Verdict::Allow(Reason::Listen(given)),
        None => Verdict::Deny(Reason::NoRule),
    }
}

/// The address of `listen`; every loopback address is the same place.
fn place(listen: &Listen) -> Option<IpAddr> {
    listen.address.map(|address| address.to_canonical()).filter(|address| !address.is_loopback())
}

/// How near a rule is to one host and one port; the nearest is the one to name.
fn closeness(rule: &HostRule) -> (bool, usize, bool) {
    let (exact, length) = match &rule.host {
        Host::Name(_) => (true, 0),
        Host::Network { prefix, .. } => (false, usize::from(*prefix)),
        Host::Suffix(suffix) => (false, suffix.len()),
    };
    (exact, length, rule.port.is_some())
}

/// Whether every address of the rule is private and of one kind: `10.1.0.0/16` is itself the permission, `0.0.0.0/0` is not.
///
/// A network whose first and last address are of one kind lies in one range of that kind, because the ranges are networks too.
fn is_about_private(host: &Host) -> bool {
    let (first, last) = match host {
        Host::Network { address: IpAddr::V4(address), prefix } => {
            let hosts = u32::MAX.checked_shr(u32::from(*prefix)).unwrap_or(0);
            let bits = address.to_bits();
            (IpAddr::V4((bits & !hosts).into()), IpAddr::V4((bits | hosts).into()))
        }
        Host::Network { address: IpAddr::V6(address), prefix } => {
            let hosts = u128::MAX.checked_shr(u32::from(*prefix)).unwrap_or(0);
            let bits = address.to_bits();
            (IpAddr::V6((bits & !hosts).into()), IpAddr::V6((bits | hosts).into()))
        }
        Host::Name(_) | Host::Suffix(_) => return false,
    };
    private_kind(first).is_some_and(|kind| private_kind(last) == Some(kind))
}
