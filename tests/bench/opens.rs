//! What one mediated `open(2)` costs its caller: bare, under the smallest supervisors there are, and under nono, where the
//! kernel's rules are the policy's and where a denial lies inside a grant.
//!
//! It prints medians and ratios and judges nothing. An argument names another nono to measure, such as the static one.

#[path = "harness/measure.rs"]
mod measure;
#[path = "harness/place.rs"]
#[expect(dead_code, reason = "other benches use the rest of it")]
mod place;
#[path = "harness/reference.rs"]
mod reference;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use measure::{Way, compare};
use place::{Place, words};
use reference::{Mode, supervise};

const ROUNDS: usize = 21;
const OPENS: u32 = 4000;
/// The words of the command line with which this program is what it measures.
const OPEN: &str = "--open";
const REFERENCE: &str = "--reference";

fn main() -> io::Result<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    match words.next().as_ref().and_then(|word| word.to_str()) {
        Some(OPEN) => open_many(words.next()).map(|()| ExitCode::SUCCESS),
        Some(REFERENCE) => {
            let mode = words.next().and_then(|name| Mode::named(name.to_str()?));
            supervise(mode.ok_or_else(|| io::Error::other("no such mode"))?, words.collect()).map(ExitCode::from)
        }
        _ => bench().map(|()| ExitCode::SUCCESS),
    }
}

/// Opens a file again and again, and prints how many nanoseconds each time took.
fn open_many(path: Option<OsString>) -> io::Result<()> {
    let path = path.ok_or_else(|| io::Error::other("no path"))?;
    let start = Instant::now();
    for _ in 0..OPENS {
        File::open(&path)?;
    }
    writeln!(io::stdout(), "{}", start.elapsed().as_nanos() / u128::from(OPENS))
}

fn bench() -> io::Result<()> {
    let place = Place::new("opens")?;
    let (own, nono, target, folder) = (place.program.as_str(), place.nono.as_str(), place.path("file"), place.path(""));
    fs::write(&target, "content")?;
    let under = |before: &[&str]| {
        let words = words(&[before, &[own, OPEN, &target]]);
        move || microseconds(&words)
    };
    let run = [nono, "run", "-s", "--read", &folder];
    let mut ways = [
        Way::new("bare", under(&[])),
        Way::new("reference, continue", under(&[own, REFERENCE, "continue"])),
        Way::new("reference, inject", under(&[own, REFERENCE, "inject"])),
        Way::new("nono, the kernel's rules suffice", under(&[&run[..], &["--"]].concat())),
        Way::new("nono, a denial inside a grant", under(&[&run[..], &["--deny", "*.never", "--"]].concat())),
    ];
    compare(&format!("opens of one file, {nono}"), "us", ROUNDS, &mut ways, &[0, 1, 2])
}

/// What one open took, as the command itself says.
fn microseconds(words: &[String]) -> io::Result<f64> {
    let (program, arguments) = words.split_first().ok_or_else(|| io::Error::other("no command"))?;
    let mut command = Command::new(program);
    let output = command.args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    let nanoseconds = String::from_utf8_lossy(&output.stdout).trim().parse::<f64>();
    nanoseconds.map(|nanoseconds| nanoseconds / 1000.0).map_err(|_| io::Error::other(format!("{words:?} failed")))
}
