//! One session's log: its place and its key.

use std::ffi::CString;
use std::fs::File;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use syscalls::file::{lock, open_read};

use super::host::{self, EVENTS, Host};
use super::queue::{Log, Queue};
use super::writer::{Rest, Writer};
use super::{LogError, store};
use crate::audit::record::Fields;
use crate::audit::record::time::Moment;
use crate::merkle::key::Verifier;
use crate::merkle::note::Note;

/// The name of the file that says which key signs a session.
pub const CERTIFICATE: &str = "certificate";
/// The first line of a certificate. The text of a checkpoint has a number behind its first line, so it is none.
const CERTIFIED: &str = "nono session key";

/// A session's files, made and locked, before anything is recorded.
#[derive(Debug)]
pub struct Opened {
    pub(super) id: String,
    pub(super) directory: PathBuf,
    pub(super) events: File,
    pub(super) host: Host,
}

/// The sessions' directory beneath nono's state directory.
pub fn sessions(state: &Path) -> PathBuf {
    state.join("sessions")
}

impl Opened {
    /// Makes the place of a new session beneath nono's state directory.
    ///
    /// # Errors
    /// A directory or key that cannot be used, or not be trusted.
    pub fn create(state: &Path, user: u32, now: Moment) -> Result<Self, LogError> {
        store::directory(state, user)?;
        let host = Host::open(state, user)?;
        host.check()?;
        let all = sessions(state);
        store::directory(&all, user)?;
        let id = format!("{}-{}", now.compact(), host::hex(&store::random::<4>()?));
        let directory = all.join(&id);
        store::directory(&directory, user)?;
        let events = store::create(&directory.join(EVENTS))?;
        // Only somebody who looks whether it runs holds the lock, and not for long.
        lock(events.as_fd(), true).map_err(|errno| LogError::at("lock", &directory, errno.into()))?;
        host.mark_open(&id)?;
        Ok(Self { id, directory, events, host })
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// Starts the thread that writes. It adds `rest` to the first record, for what takes longer than whoever records it should
    /// wait, and calls `lost` once when nothing can be written any more.
    ///
    /// # Errors
    /// `EAGAIN` when there can be no more threads.
    pub fn start(
        self,
        rest: impl FnOnce(&mut Fields<'_>) + Send + 'static,
        lost: impl Fn() + Send + 'static,
    ) -> Result<Log, LogError> {
        let queue = Arc::new(Queue::default());
        let directory = self.directory.clone();
        let own = Arc::clone(&queue);
        let rest: Rest = Box::new(rest);
        let thread = thread::Builder::new().name("log".to_owned());
        let started = thread.spawn(move || Writer::run(self, rest, &own, &lost));
        let writer = started.map_err(|error| LogError::at("start the thread that writes", &directory, error))?;
        Ok(Log::new(queue, writer))
    }
}

/// The text in which a host says that session `id` signs with `key`.
pub(super) fn certificate(id: &str, key: &Verifier) -> String {
    format!("{CERTIFIED}\n{id}\n{key}\n")
}

/// The key of session `id` out of a certificate that the host has signed; `None` when it says something else.
pub fn certified_key(note: &[u8], id: &str, host: &Verifier) -> Option<Verifier> {
    let note = Note::parse(note).ok()?;
    let (text, _) = note.verify(std::slice::from_ref(host)).ok()?;
    let rest = text.strip_prefix(CERTIFIED)?.strip_prefix('\n')?.strip_prefix(id)?.strip_prefix('\n')?;
    Verifier::parse(rest.strip_suffix('\n')?).ok()
}

/// Whether the session in `directory` holds the lock on its records, as it does until it ends.
pub fn is_running(directory: &Path) -> bool {
    let Ok(events) = CString::new(directory.join(EVENTS).into_os_string().into_vec()) else { return false };
    open_read(&events).is_ok_and(|events| lock(events.as_fd(), false).is_err())
}
