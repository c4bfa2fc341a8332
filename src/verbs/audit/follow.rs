//! A log that is read to its end, and further while its session runs.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::audit::log::session::is_running;

use super::place;

/// How long to wait for more records.
const PAUSE: Duration = Duration::from_millis(200);
/// Bytes that are read at once.
const AT_ONCE: usize = 1 << 16;

/// The records' file of a session.
pub(super) struct Follow {
    events: File,
    directory: PathBuf,
    part: Vec<u8>,
    /// Whether to wait for what is not there yet.
    waits: bool,
    /// The session was seen not to run any more: what is there then is all.
    over: bool,
}

impl Follow {
    /// Opens the log in `directory`; with `waits`, its end is that of the session.
    ///
    /// # Errors
    /// A sentence that says why it cannot be read.
    pub(super) fn open(directory: &Path, waits: bool) -> Result<Self, String> {
        let events = place::events(directory)?;
        Ok(Self { events, directory: directory.to_owned(), part: vec![0; AT_ONCE], waits, over: false })
    }

    /// The next bytes; `None` at the end. `ended` says that the record has passed with which a session ends.
    ///
    /// # Errors
    /// Those of `read(2)`.
    pub(super) fn next(&mut self, ended: bool) -> io::Result<Option<&[u8]>> {
        loop {
            let length = self.events.read(&mut self.part)?;
            if length > 0 {
                return Ok(self.part.get(..length));
            }
            if !self.waits || ended || self.over {
                return Ok(None);
            }
            // Whoever holds no lock writes nothing more: its supervisor was killed. What it wrote before is read once more.
            self.over = !is_running(&self.directory);
            if !self.over {
                std::thread::sleep(PAUSE);
            }
        }
    }
}
