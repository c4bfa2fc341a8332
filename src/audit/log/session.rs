//! One session's log: its place, its key, and what is left of it when the supervisor was killed.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use syscalls::file::lock;

use super::host::{self, CHECKPOINT, EVENTS, Host, LONGEST_NOTE};
use super::queue::{Log, Queue};
use super::writer::Writer;
use super::{LogError, store};
use crate::audit::record::parse::Record;
use crate::audit::record::time::Moment;
use crate::audit::record::{self, Fields};
use crate::audit::replay::ledger::{End, Ledger};
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::key::Verifier;
use crate::merkle::leaf_hash;
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
        lock(events.as_fd(), false).map_err(|errno| LogError::at("lock", &directory, errno.into()))?;
        host.mark_open(&id)?;
        Ok(Self { id, directory, events, host })
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// Starts the thread that writes. It calls `lost` once when nothing can be written any more.
    ///
    /// # Errors
    /// `EAGAIN` when there can be no more threads.
    pub fn start(self, lost: impl Fn() + Send + 'static) -> Result<Log, LogError> {
        let queue = Arc::new(Queue::default());
        let directory = self.directory.clone();
        let own = Arc::clone(&queue);
        let thread = thread::Builder::new().name("log".to_owned());
        let started = thread.spawn(move || Writer::run(self, &own, &lost));
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
    File::open(directory.join(EVENTS)).is_ok_and(|events| lock(events.as_fd(), false).is_err())
}

/// Signs, with the host's key, what sessions left behind whose supervisor was killed. One that was changed since its last
/// checkpoint is left as it is, and the host's log says so.
///
/// # Errors
/// The host's log cannot be written.
pub(super) fn recover(host: &Host, state: &Path, own: &str) -> Result<(), LogError> {
    for id in host.open_sessions().iter().filter(|id| *id != own) {
        let directory = sessions(state).join(id);
        let path = directory.join(EVENTS);
        if !path.exists() {
            if has_ended(host, id)? {
                host.close(id);
                continue;
            }
            let why = "its log is gone";
            host.append("session.damaged", id, |fields| fields.text("reason", why))?;
            host.close(id);
            continue;
        }
        let mut events = store::open(&path)?;
        // A session that still runs holds its lock; whoever has it is the only one to say how the session ended.
        if lock(events.as_fd(), false).is_err() {
            continue;
        }
        // Killed between the last record and the removal of the mark.
        if has_ended(host, id)? {
            host.close(id);
            continue;
        }
        match sealed(host, id, &directory, &mut events) {
            Ok(checkpoint) => {
                host.append("session.recovered", id, |fields| fields.exact("checkpoint", &checkpoint))?;
            }
            Err(error) => {
                let why = error.to_string();
                host.append("session.damaged", id, |fields| fields.text("reason", &why))?;
            }
        }
        host.close(id);
    }
    Ok(())
}

/// Whether the host's log says how session `id` ended.
fn has_ended(host: &Host, id: &str) -> Result<bool, LogError> {
    let path = host.directory().join(EVENTS);
    let failed = |error| LogError::at("read", &path, error);
    let mut ledger = Ledger::new(Some(id));
    for line in BufReader::new(File::open(&path).map_err(failed)?).split(b'\n') {
        let line = line.map_err(failed)?;
        // Others are many, and need not be taken apart.
        if !line.windows(id.len()).any(|part| part == id.as_bytes()) {
            continue;
        }
        if let Ok(record) = Record::parse(&line) {
            ledger.learn(&record).map_err(|why| LogError::because(&path, why))?;
        }
    }
    Ok(ledger.of(id).is_some_and(|known| known.end != End::Open))
}

/// Cuts a torn line off, keeps it aside, and signs what is there with a record of that.
fn sealed(host: &Host, id: &str, directory: &Path, events: &mut File) -> Result<String, LogError> {
    let path = directory.join(EVENTS);
    let origin = host.session_origin(id);
    let signed = last_checkpoint(host, id, directory)?;
    let signed_size = signed.as_ref().map_or(0, |checkpoint| checkpoint.size);
    let mut replayed = host::replay(&path, events, signed)?;
    let failed = |error| LogError::at("write", &path, error);
    if !replayed.torn.is_empty() {
        store::replace(directory, "torn-0.bin", &replayed.torn)?;
        events.set_len(replayed.whole).map_err(failed)?;
    }
    let mut fields = Vec::new();
    host::begin(&mut fields, "log.recovered", id);
    let mut more = Fields::new(&mut fields);
    more.number("dropped_bytes", replayed.torn.len() as u64);
    more.text("dropped_sha256", &host::digest(&replayed.torn));
    more.number("unsigned_records", replayed.tree.size().saturating_sub(signed_size));
    more.text("reason", "the supervisor ended without closing its log");
    let mut line = Vec::new();
    record::line(&mut line, replayed.tree.size(), &fields, &store::random()?);
    replayed.tree.push(leaf_hash(&line));
    line.push(b'\n');
    events.write_all(&line).and_then(|()| events.sync_data()).map_err(failed)?;
    let checkpoint = Checkpoint { origin, size: replayed.tree.size(), root: replayed.tree.root() };
    let note = host.sign(checkpoint.to_string()).to_string();
    store::replace(directory, CHECKPOINT, note.as_bytes())?;
    Ok(note)
}

/// The last checkpoint of a session, checked; `None` before the first.
fn last_checkpoint(host: &Host, id: &str, directory: &Path) -> Result<Option<Checkpoint>, LogError> {
    let path = directory.join(CHECKPOINT);
    let Some(note) = store::read(&path, LONGEST_NOTE)? else { return Ok(None) };
    let mut keys = vec![host.verifier()];
    let certificate = store::read(&directory.join(CERTIFICATE), LONGEST_NOTE)?;
    keys.extend(certificate.and_then(|note| certified_key(&note, id, &host.verifier())));
    let note = Note::parse(&note).map_err(|error| LogError::because(&path, error.to_string()))?;
    let opened = Checkpoint::open(&note, &host.session_origin(id), &keys);
    opened.map(Some).map_err(|error| LogError::because(&path, error.to_string()))
}
