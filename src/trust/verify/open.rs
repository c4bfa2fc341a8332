//! A bundle to its signer: whose signature it is, and what was signed.

use super::super::bundle::{self, Bundle, Content, Envelope, Material, PAYLOAD_TYPE};
use super::super::digest::Digest;
use super::super::policy::{BlockedPublisher, Identity, Publisher, Rules};
use super::super::public_key::PublicKey;
use super::super::statement::{Predicate, Statement};
use super::super::tlog::{self, Signed};
use super::super::tsa;
use super::Failure;

/// Blocked keys that are tried on a signature that is no publisher's.
const MOST_TRIED: usize = 64;

/// A bundle after everything was checked that does not depend on a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// The signer is blocked: nothing that it signed counts, and nothing excuses it.
    pub(super) blocked: Option<String>,
    pub(super) outcome: Result<(Publisher, Statement), Failure>,
}

impl Opened {
    /// A bundle that is there and cannot be read.
    pub fn unreadable(why: String) -> Self {
        Self { blocked: None, outcome: Err(Failure::BundleUnreadable { why }) }
    }
}

impl Rules {
    /// Reads a bundle and finds out whose it is.
    pub fn open(&self, bytes: &[u8]) -> Opened {
        let bundle = match bundle::read(bytes) {
            Ok(bundle) => bundle,
            Err(why) => return Opened { blocked: None, outcome: Err(Failure::BundleMalformed(why)) },
        };
        let outcome = signer(&bundle, &self.publishers).and_then(|(publisher, statement)| {
            self.check_listed(publisher)?;
            Ok((publisher.clone(), statement))
        });
        Opened { blocked: self.blocked_signer(&bundle), outcome }
    }

    fn check_listed(&self, publisher: &Publisher) -> Result<(), Failure> {
        let Some(signers) = &self.signers else { return Ok(()) };
        let key_id = match &publisher.identity {
            Identity::Keyed { key_id, .. } => Some(key_id),
            Identity::Keyless { .. } => None,
        };
        if signers.contains(&publisher.name) || key_id.is_some_and(|key_id| signers.contains(key_id)) {
            return Ok(());
        }
        Err(Failure::SignerNotListed { publisher: publisher.name.clone() })
    }

    /// The entry of the blocklist that fits the signer, or what the bundle says of its signer. The one is proved by the
    /// signature; the other is said by the bundle itself, and a bundle does not accuse itself for nothing.
    fn blocked_signer(&self, bundle: &Bundle) -> Option<String> {
        let blocked = &self.blocklist.publishers;
        if blocked.is_empty() {
            return None;
        }
        let (Material::PublicKey { hint }, Content::Envelope(envelope)) = (&bundle.material, &bundle.content) else {
            return None;
        };
        let signed = envelope.signed_bytes();
        let claimed = Statement::read(&envelope.payload).ok().and_then(|statement| statement.key_id);
        let signer = hinted(hint, &self.publishers).find(|(_, key)| key.verifies(&signed, &envelope.signature));
        let mut tried = 0_usize;
        let mut is_signer = |key: &PublicKey| {
            if let Some((_, own)) = &signer {
                return *own == key;
            }
            tried = tried.saturating_add(1);
            key.is_hinted_by(hint) || (tried <= MOST_TRIED && key.verifies(&signed, &envelope.signature))
        };
        let named = |publisher: &&Publisher, key_id: &str| match &publisher.identity {
            Identity::Keyed { key_id: own, .. } => own == key_id,
            Identity::Keyless { .. } => false,
        };
        let publishers: Vec<&Publisher> = hinted(hint, &self.publishers)
            .filter(|(_, key)| signer.is_none_or(|(_, own)| own == *key))
            .map(|(publisher, _)| publisher)
            .collect();
        let fits = |entry: &&BlockedPublisher| {
            let of_a_certificate = [&entry.issuer, &entry.repository, &entry.workflow, &entry.ref_pattern];
            of_a_certificate.iter().all(|claim| claim.is_none())
                && entry.name.as_ref().is_none_or(|name| publishers.iter().any(|publisher| publisher.name == *name))
                && entry.key_id.as_ref().is_none_or(|key_id| {
                    claimed.as_ref() == Some(key_id)
                        || hint == key_id
                        || envelope.key_id == *key_id
                        || publishers.iter().any(|publisher| named(publisher, key_id))
                })
                && entry.public_key.as_ref().is_none_or(&mut is_signer)
        };
        blocked.iter().find(fits).map(described)
    }
}

/// Who signed the policy `bytes`, among `publishers`, and when, where that is said.
///
/// # Errors
/// The first check that failed.
pub(super) fn policy_signer<'p>(
    bytes: &[u8],
    bundle: &[u8],
    publishers: &'p [Publisher],
) -> Result<(&'p Publisher, Option<u64>), Failure> {
    let bundle = bundle::read(bundle).map_err(Failure::BundleMalformed)?;
    let (publisher, statement) = signer(&bundle, publishers)?;
    check_policy(&statement, Digest::of(bytes))?;
    Ok((publisher, statement.signed_at))
}

/// The statement is about the trust policy with the digest `found`.
///
/// # Errors
/// The first check that failed.
pub(super) fn check_policy(statement: &Statement, found: Digest) -> Result<(), Failure> {
    let Some(subject) = statement.subjects.first().filter(|_| statement.predicate == Predicate::Policy) else {
        return Err(Failure::OtherPredicate { found: statement.predicate, expected: Predicate::Policy });
    };
    if subject.name != super::super::policy::FILE_NAME {
        let expected = super::super::policy::FILE_NAME.to_owned();
        return Err(Failure::OtherFile { named: subject.name.clone(), expected });
    }
    if subject.digest != found {
        return Err(Failure::OtherDigest { expected: subject.digest, found });
    }
    Ok(())
}

/// The publisher that made the signature, and what was signed.
fn signer<'p>(bundle: &Bundle, publishers: &'p [Publisher]) -> Result<(&'p Publisher, Statement), Failure> {
    let Material::PublicKey { hint } = &bundle.material else { return Err(Failure::Keyless) };
    let Content::Envelope(envelope) = &bundle.content else {
        return Err(Failure::StatementMalformed(no_statement("the bare bytes of a file were signed")));
    };
    let mut failure = Failure::PublisherUnknown { hint: hint.clone() };
    for (publisher, key) in hinted(hint, publishers) {
        match statement(envelope, key) {
            Ok(statement) => match check_claims(bundle, envelope, &statement, publisher, key) {
                Ok(()) => return Ok((publisher, statement)),
                Err(other) => failure = other,
            },
            Err(other) => failure = other,
        }
    }
    Err(failure)
}

/// The publishers that the hint of a bundle may mean, with their keys: the one whose key has that fingerprint, or those
/// that call their key so. The hint is signed by nobody, so it selects and proves nothing.
fn hinted<'p>(hint: &str, publishers: &'p [Publisher]) -> impl Iterator<Item = (&'p Publisher, &'p PublicKey)> {
    publishers.iter().filter_map(move |publisher| match &publisher.identity {
        Identity::Keyed { key_id, key } => (key.is_hinted_by(hint) || key_id == hint).then_some((publisher, key)),
        Identity::Keyless { .. } => None,
    })
}

/// The statement in `envelope`, after its signature was verified.
///
/// # Errors
/// A signature that is not one of `key`, a payload of another type, no statement.
pub(super) fn statement(envelope: &Envelope, key: &PublicKey) -> Result<Statement, Failure> {
    if !key.verifies(&envelope.signed_bytes(), &envelope.signature) {
        return Err(Failure::SignatureWrong);
    }
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(Failure::StatementMalformed(no_statement("the payload is no in-toto statement")));
    }
    Statement::read(&envelope.payload).map_err(Failure::StatementMalformed)
}

/// Checks that what logs and time-stamp authorities say in the bundle is about `signature`, which is one of `key` over the bytes
/// with `digest`. `payload` is that of an envelope.
///
/// # Errors
/// [`Failure::EvidenceWrong`].
pub(super) fn check_evidence(
    bundle: &Bundle,
    key: &PublicKey,
    signature: &[u8],
    digest: Digest,
    payload: Option<&[u8]>,
) -> Result<(), Failure> {
    let signed = Signed { signature, key, digest, payload: payload.map(Digest::of) };
    tlog::check(&bundle.log_entries, bundle.version, signed)
        .map_err(|why| Failure::EvidenceWrong { what: "an entry of a transparency log", why })?;
    bundle.timestamps.iter().try_for_each(|reply| {
        tsa::check(reply, signature).map_err(|why| Failure::EvidenceWrong { what: "a time stamp", why })
    })
}

fn check_claims(
    bundle: &Bundle,
    envelope: &Envelope,
    statement: &Statement,
    publisher: &Publisher,
    key: &PublicKey,
) -> Result<(), Failure> {
    check_key_id(statement, publisher)?;
    if bundle.log_entries.is_empty() && bundle.timestamps.is_empty() {
        return Ok(());
    }
    let digest = Digest::of(&envelope.signed_bytes());
    check_evidence(bundle, key, &envelope.signature, digest, Some(&envelope.payload))
}

/// The name under which the signer says it signed is that of the publisher's key.
fn check_key_id(statement: &Statement, publisher: &Publisher) -> Result<(), Failure> {
    match (&statement.key_id, &publisher.identity) {
        (Some(claimed), Identity::Keyed { key_id, .. }) if claimed != key_id => {
            Err(Failure::KeyIdDiffers { claimed: claimed.clone(), expected: key_id.clone() })
        }
        _ => Ok(()),
    }
}

fn no_statement(why: &str) -> super::super::Malformed {
    super::super::Malformed { line: 0, column: 0, json_path: String::new(), why: why.to_owned() }
}

fn described(entry: &BlockedPublisher) -> String {
    let key = entry.public_key.as_ref().map(|key| key.fingerprint().to_string());
    let what = entry.name.clone().or_else(|| entry.key_id.clone()).or(key).unwrap_or_default();
    match &entry.description {
        Some(description) => format!("{what}: {description}"),
        None => what,
    }
}
