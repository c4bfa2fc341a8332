//! A clock that is set while a session runs: the time of day is faked by a library that is loaded before the others.

use std::path::PathBuf;
use std::process::Command;

use crate::world::{World, skip};
use crate::{records, run, sessions};

/// `clock_gettime(2)`, an hour earlier as soon as a file is there whose name is in the environment.
const FAKE: &str = r#"
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = syscall(SYS_clock_gettime, clock, now);
    const char *step = getenv("STEP");
    if (result == 0 && clock == CLOCK_REALTIME && step && access(step, F_OK) == 0) now->tv_sec -= 3600;
    return result;
}
"#;

#[test]
fn a_clock_that_is_set_back_is_recorded_and_changes_nothing_of_the_order() {
    World::each(|world| {
        let Some(library) = library(world) else { return };
        let step = world.work().join("step");
        let script = "cat /etc/hostname; : > step; cat /etc/passwd; cat /etc/group";
        let mut command = world.nono();
        command.args(["run", "-s", "--allow-cwd", "--", "sh", "-c", script]);
        let outcome = world.finish(command.env("LD_PRELOAD", library).env("STEP", &step));
        assert_eq!(outcome.code(), 0, "{}", outcome.stderr);
        let [session] = sessions(world).try_into().expect("one session");
        let all = records(&session);
        let place = |operation: &str, target: &str| {
            let is_it = |record: &&serde_json::Value| record["operation"] == operation && record["target"] == target;
            all.iter().find(is_it).unwrap_or_else(|| panic!("no {operation} of {target} in {all:?}"))["index"].as_u64()
        };
        let id = session.file_name().expect("a name").to_str().expect("UTF-8");
        let set = place("clock.set", id).expect("an index");
        assert!(place("fs.create", &step.display().to_string()) < Some(set));
        assert!(Some(set) < place("fs.read", "/etc/passwd"));
        let time = |index: u64| all[usize::try_from(index).expect("small")]["timestamp"].as_str().unwrap_or_default();
        assert!(time(set) < time(set - 1) && time(set) < time(0), "{} {}", time(0), time(set));
        let expected = all[usize::try_from(set).expect("small")]["expected"].as_str().expect("a time");
        // To the minute, but for the turn of one.
        assert!(expected >= time(set - 1).get(..16).unwrap_or_default(), "{expected} {}", time(set - 1));
        let passed: Vec<_> = all.iter().filter_map(|record| record["elapsed_us"].as_u64()).collect();
        assert!(passed.len() == all.len() && passed.is_sorted(), "{passed:?}");
        assert_eq!(all.iter().filter(|record| record["operation"] == "clock.set").count(), 1);
        let shown = world.finish(world.nono().args(["audit", "show", id, "--operation", "clock"]));
        assert!(shown.stdout.contains(&format!("clock.set {id}  instead of {expected}")), "{}", shown.stdout);
        let verified = world.finish(world.nono().args(["audit", "verify", "--all"]));
        assert!(verified.code() == 0, "{}{}", verified.stdout, verified.stderr);
        // The same without a step.
        assert_eq!(run(world, &["--allow-cwd"], script).code(), 0);
        let other = sessions(world).into_iter().find(|other| *other != session).expect("another session");
        assert!(!records(&other).iter().any(|record| record["operation"] == "clock.set"));
    });
}

/// The built library; `None` where it cannot be.
fn library(world: &World) -> Option<PathBuf> {
    let (source, library) = (world.outside().join("fake.c"), world.outside().join("fake.so"));
    world.file(&source, FAKE);
    let built = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).output();
    let Ok(output) = built else {
        skip("cc is not there");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    world.give(&library);
    Some(library)
}
