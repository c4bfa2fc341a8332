//! Sockets (rows 12, 13, 33 and 34): without a `network` in the policy there is nobody to talk to.

use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::process::{Child, Stdio};

use crate::attack::{bare, bare_command, confined, each, secret, wait_for, word};
use crate::world::{Who, World};

/// A peer outside, until the value is dropped.
struct Giver(Child);

impl Drop for Giver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a kernel says that was built without a family.
const NOT_BUILT: [&str; 5] = ["EAFNOSUPPORT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT", "ENODEV", "EPROTOTYPE"];

/// What the sandbox says.
const REFUSED: [&str; 4] = ["EACCES", "EPERM", "EAFNOSUPPORT", "EPROTONOSUPPORT"];

#[test]
fn no_socket_of_another_family_or_kind_is_made() {
    each(|world| {
        let outside = bare(world, &["families"]);
        outside.are(&["udp", "udp6", "mptcp"], "OK");
        if world.who == Who::Root {
            outside.are(&["raw", "packet", "vsock"], "OK");
        }
        let inside = confined(world, &[], &["families"]);
        inside.all(&[&REFUSED[..], &NOT_BUILT[1..3]].concat());
        inside.are(&["udp", "udp6"], "EACCES");
        inside.are(&["raw", "raw6"], "EPERM");
        inside.are(&["packet", "vsock", "alg", "xdp", "bluetooth", "tipc", "rds", "can", "key"], "EAFNOSUPPORT");
        inside.are(&["mptcp", "mptcp6", "sctp"], "EPROTONOSUPPORT");
        // Nor where there is a network.
        let networked = confined(world, &["--allow-host", "0.0.0.0/1", "--allow-host", "::/1"], &["families"]);
        networked.are(&["udp", "udp6"], "OK");
        networked.all_but(&["udp", "udp6"], &[&REFUSED[..], &NOT_BUILT[1..3]].concat());
        confined(world, &[], &["pairs"]).all(&["OK"]);
    });
}

#[test]
fn nothing_connects_by_tcp_or_its_relatives() {
    each(|world| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        listener.set_nonblocking(true).expect("a listener that does not wait");
        let port = listener.local_addr().expect("its address").port().to_string();
        for attack in [["tcp", &port], ["tcp6", &port], ["fastopen", &port]] {
            let outside = bare(world, &attack);
            let works = ["connect", "mapped"]
                .iter()
                .any(|name| outside.lines.iter().any(|(each, verdict)| each == name && verdict == "OK"));
            assert!(works, "{outside:?}");
            while listener.accept().is_ok() {}
            let inside = confined(world, &[], &attack);
            inside.all(&REFUSED);
            if attack[0] != "fastopen" {
                inside.all_but(&["mptcp"], &["EACCES"]);
            }
            assert!(listener.accept().is_err(), "{} connected", attack[0]);
        }
        let work = world.work();
        confined(world, &["--allow", word(&work), "--block-net"], &["tcp", &port]).all(&REFUSED);
        assert!(listener.accept().is_err());
    });
}

#[test]
fn no_datagram_leaves() {
    each(|world| {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.set_nonblocking(true).expect("a socket that does not wait");
        let port = socket.local_addr().expect("its address").port().to_string();
        bare(world, &["udp", &port]).all(&["OK"]);
        let mut buffer = [0; 16];
        assert!(socket.recv(&mut buffer).is_ok());
        while socket.recv(&mut buffer).is_ok() {}
        confined(world, &[], &["udp", &port]).all(&["EACCES"]);
        assert!(socket.recv(&mut buffer).is_err(), "a datagram came");
    });
}

#[test]
fn no_port_is_offered() {
    each(|world| {
        let port = free_port();
        bare(world, &["listen", &port]).all(&["OK"]);
        bare(world, &["listen-anywhere"]).all(&["OK"]);
        confined(world, &[], &["listen", &port]).all(&REFUSED);
        confined(world, &[], &["listen-anywhere"]).all(&REFUSED);
    });
}

#[test]
fn a_port_of_the_policy_is_offered_and_no_other() {
    each(|world| {
        let (port, other) = (free_port(), free_port());
        let flags = ["--listen", &port];
        confined(world, &flags, &["listen", &port]).all(&["OK"]);
        confined(world, &flags, &["listen", &other]).all(&["EACCES"]);
        confined(world, &flags, &["listen-anywhere"]).are(&["port-zero"], "EACCES");
        // Landlock keeps no port to one address: without a supervisor this is said, and has to be accepted.
        let wrap = |flags: &[&str], port: &str| {
            let mut command = world.nono();
            command.args(["wrap", "-s", "--read"]).arg(crate::world::shared()).args(flags).arg("--");
            world.finish(command.arg(crate::attack::program()).args(["listen", port]))
        };
        let outcome = wrap(&flags, &port);
        assert_eq!((outcome.code(), outcome.stdout.as_str()), (125, ""), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("listen") && outcome.stderr.contains(&port), "{}", outcome.stderr);
        let accepted = ["--degraded", "--listen", &port];
        let outcome = wrap(&accepted, &port);
        assert!(outcome.stderr.contains("NOT ENFORCED") && outcome.stdout.contains("listen: OK"), "{}", outcome.stderr);
        assert!(wrap(&accepted, &other).stdout.contains("EACCES"));
        confined(world, &flags, &["tcp", &port]).all(&REFUSED);
    });
}

#[test]
fn nobody_is_reached_by_a_unix_socket_with_a_path() {
    each(|world| {
        let path = world.outside().join("socket");
        let listener = UnixListener::bind(&path).expect("a listener");
        world.give(&path);
        listener.set_nonblocking(true).expect("a listener that does not wait");
        let link = world.work().join("link");
        std::os::unix::fs::symlink(&path, &link).expect("a link to the socket");
        let through_proc = format!("/proc/self/root{}", path.display());
        for name in [word(&path), word(&link), "../outside/socket", &through_proc] {
            bare(world, &["unix-stream", name]).all(&["OK"]);
            while listener.accept().is_ok() {}
            let (work, outside) = (world.work(), world.outside());
            for flags in [&[][..], &["--allow", word(&work)], &["--read", word(&path)], &["--allow", word(&outside)]] {
                confined(world, flags, &["unix-stream", name]).all(&REFUSED);
                assert!(listener.accept().is_err(), "{name} was reached with {flags:?}");
            }
        }
        confined(world, &[], &["pairs"]).all(&["OK"]);
    });
}

#[test]
fn nobody_is_reached_by_a_unix_datagram() {
    each(|world| {
        let path = world.outside().join("socket");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        world.give(&path);
        datagrams_stay(world, &socket, word(&path));
        let name = abstract_name(world, "datagram");
        let address = SocketAddr::from_abstract_name(&name).expect("an abstract address");
        datagrams_stay(world, &UnixDatagram::bind_addr(&address).expect("a socket"), &format!("@{name}"));
    });
}

#[test]
fn nobody_is_reached_by_an_abstract_unix_socket() {
    each(|world| {
        let name = abstract_name(world, "stream");
        let address = SocketAddr::from_abstract_name(&name).expect("an abstract address");
        let listener = UnixListener::bind_addr(&address).expect("a listener");
        listener.set_nonblocking(true).expect("a listener that does not wait");
        let attack = ["unix-stream", &format!("@{name}")];
        bare(world, &attack).all(&["OK"]);
        while listener.accept().is_ok() {}
        confined(world, &[], &attack).all(&REFUSED);
        assert!(listener.accept().is_err(), "the abstract socket was reached");
    });
}

#[test]
fn a_descriptor_that_a_peer_hands_over_is_no_more_than_it_is() {
    each(|world| {
        let (secret, outside, work) = (secret(world), world.outside(), world.work());
        let (socket, taken) = (world.home().join("socket"), work.join("taken"));
        let mut giver = bare_command(world, &["give", word(&socket), word(&secret), word(&outside)]);
        let _giver = Giver(giver.stdout(Stdio::null()).spawn().expect("the peer"));
        let spare = || world.file(&outside.join("spare"), "");
        spare();
        wait_for(&socket);
        let attack = ["take", word(&socket), "secret", word(&taken)];
        for denial in [&[][..], &["--deny", "**/.env"]] {
            let flags = [&["--allow-unix-socket", word(&socket), "--allow", word(&work)], denial].concat();
            let inside = confined(world, &flags, &attack);
            inside.are(&["read", "enter"], "OK");
            inside.all_but(&["read", "enter"], &["EACCES", "EPERM", "EXDEV"]);
            assert_eq!(std::fs::read_to_string(&secret).expect("the secret"), "secret\n");
            // Without a rule about the socket there is no peer.
            let outcome = world.finish(&mut crate::attack::confined_command(world, &[], &attack));
            assert!(outcome.code() == 3 && outcome.stderr.contains("connect: Permission denied"), "{}", outcome.stderr);
        }
        let granted = ["--allow-unix-socket", word(&socket), "--allow", word(&work), "--allow", word(&outside)];
        confined(world, &granted, &attack).all_but(&["process"], &["OK"]);
        for made in ["made", "made-too"] {
            std::fs::remove_dir(outside.join(made)).expect("a directory that was made");
        }
        std::fs::rename(&taken, &secret).expect("the file that was taken");
        spare();
        bare(world, &attack).all(&["OK"]);
    });
}

/// Every way to send a datagram to `name` is tried; none may arrive from inside.
fn datagrams_stay(world: &World, socket: &UnixDatagram, name: &str) {
    socket.set_nonblocking(true).expect("a socket that does not wait");
    let mut buffer = [0; 16];
    bare(world, &["unix-datagram", name]).all(&["OK"]);
    assert!(socket.recv(&mut buffer).is_ok(), "datagrams do not work even without a sandbox");
    while socket.recv(&mut buffer).is_ok() {}
    let inside = confined(world, &[], &["unix-datagram", name]);
    assert!(socket.recv(&mut buffer).is_err(), "a datagram came: {inside:?}");
    inside.all(&[&REFUSED[..], &["EBADF"]].concat());
}

/// An abstract name that no other test has.
fn abstract_name(world: &World, kind: &str) -> String {
    format!("{}-{kind}", word(&world.work()))
}

/// A port that was free a moment ago.
fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    listener.local_addr().expect("its address").port().to_string()
}
