//! Passphrases of key files: from a file that only the user reads, or typed and not shown.

use std::fs::File;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use syscalls::Errno;
use syscalls::terminal::{Interest, Modes, Readiness, Terminal, modes};
use zeroize::Zeroizing;

use super::directory::check_closed;
use super::{Problem, read_some, shown};

/// The variable that names the file.
pub const VARIABLE: &str = "NONO_KEY_PASSPHRASE_FILE";

/// The longest passphrase, in bytes: what a terminal takes as one line is 4096.
const LONGEST: usize = 1024;
/// How long somebody may take to type one.
const PATIENCE: Duration = Duration::from_secs(300);

/// Where passphrases come from.
#[derive(Clone, Debug, Default)]
pub struct Passphrases {
    /// The file that [`VARIABLE`] names; without one, the terminal is asked.
    pub file: Option<PathBuf>,
}

/// What a passphrase is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose<'a> {
    /// A key that was just made.
    New,
    Open(&'a Path),
}

impl Passphrases {
    /// The passphrase.
    ///
    /// # Errors
    /// [`Problem::Passphrase`] and [`Problem::Exposed`], with what to do.
    pub(super) fn passphrase(&self, purpose: Purpose<'_>) -> Result<Zeroizing<Vec<u8>>, Problem> {
        let passphrase = match &self.file {
            Some(path) => from_file(path)?,
            None => typed(purpose)?,
        };
        if passphrase.is_empty() {
            let advice = "give one, or make a key without with `nono trust keygen --no-passphrase`";
            return Err(Problem::Passphrase(format!("the passphrase is empty; {advice}")));
        }
        if passphrase.len() > LONGEST {
            return Err(Problem::Passphrase(format!(
                "the passphrase has more than {LONGEST} bytes; take a shorter one"
            )));
        }
        Ok(passphrase)
    }
}

/// The first line of the file. It may be a pipe, as the `<(command)` of a shell is.
fn from_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let failed = |error| Problem::Failed {
        doing: format!("the passphrase file {} ({VARIABLE}) cannot be read", shown(path)),
        error,
    };
    let found = std::fs::metadata(path).map_err(failed)?;
    let kind = found.file_type();
    if !kind.is_file() && !kind.is_fifo() {
        return Err(failed(std::io::Error::other("it is neither a regular file nor a pipe")));
    }
    let file = File::open(path).map_err(failed)?;
    let opened = file.metadata().map_err(failed)?;
    if opened.file_type() != kind || opened.ino() != found.ino() {
        return Err(failed(std::io::Error::other("it was replaced while it was opened")));
    }
    if kind.is_file() {
        check_closed(path, &opened, "0600")?;
    }
    let mut bytes = read_some(file, LONGEST.saturating_add(2)).map_err(failed)?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    Ok(bytes)
}

/// Asks on the terminal; twice for a new key, so that a slip of a finger is noticed.
fn typed(purpose: Purpose<'_>) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let terminal = Terminal::controlling().map_err(|_| {
        let advice = format!("name a file with it in {VARIABLE}, or run this on a terminal");
        Problem::Passphrase(format!("a passphrase is needed and there is no terminal to ask on; {advice}"))
    })?;
    match purpose {
        Purpose::Open(path) => ask(&terminal, &format!("Passphrase for {}: ", shown(path))),
        Purpose::New => {
            let first = ask(&terminal, "New passphrase for the key: ")?;
            if first.is_empty() {
                return Ok(first);
            }
            let again = ask(&terminal, "The same again: ")?;
            if *first == *again {
                return Ok(first);
            }
            Err(Problem::Passphrase("the two passphrases differ, and no key was made; try again".to_owned()))
        }
    }
}

/// One line, not shown. Ctrl-C gives up.
fn ask(terminal: &Terminal, prompt: &str) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let failed =
        |errno: Errno| Problem::Failed { doing: "the terminal cannot be used".to_owned(), error: errno.into() };
    let before = terminal.modes().map_err(failed)?;
    let quiet = Quiet { terminal, before: &before };
    terminal.set_modes(&before.for_a_secret_line()).map_err(failed)?;
    terminal.write(prompt.as_bytes()).map_err(failed)?;
    let line = line(terminal).map_err(failed);
    drop(quiet);
    // The line end was not shown either.
    let _ = terminal.write(b"\n");
    let mut line = line?;
    match line.pop() {
        Some(b'\n') => Ok(line),
        Some(modes::INTERRUPT_KEY | modes::QUIT_KEY) | None => {
            Err(Problem::Passphrase("no passphrase was given, and nothing was done".to_owned()))
        }
        Some(last) => {
            line.push(last);
            Ok(line)
        }
    }
}

fn line(terminal: &Terminal) -> Result<Zeroizing<Vec<u8>>, Errno> {
    let mut line = Zeroizing::new(vec![0_u8; 4096]);
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        match terminal.wait(Interest::Input, PATIENCE.saturating_sub(began.elapsed()))? {
            Readiness::NotYet => continue,
            Readiness::Gone => return Err(Errno::NO_TERMINAL),
            Readiness::Ready => {}
        }
        match terminal.read(&mut line) {
            Ok(length) => {
                line.truncate(length);
                return Ok(line);
            }
            Err(Errno::TRY_AGAIN | Errno::INTERRUPTED) => {}
            Err(errno) => return Err(errno),
        }
    }
    line.clear();
    Ok(line)
}

/// Gives the terminal its modes back, whatever happened.
struct Quiet<'t> {
    terminal: &'t Terminal,
    before: &'t Modes,
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        let _ = self.terminal.set_modes(self.before);
    }
}
