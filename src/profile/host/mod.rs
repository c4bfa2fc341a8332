//! Hosts, ports and addresses of `network` rules.
//!
//! A rule is written one way only: an odd spelling of an address (`2130706433`, `0177.0.0.1`, `0x7f.1`, `127.1`) is refused
//! in a rule, because a reader may take it for something else. A [`Target`] is whatever a program asks for, so there the same
//! spellings become the address that `inet_aton(3)` makes of them, and never a name.

mod address;
mod numeric;
mod parse;

use core::net::IpAddr;
use std::fmt;

pub use self::address::{embedded, is_metadata, private_kind};

/// The hosts a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// `api.example.com`, in lower case, without a dot at the end.
    Name(String),
    /// `10.1.0.0/16`; a single address has the full prefix length.
    Network { address: IpAddr, prefix: u8 },
    /// `*.example.com`, kept without the `*.`: every name beneath it, on whole labels, and not the name itself.
    Suffix(String),
}

/// One entry of `network.allow`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostRule {
    pub host: Host,
    /// Every port when not given.
    pub port: Option<u16>,
    /// `host:port/udp`; otherwise the rule is about TCP.
    pub udp: bool,
}

/// One entry of `network.listen`: a port on loopback (`8080`), or an address with a port (`"0.0.0.0:8080"`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Listen {
    /// `None`: loopback.
    pub address: Option<IpAddr>,
    pub port: u16,
}

/// Where a connection goes: a name as it was looked up, or an address as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Address(IpAddr),
    /// In lower case, without a dot at the end.
    Name(String),
}

/// A target with its port, as in `example.com:443` or `[fd00::1]:53/udp`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub target: Target,
    pub port: u16,
    pub udp: bool,
}

/// Why a host, an address or a port was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostError {
    BadAddress,
    BadName,
    BadPort,
    BadPrefix,
    BareWildcard,
    Empty,
    Everything,
    HostBits,
    NotAscii,
    OddAddress,
    PublicSuffix,
    TooLong,
    Url,
    User,
    Zone,
}

impl HostRule {
    /// Whether a connection to `port` of `target` is one the rule speaks of. A name rule says nothing about addresses,
    /// and an address rule nothing about names.
    pub fn matches(&self, target: &Target, port: u16, udp: bool) -> bool {
        if self.udp != udp || self.port.is_some_and(|only| only != port) {
            return false;
        }
        self.host.holds(target)
    }

    /// Whether the rule names one address literally.
    pub fn is_literal_address(&self) -> bool {
        match &self.host {
            Host::Network { address, prefix } => *prefix == address::width(*address),
            Host::Name(_) | Host::Suffix(_) => false,
        }
    }
}

impl Host {
    /// Whether `target` is one of these hosts.
    pub fn holds(&self, target: &Target) -> bool {
        match (self, target) {
            (Self::Name(rule), Target::Name(name)) => rule == name,
            (Self::Suffix(suffix), Target::Name(name)) => {
                name.strip_suffix(suffix.as_str()).is_some_and(|head| head.len() > 1 && head.ends_with('.'))
            }
            (Self::Network { address, prefix }, Target::Address(target)) => {
                address::is_within(target.to_canonical(), *address, *prefix)
            }
            (Self::Name(_) | Self::Suffix(_), Target::Address(_)) | (Self::Network { .. }, Target::Name(_)) => false,
        }
    }
}

/// As it is written in a policy; parsing it gives the same rule.
impl fmt::Display for HostRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.host, self.port) {
            (Host::Network { address: IpAddr::V6(_), .. }, Some(_)) => write!(out, "[{}]", self.host)?,
            (host, _) => write!(out, "{host}")?,
        }
        if let Some(port) = self.port {
            write!(out, ":{port}")?;
        }
        out.write_str(if self.udp { "/udp" } else { "" })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => out.write_str(name),
            Self::Network { address, prefix } if *prefix == address::width(*address) => write!(out, "{address}"),
            Self::Network { address, prefix } => write!(out, "{address}/{prefix}"),
            Self::Suffix(suffix) => write!(out, "*.{suffix}"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V6(address)) => write!(out, "[{address}]"),
            Self::Address(address) => write!(out, "{address}"),
            Self::Name(name) => out.write_str(name),
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(IpAddr::V6(address)) => write!(out, "[{address}]:{}", self.port),
            Some(address) => write!(out, "{address}:{}", self.port),
            None => write!(out, "{}", self.port),
        }
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::BadAddress => "this is no IP address; write it as in `10.1.2.3` or `[fd00::1]:443`",
            Self::BadName => "a host name has labels of 1 to 63 letters, digits, `-` and `_` between dots; a `*.` may only come first",
            Self::BadPort => "a port is a number from 1 to 65535; of a host, `/udp` behind it means UDP",
            Self::BadPrefix => "a prefix length is 1 to 32 for IPv4 and 1 to 128 for IPv6, as in `10.1.0.0/16`",
            Self::BareWildcard => "a `*` alone would open every host; name the hosts",
            Self::Empty => "the host is empty; write a name or an address",
            Self::Everything => "a prefix length of 0 would open every address; name the networks",
            Self::HostBits => "bits behind the prefix are set; write the network's first address, as in `10.1.0.0/16`",
            Self::NotAscii => "write an international name in its ASCII form, which begins with `xn--`",
            Self::OddAddress => "this spelling of an address is easily misread; write four decimal numbers, as in `127.0.0.1`",
            Self::PublicSuffix => {
                "a wildcard needs at least two labels behind it and no public suffix such as `*.com` or `*.co.uk`; name the domain"
            }
            Self::TooLong => "a host name has at most 253 characters",
            Self::Url => "write the host alone, without a scheme, a path or spaces",
            Self::User => "`user@` is not part of a host; leave it out",
            Self::Zone => "a zone such as `%eth0` depends on the machine; leave it out",
        })
    }
}

impl std::error::Error for HostError {}

impl fmt::Display for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}{}", self.target, self.port, if self.udp { "/udp" } else { "" })
    }
}
