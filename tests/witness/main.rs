//! `nono audit witness` against real witnesses on loopback.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod recorded;
mod server;
#[path = "../world/mod.rs"]
mod world;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use nono::merkle::checkpoint::Checkpoint;
use nono::merkle::frontier::Frontier;
use nono::merkle::key::Signer;
use nono::merkle::note::Note;
use nono::merkle::policy::Policy;
use nono::merkle::{Hash, leaf_hash};

use server::{Manner, Server};

/// A state directory with a host's log in it, gone with the test.
struct Host(PathBuf);

impl Host {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("nono-witness-{name}-{}", std::process::id()));
        fs::create_dir_all(path.join("nono/host-log")).expect("a directory");
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join("nono/host-log").join(name)
    }

    /// Writes the log with that many records, of which `word` is part.
    fn log(&self, size: u64, word: &str) -> Hash {
        let mut tree = Frontier::default();
        let mut text = String::new();
        for index in 0..size {
            let line = format!("{{\"index\":{index},\"x\":\"{word}\"}}");
            tree.push(leaf_hash(line.as_bytes()));
            text += &line;
            text.push('\n');
        }
        fs::write(self.file("events.jsonl"), text).expect("a file");
        let checkpoint = Checkpoint { origin: "nono-host/1".into(), size, root: tree.root() };
        fs::write(self.file("checkpoint"), Note::signed(checkpoint.to_string(), &key()).to_string()).expect("a file");
        tree.root()
    }

    /// Writes a policy that wants all of these witnesses.
    fn policy(&self, servers: &[&Server], quorum: &str) -> String {
        let name = |place: usize| format!("w{place}");
        let mut text = format!("log {}\n", key().verifier());
        for (place, server) in servers.iter().enumerate() {
            text += &format!("witness {} {} {}\n", name(place), server.key, server.url);
        }
        let members: Vec<String> = (0..servers.len()).map(name).collect();
        text += &format!("group g {quorum} {}\nquorum g\n", members.join(" "));
        fs::write(self.0.join("policy"), &text).expect("a file");
        text
    }

    /// The status, the answer and what was said.
    fn witness(&self) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nono"));
        command.args(["audit", "witness", "--policy", "policy"]).current_dir(&self.0);
        command.env_clear().env("XDG_STATE_HOME", &self.0).stdin(Stdio::null());
        let Output { status, stdout, stderr } = command.output().expect("nono runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (status.code().expect("an exit"), text(stdout), text(stderr))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // What cannot be removed is left to the next start of the machine.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn key() -> Signer {
    Signer::new("nono-host/1", &[1; 32]).expect("a name")
}

#[test]
fn a_growing_log_is_cosigned_and_the_cosignatures_verify_without_a_network() {
    let host = Host::new("grows");
    let servers = [2, 3].map(|seed| Server::start(seed, key().verifier(), Manner::Honest));
    let policy = host.policy(&[&servers[0], &servers[1]], "all");
    let policy = Policy::parse(policy.as_bytes()).expect("a policy");
    for size in [1, 2, 3, 7, 8, 64, 100, 100, 257] {
        host.log(size, "a");
        let (status, out, said) = host.witness();
        assert_eq!(
            (status, out.as_str(), said.as_str()),
            (0, format!("{size} records, cosigned by 2 of 2\n").as_str(), "")
        );
        assert_eq!([servers[0].size(), servers[1].size()], [size; 2]);
        let cosigned = Note::parse(&fs::read(host.file("cosigned")).expect("a file")).expect("a note");
        let (checkpoint, seen) = policy.verify(&cosigned).expect("the quorum");
        assert_eq!((checkpoint.size, seen.len()), (size, 2));
        // What was remembered is what the witness had seen: one request is enough.
        assert_eq!([servers[0].requests(), servers[1].requests()], [1; 2], "{size}");
    }
    // Without what was remembered, the witness says where to start.
    fs::remove_file(host.file("cosigned")).expect("a file");
    host.log(300, "a");
    assert_eq!(host.witness().0, 0);
    assert_eq!(servers[0].requests(), 2);
}

#[test]
fn a_log_that_was_changed_or_cut_gets_no_cosignature() {
    let host = Host::new("changed");
    let server = Server::start(2, key().verifier(), Manner::Honest);
    host.policy(&[&server], "all");
    host.log(20, "a");
    assert_eq!(host.witness().0, 0);
    // Another history, signed by the host itself.
    host.log(30, "b");
    let (status, _, said) = host.witness();
    assert!(status == 1 && said.contains("another history of this log"), "{said}");
    host.log(20, "b");
    let (status, _, said) = host.witness();
    assert!(status == 1 && said.contains("other 20 records of this log"), "{said}");
    host.log(10, "a");
    let (status, _, said) = host.witness();
    assert!(status == 1 && said.contains("20 records of this log, and 10 are here: the log was cut"), "{said}");
    assert_eq!(server.size(), 20);
    // What lies on the disk is not what was signed.
    host.log(30, "a");
    let changed = fs::read_to_string(host.file("events.jsonl")).expect("a file").replacen("\"a\"", "\"c\"", 1);
    fs::write(host.file("events.jsonl"), changed).expect("a file");
    let (status, _, said) = host.witness();
    assert!(status == 1 && said.contains("not what was signed"), "{said}");
}

#[test]
fn nothing_but_a_cosignature_of_this_checkpoint_by_its_key_is_kept() {
    let cases = [
        (Manner::OtherText, "its cosignature is not one of this checkpoint"),
        (Manner::OtherKey, "its answer is signed by another key than the policy names"),
        (Manner::Words, "its answer is not of the form of c2sp.org/tlog-witness"),
        (Manner::Restless, "it says each time that it has seen the log at another size"),
    ];
    for (manner, sentence) in cases {
        let host = Host::new(&format!("{manner:?}"));
        let (good, bad) =
            (Server::start(2, key().verifier(), Manner::Honest), Server::start(3, key().verifier(), manner));
        host.policy(&[&bad, &good], "all");
        host.log(20, "a");
        let (status, _, said) = host.witness();
        assert!(status == 1 && said.contains(&format!("w0 gave no cosignature: {sentence}")), "{manner:?}: {said}");
        assert!(said.contains("is not the quorum"), "{said}");
        let kept = Note::parse(&fs::read(host.file("cosigned")).expect("a file")).expect("a note");
        assert_eq!(kept.signatures().len(), 2, "the log's and the good witness's");
        // The one who is honest is enough where the policy says so.
        host.policy(&[&bad, &good], "any");
        let (status, out, said) = host.witness();
        assert_eq!((status, out.as_str()), (0, "20 records, cosigned by 1 of 2\n"), "{said}");
    }
}

#[test]
fn witnesses_that_know_nothing_of_the_log_or_are_not_there_are_told_apart() {
    let host = Host::new("unknown");
    let other = Signer::new("nono-host/2", &[1; 32]).expect("a name").verifier();
    let same_name = Signer::new("nono-host/1", &[9; 32]).expect("a name").verifier();
    let servers = [Server::start(2, other, Manner::Honest), Server::start(3, same_name, Manner::Honest)];
    let mut gone = Server::start(4, key().verifier(), Manner::Honest);
    gone.url = "http://127.0.0.1:1/".to_owned();
    host.policy(&[&servers[0], &servers[1], &gone], "any");
    host.log(5, "a");
    let (status, _, said) = host.witness();
    assert_eq!(status, 1, "{said}");
    for sentence in ["does not know this log (404)", "does not know the key that signed", "cannot be reached"] {
        assert!(said.contains(sentence), "{said}");
    }
    assert!(!host.file("cosigned").exists());
    fs::remove_file(host.file("checkpoint")).expect("a file");
    let (status, _, said) = host.witness();
    assert!(status == 125 && said.contains("nothing has been recorded yet"), "{said}");
}
