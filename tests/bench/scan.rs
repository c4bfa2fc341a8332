//! What verifying many signed files costs: `nono trust verify --all` of 1,000, beside a bare hash of them; and the search
//! before a start, through 100,000 files of which 1,000 must be signed, beside a bare walk that hashes those.
//!
//! It prints medians and ratios and judges nothing. An argument names another nono to measure, such as the static one.

#[path = "harness/measure.rs"]
mod measure;
#[path = "harness/place.rs"]
mod place;

use std::fs;
use std::hint::black_box;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use measure::{Way, compare};
use place::{Place, seconds, words};

const ROUNDS: usize = 5;
/// The word of the command line with which this program walks a tree and hashes what must be signed.
const WALK: &str = "--walk";

fn main() -> io::Result<()> {
    let mut given = std::env::args_os().skip(1);
    if given.next().is_some_and(|word| word == WALK) {
        return walk(&given.next().map(PathBuf::from).unwrap_or_default());
    }
    let place = Place::new("scan")?;
    let own = place.program.as_str();
    let settings = format!("XDG_CONFIG_HOME={}", place.path("settings"));
    let keys = format!("NONO_KEYSTORE=file:{}", place.path("keys"));
    let nono = ["/usr/bin/env", &settings, &keys, &place.nono];
    let in_folder = |folder: &str, words: Vec<String>| {
        let folder = place.folder.join(folder);
        move || seconds(&words, &folder)
    };
    for verb in [&["keygen", "--no-passphrase"][..], &["init", "--user"], &["sign-policy", "--user"]] {
        seconds(&words(&[&nono, &["trust"], verb]), &place.folder)?;
    }
    for (folder, directories, signed, others) in [("many", 10, 100, 0), ("tree", 1000, 1, 99), ("empty", 0, 0, 0)] {
        fill(&place.folder.join(folder), directories, signed, others)?;
        for verb in [&["init", "--include", "CLAUDE*"][..], &["sign-policy"], &["sign", "--all"]] {
            if directories > 0 {
                seconds(&words(&[&nono, &["trust"], verb]), &place.folder.join(folder))?;
            }
        }
    }
    let mut verify = [
        Way::new("bare hash", in_folder("many", words(&[&[own, WALK, "."]]))),
        Way::new("nono trust verify --all", in_folder("many", words(&[&nono, &["trust", "verify", "--all"]]))),
    ];
    compare(&format!("1,000 signed files of 4 KiB, {}", place.nono), "s", ROUNDS, &mut verify, &[0])?;
    let start = words(&[&nono, &["run", "-s", "--", "/bin/true"]]);
    let mut scan = [
        Way::new("bare walk and hash", in_folder("tree", words(&[&[own, WALK, "."]]))),
        Way::new("nono run, nothing to search", in_folder("empty", start.clone())),
        Way::new("nono run", in_folder("tree", start)),
    ];
    compare(&format!("a start among 100,000 files, 1,000 signed, {}", place.nono), "s", ROUNDS, &mut scan, &[0])?;
    Ok(())
}

/// Makes directories with files of 4 KiB that must be signed, and others.
fn fill(folder: &Path, directories: usize, signed: usize, others: usize) -> io::Result<()> {
    fs::create_dir(folder)?;
    for directory in 0..directories {
        let directory = folder.join(format!("d{directory}"));
        fs::create_dir(&directory)?;
        for (kind, count) in [("CLAUDE", signed), ("other", others)] {
            for file in 0..count {
                fs::write(directory.join(format!("{kind}-{file}.md")), format!("{file:8}").repeat(512))?;
            }
        }
    }
    Ok(())
}

/// Looks at every name beneath a directory, and hashes the files that must be signed.
fn walk(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if entry.file_type()?.is_dir() {
            walk(&entry.path())?;
        } else if name.starts_with("CLAUDE") && name.ends_with(".md") {
            black_box(Sha256::digest(fs::read(entry.path())?));
        }
    }
    Ok(())
}
