//! Two networks of their own: one with a name server and other servers, and a machine on it, on which the built program
//! runs. Nothing of either is reachable from outside, nor the other way round. Only root can make them.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::world::{NOBODY, Outcome, Who, World, own_user, shared, skip};

/// Addresses of the hosts. The servers answer on each.
pub(crate) const API: &str = "93.184.215.14";
pub(crate) const API_V6: &str = "2606:2800:21f:cb07:6820:80da:af6b:8b2c";
pub(crate) const OTHER: &str = "93.184.215.15";
pub(crate) const PRIVATE: &str = "10.0.0.5";
const ADDRESSES: [&str; 8] = [API, OTHER, PRIVATE, "10.0.0.6", "169.254.169.254", "100.64.0.7", NAME_SERVER, HOSTILE];
const NAME_SERVER: &str = "9.9.9.9";
/// Where a test may serve names itself.
pub(crate) const HOSTILE: &str = "9.9.9.10";
/// What translates them (RFC 6052) and carries them (RFC 3056) in IPv6: their servers answer there as well.
const CARRYING: [&str; 3] = [API_V6, "64:ff9b::5db8:d70f", "2002:5db8:d70f::1"];
/// The machine's own addresses: public ones, and one that it only answers for.
pub(crate) const HOME: &str = "93.184.216.34";
pub(crate) const HOME_V6: &str = "2606:2800:220:1::34";
pub(crate) const ANSWERED_FOR: &str = "93.184.217.1";

const ZONE: &str = "\
api.example.com 93.184.215.14 2606:2800:21f:cb07:6820:80da:af6b:8b2c
v4.example.com 93.184.215.14
v6.example.com 2606:2800:21f:cb07:6820:80da:af6b:8b2c
other.example.org 93.184.215.15
two.example.com 93.184.215.77 93.184.215.14
long.example.com ! 93.184.215.14
silent.example.com ?
private.example.com 10.0.0.5
shared.example.com 100.64.0.7
loopback.example.com 127.0.0.1 ::1
metadata.example.com 169.254.169.254
mapped.example.com ::ffff:10.0.0.5
translated.example.com 64:ff9b::a00:5
carried.example.com 2002:a00:5::1
translated-metadata.example.com 64:ff9b::a9fe:a9fe
translated-public.example.com 64:ff9b::5db8:d70f
carried-public.example.com 2002:5db8:d70f::1
home.example.com 93.184.216.34 2606:2800:220:1::34
answered.example.com 93.184.217.1
mixed.example.com 10.0.0.5 93.184.215.14
rebinding.example.com 93.184.215.14 | 10.0.0.5
evil.example 93.184.215.15
";

/// The network and what runs in it. All of it ends with the value.
pub(crate) struct Lab {
    pub(crate) world: World,
    /// Keeps the namespaces.
    holder: Child,
    servers: [Child; 2],
    pub(crate) directory: PathBuf,
}

/// Runs `test` as root and as an unprivileged user, each in a network of its own.
pub(crate) fn each(test: impl Fn(&Lab)) {
    for who in [Who::Root, Who::User(NOBODY)] {
        if let Some(lab) = Lab::new(who) {
            test(&lab);
        }
    }
}

impl Lab {
    /// A fresh network, or nothing when this process cannot make one.
    pub(crate) fn new(who: Who) -> Option<Self> {
        if own_user() != 0 {
            skip("not started by root, so no network can be made");
            return None;
        }
        let world = World::new(who)?;
        let directory = world.outside().join("lab");
        fs::create_dir(&directory).expect("a directory of the lab");
        fs::write(directory.join("zone"), ZONE).expect("the zone");
        fs::write(directory.join("resolv.conf"), format!("nameserver {NAME_SERVER}\n")).expect("resolv.conf");
        fs::write(directory.join("hosts"), "127.0.0.1 localhost\n::1 localhost\n").expect("hosts");
        certificate(&directory);
        let holder = ready(&mut namespaces(&directory));
        let mut lab = Self { world, servers: [spare(), spare()], holder, directory };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/network/servers.py");
        for (index, network) in ["network", "machine"].into_iter().enumerate() {
            let mut servers = lab.entering(network);
            let directory = lab.directory.to_str().expect("a UTF-8 path");
            servers.args(["/usr/bin/python3", script, directory]).args((index == 0).then_some(NAME_SERVER));
            lab.servers[index] = ready(&mut servers);
        }
        Some(lab)
    }

    /// `program` as root in the network of the servers.
    pub(crate) fn inside(&self, program: &str) -> Command {
        let mut command = self.entering("network");
        command.arg(program);
        command
    }

    /// `program` as root on the machine.
    pub(crate) fn outside(&self, program: &str) -> Command {
        let mut command = self.entering("machine");
        command.arg(program);
        command
    }

    /// A program that is to follow, as root in one of the networks.
    fn entering(&self, network: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(self.entrance(network)).arg("--wdns=/");
        command
    }

    fn entrance(&self, network: &str) -> [String; 2] {
        let holder = self.holder.id();
        // The files that keep the networks are seen from there alone.
        let kept = format!("--net=/proc/{holder}/root{}/{network}", self.directory.display());
        [kept, format!("--mount=/proc/{holder}/ns/mnt")]
    }

    /// `nono run` on the machine as the lab's user, in the working directory; the program to run is to follow.
    pub(crate) fn nono(&self, flags: &[&str]) -> Command {
        let mut command = self.verb("run");
        command.arg("--read").arg(shared()).args(flags);
        command
    }

    /// The built program with one of its verbs.
    pub(crate) fn verb(&self, verb: &str) -> Command {
        let mut command = self.bare("");
        command.arg(shared().join("nono")).arg(verb);
        command
    }

    /// A program on the machine as the lab's user, without a sandbox.
    pub(crate) fn bare(&self, program: &str) -> Command {
        let work = self.world.work();
        let mut command = self.world.command("/usr/bin/nsenter");
        // Entering takes root; what is entered with belongs to the user.
        command = as_root(command);
        command.args(self.entrance("machine")).arg(format!("--wdns={}", work.display()));
        if let Who::User(user) = self.world.who {
            let user = user.to_string();
            command.args(["setpriv", "--reuid", &user, "--regid", &user, "--clear-groups"]);
        }
        command.args((!program.is_empty()).then_some(program));
        command
    }

    /// Runs `words` under the policy of `flags`, with an account at the end.
    pub(crate) fn run(&self, flags: &[&str], words: &[&str]) -> Outcome {
        let mut command = self.nono(flags);
        self.world.finish(command.arg("--").args(words))
    }

    /// What `curl` of `url` writes, and its exit status.
    pub(crate) fn curl(&self, flags: &[&str], url: &str) -> Outcome {
        self.run(flags, &["curl", "-sS", "-m", "15", url])
    }

    /// Runs a program of Python under the policy of `flags`.
    pub(crate) fn python(&self, flags: &[&str], program: &str, words: &[&str]) -> Outcome {
        self.run(flags, &[&["/usr/bin/python3", "-c", program], words].concat())
    }

    /// Replaces a file of the lab in place, since some are mounted.
    pub(crate) fn write(&self, file: &str, text: &str) {
        fs::write(self.directory.join(file), text).expect("a file of the lab");
    }

    /// The lines that the servers have written to `file`, which is emptied.
    pub(crate) fn taken(&self, file: &str) -> Vec<String> {
        let path = self.directory.join(file);
        let text = fs::read_to_string(&path).unwrap_or_default();
        let _ = fs::write(&path, "");
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for child in self.servers.iter_mut().chain([&mut self.holder]) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Makes the networks, and a place to see files from in which names are looked up at the lab's server. Ends with them.
fn namespaces(directory: &Path) -> Command {
    let lab = directory.display();
    let mut setup = format!("set -e; mount --bind {lab} {lab}; cd {lab}; touch network machine\n");
    // Each is kept by a file; the machine's is made by the command that then runs here.
    setup += "unshare --net=network true; unshare --net=machine true\n";
    for (network, peer) in [("network", "machine"), ("machine", "network")] {
        setup += &format!("{network}() {{ nsenter --net={network} ip \"$@\"; }}\n");
        setup += &format!("{network} link set lo up\n");
        if network == "network" {
            setup += &format!("{network} link add wire type veth peer name wire netns {lab}/{peer}\n");
        }
    }
    setup += "network link set wire up; machine link set wire up\n";
    for address in ADDRESSES {
        setup += &format!("network addr add {address}/32 dev wire\n");
    }
    for address in CARRYING {
        setup += &format!("network addr add {address}/128 dev wire nodad\n");
    }
    setup += &format!("machine addr add {HOME}/32 dev wire; machine addr add {HOME_V6}/128 dev wire nodad\n");
    setup += &format!("machine route add local {ANSWERED_FOR}/32 dev wire\n");
    for network in ["network", "machine"] {
        setup += &format!("{network} route add default dev wire; {network} -6 route add default dev wire\n");
    }
    for file in ["resolv.conf", "hosts"] {
        setup += &format!("mount --bind {file} /etc/{file}\n");
    }
    setup += "echo ready; exec sleep 600";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", &setup]);
    command
}

/// A word in the place of the user's: the standard library cannot take a user off a command.
fn as_root(of: Command) -> Command {
    let mut command = Command::new(of.get_program());
    command.env_clear().envs(of.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir("/").stdin(Stdio::null());
    command
}

/// Starts a command and waits for its first line.
pub(crate) fn ready(command: &mut Command) -> Child {
    let mut child = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().expect("a process of the lab");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
    if line != "ready\n" {
        let _ = child.kill();
        let _ = child.wait();
        panic!("{command:?} is not ready: {line:?}");
    }
    child
}

/// A process that has ended already.
fn spare() -> Child {
    Command::new("true").spawn().expect("a process")
}

/// A certificate authority, and a key and a certificate of it for the hosts.
fn certificate(directory: &Path) {
    let openssl = |subject: &str, name: &str, rest: &[&str]| {
        let mut openssl = Command::new("openssl");
        openssl.current_dir(directory).args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
        openssl.args(["-nodes", "-days", "2", "-subj", subject, "-keyout", &format!("{name}-key.pem")]);
        let made = openssl.args(["-out", &format!("{name}.pem")]).args(rest).output().expect("openssl");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    };
    openssl("/CN=Authority", "authority", &["-addext", "keyUsage=critical,keyCertSign"]);
    let names = "subjectAltName=DNS:*.example.com,DNS:other.example.org";
    let signed =
        ["-CA", "authority.pem", "-CAkey", "authority-key.pem", "-addext", "basicConstraints=critical,CA:FALSE"];
    openssl("/CN=api.example.com", "certificate", &[&signed[..], &["-addext", names]].concat());
}
