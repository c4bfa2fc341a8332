//! What one mediated `open(2)` costs its caller: bare, under the smallest supervisors there are, and under nono, where the
//! kernel's rules are the policy's and where a denial lies inside a grant.
//!
//! It prints medians and ratios and judges nothing. An argument names another nono to measure, such as the static one.

#[path = "measure.rs"]
mod measure;
#[path = "reference.rs"]
mod reference;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use measure::{Way, compare};
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
    let given = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let nono = given.unwrap_or_else(|| env!("CARGO_BIN_EXE_nono").to_owned());
    let place = Place::new()?;
    let own = place.program.to_string_lossy().into_owned();
    let target = place.folder.join("file").to_string_lossy().into_owned();
    let folder = place.folder.to_string_lossy().into_owned();
    let under = |before: &[&str]| {
        let words: Vec<String> =
            before.iter().copied().chain([own.as_str(), OPEN, &target]).map(str::to_owned).collect();
        move || microseconds(&words)
    };
    let run = [nono.as_str(), "run", "-s", "--read", &folder];
    let mut ways = [
        Way::new("bare", under(&[])),
        Way::new("reference, continue", under(&[&own, REFERENCE, "continue"])),
        Way::new("reference, inject", under(&[&own, REFERENCE, "inject"])),
        Way::new("nono, the kernel's rules suffice", under(&[&run[..], &["--"]].concat())),
        Way::new("nono, a denial inside a grant", under(&[&run[..], &["--deny", "*.never", "--"]].concat())),
    ];
    compare(&format!("opens of one file, {nono}"), "us", ROUNDS, &mut ways, &[0, 1, 2])
}

/// A folder with this program and a file to open, which goes with it.
struct Place {
    folder: PathBuf,
    program: PathBuf,
}

impl Place {
    fn new() -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("nono-bench-opens-{}", std::process::id()));
        fs::create_dir(&folder)?;
        let place = Self { program: folder.join("opens"), folder: folder.canonicalize()? };
        fs::copy(std::env::current_exe()?, &place.program)?;
        fs::write(place.folder.join("file"), "content")?;
        Ok(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What one open took, as the command itself says.
fn microseconds(words: &[String]) -> io::Result<f64> {
    let (program, arguments) = words.split_first().ok_or_else(|| io::Error::other("no command"))?;
    let mut command = Command::new(program);
    let output = command.args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    let nanoseconds = String::from_utf8_lossy(&output.stdout).trim().parse::<f64>();
    nanoseconds.map(|nanoseconds| nanoseconds / 1000.0).map_err(|_| io::Error::other(format!("{words:?} failed")))
}
