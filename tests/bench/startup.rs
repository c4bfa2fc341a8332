//! How long a small program takes to start and end: bare, under the smallest supervisors there are, under `nono run` and
//! `nono wrap`, and under bubblewrap.
//!
//! The second reference also leaves a log as durable as nono's: what it recorded is on the disk before a second file vouches for
//! it, and that is on the disk before it ends. It prints medians and ratios and judges nothing. An argument names another
//! nono to measure, such as the static one.

#[path = "harness/measure.rs"]
mod measure;
#[path = "harness/place.rs"]
mod place;
#[path = "harness/reference.rs"]
mod reference;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use measure::{Way, compare};
use place::{Place, seconds, words};
use reference::{Mode, supervise};

const ROUNDS: usize = 300;
const PROGRAM: &str = "/bin/true";
const BUBBLEWRAP: &str = "/usr/bin/bwrap";
/// The words of the command line with which this program is the smallest supervisor.
const REFERENCE: &str = "--reference";
const WITH_LOG: &str = "--reference-with-log";
/// Bytes of the records of a short session, and of what vouches for them.
const RECORDS: usize = 3000;
const VOUCHER: usize = 250;

fn main() -> io::Result<ExitCode> {
    let mut given = std::env::args_os().skip(1);
    let mode = || Mode::named("continue").ok_or_else(|| io::Error::other("no such mode"));
    match given.next().as_ref().and_then(|word| word.to_str()) {
        Some(REFERENCE) => supervise(mode()?, given.collect(), || {}).map(ExitCode::from),
        Some(WITH_LOG) => {
            let folder = given.next().ok_or_else(|| io::Error::other("no folder"))?;
            let log = || log(Path::new(&folder)).unwrap_or_else(|_| syscalls::process::exit_now(1));
            supervise(mode()?, given.collect(), log).map(ExitCode::from)
        }
        _ => bench().map(|()| ExitCode::SUCCESS),
    }
}

fn bench() -> io::Result<()> {
    let place = Place::new("startup")?;
    let (own, nono, folder) = (place.program.as_str(), place.nono.as_str(), place.path(""));
    let under = |before: &[&str]| {
        let words = words(&[before, &[PROGRAM]]);
        let place = &place;
        move || seconds(&words, &place.folder).map(|seconds| seconds * 1000.0)
    };
    let mut ways = vec![
        Way::new("bare", under(&[])),
        Way::new("reference", under(&[own, REFERENCE])),
        Way::new("reference with a log", under(&[own, WITH_LOG, &folder])),
        Way::new("nono run", under(&[nono, "run", "-s", "--"])),
        Way::new("nono wrap", under(&[nono, "wrap", "-s", "--"])),
    ];
    if Path::new(BUBBLEWRAP).exists() {
        ways.push(Way::new("bwrap", under(&[BUBBLEWRAP, "--ro-bind", "/", "/"])));
    } else {
        writeln!(io::stdout(), "{BUBBLEWRAP} is not installed: nothing to compare with")?;
    }
    compare(&format!("{PROGRAM}, {nono}"), "ms", ROUNDS, &mut ways, &[0])
}

/// The records of a session and what vouches for them, and after these the host's.
fn log(folder: &Path) -> io::Result<()> {
    for name in [format!("session-{}", std::process::id()), "host".to_owned()] {
        let mut records = OpenOptions::new().append(true).create(true).open(folder.join(&name))?;
        records.write_all(&[b'x'; RECORDS])?;
        let beside = folder.join(format!("{name}.new"));
        let mut voucher = File::create(&beside)?;
        voucher.write_all(&[b'x'; VOUCHER])?;
        records.sync_data()?;
        voucher.sync_data()?;
        fs::rename(beside, folder.join(format!("{name}.voucher")))?;
    }
    Ok(())
}
