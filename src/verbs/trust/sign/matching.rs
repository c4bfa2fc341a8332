//! The files beneath a project's root that must be signed.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::project;
use crate::profile::abs_path::AbsPath;
use crate::trust::policy::Rules;
use crate::verbs::gather::{self, shown};
use crate::verbs::trust::keys::Failure;

/// Directories whose content is made again at will, and too much to look at.
const PRUNED: [&str; 8] =
    [".cache", ".git", ".mypy_cache", ".pytest_cache", "__pycache__", "dist", "node_modules", "target"];
/// The most directories that are looked into.
const MOST: usize = 1_000_000;

/// A project, and what in it must be signed.
#[derive(Debug)]
pub(super) struct Matching {
    /// Without symbolic links.
    pub(super) root: PathBuf,
    /// Beneath the root, sorted.
    pub(super) files: Vec<PathBuf>,
}

/// Finds the files of the project that the working directory belongs to. What version control ignores counts too; links are
/// not followed, and what they lead to is found where it is.
///
/// # Errors
/// There is no policy, or a directory cannot be read.
pub(super) fn find() -> Result<Matching, Failure> {
    let workdir = gather::workdir(None).map_err(Failure::refused)?;
    let trusting = gather::trusting(&workdir, &gather::variables(&workdir)).map_err(Failure::refused)?;
    let place = PathBuf::from(std::ffi::OsStr::from_bytes(workdir.as_bytes()));
    let Some(root) = project::root(&place).filter(|_| !trusting.files.is_empty()) else {
        return Err(Failure::refused("there is no trust-policy.json here or above; write one with `nono trust init`"));
    };
    let mut files = Vec::new();
    let mut directories = vec![root.to_path_buf()];
    let mut looked = 0_usize;
    while let Some(directory) = directories.pop() {
        looked = looked.saturating_add(1);
        if looked > MOST {
            return Err(Failure::refused(format!("{} has more than {MOST} directories", shown(root))));
        }
        look_into(&directory, &trusting.rules, &mut directories, &mut files)?;
    }
    files.sort();
    Ok(Matching { root: root.to_path_buf(), files })
}

fn look_into(
    directory: &Path,
    rules: &Rules,
    directories: &mut Vec<PathBuf>,
    files: &mut Vec<PathBuf>,
) -> Result<(), Failure> {
    let failed = |error| Failure::refused(format!("{} cannot be read: {error}; nothing was signed", shown(directory)));
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(failed)?);
        let pruned = || PRUNED.iter().any(|name| entry.file_name().as_bytes() == name.as_bytes());
        if kind.is_dir() && !pruned() {
            directories.push(path);
        } else if kind.is_file() && AbsPath::new(path.as_os_str().as_bytes()).is_some_and(|real| rules.protects(&real))
        {
            files.push(path);
        }
    }
    Ok(())
}
