//! The bytes of a file, as they are handed over.

use std::ffi::CStr;
use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use syscalls::Errno;
use syscalls::at::{self, OpenHow};
use syscalls::file::sealed::{memory, nobody_writes, seal};
use syscalls::file::{self, FileType};

use super::known::Stamp;
use crate::supervisor::mediate::own_name;
use crate::trust::bundle;
use crate::trust::digest::{Digest, Hasher};

/// The largest file that is handed over as a copy, in bytes.
const LARGEST_COPY: u64 = 16 << 20;

/// A file that was read.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) stamp: Stamp,
    pub(super) digest: Digest,
    /// The bytes with that digest, where they were asked for and are not too many to be a bundle.
    pub(super) content: Option<Vec<u8>>,
    /// The bytes with that digest, where somebody could change those of the file.
    pub(super) copy: Option<Arc<OwnedFd>>,
    /// Somebody has it open for writing.
    pub(super) is_being_written: bool,
}

/// Why the bytes of a file cannot be vouched for.
#[derive(Debug)]
pub(super) enum Unfit {
    Because(String),
    /// The caller may not read it.
    Errno(Errno),
}

/// Reads the regular file that is open without access as `object`, as the caller would, and keeps what it reads where its
/// content is wanted.
///
/// # Errors
/// [`Unfit`].
pub(super) fn look(object: &OwnedFd, wants_content: bool) -> Result<Looked, Unfit> {
    let reading = OpenHow {
        flags: OpenHow::READ_ONLY | OpenHow::NON_BLOCKING | OpenHow::NO_TERMINAL | OpenHow::CLOSE_ON_EXEC,
        mode: 0,
        resolve: 0,
    };
    let is_regular = file::status(object.as_fd()).is_ok_and(|status| status.kind == FileType::Regular);
    if !is_regular {
        return Err(Unfit::Because("it is not a regular file, whose content could be signed".to_owned()));
    }
    let opened = at::open(None, &own_name(object), &reading).map_err(Unfit::Errno)?;
    let before = file::status(opened.as_fd()).map_err(Unfit::Errno)?;
    let written = nobody_writes(opened.as_fd());
    let mut file = File::from(opened);
    let failed = |error: std::io::Error| Unfit::Because(format!("it cannot be read: {error}"));
    let wants_content = wants_content && before.size <= bundle::LARGEST as u64;
    let (read, copy) = match written {
        Ok(true) => (read(&mut file, wants_content).map_err(failed)?, None),
        // Another user's file, or a filesystem that does not know: as if somebody wrote.
        Ok(false) | Err(_) if before.size <= LARGEST_COPY => {
            let (read, copy) = copied(&mut file, wants_content).map_err(failed)?;
            (read, Some(Arc::new(copy)))
        }
        Ok(false) | Err(_) => {
            let limit = LARGEST_COPY >> 20;
            let why = format!("somebody may be writing to it, and it has more than {limit} MiB; close it there first");
            return Err(Unfit::Because(why));
        }
    };
    let after = file::status(file.as_fd()).map_err(Unfit::Errno)?;
    let stamp = Stamp::of(&before);
    if copy.is_none() && Stamp::of(&after) != stamp {
        return Err(Unfit::Because("it was changed while it was read; try again".to_owned()));
    }
    let Read { digest, content } = read;
    Ok(Looked { stamp, digest, content, copy, is_being_written: written == Ok(false) })
}

/// What was read.
struct Read {
    digest: Digest,
    content: Option<Vec<u8>>,
}

fn read(file: &mut File, wants_content: bool) -> std::io::Result<Read> {
    let (mut hasher, mut buffer) = (Hasher::default(), vec![0; 1 << 16]);
    let mut content = wants_content.then(Vec::new);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Read { digest: hasher.finish(), content }),
            length => {
                let piece = buffer.get(..length).unwrap_or_default();
                hasher.update(piece);
                // A file that grows meanwhile is no bundle any more.
                content = content.filter(|content| content.len().saturating_add(length) <= bundle::LARGEST);
                content.iter_mut().for_each(|content| content.extend_from_slice(piece));
            }
        }
    }
}

/// A copy of `file` in sealed memory, and what was read from the copy.
fn copied(file: &mut File, wants_content: bool) -> std::io::Result<(Read, OwnedFd)> {
    const NAME: &CStr = c"nono: signed content";
    let mut copy = File::from(memory(NAME)?);
    let mut buffer = vec![0; 1 << 16];
    let mut rest = LARGEST_COPY;
    loop {
        let length = file.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        rest = rest.checked_sub(length as u64).ok_or(ErrorKind::FileTooLarge)?;
        copy.write_all(buffer.get(..length).unwrap_or_default())?;
    }
    seal(copy.as_fd())?;
    copy.seek(SeekFrom::Start(0))?;
    let read = read(&mut copy, wants_content)?;
    Ok((read, OwnedFd::from(copy)))
}
