//! The package clients of this machine with the registry that they are set up for, which they say themselves: no host is
//! written here. Where the registry cannot be reached, there is nothing to see.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::world::{NOBODY, Outcome, Who, World, own_user, shared, skip};

/// Where machines say which authorities they trust, beside the usual place.
const AUTHORITIES: [&str; 5] =
    ["CARGO_HTTP_CAINFO", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "PIP_CERT", "SSL_CERT_FILE"];

/// A client in a directory of its own.
struct Client<'w> {
    world: &'w World,
    /// The profile for its language.
    profile: &'static str,
    /// What it reads of the machine.
    reads: Vec<PathBuf>,
    /// Installs into the directory `$1`; other directories of its own begin with that name.
    install: String,
    /// What is there afterwards.
    installed: &'static str,
}

impl Client<'_> {
    fn bare(&self, script: &str, into: &str) -> Outcome {
        let mut command = self.world.command("/usr/bin/timeout");
        command.args(["60", "sh", "-ec", script, "install", into]);
        self.world.finish(&mut with_authorities(command, |command, name, value| {
            command.env(name, value);
        }))
    }

    fn inside(&self, rules: &[String], into: &str) -> Outcome {
        let mut command = self.world.command("/usr/bin/timeout");
        command.arg("60").arg(shared().join("nono")).args(["run", "-p", self.profile]);
        command = with_authorities(command, |command, name, value| {
            command.args(["--env", &format!("{name}={value}"), "--read", value]);
        });
        for path in &self.reads {
            command.arg("--read").arg(path);
        }
        for rule in rules {
            command.args(["--allow-host", rule]);
        }
        self.world.finish(command.args(["--", "sh", "-ec", &self.install, "install", into]))
    }

    fn has(&self, into: &str) -> bool {
        self.world.work().join(into).join(self.installed).exists()
    }

    /// Installs without a sandbox, then inside of one with the hosts that `read` finds, then without each of these.
    fn needs_its_hosts_and_no_other(&self, read: impl Fn(&Outcome) -> Vec<String>) {
        let outside = self.bare(&self.install, "outside");
        if outside.code() != 0 || !self.has("outside") {
            let _ = writeln!(std::io::stderr(), "skipped: the registry is not reached: {}", outside.stderr);
            return;
        }
        let mut hosts = read(&outside);
        hosts.sort();
        hosts.dedup();
        assert!(!hosts.is_empty(), "{}{}", outside.stdout, outside.stderr);
        let inside = self.inside(&self.rules(&hosts), "inside");
        assert!(inside.code() == 0 && self.has("inside"), "{hosts:?}: {}{}", inside.stdout, inside.stderr);
        for (index, missing) in hosts.iter().enumerate() {
            let mut rest = hosts.clone();
            // Names are looked up as long as there is one.
            rest[index] = "somewhere.example".to_owned();
            let into = format!("without-{index}");
            let refused = self.inside(&self.rules(&rest), &into);
            assert!(refused.code() != 0 && !self.has(&into), "without {missing}: {}", refused.stdout);
            let name = missing.split(':').next().unwrap_or_default();
            assert!(refused.stderr.contains(&format!("look up {name}")), "without {missing}: {}", refused.stderr);
        }
    }

    /// A rule for each host, and one for each of its addresses that a name does not lead to.
    fn rules(&self, hosts: &[String]) -> Vec<String> {
        let mut rules = hosts.to_vec();
        for host in hosts {
            let Some((name, port)) = host.rsplit_once(':') else { continue };
            let found = self.world.finish(self.world.command("/usr/bin/getent").args(["ahosts", name]));
            for address in found.stdout.lines().filter_map(|line| line.split_whitespace().next()) {
                let endpoint =
                    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") };
                let mut why = self.world.nono();
                let told = self.world.finish(why.args(["why", "connect", &endpoint, "--allow-host", host]));
                if told.stdout.contains("is not a public one") && !rules.contains(&endpoint) {
                    rules.push(endpoint);
                }
            }
        }
        rules
    }
}

fn with_authorities(
    mut command: std::process::Command,
    give: impl Fn(&mut std::process::Command, &str, &str),
) -> std::process::Command {
    for name in AUTHORITIES {
        if let Ok(value) = std::env::var(name)
            && Path::new(&value).is_absolute()
        {
            give(&mut command, name, &value);
        }
    }
    command
}

/// The host and the port that a URL of HTTPS or HTTP names.
fn host(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit('@').next()?;
    let port = if scheme.ends_with("https") { 443 } else { 80 };
    Some(if authority.contains(':') { authority.to_owned() } else { format!("{authority}:{port}") })
}

/// The string after each `key` in JSON.
fn strings<'t>(json: &'t str, key: &str) -> Vec<&'t str> {
    let key = format!("\"{key}\"");
    let named: Vec<&str> = json.split(&key).skip(1).collect();
    named
        .into_iter()
        .filter_map(|rest| rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?.split('"').next())
        .collect()
}

fn each(test: impl Fn(&World)) {
    for who in [Who::Root, Who::User(NOBODY)] {
        if who == Who::Root || own_user() == 0 {
            World::new(who).iter().for_each(&test);
        }
    }
}

#[test]
fn pip_installs_from_the_hosts_of_its_index_alone() {
    each(|world| {
        let made = world.finish(world.command("/usr/bin/python3").args(["-m", "venv", "environment"]));
        if made.code() != 0 {
            return skip(&format!("venv is not there: {}{}", made.stdout, made.stderr));
        }
        let client = Client {
            world,
            profile: "python-dev",
            reads: Path::new("/etc/pip.conf").exists().then(|| "/etc/pip.conf".into()).into_iter().collect(),
            install: "environment/bin/pip install -vv --no-cache-dir --no-deps --no-input --retries 0 --timeout 20 \
                --report $1.json --target $1 six"
                .to_owned(),
            installed: "six.py",
        };
        client.needs_its_hosts_and_no_other(|outside| {
            // The pages that it looks at, and where the file came from.
            let pages = outside.stdout.lines().filter_map(|line| line.trim().strip_prefix("* "));
            let report = fs::read_to_string(world.work().join("outside.json")).expect("a report");
            pages.chain(strings(&report, "url")).filter(|url| url.starts_with("http")).filter_map(host).collect()
        });
    });
}

#[test]
fn npm_installs_from_its_registry_alone() {
    if !Path::new("/usr/bin/npm").exists() {
        return skip("npm is not there");
    }
    each(|world| {
        let client = Client {
            world,
            profile: "node-dev",
            reads: Vec::new(),
            install: "npm install --prefix $1 --cache $1-cache --no-audit --no-fund --no-update-notifier \
                --fetch-retries 0 --fetch-timeout 20000 is-number"
                .to_owned(),
            installed: "node_modules/is-number/package.json",
        };
        client.needs_its_hosts_and_no_other(|_| {
            let said = client.bare("npm config get registry; npm view --cache view is-number dist.tarball", "");
            said.stdout.lines().filter_map(host).collect()
        });
    });
}

#[test]
fn cargo_fetches_from_its_registry_alone() {
    let program = std::env::var("CARGO").map_or_else(|_| PathBuf::from("/usr/bin/cargo"), PathBuf::from);
    let Some(toolchain) = program.parent().and_then(Path::parent) else { return };
    each(|world| {
        let bin = toolchain.join("bin");
        let readable = world.finish(world.command("sh").args(["-c", "exec \"$0\" -V"]).arg(bin.join("cargo")));
        if readable.code() != 0 {
            // A toolchain in the home of another user: for that one this is tested.
            assert_ne!(world.who, Who::Root, "{}", readable.stderr);
            return;
        }
        let client = Client {
            world,
            profile: "rust-dev",
            reads: vec![toolchain.to_owned()],
            install: format!(
                "export PATH={}:$PATH CARGO_HOME=$PWD/$1-home CARGO_NET_RETRY=0 CARGO_HTTP_TIMEOUT=20; mkdir -p $1/src; cd $1
                printf '[package]\nname = \"p\"\nedition = \"2021\"\n[workspace]\n[dependencies]\nitoa = \"1\"\n' > Cargo.toml
                echo 'pub use itoa::Buffer;' > src/lib.rs; cargo build",
                bin.display()
            ),
            installed: "target/debug/libp.rlib",
        };
        client.needs_its_hosts_and_no_other(|_| {
            let index = world.work().join("outside-home/registry/index");
            let mut hosts = Vec::new();
            for directory in fs::read_dir(index).expect("an index").flatten() {
                let name = directory.file_name().into_string().expect("a name");
                let (name, _) = name.rsplit_once('-').expect("a host and a number");
                hosts.push(format!("{name}:443"));
                let configuration =
                    fs::read_to_string(directory.path().join("config.json")).expect("its configuration");
                hosts.extend(strings(&configuration, "dl").into_iter().filter_map(host));
            }
            hosts
        });
    });
}
