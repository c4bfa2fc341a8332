//! Signing keys as a user meets them: in files and in a real keyring, read and written by OpenSSL and libsecret as well.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod files;
mod keyring;
mod passphrase;
mod replay;
mod signing;
#[path = "../world/mod.rs"]
mod world;

use std::path::Path;
use std::process::Command;

use world::{Outcome, World};

/// `nono trust` with keys in files beneath the home, and a passphrase in a file.
pub(crate) fn trust(world: &World, words: &[&str]) -> Outcome {
    let mut command = world.nono();
    command.arg("trust").args(words).env("NONO_KEYSTORE", keystore(world));
    world.finish(command.env("NONO_KEY_PASSPHRASE_FILE", world.home().join("passphrase")))
}

/// What `NONO_KEYSTORE` says in these tests.
pub(crate) fn keystore(world: &World) -> String {
    format!("file:{}/keys", world.home().display())
}

/// Runs a shell script, which must succeed, and gives what it printed.
pub(crate) fn shell(world: &World, script: &str) -> String {
    let mut command: Command = world.command(Path::new("/bin/sh"));
    let outcome = world.finish(command.args(["-e", "-c", script]).current_dir(world.home()));
    assert_eq!(outcome.code(), 0, "{script}: {}", outcome.stderr);
    outcome.stdout
}

/// That `outcome` is a refusal whose message has each of `words`.
pub(crate) fn refused(outcome: &Outcome, status: i32, words: &[&str]) {
    assert_eq!((outcome.code(), outcome.stdout.as_str()), (status, ""), "{}", outcome.stderr);
    for word in words {
        assert!(outcome.stderr.contains(word), "{word}: {}", outcome.stderr);
    }
}
