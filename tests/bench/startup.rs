//! How long a small program takes to start and end: bare, under `nono run` and `nono wrap`, and under bubblewrap.
//!
//! Every round runs each way once, so that whatever else the machine does falls on all of them alike. It prints medians and
//! ratios and judges nothing. An argument names another nono to measure, such as the static one.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 300;
const PROGRAM: &str = "/bin/true";
const BUBBLEWRAP: &str = "/usr/bin/bwrap";

fn main() -> io::Result<()> {
    let given = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let nono = given.unwrap_or_else(|| env!("CARGO_BIN_EXE_nono").to_owned());
    let mut ways: Vec<(&str, Vec<&str>)> = vec![
        ("bare", vec![PROGRAM]),
        ("nono run", vec![&nono, "run", "-s", "--", PROGRAM]),
        ("nono wrap", vec![&nono, "wrap", "-s", "--", PROGRAM]),
    ];
    let mut out = io::stdout();
    if Path::new(BUBBLEWRAP).exists() {
        ways.push(("bwrap", vec![BUBBLEWRAP, "--ro-bind", "/", "/", PROGRAM]));
    } else {
        writeln!(out, "{BUBBLEWRAP} is not installed: nothing to compare with")?;
    }
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); ways.len()];
    for _ in 0..ROUNDS {
        for ((_, words), times) in ways.iter().zip(&mut times) {
            times.push(time(words)?);
        }
    }
    let medians: Vec<f64> = times.into_iter().map(median).collect();
    let bare = medians.first().copied().unwrap_or(f64::NAN);
    writeln!(out, "{PROGRAM}, median of {ROUNDS}, {nono}")?;
    for ((name, _), median) in ways.iter().zip(&medians) {
        writeln!(out, "{name:10} {median:7.3} ms  {:5.2} x bare", median / bare)?;
    }
    Ok(())
}

/// From before the start of a command to after its end was collected. A command that fails is an error.
fn time(words: &[&str]) -> io::Result<Duration> {
    let mut words = words.iter();
    let mut command = Command::new(words.next().copied().unwrap_or(PROGRAM));
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let status = command.status()?;
    let elapsed = start.elapsed();
    if status.success() { Ok(elapsed) } else { Err(io::Error::other(format!("{command:?} ended with {status}"))) }
}

/// In milliseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default().as_secs_f64() * 1000.0
}
