//! What becomes of a log when the disk is full, and when several are written at once.

use std::process::Stdio;

use crate::world::{Who, World};
use crate::{records, run, sessions};

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
