//! Sigstore bundles: a signature with what it takes to verify it (protobuf-specs, `sigstore_bundle.proto`).

mod dsse;
mod read;
mod write;

pub use self::dsse::{Envelope, PAYLOAD_TYPE, pre_authentication_encoding};
pub use self::read::{LARGEST, read};

use super::public_key::PublicKey;

/// The media type that is written.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// A bundle of the version 0.1, 0.2 or 0.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    pub version: Version,
    pub material: Material,
    /// What transparency logs say about the signature.
    pub log_entries: Vec<LogEntry>,
    /// Replies of time-stamp authorities about the signature, in DER (RFC 3161, `TimeStampResp`).
    pub timestamps: Vec<Vec<u8>>,
    pub content: Content,
}

/// The version that the media type names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    V0_1,
    V0_2,
    V0_3,
}

/// Who made the signature, as the bundle says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Material {
    /// The signer's certificate, in DER.
    Certificate(Vec<u8>),
    /// The signer's certificate and those above it, in DER.
    Chain(Vec<Vec<u8>>),
    /// A key that the verifier already knows. The hint only helps to find it.
    PublicKey { hint: String },
}

/// What was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    Envelope(Envelope),
    /// A signature over the artifact itself. `digest` is its SHA-256 as the bundle says, which nobody signed.
    Message {
        digest: Option<Vec<u8>>,
        signature: Vec<u8>,
    },
}

/// An entry of a transparency log (`sigstore_rekor.proto`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    pub log_index: u64,
    pub log_key_id: Vec<u8>,
    pub kind: String,
    pub kind_version: String,
    /// Seconds since 1970; nothing without a promise vouches for it.
    pub integrated_time: u64,
    pub inclusion_promise: Option<Vec<u8>>,
    pub inclusion_proof: Option<InclusionProof>,
    pub canonicalized_body: Vec<u8>,
}

/// The way from an entry to a signed tree head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionProof {
    pub log_index: u64,
    pub tree_size: u64,
    pub root_hash: Vec<u8>,
    pub hashes: Vec<Vec<u8>>,
    pub checkpoint: Option<String>,
}

impl Bundle {
    /// The bundle of an envelope that the owner of `key` signed. Its hint is the key's fingerprint in hexadecimal digits.
    pub fn keyed(key: &PublicKey, envelope: Envelope) -> Self {
        Self {
            version: Version::V0_3,
            material: Material::PublicKey { hint: key.fingerprint().to_string() },
            log_entries: Vec::new(),
            timestamps: Vec::new(),
            content: Content::Envelope(envelope),
        }
    }
}
