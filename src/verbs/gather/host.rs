//! The host as a plan sees it: paths looked up once and kept open.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};

use syscalls::Errno;
use syscalls::file::{self, FileType};

use crate::plan::{Found, Handle, Host, PathKind};
use crate::profile::abs_path::AbsPath;

/// The running host. What was found stays open, so that rules are made on the objects that were decided about.
#[derive(Debug, Default)]
pub(in crate::verbs) struct RunningHost {
    objects: Vec<OwnedFd>,
    /// Where the directories above missing paths really are.
    parents: BTreeMap<AbsPath, AbsPath>,
    /// What is known about the directories above paths, so that a missing one is asked about once.
    directories: BTreeMap<Vec<u8>, Way>,
    /// The directory that was asked about last: policies name many files of one.
    last: Vec<u8>,
    way_to_last: Option<Way>,
    /// Where paths get their NUL.
    name: Vec<u8>,
}

/// What lies on the way to a path, and at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// It ends before the path does, and no symbolic link was on it.
    Ends,
    /// A symbolic link, or something that cannot be looked at.
    Unclear,
    /// No symbolic link: the path is the real one.
    Straight,
}

/// `PATH_MAX` of `limits.h`.
const LONGEST_PATH: usize = 4096;

impl RunningHost {
    /// What the handles stand for, by index.
    pub(in crate::verbs) fn objects(&self) -> &[OwnedFd] {
        &self.objects
    }

    /// Without a symbolic link on the way the path is the real one, and a single call tells what is there. `None` when there
    /// may be one.
    fn open_directly(&mut self, path: &AbsPath) -> Option<Result<OwnedFd, Errno>> {
        match file::open_path_without_links(terminated(&mut self.name, path.as_bytes())?) {
            Err(Errno::NOT_FOUND | Errno::NOT_DIRECTORY) => Some(Err(Errno::NOT_FOUND)),
            // A link, a directory that may not be searched, or a kernel without the call.
            Err(_) => None,
            Ok(object) => Some(Ok(object)),
        }
    }

    /// Looks at each directory on the way once. Asking for a link makes no descriptor, so it is twice as fast as opening.
    fn way(&mut self, path: &[u8]) -> Way {
        let above = path.iter().rposition(|&byte| byte == b'/').and_then(|slash| path.get(..slash)).unwrap_or_default();
        let directory = if above.is_empty() { Way::Straight } else { self.way_above(above) };
        if directory != Way::Straight {
            return directory;
        }
        match terminated(&mut self.name, path).map(file::find_link) {
            Some(Err(Errno::INVALID)) => Way::Straight,
            Some(Err(Errno::NOT_FOUND | Errno::NOT_DIRECTORY)) => Way::Ends,
            Some(Ok(()) | Err(_)) | None => Way::Unclear,
        }
    }

    /// [`Self::way`] to a directory, which is asked about once.
    fn way_above(&mut self, directory: &[u8]) -> Way {
        if let Some(known) = self.way_to_last.filter(|_| self.last == directory) {
            return known;
        }
        let way = match self.directories.get(directory) {
            Some(known) => *known,
            None => {
                let way = self.way(directory);
                self.directories.insert(directory.to_vec(), way);
                way
            }
        };
        self.last.clear();
        self.last.extend_from_slice(directory);
        self.way_to_last = Some(way);
        way
    }

    fn open(path: &AbsPath) -> Result<(OwnedFd, AbsPath), Errno> {
        let name = CString::new(path.as_bytes()).map_err(|_| Errno::INVALID)?;
        let object = file::open_path(&name)?;
        let mut buffer = [0; LONGEST_PATH];
        let real = AbsPath::new(file::real_path(object.as_fd(), &mut buffer)?).ok_or(Errno::NOT_FOUND)?;
        Ok((object, real))
    }

    /// Where a path that is not there would be: the nearest directory above it that exists, and the rest as it is.
    fn would_be(&mut self, path: &AbsPath) -> AbsPath {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return path.clone() };
        if let Some(real) = self.parents.get(&parent) {
            return real.join(name);
        }
        let real = match Self::open(&parent) {
            Ok((_, real)) => real,
            Err(_) => self.would_be(&parent),
        };
        let found = real.join(name);
        self.parents.insert(parent, real);
        found
    }
}

impl Host for RunningHost {
    fn look_up(&mut self, path: &AbsPath) -> Found {
        let opened = match self.open_directly(path) {
            Some(Err(_)) => return Found::Missing { real: path.clone() },
            Some(Ok(object)) => Ok((object, path.clone())),
            None => Self::open(path),
        };
        match opened.and_then(|(object, real)| Ok((file::status(object.as_fd())?.kind, object, real))) {
            Ok((kind, object, real)) => {
                let handle = Handle(u32::try_from(self.objects.len()).unwrap_or(u32::MAX));
                self.objects.push(object);
                Found::Present { real, kind: path_kind(kind), handle }
            }
            Err(Errno::NOT_FOUND | Errno::NOT_DIRECTORY) => Found::Missing { real: self.would_be(path) },
            Err(errno) => Found::Unreachable { real: self.would_be(path), why: errno.to_string() },
        }
    }

    fn real(&mut self, path: &AbsPath) -> AbsPath {
        match self.way(path.as_bytes()) {
            Way::Ends | Way::Straight => path.clone(),
            Way::Unclear => Self::open(path).map_or_else(|_| self.would_be(path), |(_, real)| real),
        }
    }
}

/// `path` as a C string, in `name`.
fn terminated<'n>(name: &'n mut Vec<u8>, path: &[u8]) -> Option<&'n CStr> {
    name.clear();
    name.extend_from_slice(path);
    name.push(0);
    CStr::from_bytes_with_nul(name).ok()
}

fn path_kind(kind: FileType) -> PathKind {
    match kind {
        FileType::CharacterDevice => PathKind::CharacterDevice,
        FileType::Directory => PathKind::Directory,
        FileType::Regular => PathKind::File,
        FileType::Socket => PathKind::Socket,
        FileType::BlockDevice | FileType::Fifo | FileType::Symlink => PathKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> AbsPath {
        AbsPath::new(text.as_bytes()).unwrap()
    }

    #[test]
    fn what_exists_is_found_with_its_kind_and_real_path() {
        let mut host = RunningHost::default();
        let found = host.look_up(&path("/proc/self/../../dev/null"));
        let Found::Present { real, kind, .. } = found else { panic!("{found:?}") };
        assert_eq!((real, kind), (path("/dev/null"), PathKind::CharacterDevice));
        assert_eq!(host.objects().len(), 1);
    }

    #[test]
    fn what_is_missing_is_named_where_it_would_be() {
        let folder = std::env::temp_dir().join(format!("nono-host-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("real")).unwrap();
        let _ = std::os::unix::fs::symlink("real", folder.join("link"));
        let written = path(&format!("{}/link/a/b", folder.display()));
        let expected = path(&format!("{}/real/a/b", folder.canonicalize().unwrap().display()));
        assert_eq!(RunningHost::default().look_up(&written), Found::Missing { real: expected });
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
