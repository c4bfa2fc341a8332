//! What sessions left behind whose supervisor was killed: cut to whole records, signed by the host, said in its log.
//!
//! Whoever recovers a session may be killed as well, at any moment, and others may be about the same one: the lock on its
//! records is held until its mark is gone, and what the host's log says already is not said again.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::path::Path;

use syscalls::file::lock;

use super::host::{self, CHECKPOINT, EVENTS, Host, LONGEST_NOTE};
use super::reached::Reached;
use super::session::{CERTIFICATE, certified_key, sessions};
use super::{LogError, store};
use crate::audit::record::parse::Record;
use crate::audit::record::{self, Fields};
use crate::audit::replay::Replayed;
use crate::audit::replay::ledger::{End, Ledger};
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::leaf_hash;
use crate::merkle::note::Note;

/// The last record of a session that was recovered.
const RECOVERED: &str = "log.recovered";
/// Torn ends of one session that are kept. Each is left by somebody who was killed while he recovered it.
const MOST_TORN: u32 = 1_000;

/// Signs, with the host's key, what sessions left behind whose supervisor was killed. One that was changed since its last
/// checkpoint is left as it is, and the host's log says so.
///
/// # Errors
/// The host's log cannot be written.
pub(super) fn recover(host: &Host, state: &Path, own: &str) -> Result<(), LogError> {
    for id in host.open_sessions().iter().filter(|id| *id != own) {
        let directory = sessions(state).join(id);
        let path = directory.join(EVENTS);
        let lost = match fs::symlink_metadata(&path) {
            Ok(found) if found.is_file() => None,
            Ok(_) => Some("something that is no file is in the place of its log"),
            Err(_) => Some("its log is gone"),
        };
        if let Some(why) = lost {
            if !has_ended(host, id)? {
                host.append("session.damaged", id, |fields| fields.text("reason", why))?;
            }
            host.close(id);
            continue;
        }
        let mut events = store::open(&path)?;
        // A session that still runs holds its lock, and so does whoever recovers it.
        if lock(events.as_fd(), false).is_err() || !host.is_marked(id) {
            continue;
        }
        // It may have been killed between its last word in the host's log and the removal of its mark.
        if !has_ended(host, id)? {
            match sealed(host, id, &directory, &mut events) {
                Ok(checkpoint) => {
                    host.append("session.recovered", id, |fields| fields.exact("checkpoint", &checkpoint))?;
                }
                Err(error) => {
                    let why = error.to_string();
                    host.append("session.damaged", id, |fields| fields.text("reason", &why))?;
                }
            }
        }
        host.close(id);
    }
    Ok(())
}

/// Whether the host's log says how session `id` ended.
fn has_ended(host: &Host, id: &str) -> Result<bool, LogError> {
    let path = host.directory().join(EVENTS);
    let mut ledger = Ledger::new(Some(id));
    Reached::default().read_on(&path, &mut store::open(&path)?, None, |line| {
        // Others are many, and need not be taken apart.
        if memchr::memmem::find(line.text, id.as_bytes()).is_some() {
            // What is wrong with a record is for `nono audit verify` to say.
            let _ = Record::parse(line.text).map(|record| ledger.learn(&record));
        }
    })?;
    Ok(ledger.of(id).is_some_and(|known| known.end != End::Open))
}

/// Cuts a torn line off, keeps it aside, and signs what is there with a record of that.
fn sealed(host: &Host, id: &str, directory: &Path, events: &mut File) -> Result<String, LogError> {
    let path = directory.join(EVENTS);
    let origin = host.session_origin(id);
    let signed = last_checkpoint(host, id, directory)?;
    let signed_size = signed.as_ref().map_or(0, |(checkpoint, _)| checkpoint.size);
    let mut last = Vec::new();
    let checkpoint = signed.as_ref().map(|(checkpoint, _)| checkpoint.clone());
    let mut replayed = Reached::default().read_on(&path, events, checkpoint, |line| {
        last.clear();
        last.extend_from_slice(line.text);
    })?;
    if let Some((_, note)) = signed.filter(|_| is_sealed(&replayed, signed_size, &last)) {
        return Ok(note);
    }
    let failed = |error| LogError::at("write", &path, error);
    if !replayed.torn.is_empty() {
        keep_aside(directory, &replayed.torn)?;
        events.set_len(replayed.whole).map_err(failed)?;
    }
    let mut fields = Vec::new();
    host::begin(&mut fields, RECOVERED, id);
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

/// Keeps what is cut off under the next free name: somebody who recovered the session before may have been killed as well.
fn keep_aside(directory: &Path, torn: &[u8]) -> Result<(), LogError> {
    for number in 0..MOST_TORN {
        let name = format!("torn-{number}.bin");
        match store::read(&directory.join(&name), torn.len() as u64) {
            Ok(None) => return store::replace(directory, &name, torn),
            // It was kept, and not cut off yet.
            Ok(Some(kept)) if kept == torn => return Ok(()),
            // Another one, or a longer one.
            Ok(Some(_)) | Err(_) => {}
        }
    }
    Err(LogError::because(directory, "has no name left for what is to be cut off its log: move the torn-*.bin away"))
}

/// Whether a session was sealed before, by somebody who was killed before the host's log could say so.
fn is_sealed(replayed: &Replayed, signed: u64, last: &[u8]) -> bool {
    let is_whole = replayed.torn.is_empty() && replayed.tree.size() == signed;
    is_whole && Record::parse(last).is_ok_and(|record| record.operation == RECOVERED)
}

/// The last checkpoint of a session, checked, with its signatures; `None` before the first.
fn last_checkpoint(host: &Host, id: &str, directory: &Path) -> Result<Option<(Checkpoint, String)>, LogError> {
    let path = directory.join(CHECKPOINT);
    let Some(note) = store::read(&path, LONGEST_NOTE)? else { return Ok(None) };
    let mut keys = vec![host.verifier()];
    let certificate = store::read(&directory.join(CERTIFICATE), LONGEST_NOTE)?;
    keys.extend(certificate.and_then(|note| certified_key(&note, id, &host.verifier())));
    let note = Note::parse(&note).map_err(|error| LogError::because(&path, error.to_string()))?;
    let opened = Checkpoint::open(&note, &host.session_origin(id), &keys);
    let opened = opened.map_err(|error| LogError::because(&path, error.to_string()))?;
    Ok(Some((opened, note.to_string())))
}
