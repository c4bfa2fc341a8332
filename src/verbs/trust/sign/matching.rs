//! The files of a project that must be signed.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::profile::abs_path::AbsPath;
use crate::trust::policy::Duty;
use crate::trust::scan::{self, PRUNED, Searched};
use crate::verbs::gather::{self, shown};
use crate::verbs::trust::keys::Failure;

/// A project, and what in it must be signed.
#[derive(Debug)]
pub(super) struct Matching {
    /// Without symbolic links.
    pub(super) root: PathBuf,
    /// Regular files beneath the root, sorted.
    pub(super) files: Vec<PathBuf>,
}

/// Finds the files of the project that the working directory belongs to. What a link leads to is found where it is.
///
/// # Errors
/// There is no policy, or the directory cannot be read.
pub(super) fn find() -> Result<Matching, Failure> {
    let workdir = gather::workdir(None).map_err(Failure::refused)?;
    let trusting = gather::trusting(&workdir, &gather::variables(&workdir)).map_err(Failure::refused)?;
    let path_of = |path: &AbsPath| PathBuf::from(OsStr::from_bytes(path.as_bytes()));
    let place = path_of(&workdir);
    let Some(root) = gather::project_root(&place).filter(|_| !trusting.files.is_empty()) else {
        return Err(Failure::refused("there is no trust-policy.json here or above; write one with `nono trust init`"));
    };
    let from = AbsPath::new(root.as_os_str().as_bytes()).unwrap_or(workdir);
    let failed = |place: &Path, error: &io::Error| {
        Failure::refused(format!("{} cannot be searched: {error}; nothing was signed", shown(place)))
    };
    let Searched { files, closed } =
        scan::files(&from, &trusting.rules, &PRUNED).map_err(|error| failed(root, &error))?;
    if let Some((path, error)) = closed.first() {
        return Err(failed(&path_of(path), error));
    }
    let is_regular = |path: &PathBuf| path.symlink_metadata().is_ok_and(|found| found.is_file());
    let content = files.iter().filter(|path| Duty::of(path) == Duty::Content);
    let files = content.map(path_of).filter(is_regular).collect();
    Ok(Matching { root: root.to_path_buf(), files })
}
