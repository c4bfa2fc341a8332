//! The host's own log: every session begins and ends in it, so that a session that was removed leaves a gap that shows.
//!
//! It has the form of a session's log. Its key is made on first use and never leaves the directory; a session's key is
//! certified by it and forgotten with the session.

use std::fs::{self, File};
use std::io::{ErrorKind, Seek as _, SeekFrom, Write as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};
use syscalls::file::lock;

use super::super::record::time::Moment;
use super::super::record::{self, Disposition, Fields};
use super::super::replay::Replayed;
use super::reached::Reached;
use super::{LogError, store};
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::frontier::Frontier;
use crate::merkle::key::{KeyError, Signer, Verifier};
use crate::merkle::note::Note;

/// Names of files.
pub const EVENTS: &str = "events.jsonl";
pub const CHECKPOINT: &str = "checkpoint";
const KEY: &str = "key";
const LOCK: &str = "lock";
/// Sessions that have begun and not ended.
const OPEN: &str = "open";

/// The longest checkpoint that is read, with its cosignatures.
pub const LONGEST_NOTE: u64 = 1 << 20;

/// The host's log and its key.
#[derive(Debug)]
pub struct Host {
    directory: PathBuf,
    signer: Signer,
    known: Mutex<Known>,
}

/// What was read or written here.
#[derive(Debug, Default)]
struct Known {
    /// The last checkpoint that was signed or verified: the same bytes need not be verified again.
    note: Vec<u8>,
    /// How far the log was read or written, and what was signed then.
    reached: Reached,
    signed: Option<Checkpoint>,
    /// The size of the tree that is kept beside the log.
    kept: u64,
}

/// The text of a key file: `PRIVATE+KEY+` and the seed in hexadecimal digits.
const PRIVATE: &str = "PRIVATE+KEY+";

impl Host {
    /// The log beneath nono's state directory, made with its key if there is none yet.
    ///
    /// # Errors
    /// A directory or key that cannot be used, or not be trusted.
    pub fn open(state: &Path, user: u32) -> Result<Self, LogError> {
        let directory = state.join("host-log");
        store::directory(&directory, user)?;
        store::directory(&directory.join(OPEN), user)?;
        let path = directory.join(KEY);
        let seed = match store::read_secret(&path, user)? {
            Some(text) => seed(&text).ok_or_else(|| LogError::because(&path, "is not a key of nono's"))?,
            None => Self::make_key(&directory, user)?,
        };
        Ok(Self { signer: signer(&seed, &path)?, directory, known: Mutex::default() })
    }

    /// The log of a host whose key is there already, `None` when there is none.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn existing(state: &Path, user: u32) -> Result<Option<Self>, LogError> {
        if state.join("host-log").join(KEY).exists() { Self::open(state, user).map(Some) } else { Ok(None) }
    }

    /// The key that its checkpoints are verified with.
    pub fn verifier(&self) -> Verifier {
        self.signer.verifier()
    }

    /// The name of the log, and of its key.
    pub fn origin(&self) -> String {
        self.verifier().name().to_owned()
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The name of the log of session `id`.
    pub fn session_origin(&self, id: &str) -> String {
        session_origin(&self.origin(), id)
    }

    /// Signs what is the host's to say.
    pub(super) fn sign(&self, text: String) -> Note {
        Note::signed(text, &self.signer)
    }

    /// Reads what came since the log was last read: enough not to begin a session above a log that was cut.
    ///
    /// # Errors
    /// The log is not what was signed.
    pub fn check(&self) -> Result<(), LogError> {
        // The checkpoint first: what is added meanwhile stands behind it.
        let signed = self.signed()?;
        let path = self.directory.join(EVENTS);
        let mut events = match store::open_to_read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound && signed.is_none() => return Ok(()),
            other => other.map_err(|error| LogError::at("read", &path, error))?,
        };
        self.read_on(&mut events, signed).map(drop)
    }

    /// Adds a record and signs the log with it: when it answers, that is there for good.
    ///
    /// # Errors
    /// What is there is not what was signed, or it cannot be written.
    pub fn append(&self, operation: &str, target: &str, more: impl FnOnce(&mut Fields<'_>)) -> Result<(), LogError> {
        self.append_signed(None, (operation, target), more)
    }

    /// The same once the names in the directory `names` are durable.
    ///
    /// # Errors
    /// Those of [`Self::append`], and of `fsync(2)`.
    pub(super) fn append_after(
        &self,
        names: &File,
        operation: &str,
        target: &str,
        more: impl FnOnce(&mut Fields<'_>),
    ) -> Result<(), LogError> {
        self.append_signed(Some(names), (operation, target), more)
    }

    fn append_signed(
        &self,
        names: Option<&File>,
        said: (&str, &str),
        more: impl FnOnce(&mut Fields<'_>),
    ) -> Result<(), LogError> {
        self.locked(|events, tree, bytes| {
            let bytes = bytes.saturating_add(self.add(events, tree, said, more)?);
            self.publish(names, events, tree, bytes)
        })
    }

    /// Adds a record that is signed and made durable with the next one, or by [`Self::seal`].
    ///
    /// # Errors
    /// Those of [`Self::append`].
    pub(super) fn announce(
        &self,
        operation: &str,
        target: &str,
        more: impl FnOnce(&mut Fields<'_>),
    ) -> Result<(), LogError> {
        self.locked(|events, tree, bytes| {
            let bytes = bytes.saturating_add(self.add(events, tree, (operation, target), more)?);
            self.known().reached = Reached { tree: tree.clone(), bytes };
            Ok(())
        })
    }

    /// Signs what was announced, and makes it durable.
    ///
    /// # Errors
    /// Those of [`Self::append`].
    pub(super) fn seal(&self) -> Result<(), LogError> {
        self.locked(|events, tree, bytes| self.publish(None, events, tree, bytes))
    }

    /// Marks a session as begun, until [`Self::close`].
    pub(super) fn mark_open(&self, id: &str) -> Result<(), LogError> {
        store::create(&self.directory.join(OPEN).join(id)).map(drop)
    }

    pub(super) fn close(&self, id: &str) {
        // A mark that stays is looked at again by the next session, and found closed.
        let _ = fs::remove_file(self.directory.join(OPEN).join(id));
    }

    /// Whether a session is marked as begun.
    pub(super) fn is_marked(&self, id: &str) -> bool {
        self.directory.join(OPEN).join(id).exists()
    }

    /// Sessions that are marked as begun.
    pub(super) fn open_sessions(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.join(OPEN)).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }

    /// Does something with the log that nobody else does at the same time: the file, its tree and its length. What stands
    /// behind the last checkpoint was announced, or written by a session that died before it could sign: whole lines are
    /// taken over, and a torn one is cut off.
    fn locked<R>(&self, act: impl FnOnce(&mut File, &mut Frontier, u64) -> Result<R, LogError>) -> Result<R, LogError> {
        let locked = store::open(&self.directory.join(LOCK))?;
        let wait = lock(locked.as_fd(), true).map_err(|errno| LogError::at("lock", &self.directory, errno.into()));
        wait?;
        let path = self.directory.join(EVENTS);
        let mut events = store::open(&path)?;
        let signed = self.signed()?;
        let mut replayed = self.read_on(&mut events, signed)?;
        if !replayed.torn.is_empty() {
            let cut = events.set_len(replayed.whole).and_then(|()| events.seek(SeekFrom::End(0)));
            cut.map_err(|error| LogError::at("cut", &path, error))?;
        }
        act(&mut events, &mut replayed.tree, replayed.whole)
    }

    /// Writes a record and takes it into the tree. Answers with its length.
    fn add(
        &self,
        events: &mut File,
        tree: &mut Frontier,
        (operation, target): (&str, &str),
        more: impl FnOnce(&mut Fields<'_>),
    ) -> Result<u64, LogError> {
        let mut fields = Vec::new();
        begin(&mut fields, operation, target);
        more(&mut Fields::new(&mut fields));
        let mut line = Vec::new();
        record::line(&mut line, tree.size(), &fields, &store::random()?);
        tree.push(crate::merkle::leaf_hash(&line));
        line.push(b'\n');
        events.write_all(&line).map_err(|error| LogError::at("write", &self.directory.join(EVENTS), error))?;
        Ok(line.len() as u64)
    }

    /// Reads the log to its end, from where it was last read by this process or any, else from its beginning.
    fn read_on(&self, events: &mut File, signed: Option<Checkpoint>) -> Result<Replayed, LogError> {
        let path = self.directory.join(EVENTS);
        let known = self.known();
        let (reached, signed_then) = (known.reached.clone(), known.signed.clone());
        drop(known);
        let (reached, is_known) = if reached.bytes > 0 {
            // What is behind the checkpoint was looked at as well, as long as nobody has signed more.
            (reached, signed_then == signed)
        } else {
            let kept = Reached::kept(&self.directory)?;
            self.known().kept = kept.tree.size();
            (kept, false)
        };
        if is_known && events.metadata().is_ok_and(|metadata| metadata.len() < reached.bytes) {
            return Err(damaged(&path, "is shorter than it was"));
        }
        let replayed = if is_known || reached.leads_to(signed.as_ref()) {
            // A file that was kept may say anything; that the log was changed is for the log itself to say.
            reached.read_on(&path, events, signed.clone(), |_| {}).ok()
        } else {
            None
        };
        let replayed = match replayed {
            Some(replayed) => replayed,
            None => Reached::default().read_on(&path, events, signed.clone(), |_| {})?,
        };
        let mut known = self.known();
        known.reached = Reached { tree: replayed.tree.clone(), bytes: replayed.whole };
        known.signed = signed;
        drop(known);
        Ok(replayed)
    }

    /// What this host's key signed last.
    fn signed(&self) -> Result<Option<Checkpoint>, LogError> {
        let path = self.directory.join(CHECKPOINT);
        let Some(note) = store::read(&path, LONGEST_NOTE)? else { return Ok(None) };
        let checkpoint = self.verified(&note).ok_or_else(|| damaged(&path, "was not signed by this host's key"))?;
        Ok(Some(checkpoint))
    }

    /// What a checkpoint says that this host's key signed.
    fn verified(&self, note: &[u8]) -> Option<Checkpoint> {
        let parsed = Note::parse(note).ok()?;
        if self.known().note == note {
            return Checkpoint::parse(parsed.unverified_text());
        }
        let checkpoint = Checkpoint::open(&parsed, &self.origin(), &[self.verifier()]).ok()?;
        note.clone_into(&mut self.known().note);
        Some(checkpoint)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signs the tree. The log is durable before the checkpoint has its name, and the names in `names` before either; what a crash
    /// leaves under that name is the checkpoint before or this one.
    fn publish(&self, names: Option<&File>, events: &File, tree: &Frontier, bytes: u64) -> Result<(), LogError> {
        let checkpoint = Checkpoint { origin: self.origin(), size: tree.size(), root: tree.root() };
        let note = self.sign(checkpoint.to_string()).to_string().into_bytes();
        let is_first = self.known().note.is_empty();
        let failed = |error| LogError::at("write", &self.directory.join(EVENTS), error);
        let renewal = store::Renewal::begin(&self.directory, CHECKPOINT, &note)?;
        store::sync(names, &[events, renewal.file()]).map_err(failed)?;
        renewal.finish()?;
        if is_first {
            // The files are new: their names have to last as well.
            store::sync_directory(&self.directory)?;
        }
        let reached = Reached { tree: tree.clone(), bytes };
        let mut known = self.known();
        reached.keep(&self.directory, &mut known.kept)?;
        (known.note, known.reached, known.signed) = (note, reached, Some(checkpoint));
        Ok(())
    }

    /// Under the lock, so that two sessions that are the first make one key.
    fn make_key(directory: &Path, user: u32) -> Result<[u8; 32], LogError> {
        let locked = store::open(&directory.join(LOCK))?;
        lock(locked.as_fd(), true).map_err(|errno| LogError::at("lock", directory, errno.into()))?;
        let path = directory.join(KEY);
        if let Some(text) = store::read_secret(&path, user)? {
            return seed(&text).ok_or_else(|| LogError::because(&path, "is not a key of nono's"));
        }
        if directory.join(EVENTS).exists() {
            return Err(damaged(&path, "is gone, and nobody else can sign this log"));
        }
        let seed = store::random::<32>()?;
        store::replace(directory, KEY, format!("{PRIVATE}{}\n", hex(&seed)).as_bytes())?;
        Ok(seed)
    }
}

/// The name of the log of session `id` of the host `host`.
pub fn session_origin(host: &str, id: &str) -> String {
    format!("{host}/{id}")
}

/// The fields that every record has.
pub(super) fn begin(fields: &mut Vec<u8>, operation: &str, target: &str) {
    let mut fields = Fields::new(fields);
    let timestamp = now().text();
    fields.text("timestamp", std::str::from_utf8(&timestamp).unwrap_or_default());
    fields.text("operation", operation);
    fields.text("target", target);
    fields.text("disposition", Disposition::Noted.name());
}

/// The time of day.
pub fn now() -> Moment {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Moment { seconds: since.as_secs(), nanoseconds: since.subsec_nanos() }
}

pub(super) fn damaged(path: &Path, why: &str) -> LogError {
    let advice = "`nono audit verify --all` says more; move the directory away to begin another log";
    LogError::because(path, format!("{why}: {advice}"))
}

/// The key with a name of its own: others' logs have other keys, and so other names.
fn signer(seed: &[u8; 32], path: &Path) -> Result<Signer, LogError> {
    let wrong = |error: KeyError| LogError::because(path, format!("is not a key: {error}"));
    let signer = Signer::new("nono-host", seed).map_err(wrong)?;
    let fingerprint = signer.verifier().fingerprint();
    signer.named(&format!("nono-host/{}", hex(fingerprint.get(..16).unwrap_or_default()))).map_err(wrong)
}

fn seed(text: &[u8]) -> Option<[u8; 32]> {
    let digits = std::str::from_utf8(text).ok()?.strip_prefix(PRIVATE)?.strip_suffix('\n')?;
    unhex(digits)
}

/// `bytes` in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn unhex(digits: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if digits.len() != 64 || !digits.is_ascii() {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// The hash of `bytes`, as names have it.
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
