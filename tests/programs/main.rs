//! Real programs, run by an unprivileged user under the built-in profiles: each does its work, and fails to leave its policy.
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../world/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod world;

mod compilers;
mod git;
mod node;
mod python;
mod terminal;
mod tmux;
mod tools;

use std::path::Path;
use std::sync::OnceLock;

use world::{NOBODY, Outcome, Who, World};

/// What the key in the home directory says; it must appear nowhere.
const SECRET: &str = "the secret of this home";

/// A world of an unprivileged user with a key in its home, or nothing when one of `programs` or the kernel's part is missing.
fn desk(programs: &[&str]) -> Option<World> {
    if let Some(missing) = programs.iter().find(|program| !Path::new(program).exists()) {
        world::skip(&format!("{missing} is not installed"));
        return None;
    }
    if let Some(reason) = cannot_enforce() {
        world::skip(reason);
        return None;
    }
    let world = World::new(Who::User(NOBODY))?;
    world.directory(&world.home().join(".ssh"));
    world.file(&key(&world), SECRET);
    Some(world)
}

/// The key that no policy grants.
fn key(world: &World) -> std::path::PathBuf {
    world.home().join(".ssh/id_rsa")
}

/// Runs `words` under a built-in profile, in the working directory.
fn inside(world: &World, profile: &str, words: &[&str]) -> Outcome {
    world.finish(world.nono().args(["run", "-s", "--profile", profile, "--allow-cwd", "--"]).args(words))
}

/// Fails unless the command ended well; hands out what it wrote to standard output.
#[track_caller]
fn works(outcome: &Outcome) -> &str {
    assert_eq!(outcome.code(), 0, "stdout: {}\nstderr: {}", outcome.stdout, outcome.stderr);
    &outcome.stdout
}

/// Fails unless the program itself ran, failed, and showed nothing of the key.
#[track_caller]
fn fails(outcome: &Outcome) {
    let code = outcome.code();
    let both = format!("status {code}\nstdout: {}\nstderr: {}", outcome.stdout, outcome.stderr);
    assert!(code != 0 && !(125..=127).contains(&code), "{both}");
    assert!(!both.contains(SECRET), "{both}");
}

/// Why this kernel cannot confine anything, if so.
fn cannot_enforce() -> Option<&'static str> {
    static REASON: OnceLock<Option<String>> = OnceLock::new();
    let probe = || {
        let world = World::new(Who::User(NOBODY))?;
        let outcome = world.finish(world.nono().args(["run", "-s", "--", "/bin/true"]));
        let lacks = outcome.code() == 125 && outcome.stderr.contains("Landlock");
        lacks.then(|| format!("this kernel cannot confine a program: {}", outcome.stderr.trim_end()))
    };
    REASON.get_or_init(probe).as_deref()
}
