//! Unix sockets, which only root or the user may have put there.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use super::super::Failure;
use super::super::deadline::Deadline;
use super::Waiters;
use crate::profile::abs_path::AbsPath;

const WRITABLE_BY_OTHERS: u32 = 0o002;
/// Only an entry's owner may remove or rename it (inode(7)).
const STICKY: u32 = 0o1000;

/// A connection to the socket `path`.
///
/// The file is looked at for a clear message. What decides is who listens at the other end, as the kernel tells it.
pub(in super::super) fn connect(
    waiters: &Waiters,
    path: &AbsPath,
    deadline: Deadline<'_>,
) -> Result<UnixStream, Failure> {
    let file = PathBuf::from(std::ffi::OsStr::from_bytes(path.as_bytes()));
    check_file(&file)?;
    let stream = waiters
        .wait_for(deadline, move || UnixStream::connect(file))?
        .map_err(|error| Failure::unsent("connect", format!("the socket cannot be connected to: {error}")))?;
    let peer = syscalls::credentials::peer_user(stream.as_fd())
        .map_err(|error| Failure::new("unix-peer", format!("the system does not say who listens: {error}")))?;
    if !is_trusted(peer) {
        return Err(Failure::new("unix-peer", format!("user {peer} listens there, and neither root nor this user")));
    }
    Ok(stream)
}

fn check_file(file: &Path) -> Result<(), Failure> {
    let facts = fs::symlink_metadata(file)
        .map_err(|error| Failure::unsent("connect", format!("the socket cannot be looked at: {error}")))?;
    if !facts.file_type().is_socket() {
        return Err(Failure::new("unix-kind", "what is there is no socket"));
    }
    if !is_trusted(facts.uid()) {
        return Err(Failure::new("unix-owner", format!("the socket belongs to user {}", facts.uid())));
    }
    if facts.mode() & WRITABLE_BY_OTHERS != 0 {
        return Err(Failure::new("unix-mode", "every user may connect to the socket; take that from its mode"));
    }
    let directory = file.parent().unwrap_or_else(|| Path::new("/"));
    let around = fs::symlink_metadata(directory)
        .map_err(|error| Failure::unsent("connect", format!("the socket's directory cannot be looked at: {error}")))?;
    if around.mode() & WRITABLE_BY_OTHERS != 0 && around.mode() & STICKY == 0 {
        return Err(Failure::new(
            "unix-mode",
            "every user may replace the socket; take that from its directory's mode",
        ));
    }
    Ok(())
}

/// Root, or whoever runs this.
fn is_trusted(user: u32) -> bool {
    user == 0 || user == syscalls::credentials::effective_user()
}
