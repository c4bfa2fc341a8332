//! Control data of messages, `cmsg(3)`: descriptors become this process's own, and what would lead a packet elsewhere is
//! refused.

use std::os::fd::{AsRawFd, OwnedFd};

use syscalls::Errno;
use syscalls::socket::Family;

/// `sizeof(struct cmsghdr)`, and what each begins at a multiple of.
const HEADER: usize = 16;
const ALIGNMENT: usize = 8;
/// `SCM_MAX_FD` of `net/scm.h`.
const MOST_DESCRIPTORS: usize = 253;

/// Levels and types of `include/linux/socket.h`, `ip(7)`, `ipv6(7)`, `udp(7)`.
const SOL_SOCKET: i32 = 1;
const SCM_RIGHTS: i32 = 1;
const SCM_CREDENTIALS: i32 = 2;

/// What a datagram of the Internet may carry along: its type of service, time to live, source, and how it is cut. Options and
/// routing headers are left out, since the first address in one is where the packet goes.
const INET: [(i32, i32); 9] = [
    (0, 1),    // IP_TOS
    (0, 2),    // IP_TTL
    (0, 8),    // IP_PKTINFO
    (41, 50),  // IPV6_PKTINFO
    (41, 52),  // IPV6_HOPLIMIT
    (41, 62),  // IPV6_DONTFRAG
    (41, 67),  // IPV6_TCLASS
    (17, 103), // UDP_SEGMENT
    (1, 37),   // SO_TIMESTAMPING
];

/// Control data that this process may send, and the descriptors that it names.
#[derive(Debug, Default)]
pub(super) struct Control {
    pub(super) bytes: Vec<u8>,
    _descriptors: Vec<OwnedFd>,
}

/// Who sends, for control data that says it.
pub(super) struct Sender<'s> {
    /// The process that the credentials may name, and the one that they will.
    pub(super) process: i32,
    pub(super) own: i32,
    /// A duplicate of one of its descriptors.
    pub(super) descriptor: &'s dyn Fn(i32) -> Result<OwnedFd, Errno>,
}

/// The same control data, for a socket of `family`, from this process.
///
/// # Errors
/// `EINVAL` for what is malformed, `EPERM` for what may not be sent, `EBADF` for a descriptor that is none.
pub(super) fn translated(bytes: &[u8], family: Family, sender: &Sender<'_>) -> Result<Control, Errno> {
    let mut control = Control { bytes: bytes.to_vec(), _descriptors: Vec::new() };
    let mut at = 0;
    while let Some(header) = bytes.get(at..).and_then(<[u8]>::first_chunk::<HEADER>) {
        let (length, level, kind) = fields(header);
        let end = at.checked_add(length).filter(|end| length >= HEADER && *end <= bytes.len()).ok_or(Errno::INVALID)?;
        let data = control.bytes.get_mut(at.saturating_add(HEADER)..end).ok_or(Errno::INVALID)?;
        match (family, level, kind) {
            (Family::Unix, SOL_SOCKET, SCM_RIGHTS) => {
                let room = MOST_DESCRIPTORS.saturating_sub(control._descriptors.len());
                control._descriptors.extend(descriptors(data, room, sender)?);
            }
            (Family::Unix | Family::Netlink, SOL_SOCKET, SCM_CREDENTIALS) => own_credentials(data, sender)?,
            (Family::Unix | Family::Netlink, ..) => {}
            (Family::Inet | Family::Inet6, level, kind) if INET.contains(&(level, kind)) => {}
            (Family::Inet | Family::Inet6 | Family::Other, ..) => return Err(Errno::NOT_PERMITTED),
        }
        at = end.checked_next_multiple_of(ALIGNMENT).ok_or(Errno::INVALID)?;
    }
    Ok(control)
}

/// Puts this process's numbers in the place of the sender's.
fn descriptors(data: &mut [u8], room: usize, sender: &Sender<'_>) -> Result<Vec<OwnedFd>, Errno> {
    let mut taken = Vec::new();
    for number in data.chunks_exact_mut(4) {
        if taken.len() >= room {
            return Err(Errno::INVALID);
        }
        let wanted = i32::from_ne_bytes(<[u8; 4]>::try_from(&*number).map_err(|_| Errno::INVALID)?);
        let own = (sender.descriptor)(wanted)?;
        number.copy_from_slice(&own.as_raw_fd().to_ne_bytes());
        taken.push(own);
    }
    Ok(taken)
}

/// `struct ucred`: the kernel lets a process name itself alone, and here that is this one.
fn own_credentials(data: &mut [u8], sender: &Sender<'_>) -> Result<(), Errno> {
    let pid = data.first_chunk_mut::<4>().ok_or(Errno::INVALID)?;
    if i32::from_ne_bytes(*pid) != sender.process {
        return Err(Errno::NOT_PERMITTED);
    }
    *pid = sender.own.to_ne_bytes();
    Ok(())
}

/// Length, level and type.
fn fields(header: &[u8; HEADER]) -> (usize, i32, i32) {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *header;
    let length = u64::from_ne_bytes([a, b, c, d, e, f, g, h]);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    (length, i32::from_ne_bytes([i, j, k, l]), i32::from_ne_bytes([m, n, o, p]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(level: i32, kind: i32, data: &[u8]) -> Vec<u8> {
        let mut bytes = (HEADER + data.len()).to_ne_bytes().to_vec();
        bytes.extend(level.to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
        bytes
    }

    fn sent(bytes: &[u8], family: Family) -> Result<Vec<u8>, Errno> {
        let descriptor = |number: i32| match number {
            5000.. => std::fs::File::open("/dev/null").map(OwnedFd::from).map_err(|_| Errno::INVALID),
            _ => Err(Errno::BAD_DESCRIPTOR),
        };
        let sender = Sender { process: 7, own: 99, descriptor: &descriptor };
        translated(bytes, family, &sender).map(|control| control.bytes)
    }

    #[test]
    fn descriptors_and_credentials_become_this_process_s_own() {
        let rights = message(SOL_SOCKET, SCM_RIGHTS, &[5003_i32.to_ne_bytes(), 5004_i32.to_ne_bytes()].concat());
        let got = sent(&rights, Family::Unix).unwrap();
        assert_eq!(got.len(), rights.len());
        assert_ne!(got[16..24], rights[16..24]);
        let credentials =
            |pid: i32| message(SOL_SOCKET, SCM_CREDENTIALS, &[pid.to_ne_bytes(), [0; 4], [0; 4]].concat());
        assert_eq!(sent(&credentials(7), Family::Unix).unwrap(), credentials(99));
        assert_eq!(sent(&credentials(8), Family::Unix), Err(Errno::NOT_PERMITTED));
    }

    #[test]
    fn a_packet_is_not_led_elsewhere() {
        for (level, kind) in [(0, 7), (41, 57), (41, 5), (41, 6), (41, 55), (41, 59), (1, 1), (17, 104)] {
            for family in [Family::Inet, Family::Inet6] {
                assert_eq!(sent(&message(level, kind, &[0; 8]), family), Err(Errno::NOT_PERMITTED), "{level} {kind}");
            }
        }
        assert!(sent(&message(0, 1, &[0; 4]), Family::Inet).is_ok());
    }

    #[test]
    fn malformed_control_data_is_refused() {
        let good = message(SOL_SOCKET, SCM_RIGHTS, &5003_i32.to_ne_bytes());
        for length in [0_u64, 15, 25, 1 << 40, u64::MAX] {
            let mut bytes = good.clone();
            bytes[..8].copy_from_slice(&length.to_ne_bytes());
            assert_eq!(sent(&bytes, Family::Unix), Err(Errno::INVALID), "{length}");
        }
        let unknown = message(SOL_SOCKET, SCM_RIGHTS, &77_i32.to_ne_bytes());
        assert_eq!(sent(&unknown, Family::Unix), Err(Errno::BAD_DESCRIPTOR));
        let many = message(SOL_SOCKET, SCM_RIGHTS, &5001_i32.to_ne_bytes().repeat(254));
        assert_eq!(sent(&many, Family::Unix), Err(Errno::INVALID));
        assert_eq!(sent(&good[..10], Family::Unix), Ok(good[..10].to_vec()), "too short for a header is passed over");
    }
}
