//! A passphrase typed on a real terminal: asked twice for a new key, never shown, and given up with Ctrl-C.

use std::path::Path;

use crate::keystore;
use crate::world::{NOBODY, Outcome, Who, World, shared};

/// Plays on a terminal: waits for each prompt and answers it. Prints what the terminal showed.
const PLAY: &str = r"
import os, pty, select, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:sys.argv.index('--')])
answers, shown, end = sys.argv[sys.argv.index('--') + 1:], b'', time.time() + 30
while time.time() < end:
    if select.select([terminal], [], [], 0.1)[0]:
        try:
            part = os.read(terminal, 4096)
        except OSError:
            break
        shown += part
        if part.endswith(b': ') and answers:
            os.write(terminal, answers.pop(0).encode().decode('unicode_escape').encode())
sys.stdout.write(shown.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

fn typed(world: &World, words: &[&str], answers: &[&str]) -> Outcome {
    let mut command = world.command(Path::new("/usr/bin/python3"));
    command.args(["-c", PLAY]).arg(shared().join("nono")).arg("trust").args(words).arg("--").args(answers);
    world.finish(command.env("NONO_KEYSTORE", keystore(world)))
}

#[test]
fn a_passphrase_is_typed_twice_and_shown_never() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    let made = typed(&world, &["keygen"], &["correct horse\\n", "correct horse\\n"]);
    assert_eq!(made.code(), 0, "{}", made.stdout);
    assert!(made.stdout.contains("The same again: ") && !made.stdout.contains("correct"), "{}", made.stdout);
    let exported = typed(&world, &["export-key"], &["correct horse\\n"]);
    assert!(exported.code() == 0 && exported.stdout.contains("MFkw"), "{}", exported.stdout);
    let wrong = typed(&world, &["export-key"], &["correct house\\n"]);
    assert!(wrong.code() == 125 && wrong.stdout.contains("wrong"), "{}", wrong.stdout);
}

#[test]
fn no_key_is_made_when_the_user_slips_or_gives_up() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    for (answers, said) in [
        (&["one\\n", "two\\n"][..], "differ"),
        (&["\\n"], "empty"),
        (&["\\x03"], "nothing was done"),
        (&["half\\x03"], "nothing was done"),
        (&["\\x04"], "nothing was done"),
    ] {
        let done = typed(&world, &["keygen"], answers);
        assert!(done.code() == 125 && done.stdout.contains(said), "{answers:?}: {}", done.stdout);
        assert!(!world.home().join("keys/default.key").exists());
    }
}
