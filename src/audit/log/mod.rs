//! The log on disk: a queue in memory, one thread that writes, and the host's own log above all sessions.
//!
//! ```text
//! $XDG_STATE_HOME/nono/sessions/ID/  events.jsonl  checkpoint  certificate
//! $XDG_STATE_HOME/nono/host-log/     events.jsonl  checkpoint  frontier  key  lock  open/ID
//! ```

mod fold;
pub mod host;
mod queue;
mod reached;
mod recovery;
pub mod session;
pub mod store;
mod writer;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

pub use self::host::now;
pub use self::queue::{Log, Lost, Repeats};
pub use self::session::Opened;

/// Why the log cannot be written or read.
#[derive(Debug)]
pub struct LogError {
    path: PathBuf,
    fault: Fault,
}

#[derive(Debug)]
enum Fault {
    Because(String),
    Io { doing: &'static str, error: io::Error },
}

impl LogError {
    fn at(doing: &'static str, path: &Path, error: io::Error) -> Self {
        // A file makes nobody wait (`open(2)`, `O_NONBLOCK`).
        if error.kind() == io::ErrorKind::WouldBlock {
            return Self::because(path, "is not a regular file");
        }
        Self { path: path.to_owned(), fault: Fault::Io { doing, error } }
    }

    fn because(path: &Path, why: impl Into<String>) -> Self {
        Self { path: path.to_owned(), fault: Fault::Because(why.into()) }
    }

    /// The number of the system's error, where there was one (`errno(3)`).
    pub fn errno(&self) -> Option<i32> {
        match &self.fault {
            Fault::Because(_) => None,
            Fault::Io { error, .. } => error.raw_os_error(),
        }
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.fault {
            Fault::Because(why) => write!(out, "{path} {why}"),
            Fault::Io { doing, error } => write!(out, "cannot {doing} {path}: {error}"),
        }
    }
}

impl std::error::Error for LogError {}
