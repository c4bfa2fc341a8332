//! The host's own log: every session begins and ends in it, so that a session that was removed leaves a gap that shows.
//!
//! It has the form of a session's log. Its key is made on first use and never leaves the directory; a session's key is
//! certified by it and forgotten with the session.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};
use syscalls::file::lock;

use super::super::record::time::Moment;
use super::super::record::{self, Disposition, Fields};
use super::super::replay::{Line, Replay, Replayed};
use super::{LogError, store};
use crate::merkle::Hash;
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::frontier::Frontier;
use crate::merkle::key::{KeyError, Signer, Verifier};
use crate::merkle::note::Note;

/// Names of files.
pub const EVENTS: &str = "events.jsonl";
pub const CHECKPOINT: &str = "checkpoint";
const FRONTIER: &str = "frontier";
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
    /// The checkpoint that was last written or verified here: the same bytes need not be verified again.
    trusted: Mutex<Vec<u8>>,
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
        Ok(Self { signer: signer(&seed, &path)?, directory, trusted: Mutex::default() })
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

    /// Compares the sizes of the files: cheap, and enough not to begin a session above a log that was cut.
    ///
    /// # Errors
    /// The log is shorter than it was, or its files do not fit each other.
    pub fn check(&self) -> Result<(), LogError> {
        let path = self.directory.join(EVENTS);
        let there = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        match self.kept()? {
            Some((_, _, bytes)) if there < bytes => Err(damaged(&path, "is shorter than it was")),
            Some(_) | None => Ok(()),
        }
    }

    /// Adds a record and signs the log with it.
    ///
    /// # Errors
    /// What is there is not what was signed, or it cannot be written.
    pub fn append(&self, operation: &str, target: &str, more: impl FnOnce(&mut Fields<'_>)) -> Result<(), LogError> {
        let locked = store::open(&self.directory.join(LOCK))?;
        let wait = lock(locked.as_fd(), true).map_err(|errno| LogError::at("lock", &self.directory, errno.into()));
        wait?;
        let (mut events, mut tree, mut bytes) = self.read_on()?;
        let is_first = bytes == 0;
        let mut fields = Vec::new();
        begin(&mut fields, operation, target);
        more(&mut Fields::new(&mut fields));
        let mut line = Vec::new();
        record::line(&mut line, tree.size(), &fields, &store::random()?);
        tree.push(crate::merkle::leaf_hash(&line));
        line.push(b'\n');
        bytes = bytes.saturating_add(line.len() as u64);
        let written = events.write_all(&line).and_then(|()| events.sync_data());
        written.map_err(|error| LogError::at("write", &self.directory.join(EVENTS), error))?;
        if is_first {
            // The file is new: its name has to last as well.
            store::sync_directory(&self.directory)?;
        }
        self.publish(&tree, bytes)
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

    /// The log open for adding to, with its tree and length. What stands behind the last checkpoint was written by a
    /// session that died between the two: whole lines are taken over, and a torn one is cut off.
    fn read_on(&self) -> Result<(File, Frontier, u64), LogError> {
        let path = self.directory.join(EVENTS);
        let mut events = store::open(&path)?;
        let there = events.metadata().map_err(|error| LogError::at("read", &path, error))?.len();
        let (tree, bytes) = match self.kept()? {
            Some((checkpoint, tree, bytes)) if tree.root() == checkpoint.root => (tree, bytes),
            Some((checkpoint, _, _)) => {
                let replayed = replay(&path, &mut events, Some(checkpoint), |_| {})?;
                return self.cut(events, replayed);
            }
            None => (Frontier::default(), 0),
        };
        match there.cmp(&bytes) {
            std::cmp::Ordering::Equal => Ok((events, tree, bytes)),
            std::cmp::Ordering::Less => Err(damaged(&path, "is shorter than it was")),
            std::cmp::Ordering::Greater => {
                let checkpoint = self.kept()?.map(|(checkpoint, _, _)| checkpoint);
                let replayed = replay(&path, &mut events, checkpoint, |_| {})?;
                self.cut(events, replayed)
            }
        }
    }

    fn cut(&self, mut events: File, replayed: Replayed) -> Result<(File, Frontier, u64), LogError> {
        if !replayed.torn.is_empty() {
            let cut = events.set_len(replayed.whole).and_then(|()| events.seek(SeekFrom::End(0)));
            cut.map_err(|error| LogError::at("cut", &self.directory.join(EVENTS), error))?;
        }
        Ok((events, replayed.tree, replayed.whole))
    }

    /// The last checkpoint with its frontier and the length of the log at it.
    fn kept(&self) -> Result<Option<(Checkpoint, Frontier, u64)>, LogError> {
        let path = self.directory.join(CHECKPOINT);
        let Some(note) = store::read(&path, LONGEST_NOTE)? else { return Ok(None) };
        let checkpoint = self.verified(&note).ok_or_else(|| damaged(&path, "was not signed by this host's key"))?;
        let frontier = store::read(&self.directory.join(FRONTIER), LONGEST_NOTE)?.and_then(|text| parsed(&text));
        let (tree, bytes) = frontier.filter(|(tree, _)| tree.size() == checkpoint.size).unwrap_or_default();
        Ok(Some((checkpoint, tree, bytes)))
    }

    /// What a checkpoint says that this host's key signed.
    fn verified(&self, note: &[u8]) -> Option<Checkpoint> {
        let parsed = Note::parse(note).ok()?;
        let mut trusted = self.trusted.lock().unwrap_or_else(PoisonError::into_inner);
        if *trusted == note {
            return Checkpoint::parse(parsed.unverified_text());
        }
        let checkpoint = Checkpoint::open(&parsed, &self.origin(), &[self.verifier()]).ok()?;
        note.clone_into(&mut trusted);
        Some(checkpoint)
    }

    /// Signs the tree. The log itself is durable by now, so whatever of these a crash loses is made again from it: the
    /// checkpoint may be the one before, and a frontier that does not fit it is not used.
    fn publish(&self, tree: &Frontier, bytes: u64) -> Result<(), LogError> {
        let checkpoint = Checkpoint { origin: self.origin(), size: tree.size(), root: tree.root() };
        let mut frontier = format!("{} {bytes}\n", tree.size());
        for hash in tree.complete() {
            frontier.push_str(&hex(hash));
            frontier.push('\n');
        }
        store::cache(&self.directory, FRONTIER, frontier.as_bytes())?;
        let note = self.sign(checkpoint.to_string()).to_string().into_bytes();
        store::renew(&self.directory, CHECKPOINT, &note)?;
        *self.trusted.lock().unwrap_or_else(PoisonError::into_inner) = note;
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

/// Reads a log from its beginning, and shows every line.
pub(super) fn replay(
    path: &Path,
    events: &mut File,
    signed: Option<Checkpoint>,
    mut each: impl FnMut(Line<'_>),
) -> Result<Replayed, LogError> {
    let failed = |error| LogError::at("read", path, error);
    events.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mut replay = Replay::new(signed);
    let mut part = vec![0; 1 << 16];
    loop {
        let length = events.read(&mut part).map_err(failed)?;
        let Some(read @ [_, ..]) = part.get(..length) else { break };
        replay.feed(read, &mut each).map_err(|tampered| damaged(path, &format!("was changed: {tampered}")))?;
    }
    replay.finish().map_err(|tampered| damaged(path, &format!("was changed: {tampered}")))
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

fn damaged(path: &Path, why: &str) -> LogError {
    let advice = "`nono audit verify --all` says more; move the directory away to begin another log";
    LogError::because(path, format!("{why}: {advice}"))
}

/// The key with a name of its own: others' logs have other keys, and so other names.
fn signer(seed: &[u8; 32], path: &Path) -> Result<Signer, LogError> {
    let wrong = |error: KeyError| LogError::because(path, format!("is not a key: {error}"));
    let fingerprint = Signer::new("nono-host", seed).map_err(wrong)?.verifier().fingerprint();
    let name = format!("nono-host/{}", hex(fingerprint.get(..16).unwrap_or_default()));
    Signer::new(&name, seed).map_err(wrong)
}

fn seed(text: &[u8]) -> Option<[u8; 32]> {
    let digits = std::str::from_utf8(text).ok()?.strip_prefix(PRIVATE)?.strip_suffix('\n')?;
    unhex(digits)
}

fn parsed(text: &[u8]) -> Option<(Frontier, u64)> {
    let mut lines = std::str::from_utf8(text).ok()?.lines();
    let (size, bytes) = lines.next()?.split_once(' ')?;
    let complete: Vec<Hash> = lines.map(unhex).collect::<Option<_>>()?;
    Some((Frontier::from_parts(size.parse().ok()?, complete)?, bytes.parse().ok()?))
}

/// `bytes` in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Option<[u8; 32]> {
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
