//! Ways to a host that are not `connect(2)` to what a name was answered with.

use std::collections::BTreeMap;

use crate::lab::{API, API_V6, HOME, Lab, OTHER, each, ready};

/// Every way, and how each ended.
fn ways(lab: &Lab, flags: Option<&[&str]>) -> BTreeMap<String, String> {
    let words = ["/usr/bin/python3", "-c", include_str!("ways.py"), "api.example.com", OTHER, "80"];
    let outcome = match flags {
        Some(flags) => lab.run(flags, &words),
        None => lab.world.finish(lab.bare(words[0]).args(&words[1..])),
    };
    assert_eq!(outcome.code(), 0, "{}", outcome.stderr);
    let lines = outcome.stdout.lines().filter_map(|line| line.split_once(' '));
    lines.map(|(way, end)| (way.to_owned(), end.to_owned())).collect()
}

/// What no rule opens: the filter refuses it, or there is no rule that could be about it.
const NEVER: [(&str, &str); 17] = [
    ("fast_connect", "1"),
    ("fast_message", "1"),
    ("fast_messages", "1"),
    ("fast_open", "1"),
    ("group", "1"),
    ("group_by_request", "1"),
    ("group_of_a_source", "1"),
    ("group_of_six", "1"),
    ("group_of_six_by_request", "1"),
    ("group_with_interface", "1"),
    ("listener_anywhere", "13"),
    ("listener_everywhere_by_six", "13"),
    ("listener_nowhere", "13"),
    ("listener_on_a_strange_address", "13"),
    ("route_in_a_message", "1"),
    ("routing_header", "1"),
    ("source_route", "1"),
];

#[test]
fn no_way_around_connect_leads_to_a_host_that_no_rule_covers() {
    each(|lab| {
        let api = ["--allow-host", "api.example.com:80"];
        let mut refused = ways(lab, Some(&api));
        assert_eq!(refused.remove("options_that_lead_nowhere").as_deref(), Some("went"));
        assert_eq!(refused.len(), 38, "{refused:?}");
        for (way, end) in &refused {
            assert!(end == "13" || end == "1", "{way} {end}");
        }
        assert_eq!((lab.taken("requests"), lab.taken("datagrams")), (Vec::new(), Vec::new()));
        // The same ways with rules about where they lead.
        let rules =
            [OTHER, "93.184.215.15:7/udp", "93.184.215.15:123/udp", "64:ff9b::5db8:d70f", "2002:5db8:d70f::/48"];
        let mut flags = api.to_vec();
        rules.iter().for_each(|rule| flags.extend(["--allow-host", rule]));
        flags.extend(["--allow-host", "93.184.215.15:9/udp", "--listen", "8099", "--listen", "0.0.0.0:8099"]);
        for (way, end) in ways(lab, Some(&flags)) {
            let expected = NEVER.iter().find(|(never, _)| way == *never).map_or("went", |(_, errno)| errno);
            assert_eq!(end, expected, "{way}");
        }
        assert!(!lab.taken("datagrams").is_empty());
        // Without a sandbox every one of them leads there, but those that the kernel or this network refuses by itself.
        for (way, end) in ways(lab, None) {
            let own = matches!(way.as_str(), "source_route" | "route_in_a_message" | "routing_header");
            assert!(end == "went" || own, "{way} {end}");
        }
        lab.taken("requests");
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

#[test]
fn a_socket_that_took_a_connection_or_waited_for_one_connects_no_further_than_a_new_one() {
    each(|lab| {
        let program = "
import ctypes, socket, struct, sys
libc = ctypes.CDLL(None)
def loose(s):
    assert libc.connect(s.fileno(), struct.pack('H14x', socket.AF_UNSPEC), 16) == 0
    return s
def page(s):
    try:
        s.connect((sys.argv[1], 80))
        s.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')
        whole = b''
        while part := s.recv(999): whole += part
        return whole.split()[-1].decode()
    except OSError as error: return error.errno
server = socket.create_server((sys.argv[2], 8099))
client = socket.create_connection((sys.argv[2], 8099), 9)
taken, _ = server.accept()
print(*(page(loose(s)) for s in (taken, client)))
server.shutdown(socket.SHUT_RDWR)
print(page(server))
";
        // Not on loopback: what is bound there connects nowhere else.
        let home = format!("{HOME}:8099");
        let flags = ["--listen", &home, "--allow-host", &home, "--allow-host", "api.example.com"];
        let refused = lab.python(&flags, program, &[OTHER, HOME]);
        assert_eq!(refused.stdout, "13 13\n13\n", "{}", refused.stderr);
        assert_eq!(lab.taken("requests"), [""; 0]);
        let rule = [&flags[..], &["--allow-host", OTHER]].concat();
        let bare = lab.world.finish(lab.bare("/usr/bin/python3").args(["-c", program, OTHER, HOME]));
        for twin in [lab.python(&rule, program, &[OTHER, HOME]), bare] {
            assert_eq!(twin.stdout, "hello hello\nhello\n", "{}", twin.stderr);
        }
    });
}

/// Hands sockets of each kind to whoever connects, as a process outside may.
const GIVER: &str = "
import os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
server.listen()
print('ready', flush=True)
while True:
    peer, _ = server.accept()
    made = [socket.socket(), socket.socket(socket.AF_INET6), socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
            socket.socket(socket.AF_INET, socket.SOCK_RAW, 253), socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)]
    socket.send_fds(peer, [b'x'], [each.fileno() for each in made])
    peer.close()
";

/// Uses them, and prints the numbers of the errors.
const TAKER: &str = "
import socket, sys
path, address = sys.argv[1:]
peer = socket.socket(socket.AF_UNIX)
peer.connect(path)
_, numbers, _, _ = socket.recv_fds(peer, 1, 5)
tcp, six, udp, raw, multipath = [socket.socket(fileno=number) for number in numbers]
def end(work, *words):
    try: work(*words)
    except OSError as error: return error.errno
    return 0
print(end(tcp.connect, (address, 80)), end(six.connect, ('::ffff:' + address, 80)), end(udp.sendto, b'x', (address, 7)),
      end(raw.sendto, b'x', (address, 0)), end(raw.connect, (address, 0)), end(multipath.connect, (address, 80)),
      end(tcp.listen))
";

#[test]
fn a_socket_that_somebody_outside_made_goes_no_further() {
    each(|lab| {
        let path = lab.world.outside().join("giver");
        let path = path.to_str().expect("a UTF-8 path");
        let mut giver = ready(lab.outside("/usr/bin/python3").args(["-c", GIVER, path]));
        let flags = ["--allow-unix-socket", path, "--allow-host", "api.example.com:80"];
        let refused = lab.python(&flags, TAKER, &[path, OTHER]);
        let came = (lab.taken("requests"), lab.taken("datagrams"));
        let rules = ["--allow-host", OTHER, "--allow-host", "93.184.215.15:7/udp"];
        let twin = lab.python(&[&flags[..], &rules].concat(), TAKER, &[path, OTHER]);
        let _ = giver.kill();
        let _ = giver.wait();
        assert_eq!(refused.stdout, "13 13 13 13 13 13 13\n", "{}", refused.stderr);
        assert_eq!(came, (Vec::new(), Vec::new()));
        assert_eq!(twin.stdout, "0 0 0 13 13 0 13\n", "{}", twin.stderr);
    });
}

#[test]
fn datagrams_by_name_go_where_a_rule_says_so_and_answers_come_from_there() {
    each(|lab| {
        let program = "
import socket
def end(work):
    try: return work()
    except OSError as error: return error.errno
def made(family):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.settimeout(9)
    return s
def exchanged(family, host, port):
    s, to = made(family), socket.getaddrinfo(host, port, family, socket.SOCK_DGRAM)[0][4]
    s.sendto(b'x', to)
    answer, sender = s.recvfrom(99)
    return answer == b'echo x' and sender[:2] == to[:2]
def connected(family, host, port):
    s, to = made(family), socket.getaddrinfo(host, port, family, socket.SOCK_DGRAM)[0][4]
    s.connect(to)
    s.send(b'x')
    return s.recv(99) == b'echo x'
for family in (socket.AF_INET, socket.AF_INET6):
    for way in (exchanged, connected):
        print(*(end(lambda: way(family, host, port)) for host, port in
                (('api.example.com', 7), ('api.example.com', 123), ('home.example.com', 7), ('private.example.com', 7))
                if family == socket.AF_INET or host != 'private.example.com'))
print(end(lambda: socket.create_connection(('api.example.com', 7), 9)))
";
        let flags = |port: &str| format!("*.example.com:{port}/udp");
        let only = lab.python(&["--allow-host", &flags("7")], program, &[]);
        let (v4, v6) = ("True 13 13 13", "True 13 13");
        // To connect sends nothing, and resolvers order addresses by it, so that works; what is sent then gets nowhere.
        let (v4_connected, v6_connected) = (v4.replacen("13", "111", 1), v6.replacen("13", "111", 1));
        let expected = format!("{v4}\n{v4_connected}\n{v6}\n{v6_connected}\n13\n");
        assert_eq!(only.stdout, expected, "{}", only.stderr);
        lab.taken("datagrams");
        let both = lab.python(&["--allow-host", &flags("7"), "--allow-host", &flags("123")], program, &[]);
        assert!(both.stdout.starts_with("True True 13 13\nTrue True 13 13\nTrue True 13\n"), "{}", both.stdout);
        let hosts = lab.taken("datagrams");
        let allowed = |host: &String| *host == format!("::ffff:{API}") || host == API_V6;
        assert!(hosts.len() == 8 && hosts.iter().all(allowed), "{hosts:?}");
    });
}
