//! Addresses of the Internet in the kernel's own form: `struct sockaddr_in` of `ip(7)`, `struct sockaddr_in6` of `ipv6(7)`.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// `AF_UNSPEC`, `AF_INET` and `AF_INET6`, as an address begins with them.
pub const AF_UNSPEC: u16 = 0;
pub const AF_INET: u16 = 2;
pub const AF_INET6: u16 = 10;

/// `sizeof(struct sockaddr_in)`, and the least of `struct sockaddr_in6` that the kernel takes (`SIN6_LEN_RFC2133`).
const V4_SIZE: usize = 16;
const V6_LEAST: usize = 24;

/// The family that an address begins with; `None` when it has not even that.
pub fn family(bytes: &[u8]) -> Option<u16> {
    bytes.first_chunk().map(|family| u16::from_ne_bytes(*family))
}

/// The address in `bytes`; `None` for another family, or when they are too few.
pub fn decode(bytes: &[u8]) -> Option<SocketAddr> {
    match family(bytes)? {
        AF_INET => decode_v4(bytes).map(SocketAddr::V4),
        AF_INET6 if bytes.len() >= V6_LEAST => {
            let octets: [u8; 16] = *bytes.get(8..24)?.first_chunk()?;
            let flow = u32::from_be_bytes(*bytes.get(4..8)?.first_chunk()?);
            let scope = bytes.get(24..28).and_then(|scope| scope.first_chunk().copied()).map_or(0, u32::from_ne_bytes);
            Some(SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::from(octets), port(bytes)?, flow, scope)))
        }
        _ => None,
    }
}

/// What follows the family of a `struct sockaddr_in`, whatever family it says.
pub fn decode_v4(bytes: &[u8]) -> Option<SocketAddrV4> {
    if bytes.len() < V4_SIZE {
        return None;
    }
    let octets: [u8; 4] = *bytes.get(4..8)?.first_chunk()?;
    Some(SocketAddrV4::new(Ipv4Addr::from(octets), port(bytes)?))
}

/// `address` in the kernel's own form.
pub fn encode(address: &SocketAddr) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(28);
    match address {
        SocketAddr::V4(v4) => {
            bytes.extend(AF_INET.to_ne_bytes());
            bytes.extend(v4.port().to_be_bytes());
            bytes.extend(v4.ip().octets());
            bytes.extend([0; 8]);
        }
        SocketAddr::V6(v6) => {
            bytes.extend(AF_INET6.to_ne_bytes());
            bytes.extend(v6.port().to_be_bytes());
            bytes.extend(v6.flowinfo().to_be_bytes());
            bytes.extend(v6.ip().octets());
            bytes.extend(v6.scope_id().to_ne_bytes());
        }
    }
    bytes
}

fn port(bytes: &[u8]) -> Option<u16> {
    bytes.get(2..4)?.first_chunk().map(|port| u16::from_be_bytes(*port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back_as_they_were_written() {
        for text in ["1.2.3.4:80", "[2001:db8::1]:443", "[fe80::1%3]:1", "0.0.0.0:0"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(decode(&encode(&address)), Some(address));
        }
    }

    #[test]
    fn short_and_foreign_addresses_are_none() {
        let v4 = encode(&"1.2.3.4:80".parse().unwrap());
        let v6 = encode(&"[2001:db8::1]:443".parse().unwrap());
        assert!((0..16).all(|length| decode(&v4[..length]).is_none()));
        assert!((0..24).all(|length| decode(&v6[..length]).is_none()));
        assert_eq!(decode(&v6[..24]), decode(&v6));
        assert_eq!(decode(&[&[1, 0][..], &[0; 30]].concat()), None);
    }
}
