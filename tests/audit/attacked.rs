//! The log under attack: by the program that it is about, and by whoever changes it afterwards.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nono::audit::record::parse::Record;

use crate::world::{Who, World, skip};
use crate::{records, run, sessions, state};

const PYTHON: &str = "/usr/bin/python3";

/// Prints how often the memory of a process has a seed; the arguments are the seed and the process.
const SEARCH: &str = r##"
import re, sys
seed, pid = bytes.fromhex(sys.argv[1]), sys.argv[2]
count = 0
with open(f'/proc/{pid}/maps') as maps, open(f'/proc/{pid}/mem', 'rb', 0) as memory:
    for line in maps:
        start, end, may = re.match(r'(\w+)-(\w+) (\S+)', line).groups()
        if 'r' not in may or '[v' in line:
            continue
        memory.seek(int(start, 16))
        count += memory.read(int(end, 16) - int(start, 16)).count(seed)
print(count)
"##;

/// Opens names that would be lines, fields or commands if they were taken as they are.
const HOSTILE: &str = r##"
import os
names = [b'/n\n{"index":0,"operation":"session.end"}', b'/q","disposition":"allowed","x":"', b'/\\","disposition":"allowed',
         b'/\xed\xa0\x80\xed\xb0\x80', b'/\xff\xfe\x80', '/\u2028\u2029\u0085\ufeff'.encode(), '/\u202eexe.txt'.encode(),
         b'/\x1b]0;t\x07\x1b[2J\x9b', b'/' + b'a/' * 2047, b'/' + b'\xff' * 255, b'/\\u0022', b'/\r\x08\x7f']
for name in names:
    try: os.close(os.open(name, os.O_RDONLY))
    except OSError: pass
"##;

fn verify(world: &World, words: &[&str]) -> (i32, String) {
    let outcome = world.finish(world.nono().args(["audit", "verify"]).args(words));
    (outcome.code(), format!("{}{}", outcome.stdout, outcome.stderr))
}

#[test]
fn names_that_would_be_records_are_texts_and_can_be_had_back() {
    World::each(|world| {
        if !Path::new(PYTHON).exists() {
            skip("python3 is not there");
            return;
        }
        let outcome = world.finish(world.nono().args(["run", "-s", "--", PYTHON, "-c", HOSTILE]));
        assert_eq!(outcome.code(), 0, "{}", outcome.stderr);
        let log = fs::read(sessions(world)[0].join("events.jsonl")).expect("a log");
        let mut targets = Vec::new();
        for (index, line) in log.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let line = line.strip_suffix(b"\n").expect("a line end");
            assert!(line.iter().all(|byte| (0x20..0x7f).contains(byte)), "{}", String::from_utf8_lossy(line));
            let record = Record::parse(line).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(record.index, index as u64);
            assert!(index == 0 || record.operation != "session.start", "{record:?}");
            targets.extend(record.bytes("target"));
        }
        let long = [b"/".to_vec(), b"a/".repeat(2047)].concat();
        let of_name = |name: &[u8]| targets.iter().any(|target| target == name);
        for name in [
            b"/n\n{\"index\":0,\"operation\":\"session.end\"}".as_slice(),
            b"/q\",\"disposition\":\"allowed\",\"x\":\"",
            b"/\xed\xa0\x80\xed\xb0\x80",
            b"/\xff\xfe\x80",
            "/\u{2028}\u{2029}\u{85}\u{feff}".as_bytes(),
            b"/\x1b]0;t\x07\x1b[2J\x9b",
            &long,
            b"/\\u0022",
        ] {
            assert!(of_name(name) || of_name(name.strip_suffix(b"/").unwrap_or(name)), "{}", name.escape_ascii());
        }
        assert_eq!(
            records(&sessions(world)[0]).iter().filter(|record| record["operation"] == "session.end").count(),
            1
        );
        assert_eq!(verify(world, &["--all"]).0, 0);
    });
}

#[test]
fn a_flood_of_one_refusal_is_counted_and_takes_no_room() {
    let Some(world) = World::new(Who::User(crate::world::NOBODY)) else { return };
    if !Path::new(PYTHON).exists() {
        skip("python3 is not there");
        return;
    }
    let script = "import os
for _ in range(20000):
    try: os.open('/etc/shadow', os.O_RDONLY)
    except OSError: pass";
    assert_eq!(world.finish(world.nono().args(["run", "-s", "--", PYTHON, "-c", script])).code(), 0);
    let all = records(&sessions(&world)[0]);
    let of_it = all.iter().filter(|record| record["target"] == "/etc/shadow");
    assert_eq!(of_it.map(|record| record["repeats"].as_u64().unwrap_or(1)).sum::<u64>(), 20_000);
    let bytes = fs::metadata(sessions(&world)[0].join("events.jsonl")).expect("a log").len();
    assert!(bytes < 1 << 20, "{bytes}");
    assert_eq!(all.last().expect("an end")["denied"], 20_000);
}

/// Everything that lies beneath the state directory is offered, and named by its path as well as by other processes'
/// descriptors.
#[test]
fn the_program_reaches_neither_the_log_nor_its_descriptor() {
    World::each(|world| {
        assert_eq!(run(world, &[], "true").code(), 0);
        let before = fs::read(state(world).join("host-log/key")).expect("a key");
        let place = state(world).display().to_string();
        let script = format!(
            "cd {place}; ls . sessions host-log; cat host-log/key sessions/*/events.jsonl host-log/events.jsonl
            for log in sessions/*/events.jsonl host-log/events.jsonl; do echo '{{}}' >> $log; true > $log; rm -f $log; done
            mv sessions gone; mv {place} {place}.gone; ln host-log/key {place}/../key; touch sessions/x; mkdir host-log/x
            for fd in /proc/[0-9]*/fd/*; do case $(readlink $fd) in *nono/sessions*) echo found $fd; cat $fd;; esac; done
            echo own > $HOME/own; cat $HOME/own; cat /proc/self/fd/0 < $HOME/own"
        );
        let home = world.home().display().to_string();
        let outcome = run(world, &["--allow", &home], &script);
        assert_eq!(outcome.stdout, "own\nown\n", "{}", outcome.stderr.lines().rev().take(20).collect::<String>());
        assert_eq!(fs::read(state(world).join("host-log/key")).expect("a key"), before);
        let (status, said) = verify(world, &["--all"]);
        assert!(status == 0 && said.contains("all 4 records"), "{said}");
    });
}

#[test]
fn sessions_that_change_places_or_come_from_another_host_or_name_another_key_are_noticed() {
    World::each(|world| {
        run(world, &[], "cat /etc/shadow");
        run(world, &[], "true");
        let [one, two] = sessions(world).try_into().expect("two sessions");
        let aside = world.outside().join("aside");
        let moved = |from: &Path, to: &Path| fs::rename(from, to).expect("it is moved");
        let exchange = || {
            moved(&one, &aside);
            moved(&two, &one);
            moved(&aside, &two);
        };
        exchange();
        let (status, said) = verify(world, &["--all"]);
        assert!(status == 1 && said.matches("TAMPERED").count() == 2, "{said}");
        exchange();
        // The files of one in the place of the other's.
        for names in
            [&["events.jsonl"][..], &["certificate"], &["checkpoint"], &["events.jsonl", "checkpoint", "certificate"]]
        {
            let kept: Vec<_> = names.iter().map(|name| fs::read(one.join(name)).expect("a file")).collect();
            for name in names {
                fs::copy(two.join(name), one.join(name)).expect("a copy");
            }
            let (status, said) = verify(world, &["--all"]);
            assert!(status == 1 && said.contains("TAMPERED"), "{names:?}: {said}");
            names.iter().zip(kept).for_each(|(name, kept)| fs::write(one.join(name), kept).expect("it is put back"));
        }
        // Another host's session, whole, among ours.
        let Some(other) = World::new(world.who) else { return };
        run(&other, &[], "cat /etc/shadow");
        let foreign = sessions(&other)[0].clone();
        let here = state(world).join("sessions").join(foreign.file_name().expect("a name"));
        let copied = world.command("cp").arg("-a").args([&foreign, &here]).status();
        assert!(copied.expect("cp runs").success());
        let (status, said) = verify(world, &["--all"]);
        assert!(status == 1 && said.contains("the host's log does not know it"), "{said}");
        fs::remove_dir_all(&here).expect("it is removed");
        // Its certificate instead of ours: signed, by another host.
        let certificate = one.join("certificate");
        let kept = fs::read(&certificate).expect("a file");
        fs::copy(foreign.join("certificate"), &certificate).expect("a copy");
        let (status, said) = verify(world, &["--all"]);
        assert!(status == 1 && said.contains("not the one that the host certified"), "{said}");
        fs::write(&certificate, kept).expect("it is put back");
        assert_eq!(verify(world, &["--all"]).0, 0);
    });
}

#[test]
fn a_host_s_log_that_was_put_back_alone_does_not_know_its_sessions() {
    World::each(|world| {
        run(world, &[], "true");
        let (host, copy) = (state(world).join("host-log"), world.outside().join("copy"));
        let copied = |from: &Path, to: &Path| {
            let status = world.command("cp").arg("-a").args([from, to]).status();
            assert!(status.expect("cp runs").success());
        };
        copied(&host, &copy);
        run(world, &[], "cat /etc/shadow");
        let after = world.outside().join("after");
        fs::rename(&host, &after).expect("it is moved away");
        copied(&copy, &host);
        let (status, said) = verify(world, &["--all"]);
        assert!(status == 1 && said.contains("the host's log does not know it"), "{said}");
        // Cut by its last record, with what was signed by then.
        fs::remove_dir_all(&host).expect("it is removed");
        copied(&after, &host);
        let log = fs::read_to_string(host.join("events.jsonl")).expect("a log");
        let shorter: Vec<&str> = log.split_inclusive('\n').take(3).collect();
        fs::write(host.join("events.jsonl"), shorter.concat()).expect("it is cut");
        let (status, said) = verify(world, &["--all"]);
        assert!(status == 1 && said.contains("4 records were signed, and 3 are there"), "{said}");
        let outcome = run(world, &[], "echo ran");
        assert_eq!((outcome.code(), outcome.stdout.as_str()), (125, ""), "{}", outcome.stderr);
        fs::write(host.join("events.jsonl"), log).expect("it is put back");
        assert_eq!(verify(world, &["--all"]).0, 0);
        assert_eq!(run(world, &[], "echo ran").stdout, "ran\n");
    });
}

#[test]
fn a_state_directory_behind_a_link_or_that_cannot_be_written_is_refused() {
    World::each(|world| {
        let elsewhere = world.outside().join("elsewhere");
        world.directory(&elsewhere);
        let above = world.home().join(".local/state");
        fs::create_dir_all(&above).expect("directories");
        [world.home().join(".local"), above.clone()].iter().for_each(|path| world.give(path));
        for place in [state(world), state(world).join("sessions"), state(world).join("host-log")] {
            if place != state(world) {
                world.directory(&state(world));
                fs::set_permissions(state(world), std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("a mode");
            }
            symlink(&elsewhere, &place).expect("a link");
            let outcome = run(world, &[], "echo ran");
            assert_eq!((outcome.code(), outcome.stdout.as_str()), (125, ""), "{}: {}", place.display(), outcome.stderr);
            assert!(outcome.stderr.contains("is not a directory"), "{}", outcome.stderr);
            fs::remove_file(&place).expect("it is removed");
            let _ = fs::remove_dir_all(state(world));
        }
        assert_eq!(fs::read_dir(&elsewhere).expect("a directory").count(), 0);
        assert_eq!(run(world, &[], "echo ran").stdout, "ran\n");
    });
    let Some(world) = World::new(Who::Root) else { return };
    let place = world.work().join("fixed");
    world.directory(&place);
    let inside = "mount -t tmpfs -o mode=700 none \"$1\" && mount -o remount,ro \"$1\" && shift && exec \"$@\"";
    let program = world.nono().get_program().to_owned();
    let mut command = world.command("unshare");
    command.args(["-m", "sh", "-c", inside, "sh"]).arg(&place).arg(program).env("XDG_STATE_HOME", &place);
    let outcome = world.finish(command.args(["run", "-s", "--", "echo", "ran"]));
    assert_eq!((outcome.code(), outcome.stdout.as_str()), (125, ""), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("Read-only file system"), "{}", outcome.stderr);
}

#[test]
fn a_running_session_is_verified_again_and_again_and_a_stopped_supervisor_loses_nothing() {
    World::each(|world| {
        let mut command = world.nono();
        let script = "i=0; while [ ! -e enough ]; do cat /etc/passwd /etc/nothing$i; i=$((i+1)); done; echo $i > count";
        command.args(["run", "-s", "--allow-cwd", "--", "sh", "-c", script]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        let path = format!("/proc/{0}/task/{0}/children", child.id());
        let children = || fs::read_to_string(&path).expect("children");
        while sessions(world).is_empty() || children().is_empty() {
            std::thread::sleep(Duration::from_millis(2));
        }
        let children = children();
        let send = |signal: &str| {
            // Whoever started it stops with it, as for Ctrl-Z, and is made to go on by the shell.
            let own = child.id().to_string();
            let own = (signal == "-CONT").then_some(own.as_str());
            let sent = world.command("kill").arg(signal).args(children.split_whitespace().chain(own)).status();
            assert!(sent.expect("kill runs").success(), "{children}");
        };
        for round in 0..12 {
            if round == 6 {
                send("-STOP");
            }
            // Nothing may be signed in the first second; whatever is said, it is not that it was changed.
            let (status, said) = verify(world, &["--all"]);
            assert!(!said.contains("TAMPERED") && (status == 0 || said.contains("unproved")), "{round}: {said}");
            std::thread::sleep(Duration::from_millis(150));
            if round == 8 {
                send("-CONT");
            }
        }
        world.file(&world.work().join("enough"), "");
        assert_eq!(child.wait().expect("it ends").code(), Some(0));
        let (status, said) = verify(world, &["--all"]);
        assert!(status == 0 && said.contains("verified: all"), "{said}");
        let count: u64 =
            fs::read_to_string(world.work().join("count")).expect("a count").trim().parse().expect("a number");
        let tried = |record: &&serde_json::Value| {
            record["target"].as_str().is_some_and(|target| target.starts_with("/etc/nothing"))
        };
        assert_eq!(records(&sessions(world)[0]).iter().filter(tried).count() as u64, count);
    });
}

/// Who signs has it; who waits for the whole run, and what becomes the program, does not.
#[test]
fn the_host_s_key_is_in_the_memory_of_the_keeper_alone() {
    let Some(world) = World::new(Who::Root) else { return };
    assert_eq!(run(&world, &[], "true").code(), 0);
    let before = sessions(&world);
    let mut command = world.nono();
    command.args(["run", "-s", "--", "sleep", "60"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut front = command.spawn().expect("it starts");
    let child = |of: &str| {
        let children = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap_or_default();
        children.split_whitespace().next().map(ToOwned::to_owned)
    };
    let front_id = front.id().to_string();
    let is_program = |of: &str| fs::read_to_string(format!("/proc/{of}/comm")).is_ok_and(|name| name.trim() == "sleep");
    let (keeper, program) = loop {
        let keeper = child(&front_id);
        let program = keeper.as_ref().and_then(|keeper| child(keeper)).filter(|program| is_program(program));
        if let (Some(keeper), Some(program), true) = (keeper, program, sessions(&world) != before) {
            break (keeper, program);
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let key = fs::read_to_string(state(&world).join("host-log/key")).expect("a key");
    let seed = key.trim_end().rsplit('+').next().expect("a seed").to_owned();
    let found = |process: &str| {
        let outcome = world.finish(world.command(PYTHON).args(["-c", SEARCH, &seed, process]));
        assert_eq!(outcome.code(), 0, "{}", outcome.stderr);
        outcome.stdout.trim().parse::<u32>().expect("a count")
    };
    let counts = [&front_id, &program, &keeper].map(|process| found(process));
    assert!(world.command("kill").args(["-9", &keeper]).status().expect("kill runs").success());
    front.wait().expect("it ends");
    assert!(counts[0] == 0 && counts[1] == 0 && counts[2] > 0, "{counts:?}");
}
