//! Directories and files of the log: the user's own, closed to others, replaced whole.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use syscalls::file::begin_writing;

use super::LogError;

/// Nobody but the owner may do anything.
const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// Mode bits with which others could change something, and those with which they could see it.
const WRITABLE_BY_OTHERS: u32 = 0o022;
const OPEN_TO_OTHERS: u32 = 0o077;
/// `O_NOFOLLOW` of `fcntl.h`, the same on x86_64 and aarch64 but for its value.
#[cfg(target_arch = "aarch64")]
const NO_FOLLOW: i32 = 0o100_000;
#[cfg(not(target_arch = "aarch64"))]
const NO_FOLLOW: i32 = 0o400_000;
/// `O_NONBLOCK`: what is no file and stands in the place of one is not waited for.
const NON_BLOCKING: i32 = 0o4_000;
const AS_IT_IS: i32 = NO_FOLLOW | NON_BLOCKING;

/// Makes `path` and what is missing above it, and checks that it belongs to `user` and nobody else may change it.
///
/// # Errors
/// A sentence's worth of why it cannot be used.
pub(super) fn directory(path: &Path, user: u32) -> Result<(), LogError> {
    let failed = |error| LogError::at("make the directory", path, error);
    if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
        DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(parent).map_err(failed)?;
    }
    match DirBuilder::new().mode(DIRECTORY_MODE).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let found = fs::symlink_metadata(path).map_err(failed)?;
    if !found.is_dir() {
        return Err(LogError::because(path, "is not a directory"));
    }
    if found.uid() != user {
        return Err(LogError::because(path, "belongs to another user"));
    }
    if found.mode() & WRITABLE_BY_OTHERS != 0 {
        return Err(LogError::because(path, "can be changed by others: take their permission with chmod go-w"));
    }
    Ok(())
}

/// A new file to add to, open for reading as well.
///
/// # Errors
/// Those of `open(2)`, `EEXIST` included.
pub(super) fn create(path: &Path) -> Result<File, LogError> {
    let mut options = OpenOptions::new();
    options.append(true).read(true).create_new(true).mode(FILE_MODE).custom_flags(AS_IT_IS);
    options.open(path).map_err(|error| LogError::at("create", path, error))
}

/// A file to add to, made if it is not there.
///
/// # Errors
/// Those of `open(2)`.
pub(super) fn open(path: &Path) -> Result<File, LogError> {
    let mut options = OpenOptions::new();
    options.append(true).read(true).create(true).mode(FILE_MODE).custom_flags(AS_IT_IS);
    options.open(path).map_err(|error| LogError::at("open", path, error))
}

/// A file that is there.
///
/// # Errors
/// Those of `open(2)`.
pub(super) fn open_to_read(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(AS_IT_IS).open(path)
}

/// The content of a file, `None` when there is none; at most `most` bytes.
///
/// # Errors
/// Those of reading it, and a file that is longer.
pub fn read(path: &Path, most: u64) -> Result<Option<Vec<u8>>, LogError> {
    let file = match open_to_read(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(LogError::at("read", path, error)),
    };
    // Checkpoints and keys are shorter, and read at once.
    let mut content = Vec::with_capacity(1024);
    let read = file.take(most.saturating_add(1)).read_to_end(&mut content);
    read.map_err(|error| LogError::at("read", path, error))?;
    if content.len() as u64 > most { Err(LogError::because(path, "is too long")) } else { Ok(Some(content)) }
}

/// A secret: as [`read`], and only of a file that belongs to `user` and that others cannot open.
///
/// # Errors
/// Those of [`read`], and what is wrong with the file.
pub(super) fn read_secret(path: &Path, user: u32) -> Result<Option<Vec<u8>>, LogError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(LogError::at("read", path, error)),
        Ok(found) if !found.is_file() => return Err(LogError::because(path, "is not a regular file")),
        Ok(found) if found.uid() != user => return Err(LogError::because(path, "belongs to another user")),
        Ok(found) if found.mode() & OPEN_TO_OTHERS != 0 => {
            return Err(LogError::because(path, "can be opened by others, so what it signs proves nothing: remove it"));
        }
        Ok(_) => {}
    }
    read(path, 4096)
}

/// Puts `content` in the place of `directory/name`, at once and durably: when it answers, the new file is there for good.
///
/// # Errors
/// Those of writing, syncing and renaming.
pub(super) fn replace(directory: &Path, name: &str, content: &[u8]) -> Result<(), LogError> {
    let renewal = Renewal::begin(directory, name, content)?;
    renewal.file().sync_data().map_err(|error| LogError::at("write", &renewal.path, error))?;
    renewal.finish()?;
    sync_directory(directory)
}

/// [`replace`] for what is checked when it is read, and made again from other files: a crash of the machine may leave
/// anything.
///
/// # Errors
/// Those of writing and renaming.
pub(super) fn cache(directory: &Path, name: &str, content: &[u8]) -> Result<(), LogError> {
    Renewal::begin(directory, name, content)?.finish()
}

/// A file that is written beside the one whose place it takes.
#[derive(Debug)]
pub(super) struct Renewal {
    path: PathBuf,
    beside: PathBuf,
    file: File,
}

impl Renewal {
    /// Writes `content` beside `directory/name`.
    ///
    /// # Errors
    /// Those of `open(2)` and `write(2)`.
    pub(super) fn begin(directory: &Path, name: &str, content: &[u8]) -> Result<Self, LogError> {
        let (path, beside) = (directory.join(name), directory.join(format!("{name}.new")));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(FILE_MODE).custom_flags(AS_IT_IS);
        let written = options.open(&beside).and_then(|mut file| file.write_all(content).map(|()| file));
        match written {
            Ok(file) => Ok(Self { path, beside, file }),
            Err(error) => Err(LogError::at("write", &path, error)),
        }
    }

    /// The file, to be synced.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Puts it in its place. Once it was synced, a crash of the machine leaves the old file or the new one; else it may leave
    /// anything.
    ///
    /// # Errors
    /// Those of `rename(2)`.
    pub(super) fn finish(self) -> Result<(), LogError> {
        fs::rename(&self.beside, &self.path).map_err(|error| LogError::at("write", &self.path, error))
    }
}

/// Makes the content of several files durable, after the names in the directory `names`. All of them are on their way to the
/// disk before the first is waited for, so that it has to bring itself up to date once.
///
/// # Errors
/// Those of `fsync(2)` and `fdatasync(2)`.
pub(super) fn sync(names: Option<&File>, files: &[&File]) -> io::Result<()> {
    files.iter().for_each(|file| begin_writing(file.as_fd()));
    names.map_or(Ok(()), File::sync_all)?;
    files.iter().try_for_each(|file| file.sync_data())
}

/// Makes the names in `directory` durable.
///
/// # Errors
/// Those of `fsync(2)`.
pub(super) fn sync_directory(directory: &Path) -> Result<(), LogError> {
    let synced = File::open(directory).and_then(|opened| opened.sync_all());
    synced.map_err(|error| LogError::at("sync", directory, error))
}

/// `N` bytes that nobody can foresee.
///
/// # Errors
/// Those of reading `/dev/urandom` (`urandom(4)`).
pub(super) fn random<const N: usize>() -> Result<[u8; N], LogError> {
    let mut bytes = [0; N];
    let path = PathBuf::from("/dev/urandom");
    let read = File::open(&path).and_then(|mut file| file.read_exact(&mut bytes));
    read.map(|()| bytes).map_err(|error| LogError::at("read", &path, error))
}
