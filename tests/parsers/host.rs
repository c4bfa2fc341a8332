//! Hosts that are written and read again. Shared with the fuzzer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nono::profile::host::{Endpoint, Host, HostRule, Listen, Target, is_metadata, private_kind};
use nono::profile::url::{Place, Url};

/// Reads `bytes` as every kind of host, and as an address.
///
/// # Errors
/// The first thing that does not hold, in words.
pub(crate) fn agree(bytes: &[u8]) -> Result<(), String> {
    addresses(bytes)?;
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(()) };
    if let Ok(rule) = HostRule::parse(text) {
        same(text, &rule, HostRule::parse(&rule.to_string()).ok(), &rule.to_string())?;
        rule_matches_itself(&rule).map_err(|problem| format!("{text:?}: {problem}"))?;
    }
    if let Ok(url) = Url::parse(text) {
        let written = match url.place {
            Place::Unix(_) => format!("{url}:{}", url.request_target()),
            Place::Loopback { .. } | Place::Tls { .. } => format!("{url}{}", url.request_target()),
        };
        same(text, &url, Url::parse(&written).ok(), &written)?;
        if let Place::Loopback { host: Target::Address(address), .. } = &url.place
            && !address.is_loopback()
        {
            return Err(format!("{text:?}: {address} is asked without TLS"));
        }
    }
    if let Ok(target) = Target::parse(text) {
        same(text, &target, Target::parse(&target.to_string()).ok(), &target.to_string())?;
        if let Target::Name(name) = &target
            && (name.parse::<IpAddr>().is_ok() || *name != name.to_ascii_lowercase() || name.ends_with('.'))
        {
            return Err(format!("{text:?} is kept as the name {name:?}"));
        }
    }
    if let Ok(endpoint) = Endpoint::parse(text) {
        same(text, &endpoint, Endpoint::parse(&endpoint.to_string()).ok(), &endpoint.to_string())?;
    }
    if let Ok(listen) = Listen::parse(text) {
        same(text, &listen, Listen::parse(&listen.to_string()).ok(), &listen.to_string())?;
    }
    Ok(())
}

fn same<T: PartialEq + std::fmt::Debug>(text: &str, value: &T, again: Option<T>, shown: &str) -> Result<(), String> {
    if again.as_ref() == Some(value) && shown.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(format!("{text:?} is {value:?}, is shown as {shown:?}, and that is {again:?}"))
}

/// A rule speaks of what it names and of nothing that only looks like it.
fn rule_matches_itself(rule: &HostRule) -> Result<(), String> {
    let port = rule.port.unwrap_or(1);
    let matches = |target: &Target| rule.matches(target, port, rule.udp);
    let held = match &rule.host {
        Host::Name(name) => {
            let other = Target::Name(format!("x{name}"));
            Target::parse(name) == Ok(Target::Name(name.clone()))
                && matches(&Target::Name(name.clone()))
                && !matches(&other)
                && !matches(&Target::Name(format!("x.{name}")))
        }
        Host::Network { address, .. } => matches(&Target::Address(*address)),
        Host::Suffix(suffix) => {
            suffix.contains('.')
                && matches(&Target::Name(format!("x.{suffix}")))
                && !matches(&Target::Name(suffix.clone()))
                && !matches(&Target::Name(format!("x{suffix}")))
                && !matches(&Target::Name(format!("x.{suffix}.y")))
        }
    };
    let other_protocol = match &rule.host {
        Host::Name(name) => rule.matches(&Target::Name(name.clone()), port, !rule.udp),
        Host::Network { address, .. } => rule.matches(&Target::Address(*address), port, !rule.udp),
        Host::Suffix(suffix) => rule.matches(&Target::Name(format!("x.{suffix}")), port, !rule.udp),
    };
    if held && !other_protocol { Ok(()) } else { Err(format!("{rule:?} matches the wrong targets")) }
}

/// However an IPv4 address is wrapped, it keeps its kind.
fn addresses(bytes: &[u8]) -> Result<(), String> {
    let mut octets = [0_u8; 16];
    for (to, from) in octets.iter_mut().zip(bytes) {
        *to = *from;
    }
    let v6 = IpAddr::V6(Ipv6Addr::from(octets));
    let [a, b, c, d, ..] = octets;
    let v4 = Ipv4Addr::new(a, b, c, d);
    let [high, low] = [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])];
    let wrapped = [
        IpAddr::V6(v4.to_ipv6_mapped()),
        IpAddr::V6(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low)),
        IpAddr::V6(Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1)),
    ];
    for address in wrapped {
        let kept = private_kind(address) == private_kind(v4.into()) && is_metadata(address) == is_metadata(v4.into());
        if !kept {
            return Err(format!("{address} is not what {v4} is"));
        }
    }
    for address in [v6, v4.into()] {
        let is_local = address.is_loopback() || address.is_multicast() || address.is_unspecified();
        if (is_metadata(address) || is_local) && private_kind(address).is_none() {
            return Err(format!("{address} passes for a public address"));
        }
    }
    Ok(())
}
