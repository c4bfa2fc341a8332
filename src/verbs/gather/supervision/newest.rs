//! When the newest policy of each project was signed that was used here, so that an older one is noticed when it is put back.

use std::ffi::OsStr;
use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::profile::abs_path::AbsPath;
use crate::profile::variables::Variables;
use crate::trust::digest::Digest;
use crate::trust::store::Drafts;
use crate::verbs::gather::library::read_up_to;
use crate::verbs::gather::{shown, state_directory};

/// Digits of the largest number of seconds.
const LONGEST: usize = 20;

/// A policy and when it was signed.
#[derive(Clone, Debug)]
pub(in crate::verbs) struct Signed {
    place: PathBuf,
    /// Seconds since 1970.
    time: u64,
}

/// A policy beside those that were used before.
#[derive(Debug)]
pub(super) enum Age {
    Known,
    /// To be remembered when it is used.
    Newest(Signed),
    /// Another one was signed later, and used; where that is written.
    Older(PathBuf),
}

/// How old the policy of the project in `directory` is, which was signed at `time`.
///
/// # Errors
/// A sentence: what is remembered cannot be read.
pub(super) fn compare(directory: &AbsPath, time: Option<u64>, variables: &Variables) -> Result<Age, String> {
    let Some(state) = state_directory(variables) else { return Ok(Age::Known) };
    let name = Digest::of(directory.as_bytes()).to_string();
    let place = PathBuf::from(OsStr::from_bytes(state.join(b"policies").join(name.as_bytes()).as_bytes()));
    let known = read(&place)?;
    Ok(match (known, time) {
        (Some(known), time) if time.is_none_or(|time| time < known) => Age::Older(place),
        (Some(known), Some(time)) if time == known => Age::Known,
        (_, Some(time)) => Age::Newest(Signed { place, time }),
        (_, None) => Age::Known,
    })
}

/// Remembers the policies that are used from now on. One that cannot be is said.
pub(super) fn remember(all: &[Signed]) -> Vec<String> {
    let write = |signed: &Signed| {
        let directory = signed.place.parent().unwrap_or_else(|| Path::new("/"));
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let mut drafts = Drafts::default();
        drafts.add(&signed.place, signed.time.to_string().as_bytes(), 0o600)?;
        drafts.put().map_err(|(_, error)| error)
    };
    let failed = all.iter().filter_map(|signed| {
        let error = write(signed).err()?;
        Some(format!("{} cannot be written: {error}; an older policy would not be noticed", shown(&signed.place)))
    });
    failed.collect()
}

fn read(place: &Path) -> Result<Option<u64>, String> {
    match read_up_to(place, LONGEST) {
        Ok(bytes) => {
            let text = std::str::from_utf8(&bytes).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            let time = text.and_then(|text| text.parse().ok());
            time.map(Some).ok_or_else(|| format!("{} does not hold a number; remove it", shown(place)))
        }
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(format!("{} cannot be read: {error}; remove it", shown(place))),
    }
}
