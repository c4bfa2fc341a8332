//! The audit log of real runs: what is recorded, what it proves, and what becomes of it when things go wrong.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot set its world up fails")]

mod attacked;
mod clock;
mod exported;
mod mishaps;
mod pieces;
mod recorded;
mod shown;
mod verified;
#[path = "../world/mod.rs"]
mod world;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use world::{Outcome, World};

/// nono's state directory.
pub(crate) fn state(world: &World) -> PathBuf {
    world.home().join(".local/state/nono")
}

/// The directories of all sessions, the first first.
pub(crate) fn sessions(world: &World) -> Vec<PathBuf> {
    let entries = fs::read_dir(state(world).join("sessions")).into_iter().flatten().flatten();
    let mut all: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    all.sort();
    all
}

/// The records of a log.
pub(crate) fn records(directory: &Path) -> Vec<Value> {
    let text = fs::read_to_string(directory.join("events.jsonl")).expect("a log");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

/// Runs a shell script under nono with these flags.
pub(crate) fn run(world: &World, flags: &[&str], script: &str) -> Outcome {
    world.finish(world.nono().arg("run").args(flags).args(["--", "sh", "-c", script]))
}
