//! The project that a file belongs to, and what the file is called there.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::trust::policy::FILE_NAME;
use crate::trust::statement::is_subject_name;
use crate::verbs::gather::{project_root, shown};
use crate::verbs::trust::keys::Failure;

/// A file that is to be signed.
#[derive(Debug)]
pub(super) struct Named {
    /// Without symbolic links.
    pub(super) real: PathBuf,
    /// From the root of its project; its bare name where it belongs to none.
    pub(super) name: String,
    /// Whether `name` begins at the root of a project.
    pub(super) whole: bool,
}

/// Finds the regular file that is to be signed.
///
/// # Errors
/// It is none, or its name cannot be signed.
pub(super) fn named(path: &OsStr) -> Result<Named, Failure> {
    let written = Path::new(path);
    let failed = |why: String| Failure::refused(format!("{} cannot be signed: {why}", shown(written)));
    let real = fs::canonicalize(written).map_err(|error| failed(error.to_string()))?;
    let found = fs::metadata(&real).map_err(|error| failed(error.to_string()))?;
    if !found.is_file() {
        return Err(failed("it is not a regular file".to_owned()));
    }
    let directory = real.parent().unwrap_or_else(|| Path::new("/"));
    let project = project_root(directory);
    let name = real.strip_prefix(project.unwrap_or(directory)).unwrap_or(&real).to_str();
    let Some(name) = name.filter(|name| is_subject_name(name)).map(str::to_owned) else {
        return Err(failed("a signature names its file in UTF-8; give it such a name".to_owned()));
    };
    if name.rsplit('/').next() == Some(FILE_NAME) {
        return Err(failed("it is a trust policy; use `nono trust sign-policy`".to_owned()));
    }
    if has_bundle_name(&real) {
        return Err(failed("it is a bundle, which holds a signature itself".to_owned()));
    }
    let whole = project.is_some();
    Ok(Named { real, name, whole })
}

impl Named {
    /// The bundle of the file, as the user would write it who wrote `path`. The one of a link is where the link leads.
    pub(super) fn sidecar(&self, path: &Path) -> PathBuf {
        let is_link = fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
        sidecar(if is_link { &self.real } else { path })
    }
}

/// The bundle beside the file `path`.
pub(super) fn sidecar(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".bundle");
    PathBuf::from(name)
}

fn has_bundle_name(path: &Path) -> bool {
    path.extension() == Some(OsStr::new("bundle"))
}
