//! Where logs lie: `sessions/ID` and `host-log` beneath nono's state directory.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::profile::abs_path::AbsPath;
use crate::verbs::gather;

use super::shown;

/// The names of the files of a log.
pub(super) const EVENTS: &str = "events.jsonl";
pub(super) const CHECKPOINT: &str = "checkpoint";

/// The directory of the session that `given` names: its id, the beginning of one that no other has, or a path.
///
/// # Errors
/// A sentence that says why there is none.
pub(super) fn session(given: &OsStr) -> Result<PathBuf, String> {
    if given.as_bytes().contains(&b'/') {
        return Ok(PathBuf::from(given));
    }
    let sessions = sessions(&state()?);
    let place = shown(sessions.as_os_str());
    let entries = match fs::read_dir(&sessions) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(format!("there is no session in {place}: nothing has been recorded yet"));
        }
        other => other.map_err(|error| format!("{place} cannot be read: {error}"))?,
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    let mut found: Vec<OsString> = names.filter(|name| name.as_bytes().starts_with(given.as_bytes())).collect();
    if let Some(whole) = found.iter().position(|name| name == given) {
        found = vec![found.swap_remove(whole)];
    }
    match found.as_slice() {
        [one] => Ok(sessions.join(one)),
        [] => Err(format!("no session in {place} has an id that begins with `{}`", shown(given))),
        _ => Err(format!("{} sessions have an id that begins with `{}`; give more of it", found.len(), shown(given))),
    }
}

/// The directory of the session that `given` names, and the state directory that it lies in: that of this host, or the one
/// above a path.
///
/// # Errors
/// A sentence that says why there is none.
pub(super) fn session_and_state(given: &OsStr) -> Result<(PathBuf, PathBuf), String> {
    let found = session(given)?;
    let whole =
        found.canonicalize().map_err(|error| format!("{} cannot be read: {error}", shown(found.as_os_str())))?;
    let state = whole.parent().and_then(Path::parent).map(Path::to_owned);
    let state = state.filter(|state| state.join("host-log").is_dir()).map_or_else(self::state, Ok)?;
    Ok((whole, state))
}

/// The sessions' directory beneath nono's state directory.
pub(super) fn sessions(state: &Path) -> PathBuf {
    state.join("sessions")
}

/// nono's directory for what it keeps between runs.
///
/// # Errors
/// A sentence, where the environment names none.
pub(super) fn state() -> Result<PathBuf, String> {
    let workdir = gather::workdir(None).unwrap_or_else(|_| AbsPath::root());
    let found = gather::state_directory(&gather::variables(&workdir));
    let found = found.map(|path| PathBuf::from(OsStr::from_bytes(path.as_bytes())));
    found.ok_or_else(|| "there is no place for logs: set HOME or XDG_STATE_HOME".to_owned())
}

/// The records' file of the log in `directory`.
///
/// # Errors
/// A sentence that says why it cannot be read.
pub(super) fn events(directory: &Path) -> Result<File, String> {
    let path = directory.join(EVENTS);
    gather::open_regular(&path).map_err(|error| format!("{} cannot be read: {error}", shown(path.as_os_str())))
}

/// The last checkpoint beside the records; `None` before the first.
///
/// # Errors
/// A sentence that says why it cannot be read.
pub(super) fn checkpoint(directory: &Path) -> Result<Option<Vec<u8>>, String> {
    let path = directory.join(CHECKPOINT);
    match gather::read(&path) {
        Ok(note) => Ok(Some(note)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{} cannot be read: {error}", shown(path.as_os_str()))),
    }
}
