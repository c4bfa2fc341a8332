//! `nono audit verify-proof`: a record, a proof and a key, and nothing else.

use std::ffi::OsStr;

use serde_json::json;

use crate::audit::record::parse::Record;
use crate::cli::{Leaf, VerifyProof};
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::key::Verifier;
use crate::merkle::note::Note;
use crate::merkle::policy::Policy;
use crate::merkle::proof_file::{ProofFile, ProofFileError, Proved};
use crate::merkle::{Hash, leaf_hash};
use crate::profile::escape::escaped;
use crate::verbs::{NO, REFUSED, USAGE, YES, print};

/// Prints what is proved. Answers 0 when the record is in the log, 1 when that is not proved, 2 when it is not said whose
/// checkpoint counts, and 125 when a file cannot be read.
pub(super) fn verify_proof(arguments: &VerifyProof) -> u8 {
    let (trusted, file) = match (trusted(arguments), super::contents(&arguments.proof)) {
        (Ok(trusted), Ok(file)) => (trusted, file),
        (Err((status, sentence)), _) => return failed(status, &sentence),
        (Ok(_), Err(sentence)) => return failed(REFUSED, &sentence),
    };
    let name = super::shown(&arguments.proof);
    let proof = match ProofFile::parse(&file) {
        Ok(proof) => proof,
        Err(error) => return failed(NO, &format!("{name} proves nothing: {error}")),
    };
    let candidates = match candidates(&arguments.leaf, &proof, &name) {
        Ok(candidates) => candidates,
        Err((status, sentence)) => return failed(status, &sentence),
    };
    let host = match arguments.session.as_deref().map(|file| Host::proved(file, &trusted)).transpose() {
        Ok(host) => host,
        Err((status, sentence)) => return failed(status, &sentence),
    };
    let verify = |leaf: &Hash| match &host {
        Some(host) => {
            let found = proof.verify_in(leaf, &host.session);
            found.map(|()| Proved { checkpoint: host.session.clone(), seen: host.proved.seen.clone() })
        }
        None => proof.verify(leaf, &trusted),
    };
    match first_proved(&candidates, verify) {
        Ok((leaf, proved)) => printed(&proof, &leaf, &proved, host.as_ref(), arguments.json),
        Err(error) => failed(NO, &format!("{name} does not prove this record: {error}")),
    }
}

/// The host's log, as far as it vouches for a session.
struct Host {
    /// The number of the record that names the session's checkpoint.
    index: u64,
    proved: Proved,
    /// The last checkpoint of the session.
    session: Checkpoint,
}

impl Host {
    /// Reads and verifies the proof in `file` that a host's log names the last checkpoint of a session.
    fn proved(file: &OsStr, trusted: &Policy) -> Result<Self, Failed> {
        let content = super::contents(file).map_err(|sentence| (REFUSED, sentence))?;
        let name = super::shown(file);
        let no = |why: &dyn std::fmt::Display| (NO, format!("{name} does not prove a session: {why}"));
        let proof = ProofFile::parse(&content).map_err(|error| no(&error))?;
        let line = proof.extra.as_deref().ok_or_else(|| no(&"it does not hold the record of the host's log"))?;
        let proved = proof.verify(&leaf_hash(line), trusted).map_err(|error| no(&error))?;
        let record = Record::parse(line).map_err(|error| no(&error))?;
        let ends = matches!(record.operation.as_str(), "session.closed" | "session.recovered");
        let note = record.text("checkpoint").filter(|_| ends).and_then(|note| Note::parse(note.as_bytes()).ok());
        let session = note.and_then(|note| Checkpoint::parse(note.unverified_text()));
        let session = session.ok_or_else(|| no(&"its record does not name the last checkpoint of one"))?;
        Ok(Self { index: proof.index, proved, session })
    }
}

/// A status and what to say.
type Failed = (u8, String);

fn failed(status: u8, sentence: &str) -> u8 {
    print::say(sentence);
    status
}

fn trusted(arguments: &VerifyProof) -> Result<Policy, Failed> {
    match (&arguments.key, &arguments.policy) {
        (Some(key), _) => Verifier::parse(key)
            .map(Policy::of_log)
            .map_err(|error| (USAGE, format!("`--key {}` cannot be used: {error}", escaped(key.as_bytes(), 200)))),
        (None, Some(file)) => super::policy(file).map_err(|sentence| (REFUSED, sentence)),
        (None, None) => {
            Err((USAGE, "whose checkpoint counts is not said; name the log's key with `--key`, or a `--policy`".into()))
        }
    }
}

/// The hashes that the record may have: with the line end that its file ends with, and without it.
fn candidates(leaf: &Leaf, proof: &ProofFile, name: &str) -> Result<Vec<Hash>, Failed> {
    match leaf {
        Leaf::File(file) => {
            let content = super::contents(file).map_err(|sentence| (REFUSED, sentence))?;
            let without = content.strip_suffix(b"\n").map(leaf_hash);
            Ok(std::iter::once(leaf_hash(&content)).chain(without).collect())
        }
        Leaf::Hash(text) => match hash(OsStr::new(text)) {
            Some(hash) => Ok(vec![hash]),
            None => Err((USAGE, "`--leaf-hash` takes 64 hexadecimal digits".to_owned())),
        },
        Leaf::InProof => match &proof.extra {
            Some(content) => Ok(vec![leaf_hash(content)]),
            None => Err((USAGE, format!("{name} does not hold the record; name it with `--leaf` or `--leaf-hash`"))),
        },
    }
}

fn hash(text: &OsStr) -> Option<Hash> {
    let digits = text.as_encoded_bytes();
    let value = |digit: &u8| char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let pairs = digits.chunks_exact(2).map(|pair| match pair {
        [high, low] => Some(value(high)? << 4 | value(low)?),
        _ => None,
    });
    let bytes: Vec<u8> = pairs.collect::<Option<_>>()?;
    bytes.try_into().ok().filter(|_| digits.len() == 64)
}

fn first_proved(
    candidates: &[Hash],
    verify: impl Fn(&Hash) -> Result<Proved, ProofFileError>,
) -> Result<(Hash, Proved), ProofFileError> {
    let mut results = candidates.iter().map(|leaf| verify(leaf).map(|proved| (*leaf, proved)));
    let first = results.next().unwrap_or(Err(ProofFileError::Malformed("there is no record")));
    first.or_else(|error| results.find_map(Result::ok).ok_or(error))
}

fn printed(proof: &ProofFile, leaf: &Hash, proved: &Proved, host: Option<&Host>, as_json: bool) -> u8 {
    let checkpoint = &proved.checkpoint;
    let status = if as_json {
        let witnesses = proved.seen.iter().map(|seen| json!({ "name": seen.witness, "time": seen.time }));
        print::json(&json!({
            "verified": true,
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": super::hexadecimal(&checkpoint.root),
            "index": proof.index,
            "leaf_hash": super::hexadecimal(leaf),
            "witnesses": witnesses.collect::<serde_json::Value>(),
            "host": host.map(|host| {
                let log = &host.proved.checkpoint;
                let root = super::hexadecimal(&log.root);
                json!({ "origin": log.origin, "size": log.size, "root": root, "index": host.index })
            }),
        }))
    } else {
        let origin = escaped(checkpoint.origin.as_bytes(), 255);
        let mut text = format!("record {} of {} in the log {origin}\n", proof.index, checkpoint.size);
        text +=
            &format!("leaf hash {}\nroot      {}\n", super::hexadecimal(leaf), super::hexadecimal(&checkpoint.root));
        if let Some(Host { index, proved: Proved { checkpoint: log, .. }, .. }) = host {
            let origin = escaped(log.origin.as_bytes(), 255);
            text += &format!("whose end is record {index} of {} in the log {origin}\n", log.size);
        }
        for seen in &proved.seen {
            let name = escaped(seen.witness.as_bytes(), 255);
            text += &format!("seen by {name} at {} seconds since 1970\n", seen.time);
        }
        if proof.extra.as_deref().map(leaf_hash) == Some(*leaf) {
            let content = proof.extra.as_deref().unwrap_or_default();
            text += &format!("content {}\n", escaped(content, 65_535));
        }
        print::document(&text)
    };
    if status == YES { YES } else { REFUSED }
}
