//! In which order a run waits for the disk: what a crash of the machine may leave follows from it.

use std::fs;
use std::path::Path;

use crate::world::{Who, World, skip};
use crate::{sessions, state};

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
