//! Bundles where they lie: read without following links, and each verified once.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use syscalls::Errno;
use syscalls::at::{self, OpenHow};
use syscalls::file::{self, FileType, Status};

use super::bundle;
use super::digest::Digest;
use super::policy::Rules;
use super::verify::{BundleSource, Opened};
use crate::profile::abs_path::AbsPath;

/// Bundles that are remembered; past these all are verified again.
const MOST: usize = 10_000;

/// Bundles that were opened under one set of rules, by the digest of their bytes.
#[derive(Debug, Default)]
pub struct Evidence(Mutex<BTreeMap<Digest, Arc<Opened>>>);

/// Bundles as they are now.
#[derive(Clone, Copy, Debug)]
pub struct Present<'e> {
    pub evidence: &'e Evidence,
    pub rules: &'e Rules,
}

impl Evidence {
    /// What came of the bundle that is `bytes`.
    pub fn opened(&self, rules: &Rules, bytes: &[u8]) -> Arc<Opened> {
        let digest = Digest::of(bytes);
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().get(&digest).cloned();
        if let Some(opened) = known {
            return opened;
        }
        let opened = Arc::new(rules.open(bytes));
        let mut all = lock();
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(digest, Arc::clone(&opened));
        opened
    }
}

impl BundleSource for Present<'_> {
    fn of(&mut self, bytes: &[u8]) -> Arc<Opened> {
        self.evidence.opened(self.rules, bytes)
    }

    fn at(&mut self, place: &AbsPath) -> Option<Arc<Opened>> {
        let bytes = match read_bundle(place) {
            Ok(bytes) => bytes,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return None,
            Err(error) => {
                let is_link = error.raw_os_error() == Some(Errno::LOOP.0);
                let is_other = is_link || error.kind() == ErrorKind::InvalidInput;
                let why = if is_other { "it is not a regular file".to_owned() } else { error.to_string() };
                return Some(Arc::new(Opened::unreadable(why)));
            }
        };
        Some(self.evidence.opened(self.rules, &bytes))
    }
}

/// Opens what lies at `place`, and waits for nobody: not a link, with what it is.
///
/// # Errors
/// Those of `openat2(2)`; `ELOOP` for a link.
pub fn open_here(place: &AbsPath) -> Result<(OwnedFd, Status), Errno> {
    let name = CString::new(place.as_bytes()).map_err(|_| Errno::INVALID)?;
    let flags =
        OpenHow::READ_ONLY | OpenHow::NON_BLOCKING | OpenHow::NO_TERMINAL | OpenHow::CLOSE_ON_EXEC | OpenHow::NO_FOLLOW;
    let opened = at::open(None, &name, &OpenHow { flags, mode: 0, resolve: 0 })?;
    let status = file::status(opened.as_fd())?;
    Ok((opened, status))
}

/// The bytes of a bundle, which must be a regular file and not a link.
///
/// # Errors
/// Those of opening and reading, and `InvalidInput`.
fn read_bundle(place: &AbsPath) -> io::Result<Vec<u8>> {
    let (opened, status) = open_here(place)?;
    if status.kind != FileType::Regular {
        return Err(ErrorKind::InvalidInput.into());
    }
    let most = bundle::LARGEST as u64 + 1;
    // One byte more than there should be: the end is then seen without another read.
    let mut bytes = Vec::with_capacity(usize::try_from(status.size.min(most)).unwrap_or(0).saturating_add(1));
    File::from(opened).take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}
