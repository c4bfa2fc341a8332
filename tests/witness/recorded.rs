//! The host's log of real runs, cosigned by witnesses, and verified by their policy when they are gone.

use std::fs;
use std::path::PathBuf;

use nono::merkle::key::{Signer, Verifier};
use nono::merkle::note::Note;
use serde_json::Value;

use crate::server::{Manner, Server};
use crate::world::World;

/// nono's directory for what it keeps.
fn state(world: &World) -> PathBuf {
    world.home().join(".local/state/nono")
}

fn run(world: &World) {
    let outcome = world.finish(world.nono().args(["run", "-s", "--", "cat", "/etc/passwd"]));
    assert_eq!(outcome.code(), 0, "{}", outcome.stderr);
}

/// The key that `nono audit verify` says the host's log is signed with.
fn key(world: &World) -> Verifier {
    let outcome = world.finish(world.nono().args(["audit", "verify", "--all"]));
    assert_eq!(outcome.code(), 0, "{}", outcome.stderr);
    let key = outcome.stdout.lines().last().and_then(|line| line.rsplit(' ').next()).expect("a key");
    Verifier::parse(key).expect("a key")
}

/// Writes a policy with these witnesses, of whom `quorum` are needed, and returns its path.
fn policy(world: &World, log: &Verifier, witnesses: &[(&Verifier, Option<&str>)], quorum: &str) -> String {
    let mut text = format!("log {log}\n");
    for (place, (key, url)) in witnesses.iter().enumerate() {
        text += &format!("witness w{place} {key}{}\n", url.map(|url| format!(" {url}")).unwrap_or_default());
    }
    let members: Vec<String> = (0..witnesses.len()).map(|place| format!("w{place}")).collect();
    text += &format!("group g {quorum} {}\nquorum g\n", members.join(" "));
    let path = world.work().join("policy");
    let _ = fs::remove_file(&path);
    world.file(&path, &text);
    path.display().to_string()
}

fn witness(world: &World, policy: &str) -> (i32, String) {
    let outcome = world.finish(world.nono().args(["audit", "witness", "--policy", policy]));
    (outcome.code(), format!("{}{}", outcome.stdout, outcome.stderr))
}

/// The status, and what is said of the host's log and of each session.
fn verify(world: &World, policy: &str) -> (i32, String) {
    let outcome = world.finish(world.nono().args(["audit", "verify", "--all", "--json", "--policy", policy]));
    let answer: Value =
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {}", outcome.stderr));
    (outcome.code(), answer.to_string())
}

#[test]
fn sessions_are_verified_by_a_policy_whose_witnesses_have_seen_their_end() {
    World::each(|world| {
        run(world);
        let log = key(world);
        let servers = [2, 3, 4].map(|seed| Server::start(seed, log.clone(), Manner::Honest));
        let keys: Vec<Verifier> = servers.iter().map(|server| server.key.clone()).collect();
        let asked = [(&keys[0], Some(servers[0].url.as_str())), (&keys[1], Some(servers[1].url.as_str()))];
        // Nobody has seen anything yet.
        let two = policy(world, &log, &asked, "all");
        let (status, said) = verify(world, &two);
        assert!(status == 1 && said.contains("no witness has cosigned it"), "{said}");
        assert_eq!(witness(world, &two), (0, "2 records, cosigned by 2 of 2\n".to_owned()));
        drop(servers);
        // Offline: the policy has no addresses.
        let offline = policy(world, &log, &[(&keys[0], None), (&keys[1], None)], "all");
        let (status, said) = verify(world, &offline);
        assert!(status == 0 && said.contains("\"seen_by_witnesses\":2"), "{said}");
        // A quorum that is not met, another witness's key, and another log's.
        let three = policy(world, &log, &[(&keys[0], None), (&keys[1], None), (&keys[2], None)], "all");
        let (status, said) = verify(world, &three);
        assert!(status == 1 && said.contains("not the quorum of the policy"), "{said}");
        let two_of_three = policy(world, &log, &[(&keys[0], None), (&keys[1], None), (&keys[2], None)], "2");
        assert_eq!(verify(world, &two_of_three).0, 0);
        let other = policy(world, &log, &[(&keys[2], None)], "any");
        let (status, said) = verify(world, &other);
        assert!(status == 1 && said.contains("no witness has cosigned it"), "{said}");
        let same_name = Signer::new(log.name(), &[77; 32]).expect("a name").verifier();
        let (status, said) = verify(world, &policy(world, &same_name, &[(&keys[0], None)], "any"));
        assert!(status == 1 && said.contains("tampered"), "{said}");
        let other_name = Signer::new("nono-host/other", &[77; 32]).expect("a name").verifier();
        let (status, said) = verify(world, &policy(world, &other_name, &[(&keys[0], None)], "any"));
        assert!(status == 1 && said.contains("the policy names no log"), "{said}");
    });
}

#[test]
fn an_old_cosignature_proves_no_session_that_came_after_it() {
    World::each(|world| {
        run(world);
        let log = key(world);
        let server = Server::start(5, log.clone(), Manner::Honest);
        let trusted = policy(world, &log, &[(&server.key, Some(&server.url))], "all");
        assert_eq!(witness(world, &trusted).0, 0);
        assert_eq!(verify(world, &trusted).0, 0);
        run(world);
        let (status, said) = verify(world, &trusted);
        assert!(status == 1 && said.contains("have not seen its end"), "{said}");
        assert!(
            said.contains("\"seen_by_witnesses\":2") && said.matches("\"verdict\":\"verified\"").count() == 2,
            "{said}"
        );
        // The cosignature put on the checkpoint of now.
        let host = state(world).join("host-log");
        let read = |name: &str| Note::parse(&fs::read(host.join(name)).expect("a note")).expect("a note");
        let (cosigned, mut forged) = (read("cosigned"), read("checkpoint"));
        let (was, kept) = (fs::read(host.join("checkpoint")).expect("a note"), cosigned.to_string());
        cosigned.signatures().iter().skip(1).for_each(|line| forged.add(line.clone()));
        for name in ["checkpoint", "cosigned"] {
            fs::write(host.join(name), forged.to_string()).expect("it is changed");
            let (status, said) = verify(world, &trusted);
            assert!(status == 1 && !said.contains("\"seen_by_witnesses\":4"), "{name}: {said}");
            fs::write(host.join("checkpoint"), &was).expect("it is put back");
            fs::write(host.join("cosigned"), &kept).expect("it is put back");
        }
        // Asked again, the witness has seen both.
        assert_eq!(witness(world, &trusted).0, 0);
        let (status, said) = verify(world, &trusted);
        assert!(status == 0 && said.contains("\"seen_by_witnesses\":4"), "{said}");
    });
}

/// Both logs are put back to where they were, with all that is signed about them: only who has seen more can tell.
#[test]
fn a_host_s_log_that_was_put_back_with_its_sessions_is_noticed_by_its_witness() {
    World::each(|world| {
        run(world);
        let log = key(world);
        let server = Server::start(6, log.clone(), Manner::Honest);
        let trusted = policy(world, &log, &[(&server.key, Some(&server.url))], "all");
        assert_eq!(witness(world, &trusted).0, 0);
        let (now, before) = (state(world), world.outside().join("before"));
        let copied = |from: &PathBuf, to: &PathBuf| {
            let status = world.command("cp").arg("-a").args([from, to]).status();
            assert!(status.expect("cp runs").success());
        };
        copied(&now, &before);
        run(world);
        assert_eq!(witness(world, &trusted).0, 0);
        let after = world.outside().join("after");
        fs::rename(&now, &after).expect("it is moved away");
        copied(&before, &now);
        // By itself it is whole, and what its witness had seen by then is as well.
        assert_eq!(verify(world, &trusted).0, 0);
        let (status, said) = witness(world, &trusted);
        assert!(status == 1 || said.contains("the log was cut"), "{status} {said}");
        assert!(said.contains("it has seen 4 records of this log, and 2 are here: the log was cut"), "{said}");
        // What was cosigned last, kept elsewhere, tells without the witness.
        fs::copy(after.join("host-log/cosigned"), now.join("host-log/cosigned")).expect("a copy");
        world.give(&now.join("host-log/cosigned"));
        let (status, said) = verify(world, &trusted);
        assert!(status == 1, "{said}");
        fs::remove_dir_all(&now).expect("it is removed");
        fs::rename(&after, &now).expect("it is moved back");
        assert_eq!(verify(world, &trusted).0, 0);
    });
}
