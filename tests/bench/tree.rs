//! What reading a tree of 20,000 files costs: `grep -r` and `git status`, bare, under the smallest supervisors there are, and
//! under nono, where the kernel's rules are the policy's and where a denial lies inside a grant.
//!
//! It prints medians and ratios and judges nothing. An argument names another nono to measure, such as the static one.

#[path = "harness/measure.rs"]
mod measure;
#[path = "harness/place.rs"]
mod place;
#[path = "harness/reference.rs"]
mod reference;

use std::fs;
use std::io;
use std::process::ExitCode;

use measure::{Way, compare};
use place::{Place, seconds, words};
use reference::{Mode, supervise};

const ROUNDS: usize = 5;
const DIRECTORIES: usize = 200;
const FILES: usize = 100;
/// The word of the command line with which this program is the smallest supervisor.
const REFERENCE: &str = "--reference";

fn main() -> io::Result<ExitCode> {
    let mut given = std::env::args_os().skip(1);
    if given.next().is_some_and(|word| word == REFERENCE) {
        let mode = given.next().and_then(|name| Mode::named(name.to_str()?));
        return supervise(mode.ok_or_else(|| io::Error::other("no such mode"))?, given.collect(), || {})
            .map(ExitCode::from);
    }
    let place = Place::new("tree")?;
    for directory in 0..DIRECTORIES {
        let directory = place.folder.join(format!("tree/d{directory}"));
        fs::create_dir_all(&directory)?;
        for file in 0..FILES {
            fs::write(directory.join(format!("f{file}")), format!("{file}\nnothing much\n"))?;
        }
    }
    let tree = place.folder.join("tree");
    let git = ["git", "-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "commit.gpgsign=false"];
    for command in [&["init", "-q"][..], &["add", "."], &["commit", "-q", "-m", "tree"]] {
        seconds(&words(&[&git, command]), &tree)?;
    }
    measure(&place, "grep -r", &["grep", "-rc", "--exclude-dir=.git", "much", "."])?;
    measure(&place, "git status", &["git", "status", "--porcelain"])?;
    Ok(ExitCode::SUCCESS)
}

fn measure(place: &Place, title: &str, command: &[&str]) -> io::Result<()> {
    let (tree, own, nono) = (place.folder.join("tree"), place.program.as_str(), place.nono.as_str());
    let under = |before: &[&str]| {
        let (words, tree) = (words(&[before, command]), tree.clone());
        move || seconds(&words, &tree)
    };
    let granted = place.path("tree");
    // Nothing of the user's own is read, which the sandbox would refuse.
    let run = [nono, "run", "-s", "--env", "GIT_CONFIG_GLOBAL=/dev/null", "--allow", &granted];
    let mut ways = [
        Way::new("bare", under(&[])),
        Way::new("reference, continue", under(&[own, REFERENCE, "continue"])),
        Way::new("reference, inject", under(&[own, REFERENCE, "inject"])),
        Way::new("nono, the kernel's rules suffice", under(&[&run[..], &["--"]].concat())),
        Way::new("nono, a denial inside a grant", under(&[&run[..], &["--deny", "*.never", "--"]].concat())),
    ];
    compare(&format!("{title} of {} files, {nono}", DIRECTORIES * FILES), "s", ROUNDS, &mut ways, &[0, 1, 2])
}
