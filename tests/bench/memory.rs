//! How much memory the supervisor takes while a hundred threads open what they may not.
//!
//! It prints the highest resident size of each process of nono's and judges nothing. An argument names another nono to
//! measure, such as the static one.

#[path = "harness/place.rs"]
#[expect(dead_code, reason = "other benches use the rest of it")]
mod place;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use place::{Place, words};

const THREADS: usize = 100;
const OPENS: usize = 2000;
/// The word of the command line with which this program is what is run.
const FLOOD: &str = "--flood";

fn main() -> io::Result<()> {
    if std::env::args().nth(1).is_some_and(|word| word == FLOOD) {
        return flood(&std::env::args().nth(2).unwrap_or_default());
    }
    let place = Place::new("memory")?;
    let (closed, folder) = (place.path("closed"), place.path(""));
    fs::write(&closed, "closed")?;
    for (title, denied) in [("the kernel's rules suffice", None), ("a denial inside a grant", Some("closed"))] {
        let program = [place.program.as_str(), FLOOD, if denied.is_some() { &closed } else { "/etc/hostname" }];
        let before = [place.nono.as_str(), "run", "-s", "--allow", &folder];
        let denial: Vec<&str> = denied.into_iter().flat_map(|pattern| ["--deny", pattern]).collect();
        let words = words(&[&before, &denial, &["--"], &program]);
        writeln!(io::stdout(), "{THREADS} threads of {OPENS} refused opens, {title}")?;
        let mut front = Command::new(&words[0]).args(&words[1..]).stdin(Stdio::null()).spawn()?;
        let mut highest = BTreeMap::new();
        let status = loop {
            note(&mut highest, front.id(), "front");
            for keeper in children(front.id()) {
                note(&mut highest, keeper, "keeper");
            }
            if let Some(status) = front.try_wait()? {
                break status;
            }
            thread::sleep(Duration::from_millis(5));
        };
        if !status.success() {
            return Err(io::Error::other(format!("{words:?}: {status}")));
        }
        for (name, kibibytes) in highest {
            writeln!(io::stdout(), "{name:7} {:6.2} MiB", f64::from(kibibytes) / 1024.0)?;
        }
    }
    Ok(())
}

/// Opens `path` from many threads at once; none may succeed.
fn flood(path: &str) -> io::Result<()> {
    let opened = |_| (0..OPENS).filter(|_| File::open(path).is_ok()).count();
    let opened: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|number| scope.spawn(move || opened(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(1)).sum()
    });
    if opened == 0 { Ok(()) } else { Err(io::Error::other(format!("{opened} opens were not refused"))) }
}

/// Keeps the highest resident size of a process so far, in KiB, under `name` (`VmHWM` of `proc_pid_status(5)`).
fn note(highest: &mut BTreeMap<&'static str, u32>, process: u32, name: &'static str) {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let field: Option<u32> =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
    if let Some(size) = field {
        let known = highest.entry(name).or_insert(0);
        *known = size.max(*known);
    }
}

/// The processes that `process` has started (`proc_tid_children(5)`).
fn children(process: u32) -> Vec<u32> {
    let listed = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    listed.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}
