//! A bundle to text. Only what [`Bundle::keyed`] makes is written by nono; what else a bundle may hold is kept.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{Bundle, Content, InclusionProof, LogEntry, Material, Version};

impl Bundle {
    /// The bundle as JSON on one line, with a line end. Read again, it is the same bundle.
    pub fn to_json(&self) -> String {
        let mut document = Map::new();
        let media_type = match self.version {
            Version::V0_1 => "application/vnd.dev.sigstore.bundle+json;version=0.1",
            Version::V0_2 => "application/vnd.dev.sigstore.bundle+json;version=0.2",
            Version::V0_3 => super::MEDIA_TYPE,
        };
        document.insert("mediaType".to_owned(), media_type.into());
        document.insert("verificationMaterial".to_owned(), self.verification_material());
        let (key, content) = match &self.content {
            Content::Envelope(envelope) => {
                let signature = json!({ "sig": STANDARD.encode(&envelope.signature), "keyid": envelope.key_id });
                let payload = STANDARD.encode(&envelope.payload);
                let envelope =
                    json!({ "payload": payload, "payloadType": envelope.payload_type, "signatures": [signature] });
                ("dsseEnvelope", envelope)
            }
            Content::Message { digest, signature } => {
                let mut message = json!({ "signature": STANDARD.encode(signature) });
                if let (Some(digest), Some(members)) = (digest, message.as_object_mut()) {
                    let digest = json!({ "algorithm": "SHA2_256", "digest": STANDARD.encode(digest) });
                    members.insert("messageDigest".to_owned(), digest);
                }
                ("messageSignature", message)
            }
        };
        document.insert(key.to_owned(), content);
        format!("{}\n", Value::Object(document))
    }

    fn verification_material(&self) -> Value {
        let raw = |bytes: &Vec<u8>| json!({ "rawBytes": STANDARD.encode(bytes) });
        let mut material = match &self.material {
            Material::Certificate(certificate) => json!({ "certificate": raw(certificate) }),
            Material::Chain(chain) => {
                let certificates: Vec<Value> = chain.iter().map(raw).collect();
                json!({ "x509CertificateChain": { "certificates": certificates } })
            }
            Material::PublicKey { hint } => json!({ "publicKey": { "hint": hint } }),
        };
        let Some(members) = material.as_object_mut() else { return material };
        if !self.log_entries.is_empty() {
            let entries: Vec<Value> = self.log_entries.iter().map(log_entry).collect();
            members.insert("tlogEntries".to_owned(), entries.into());
        }
        if !self.timestamps.is_empty() {
            let stamps = self.timestamps.iter().map(|stamp| json!({ "signedTimestamp": STANDARD.encode(stamp) }));
            let data = json!({ "rfc3161Timestamps": stamps.collect::<Vec<Value>>() });
            members.insert("timestampVerificationData".to_owned(), data);
        }
        material
    }
}

fn log_entry(entry: &LogEntry) -> Value {
    let mut value = json!({
        "logIndex": entry.log_index.to_string(),
        "logId": { "keyId": STANDARD.encode(&entry.log_key_id) },
        "kindVersion": { "kind": entry.kind, "version": entry.kind_version },
        "integratedTime": entry.integrated_time.to_string(),
        "canonicalizedBody": STANDARD.encode(&entry.canonicalized_body),
    });
    let Some(members) = value.as_object_mut() else { return value };
    if let Some(promise) = &entry.inclusion_promise {
        let promise = json!({ "signedEntryTimestamp": STANDARD.encode(promise) });
        members.insert("inclusionPromise".to_owned(), promise);
    }
    if let Some(proof) = &entry.inclusion_proof {
        members.insert("inclusionProof".to_owned(), inclusion_proof(proof));
    }
    value
}

fn inclusion_proof(proof: &InclusionProof) -> Value {
    let mut value = json!({
        "logIndex": proof.log_index.to_string(),
        "rootHash": STANDARD.encode(&proof.root_hash),
        "treeSize": proof.tree_size.to_string(),
        "hashes": proof.hashes.iter().map(|hash| STANDARD.encode(hash)).collect::<Vec<String>>(),
    });
    if let (Some(checkpoint), Some(members)) = (&proof.checkpoint, value.as_object_mut()) {
        members.insert("checkpoint".to_owned(), json!({ "envelope": checkpoint }));
    }
    value
}
