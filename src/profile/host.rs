//! Hosts, ports and addresses of `network` rules.

use core::net::IpAddr;
use std::fmt;

/// The hosts a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// `api.example.com`, in lower case, without a dot at the end.
    Name(String),
    /// `10.1.0.0/16`; a single address has the full prefix length.
    Network { address: IpAddr, prefix: u8 },
    /// `*.example.com`, kept without the `*.`: every name beneath it, on whole labels, and not the name itself.
    Suffix(String),
}

/// One entry of `network.allow`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRule {
    pub host: Host,
    /// Every port when not given.
    pub port: Option<u16>,
    /// `host:port/udp`; otherwise the rule is about TCP.
    pub udp: bool,
}

/// One entry of `network.listen`: a port on loopback (`8080`), or an address with a port (`"0.0.0.0:8080"`).
#[derive(Clone, Debug, PartialEq, Eq)]
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
