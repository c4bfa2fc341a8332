//! What a log and a witness say to each other: a checkpoint with a proof that it follows from the last one that the witness
//! has seen, and a cosignature back (C2SP `tlog-witness`, "add-checkpoint").

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::key::Verifier;
use super::note::{Note, SignatureLine};
use super::{Hash, decimal};

/// What follows the submission prefix.
pub const ADD_CHECKPOINT: &str = "add-checkpoint";
/// The type of a body that is the size of a tree.
const SIZE_TYPE: &str = "text/x.tlog.size";
/// Hashes of a proof that a witness reads.
const MOST_HASHES: usize = 63;
/// Signature lines that are read of an answer.
const MOST_LINES: usize = 16;

/// What a witness answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// These lines, of which nothing has been verified.
    Cosigned(Vec<SignatureLine>),
    /// It has seen the log at another size, and the proof has to start there.
    Elsewhere(u64),
}

/// Why there is no cosignature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 400: it cannot read the request, or the old size is above the new one.
    BadRequest,
    /// 422: the proof does not show that this log goes on from what it has seen.
    Inconsistent,
    /// Its answer is not of the form that its status asks for.
    Malformed,
    /// None of the lines is by the key that the policy names.
    NotItsKey,
    /// Another status.
    Status(u16),
    /// 403: the log's signature is not by a key that it knows.
    UnknownKey,
    /// 404: it does not know the log.
    UnknownLog,
    /// The line of its key is no signature of this checkpoint.
    WrongSignature,
}

/// The body of a request: the size that the witness has seen, the proof from there (empty from 0, and where nothing is
/// new), and the checkpoint. `None` for a proof with more hashes than a witness reads.
pub fn request(old: u64, proof: &[Hash], checkpoint: &Note) -> Option<String> {
    if proof.len() > MOST_HASHES {
        return None;
    }
    let hashes: String = proof.iter().map(|hash| format!("{}\n", BASE64.encode(hash))).collect();
    Some(format!("old {old}\n{hashes}\n{checkpoint}"))
}

/// Reads an answer.
///
/// # Errors
/// Why it is no cosignature, and why the witness gave none.
pub fn reply(status: u16, content_type: Option<&str>, body: &[u8]) -> Result<Reply, Refusal> {
    let text = || std::str::from_utf8(body).ok().and_then(|text| text.strip_suffix('\n')).ok_or(Refusal::Malformed);
    match status {
        200 => {
            let lines = text()?.split('\n').take(MOST_LINES).map(SignatureLine::parse);
            let lines = lines.collect::<Result<_, _>>().map_err(|_| Refusal::Malformed)?;
            Ok(Reply::Cosigned(lines))
        }
        400 => Err(Refusal::BadRequest),
        403 => Err(Refusal::UnknownKey),
        404 => Err(Refusal::UnknownLog),
        409 => {
            let is_size = content_type.is_some_and(|given| given.eq_ignore_ascii_case(SIZE_TYPE));
            let size = text()?.split('\n').next().and_then(decimal).filter(|_| is_size);
            size.map(Reply::Elsewhere).ok_or(Refusal::Malformed)
        }
        422 => Err(Refusal::Inconsistent),
        other => Err(Refusal::Status(other)),
    }
}

/// The line among `lines` in which `witness` has cosigned the checkpoint.
///
/// # Errors
/// None is by its key, or that one is no signature of the checkpoint.
pub fn cosignature(checkpoint: &Note, witness: &Verifier, lines: Vec<SignatureLine>) -> Result<SignatureLine, Refusal> {
    let its = |line: &SignatureLine| line.name == witness.name() && line.id == witness.id();
    let line = lines.into_iter().find(its).ok_or(Refusal::NotItsKey)?;
    let is_right = witness.signed(checkpoint.unverified_text(), &line.signature);
    if is_right { Ok(line) } else { Err(Refusal::WrongSignature) }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadRequest => out.write_str("it refuses the request as malformed (400)"),
            Self::Inconsistent => {
                out.write_str("it has seen another history of this log, and says that this one does not follow (422)")
            }
            Self::Malformed => out.write_str("its answer is not of the form of c2sp.org/tlog-witness"),
            Self::NotItsKey => out.write_str("its answer is signed by another key than the policy names"),
            Self::Status(status) => write!(out, "it answered {status}"),
            Self::UnknownKey => out.write_str("it does not know the key that signed the checkpoint (403)"),
            Self::UnknownLog => out.write_str("it does not know this log (404); its operator has to add it"),
            Self::WrongSignature => out.write_str("its cosignature is not one of this checkpoint"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::key::Signer;

    fn checkpoint() -> Note {
        Note::signed("log\n7\nAAAA\n".into(), &Signer::new("log", &[1; 32]).unwrap())
    }

    #[test]
    fn a_request_is_written_as_the_specification_has_it() {
        let note = checkpoint();
        let expected = format!("old 20\n{0}\n{0}\n\n{note}", BASE64.encode([7; 32]));
        assert_eq!(request(20, &[[7; 32]; 2], &note).unwrap(), expected);
        assert_eq!(request(0, &[], &note).unwrap(), format!("old 0\n\n{note}"));
        assert!(request(1, &[[0; 32]; 63], &note).is_some() && request(1, &[[0; 32]; 64], &note).is_none());
    }

    #[test]
    fn an_answer_is_taken_by_its_status_and_form() {
        let (witness, line) = Signer::new("w", &[2; 32]).unwrap().cosign(checkpoint().unverified_text(), 9);
        let (_, other) = Signer::new("x", &[3; 32]).unwrap().cosign("", 9);
        let body = format!("{other}{line}");
        let Ok(Reply::Cosigned(lines)) = reply(200, None, body.as_bytes()) else { panic!("{body}") };
        assert_eq!(cosignature(&checkpoint(), &witness, lines.clone()), Ok(line));
        let elsewhere = Note::signed("log\n8\nAAAA\n".into(), &Signer::new("log", &[1; 32]).unwrap());
        assert_eq!(cosignature(&elsewhere, &witness, lines.clone()), Err(Refusal::WrongSignature));
        assert_eq!(cosignature(&elsewhere, &witness, lines[..1].to_vec()), Err(Refusal::NotItsKey));
        let size = Some("text/x.tlog.size");
        assert_eq!(reply(409, size, b"20852014\n"), Ok(Reply::Elsewhere(20_852_014)));
        for (status, kind, body, refusal) in [
            (200, None, b"".as_slice(), Refusal::Malformed),
            (200, None, b"\n", Refusal::Malformed),
            (200, None, b"\xff\n", Refusal::Malformed),
            (409, None, b"5\n", Refusal::Malformed),
            (409, size, b"5", Refusal::Malformed),
            (409, size, b"-5\n", Refusal::Malformed),
            (400, None, b"", Refusal::BadRequest),
            (403, None, b"", Refusal::UnknownKey),
            (404, None, b"", Refusal::UnknownLog),
            (422, None, b"", Refusal::Inconsistent),
            (500, None, b"", Refusal::Status(500)),
        ] {
            assert_eq!(reply(status, kind, body), Err(refusal), "{status} {body:?}");
        }
    }
}
