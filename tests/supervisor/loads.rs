//! Many calls, calls that wait, and callers that die (rows 46–48): nothing hangs, is interrupted, or is lost.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::attack::{each, wait_for};
use crate::place::{Place, bare, number};
use crate::world::{Who, World, skip};

#[test]
fn pipelines_under_a_storm_of_signals_neither_hang_nor_fail() {
    each(|world| {
        let place = Place::by_pattern(world);
        let script =
            "i=0; while [ $i -lt 500 ]; do [ \"$(echo a|cat|cat)\" = a ] || echo bad; i=$((i+1)); done; echo end";
        let outcome = world.finish(place.sandbox().args(["/bin/sh", "-c", script]));
        assert_eq!((outcome.stdout.as_str(), outcome.code()), ("end\n", 0), "{}", outcome.stderr);
        // A call that the supervisor has not yet taken up can be interrupted; the kernel has no way to prevent it. How often
        // that happens is a matter of how busy the machine is, but where calls are not taken up at once it is most of them.
        let interrupted = |_| {
            let report = place.probe(&["alarms", "5000", &place.path("open")]);
            report.all_but(&["interrupted"], &["0"]);
            number(&report, "interrupted")
        };
        let fewest = (0..3).map(interrupted).min();
        assert!(fewest.is_some_and(|fewest| fewest < 250), "{fewest:?} of 5000");
    });
}

#[test]
fn a_hundred_threads_of_opens_all_get_their_answers() {
    each(|world| {
        let place = Place::by_pattern(world);
        place.probe(&["threads", "100", "100", place.closed(), "no"]).all(&["0"]);
        place.probe(&["threads", "100", "100", &place.path("open"), "yes"]).all(&["0"]);
        // A device may take its time, and is opened aside.
        place.probe(&["threads", "100", "20", "/dev/null", "yes"]).all(&["0"]);
        place.probe(&["threads", "100", "20", "/dev/zero", "yes"]).all(&["0"]);
    });
}

#[test]
fn the_supervisor_s_memory_is_bounded_under_a_flood_of_denied_opens() {
    each(|world| {
        let place = Place::by_pattern(world);
        let mut command = place.sandbox();
        command.arg(crate::place::probe()).args(["threads", "100", "400", place.closed(), "no"]);
        let mut nono = command.stdout(Stdio::null()).spawn().expect("nono");
        let mut most = 0;
        while nono.try_wait().expect("the state of nono").is_none() {
            most = most.max(resident_of_children(nono.id()));
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!((1..64 << 10).contains(&most), "{most} KiB");
    });
}

#[test]
fn an_open_that_waits_holds_up_nobody_else() {
    each(|world| {
        let place = Place::by_pattern(world);
        let report = place.probe(&["fifo", &place.path("fifo"), &place.path("open")]);
        report.are(&["failed", "reader"], "0");
        report.are(&["still-waits", "other-end", "write"], "OK");
        let report = place.probe(&["lease", &place.path("leased"), &place.path("open")]);
        report.are(&["lease", "other", "unlease"], "OK");
        report.are(&["seconds", "failed"], "0");
    });
}

#[test]
fn a_signal_ends_an_open_that_waits_or_starts_it_again_as_its_handler_asks() {
    each(|world| {
        let place = Place::by_pattern(world);
        let outside = bare(world, &["interrupted", &place.path("one")]);
        outside.are(&["handled"], "EINTR");
        assert_eq!(place.probe(&["interrupted", &place.path("two")]).lines, outside.lines);
    });
}

#[test]
fn a_thread_s_own_descriptors_are_meant_and_those_of_a_process_whose_first_thread_has_ended() {
    each(|world| {
        for denial in [&["--deny", "**/.env"][..], &[]] {
            let place = Place::by_pattern(world);
            for probe in ["own-descriptors", "last-thread"] {
                let words = [probe, "open"];
                let outside = bare(world, &words);
                outside.all(&["OK"]);
                let mut command = crate::attack::sandbox(world, &[&["--allow", "."], denial].concat());
                let inside = crate::attack::report(world, command.arg(crate::place::probe()).args(words));
                assert_eq!(inside.lines, outside.lines, "{probe} {denial:?}");
            }
            drop(place);
        }
    });
}

#[test]
fn callers_that_die_while_they_wait_leave_nothing_behind() {
    each(|world| {
        let place = Place::by_pattern(world);
        // What the system does is what must come out: nobody reads or writes the FIFO any more.
        let words = |name: &str| ["abandoned".to_owned(), place.path(name), "200".into(), "/dev/null".into()];
        let outside = bare(world, &words("one").each_ref().map(String::as_str));
        let inside = place.probe(&words("two").each_ref().map(String::as_str));
        assert_eq!(inside.lines, outside.lines);
        let report = place.probe(&["backlog", &place.path("socket"), "150"]);
        report.are(&["first", "last"], "OK");
    });
}

#[test]
fn file_systems_that_never_answer_keep_only_their_own_callers() {
    let Some(world) = crate::attack::can_confine().then(|| World::new(Who::Root)).flatten() else { return };
    if !std::path::Path::new("/dev/fuse").exists() {
        skip("there is no /dev/fuse");
        return;
    }
    let place = Place::by_pattern(&world);
    let silent = world.work().join("silent");
    world.directory(&silent);
    let script = "for i in 1 2 3 4 5 6; do (cat silent/$i >/dev/null 2>&1 &) ; done; sleep 0.5; \
        for i in 1 2 3 4 5 6 7 8 9 10; do cat open; done; echo end";
    let inner = place.sandbox();
    let mut command = world.command(crate::attack::program());
    command.args(["silent-mount", crate::attack::word(&silent)]).arg(inner.get_program()).args(inner.get_args());
    let start = Instant::now();
    let outcome = world.finish(command.args(["/bin/sh", "-c", script]));
    assert_eq!(outcome.stdout, format!("{}end\n", "open\n".repeat(10)), "{}", outcome.stderr);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn processes_start_by_every_call_and_in_storms() {
    each(|world| {
        let place = Place::by_pattern(world);
        place.probe(&["spawns", "90", "/bin/true"]).all(&["0"]);
        place.probe(&["storm", "150", "20", &place.path("open")]).all(&["0"]);
        place.probe(&["storm", "150", "5", "/dev/null"]).all(&["0"]);
    });
}

#[test]
fn a_program_can_be_executed_as_soon_as_it_is_written() {
    each(|world| {
        let place = Place::by_pattern(world);
        place.probe(&["fresh", "150", "/bin/true", &place.path("program")]).all(&["0"]);
    });
}

#[test]
fn a_program_that_is_killed_while_its_calls_wait_ends_at_once() {
    each(|world| {
        let place = Place::by_pattern(world);
        let fifo = place.path("fifo");
        let script = format!("mkfifo {fifo}; (cat {fifo} & cat {fifo} & cat {fifo} & wait) & sleep 0.3; kill -9 $$");
        let start = Instant::now();
        let outcome = world.finish(place.sandbox().args(["/bin/sh", "-c", &script]));
        assert_eq!(outcome.code(), 137, "{}", outcome.stderr);
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
        assert!(is_quiet(&fifo), "a process is left");
    });
}

#[test]
fn the_tree_ends_within_a_second_when_the_supervisor_is_killed_while_calls_wait() {
    each(|world| {
        for of_keeper in [false, true] {
            let place = Place::by_pattern(world);
            let fifo = place.path("fifo");
            let _ = std::fs::remove_file(&fifo);
            let opens = format!("(while :; do cat {} > /dev/null; done) &", place.path("open"));
            let script = format!("mkfifo {fifo}; cat {fifo} & cat {fifo} & {opens} : > {fifo}.up; cat {fifo}");
            let mut command = place.sandbox();
            command.args(["/bin/sh", "-c", &script]).stdout(Stdio::null()).stderr(Stdio::null());
            let mut nono = command.spawn().expect("nono");
            let up = std::path::PathBuf::from(format!("{fifo}.up"));
            wait_for(&up);
            std::thread::sleep(Duration::from_millis(100));
            let victim = if of_keeper { keeper(nono.id()) } else { nono.id() };
            let killed = Instant::now();
            let done = Command::new("kill").args(["-9", &victim.to_string()]).status().expect("kill");
            assert!(done.success());
            nono.wait().expect("the end of nono");
            assert!(is_quiet(&fifo), "a process is left");
            // The look at all processes takes its time too.
            assert!(killed.elapsed() < Duration::from_millis(1500), "{:?}", killed.elapsed());
            std::fs::remove_file(up).expect("the mark");
        }
    });
}

/// The child of nono's first process.
pub(crate) fn keeper(front: u32) -> u32 {
    let children = std::fs::read_to_string(format!("/proc/{front}/task/{front}/children")).expect("its children");
    children.split_whitespace().next().and_then(|child| child.parse().ok()).expect("a child")
}

/// Whether no process has `mark` on its command line.
pub(crate) fn is_quiet(mark: &str) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(2) {
        let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
        let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
        if !lines.map(|line| String::from_utf8_lossy(&line).into_owned()).any(|line| line.contains(mark)) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

/// The resident memory of the supervisor beneath `process`, in KiB.
fn resident_of_children(process: u32) -> u64 {
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    let resident = |child: &str| -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{child}/status")).ok()?;
        let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        if line("Name:")? != "supervisor" {
            return None;
        }
        line("VmRSS:")?.split_whitespace().next()?.parse().ok()
    };
    children.split_whitespace().filter_map(resident).sum()
}
