//! What `nono audit verify` says about real logs, whole, changed, cut and half written.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::world::{Who, World};
use crate::{records, run, sessions, state};

fn verify(world: &World, words: &[&str]) -> (i32, Value) {
    let outcome = world.finish(world.nono().args(["audit", "verify", "--json"]).args(words));
    let answer = serde_json::from_str(&outcome.stdout);
    (outcome.code(), answer.unwrap_or_else(|error| panic!("{error}: {}{}", outcome.stdout, outcome.stderr)))
}

/// What is said of the first session; of the host's log, where that alone says that nothing is signed yet.
fn verdict(answer: &Value) -> &str {
    let session = answer["sessions"][0]["verdict"].as_str();
    session.or_else(|| answer["host_log"]["verdict"].as_str()).unwrap_or_default()
}

fn id(session: &Path) -> String {
    session.file_name().expect("a name").to_string_lossy().into_owned()
}

#[test]
fn a_whole_log_is_verified_and_a_removed_session_shows() {
    World::each(|world| {
        run(world, &[], "cat /etc/shadow");
        run(world, &[], "true");
        let all = sessions(world);
        let (status, answer) = verify(world, &["--all"]);
        assert_eq!((status, answer["host_log"]["records"].as_u64()), (0, Some(4)), "{answer}");
        // Nobody was asked what witnesses have seen.
        assert_eq!(answer["host_log"]["seen_by_witnesses"], Value::Null, "{answer}");
        for (row, session) in answer["sessions"].as_array().expect("rows").iter().zip(&all) {
            let count = records(session).len();
            assert_eq!(
                (row["standing"].as_str(), row["proved_records"].as_u64()),
                (Some("closed"), Some(count as u64))
            );
        }
        let outcome = world.finish(world.nono().args(["audit", "verify", &id(&all[0])]));
        assert!(outcome.code() == 0 && outcome.stdout.contains("verified: all"), "{}", outcome.stdout);
        fs::remove_dir_all(&all[0]).expect("it is removed");
        let (status, answer) = verify(world, &["--all"]);
        assert_eq!((status, verdict(&answer)), (1, "tampered"), "{answer}");
        assert!(answer["sessions"][0]["reason"].as_str().is_some_and(|why| why.contains("gone")), "{answer}");
    });
}

/// Every bit of a log and every place to cut it are tried on the core itself; here each file is on the disk.
#[test]
fn a_bit_that_is_flipped_and_a_byte_that_is_cut_off_is_noticed_in_every_file() {
    let Some(world) = World::new(Who::User(crate::world::NOBODY)) else { return };
    run(&world, &["--audit", "decisions"], "true");
    let [session] = sessions(&world).try_into().expect("one session");
    assert_eq!(verify(&world, &["--all"]).0, 0);
    let host = state(&world).join("host-log");
    let mut tried = 0_u32;
    for file in [
        session.join("events.jsonl"),
        session.join("checkpoint"),
        session.join("certificate"),
        host.join("events.jsonl"),
        host.join("checkpoint"),
    ] {
        let good = fs::read(&file).expect("a file");
        let notice = |content: &[u8], what: &str| {
            fs::write(&file, content).expect("it is changed");
            let outcome = world.finish(world.nono().args(["audit", "verify", "--all"]));
            let said = format!("{}{}", outcome.stdout, outcome.stderr);
            assert_eq!(outcome.code(), 1, "{} {what}: {said}", file.display());
        };
        for place in (0..good.len()).step_by(9) {
            let mut changed = good.clone();
            changed[place] ^= 1 << (place % 8);
            notice(&changed, &format!("byte {place}"));
            notice(&good[..place], &format!("cut at {place}"));
            tried += 2;
        }
        fs::write(&file, &good).expect("it is put back");
    }
    assert!(tried > 200, "{tried}");
    assert_eq!(verify(&world, &["--all"]).0, 0);
}

#[test]
fn a_log_whose_supervisor_was_killed_is_proved_up_to_a_stated_record() {
    World::each(|world| {
        let mut seen = Vec::new();
        for milliseconds in [0, 3, 20, 120, 1400] {
            let mut command = world.nono();
            command.args(["run", "--", "sh", "-c", "while :; do cat /etc/passwd; done"]);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
            // The supervisor is the child of what was started; the program's loader may be another.
            let path = format!("/proc/{0}/task/{0}/children", child.id());
            let started = Instant::now();
            while fs::read_to_string(&path).expect("children").is_empty() {
                assert!(started.elapsed() < Duration::from_secs(30), "no supervisor was started");
                std::thread::sleep(Duration::from_millis(1));
            }
            // It marks the session as begun before the program executes anything.
            let marked = |session: &Path| state(world).join("host-log/open").join(id(session)).exists();
            let session = loop {
                let found = sessions(world).into_iter().find(|session| !seen.contains(session) && marked(session));
                if let Some(found) = found {
                    break found;
                }
                assert!(started.elapsed() < Duration::from_secs(30), "no session was begun");
                std::thread::sleep(Duration::from_millis(1));
            };
            std::thread::sleep(Duration::from_millis(milliseconds));
            let children = fs::read_to_string(&path).expect("children");
            let killed = world.command("kill").arg("-9").args(children.split_whitespace()).status();
            assert!(killed.expect("kill runs").success(), "{children}");
            child.wait().expect("it ends");
            seen.push(session.clone());
            let (status, answer) = verify(world, &[&id(&session)]);
            match verdict(&answer) {
                "verified" => {
                    let row = &answer["sessions"][0];
                    assert_eq!((status, row["standing"].as_str()), (0, Some("killed")), "{answer}");
                    assert!(row["proved_records"].as_u64() <= row["records"].as_u64(), "{answer}");
                }
                said => assert_eq!((status, said), (1, "unproved"), "{answer}"),
            }
        }
        assert_eq!(run(world, &[], "true").code(), 0);
        let (status, answer) = verify(world, &["--all"]);
        assert_eq!(status, 0, "{answer}");
        let rows = answer["sessions"].as_array().expect("rows");
        let count = |standing: &str| rows.iter().filter(|row| row["standing"] == standing).count();
        assert_eq!((count("recovered"), count("closed")), (5, 1), "{answer}");
    });
}

#[test]
fn a_record_is_proved_with_two_files_and_a_key_and_no_other_is() {
    World::each(|world| {
        run(world, &[], "cat /etc/shadow");
        let [session] = sessions(world).try_into().expect("one session");
        let denied = records(&session).iter().position(|record| record["disposition"] == "denied").expect("a refusal");
        let proof = world.work().join("e.tlog-proof");
        let prove = |index: &str| {
            world.finish(world.nono().args(["audit", "prove", &id(&session), "--event", index, "-o"]).arg(&proof))
        };
        assert_eq!(prove("100000").code(), 1);
        let outcome = prove(&denied.to_string());
        assert_eq!(outcome.code(), 0, "{}", outcome.stderr);
        // What is printed last is the command that checks it.
        let command = outcome.stdout.lines().last().expect("a command").to_owned();
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        assert_eq!(prove("0").code(), 125, "a file that is there is not written over");
        fs::remove_dir_all(state(world)).expect("no state is needed");
        let checked = world.finish(world.nono().args(&words));
        assert_eq!(checked.code(), 0, "{command}: {}", checked.stderr);
        assert!(checked.stdout.contains("/etc/shadow"), "{}", checked.stdout);
        let text = fs::read_to_string(&proof).expect("a proof");
        world.file(&proof, &text.replacen(&format!("index {denied}"), "index 0", 1));
        assert_eq!(world.finish(world.nono().args(&words)).code(), 1);
    });
}

#[test]
fn each_log_of_the_corpus_comes_to_the_same_in_pieces() {
    replay("audit_replay", crate::pieces::agree);
}

#[test]
fn each_record_of_the_corpus_is_one_by_its_shape_as_well() {
    for corpus in ["audit_record", "audit_export"] {
        replay(corpus, crate::pieces::record);
    }
}

fn replay(target: &str, agree: fn(&[u8]) -> Result<(), String>) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut count = 0_usize;
    for entry in fs::read_dir(&corpus).expect("a corpus") {
        let path = entry.expect("an entry").path();
        let result = agree(&fs::read(&path).expect("a file"));
        result.unwrap_or_else(|problem| panic!("{}: {problem}", path.display()));
        count += 1;
    }
    assert!(count >= 20, "{} has {count} files; the corpus is gone", corpus.display());
}

#[test]
fn a_supervisor_that_was_killed_after_its_last_word_is_not_ended_again() {
    World::each(|world| {
        assert_eq!(run(world, &[], "true").code(), 0);
        let [session] = sessions(world).try_into().expect("one session");
        // All that is left to do is to take the mark away.
        world.file(&state(world).join("host-log/open").join(id(&session)), "");
        let before = fs::read(session.join("events.jsonl")).expect("records");
        assert_eq!(run(world, &[], "true").code(), 0);
        let (status, answer) = verify(world, &["--all"]);
        assert_eq!(status, 0, "{answer}");
        assert_eq!(answer["sessions"][0]["standing"].as_str(), Some("closed"), "{answer}");
        assert_eq!(fs::read(session.join("events.jsonl")).expect("records"), before);
        assert!(!state(world).join("host-log/open").join(id(&session)).exists());
    });
}
