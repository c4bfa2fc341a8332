//! What an open of a file that must be signed costs beside one that need not be, under a policy that lets nothing else
//! through: the first time, when it is verified, and again.
//!
//! It prints medians and ratios and judges nothing. An argument names another nono to measure, such as the static one.

#[path = "harness/measure.rs"]
mod measure;
#[path = "harness/place.rs"]
#[expect(dead_code, reason = "other benches use the rest of it")]
mod place;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::process::{Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use measure::{Way, compare};
use place::{Place, words};

const ROUNDS: usize = 21;
const OPENS: usize = 4000;
const FILES: usize = 200;
/// The words of the command line with which this program opens one file again and again, or each of many once.
const AGAIN: &str = "--again";
const EACH: &str = "--each";
/// A file that was changed a moment ago is verified at each open.
const SETTLED: Duration = Duration::from_secs(4);

fn main() -> io::Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some(AGAIN) => open_all(&vec![words.get(1).cloned().unwrap_or_default(); OPENS]),
        Some(EACH) => {
            let before = words.get(1).cloned().unwrap_or_default();
            open_all(&(0..FILES).map(|file| format!("{before}{file}.md")).collect::<Vec<_>>())
        }
        _ => bench(),
    }
    .map(|()| ExitCode::SUCCESS)
}

/// Opens each path, and prints how many nanoseconds one took.
fn open_all(paths: &[String]) -> io::Result<()> {
    let start = Instant::now();
    for path in paths {
        File::open(path)?;
    }
    writeln!(io::stdout(), "{}", start.elapsed().as_nanos() / paths.len() as u128)
}

fn bench() -> io::Result<()> {
    let place = Place::new("signed")?;
    let (own, nono, project) = (place.program.as_str(), place.nono.as_str(), place.path("project/"));
    prepare(&place, &project)?;
    let settings = format!("XDG_CONFIG_HOME={}", place.path("settings"));
    let run = ["/usr/bin/env", &settings, nono, "run", "-s", "--workdir", &project, "--read", &place.path(""), "--"];
    let under = |mode: &str, path: &str| {
        let words = words(&[&run, &[own, mode, &format!("{project}{path}")]]);
        move || microseconds(&words)
    };
    let mut again = [
        Way::new("need not be signed, again", under(AGAIN, "other-0.md")),
        Way::new("must be signed, again", under(AGAIN, "CLAUDE-0.md")),
    ];
    compare(&format!("opens of one file, {nono}"), "us", ROUNDS, &mut again, &[0])?;
    let mut each = [
        Way::new("need not be signed, once each", under(EACH, "other-")),
        Way::new("must be signed, once each", under(EACH, "CLAUDE-")),
    ];
    compare(&format!("opens of {FILES} files of 4 KiB, {nono}"), "us", ROUNDS, &mut each, &[0])
}

/// Makes a project of which one half must be signed, and is.
fn prepare(place: &Place, project: &str) -> io::Result<()> {
    fs::create_dir(project)?;
    for file in 0..FILES {
        for kind in ["CLAUDE", "other"] {
            fs::write(format!("{project}{kind}-{file}.md"), "content ".repeat(512))?;
        }
    }
    for verb in ["keygen --no-passphrase", "init --include CLAUDE*", "sign-policy", "sign --all"] {
        let mut command = Command::new(&place.nono);
        command.arg("trust").args(verb.split(' ')).current_dir(project).stdout(Stdio::null());
        command.env("XDG_CONFIG_HOME", place.path("settings"));
        command.env("NONO_KEYSTORE", format!("file:{}", place.path("keys")));
        if !command.status()?.success() {
            return Err(io::Error::other(format!("nono trust {verb} failed")));
        }
    }
    sleep(SETTLED);
    Ok(())
}

/// What one open took, as the command itself says.
fn microseconds(words: &[String]) -> io::Result<f64> {
    let (program, arguments) = words.split_first().ok_or_else(|| io::Error::other("no command"))?;
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output()?;
    let nanoseconds = String::from_utf8_lossy(&output.stdout).trim().parse::<f64>();
    nanoseconds.map(|nanoseconds| nanoseconds / 1000.0).map_err(|_| io::Error::other(format!("{words:?} failed")))
}
