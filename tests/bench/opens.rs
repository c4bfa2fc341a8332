//! What one mediated `open(2)` costs its caller: bare, under the smallest supervisors there are, and under nono, where the
//! kernel's rules are the policy's and where a denial lies inside a grant.
//!
//! It prints medians and ratios and judges nothing. An argument names another nono to measure, such as the static one.
//! `--wake-ups` measures instead what it costs where caller and receiver run, while other processors are idle and while all
//! are busy: each call changes from one to the other and back.

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
use std::thread;
use std::time::{Duration, Instant};

use measure::{Way, compare};
use place::{Place, words};
use reference::{Mode, supervise};

const ROUNDS: usize = 21;
const WAKE_UP_ROUNDS: usize = 9;
const OPENS: u32 = 4000;
/// The words of the command line with which this program is what it measures.
const OPEN: &str = "--open";
const REFERENCE: &str = "--reference";
const SPIN: &str = "--spin";
const WAKE_UPS: &str = "--wake-ups";
/// More than all rounds take, for a bench that is ended before it has ended what it started.
const LONGEST_SPIN: Duration = Duration::from_secs(600);

fn main() -> io::Result<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    match words.next().as_ref().and_then(|word| word.to_str()) {
        Some(OPEN) => open_many(words.next(), words.count()).map(|()| ExitCode::SUCCESS),
        Some(REFERENCE) => {
            let mode = words.next().and_then(|name| Mode::named(name.to_str()?));
            supervise(mode.ok_or_else(|| io::Error::other("no such mode"))?, words.collect(), || {}).map(ExitCode::from)
        }
        Some(SPIN) => {
            let start = Instant::now();
            while start.elapsed() < LONGEST_SPIN {
                std::hint::spin_loop();
            }
            Ok(ExitCode::SUCCESS)
        }
        Some(WAKE_UPS) => wake_ups().map(|()| ExitCode::SUCCESS),
        _ => bench().map(|()| ExitCode::SUCCESS),
    }
}

/// Opens a file again and again, on `others` more threads at the same time, and prints how many nanoseconds each time took.
fn open_many(path: Option<OsString>, others: usize) -> io::Result<()> {
    let path = path.ok_or_else(|| io::Error::other("no path"))?;
    let open = || (0..OPENS).try_for_each(|_| File::open(&path).map(drop));
    let start = Instant::now();
    thread::scope(|scope| {
        let others: Vec<_> = (0..others).map(|_| scope.spawn(open)).collect();
        let all = std::iter::once(open()).chain(others.into_iter().map(|other| other.join().unwrap_or(Ok(()))));
        all.collect::<io::Result<()>>()
    })?;
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

/// What one open costs by where caller and receiver run.
fn wake_ups() -> io::Result<()> {
    let place = Place::new("wake-ups")?;
    let (own, nono, target, folder) = (place.program.as_str(), place.nono.as_str(), place.path("file"), place.path(""));
    fs::write(&target, "content")?;
    let program = [own, OPEN, &target];
    let run = [nono, "run", "-s", "--read", &folder, "--"];
    let on = |processor| ["taskset", "-c", processor];
    let way = |name: &str, before: &[&[&str]]| {
        let words = words(&[&before.concat(), &program]);
        Way::new(name, move || microseconds(&words))
    };
    let both = |name: &str, before: &[&[&str]]| {
        let words = words(&[&before.concat(), &program, &["twice"]]);
        Way::new(name, move || microseconds(&words))
    };
    let mut ways = [
        way("reference", &[&[own, REFERENCE, "continue"]]),
        way("reference, two receivers", &[&[own, REFERENCE, "two"]]),
        way("reference, woken anywhere", &[&[own, REFERENCE, "anywhere"]]),
        way("reference, on one processor", &[&on("0"), &[own, REFERENCE, "continue"]]),
        way("reference, on two processors", &[&on("0"), &[own, REFERENCE, "continue"], &on("1")]),
        way("nono", &[&run]),
        way("nono, on one processor", &[&on("0"), &run]),
        way("nono, on two processors", &[&on("0"), &run, &on("1")]),
        both("reference, two callers", &[&[own, REFERENCE, "continue"]]),
        both("reference, two callers and receivers", &[&[own, REFERENCE, "two"]]),
        both("nono, two callers", &[&run]),
    ];
    compare("opens of one file, other processors idle", "us", WAKE_UP_ROUNDS, &mut ways, &[0])?;
    let processors = thread::available_parallelism()?.get();
    let spin = || Command::new(own).arg(SPIN).stdin(Stdio::null()).spawn();
    let mut spinning = (0..processors).map(|_| spin()).collect::<io::Result<Vec<_>>>()?;
    let compared = compare("opens of one file, all processors busy", "us", WAKE_UP_ROUNDS, &mut ways, &[0]);
    for process in &mut spinning {
        process.kill()?;
        process.wait()?;
    }
    compared
}

/// What one open took, as the command itself says.
fn microseconds(words: &[String]) -> io::Result<f64> {
    let (program, arguments) = words.split_first().ok_or_else(|| io::Error::other("no command"))?;
    let mut command = Command::new(program);
    let output = command.args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    let nanoseconds = String::from_utf8_lossy(&output.stdout).trim().parse::<f64>();
    nanoseconds.map(|nanoseconds| nanoseconds / 1000.0).map_err(|_| io::Error::other(format!("{words:?} failed")))
}
