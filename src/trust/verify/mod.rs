//! Whether a file is what somebody who is trusted signed.
//!
//! [`open`](crate::trust::policy::Rules::open) reads a bundle once and tells whose it is,
//! [`judge`](crate::trust::policy::Rules::judge) tells what it means for one file. The order is fixed: the blocklist first,
//! whatever else is said; then the bundle, the signature, the publisher, the file.

mod failure;
mod judge;
mod open;
#[cfg(test)]
mod tests;

pub use self::failure::Failure;
pub use self::judge::{BundleSource, Bundles, Judged, Verdict};
pub use self::open::Opened;

use super::bundle::{self, Content, Material};
use super::digest::Digest;
use super::policy::Publisher;
use super::public_key::PublicKey;

/// What a failed check means for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Go on.
    Allow,
    /// Refuse.
    Deny,
    /// Go on, and record it.
    Record,
    /// Go on, and say it.
    Warn,
}

/// Checks that `bundle` is a policy's and that one of `publishers` signed the policy's `bytes`; answers with that one.
///
/// # Errors
/// The first check that failed.
pub fn verify_policy<'p>(bytes: &[u8], bundle: &[u8], publishers: &'p [Publisher]) -> Result<&'p Publisher, Failure> {
    open::policy_signer(bytes, bundle, publishers).map(|(publisher, _)| publisher)
}

/// [`verify_policy`], which answers with when the policy was signed: seconds since 1970, where its signature says it.
///
/// # Errors
/// The first check that failed.
pub fn policy_signed_at(bytes: &[u8], bundle: &[u8], publishers: &[Publisher]) -> Result<Option<u64>, Failure> {
    open::policy_signer(bytes, bundle, publishers).map(|(_, time)| time)
}

/// Checks that the owner of `key` signed exactly `artifact` (client-spec, section 4, without a certificate): either its bytes,
/// or a statement that names their digest. What that says about the artifact is not asked.
///
/// # Errors
/// The first check that failed.
pub fn verify_artifact(artifact: &[u8], bundle: &[u8], key: &PublicKey) -> Result<(), Failure> {
    let bundle = bundle::read(bundle).map_err(Failure::BundleMalformed)?;
    let Material::PublicKey { .. } = bundle.material else { return Err(Failure::Keyless) };
    let found = Digest::of(artifact);
    match &bundle.content {
        Content::Message { digest, signature } => {
            if digest.as_ref().is_some_and(|digest| digest.as_slice() != found.as_bytes()) {
                return Err(Failure::OtherContent { found });
            }
            if !key.verifies(artifact, signature) {
                return Err(Failure::SignatureWrong);
            }
            open::check_evidence(&bundle, key, signature, found, None)
        }
        Content::Envelope(envelope) => {
            let statement = open::statement(envelope, key)?;
            let named = statement.subjects.iter().any(|subject| subject.digest == found);
            if !named {
                return Err(Failure::OtherContent { found });
            }
            let digest = Digest::of(&envelope.signed_bytes());
            open::check_evidence(&bundle, key, &envelope.signature, digest, Some(&envelope.payload))
        }
    }
}
