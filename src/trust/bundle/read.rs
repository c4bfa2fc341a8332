//! Bytes to a bundle. Protocol buffers in JSON leave much open; this reader takes the one form that signers write:
//! lowerCamelCase names, enums by name, standard base64, no unknown key.

use super::super::json::{At, Document, Malformed, Object};
use super::{Bundle, Content, Envelope, InclusionProof, LogEntry, Material, Version};

/// The largest bundle that is read, in bytes.
pub const LARGEST: usize = 4 << 20;
/// The most certificates, log entries and time stamps of a bundle (sigstore-go has the same limits).
const MOST: usize = 32;
/// The most hashes of a proof: a tree has at most 2^63 leaves, and a path has one hash for each level.
const MOST_HASHES: usize = 64;

/// Reads a bundle.
///
/// # Errors
/// The first thing that is missing, unknown, twice there or contradicts something else.
pub fn read(bytes: &[u8]) -> Result<Bundle, Malformed> {
    let document = Document::parse(bytes, LARGEST)?;
    let root = document.object()?;
    root.only(&["mediaType", "verificationMaterial", "messageSignature", "dsseEnvelope"])?;
    let version = version(&root.need("mediaType")?)?;
    let verification = root.need("verificationMaterial")?.object()?;
    verification.only(&[
        "certificate",
        "x509CertificateChain",
        "publicKey",
        "tlogEntries",
        "timestampVerificationData",
    ])?;
    let bundle = Bundle {
        version,
        material: material(&verification, version)?,
        log_entries: items(&verification, "tlogEntries", MOST)?
            .into_iter()
            .map(|entry| log_entry(&entry.object()?))
            .collect::<Result<_, _>>()?,
        timestamps: timestamps(&verification)?,
        content: content(&root)?,
    };
    check_key_id(&root, &bundle)?;
    Ok(bundle)
}

fn version(at: &At<'_, '_>) -> Result<Version, Malformed> {
    match at.text()? {
        "application/vnd.dev.sigstore.bundle+json;version=0.1" => Ok(Version::V0_1),
        "application/vnd.dev.sigstore.bundle+json;version=0.2" => Ok(Version::V0_2),
        "application/vnd.dev.sigstore.bundle+json;version=0.3" | super::MEDIA_TYPE => Ok(Version::V0_3),
        _ => Err(at.malformed("is no bundle of the version 0.1, 0.2 or 0.3")),
    }
}

fn material(verification: &Object<'_, '_>, version: Version) -> Result<Material, Malformed> {
    let certificate = verification.find("certificate");
    let chain = verification.find("x509CertificateChain");
    let key = verification.find("publicKey");
    match (certificate, chain, key) {
        (Some(certificate), None, None) => Ok(Material::Certificate(raw_bytes(certificate)?)),
        (None, Some(chain), None) if version < Version::V0_3 => {
            let chain = chain.object()?;
            chain.only(&["certificates"])?;
            let certificates: Vec<Vec<u8>> =
                items(&chain, "certificates", MOST)?.into_iter().map(raw_bytes).collect::<Result<_, _>>()?;
            if certificates.is_empty() {
                return Err(chain.malformed("has no certificate"));
            }
            Ok(Material::Chain(certificates))
        }
        (None, Some(chain), None) => {
            Err(chain.malformed("is a chain, and a bundle of the version 0.3 has `certificate`"))
        }
        (None, None, Some(key)) => {
            let key = key.object()?;
            key.only(&["hint"])?;
            Ok(Material::PublicKey { hint: key.optional_text("hint")?.unwrap_or_default() })
        }
        (None, None, None) => Err(verification.malformed("has neither `certificate` nor `publicKey`")),
        _ => Err(verification.malformed("has more than one of `certificate`, `x509CertificateChain` and `publicKey`")),
    }
}

fn content(root: &Object<'_, '_>) -> Result<Content, Malformed> {
    match (root.find("dsseEnvelope"), root.find("messageSignature")) {
        (Some(envelope), None) => Ok(Content::Envelope(dsse(&envelope.object()?)?)),
        (None, Some(message)) => message_signature(&message.object()?),
        (None, None) => Err(root.malformed("has neither `dsseEnvelope` nor `messageSignature`")),
        (Some(_), Some(_)) => Err(root.malformed("has both `dsseEnvelope` and `messageSignature`")),
    }
}

fn dsse(envelope: &Object<'_, '_>) -> Result<Envelope, Malformed> {
    envelope.only(&["payload", "payloadType", "signatures"])?;
    let signatures = envelope.need("signatures")?;
    let mut all = signatures.list(MOST)?;
    let (Some(only), true) = (all.pop(), all.is_empty()) else {
        return Err(signatures.malformed("must hold exactly one signature"));
    };
    let signature = only.object()?;
    signature.only(&["sig", "keyid"])?;
    Ok(Envelope {
        payload: envelope.need("payload")?.base64()?,
        payload_type: envelope.need("payloadType")?.text()?.to_owned(),
        signature: filled(&signature.need("sig")?)?,
        key_id: signature.optional_text("keyid")?.unwrap_or_default(),
    })
}

fn message_signature(message: &Object<'_, '_>) -> Result<Content, Malformed> {
    message.only(&["messageDigest", "signature"])?;
    let digest = match message.find("messageDigest") {
        None => None,
        Some(digest) => {
            let digest = digest.object()?;
            digest.only(&["algorithm", "digest"])?;
            let algorithm = digest.need("algorithm")?;
            if algorithm.text()? != "SHA2_256" {
                return Err(algorithm.malformed("is no digest that is known: `SHA2_256` is"));
            }
            let value = digest.need("digest")?;
            let bytes = value.base64()?;
            if bytes.len() != 32 {
                return Err(value.malformed("does not have the 32 bytes of a SHA-256"));
            }
            Some(bytes)
        }
    };
    Ok(Content::Message { digest, signature: filled(&message.need("signature")?)? })
}

fn log_entry(entry: &Object<'_, '_>) -> Result<LogEntry, Malformed> {
    entry.only(&[
        "logIndex",
        "logId",
        "kindVersion",
        "integratedTime",
        "inclusionPromise",
        "inclusionProof",
        "canonicalizedBody",
    ])?;
    let log = entry.need("logId")?.object()?;
    log.only(&["keyId"])?;
    let kind = entry.need("kindVersion")?.object()?;
    kind.only(&["kind", "version"])?;
    let promise = entry.find("inclusionPromise").map(At::object).transpose()?;
    let inclusion_promise = promise
        .map(|promise| {
            promise.only(&["signedEntryTimestamp"])?;
            filled(&promise.need("signedEntryTimestamp")?)
        })
        .transpose()?;
    let proof = entry.find("inclusionProof").map(At::object).transpose()?;
    Ok(LogEntry {
        log_index: integer(entry, "logIndex")?,
        log_key_id: filled(&log.need("keyId")?)?,
        kind: kind.need("kind")?.text()?.to_owned(),
        kind_version: kind.need("version")?.text()?.to_owned(),
        integrated_time: integer(entry, "integratedTime")?,
        inclusion_promise,
        inclusion_proof: proof.map(|proof| inclusion_proof(&proof)).transpose()?,
        canonicalized_body: filled(&entry.need("canonicalizedBody")?)?,
    })
}

fn inclusion_proof(proof: &Object<'_, '_>) -> Result<InclusionProof, Malformed> {
    proof.only(&["logIndex", "rootHash", "treeSize", "hashes", "checkpoint"])?;
    let hashes = items(proof, "hashes", MOST_HASHES)?;
    let checkpoint = proof.find("checkpoint").map(At::object).transpose()?;
    let envelope = checkpoint.map(|checkpoint| {
        checkpoint.only(&["envelope"])?;
        checkpoint.need("envelope")?.text().map(str::to_owned)
    });
    Ok(InclusionProof {
        log_index: integer(proof, "logIndex")?,
        tree_size: integer(proof, "treeSize")?,
        root_hash: filled(&proof.need("rootHash")?)?,
        hashes: hashes.iter().map(filled).collect::<Result<_, _>>()?,
        checkpoint: envelope.transpose()?,
    })
}

fn timestamps(verification: &Object<'_, '_>) -> Result<Vec<Vec<u8>>, Malformed> {
    let Some(data) = verification.find("timestampVerificationData") else { return Ok(Vec::new()) };
    let data = data.object()?;
    data.only(&["rfc3161Timestamps"])?;
    let stamp = |at: At<'_, '_>| {
        let stamp = at.object()?;
        stamp.only(&["signedTimestamp"])?;
        filled(&stamp.need("signedTimestamp")?)
    };
    items(&data, "rfc3161Timestamps", MOST)?.into_iter().map(stamp).collect()
}

/// "If both are set, they must be the same" (`sigstore_bundle.proto`).
fn check_key_id(root: &Object<'_, '_>, bundle: &Bundle) -> Result<(), Malformed> {
    match (&bundle.material, &bundle.content) {
        (Material::PublicKey { hint }, Content::Envelope(envelope))
            if !hint.is_empty() && !envelope.key_id.is_empty() && *hint != envelope.key_id =>
        {
            Err(root.malformed("names two keys: the hint and the `keyid` of the signature differ"))
        }
        _ => Ok(()),
    }
}

fn raw_bytes(at: At<'_, '_>) -> Result<Vec<u8>, Malformed> {
    let object = at.object()?;
    object.only(&["rawBytes"])?;
    filled(&object.need("rawBytes")?)
}

/// Bytes that cannot be left out.
fn filled(at: &At<'_, '_>) -> Result<Vec<u8>, Malformed> {
    let bytes = at.base64()?;
    if bytes.is_empty() { Err(at.malformed("is empty")) } else { Ok(bytes) }
}

/// A number; one that is left out is zero ("ProtoJSON Format").
fn integer(object: &Object<'_, '_>, key: &str) -> Result<u64, Malformed> {
    object.find(key).map_or(Ok(0), |at| at.integer())
}

/// The items of a list; one that is left out is empty ("ProtoJSON Format").
fn items<'d, 't>(object: &Object<'d, 't>, key: &str, most: usize) -> Result<Vec<At<'d, 't>>, Malformed> {
    object.find(key).map_or(Ok(Vec::new()), |at| at.list(most))
}
