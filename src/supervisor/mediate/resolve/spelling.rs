//! Whether what was looked up has other names than the one it was found by, because a filesystem takes several spellings for
//! the same. Asked only about paths of which another spelling is closed.
//!
//! Everything is looked up from directories that are held, upwards. Nobody inside moves the name that matters meanwhile:
//! that would be a change of what is closed, refused by the same look.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use syscalls::Errno;
use syscalls::at::{self, OpenHow, resolve as how};
use syscalls::file::names::{Names, names};
use syscalls::file::{self, FileType};

use super::{Entry, Held, RealPath};
use crate::profile::abs_path::AbsPath;

/// Whether one of the names in `start`, the part of `path` that matters, may be written in another way and lead to the same.
/// `path` is of something that is `held`. Yes where it cannot be told.
pub(in crate::supervisor::mediate) fn may_differ(path: &AbsPath, start: &AbsPath, held: &[Held<'_>]) -> bool {
    look_upwards(path, start, held).unwrap_or(true)
}

fn look_upwards(path: &AbsPath, start: &AbsPath, held: &[Held<'_>]) -> Result<bool, Errno> {
    let names = |path: &AbsPath| path.as_bytes().split(|&byte| byte == b'/').filter(|name| !name.is_empty()).count();
    let behind = names(path).saturating_sub(names(start));
    let mut directory = directory_of(path, held)?;
    for _ in 0..behind {
        directory = above(directory.as_fd())?;
    }
    any_has_others(directory, start)
}

/// The same for the path of an `entry` that need not be there yet: what is `like` it says what names are in its filesystem.
pub(in crate::supervisor::mediate) fn new_may_differ(entry: &Entry, like: Option<&Entry>) -> bool {
    let itself = match names(entry.directory.as_fd()) {
        Ok(Names::Bytes) => false,
        Ok(Names::Folded) => true,
        Ok(Names::Unknown) | Err(_) => like.is_none_or(|like| may_differ(&like.real, &like.real, &[Held::Entry(like)])),
    };
    let directories = || {
        let Some(parent) = entry.real.parent() else { return Ok(false) };
        any_has_others(above(entry.directory.as_fd())?, &parent)
    };
    itself || directories().unwrap_or(true)
}

/// Whether a name of `path` has others, the last of which is in `directory`.
fn any_has_others(mut directory: OwnedFd, path: &AbsPath) -> Result<bool, Errno> {
    for name in path.as_bytes().rsplit(|&byte| byte == b'/').filter(|name| !name.is_empty()) {
        if has_others(directory.as_fd(), name)? {
            return Ok(true);
        }
        directory = above(directory.as_fd())?;
    }
    Ok(false)
}

/// The directory that the last name of `path` is in.
fn directory_of(path: &AbsPath, held: &[Held<'_>]) -> Result<OwnedFd, Errno> {
    let copy = |file: &OwnedFd| file.try_clone().map_err(|_| Errno::TRY_AGAIN);
    for held in held {
        let object = match held {
            Held::Entry(entry) if entry.real == *path => return copy(&entry.directory),
            Held::Entry(_) => continue,
            Held::Object(object) => object,
        };
        let RealPath::Path(real) = &object.real else { continue };
        let is_directory = object.status.kind == FileType::Directory;
        match path.parent() {
            Some(parent) if is_directory && *real == parent => return copy(&object.file),
            _ if is_directory && real == path => return above(object.file.as_fd()),
            Some(parent) if real == path => return directory_with(&parent, path, &object.file),
            _ => {}
        }
    }
    Err(Errno::NOT_FOUND)
}

/// The directory at `parent`, where `file` must have the last name of `path`.
fn directory_with(parent: &AbsPath, path: &AbsPath, file: &OwnedFd) -> Result<OwnedFd, Errno> {
    let text = |bytes: &[u8]| CString::new(bytes).map_err(|_| Errno::INVALID);
    let wanted = OpenHow { flags: DIRECTORY, mode: 0, resolve: how::NO_SYMLINKS };
    let directory = at::open(None, &text(parent.as_bytes())?, &wanted)?;
    let found = file::sight(Some(directory.as_fd()), &text(path.file_name().unwrap_or_default())?)?;
    let is_it = found.identity == file::sight(Some(file.as_fd()), c"")?.identity;
    if is_it { Ok(directory) } else { Err(Errno::NOT_FOUND) }
}

const DIRECTORY: u64 = OpenHow::PATH | OpenHow::DIRECTORY | OpenHow::CLOSE_ON_EXEC;

fn above(directory: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    at::open(Some(directory), c"..", &OpenHow { flags: DIRECTORY, mode: 0, resolve: 0 })
}

/// Whether the entry `name` of `directory` has other names, or would have them once it is made.
fn has_others(directory: BorrowedFd<'_>, name: &[u8]) -> Result<bool, Errno> {
    match names(directory) {
        Ok(Names::Bytes) => return Ok(false),
        Ok(Names::Folded) => return Ok(true),
        Ok(Names::Unknown) | Err(_) => {}
    }
    let look = |name: &[u8]| file::sight(Some(directory), &CString::new(name).map_err(|_| Errno::INVALID)?);
    let identity = look(name)?.identity;
    let others = spellings(name);
    // Without a letter in it nothing can be tried; what is ASCII is then no other spelling of anything.
    let mut differ = others.is_empty() && !name.is_ascii();
    for other in &others {
        match look(other) {
            Err(Errno::NOT_FOUND) => return Ok(look(name)?.identity != identity),
            // Some filesystems number a file anew for each of its names.
            Ok(_) => differ = true,
            Err(errno) => return Err(errno),
        }
    }
    Ok(differ)
}

/// Other spellings of a name, none of which is there by chance: with the case of its letters turned, that of the first and that
/// of the last.
fn spellings(name: &[u8]) -> BTreeSet<Vec<u8>> {
    let turned = |at: &dyn Fn(usize) -> bool| -> Vec<u8> {
        let turn =
            |byte: u8| if byte.is_ascii_lowercase() { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
        name.iter().enumerate().map(|(place, &byte)| if at(place) { turn(byte) } else { byte }).collect()
    };
    let first = name.iter().position(u8::is_ascii_alphabetic);
    let last = name.iter().rposition(u8::is_ascii_alphabetic);
    let all = [turned(&|_| true), turned(&|place| Some(place) == first), turned(&|place| Some(place) == last)];
    all.into_iter().filter(|other| other != name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_spellings_differ_in_case_alone() {
        let of = |name: &str| spellings(name.as_bytes()).into_iter().map(|other| String::from_utf8(other).unwrap());
        assert_eq!(of(".env").collect::<Vec<_>>(), [".ENV", ".Env", ".enV"]);
        assert_eq!(of("1a").collect::<Vec<_>>(), ["1A"]);
        assert_eq!(of("12.3").count(), 0);
    }
}
