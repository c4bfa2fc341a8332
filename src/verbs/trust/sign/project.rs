//! The project that a file belongs to, and what the file is called there.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::trust::policy::FILE_NAME;
use crate::trust::statement::is_subject_name;
use crate::verbs::gather::shown;
use crate::verbs::trust::keys::Failure;

/// What a repository has at its root.
const REPOSITORY: &str = ".git";

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

/// The root of the project that `directory` lies in: the nearest one above with a policy, no further than the repository,
/// whose root it is where no policy is found. `directory` is absolute and without symbolic links.
pub(in crate::verbs::trust) fn root(directory: &Path) -> Option<&Path> {
    let has = |place: &Path, name: &str| fs::symlink_metadata(place.join(name)).is_ok();
    let owner = |place: &Path| fs::metadata(place).map(|found| found.uid()).ok();
    let own = owner(directory);
    // What lies above directories of the same user is somebody else's.
    directory
        .ancestors()
        .take_while(|place| owner(place) == own)
        .find(|place| has(place, FILE_NAME) || has(place, REPOSITORY))
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
    let project = root(directory);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_policy_above_is_the_project_s_and_no_repository_is_left() {
        let base = std::env::temp_dir().join(format!("nono-project-{}", std::process::id()));
        fs::create_dir_all(base.join("repository/.git")).unwrap();
        fs::create_dir_all(base.join("repository/part/deep")).unwrap();
        let repository = base.join("repository");
        assert_eq!(root(&repository.join("part/deep")), Some(repository.as_path()));
        fs::write(repository.join("part").join(FILE_NAME), "{}").unwrap();
        assert_eq!(root(&repository.join("part/deep")), Some(repository.join("part").as_path()));
        // What lies above the repository is somebody else's.
        fs::write(base.join(FILE_NAME), "{}").unwrap();
        assert_eq!(root(&repository), Some(repository.as_path()));
        fs::remove_dir_all(base).unwrap();
    }
}
