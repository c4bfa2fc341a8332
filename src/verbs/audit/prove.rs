//! `nono audit prove`: files that prove one record to somebody who has nothing else.

use std::ffi::{OsStr, OsString};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::audit::replay::Line;
use crate::cli::Prove;
use crate::merkle::note::Note;
use crate::merkle::proof::Builder;
use crate::merkle::proof_file::ProofFile;
use crate::verbs::print;

use super::verify::Fault;
use super::verify::host::HostLog;
use super::verify::lanes::replayed;
use super::verify::session::Evidence;
use super::{place, shown, verify};

/// Writes the proofs, once the session is verified. Answers 0 when they are written, 1 when the record is not proved, and
/// 125 when something cannot be read or written.
pub(super) fn prove(arguments: &Prove) -> u8 {
    match proved(arguments) {
        Ok(text) => print::document(&text),
        Err(fault) => fault.said(),
    }
}

fn proved(arguments: &Prove) -> Result<String, Fault> {
    let (session, state) = place::session_and_state(&arguments.session).map_err(Fault::Unreadable)?;
    let id = verify::id(&session);
    let host = HostLog::read(&state, None, Some(&id))?;
    let evidence = Evidence::gather(&session, &id, &host)?;
    let mut record = Proof::new(arguments.event, evidence.checkpoint.size, "the session")?;
    evidence.replay(|line| record.take(line))?;
    let record = record.finish(&evidence.note)?;
    // Only a session that ended is in the host's log with its last checkpoint.
    let end = evidence.ended_at().map(|index| {
        let mut end = Proof::new(index, host.checkpoint.size, "the host's log")?;
        replayed(&state.join("host-log"), Some(host.checkpoint.clone()), |line| end.take(line))?;
        end.finish(&host.note)
    });
    let (file, beside) = (PathBuf::from(&arguments.output), session_file(&arguments.output));
    let end = end.transpose()?;
    write(&file, &record)?;
    let (name, index, size) = (shown(&arguments.output), arguments.event, evidence.checkpoint.size);
    let mut text = format!("{name}: record {index} of {size}\n");
    match end {
        Some(end) => {
            write(&beside, &end)?;
            let beside = shown(beside.as_os_str());
            text += &format!("{beside}: the end of the session, record {} of {}\n", end.index, host.checkpoint.size);
            text += &format!("nono audit verify-proof {name} --session {beside} --key {}\n", host.key);
        }
        None => {
            text += "the host's log does not have the end of this session, so the key is the session's own\n";
            text += &format!("nono audit verify-proof {name} --key {}\n", evidence.key);
        }
    }
    Ok(text)
}

/// A proof that is being made while lines pass.
struct Proof {
    index: u64,
    size: u64,
    builder: Builder,
    content: Vec<u8>,
}

impl Proof {
    fn new(index: u64, size: u64, of: &str) -> Result<Self, Fault> {
        let builder = Builder::inclusion(index, size);
        let why = || Fault::Unproved(format!("{of} has {size} records that are signed, from 0, and no record {index}"));
        Ok(Self { index, size, builder: builder.ok_or_else(why)?, content: Vec::new() })
    }

    fn take(&mut self, line: Line<'_>) {
        if line.index < self.size {
            self.builder.push(line.leaf);
        }
        if line.index == self.index {
            self.content = line.text.to_vec();
        }
    }

    fn finish(self, checkpoint: &Note) -> Result<ProofFile, Fault> {
        let path = self.builder.finish().ok_or_else(|| Fault::Unproved("a record is missing".to_owned()))?;
        Ok(ProofFile { extra: Some(self.content), index: self.index, path, checkpoint: checkpoint.clone() })
    }
}

/// `e.session.tlog-proof` for `e.tlog-proof`.
fn session_file(file: &OsStr) -> PathBuf {
    let path = Path::new(file);
    let mut extension = OsString::from("session");
    if let Some(own) = path.extension() {
        extension.push(".");
        extension.push(own);
    }
    path.with_extension(extension)
}

/// Writes a file that is not there yet.
fn write(path: &Path, proof: &ProofFile) -> Result<(), Fault> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = opened.and_then(|mut file| file.write_all(proof.to_string().as_bytes()));
    written.map_err(|error| Fault::Unwritable(format!("{} cannot be written: {error}", shown(path.as_os_str()))))
}
