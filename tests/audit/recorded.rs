//! What a run leaves in its log.

mod callers;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use crate::world::{NOBODY, Who, World, skip};
use crate::{records, run, sessions, state};

#[test]
fn each_operation_has_a_record_with_its_object_rule_process_and_outcome() {
    World::each(|world| {
        let secret = world.outside().join("secret");
        world.file(&secret, "secret\n");
        let script = format!("echo a > made; cat made {}; mv made moved; chmod 600 moved; rm moved", secret.display());
        assert_eq!(run(world, &["--allow-cwd"], &script).code(), 0);
        let [session] = sessions(world).try_into().expect("one session");
        let all = records(&session);
        let work = world.work();
        let real = |name: &str| work.join(name).display().to_string();
        let found = |operation: &str, target: &str| {
            let is_it = |record: &&Value| record["operation"] == operation && record["target"] == target;
            all.iter().find(is_it).unwrap_or_else(|| panic!("no {operation} of {target}"))
        };
        assert_eq!((&all[0]["operation"], &all[0]["level"]), (&"session.start".into(), &"all".into()));
        assert_eq!(found("fs.create", &real("made"))["disposition"], "allowed");
        let moved = found("fs.rename", &real("made"));
        assert_eq!((&moved["to"], &moved["rule_from"]), (&real("moved").into(), &"--allow-cwd".into()));
        assert_eq!(found("fs.chmod", &real("moved"))["outcome"], "done");
        assert_eq!(
            found("fs.delete", &real("moved"))["call"].as_str().map(|call| call.starts_with("unlink")),
            Some(true)
        );
        let refused = found("fs.read", &secret.display().to_string());
        assert_eq!((&refused["disposition"], &refused["rule"]), (&"denied".into(), &"none".into()));
        let cat = refused["process"]["executable"].as_str().expect("an executable");
        assert!(cat.ends_with("/cat"), "{cat}");
        let end = all.last().expect("an end");
        assert_eq!((&end["operation"], &end["exit_status"]), (&"session.end".into(), &0.into()));
        assert!(end["denied"].as_u64().is_some_and(|count| count >= 1), "{end}");
    });
}

#[test]
fn the_log_is_the_user_s_alone() {
    World::each(|world| {
        assert_eq!(run(world, &[], "true").code(), 0);
        for directory in
            [state(world), state(world).join("sessions"), state(world).join("host-log"), sessions(world)[0].clone()]
        {
            assert_eq!(fs::metadata(&directory).expect("a directory").permissions().mode() & 0o777, 0o700);
            for entry in fs::read_dir(&directory).expect("a directory").flatten().filter(|entry| entry.path().is_file())
            {
                let mode = entry.metadata().expect("a file").permissions().mode() & 0o777;
                assert_eq!(mode, 0o600, "{}", entry.path().display());
            }
        }
    });
}

#[test]
fn a_place_that_others_may_change_is_refused_and_a_key_that_others_may_read() {
    World::each(|world| {
        assert_eq!(run(world, &[], "true").code(), 0);
        let key = state(world).join("host-log/key");
        for (path, good, bad) in [(state(world), 0o700, 0o770), (key, 0o600, 0o644)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(bad)).expect("a mode");
            let outcome = run(world, &[], "echo ran");
            assert_eq!((outcome.code(), outcome.stdout.as_str()), (125, ""), "{}", outcome.stderr);
            assert!(outcome.stderr.contains("by others"), "{}", outcome.stderr);
            fs::set_permissions(&path, fs::Permissions::from_mode(good)).expect("a mode");
        }
        assert_eq!(run(world, &[], "true").code(), 0);
    });
}

#[test]
fn what_stands_in_the_place_of_a_file_of_the_log_is_not_waited_for() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    assert_eq!(run(&world, &[], "true").code(), 0);
    for (name, is_needed) in [("events.jsonl", true), ("checkpoint", true), ("key", true), ("frontier", false)] {
        let (file, kept) = (state(&world).join("host-log").join(name), world.outside().join("kept"));
        // The last is made when there is more to read.
        let is_there = fs::rename(&file, &kept).is_ok();
        assert!(is_there || !is_needed, "{name}");
        assert!(world.command("mkfifo").args(["-m", "600"]).arg(&file).status().expect("it runs").success());
        let outcome = run(&world, &[], "echo ran");
        let expected = if is_needed { (125, "") } else { (0, "ran\n") };
        assert_eq!((outcome.code(), outcome.stdout.as_str()), expected, "{name}: {}", outcome.stderr);
        fs::remove_file(&file).expect("it is removed");
        assert_eq!(fs::rename(&kept, &file).is_ok(), is_there);
    }
    assert_eq!(run(&world, &[], "true").code(), 0);
}

#[test]
fn a_policy_that_asks_for_a_log_is_refused_where_nobody_would_write_it() {
    World::each(|world| {
        let policy = world.work().join("audited.json");
        world.file(&policy, r#"{ "name": "audited", "extends": ["default"], "audit": { "level": "changes" } }"#);
        let flags = ["-p", "./audited.json"];
        let outcome = world.finish(world.nono().arg("wrap").args(flags).args(["--", "echo", "ran"]));
        assert_eq!((outcome.code(), outcome.stdout.as_str()), (125, ""), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("audit") && outcome.stderr.contains("nono run"), "{}", outcome.stderr);
        assert_eq!(sessions(world).len(), 0);
        assert_eq!(run(world, &[&flags[..], &["--audit", "decisions"]].concat(), "cat /etc/passwd").code(), 0);
        let all = records(&sessions(world)[0]);
        assert_eq!(all[0]["level"], "changes");
        assert!(!all.iter().any(|record| record["operation"] == "fs.read" && record["disposition"] == "allowed"));
    });
}

#[test]
fn what_repeats_is_counted_and_nothing_of_it_is_lost() {
    World::each(|world| {
        let script = "i=0; while [ $i -lt 500 ]; do : < /etc/shadow; i=$((i+1)); done 2>/dev/null; true";
        run(
            world,
            &[],
            &format!(
                "exec 2>/dev/null; i=0; while [ $i -lt 500 ]; do {{ : < /etc/passwd; }}; i=$((i+1)); done; {script}"
            ),
        );
        let all = records(&sessions(world)[0]);
        let opens = all.iter().filter(|record| record["target"] == "/etc/passwd");
        let (mut lines, mut counted) = (0, 0);
        for record in opens {
            lines += 1;
            counted += record["repeats"].as_u64().unwrap_or(1);
        }
        assert_eq!(counted, 500);
        assert!(lines < 100, "{lines}");
        assert_eq!(all.last().expect("an end")["operation"], "session.end");
    });
}

/// What a program may not do for other reasons than a rule about the object: it stands at every level.
const KEPT_BACK: &str = "exec 2>/dev/null
echo evil >> CLAUDE.md; mv CLAUDE.md gone; rm CLAUDE.md.bundle; echo '{}' > .nono-trust.bundle
echo evil > CLAUDE-2.md; cat CLAUDE-2.md; mv closed open
python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect(\"\\0some\\nname\")'
cat CLAUDE.md";

#[test]
fn whatever_refuses_a_call_its_record_says_denied() {
    World::each(|world| {
        let work = world.work();
        world.file(&work.join("CLAUDE.md"), "be kind\n");
        world.directory(&work.join("closed"));
        world.file(&work.join("closed/secret"), "secret\n");
        let keys = format!("file:{}/keys", world.home().display());
        for words in ["keygen --no-passphrase", "init --include CLAUDE*", "sign-policy", "sign --all"] {
            let mut command = world.nono();
            let outcome = world.finish(command.arg("trust").args(words.split(' ')).env("NONO_KEYSTORE", &keys));
            assert_eq!(outcome.code(), 0, "{words}: {}", outcome.stderr);
        }
        let closed = work.join("closed/secret").display().to_string();
        let flags = ["--allow-cwd", "--deny", closed.as_str(), "--audit", "decisions"];
        let outcome = run(world, &flags, KEPT_BACK);
        assert_eq!(outcome.stdout, "be kind\n", "{}", outcome.stderr);
        assert!(outcome.stderr.contains("connect to the socket @some\\nname"), "{}", outcome.stderr);
        let all = records(&sessions(world)[0]);
        let real = |name: &str| work.join(name).display().to_string();
        for (operation, target, rule) in [
            ("fs.write", real("CLAUDE.md"), "what is signed stays as it was signed"),
            ("fs.rename", real("CLAUDE.md"), "what is signed stays as it was signed"),
            ("fs.delete", real("CLAUDE.md.bundle"), "what is signed stays as it was signed"),
            ("fs.create", real(".nono-trust.bundle"), "nono's own files"),
            ("fs.read", real("CLAUDE-2.md"), "what must be signed is verified first"),
            ("fs.rename", real("closed"), "what is denied, or must be signed, lies beneath by its name"),
            ("net.connect", "@some\nname".into(), "names of Unix sockets in the abstract namespace are refused"),
        ] {
            let is_it = |record: &&Value| record["operation"] == operation && record["target"] == target;
            let found = all.iter().find(is_it).unwrap_or_else(|| panic!("no {operation} of {target}: {all:#?}"));
            assert_eq!((&found["disposition"], &found["rule"]), (&"denied".into(), &rule.into()), "{found}");
            assert!(found["process"]["executable"].as_str().is_some_and(|path| path.starts_with('/')), "{found}");
        }
        let refused = all.iter().filter(|record| record["disposition"] == "denied").count();
        let end = all.last().expect("an end");
        assert_eq!((end["denied"].as_u64(), end["failed"].as_u64().is_some()), (Some(refused as u64), true), "{end}");
    });
}

#[test]
fn connections_and_look_ups_are_recorded_by_address_and_name() {
    World::each(|world| {
        let python = "/usr/bin/python3";
        if !Path::new(python).exists() {
            skip("python3 is not there");
            return;
        }
        let script = "import socket
try: socket.create_connection(('127.0.0.1', 9))
except OSError: pass
try: socket.getaddrinfo('other.example', 80)
except OSError: pass
try: socket.socket().bind(('127.0.0.1', 38191))
except OSError: pass";
        let flags = [
            "run",
            "--allow-host",
            "127.0.0.1:1",
            "--allow-host",
            "some.example",
            "--listen",
            "38191",
            "--",
            python,
            "-c",
            script,
        ];
        assert_eq!(world.finish(world.nono().args(flags)).code(), 0);
        let all = records(&sessions(world)[0]);
        let found = |operation: &str, target: &str| {
            let is_it = |record: &&Value| record["operation"] == operation && record["target"] == target;
            all.iter().find(is_it).unwrap_or_else(|| panic!("no {operation} of {target}"))
        };
        let connection = found("net.connect", "127.0.0.1:9");
        assert_eq!((&connection["disposition"], &connection["transport"]), (&"denied".into(), &"tcp".into()));
        assert_eq!(found("dns.query", "other.example")["disposition"], "denied");
        assert_eq!(found("net.bind", "localhost:38191")["disposition"], "allowed");
    });
}

/// Opens files by names of one component from directories that change under the same numbers, a link among them, and files
/// of a thread that has left its process's directory.
const MOVING: &str = "import ctypes, os, threading
for each in 'one', 'two', 'one':
    os.chdir(each); os.close(os.open('here', os.O_RDONLY)); os.chdir('..')
there = os.open('one', os.O_RDONLY)
for each in 'one', 'two', 'one':
    new = os.open(each, os.O_RDONLY); os.dup2(new, there); os.close(new)
    os.close(os.open('there', os.O_RDONLY, dir_fd=there))
os.rename('one', 'three'); os.close(os.open('there', os.O_RDONLY, dir_fd=there))
os.close(os.open('link', os.O_RDONLY, dir_fd=there))
def alone():
    ctypes.CDLL(None).unshare(0x200); os.chdir('two'); os.close(os.open('alone', os.O_RDONLY))
for _ in range(3): t = threading.Thread(target=alone); t.start(); t.join()
os.chdir('three'); os.close(os.open('alone', os.O_RDONLY))";

#[test]
fn a_file_is_recorded_where_its_directory_is_by_then() {
    World::each(|world| {
        let python = "/usr/bin/python3";
        if !Path::new(python).exists() {
            skip("python3 is not there");
            return;
        }
        for directory in ["one", "two"] {
            world.directory(&world.work().join(directory));
            for name in ["here", "there", "alone"] {
                world.file(&world.work().join(directory).join(name), "x");
            }
        }
        std::os::unix::fs::symlink("here", world.work().join("one/link")).expect("a link");
        let ways: [&[&str]; 2] = [&[], &["--deny", "*.never"]];
        for (number, way) in ways.into_iter().enumerate() {
            let flags = [&["run", "--allow-cwd"], way, &["--", python, "-c", MOVING]].concat();
            let outcome = world.finish(world.nono().args(flags));
            assert_eq!(outcome.code(), 0, "{}", outcome.stderr);
            let all = records(&sessions(world)[number]);
            let files = all.iter().filter(|record| record["operation"] == "fs.read").filter_map(|record| {
                let target = Path::new(record["target"].as_str()?).strip_prefix(world.work()).ok()?;
                target.parent()?.parent()?;
                target.to_str().map(str::to_owned)
            });
            let expected = "one/here two/here one/here one/there two/there one/there three/there three/here \
                two/alone two/alone two/alone three/alone";
            assert_eq!(files.collect::<Vec<_>>().join(" "), expected, "{way:?}");
            fs::rename(world.work().join("three"), world.work().join("one")).expect("back");
        }
    });
}

#[test]
fn the_digest_of_the_policy_is_of_what_profiles_show_says() {
    let Some(world) = World::new(Who::Root) else { return };
    assert_eq!(run(&world, &[], "true").code(), 0);
    let [session] = sessions(&world).try_into().expect("one session");
    let shown = world.finish(world.nono().args(["profiles", "show", "default", "--json"]));
    let digest = nono::audit::log::host::digest(shown.stdout.as_bytes());
    assert_eq!(records(&session)[0]["policy_sha256"], digest.as_str());
}
