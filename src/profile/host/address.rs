//! Which addresses are not the public Internet.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The kind of a private, local or otherwise special address; `None` for an address of the public Internet.
///
/// Follows the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890, RFC 8190). An IPv6 address that carries an
/// IPv4 one (mapped, NAT64 of RFC 6052, 6to4 of RFC 3056) is what the IPv4 address is.
pub fn private_kind(address: IpAddr) -> Option<&'static str> {
    if is_metadata(address) {
        return Some("a cloud metadata service");
    }
    match address {
        IpAddr::V4(v4) => kind_of_v4(v4),
        IpAddr::V6(v6) => match embedded(v6) {
            Some(v4) => kind_of_v4(v4),
            None => kind_of_v6(v6),
        },
    }
}

/// Whether a cloud answers on this address with the machine's own credentials.
pub fn is_metadata(address: IpAddr) -> bool {
    let v4 = match address {
        IpAddr::V4(v4) => Some(v4),
        IpAddr::V6(v6) => embedded(v6),
    };
    match (v4, address) {
        (Some(v4), _) => METADATA_V4.contains(&v4.octets()),
        (None, IpAddr::V6(v6)) => METADATA_V6.contains(&v6.segments()),
        (None, IpAddr::V4(_)) => false,
    }
}

/// The bits of an address of this family.
pub(super) fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// Whether `address` lies in the network, which is of the same family or does not hold it.
pub(super) fn is_within(address: IpAddr, network: IpAddr, prefix: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let differing = address.to_bits() ^ network.to_bits();
            differing.leading_zeros() >= u32::from(prefix)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let differing = address.to_bits() ^ network.to_bits();
            differing.leading_zeros() >= u32::from(prefix)
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

/// EC2, GCE, Azure, OpenStack and others; ECS task credentials; EKS pod identity; Alibaba; Azure's wire server; Oracle.
const METADATA_V4: [[u8; 4]; 6] = [
    [169, 254, 169, 254],
    [169, 254, 170, 2],
    [169, 254, 170, 23],
    [100, 100, 100, 200],
    [168, 63, 129, 16],
    [192, 0, 0, 192],
];

/// EC2, EKS pod identity, GCE.
const METADATA_V6: [[u16; 8]; 3] =
    [[0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23], [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254]];

/// Network, prefix length, kind; the first that holds an address names it.
const SPECIAL_V4: [(Ipv4Addr, u8, &str); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "an address of this host (0.0.0.0/8)"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "a private network (10.0.0.0/8)"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "a carrier's shared network (100.64.0.0/10)"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback (127.0.0.0/8)"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local (169.254.0.0/16)"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "a private network (172.16.0.0/12)"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "protocol assignments (192.0.0.0/24)"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation (192.0.2.0/24)"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "the retired 6to4 relays (192.88.99.0/24)"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "a private network (192.168.0.0/16)"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarking (198.18.0.0/15)"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation (198.51.100.0/24)"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation (203.0.113.0/24)"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast (224.0.0.0/4)"),
    (Ipv4Addr::new(255, 255, 255, 255), 32, "broadcast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved (240.0.0.0/4)"),
];

/// As above. Of 2000::/3 only what is special is listed; everything outside of it is not the public Internet at all.
const SPECIAL_V6: [(Ipv6Addr, u8, &str); 15] = [
    (Ipv6Addr::UNSPECIFIED, 128, "an address of this host (::)"),
    (Ipv6Addr::LOCALHOST, 128, "loopback (::1)"),
    (Ipv6Addr::UNSPECIFIED, 96, "the retired IPv4-compatible form (::/96)"),
    (v6(0x64, 0xff9b, 1), 48, "a local NAT64 prefix (64:ff9b:1::/48)"),
    (v6(0x100, 0, 0), 64, "discarded (100::/64)"),
    (v6(0x2001, 0, 0), 32, "Teredo (2001::/32)"),
    (v6(0x2001, 2, 0), 48, "benchmarking (2001:2::/48)"),
    (v6(0x2001, 0, 0), 23, "protocol assignments (2001::/23)"),
    (v6(0x2001, 0xdb8, 0), 32, "documentation (2001:db8::/32)"),
    (v6(0x3fff, 0, 0), 20, "documentation (3fff::/20)"),
    (v6(0x5f00, 0, 0), 16, "segment routing (5f00::/16)"),
    (v6(0xfc00, 0, 0), 7, "a private network (fc00::/7)"),
    (v6(0xfe80, 0, 0), 10, "link-local (fe80::/10)"),
    (v6(0xfec0, 0, 0), 10, "the retired site-local networks (fec0::/10)"),
    (v6(0xff00, 0, 0), 8, "multicast (ff00::/8)"),
];

const fn v6(first: u16, second: u16, third: u16) -> Ipv6Addr {
    Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0)
}

fn kind_of_v4(address: Ipv4Addr) -> Option<&'static str> {
    let holds = |network: Ipv4Addr, prefix| is_within(IpAddr::V4(address), IpAddr::V4(network), prefix);
    SPECIAL_V4.iter().find(|&&(network, prefix, _)| holds(network, prefix)).map(|&(_, _, kind)| kind)
}

fn kind_of_v6(address: Ipv6Addr) -> Option<&'static str> {
    let holds = |network: Ipv6Addr, prefix| is_within(IpAddr::V6(address), IpAddr::V6(network), prefix);
    let special = SPECIAL_V6.iter().find(|&&(network, prefix, _)| holds(network, prefix)).map(|&(_, _, kind)| kind);
    special.or_else(|| (!holds(v6(0x2000, 0, 0), 3)).then_some("unassigned"))
}

/// The IPv4 address that an IPv6 one stands for: mapped, NAT64 of RFC 6052, 6to4 of RFC 3056.
pub fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(join(high, low)),
        [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn private_local_and_special_addresses_have_a_kind() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.255.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "169.254.170.2",
            "100.100.100.200",
            "168.63.129.16",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "fec0::1",
            "ff02::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "4000::1",
            "1::1",
        ] {
            assert!(private_kind(address(text)).is_some(), "{text}");
        }
    }

    #[test]
    fn public_addresses_have_none() {
        for text in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00::1",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::1",
        ] {
            assert_eq!(private_kind(address(text)), None, "{text}");
        }
    }

    #[test]
    fn metadata_services_are_known_in_every_wrapping() {
        for text in [
            "169.254.169.254",
            "fd00:ec2::254",
            "100.100.100.200",
            "168.63.129.16",
            "169.254.170.2",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
        ] {
            assert!(is_metadata(address(text)), "{text}");
        }
        assert!(!is_metadata(address("169.254.169.253")));
        assert!(!is_metadata(address("fd00:ec2::253")));
    }

    #[test]
    fn a_network_holds_what_shares_its_prefix() {
        assert!(is_within(address("10.1.255.255"), address("10.1.0.0"), 16));
        assert!(!is_within(address("10.2.0.0"), address("10.1.0.0"), 16));
        assert!(is_within(address("1.2.3.4"), address("1.2.3.4"), 32));
        assert!(!is_within(address("1.2.3.5"), address("1.2.3.4"), 32));
        assert!(is_within(address("fd00:1::1"), address("fd00::"), 8));
        assert!(!is_within(address("::ffff:10.1.0.1"), address("10.1.0.0"), 16));
    }
}
