//! The thread that writes: makes lines out of fields, hashes them, appends them in one write, syncs and signs.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::fold::{Fold, Record};
use super::host::{CHECKPOINT, EVENTS};
use super::queue::{Batch, Frame, Queue, Repeats, frames};
use super::recovery::recover;
use super::session::{CERTIFICATE, Opened, certificate};
use super::{LogError, store};
use crate::audit::record::{self, Fields, LONGEST, When};
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::frontier::Frontier;
use crate::merkle::key::Signer;
use crate::merkle::leaf_hash;
use crate::merkle::note::Note;

/// How long a record that nobody waits for may stay in the system's cache.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// How long records may go without a signature, and how many; the first is sooner, for short sessions.
const FIRST_SIGNED_AFTER: Duration = Duration::from_secs(1);
const SIGNED_EVERY: Duration = Duration::from_secs(10);
const MOST_UNSIGNED: u64 = 1 << 16;
/// Salts that are had from the kernel at once.
const SALTS: usize = 64;

/// Adds the fields of a record that take longer than whoever records it should wait.
pub(super) type Rest = Box<dyn FnOnce(&mut Fields<'_>) + Send>;

pub(super) struct Writer {
    session: Opened,
    /// What the host signed about this session's key, until it is durable.
    certificate: Option<File>,
    /// The checkpoint of all that is synced, once that was signed.
    checkpoint: String,
    /// What the first record gets, until it has it.
    rest: Vec<u8>,
    signer: Signer,
    tree: Frontier,
    fold: Fold,
    lines: Vec<u8>,
    salts: Salts,
    /// The size of the tree that was synced, and that was signed.
    synced: u64,
    signed: u64,
    last_sync: Instant,
    last_signature: Instant,
}

/// Random bytes that were had in advance.
struct Salts {
    bytes: [u8; SALTS * 16],
    used: usize,
}

impl Writer {
    /// Writes until the queue ends. Whatever fails loses the log.
    pub(super) fn run(session: Opened, rest: Rest, queue: &Queue, lost: &dyn Fn()) {
        let written = Self::new(session).and_then(|mut writer| writer.work(queue, rest));
        if let Err(error) = written {
            queue.lose(&error);
            lost();
        }
    }

    fn new(session: Opened) -> Result<Self, LogError> {
        let origin = session.host.session_origin(&session.id);
        let mut seed = store::random()?;
        let signer = Signer::new(&origin, &seed);
        // The key erases itself; the bytes it was made of are not to outlive it.
        seed = std::hint::black_box([0; 32]);
        std::hint::black_box(&seed);
        let signer = signer.map_err(|error| LogError::because(&session.directory, error.to_string()))?;
        let now = Instant::now();
        let salts = Salts { bytes: [0; SALTS * 16], used: SALTS };
        let lines = Vec::with_capacity(1 << 16);
        let tree = Frontier::default();
        let fold = Fold::default();
        Ok(Self {
            session,
            certificate: None,
            checkpoint: String::new(),
            rest: Vec::new(),
            signer,
            tree,
            fold,
            lines,
            salts,
            synced: 0,
            signed: 0,
            last_sync: now,
            last_signature: now,
        })
    }

    fn work(&mut self, queue: &Queue, rest: Rest) -> Result<(), LogError> {
        let mut taken = Vec::new();
        let mut looked = false;
        // At once, while the program starts: a program that is short need not wait for it at its end.
        self.begin()?;
        rest(&mut Fields::new(&mut self.rest));
        loop {
            let batch = queue.take(&mut taken, self.due());
            self.append(&taken, batch.last)?;
            if !looked {
                self.look_after_others()?;
                looked = true;
            }
            self.settle(&batch, queue)?;
            if batch.last {
                return self.end();
            }
        }
    }

    /// Says in the host's log that the session began, and with which key.
    fn begin(&mut self) -> Result<(), LogError> {
        let Opened { id, directory, host, .. } = &self.session;
        let key = self.signer.verifier();
        let mut file = store::create(&directory.join(CERTIFICATE))?;
        let note = host.sign(certificate(id, &key)).to_string();
        file.write_all(note.as_bytes()).map_err(|error| LogError::at("write", &directory.join(CERTIFICATE), error))?;
        self.certificate = Some(file);
        host.announce("session.opened", id, |fields| fields.text("key", &key.to_string()))
    }

    /// Signs what was left behind by sessions whose supervisor was killed.
    fn look_after_others(&self) -> Result<(), LogError> {
        let Opened { id, directory, host, .. } = &self.session;
        let state = directory.parent().and_then(|sessions| sessions.parent());
        state.map_or(Ok(()), |state| recover(host, state, id))
    }

    /// Says in the host's log how the session ended, once the names of the session's files are there for good.
    fn end(&self) -> Result<(), LogError> {
        let Opened { id, directory, host, .. } = &self.session;
        let is_signed = self.signed == self.tree.size() && !self.checkpoint.is_empty();
        let note = if is_signed { self.checkpoint.clone() } else { self.note().to_string() };
        let names = File::open(directory).map_err(|error| LogError::at("open", directory, error))?;
        host.append_after(&names, "session.closed", id, |fields| fields.exact("checkpoint", &note))?;
        host.close(id);
        Ok(())
    }

    /// Appends a line for each record that is not only counted, and for what was counted when that is due or nothing comes
    /// after it: all in one write.
    fn append(&mut self, taken: &[u8], last: bool) -> Result<(), LogError> {
        self.lines.clear();
        let now = Instant::now();
        for frame in frames(taken) {
            let is_settled = frame == Frame::Settle;
            if is_settled || self.fold.is_due(now) {
                self.unfold()?;
            }
            match frame {
                Frame::Record { when, fields, repeats } => {
                    if repeats == Repeats::Written || self.fold.admits(when, fields, now) {
                        self.line(when, fields)?;
                    }
                }
                Frame::Settle => {}
            }
        }
        if last || self.fold.is_due(now) {
            self.unfold()?;
        }
        if self.lines.is_empty() {
            return Ok(());
        }
        self.session.events.write_all(&self.lines).map_err(|error| self.failed("write", error))
    }

    /// A line for each operation that was only counted.
    fn unfold(&mut self) -> Result<(), LogError> {
        let mut fold = std::mem::take(&mut self.fold);
        for (Record { when, mut fields }, count) in fold.take() {
            Fields::new(&mut fields).number("repeats", count);
            self.line(when, &fields)?;
        }
        self.fold = fold;
        Ok(())
    }

    fn line(&mut self, when: When, fields: &[u8]) -> Result<(), LogError> {
        if !self.rest.is_empty() {
            let rest = std::mem::take(&mut self.rest);
            let mut whole = fields.to_vec();
            Fields::new(&mut whole).raw(&rest);
            return self.line(when, &whole);
        }
        let start = self.lines.len();
        let salt = self.salts.next().map_err(|error| self.failed("read random bytes for", error))?;
        record::timed_line(&mut self.lines, self.tree.size(), when, fields, &salt);
        let line = self.lines.get(start..).unwrap_or_default();
        if line.len() > LONGEST {
            return Err(LogError::because(&self.path(), "would have a record that is too long"));
        }
        self.tree.push(leaf_hash(line));
        self.lines.push(b'\n');
        Ok(())
    }

    /// Syncs and signs what is due.
    fn settle(&mut self, batch: &Batch, queue: &Queue) -> Result<(), LogError> {
        let now = Instant::now();
        let dirty = self.tree.size() > self.synced;
        let sign = self.signature_is_due(now) || (batch.last && self.tree.size() > self.signed);
        if sign || (dirty && (batch.awaited || now.saturating_duration_since(self.last_sync) >= SYNC_EVERY)) {
            self.sync(sign, batch.last)?;
            (self.synced, self.last_sync) = (self.tree.size(), now);
        }
        if self.synced == self.tree.size() {
            queue.synced(batch.added);
        }
        if sign {
            (self.signed, self.last_signature) = (self.tree.size(), now);
        }
        Ok(())
    }

    /// Makes what was recorded durable, and signs it where that is due. With the first of it goes what the session began
    /// with. At the end the host's log has another word to say about it, which makes the names and that log durable as well.
    fn sync(&mut self, sign: bool, last: bool) -> Result<(), LogError> {
        let Opened { directory, host, events, .. } = &self.session;
        let note = sign.then(|| self.note().to_string());
        let begin = |note: &String| store::Renewal::begin(directory, CHECKPOINT, note.as_bytes());
        let renewal = note.as_ref().map(begin).transpose()?;
        let mut files = vec![events];
        files.extend(&self.certificate);
        files.extend(renewal.as_ref().map(store::Renewal::file));
        store::sync(None, &files).map_err(|error| LogError::at("sync", &directory.join(EVENTS), error))?;
        renewal.map_or(Ok(()), store::Renewal::finish)?;
        let is_first = self.certificate.is_some();
        if !last && (sign || is_first) {
            store::sync_directory(directory)?;
        }
        if !last && is_first {
            host.seal()?;
        }
        self.certificate = None;
        self.checkpoint = note.unwrap_or_default();
        Ok(())
    }

    /// When something is to be synced, signed or written; `None` while everything is.
    fn due(&self) -> Option<Instant> {
        let sync = (self.tree.size() > self.synced).then(|| self.last_sync + SYNC_EVERY);
        let sign = (self.tree.size() > self.signed).then(|| self.last_signature + self.signed_every());
        [sync, sign, self.fold.due()].into_iter().flatten().min()
    }

    fn signature_is_due(&self, now: Instant) -> bool {
        let unsigned = self.tree.size().saturating_sub(self.signed);
        let waited = now.saturating_duration_since(self.last_signature) >= self.signed_every();
        unsigned >= MOST_UNSIGNED || (unsigned > 0 && waited)
    }

    fn signed_every(&self) -> Duration {
        if self.signed == 0 { FIRST_SIGNED_AFTER } else { SIGNED_EVERY }
    }

    fn note(&self) -> Note {
        let origin = self.session.host.session_origin(&self.session.id);
        let checkpoint = Checkpoint { origin, size: self.tree.size(), root: self.tree.root() };
        Note::signed(checkpoint.to_string(), &self.signer)
    }

    fn path(&self) -> PathBuf {
        self.session.directory.join(EVENTS)
    }

    fn failed(&self, doing: &'static str, error: std::io::Error) -> LogError {
        LogError::at(doing, &self.path(), error)
    }
}

impl Salts {
    fn next(&mut self) -> std::io::Result<[u8; 16]> {
        if self.used >= SALTS {
            File::open("/dev/urandom")?.read_exact(&mut self.bytes)?;
            self.used = 0;
        }
        let salt = self.bytes.chunks_exact(16).nth(self.used).and_then(|salt| salt.try_into().ok());
        self.used = self.used.saturating_add(1);
        salt.ok_or_else(|| std::io::Error::other("the salts are used up"))
    }
}
