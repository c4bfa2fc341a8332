//! What README.md shows is what happens.
//!
//! Each line `$ COMMAND` of a `console` block is run by a shell, as an unprivileged user in a fresh home, with nono in `PATH`;
//! the lines below it are what it prints on both outputs, where `…` stands for anything and a line of it for any lines.
//! A `json` block must parse. One that begins with `json file=NAME` is also written to NAME before the blocks after it
//! run, and one with the keys of a profile must validate. Blocks of other kinds are for reading.
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "world/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod world;

use std::fs;
use std::path::Path;

use world::{NOBODY, Who, World};

/// A fenced block: the words after the fence, the line of its first line, and its lines.
struct Block<'t> {
    words: &'t str,
    line: usize,
    lines: Vec<&'t str>,
}

#[test]
fn the_commands_of_the_readme_print_what_it_shows() {
    let text = readme();
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    let mut commands = 0;
    for block in blocks(&text) {
        match block.words.split_once(' ').unwrap_or((block.words, "")) {
            ("json", rest) => check_json(&world, &block, rest),
            ("console", _) => commands += check_console(&world, &block),
            _ => {}
        }
    }
    assert!(commands >= 3, "README.md shows {commands} commands in `console` blocks");
}

#[test]
fn the_readme_names_the_command_that_runs_every_test() {
    let script =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/run")).expect(".ci/run can be read");
    let command = "cargo test --workspace --locked";
    assert!(script.contains(command), ".ci/run does not run `{command}`");
    assert!(readme().contains(command), "README.md does not name `{command}`");
}

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("README.md can be read")
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for (number, line) in (1..).zip(text.lines()) {
        match (line.strip_prefix("```"), open.as_mut()) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(words), None) => open = Some(Block { words: words.trim(), line: number + 1, lines: Vec::new() }),
            (None, Some(block)) => block.lines.push(line),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "README.md: the last block is not closed");
    blocks
}

fn check_json(world: &World, block: &Block<'_>, rest: &str) {
    let (text, line) = (block.lines.join("\n"), block.line);
    let value: serde_json::Value =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("README.md:{line}: not JSON: {error}"));
    let name = rest.strip_prefix("file=").unwrap_or("block.json");
    let path = world.work().join(name);
    world.file(&path, &text);
    if value.get("sandbox").is_some() || value.get("extends").is_some() {
        let outcome = world.finish(world.nono().args(["profiles", "validate"]).arg(&path));
        assert_eq!(outcome.code(), 0, "README.md:{line}: not a valid profile: {}{}", outcome.stdout, outcome.stderr);
    }
}

/// Runs the commands of a block and compares what they print; the number of commands.
fn check_console(world: &World, block: &Block<'_>) -> usize {
    let path = format!("{}:/usr/bin:/bin", world::shared().display());
    let mut count = 0;
    let mut at = 0;
    while let Some(line) = block.lines.get(at) {
        let number = block.line + at;
        let command = line.strip_prefix("$ ");
        let command = command.unwrap_or_else(|| panic!("README.md:{number}: a line of output without a command above"));
        let expected: Vec<&str> =
            block.lines.iter().skip(at + 1).take_while(|line| !line.starts_with("$ ")).copied().collect();
        at += 1 + expected.len();
        count += 1;
        let script = format!("exec 2>&1\n{command}");
        let outcome = world.finish(world.command("/bin/bash").env("PATH", &path).args(["-c", &script]));
        let printed: Vec<&str> = outcome.stdout.lines().collect();
        assert!(
            shows(&expected, &printed),
            "README.md:{number}: `{command}` ends with {} and prints\n{}\ninstead of\n{}",
            outcome.code(),
            printed.join("\n"),
            expected.join("\n")
        );
    }
    count
}

/// Whether `printed` is what `expected` describes.
fn shows(expected: &[&str], printed: &[&str]) -> bool {
    match (expected.split_first(), printed.split_first()) {
        (None, None) => true,
        (Some((&"…", rest)), _) => (0..=printed.len()).any(|skipped| shows(rest, &printed[skipped..])),
        (Some((line, rest)), Some((text, others))) => line_shows(line, text) && shows(rest, others),
        _ => false,
    }
}

fn line_shows(expected: &str, printed: &str) -> bool {
    let Some((start, rest)) = expected.split_once('…') else { return expected.trim_end() == printed.trim_end() };
    let Some(printed) = printed.strip_prefix(start) else { return false };
    printed.char_indices().map(|(at, _)| at).chain([printed.len()]).any(|at| line_shows(rest, &printed[at..]))
}

#[test]
fn an_ellipsis_stands_for_anything() {
    assert!(shows(&["a…d", "…", "e"], &["abcd", "x", "y", "e"]));
    assert!(shows(&["…"], &[]) && shows(&["a…"], &["a"]));
    assert!(!shows(&["a…d"], &["abc"]) && !shows(&["a"], &["a", "b"]) && !shows(&["a", "b"], &["a"]));
}
