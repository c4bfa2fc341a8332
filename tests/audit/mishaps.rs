//! What becomes of a log when the disk is full, when several are written at once, and when the machine may crash.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nono::audit::log::{Opened, Repeats, now};
use nono::audit::record::When;
use serde_json::Value;

use crate::world::{Who, World, skip};
use crate::{records, run, sessions, state};

#[test]
fn a_full_disk_ends_the_program_and_says_so() {
    let Some(world) = World::new(Who::Root) else { return };
    let place = world.work().join("full");
    world.directory(&place);
    let inside = "mount -t tmpfs -o size=96k,mode=700 none \"$1\" && shift && exec \"$@\"";
    let program = world.nono().get_program().to_owned();
    let mut command = world.command("unshare");
    command.args(["-m", "sh", "-c", inside, "sh"]).arg(&place).arg(program).env("XDG_STATE_HOME", &place);
    // Each file is another, so that nothing is counted together.
    let script = "i=0; while [ $i -lt 2000 ]; do cat /etc/$i 2>/dev/null; i=$((i+1)); done; echo finished";
    let outcome = world.finish(command.args(["run", "-s", "--", "sh", "-c", script]));
    assert_eq!((outcome.code(), outcome.stdout.as_str()), (125, ""), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("No space left on device"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("everything was ended"), "{}", outcome.stderr);
    // The same with room.
    assert_eq!(run(&world, &[], script).stdout, "finished\n");
}

#[test]
fn sessions_that_run_at_once_are_all_in_the_host_s_log() {
    World::each(|world| {
        let start = |number: usize| {
            let mut command = world.nono();
            command.args(["run", "-s", "--", "sh", "-c"]).arg(format!("cat /etc/shadow; exit {number}"));
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
        };
        let started: Vec<_> = (0..6).map(start).collect();
        for (number, mut child) in started.into_iter().enumerate() {
            assert_eq!(child.wait().expect("it ends").code(), i32::try_from(number).ok());
        }
        let ends = sessions(world).into_iter().filter_map(|session| records(&session).pop());
        assert_eq!(ends.filter(|end| end["operation"] == "session.end").count(), 6);
        let outcome = world.finish(world.nono().args(["audit", "verify", "--all"]));
        assert_eq!(outcome.code(), 0, "{}{}", outcome.stdout, outcome.stderr);
        assert!(outcome.stdout.contains("all 12 records"), "{}", outcome.stdout);
    });
}

/// Starts a session, kills its supervisor once it has recorded something, and returns its directory.
fn killed(world: &World) -> PathBuf {
    let before = sessions(world);
    let mut command = world.nono();
    command.args(["run", "-s", "--", "sh", "-c", "while :; do cat /etc/passwd /etc/shadow; done"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let begun = |session: &PathBuf| fs::read(session.join("events.jsonl")).is_ok_and(|events| events.len() > 4096);
    let found = until(|| sessions(world).into_iter().find(|session| !before.contains(session) && begun(session)));
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let children = fs::read_to_string(children).expect("children");
    let killed = world.command("kill").arg("-9").args(children.split_whitespace()).status();
    assert!(killed.expect("kill runs").success(), "{children}");
    child.wait().expect("it ends");
    found
}

fn until<T>(look: impl Fn() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "waited in vain");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What `nono audit verify --all` says of each session: its standing and how many records were signed afterwards.
fn standings(world: &World) -> BTreeMap<String, (String, u64)> {
    let outcome = world.finish(world.nono().args(["audit", "verify", "--all", "--json"]));
    assert_eq!(outcome.code(), 0, "{}", outcome.stdout);
    let answer: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    let rows = answer["sessions"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of = |row: &Value| {
        let late = row["signed_afterwards"].as_u64().unwrap_or_default();
        (text(&row["session"]), (text(&row["standing"]), late))
    };
    rows.iter().map(of).collect()
}

/// A mark that stays is what a supervisor leaves that is killed between its last word and the removal of the mark.
#[test]
fn a_session_whose_mark_stays_behind_is_not_ended_twice() {
    World::each(|world| {
        let killed = killed(world);
        assert_eq!(run(world, &[], "true").code(), 0);
        let before = standings(world);
        let mut words: Vec<&str> = before.values().map(|(standing, _)| standing.as_str()).collect();
        words.sort_unstable();
        assert_eq!(words, ["closed", "recovered"]);
        for session in sessions(world) {
            let mark = state(world).join("host-log/open").join(session.file_name().expect("a name"));
            world.file(&mark, "");
        }
        let records = records(&killed).len();
        assert_eq!(run(world, &[], "true").code(), 0);
        let after = standings(world);
        assert!(before.iter().all(|(id, said)| after.get(id) == Some(said)), "{before:?} {after:?}");
        assert_eq!(crate::records(&killed).len(), records);
        assert_eq!(fs::read_dir(state(world).join("host-log/open")).expect("marks").count(), 0);
    });
}

/// The host's log as it was before is what there is when somebody is killed who has signed a session and not said so.
#[test]
fn a_session_that_was_signed_by_somebody_who_was_killed_is_not_signed_anew() {
    World::each(|world| {
        let killed = killed(world);
        let (host, copy) = (state(world).join("host-log"), world.outside().join("copy"));
        let copied = |from: &Path, to: &Path| {
            let status = world.command("cp").arg("-a").args([from, to]).status();
            assert!(status.expect("cp runs").success());
        };
        copied(&host, &copy);
        assert_eq!(run(world, &[], "true").code(), 0);
        let (before, count) = (standings(world), records(&killed).len());
        let id = killed.file_name().expect("a name").to_string_lossy().into_owned();
        assert_eq!(before[&id].0, "recovered");
        let other = sessions(world).into_iter().find(|session| *session != killed).expect("another session");
        fs::remove_dir_all(other).expect("it is removed");
        fs::remove_dir_all(&host).expect("it is removed");
        copied(&copy, &host);
        assert_eq!(run(world, &[], "true").code(), 0);
        assert_eq!(standings(world)[&id], before[&id]);
        assert_eq!(records(&killed).len(), count);
    });
}

/// Somebody who recovers a session is killed while he writes, and so its log is torn a second time.
#[test]
fn what_is_cut_off_a_log_takes_the_place_of_nothing_that_was_cut_off_before() {
    let Some(world) = World::new(Who::User(crate::world::NOBODY)) else { return };
    let killed = killed(&world);
    let (host, copy) = (state(&world).join("host-log"), world.outside().join("copy"));
    let shell = |script: String| assert!(world.command("sh").args(["-ec", &script]).status().expect("sh").success());
    shell(format!("cp -a {} {}", host.display(), copy.display()));
    let torn = ["{\"index\":1", "{\"ind", "{\"index\":2,\"timestamp\""];
    for text in [torn[0], torn[1], torn[2], torn[2]] {
        let events = killed.join("events.jsonl");
        // What was torn already when it was killed is not part of this.
        let whole = fs::read(&events).expect("a log");
        let end = whole.iter().rposition(|byte| *byte == b'\n').expect("a line") + 1;
        fs::write(&events, [&whole[..end], text.as_bytes()].concat()).expect("it is torn");
        assert_eq!(run(&world, &[], "true").code(), 0);
        assert_eq!(records(&killed).last().expect("a record")["operation"], "log.recovered");
        shell(format!("rm -r {0}; cp -a {1} {0}", host.display(), copy.display()));
        let others = sessions(&world).into_iter().filter(|session| *session != killed);
        others.for_each(|session| fs::remove_dir_all(session).expect("it is removed"));
    }
    for (number, text) in torn.iter().enumerate() {
        assert_eq!(fs::read_to_string(killed.join(format!("torn-{number}.bin"))).expect("it is kept"), *text);
    }
    assert!(!killed.join("torn-3.bin").exists());
}

/// What a session left behind is no reason not to begin another, whatever has become of it.
#[test]
fn what_stands_in_the_place_of_a_killed_session_s_log_stops_no_other_session() {
    World::each(|world| {
        let replaced = ["mkdir", "mkfifo", "ln -s /etc/passwd", "rm"].map(|made| {
            let events = killed(world).join("events.jsonl");
            let script = format!("rm {0}; {made} {0}", events.display());
            let replaced = world.command("sh").args(["-c", &script]).stderr(Stdio::null()).status();
            assert_eq!(replaced.expect("sh").success(), made != "rm");
            assert_eq!(run(world, &[], "echo begun").stdout, "begun\n", "{made}");
            events
        });
        let outcome = world.finish(world.nono().args(["audit", "verify", "--all"]));
        assert_eq!(outcome.code(), 1, "{}{}", outcome.stdout, outcome.stderr);
        let host = fs::read_to_string(state(world).join("host-log/events.jsonl")).expect("the host's log");
        for events in &replaced {
            let id = events.parent().and_then(Path::file_name).expect("a name").to_string_lossy();
            let said = |line: &&str| line.contains("session.damaged") && line.contains(&*id);
            assert_eq!(host.lines().filter(said).count(), 1, "{host}");
        }
    });
}

#[test]
fn sessions_that_begin_at_once_recover_a_killed_one_once() {
    World::each(|world| {
        for _ in 0..3 {
            let killed = killed(world);
            let start = |_| {
                let mut command = world.nono();
                command.args(["run", "-s", "--", "true"]).stdout(Stdio::null()).stderr(Stdio::null());
                command.spawn().expect("it starts")
            };
            let started: Vec<_> = (0..4).map(start).collect();
            for mut child in started {
                assert_eq!(child.wait().expect("it ends").code(), Some(0));
            }
            let count = records(&killed).iter().filter(|record| record["operation"] == "log.recovered").count();
            assert_eq!(count, 1);
        }
        assert_eq!(standings(world).values().filter(|(standing, _)| standing == "recovered").count(), 3);
    });
}

/// The system calls of a short run that write, sync or rename, in order. Descriptors are shown with their paths.
fn calls(world: &World) -> Option<Vec<String>> {
    if !Path::new("/usr/bin/strace").exists() {
        skip("strace is not there");
        return None;
    }
    let out = world.outside().join("calls");
    let mut command = world.command("strace");
    command.args(["-f", "-y", "-s", "4096", "-e", "trace=write,fsync,fdatasync,rename,execve", "-o"]).arg(&out);
    let program = world.nono().get_program().to_owned();
    let outcome = world.finish(command.arg(program).args(["run", "-s", "--", "true"]));
    assert_eq!(outcome.code(), 0, "{}", outcome.stderr);
    let text = fs::read_to_string(&out).expect("the calls");
    // A number, the call, and perhaps an end of its own line behind it.
    Some(text.lines().filter_map(|line| Some(line.split_once(' ')?.1.trim().to_owned())).collect())
}

#[test]
fn each_file_is_on_the_disk_before_what_vouches_for_it() {
    let Some(world) = World::new(Who::Root) else { return };
    let Some(calls) = calls(&world) else { return };
    let [session] = sessions(&world).try_into().expect("one session");
    let (session, host) = (session.display().to_string(), state(&world).join("host-log").display().to_string());
    let places = |begins: &str, has: &str| -> Vec<usize> {
        let is_it = |call: &&String| call.starts_with(begins) && call.contains(has);
        calls.iter().enumerate().filter(|(_, call)| is_it(call)).map(|(place, _)| place).collect()
    };
    let last = |begins: &str, has: String| {
        *places(begins, &has).last().unwrap_or_else(|| panic!("no {begins} of {has}: {calls:#?}"))
    };
    let ended = last("write(", "\\\"operation\\\":\\\"session.end\\\"".to_owned());
    let signed = last("rename(", format!("\"{session}/checkpoint\""));
    let named = last("fsync(", format!("<{session}>"));
    let closed = last("write(", "\\\"operation\\\":\\\"session.closed\\\"".to_owned());
    let published = last("rename(", format!("\"{host}/checkpoint\""));
    for file in ["events.jsonl", "certificate", "checkpoint.new"] {
        let synced = last("fdatasync(", format!("<{session}/{file}>"));
        assert!(ended < synced && synced < signed, "{file}: {calls:#?}");
    }
    let logged = last("fdatasync(", format!("<{host}/events.jsonl>"));
    let kept = last("fdatasync(", format!("<{host}/checkpoint.new>"));
    assert!(signed < closed && closed < named && named < logged && logged < kept && kept < published, "{calls:#?}");
    // Nothing is waited for before the program has ended.
    let early = ["fsync(", "fdatasync("].iter().flat_map(|sync| places(sync, "")).filter(|place| *place < ended);
    assert_eq!(early.count(), usize::from(!places("fdatasync(", "/key.new").is_empty()) * 2, "{calls:#?}");
}

#[test]
fn what_somebody_waited_for_is_signed_soon_although_nothing_follows() {
    let state = std::env::temp_dir().join(format!("nono-waited-for-{}", std::process::id()));
    fs::DirBuilder::new().mode(0o700).create(&state).expect("a directory");
    let user = fs::metadata(&state).expect("a directory").uid();
    let opened = Opened::create(&state, user, now()).expect("a session");
    let checkpoint = state.join("sessions").join(opened.id()).join("checkpoint");
    let log = opened.start(|_| {}, || {}).expect("a thread");
    let number = log.append(When::default(), &[b"\"operation\":\"approval\""], Repeats::Written).expect("a record");
    log.wait(number).expect("it is on the disk");
    assert!(!checkpoint.exists());
    until(|| checkpoint.exists().then_some(()));
    let signed = fs::read_to_string(&checkpoint).expect("a checkpoint");
    assert_eq!(signed.lines().nth(1), Some("1"));
    log.end().expect("an end");
    let host = fs::read_to_string(state.join("host-log/events.jsonl")).expect("the host's log");
    assert!(host.contains(&signed.lines().take(3).collect::<Vec<_>>().join("\\n")), "{host}");
    fs::remove_dir_all(&state).expect("it is removed");
}
