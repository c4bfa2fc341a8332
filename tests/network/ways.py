"""Ways to a host that are not a plain connect(2) to what a name was answered with. Prints a line for each: its name, and the
number of the error, or `went`.

usage: ways.py NAME ADDRESS PORT
NAME is a host that may be connected to on port 80. ADDRESS is another one; on port 7 and 123 it answers datagrams.
"""
import ctypes
import os
import socket
import struct
import sys

name, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
libc = ctypes.CDLL(None, use_errno=True)
packed = socket.inet_aton(address)
FAST_OPEN, FAST_OPEN_CONNECT = 0x20000000, 30
REQUEST = b"GET / HTTP/1.0\r\n\r\n"


def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return result


def tcp(family=socket.AF_INET):
    return socket.socket(family, socket.SOCK_STREAM)


def udp(family=socket.AF_INET):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.settimeout(5)
    return s


def answered(s):
    assert s.recv(99).startswith(b"echo ")


def raw(port, family=socket.AF_INET):
    return struct.pack("H", family) + struct.pack("!H4s8x", port, packed)


class Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_char_p), ("length", ctypes.c_size_t)]


class Message(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("name_length", ctypes.c_uint), ("pieces", ctypes.POINTER(Piece)),
                ("count", ctypes.c_size_t), ("control", ctypes.c_char_p), ("control_length", ctypes.c_size_t),
                ("flags", ctypes.c_long), ("sent", ctypes.c_long)]


def messages(addresses):
    """For sendmmsg(2), and what they point to."""
    piece = Piece(b"x", 1)
    several = (Message * len(addresses))(*(Message(one, len(one), ctypes.pointer(piece), 1, None, 0, 0, 0) for one in addresses))
    return several, piece


def plain():
    tcp().connect((address, port))


def unspecified_first():
    s = tcp()
    s.connect((socket.gethostbyname(name), 80))
    checked(libc.connect(s.fileno(), struct.pack("H14x", socket.AF_UNSPEC), 16))
    s.connect((address, port))


def fast_open():
    tcp().sendto(REQUEST, FAST_OPEN, (address, port))


def fast_message():
    tcp().sendmsg([REQUEST], [], FAST_OPEN, (address, port))


def fast_messages():
    s = tcp()
    several, _ = messages([raw(port)])
    checked(libc.sendmmsg(s.fileno(), several, 1, FAST_OPEN))


def fast_connect():
    s = tcp()
    s.setsockopt(socket.IPPROTO_TCP, FAST_OPEN_CONNECT, 1)
    s.connect((address, port))
    s.send(REQUEST)


def mapped():
    tcp(socket.AF_INET6).connect(("::ffff:" + address, port))


def translated():
    tcp(socket.AF_INET6).connect((socket.inet_ntop(socket.AF_INET6, bytes.fromhex("0064ff9b") + bytes(8) + packed), port))


def six_to_four():
    tcp(socket.AF_INET6).connect((socket.inet_ntop(socket.AF_INET6, b"\x20\x02" + packed + bytes(9) + b"\x01"), port))


def datagram():
    s = udp()
    s.sendto(b"x", (address, 7))
    answered(s)


def datagram_without_family():
    s = udp()
    checked(libc.sendto(s.fileno(), b"x", 1, 0, raw(7, socket.AF_UNSPEC), 16))
    answered(s)


def datagram_mapped():
    s = udp(socket.AF_INET6)
    s.sendto(b"x", ("::ffff:" + address, 7))
    answered(s)


def datagram_of_the_other_family():
    s = udp(socket.AF_INET6)
    checked(libc.sendto(s.fileno(), b"x", 1, 0, raw(7), 16))
    answered(s)


def datagram_message():
    s = udp()
    s.sendmsg([b"x"], [], 0, (address, 123))
    answered(s)


def datagram_with_source_and_descriptor():
    s = udp()
    s.sendmsg([b"x"], [(socket.IPPROTO_IP, 8, bytes(12)), (socket.IPPROTO_IP, 1, struct.pack("i", 16))], 0, (address, 123))
    answered(s)


def datagram_messages():
    s = udp()
    several, _ = messages([raw(7), raw(123)])
    sent = checked(libc.sendmmsg(s.fileno(), several, 2, 0))
    assert sent == 2, sent
    answered(s)
    answered(s)


def datagram_to_one_that_is_connected():
    s = udp()
    s.connect((address, 7))
    s.send(b"x")
    answered(s)


def datagram_from_one_connected_elsewhere():
    s = udp()
    s.connect((address, 9))
    s.sendto(b"x", (address, 7))


def without_waiting():
    s = tcp()
    s.setblocking(False)
    try:
        s.connect((address, port))
    except BlockingIOError:
        pass


def in_a_child():
    s = tcp()
    pid = os.fork()
    if pid == 0:
        try:
            s.connect((address, port))
        except OSError as error:
            os._exit(error.errno)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code:
        raise OSError(code, "child")


def with_a_descriptor_of_a_child():
    """A child makes the socket, its parent takes it (pidfd_getfd) and connects."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        s = tcp()
        theirs.send(struct.pack("i", s.fileno()))
        theirs.recv(1)
        os._exit(0)
    (number,) = struct.unpack("i", ours.recv(4))
    try:
        pidfd = os.pidfd_open(pid)
        taken = checked(libc.syscall(438, pidfd, number, 0))
        socket.socket(fileno=taken).connect((address, port))
    finally:
        ours.send(b"x")
        os.waitpid(pid, 0)


def over_a_pair():
    """A socket that is handed on is what it was."""
    ours, theirs = socket.socketpair()
    s = tcp()
    socket.send_fds(ours, [b"x"], [s.fileno()])
    _, (number,), _, _ = socket.recv_fds(theirs, 1, 1)
    socket.socket(fileno=number).connect((address, port))


def bound_first():
    s = tcp()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.bind(("", 0))
    s.connect((address, port))


def source_route():
    s = tcp()
    # Routers drop such packets.
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 2, 0))
    s.setsockopt(socket.IPPROTO_IP, 4, b"\x83\x07\x04" + packed + b"\0")
    s.connect((address, port))


def routing_header():
    s = udp(socket.AF_INET6)
    s.setsockopt(socket.IPPROTO_IPV6, 57, bytes(24))
    s.sendto(b"x", ("::ffff:" + address, 7))
    answered(s)


def route_in_a_message():
    s = udp()
    s.sendmsg([b"x"], [(socket.IPPROTO_IP, 7, b"\x83\x07\x04" + packed + b"\0")], 0, (address, 7))
    answered(s)


def group():
    """Joining one makes the kernel tell the network its address."""
    udp().setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("239.1.2.3") + bytes(4))


def group_with_interface():
    first = struct.pack("4s4si", socket.inet_aton("239.1.2.4"), bytes(4), socket.if_nametoindex("wire"))
    udp().setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, first)


def group_of_a_source():
    any_interface = struct.pack("4s4s4s", socket.inet_aton("232.1.2.3"), bytes(4), packed)
    udp().setsockopt(socket.IPPROTO_IP, 39, any_interface)


def group_by_request():
    for_any = struct.pack("I4xHH4s120x", socket.if_nametoindex("wire"), socket.AF_INET, 0, socket.inet_aton("239.1.2.5"))
    udp().setsockopt(socket.IPPROTO_IP, 42, for_any)


def group_of_six():
    first = socket.inet_pton(socket.AF_INET6, "ff12::1:2") + struct.pack("I", socket.if_nametoindex("wire"))
    udp(socket.AF_INET6).setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, first)


def group_of_six_by_request():
    group = socket.inet_pton(socket.AF_INET6, "ff12::1:3")
    for_any = struct.pack("I4xHHI16s104x", socket.if_nametoindex("wire"), socket.AF_INET6, 0, 0, group)
    udp(socket.AF_INET6).setsockopt(socket.IPPROTO_IPV6, 42, for_any)


def options_that_lead_nowhere():
    s = udp()
    for option in (socket.IP_TOS, socket.IP_TTL, socket.IP_MULTICAST_TTL):
        s.setsockopt(socket.IPPROTO_IP, option, 4)
    udp(socket.AF_INET6).setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    tcp().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def listener_nowhere():
    tcp().listen()


def listener_anywhere():
    s = tcp()
    s.bind(("127.0.0.1", 0))
    s.listen()


def listener_of_the_policy():
    s = tcp()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", 8099))
    s.listen()


def listener_everywhere():
    s = tcp()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("0.0.0.0", 8099))
    s.listen()


def listener_everywhere_by_six():
    s = tcp(socket.AF_INET6)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("::", 8099))
    s.listen()


def listener_on_a_strange_address():
    s = tcp()
    s.setsockopt(socket.IPPROTO_IP, 15, 1)
    s.bind((address, 8099))
    s.listen()


for title, way in list(globals().items()):
    if getattr(way, "__module__", "") == "__main__" and callable(way) and getattr(way, "__code__", None) and not way.__code__.co_argcount:
        try:
            way()
        except OSError as error:
            print(title, error.errno if not isinstance(error, TimeoutError) else "late")
        except AssertionError as error:
            print(title, "partly", error)
        else:
            print(title, "went")
