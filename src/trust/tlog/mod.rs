//! Entries of transparency logs in the bundle of a signature with a key, as far as they can be checked without the log's own
//! key (client-spec, section 4; RFC 6962): each is about exactly this signature, and lies in the tree that its checkpoint names.
//!
//! Whose tree it is says the log's signature, which takes a trusted root to verify. Nothing rests on it here: the signer's key
//! is known, and a bundle without any entry is as good.

use super::bundle::{InclusionProof, LogEntry, Version};
use super::digest::Digest;
use super::json::{At, Document, Malformed, Object};
use super::public_key::PublicKey;
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::note::Note;
use crate::merkle::proof::verify_inclusion;
use crate::merkle::{Hash, leaf_hash};

/// The largest body of an entry that is read, in bytes.
const LARGEST: usize = 4 << 20;

/// The signature that an entry has to be about.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'s> {
    /// In DER, byte by byte: its twin with the other `s` is another entry.
    pub signature: &'s [u8],
    pub key: &'s PublicKey,
    /// The digest of the bytes that the signature is over.
    pub digest: Digest,
    /// That of an envelope's payload.
    pub payload: Option<Digest>,
}

/// Checks each of `entries`, which a bundle of `version` holds.
///
/// # Errors
/// What does not fit, in words.
pub fn check(entries: &[LogEntry], version: Version, signed: Signed<'_>) -> Result<(), String> {
    for (index, entry) in entries.iter().enumerate() {
        let is_same = |other: &LogEntry| (&other.log_key_id, other.log_index) == (&entry.log_key_id, entry.log_index);
        if entries.iter().skip(index.saturating_add(1)).any(is_same) {
            return Err("it is there twice".to_owned());
        }
        check_body(entry, signed)?;
        match (&entry.inclusion_proof, version) {
            (Some(proof), _) => check_proof(entry, proof)?,
            (None, Version::V0_1) if entry.inclusion_promise.is_some() => {}
            (None, Version::V0_1) => return Err("it has neither a promise nor a proof of inclusion".to_owned()),
            (None, Version::V0_2 | Version::V0_3) => return Err("it has no proof of inclusion".to_owned()),
        }
    }
    Ok(())
}

/// The body is about the signature: the same bytes, the same key, the same digest.
fn check_body(entry: &LogEntry, signed: Signed<'_>) -> Result<(), String> {
    let read = || -> Result<About, Malformed> {
        let document = Document::parse(&entry.canonicalized_body, LARGEST)?;
        let root = document.object()?;
        root.only(&["apiVersion", "kind", "spec"])?;
        let (kind, version) = (root.need("kind")?, root.need("apiVersion")?);
        if kind.text()? != entry.kind || version.text()? != entry.kind_version {
            return Err(root.malformed("is of another kind than the entry says"));
        }
        let spec = root.need("spec")?.object()?;
        match (entry.kind.as_str(), entry.kind_version.as_str()) {
            ("hashedrekord", "0.0.1") => hashed(&spec),
            ("hashedrekord", "0.0.2") => hashed_2(&spec),
            ("dsse", "0.0.1") => envelope(&spec),
            _ => Err(root.malformed("is of a kind that is not known")),
        }
    };
    let about = read().map_err(|why| format!("its body is malformed: {why}"))?;
    let expected = if about.is_of_payload { signed.payload } else { Some(signed.digest) };
    match () {
        () if about.signature != signed.signature => Err("it is about another signature".to_owned()),
        () if about.key != signed.key.as_der() => Err("it is about another key".to_owned()),
        () if Some(about.digest) != expected => Err("it is about another content".to_owned()),
        () => Ok(()),
    }
}

/// What an entry says it is about.
struct About {
    signature: Vec<u8>,
    /// `SubjectPublicKeyInfo` in DER.
    key: Vec<u8>,
    digest: Digest,
    /// The digest is that of an envelope's payload.
    is_of_payload: bool,
}

/// `hashedrekord` 0.0.1 of Rekor v1.
fn hashed(spec: &Object<'_, '_>) -> Result<About, Malformed> {
    spec.only(&["data", "signature"])?;
    let data = spec.need("data")?.object()?;
    data.only(&["hash"])?;
    let signature = spec.need("signature")?.object()?;
    signature.only(&["content", "publicKey"])?;
    let key = signature.need("publicKey")?.object()?;
    key.only(&["content"])?;
    Ok(About {
        signature: signature.need("content")?.base64()?,
        key: pem(&key.need("content")?)?,
        digest: hash(&data.need("hash")?.object()?)?,
        is_of_payload: false,
    })
}

/// `hashedrekord` 0.0.2 of Rekor v2, whose digest of an envelope is that of its pre-authentication encoding.
fn hashed_2(spec: &Object<'_, '_>) -> Result<About, Malformed> {
    spec.only(&["hashedRekordV002"])?;
    let inner = spec.need("hashedRekordV002")?.object()?;
    inner.only(&["data", "signature"])?;
    let data = inner.need("data")?.object()?;
    data.only(&["algorithm", "digest"])?;
    said(&data.need("algorithm")?, "SHA2_256")?;
    let digest = data.need("digest")?;
    let bytes = <[u8; 32]>::try_from(digest.base64()?).map_err(|_| digest.malformed("does not have 32 bytes"))?;
    let signature = inner.need("signature")?.object()?;
    signature.only(&["content", "verifier"])?;
    let verifier = signature.need("verifier")?.object()?;
    verifier.only(&["keyDetails", "publicKey"])?;
    said(&verifier.need("keyDetails")?, "PKIX_ECDSA_P256_SHA_256")?;
    let key = verifier.need("publicKey")?.object()?;
    key.only(&["rawBytes"])?;
    Ok(About {
        signature: signature.need("content")?.base64()?,
        key: key.need("rawBytes")?.base64()?,
        digest: Digest::from_bytes(bytes),
        is_of_payload: false,
    })
}

/// `dsse` 0.0.1 of Rekor v1. The digest of its envelope cannot be made again, since nobody says how that was written.
fn envelope(spec: &Object<'_, '_>) -> Result<About, Malformed> {
    spec.only(&["envelopeHash", "payloadHash", "signatures"])?;
    let signatures = spec.need("signatures")?;
    let mut all = signatures.list(1)?;
    let only = all.pop().ok_or_else(|| signatures.malformed("is empty"))?.object()?;
    only.only(&["signature", "verifier"])?;
    Ok(About {
        signature: only.need("signature")?.base64()?,
        key: pem(&only.need("verifier")?)?,
        digest: hash(&spec.need("payloadHash")?.object()?)?,
        is_of_payload: true,
    })
}

fn hash(object: &Object<'_, '_>) -> Result<Digest, Malformed> {
    object.only(&["algorithm", "value"])?;
    said(&object.need("algorithm")?, "sha256")?;
    let value = object.need("value")?;
    Digest::parse(value.text()?).ok_or_else(|| value.malformed("does not have 64 lower-case hex digits"))
}

/// A public key: a PEM file in base64.
fn pem(at: &At<'_, '_>) -> Result<Vec<u8>, Malformed> {
    let text = String::from_utf8(at.base64()?).map_err(|_| at.malformed("is no PEM file"))?;
    let key = PublicKey::from_pem(&text).map_err(|why| at.malformed(format!("cannot be used: {why}")))?;
    Ok(key.as_der().to_vec())
}

fn said(at: &At<'_, '_>, expected: &str) -> Result<(), Malformed> {
    if at.text()? == expected { Ok(()) } else { Err(at.malformed(format!("is not {expected}"))) }
}

/// The entry lies in the tree that the checkpoint names.
fn check_proof(entry: &LogEntry, proof: &InclusionProof) -> Result<(), String> {
    let checkpoint = proof.checkpoint.as_deref().ok_or("its proof has no checkpoint")?;
    let note = Note::parse(checkpoint.as_bytes()).map_err(|_| "its checkpoint is no signed note")?;
    let head = Checkpoint::parse(note.unverified_text()).ok_or("its checkpoint is malformed")?;
    let hash_of = |bytes: &[u8]| Hash::try_from(bytes).map_err(|_| "its proof has a hash that is none");
    let root = hash_of(&proof.root_hash)?;
    if (head.size, head.root) != (proof.tree_size, root) {
        return Err("its proof is of another tree than its checkpoint".to_owned());
    }
    // The first bytes of the log's id are what its signatures name it by.
    let is_of_log = |id: u32| entry.log_key_id.get(..4) == Some(&id.to_be_bytes()[..]);
    if !note.signatures().iter().any(|line| is_of_log(line.id)) {
        return Err("its checkpoint is of another log".to_owned());
    }
    let hashes = proof.hashes.iter().map(|bytes| hash_of(bytes)).collect::<Result<Vec<_>, _>>()?;
    let leaf = leaf_hash(&entry.canonicalized_body);
    verify_inclusion(proof.log_index, proof.tree_size, &leaf, &hashes, &root)
        .map_err(|_| "its proof does not lead to the root of its tree".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use p256::ecdsa::SigningKey;

    const SIGNATURE: &[u8] = b"a signature";

    fn key() -> PublicKey {
        PublicKey::new(*SigningKey::from_slice(&[1; 32]).unwrap().verifying_key()).unwrap()
    }

    /// An entry with that body, alone in its tree.
    fn entry(kind: &str, version: &str, spec: &str) -> LogEntry {
        let body = format!(r#"{{"apiVersion":"{version}","kind":"{kind}","spec":{spec}}}"#).into_bytes();
        let root = leaf_hash(&body);
        let line = STANDARD.encode([&[1, 2, 3, 4][..], &[9; 70]].concat());
        let checkpoint = format!("log\n1\n{}\n\n\u{2014} log {line}\n", STANDARD.encode(root));
        let proof = InclusionProof {
            log_index: 0,
            tree_size: 1,
            root_hash: root.to_vec(),
            hashes: Vec::new(),
            checkpoint: Some(checkpoint),
        };
        LogEntry {
            log_index: 7,
            log_key_id: vec![1, 2, 3, 4, 5],
            kind: kind.to_owned(),
            kind_version: version.to_owned(),
            integrated_time: 0,
            inclusion_promise: None,
            inclusion_proof: Some(proof),
            canonicalized_body: body,
        }
    }

    fn checked(entry: LogEntry) -> Result<(), String> {
        let (key, digest, payload) = (key(), Digest::of(b"encoded"), Some(Digest::of(b"payload")));
        check(&[entry], Version::V0_3, Signed { signature: SIGNATURE, key: &key, digest, payload })
    }

    #[test]
    fn an_entry_of_the_second_log_names_the_kind_of_its_key() {
        let spec = |details: &str, algorithm: &str, content: &[u8]| {
            format!(
                r#"{{"hashedRekordV002":{{"data":{{"algorithm":"{algorithm}","digest":"{}"}},"signature":{{"content":"{}",
                    "verifier":{{"keyDetails":"{details}","publicKey":{{"rawBytes":"{}"}}}}}}}}}}"#,
                STANDARD.encode(Digest::of(content).as_bytes()),
                STANDARD.encode(SIGNATURE),
                key().to_base64(),
            )
        };
        let second = |details: &str, algorithm: &str, content: &[u8]| {
            checked(entry("hashedrekord", "0.0.2", &spec(details, algorithm, content)))
        };
        assert_eq!(second("PKIX_ECDSA_P256_SHA_256", "SHA2_256", b"encoded"), Ok(()));
        for (details, algorithm, content) in [
            ("PKIX_ECDSA_P384_SHA_384", "SHA2_256", &b"encoded"[..]),
            ("PKIX_ED25519", "SHA2_256", b"encoded"),
            ("PKIX_ECDSA_P256_SHA_256", "SHA2_512", b"encoded"),
            ("PKIX_ECDSA_P256_SHA_256", "SHA2_256", b"payload"),
        ] {
            assert!(second(details, algorithm, content).is_err(), "{details} {algorithm}");
        }
    }

    #[test]
    fn an_entry_of_an_envelope_is_about_its_payload() {
        let spec = |payload: &[u8], count: usize| {
            let verifier = STANDARD.encode(key().to_pem());
            let one = format!(r#"{{"signature":"{}","verifier":"{verifier}"}}"#, STANDARD.encode(SIGNATURE));
            let hash = |digest| format!(r#"{{"algorithm":"sha256","value":"{digest}"}}"#);
            let (any, payload) = (hash(Digest::of(b"any")), hash(Digest::of(payload)));
            format!(r#"{{"envelopeHash":{any},"payloadHash":{payload},"signatures":[{}]}}"#, vec![one; count].join(","))
        };
        assert_eq!(checked(entry("dsse", "0.0.1", &spec(b"payload", 1))), Ok(()));
        for wrong in [spec(b"encoded", 1), spec(b"payload", 0), spec(b"payload", 2), "{}".to_owned(), "[]".to_owned()] {
            assert!(checked(entry("dsse", "0.0.1", &wrong)).is_err(), "{wrong}");
        }
        assert!(checked(entry("intoto", "0.0.2", &spec(b"payload", 1))).is_err());
    }
}
