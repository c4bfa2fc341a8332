//! The bytes of a file, and the bundles that may speak for it.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use syscalls::Errno;
use syscalls::at::{self, OpenHow};
use syscalls::file::sealed::{memory, nobody_writes, seal};
use syscalls::file::{self, FileType};

use super::known::Stamp;
use crate::profile::abs_path::AbsPath;
use crate::supervisor::mediate::own_name;
use crate::trust::bundle;
use crate::trust::digest::{Digest, Hasher};
use crate::trust::policy::Rules;
use crate::trust::verify::{Bundles, Opened, Verdict};

/// The largest file that is handed over as a copy, in bytes.
const LARGEST_COPY: u64 = 16 << 20;
/// Bundles whose signature is not verified again; one for many files is read again and again.
const MOST_OPENED: usize = 64;
/// The bundle for many files, in the root of a project.
const PROJECT_BUNDLE: &[u8] = b".nono-trust.bundle";

/// A file that was read.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) stamp: Stamp,
    pub(super) digest: Digest,
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

/// Bundles that were opened, by the digest of their bytes.
#[derive(Debug, Default)]
pub(super) struct Evidence(Mutex<BTreeMap<Digest, Arc<Opened>>>);

/// Reads the regular file that is open without access as `object`, as the caller would.
///
/// # Errors
/// [`Unfit`].
pub(super) fn look(object: &OwnedFd) -> Result<Looked, Unfit> {
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
    let (digest, copy) = match written {
        Ok(true) => (digest(&mut file).map_err(failed)?, None),
        // Another user's file, or a filesystem that does not know: as if somebody wrote.
        Ok(false) | Err(_) if before.size <= LARGEST_COPY => {
            let (digest, copy) = copied(&mut file).map_err(failed)?;
            (digest, Some(Arc::new(copy)))
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
    Ok(Looked { stamp, digest, copy, is_being_written: written == Ok(false) })
}

impl Evidence {
    /// What the bundles say about the file at `path` with `digest`.
    pub(super) fn judge(&self, rules: &Rules, path: &AbsPath, digest: Digest) -> Verdict {
        if let Some(blocked) = rules.blocked_content(digest) {
            return blocked;
        }
        let beside = AbsPath::new(&[path.as_bytes(), b".bundle"].concat());
        let sidecar = beside.and_then(|place| self.opened(rules, &place));
        let mut last = None;
        for root in rules.roots() {
            let project = self.opened(rules, &root.join(PROJECT_BUNDLE));
            let project = project.as_deref().map(|opened| (root, opened));
            let verdict = rules.judge(path, digest, Bundles { sidecar: sidecar.as_deref(), project });
            // A root above or below may hold the bundle that speaks for the file.
            if !matches!(verdict, Verdict::Failed(_)) {
                return verdict;
            }
            last = last.filter(|_| project.is_none()).or(Some(verdict));
        }
        last.unwrap_or_else(|| rules.judge(path, digest, Bundles { sidecar: sidecar.as_deref(), project: None }))
    }

    /// The bundle at `place`; `None` where there is none.
    fn opened(&self, rules: &Rules, place: &AbsPath) -> Option<Arc<Opened>> {
        let bytes = match read(place) {
            Ok(bytes) => bytes,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return None,
            // No bundle has no bytes: what cannot be read is malformed.
            Err(_) => Vec::new(),
        };
        let digest = Digest::of(&bytes);
        let known = |opened: &Mutex<BTreeMap<Digest, Arc<Opened>>>| {
            opened.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned()
        };
        if let Some(opened) = known(&self.0) {
            return Some(opened);
        }
        let opened = Arc::new(rules.open(&bytes));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_OPENED {
            all.clear();
        }
        all.insert(digest, Arc::clone(&opened));
        Some(opened)
    }
}

/// The bytes of a bundle, which must be a regular file and not a link.
fn read(place: &AbsPath) -> std::io::Result<Vec<u8>> {
    let name = CString::new(place.as_bytes())?;
    let flags =
        OpenHow::READ_ONLY | OpenHow::NON_BLOCKING | OpenHow::NO_TERMINAL | OpenHow::CLOSE_ON_EXEC | OpenHow::NO_FOLLOW;
    let opened = at::open(None, &name, &OpenHow { flags, mode: 0, resolve: 0 })?;
    if file::status(opened.as_fd())?.kind != FileType::Regular {
        return Err(ErrorKind::InvalidInput.into());
    }
    let mut bytes = Vec::new();
    let most = u64::try_from(bundle::LARGEST).unwrap_or(u64::MAX).saturating_add(1);
    File::from(opened).take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn digest(file: &mut File) -> std::io::Result<Digest> {
    let (mut hasher, mut buffer) = (Hasher::default(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            length => hasher.update(buffer.get(..length).unwrap_or_default()),
        }
    }
}

/// A copy of `file` in sealed memory, and the digest of what the copy holds.
fn copied(file: &mut File) -> std::io::Result<(Digest, OwnedFd)> {
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
    let digest = digest(&mut copy)?;
    Ok((digest, OwnedFd::from(copy)))
}
