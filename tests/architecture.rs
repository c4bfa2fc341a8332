//! The rules of the tree, checked on the tree. Each failure names the file, the line and what to do.
#![expect(clippy::expect_used, clippy::panic, reason = "a rule that cannot be checked fails")]

#[path = "architecture/imports.rs"]
mod imports;
#[path = "architecture/manifest.rs"]
mod manifest;
#[path = "architecture/source.rs"]
mod source;
#[path = "architecture/tree.rs"]
mod tree;

use std::collections::BTreeMap;
use std::path::Path;

use source::Source;

/// Every folder with code of ours.
const CODE: [&str; 5] = ["src", "syscalls", "sbpl", "fuzz", "tests"];

/// Each module of the program, and the modules it may name besides itself.
const MAY_IMPORT: [(&str, &[&str]); 15] = [
    ("approval", &["http", "plan", "profile"]),
    ("audit", &["merkle"]),
    ("cli", &[]),
    ("enforce", &["plan", "profile"]),
    ("http", &["profile"]),
    ("main", &["cli", "verbs"]),
    ("merkle", &[]),
    ("network", &["plan", "profile"]),
    ("plan", &["profile"]),
    ("profile", &[]),
    ("supervisor", &["approval", "audit", "enforce", "network", "plan", "profile", "trust", "undo"]),
    ("trust", &["merkle", "plan", "profile"]),
    ("undo", &["plan", "profile"]),
    ("verbs", EVERYTHING),
    ("lib", EVERYTHING),
];

const EVERYTHING: &[&str] = &[
    "approval",
    "audit",
    "cli",
    "enforce",
    "http",
    "merkle",
    "network",
    "plan",
    "profile",
    "supervisor",
    "trust",
    "undo",
    "verbs",
];

/// The beginnings of the names of files that decide and touch nothing.
const PURE: [&str; 40] = [
    "src/approval/terminal/answer",
    "src/approval/terminal/prompt",
    "src/approval/terminal/screen",
    "src/approval/webhook/answer",
    "src/approval/webhook/ask",
    "src/approval/webhook/json",
    "src/approval/webhook/moment",
    "src/approval/webhook/sign",
    "src/audit/export",
    "src/audit/record",
    "src/audit/replay",
    "src/cli/",
    "src/enforce/bpf",
    "src/enforce/landlock",
    "src/enforce/seatbelt",
    "src/enforce/seccomp",
    "src/http/request",
    "src/http/response",
    "src/merkle/",
    "src/network/dns",
    "src/network/host",
    "src/plan/",
    "src/profile/",
    "src/supervisor/step",
    "src/trust/bundle",
    "src/trust/digest",
    "src/trust/json",
    "src/trust/keystore/id",
    "src/trust/keystore/key.",
    "src/trust/policy",
    "src/trust/public_key",
    "src/trust/roots",
    "src/trust/sign",
    "src/trust/statement",
    "src/trust/tlog",
    "src/trust/tsa",
    "src/trust/verify",
    "src/trust/x509",
    "src/undo/journal",
    "src/undo/manifest",
];

/// The beginnings of the names of files that may call the kernel. Approvers do: for a terminal's modes and foreground, and
/// for who is at the other end of a socket. Key stores do: for who the user is, and to ask for a passphrase.
/// The log locks its files, the search for signed files opens them without following links, and a pager lets Ctrl-C be.
const MAY_NAME_SYSCALLS: [&str; 12] = [
    "src/approval/",
    "src/audit/log/",
    "src/enforce/",
    "src/http/",
    "src/network/",
    "src/supervisor/",
    "src/trust/evidence.",
    "src/trust/keystore/",
    "src/trust/scan/",
    "src/undo/",
    "src/verbs/audit/show/pager",
    "src/verbs/gather",
];

/// What the root of the tree holds, besides entries whose names begin with a dot.
const ROOT_ENTRIES: [&str; 13] = [
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "fuzz",
    "rust-toolchain.toml",
    "sbpl",
    "src",
    "syscalls",
    "tests",
    "vendor-notes",
];

const NAMES_THAT_SAY_NOTHING: [&str; 7] = ["common", "helper", "helpers", "misc", "types", "util", "utils"];

#[test]
fn imports_go_one_way() {
    let mut problems = Vec::new();
    for file in tree::rust_files(&["src"]) {
        let module = imports::module_of(&file.name);
        let own = module.first().map_or("lib", String::as_str);
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == own) else {
            problems.push(format!("{}:1: the module `{own}` is not in MAY_IMPORT", file.name));
            continue;
        };
        for named in imports::named(&file).iter().filter(|named| named.inside) {
            let top = named.names.first().map_or("", String::as_str);
            let ours = EVERYTHING.contains(&top) || top == "*";
            if ours && top != own && !allowed.contains(&top) {
                problems.push(format!("{}:{}: `{own}` names `{}`", file.name, named.line, named.names.join("::")));
            }
        }
    }
    none(
        &problems,
        "move the code to the side that may import the other; MAY_IMPORT in tests/architecture.rs has the order",
    );
}

#[test]
fn files_that_decide_touch_nothing() {
    let mut problems = Vec::new();
    for file in tree::rust_files(&["src"]).iter().filter(|file| is_any_prefix(&PURE, &file.name)) {
        for named in imports::named(file).iter().filter(|named| !named.inside) {
            let names: Vec<&str> = named.names.iter().map(String::as_str).collect();
            if matches!(names.as_slice(), ["std", "fs" | "net" | "process" | "env" | "os" | "*", ..]) {
                problems.push(format!("{}:{}: names `{}`", file.name, named.line, names.join("::")));
            }
            if names.first() == Some(&"syscalls") && names.get(1) != Some(&"abi") {
                problems.push(format!("{}:{}: names `{}`", file.name, named.line, names.join("::")));
            }
        }
        for token in file.tokens().iter().filter(|token| matches!(token.text, "SystemTime" | "Instant")) {
            problems.push(format!("{}:{}: reads the clock with `{}`", file.name, token.line, token.text));
        }
    }
    none(&problems, "take the fact as an argument and let the caller read it");
}

#[test]
fn few_modules_call_the_kernel() {
    let mut problems = Vec::new();
    for file in tree::rust_files(&["src"]).iter().filter(|file| !is_any_prefix(&MAY_NAME_SYSCALLS, &file.name)) {
        for named in imports::named(file).iter().filter(|named| !named.inside) {
            let constants = named.names.get(1).is_some_and(|name| name == "abi") && is_any_prefix(&PURE, &file.name);
            if named.names.first().is_some_and(|name| name == "syscalls") && !constants {
                problems.push(format!("{}:{}: names `{}`", file.name, named.line, named.names.join("::")));
            }
        }
    }
    none(&problems, "call through `enforce` or `supervisor`, or read the fact in src/verbs/gather/");
}

#[test]
fn the_platform_is_chosen_in_four_files_at_most() {
    let files: Vec<String> = tree::rust_files(&["src", "syscalls", "sbpl"])
        .iter()
        .filter_map(|file| first_token(file, &["target_os"]).map(|line| format!("{}:{line}", file.name)))
        .collect();
    assert!(files.len() <= 4, "{} files ask for the platform; gather them in four:\n{}", files.len(), files.join("\n"));
}

#[test]
fn files_are_short_and_folders_are_small() {
    let mut problems = Vec::new();
    let mut folders: BTreeMap<String, usize> = BTreeMap::new();
    for name in tree::files(&CODE).iter().filter(|name| name.ends_with(".rs") || name.ends_with(".c")) {
        let lines = tree::read(name).lines().count();
        if lines > 400 {
            problems.push(format!("{name}:400: the file has {lines} lines, and 400 is the most"));
        }
        let folder = Path::new(name).parent().expect("a file is in a folder");
        *folders.entry(folder.display().to_string()).or_default() += 1;
    }
    for (folder, count) in folders.iter().filter(|(_, count)| **count > 9) {
        problems.push(format!("{folder}: the folder has {count} source files, and 9 is the most"));
    }
    none(&problems, "split by subject, so that each part has a name of its own");
}

#[test]
fn half_of_the_program_s_files_have_at_most_150_lines() {
    let mut lengths: Vec<usize> =
        tree::rust_files(&["src", "syscalls", "sbpl"]).iter().map(|file| file.text.lines().count()).collect();
    lengths.sort_unstable();
    let median = lengths.get(lengths.len() / 2).copied().unwrap_or(0);
    assert!(median <= 150, "the median file has {median} lines: split the longest ones by subject");
}

#[test]
fn functions_fit_on_a_screen() {
    let mut problems = Vec::new();
    for file in tree::rust_files(&CODE) {
        for function in file.functions().iter().filter(|function| function.lines > 60) {
            let (name, line, lines) = (function.name, function.line, function.lines);
            problems.push(format!("{}:{line}: `{name}` has {lines} lines, and 60 is the most", file.name));
        }
    }
    none(&problems, "give the stages of the function names of their own");
}

#[test]
fn main_is_short() {
    let lines = tree::read("src/main.rs").lines().count();
    assert!(lines <= 40, "src/main.rs:40: it has {lines} lines: move what it decides into `verbs`");
}

#[test]
fn names_say_what_is_inside() {
    let mut problems = Vec::new();
    for name in tree::files(&CODE) {
        if name.split(['/', '.']).any(|part| NAMES_THAT_SAY_NOTHING.contains(&part)) {
            problems.push(format!("{name}:1: the name says nothing about what is inside"));
        }
    }
    for file in tree::rust_files(&CODE) {
        for pair in file.tokens().windows(2).filter(|pair| pair[0].text == "mod") {
            if NAMES_THAT_SAY_NOTHING.contains(&pair[1].text) {
                problems.push(format!("{}:{}: the module is named `{}`", file.name, pair[1].line, pair[1].text));
            }
        }
    }
    none(&problems, "name it for what it is about");
}

#[test]
fn unsafe_code_is_in_one_crate_and_says_why_it_is_sound() {
    let mut problems = Vec::new();
    for file in tree::rust_files(&CODE) {
        let lines: Vec<&str> = file.text.lines().collect();
        for pair in file.tokens().windows(2).filter(|pair| pair[0].text == "unsafe") {
            let line = pair[0].line;
            if !file.name.starts_with("syscalls/") {
                problems
                    .push(format!("{}:{line}: unsafe code outside syscalls/: call a typed function there", file.name));
            } else if pair[1].text == "{" && !says_why(&lines, line) {
                problems.push(format!(
                    "{}:{line}: write `// SAFETY:` above, with the invariant and who keeps it",
                    file.name
                ));
            }
        }
    }
    for name in ["src/lib.rs", "sbpl/src/lib.rs"].iter().filter(|name| Path::new(tree::ROOT).join(name).exists()) {
        if !tree::read(name).contains("#![forbid(unsafe_code)]") {
            problems.push(format!("{name}:1: write `#![forbid(unsafe_code)]` at the top"));
        }
    }
    none(&problems, "see each line");
}

#[test]
fn nothing_is_silenced_skipped_or_left_for_another_day() {
    let mut problems = Vec::new();
    for file in tree::rust_files(&CODE) {
        let tokens = file.tokens();
        for (index, token) in tokens.iter().enumerate() {
            let next = |ahead: usize| tokens.get(index + ahead).map_or("", |token| token.text);
            let attribute = token.text == "[" && index > 0 && ["#", "!"].contains(&tokens[index - 1].text);
            let advice = match token.text {
                "[" if attribute && next(1) == "allow" => "write #[expect(…, reason = \"…\")]",
                "[" if attribute && next(1) == "ignore" => "a test runs or is removed",
                "todo" | "unimplemented" | "dbg" if next(1) == "!" => "finish it",
                _ => continue,
            };
            problems.push(format!("{}:{}: {advice}", file.name, token.line));
        }
    }
    none(&problems, "see each line");
}

#[test]
fn the_root_holds_what_a_newcomer_expects_and_no_more() {
    let mut entries = tree::entries("");
    entries.retain(|name| !name.starts_with('.') && name != "target" && !ROOT_ENTRIES.contains(&name.as_str()));
    none(&entries, "move it beneath one of the folders, or add it to ROOT_ENTRIES with a reason");
}

#[test]
fn the_changelog_keeps_its_headings() {
    let text = tree::read("CHANGELOG.md");
    let mut problems = Vec::new();
    let sections = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];
    let mut releases = 0;
    for (line, heading) in (1..).zip(text.lines()).filter(|(_, line)| line.starts_with('#')) {
        let good = match heading.split_once(' ') {
            Some(("#", title)) => line == 1 && title == "Changelog",
            Some(("##", title)) => {
                releases += 1;
                if releases == 1 { title == "[Unreleased]" } else { manifest::is_release_heading(title) }
            }
            Some(("###", title)) => sections.contains(&title),
            _ => false,
        };
        if !good {
            problems.push(format!("CHANGELOG.md:{line}: `{heading}`"));
        }
    }
    if releases == 0 {
        problems.push("CHANGELOG.md:1: there is no `## [Unreleased]`".to_owned());
    }
    none(
        &problems,
        "the headings are `# Changelog`, `## [Unreleased]`, `## [1.2.3] - 2026-01-31`, `### Added` and their like",
    );
}

#[test]
fn each_dependency_is_asked_for_with_a_reason() {
    let mut problems = Vec::new();
    for file in ["Cargo.toml", "syscalls/Cargo.toml", "sbpl/Cargo.toml"] {
        if Path::new(tree::ROOT).join(file).exists() {
            manifest::check(file, &tree::read(file), &mut problems);
        }
    }
    none(&problems, "vendor-notes/README.md says how a crate gets in");
}

#[test]
fn no_file_names_the_machine_it_was_written_on() {
    let mut problems = Vec::new();
    for file in tree::rust_files(&["src", "syscalls", "sbpl"]) {
        let tests = if file.name.ends_with("/tests.rs") { 0 } else { file.first_test_line() };
        for (line, text) in (1..).zip(file.literals.lines()).take_while(|(line, _)| *line < tests) {
            for place in ["/home/", "/root/"].iter().filter(|place| text.contains(**place)) {
                problems.push(format!("{}:{line}: names `{place}`", file.name));
            }
        }
    }
    let texts = [&CODE[..], &["vendor-notes", ".ci"]].concat();
    let top = tree::entries("").into_iter().filter(|name| Path::new(tree::ROOT).join(name).is_file());
    for name in tree::files(&texts).into_iter().chain(top.filter(|name| name != ".git")) {
        for (line, _) in (1..).zip(tree::read(&name).lines()).filter(|(_, text)| text.contains(tree::ROOT)) {
            problems.push(format!("{name}:{line}: names the directory of this checkout"));
        }
    }
    none(&problems, "ask the environment, or take the path as an argument");
}

/// Fails with every problem and what to do about them.
fn none(problems: &[String], advice: &str) {
    assert!(problems.is_empty(), "\n{}\nWhat to do: {advice}.\n", problems.join("\n"));
}

fn is_any_prefix(prefixes: &[&str], name: &str) -> bool {
    prefixes.iter().any(|prefix| name.starts_with(prefix))
}

fn first_token(file: &Source, texts: &[&str]) -> Option<usize> {
    file.tokens().iter().find(|token| texts.contains(&token.text)).map(|token| token.line)
}

/// Whether the comment that ends at most three lines above `line` (counted from one) has a `SAFETY:`.
fn says_why(lines: &[&str], line: usize) -> bool {
    let above = lines.get(..line).unwrap_or_default().iter().rev().enumerate();
    let mut reachable = above.take_while(|(distance, text)| *distance <= 3 || text.trim_start().starts_with("//"));
    reachable.any(|(_, text)| text.contains("SAFETY:"))
}
