//! Signatures over files and policies: a statement about digests, in an envelope, in a bundle.

use super::bundle::{Bundle, Envelope, PAYLOAD_TYPE, pre_authentication_encoding};
use super::keystore::key::{KeyFault, PrivateKey};
use super::statement::Statement;

/// The bundle of `statement`, signed with `key`.
///
/// # Errors
/// A key that cannot sign or be written, which none is known for.
pub fn sign(statement: &Statement, key: &PrivateKey) -> Result<Bundle, KeyFault> {
    let payload = statement.to_json().into_bytes();
    let signature = key.sign(&pre_authentication_encoding(PAYLOAD_TYPE, &payload))?;
    let payload_type = PAYLOAD_TYPE.to_owned();
    // The hint of the bundle says whose key it is; two names for one key would have to be equal.
    Ok(Bundle::keyed(&key.public()?, Envelope { payload, payload_type, signature, key_id: String::new() }))
}
