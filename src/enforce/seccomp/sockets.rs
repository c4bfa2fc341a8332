//! Rows about sockets. Landlock sees connections of plain TCP and names of abstract UNIX sockets; whatever it does not
//! see cannot be made.

use syscalls::abi::Syscall::*;
use syscalls::abi::arguments::socket::*;
use syscalls::abi::filter::errno::{EACCES, EAFNOSUPPORT, EPERM, EPROTONOSUPPORT};

use crate::enforce::bpf::Action::{Allow, Errno};
use crate::enforce::bpf::Argument::{A0, A1, A2, A3, A4, A5};
use crate::enforce::bpf::write::{always, int, long, when};
use crate::enforce::bpf::{Condition, Rule};

/// The family, type and protocol of `socket(2)` and `socketpair(2)`.
const OTHER_FAMILY: &[Condition<'_>] = &[int(A0).is_not(&[UNIX, INET, INET6, NETLINK])];
/// Routes and addresses are for reading; changing them takes a capability. Other protocols of netlink reach the rest of
/// the kernel.
const NETLINK_OTHER: &[Condition<'_>] = &[int(A0).is(&[NETLINK]), int(A2).is_not(&[NETLINK_ROUTE])];
const NETLINK_ANY: &[Condition<'_>] = &[int(A0).is(&[NETLINK])];
/// Both are TCP's equals in what they reach, and Landlock mediates neither.
const MPTCP_OR_SCTP: &[Condition<'_>] = &[int(A2).is(&[MPTCP, SCTP])];
/// Landlock mediates datagrams from ABI 10 on only.
const INET_DATAGRAM: &[Condition<'_>] = &[int(A0).is(&[INET, INET6]), int(A1).masked(TYPE_MASK).is(&[DGRAM])];
/// Datagrams that are not UDP, such as those of ping (1, 58) and UDP-Lite (136).
const INET_OTHER_DATAGRAM: &[Condition<'_>] =
    &[int(A0).is(&[INET, INET6]), int(A1).masked(TYPE_MASK).is(&[DGRAM]), int(A2).is_not(&[0, UDP])];
/// Raw packets, and types that no wanted protocol has.
const INET_OTHER_TYPE: &[Condition<'_>] =
    &[int(A0).is(&[INET, INET6]), int(A1).masked(TYPE_MASK).is_not(&[STREAM, DGRAM])];
/// Streams that are not TCP, such as SMC (256).
const INET_OTHER_STREAM: &[Condition<'_>] =
    &[int(A0).is(&[INET, INET6]), int(A1).masked(TYPE_MASK).is(&[STREAM]), int(A2).is_not(&[0, TCP])];
/// Source routes and routing headers: the packet goes to the first address in them, whatever it was sent to.
const ROUTE_V4: &[Condition<'_>] = &[int(A1).is(&[IP_LEVEL]), int(A2).is(&[IP_OPTIONS])];
const ROUTE_V6: &[Condition<'_>] =
    &[int(A1).is(&[IPV6_LEVEL]), int(A2).is(&[IPV6_2292RTHDR, IPV6_2292PKTOPTIONS, IPV6_RTHDR])];
/// Groups of multicast: the kernel tells the network each one that is joined, and the program chooses its address
/// (RFC 3376, RFC 3810).
const GROUP_V4: &[Condition<'_>] = &[
    int(A1).is(&[IP_LEVEL]),
    int(A2).is(&[
        IP_ADD_MEMBERSHIP,
        IP_ADD_SOURCE_MEMBERSHIP,
        IP_MSFILTER,
        MCAST_JOIN_GROUP,
        MCAST_JOIN_SOURCE_GROUP,
        MCAST_MSFILTER,
    ]),
];
const GROUP_V6: &[Condition<'_>] = &[
    int(A1).is(&[IPV6_LEVEL]),
    int(A2).is(&[IPV6_ADD_MEMBERSHIP, IPV6_JOIN_ANYCAST, MCAST_JOIN_GROUP, MCAST_JOIN_SOURCE_GROUP, MCAST_MSFILTER]),
];
/// The kernel makes a datagram socket of a raw one.
const UNIX_OTHER_TYPE: &[Condition<'_>] =
    &[int(A0).is(&[UNIX]), int(A1).masked(TYPE_MASK).is_not(&[STREAM, DGRAM, SEQPACKET])];

/// Without a policy that names hosts, no datagram leaves.
pub(super) const DATAGRAM_REFUSED: &[Rule<'_>] =
    &[when(socket, INET_DATAGRAM, Errno(EACCES)), when(socketpair, INET_DATAGRAM, Errno(EACCES))];

pub(super) const REFUSED: &[Rule<'_>] = &[
    when(socket, OTHER_FAMILY, Errno(EAFNOSUPPORT)),
    when(socket, NETLINK_OTHER, Errno(EAFNOSUPPORT)),
    when(socket, NETLINK_ANY, Allow),
    when(socket, MPTCP_OR_SCTP, Errno(EPROTONOSUPPORT)),
    when(socket, INET_OTHER_DATAGRAM, Errno(EPROTONOSUPPORT)),
    when(socket, INET_OTHER_TYPE, Errno(EPERM)),
    when(socket, INET_OTHER_STREAM, Errno(EPROTONOSUPPORT)),
    when(socket, UNIX_OTHER_TYPE, Errno(EPERM)),
    when(socketpair, OTHER_FAMILY, Errno(EAFNOSUPPORT)),
    when(socketpair, NETLINK_OTHER, Errno(EAFNOSUPPORT)),
    when(socketpair, NETLINK_ANY, Allow),
    when(socketpair, MPTCP_OR_SCTP, Errno(EPROTONOSUPPORT)),
    when(socketpair, INET_OTHER_DATAGRAM, Errno(EPROTONOSUPPORT)),
    when(socketpair, INET_OTHER_TYPE, Errno(EPERM)),
    when(socketpair, INET_OTHER_STREAM, Errno(EPROTONOSUPPORT)),
    when(socketpair, UNIX_OTHER_TYPE, Errno(EPERM)),
    // TCP Fast Open connects while it sends; Landlock looks at connect(2). A server's side of it (TCP_FASTOPEN) only
    // accepts, and passes.
    when(sendto, &[int(A3).has_any(MSG_FASTOPEN)], Errno(EPERM)),
    when(sendmsg, &[int(A2).has_any(MSG_FASTOPEN)], Errno(EPERM)),
    when(sendmmsg, &[int(A3).has_any(MSG_FASTOPEN)], Errno(EPERM)),
    when(setsockopt, &[int(A1).is(&[TCP]), int(A2).is(&[TCP_FASTOPEN_CONNECT])], Errno(EPERM)),
    when(setsockopt, ROUTE_V4, Errno(EPERM)),
    when(setsockopt, ROUTE_V6, Errno(EPERM)),
    when(setsockopt, GROUP_V4, Errno(EPERM)),
    when(setsockopt, GROUP_V6, Errno(EPERM)),
    // Puts another protocol over a TCP socket. One of them, SMC, connects on a socket of the kernel's own.
    when(setsockopt, &[int(A1).is(&[TCP]), int(A2).is(&[TCP_ULP])], Errno(EPERM)),
];

const UNIX_DATAGRAM: &[Condition<'_>] = &[int(A0).is(&[UNIX]), int(A1).masked(TYPE_MASK).is(&[DGRAM])];

/// With no way to see where a UNIX socket goes, it goes nowhere. Pairs of streams remain.
pub(super) const UNIX_REFUSED: &[Rule<'_>] = &[
    // A datagram socket needs no connection, and sendmsg(2) has its address behind two pointers.
    when(socket, UNIX_DATAGRAM, Errno(EACCES)),
    when(socketpair, UNIX_DATAGRAM, Errno(EACCES)),
    always(connect, Errno(EACCES)),
    // For datagram sockets that came from elsewhere. An address of netlink's size passes: getifaddrs(3) sends to one.
    when(sendto, &[long(A4).is_not_zero(), int(A5).is_not(&[NETLINK_ADDRESS_SIZE])], Errno(EACCES)),
];

pub(super) const LISTEN_REFUSED: &[Rule<'_>] = &[always(listen, Errno(EACCES))];
