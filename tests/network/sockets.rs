//! Ways to a host that are not `connect(2)` to what a name was answered with.

use crate::lab::{OTHER, each};

/// Prints a line for each way: the error's number, or `went`.
const WAYS: &str = "
import ctypes, os, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
name, port = sys.argv[1], int(sys.argv[2])
def way(title, work):
    try: work()
    except OSError as error: print(title, error.errno)
    else: print(title, 'went')
def unspecified():
    s = socket.create_connection(('api.example.com', 80), 9)
    assert libc.connect(s.fileno(), struct.pack('H14x', socket.AF_UNSPEC), 16) == 0
    s.connect((name, port))
def fast_open():
    s = socket.socket()
    s.sendto(b'GET / HTTP/1.0\\r\\n\\r\\n', 0x20000000, (name, port))
def fast_message():
    socket.socket().sendmsg([b'GET / HTTP/1.0\\r\\n\\r\\n'], [], 0x20000000, (name, port))
def fast_connect():
    s = socket.socket()
    s.setsockopt(socket.IPPROTO_TCP, 30, 1)
    s.connect((name, port))
def mapped():
    socket.socket(socket.AF_INET6).connect(('::ffff:' + name, port))
def translated():
    packed = socket.inet_aton(name)
    socket.socket(socket.AF_INET6).connect((socket.inet_ntop(socket.AF_INET6, bytes.fromhex('0064ff9b') + bytes(8) + packed), port))
def six_to_four():
    packed = socket.inet_aton(name)
    socket.socket(socket.AF_INET6).connect((socket.inet_ntop(socket.AF_INET6, b'\\x20\\x02' + packed + bytes(10)), port))
def datagram():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', (name, 7))
def datagram_message():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, (name, 123))
def connected_datagram():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect((name, 7))
    s.send(b'x')
def non_blocking():
    s = socket.socket()
    s.setblocking(False)
    s.connect((name, port))
def inherited():
    s = socket.socket()
    pid = os.fork()
    if pid == 0:
        try: s.connect((name, port))
        except OSError as error: os._exit(error.errno)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code: raise OSError(code, 'child')
def unbound_listener():
    socket.socket().listen()
def bound_listener():
    s = socket.socket()
    s.bind(('127.0.0.1', 0))
    s.listen()
def everywhere_listener():
    s = socket.socket()
    s.bind(('0.0.0.0', 8099))
    s.listen()
for title, work in list(globals().items()):
    if callable(work) and title not in ('way',) and getattr(work, '__module__', '') == '__main__':
        way(title, work)
";

#[test]
fn no_way_around_connect_leads_to_a_host_that_no_rule_covers() {
    each(|lab| {
        let flags = ["--allow-host", "api.example.com:80", "--listen", "8099"];
        let outcome = lab.python(&flags, WAYS, &[OTHER, "80"]);
        assert_eq!(outcome.code(), 0, "{}", outcome.stderr);
        let lines: Vec<&str> = outcome.stdout.lines().collect();
        assert_eq!(lines.len(), 15, "{lines:?}");
        for line in lines {
            let refused = line.ends_with(" 13") || line.ends_with(" 1");
            assert!(refused, "{line} in {}", outcome.stdout);
        }
        assert_eq!((lab.taken("requests"), lab.taken("datagrams")), (Vec::new(), Vec::new()));
        // The same ways do lead somewhere where the address has a rule; what no rule opens stays closed.
        let open = [&flags[..], &["--allow-host", OTHER, "--allow-host", "93.184.215.15:7/udp"]].concat();
        let outcome = lab.python(&open, WAYS, &[OTHER, "80"]);
        for title in ["unspecified", "mapped", "datagram", "connected_datagram", "inherited"] {
            assert!(
                outcome.stdout.contains(&format!("{title} went")),
                "{title}: {} {}",
                outcome.stdout,
                outcome.stderr
            );
        }
        assert!(outcome.stdout.contains("non_blocking 115"), "{}", outcome.stdout);
        for title in
            ["fast_open 1", "fast_message 1", "fast_connect 1", "everywhere_listener 13", "unbound_listener 13"]
        {
            assert!(outcome.stdout.contains(title), "{title}: {}", outcome.stdout);
        }
    });
}

#[test]
fn a_listener_inside_relays_to_allowed_hosts_alone() {
    each(|lab| {
        let program = "import socket, threading, sys
server = socket.create_server(('127.0.0.1', 8099))
def relay():
    for name in ('api.example.com', 'other.example.org', '93.184.215.15'):
        inside, _ = server.accept()
        request = inside.recv(999)
        try:
            with socket.create_connection((name, 80), 9) as out:
                out.sendall(request)
                while part := out.recv(999): inside.sendall(part)
        except OSError: inside.sendall(b'refused')
        inside.close()
threading.Thread(target=relay, daemon=True).start()
for turn in range(3):
    with socket.create_connection(('127.0.0.1', 8099), 9) as s:
        s.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')
        whole = b''
        while part := s.recv(999): whole += part
        print(whole[-8:].split()[-1].decode())
";
        let flags = ["--allow-host", "api.example.com:80", "--allow-host", "127.0.0.1:8099", "--listen", "8099"];
        let outcome = lab.python(&flags, program, &[]);
        assert_eq!(outcome.stdout, "hello\nrefused\nrefused\n", "{}", outcome.stderr);
        assert_eq!(lab.taken("requests").len(), 1);
    });
}
