//! What the audit log costs: opens that nono decides about, bare, with decisions alone recorded and with every operation
//! recorded; how large records are; and how fast long logs are written and verified, and in how much memory.
//!
//! It prints medians and ratios and judges nothing. An argument names another nono to measure, such as the static one.
//! `NONO_BENCH_RECORDS=10000000` measures logs of that length and a tenth of it alone.

#[path = "harness/long_log.rs"]
mod long_log;
#[path = "harness/measure.rs"]
mod measure;
#[path = "harness/place.rs"]
mod place;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use measure::{Way, compare};
use place::{Place, seconds, words};

const ROUNDS: usize = 5;
const OPENS: u32 = 10_000;
/// So many that an open comes too seldom again to be counted with others instead of recorded.
const FILES: u32 = 10_000;
const LONG: u32 = 200_000;
/// Records of the longest log, where the environment names no other number.
const LONGEST: u64 = 1_000_000;
/// The variable that names it.
const RECORDS: &str = "NONO_BENCH_RECORDS";
/// The word of the command line with which this program opens one file after the other.
const OPEN: &str = "--open";

fn main() -> io::Result<()> {
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == OPEN) {
        return open_many(words.next().zip(words.next()));
    }
    let place = Place::new("audit")?;
    let longest = std::env::var(RECORDS).ok().map(|text| text.parse().map_err(io::Error::other)).transpose()?;
    if longest.is_none() {
        costs(&place)?;
    }
    let longest = longest.unwrap_or(LONGEST);
    long_log::measure(&place.nono, &place.folder, longest / 10)?;
    long_log::measure(&place.nono, &place.folder, longest)
}

/// What recording costs a program.
fn costs(place: &Place) -> io::Result<()> {
    let (folder, target) = (place.path("open"), place.path("open/file"));
    fs::create_dir(&folder)?;
    for file in 0..FILES {
        fs::write(format!("{target}{file}"), "content")?;
    }
    let own = place.program.as_str();
    let state = format!("XDG_STATE_HOME={}", place.path("state"));
    let run = ["/usr/bin/env", &state, &place.nono, "run", "-s", "--read", own, "--read", &folder, "--deny", "*.never"];
    let under =
        |before: &[&str], opens: u32| -> Vec<String> { words(&[before, &[own, OPEN, &target, &opens.to_string()]]) };
    let recording = |level| [&run[..], &["--audit", level, "--"]].concat();
    let way = |name: &str, before: &[&str]| {
        let words = under(before, OPENS);
        Way::new(name, move || microseconds(&words))
    };
    let mut ways = [
        way("bare", &[]),
        way("nono, decisions recorded", &recording("decisions")),
        way("nono, all recorded", &recording("all")),
    ];
    compare(&format!("opens of {OPENS} files, {}", place.nono), "us", ROUNDS, &mut ways, &[0, 1])?;
    let [_, decisions, all] = &ways;
    let (added, rate) = (all.median() - decisions.median(), 1e6 / all.median());
    writeln!(io::stdout(), "a record adds {added:.3} us to an open; {rate:.0} records/s while they are written")?;
    drop(ways);
    fs::remove_dir_all(place.path("state"))?;
    let long = seconds(&under(&recording("all"), LONG), &place.folder)?;
    let (records, bytes) = recorded(&place.folder.join("state/nono/sessions"))?;
    writeln!(io::stdout(), "{records} records of {:.0} bytes in {long:.2} s", bytes as f64 / records as f64)?;
    if records < u64::from(LONG) {
        return Err(io::Error::other(format!("{LONG} opens left {records} records")));
    }
    Ok(())
}

/// Opens one file after the other and begins anew, and prints how many nanoseconds each time took.
fn open_many(given: Option<(OsString, OsString)>) -> io::Result<()> {
    let (path, opens) = given.ok_or_else(|| io::Error::other("no path and number"))?;
    let opens: u32 = opens.to_string_lossy().parse().map_err(io::Error::other)?;
    let path = path.to_string_lossy();
    let paths: Vec<String> = (0..FILES).map(|file| format!("{path}{file}")).collect();
    let start = Instant::now();
    for path in paths.iter().cycle().zip(0..opens).map(|(path, _)| path) {
        File::open(path)?;
    }
    writeln!(io::stdout(), "{}", start.elapsed().as_nanos() / u128::from(opens.max(1)))
}

/// What one open took, as the command itself says.
fn microseconds(words: &[String]) -> io::Result<f64> {
    let (program, arguments) = words.split_first().ok_or_else(|| io::Error::other("no command"))?;
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    let nanoseconds = String::from_utf8_lossy(&output.stdout).trim().parse::<f64>();
    nanoseconds.map(|nanoseconds| nanoseconds / 1000.0).map_err(|_| io::Error::other(format!("{words:?} failed")))
}

/// How many records the sessions have, and how many bytes of them.
fn recorded(sessions: &Path) -> io::Result<(u64, u64)> {
    let (mut records, mut bytes) = (0, 0);
    for session in fs::read_dir(sessions)? {
        let log = fs::read(session?.path().join("events.jsonl"))?;
        records += log.iter().filter(|&&byte| byte == b'\n').count() as u64;
        bytes += log.len() as u64;
    }
    Ok((records, bytes))
}
