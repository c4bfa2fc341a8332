//! Where the kernel sends packets: `rtnetlink(7)`.

use std::net::IpAddr;

use super::netlink::{self, HEADER, REQUEST};
use crate::errno::Errno;

/// `include/uapi/linux/netlink.h`, `rtnetlink.h`.
const ERROR: u16 = 2;
const NEW_ROUTE: u16 = 24;
const GET_ROUTE: u16 = 26;
const DESTINATION: u16 = 1;
/// `rtm_type` behind the header, and its value for a route to a host elsewhere.
const TYPE: usize = HEADER + 7;
const UNICAST: u8 = 1;

/// Whether packets to `address` stay here: it is one of this machine's own in this network namespace, one that the machine
/// answers for, or one of everybody's on a network of it (broadcast, anycast). An address that no route leads to does not.
///
/// # Errors
/// Those of `socket(2)`, `sendmsg(2)` and `recvmsg(2)`; `EIO` for a reply that is not understood.
pub fn is_local(address: IpAddr) -> Result<bool, Errno> {
    let mut reply = [0; 512];
    let length = netlink::ask(libc::NETLINK_ROUTE, &question(address), &mut reply)?;
    meaning(reply.get(..length).unwrap_or_default())
}

/// `RTM_GETROUTE` for one address.
fn question(address: IpAddr) -> Vec<u8> {
    let (family, octets) = match address {
        IpAddr::V4(v4) => (2, v4.octets().to_vec()),
        IpAddr::V6(v6) => (10, v6.octets().to_vec()),
    };
    let size = |bytes: usize| u8::try_from(bytes).unwrap_or(u8::MAX);
    let attribute = size(octets.len().saturating_add(4));
    let mut bytes = vec![0; HEADER];
    bytes.extend([family, size(octets.len().saturating_mul(8)), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(u16::from(attribute).to_ne_bytes());
    bytes.extend(DESTINATION.to_ne_bytes());
    bytes.extend(octets);
    let length = u32::from(size(bytes.len()));
    let header = [&length.to_ne_bytes()[..], &GET_ROUTE.to_ne_bytes(), &REQUEST.to_ne_bytes(), &[0; 8]].concat();
    bytes.splice(..HEADER, header);
    bytes
}

fn meaning(reply: &[u8]) -> Result<bool, Errno> {
    let number = |at: usize| reply.get(at..).and_then(<[u8]>::first_chunk::<2>).map(|bytes| u16::from_ne_bytes(*bytes));
    match number(4) {
        Some(NEW_ROUTE) => reply.get(TYPE).map(|kind| *kind != UNICAST).ok_or(Errno::IO),
        Some(ERROR) => {
            let error = reply.get(HEADER..).and_then(<[u8]>::first_chunk).map(|bytes| i32::from_ne_bytes(*bytes));
            match error.map(i32::wrapping_neg) {
                // No route, and routes of the types unreachable, prohibit and blackhole.
                Some(libc::ENETUNREACH | libc::EHOSTUNREACH | libc::EACCES | libc::EINVAL) => Ok(false),
                Some(errno) => Err(Errno(errno)),
                None => Err(Errno::IO),
            }
        }
        _ => Err(Errno::IO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_here_and_documentation_is_not() {
        assert_eq!(is_local(IpAddr::from([127, 0, 0, 1])), Ok(true));
        assert_eq!(is_local(IpAddr::from([127, 9, 9, 9])), Ok(true));
        assert_eq!(is_local(IpAddr::from([192, 0, 2, 1])), Ok(false));
    }

    #[test]
    fn replies_that_say_nothing_are_errors() {
        assert_eq!(meaning(b""), Err(Errno::IO));
        assert_eq!(meaning(&[0; 64]), Err(Errno::IO));
        for length in 0..TYPE {
            let mut reply = vec![0; length];
            reply.iter_mut().skip(4).take(1).for_each(|byte| *byte = 24);
            assert_eq!(meaning(&reply), Err(Errno::IO), "{length}");
        }
    }
}
