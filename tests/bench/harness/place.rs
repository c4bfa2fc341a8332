//! Where a bench works: a folder of its own with a copy of the bench, since the sandbox may not reach the place it was built in.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// A folder that goes with its owner.
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    /// The copy of this program.
    pub(crate) program: String,
    /// The nono that is measured: the one that was built, or the one that the command line names.
    pub(crate) nono: String,
}

impl Place {
    pub(crate) fn new(name: &str) -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("nono-bench-{name}-{}", std::process::id()));
        std::fs::create_dir(&folder)?;
        let folder = folder.canonicalize()?;
        let given = std::env::args().skip(1).find(|word| !word.starts_with('-'));
        let nono = given.unwrap_or_else(|| env!("CARGO_BIN_EXE_nono").to_owned());
        let place = Self { program: word(&folder.join("bench")), folder, nono };
        std::fs::copy(std::env::current_exe()?, &place.program)?;
        Ok(place)
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> String {
        word(&self.folder.join(name))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn word(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The words of a command, one after the other.
pub(crate) fn words(parts: &[&[&str]]) -> Vec<String> {
    parts.concat().into_iter().map(str::to_owned).collect()
}

/// Runs a command in `folder` with nothing to read, and answers with the seconds it took. One that fails is an error.
pub(crate) fn seconds(words: &[String], folder: &Path) -> io::Result<f64> {
    let (program, arguments) = words.split_first().ok_or_else(|| io::Error::other("no command"))?;
    let mut command = Command::new(program);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let status = command.status()?;
    let elapsed = start.elapsed();
    if status.success() { Ok(elapsed.as_secs_f64()) } else { Err(io::Error::other(format!("{words:?}: {status}"))) }
}
