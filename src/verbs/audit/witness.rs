//! `nono audit witness`: the host's log, cosigned by others.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::audit::replay::Replay;
use crate::http::deadline::{Cancelled, Deadline};
use crate::http::request::{Media, Method, Request};
use crate::http::transport::Transport;
use crate::merkle::Hash;
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::note::{Note, SignatureLine};
use crate::merkle::policy::{Policy, Witness};
use crate::merkle::proof::Builder;
use crate::merkle::witness::{ADD_CHECKPOINT, Reply, cosignature, reply, request};
use crate::profile::url::Url;
use crate::verbs::{NO, REFUSED, USAGE, YES, print};

use super::{place, shown};

/// The last checkpoint that somebody has cosigned.
const COSIGNED: &str = "cosigned";
/// For everything that one witness is asked.
const PATIENCE: Duration = Duration::from_secs(30);
/// Requests to one witness: it may know the log at a size that is not the one remembered here.
const MOST_REQUESTS: usize = 3;

/// Asks each witness, and keeps what they sign. Answers 0 when the policy's quorum has cosigned, 1 when it has not, and 125
/// when the log or the policy cannot be used.
pub(super) fn witness(policy: Option<&OsStr>, log: Option<&OsStr>) -> u8 {
    let Some(policy) = policy else {
        print::say("whom to ask is not said; name the logs and witnesses with `--policy FILE`");
        return USAGE;
    };
    let asked = super::policy(policy).and_then(|policy| {
        let directory =
            log.map_or_else(|| place::state().map(|state| state.join("host-log")), |log| Ok(PathBuf::from(log)))?;
        let mut asking = Asking::new(directory, &policy)?;
        asking.everyone(&policy)?;
        Ok((asking.note, policy))
    });
    let (note, policy) = match asked {
        Ok(asked) => asked,
        Err(sentence) => {
            print::say(&sentence);
            return REFUSED;
        }
    };
    match policy.verify(&note) {
        Ok((checkpoint, seen)) => {
            let text =
                format!("{} records, cosigned by {} of {}\n", checkpoint.size, seen.len(), policy.witnesses.len());
            if print::document(&text) == YES { YES } else { REFUSED }
        }
        Err(error) => {
            print::say(&format!("the checkpoint does not count by this policy: {error}"));
            NO
        }
    }
}

/// A log and its checkpoint, with the cosignatures so far.
struct Asking {
    directory: PathBuf,
    checkpoint: Checkpoint,
    note: Note,
    /// What was cosigned before, as it is remembered.
    before: Option<Note>,
}

impl Asking {
    fn new(directory: PathBuf, policy: &Policy) -> Result<Self, String> {
        let name = shown(directory.as_os_str());
        let missing = || format!("{name} has no checkpoint: nothing has been recorded yet");
        let bytes = place::checkpoint(&directory)?.ok_or_else(missing)?;
        let mut note = Note::parse(&bytes).map_err(|error| format!("the checkpoint in {name} is damaged: {error}"))?;
        let checkpoint = policy
            .of_its_log(&note)
            .map_err(|error| format!("the checkpoint in {name} is not one of a log that the policy names: {error}"))?;
        let before = gathered(&directory.join(COSIGNED))?;
        if let Some(before) = before.as_ref().filter(|before| before.unverified_text() == note.unverified_text()) {
            before.signatures().iter().cloned().for_each(|line| note.add(line));
        }
        Ok(Self { directory, checkpoint, note, before })
    }

    /// Asks every witness that has a URL, and keeps each cosignature as it comes.
    fn everyone(&mut self, policy: &Policy) -> Result<(), String> {
        for witness in &policy.witnesses {
            let name = shown(OsStr::new(&witness.name));
            let Some(url) = &witness.url else {
                print::say(&format!("{name} has no URL in the policy, and was not asked"));
                continue;
            };
            match self.ask(witness, url) {
                Ok(line) => {
                    self.note.add(line);
                    self.keep()?;
                }
                Err(why) => print::say(&format!("{name} gave no cosignature: {why}")),
            }
        }
        Ok(())
    }

    fn ask(&self, witness: &Witness, url: &str) -> Result<SignatureLine, String> {
        let place = Url::parse(url).map_err(|why| format!("its URL is refused: {why}"))?;
        let place = place.beneath(ADD_CHECKPOINT);
        let transport = Transport::new(&place, None)?;
        let never = Cancelled::default();
        let deadline = Deadline::new(Instant::now() + PATIENCE, &never);
        let mut old = self.remembered(witness);
        for _ in 0..MOST_REQUESTS {
            let body = request(old, &self.proof(old)?, &self.note).ok_or("the proof is too long")?;
            let request =
                Request { method: Method::Post, url: &place, fields: &[], body: body.as_bytes(), media: Media::Text };
            let exchange = request.to_bytes().and_then(|bytes| transport.exchange(&place, &bytes, deadline));
            let response = exchange.map_err(|failure| failure.to_string())?.response;
            let media = response.field("content-type").map_err(|failure| failure.to_string())?;
            match reply(response.status, media, &response.body).map_err(|refusal| refusal.to_string())? {
                Reply::Cosigned(lines) => {
                    return cosignature(&self.note, &witness.key, lines).map_err(|refusal| refusal.to_string());
                }
                Reply::Elsewhere(size) if size > self.checkpoint.size => {
                    let here = self.checkpoint.size;
                    return Err(format!(
                        "it has seen {size} records of this log, and {here} are here: the log was cut"
                    ));
                }
                Reply::Elsewhere(size) if size == old => {
                    return Err(format!("it has seen other {size} records of this log than those that are here"));
                }
                Reply::Elsewhere(size) => old = size,
            }
        }
        Err("it says each time that it has seen the log at another size".to_owned())
    }

    /// The size at which `witness` has cosigned last, as far as it is known here; 0 otherwise.
    fn remembered(&self, witness: &Witness) -> u64 {
        let before = self.before.as_ref().filter(|before| before.verify(std::slice::from_ref(&witness.key)).is_ok());
        let size =
            before.and_then(|before| Checkpoint::parse(before.unverified_text())).map(|checkpoint| checkpoint.size);
        size.filter(|&size| size <= self.checkpoint.size).unwrap_or(0)
    }

    /// The proof that the first `old` records begin the log, read from the log itself, which has to be what was signed.
    fn proof(&self, old: u64) -> Result<Vec<Hash>, String> {
        if old == 0 {
            return Ok(Vec::new());
        }
        let name = shown(self.directory.as_os_str());
        let size = self.checkpoint.size;
        let mut builder = Builder::consistency(old, size).ok_or("it has seen more records than there are")?;
        let mut replay = Replay::new(Some(self.checkpoint.clone()));
        let mut events = place::events(&self.directory)?;
        let mut part = vec![0; 1 << 16];
        loop {
            let length = events.read(&mut part).map_err(|error| format!("{name} cannot be read: {error}"))?;
            let Some(read @ [_, ..]) = part.get(..length) else { break };
            let each = |line: crate::audit::replay::Line<'_>| {
                if line.index < size {
                    builder.push(line.leaf);
                }
            };
            replay.feed(read, each).map_err(|tampered| format!("{name} is not what was signed: {tampered}"))?;
        }
        replay.finish().map_err(|tampered| format!("{name} is not what was signed: {tampered}"))?;
        builder.finish().ok_or_else(|| format!("{name} has fewer records than were signed"))
    }

    /// Puts the note in the place of the last one that was cosigned, at once and durably.
    fn keep(&self) -> Result<(), String> {
        let (path, beside) = (self.directory.join(COSIGNED), self.directory.join("cosigned.new"));
        let written = (|| {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
            file.write_all(self.note.to_string().as_bytes())?;
            file.sync_data()?;
            fs::rename(&beside, &path)?;
            fs::File::open(&self.directory)?.sync_all()
        })();
        written.map_err(|error: io::Error| format!("{} cannot be written: {error}", shown(path.as_os_str())))
    }
}

/// A note in a file; `None` when there is none.
fn gathered(path: &Path) -> Result<Option<Note>, String> {
    let name = shown(path.as_os_str());
    match crate::verbs::gather::read(path) {
        Ok(bytes) => Note::parse(&bytes).map(Some).map_err(|error| format!("{name} is damaged: {error}; remove it")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{name} cannot be read: {error}")),
    }
}
