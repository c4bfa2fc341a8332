//! Real sessions in the languages of other systems, and shown and exported while they run.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::world::World;
use crate::{records, run, sessions};

fn id(world: &World) -> String {
    sessions(world)[0].file_name().expect("a name").to_string_lossy().into_owned()
}

#[test]
fn each_record_of_a_run_is_a_row_in_each_format_with_its_session_index_and_leaf_hash() {
    World::each(|world| {
        let script = "cat /etc/shadow; mkdir d; echo x > d/f; mv d/f g; chmod 600 g; ln g h; rm g; sh -c 'exit 3'";
        assert_eq!(run(world, &["--allow-cwd"], script).code(), 3);
        let (id, count) = (id(world), records(&sessions(world)[0]).len());
        let lines = std::fs::read(sessions(world)[0].join("events.jsonl")).expect("a log");
        let hash = |line: &[u8]| nono::merkle::leaf_hash(line).iter().map(|b| format!("{b:02x}")).collect::<String>();
        let hashes: Vec<String> =
            lines.split_inclusive(|b| *b == b'\n').map(|line| hash(&line[..line.len() - 1])).collect();
        for (format, own) in [("json", ""), ("ecs", "/nono"), ("ocsf", "/unmapped/nono"), ("cef", "")] {
            let outcome = world.finish(world.nono().args(["audit", "export", &id, "--format", format]));
            assert_eq!((outcome.code(), outcome.stderr.as_str()), (0, ""), "{format}");
            assert_eq!(outcome.stdout.lines().count(), count, "{format}");
            for ((index, row), hash) in outcome.stdout.lines().enumerate().zip(&hashes) {
                assert!(row.contains(&id) && row.contains(hash), "{format}: {row}");
                if format != "cef" {
                    let row: Value = serde_json::from_str(row).unwrap_or_else(|error| panic!("{error}: {row}"));
                    assert_eq!(row.pointer(own).expect("nono's own")["index"], index, "{format}: {row}");
                }
                if format == "json" {
                    let row: Value = serde_json::from_str(row).expect("JSON");
                    assert!(
                        ["operation", "target", "timestamp", "disposition"].iter().all(|name| row[name].is_string())
                    );
                }
            }
        }
    });
}

/// A run that goes on until a file is there, `nono audit` beside it, and what that printed by then.
fn beside(world: &World, verb: &[&str], until: &str) -> Vec<String> {
    let script = "cat /etc/hostname; while [ ! -e go ]; do sleep 0.05; done; cat /etc/shadow";
    let mut command = world.nono();
    command.args(["run", "-s", "--allow-cwd", "--", "sh", "-c", script]);
    let mut session = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    wait_for_a_record(world);
    let mut follower = follow(world, verb);
    let mut lines = BufReader::new(follower.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    let mut seen: Vec<String> = lines.by_ref().take_while(|line| !line.contains(until)).collect();
    // It is running: what came so far came before its end.
    assert!(session.try_wait().expect("a state").is_none());
    world.file(&world.work().join("go"), "");
    seen.extend(lines);
    assert_eq!(session.wait().expect("it ends").code(), Some(1));
    assert!(follower.wait().expect("it ends").success());
    seen
}

/// Waits until the session can be read: its directory is there before its records are.
fn wait_for_a_record(world: &World) {
    let recorded =
        |session: PathBuf| std::fs::metadata(session.join("events.jsonl")).is_ok_and(|events| events.len() > 0);
    while !sessions(world).into_iter().any(recorded) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

fn follow(world: &World, verb: &[&str]) -> std::process::Child {
    let id = id(world);
    let mut command: Command = world.nono();
    command.arg("audit").arg(verb[0]).arg(&id).args(&verb[1..]);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts")
}

#[test]
fn a_session_is_shown_and_exported_while_it_runs_and_to_its_end() {
    World::each(|world| {
        let seen = beside(world, &["show", "--follow"], "/etc/hostname");
        let last = |seen: &[String], count: usize| seen.iter().rev().take(count).rev().cloned().collect::<String>();
        assert!(seen.iter().any(|line| line.contains("denied     fs.read /etc/shadow")), "{seen:?}");
        assert!(last(&seen, 1).contains("session.end") && last(&seen, 1).contains("exit 1"), "{seen:?}");
    });
    World::each(|world| {
        let seen = beside(world, &["export", "--follow", "--format", "ecs"], "/etc/hostname");
        let last: Value = serde_json::from_str(seen.last().expect("rows")).expect("JSON");
        assert_eq!(last["event"]["action"], "session-end");
    });
}

#[test]
fn following_ends_with_a_supervisor_that_was_killed() {
    World::each(|world| {
        let mut command = world.nono();
        command.args(["run", "-s", "--", "sh", "-c", "while :; do cat /etc/hostname; sleep 0.1; done"]);
        let mut session = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        wait_for_a_record(world);
        let mut followers =
            [follow(world, &["show", "--follow"]), follow(world, &["export", "--follow", "--format", "json"])];
        for follower in &mut followers {
            let out = BufReader::new(follower.stdout.as_mut().expect("a pipe"));
            assert!(out.lines().map_while(Result::ok).any(|line| line.contains("/etc/hostname")));
        }
        let children = format!("/proc/{0}/task/{0}/children", session.id());
        let children = std::fs::read_to_string(children).expect("children");
        let killed = world.command("kill").arg("-9").args(children.split_whitespace()).status();
        assert!(killed.expect("kill runs").success());
        session.wait().expect("it ends");
        for mut follower in followers {
            drop(follower.stdout.take());
            assert!(follower.wait().expect("it ends").success());
        }
    });
}
