//! Where profiles and groups are found: the user's, the system's, then the built-in ones.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use syscalls::credentials;
use syscalls::file::{self, FileType};

use super::shown;
use crate::profile::abs_path::AbsPath;
use crate::profile::builtin;
use crate::profile::resolve::{Library, Source};

/// Directories that hold `profiles/` and `groups/`, the first match wins.
#[derive(Debug)]
pub(in crate::verbs) struct Shelves {
    directories: Vec<PathBuf>,
}

/// The largest policy that is read, in bytes; the parser has the same limit and the better sentence.
const LARGEST: u64 = (1 << 20) + 1;

impl Shelves {
    /// The user's directory, if it can be trusted, and the system's.
    ///
    /// # Errors
    /// A directory of the user's that another user owns or may write to.
    pub(in crate::verbs) fn new(user: Option<&AbsPath>, system: &AbsPath) -> Result<Self, String> {
        let path = |path: &AbsPath| PathBuf::from(OsStr::from_bytes(path.as_bytes()));
        // Most hosts have neither, and then no policy has to be looked for in it.
        let is_there = |path: &PathBuf| !fs::metadata(path).is_err_and(|error| is_missing(&error));
        let user = user.map(path).filter(is_there);
        user.as_deref().map_or(Ok(()), check_ownership)?;
        Ok(Self { directories: user.into_iter().chain([path(system)].into_iter().filter(is_there)).collect() })
    }

    fn find(&self, kind: &str, name: &str) -> Option<Result<Source, String>> {
        for directory in &self.directories {
            let path = directory.join(kind).join(format!("{name}.json"));
            match read(&path) {
                Ok(text) => {
                    let place = Arc::from(path.display().to_string());
                    return Some(Ok(Source { place, text: Cow::Owned(text), built_in: None }));
                }
                Err(error) if is_missing(&error) => {}
                Err(error) => return Some(Err(format!("{}: {error}", shown(&path)))),
            }
        }
        None
    }

    fn names<'b>(&self, kind: &str, built_in: impl Iterator<Item = &'b str>) -> Vec<String> {
        let mut names: Vec<String> = built_in.map(ToOwned::to_owned).collect();
        for directory in &self.directories {
            let entries = fs::read_dir(directory.join(kind)).into_iter().flatten().flatten();
            names.extend(entries.filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let name = name.strip_suffix(".json")?;
                (!name.ends_with(".test")).then(|| name.to_owned())
            }));
        }
        names.sort();
        names.dedup();
        names
    }
}

impl Library for Shelves {
    fn profile(&self, name: &str) -> Option<Result<Source, String>> {
        self.find("profiles", name)
    }

    fn group(&self, name: &str) -> Option<Result<Source, String>> {
        self.find("groups", name)
    }

    fn profile_names(&self) -> Vec<String> {
        self.names("profiles", builtin::profile_names())
    }

    fn group_names(&self) -> Vec<String> {
        self.names("groups", builtin::group_names())
    }
}

/// Opens a regular file for reading, and waits for nobody.
///
/// # Errors
/// Those of `open(2)`; `InvalidInput` for anything but a regular file.
pub(in crate::verbs) fn open_regular(path: &Path) -> io::Result<File> {
    let name = std::ffi::CString::new(path.as_os_str().as_bytes())?;
    let opened = file::open_read(&name)?;
    if file::status(opened.as_fd())?.kind != FileType::Regular {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    Ok(File::from(opened))
}

/// Reads a regular file whole, through one descriptor, so that what was checked is what was read.
///
/// # Errors
/// Those of `open(2)` and `read(2)`; `InvalidInput` for anything but a regular file.
pub(in crate::verbs) fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_until(path, LARGEST)
}

/// [`read()`] of a file that may have another size.
///
/// # Errors
/// As [`read()`]; `FileTooLarge` for more than `largest` bytes.
pub(in crate::verbs) fn read_up_to(path: &Path, largest: usize) -> io::Result<Vec<u8>> {
    let text = read_until(path, u64::try_from(largest).unwrap_or(u64::MAX).saturating_add(1))?;
    if text.len() > largest { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(text) }
}

fn read_until(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    open_regular(path)?.take(most).read_to_end(&mut text)?;
    Ok(text)
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Whoever can write to the user's policies decides what the program may do.
fn check_ownership(directory: &Path) -> Result<(), String> {
    for path in [directory.to_path_buf(), directory.join("profiles"), directory.join("groups")] {
        let Ok(metadata) = fs::metadata(&path) else { continue };
        let user = credentials::effective_user();
        if metadata.uid() != user && metadata.uid() != 0 {
            return Err(format!(
                "{} belongs to user {} and not to you ({user}): whoever owns it decides what is allowed; \
                 take it over with chown, or move it away",
                shown(&path),
                metadata.uid()
            ));
        }
        if metadata.mode() & 0o022 != 0 {
            return Err(format!(
                "{} can be written by others (mode {:03o}): close it with `chmod go-w`",
                shown(&path),
                metadata.mode() & 0o777
            ));
        }
    }
    Ok(())
}
