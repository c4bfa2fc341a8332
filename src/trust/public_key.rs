//! ECDSA keys on the curve P-256, and the signatures they verify (FIPS 186-5, RFC 5480).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::{DecodePublicKey as _, EncodePublicKey as _};

use super::digest::Digest;

/// What stands before and after the base64 of a public key (RFC 7468, section 13).
const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PEM_END: &str = "-----END PUBLIC KEY-----";
/// Base64 characters on a line of PEM (RFC 7468, section 2).
const PEM_LINE: usize = 64;

/// A public key, as `SubjectPublicKeyInfo` (RFC 5280, section 4.1.2.7).
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    der: Vec<u8>,
    fingerprint: Digest,
    key: VerifyingKey,
}

/// Why bytes are no key that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    NotBase64,
    /// Another algorithm or curve, a point that is none, or DER in another form than the one that is written.
    NotP256,
    NotPem,
}

impl PublicKey {
    /// Takes a `SubjectPublicKeyInfo` in DER, in the one form in which it is written: an uncompressed point on the named
    /// curve, and nothing behind it.
    ///
    /// # Errors
    /// [`KeyError::NotP256`].
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_public_key_der(der).map_err(|_| KeyError::NotP256)?;
        let read = Self::new(key)?;
        if read.der == der { Ok(read) } else { Err(KeyError::NotP256) }
    }

    /// Takes [`PublicKey::from_der`] in base64, as trust policies hold it.
    ///
    /// # Errors
    /// What is no base64 (RFC 4648, section 4), or no such key.
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        Self::from_der(&STANDARD.decode(text).map_err(|_| KeyError::NotBase64)?)
    }

    /// Takes the one key of a PEM file (RFC 7468).
    ///
    /// # Errors
    /// What is no PEM of one public key, or no such key.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let body = text.trim().strip_prefix(PEM_BEGIN).and_then(|rest| rest.strip_suffix(PEM_END));
        let body: String = body.ok_or(KeyError::NotPem)?.split_ascii_whitespace().collect();
        Self::from_base64(&body).map_err(|error| if error == KeyError::NotBase64 { KeyError::NotPem } else { error })
    }

    /// Takes a key that was made or read elsewhere.
    ///
    /// # Errors
    /// [`KeyError::NotP256`], when it cannot be written.
    pub fn new(key: VerifyingKey) -> Result<Self, KeyError> {
        let der = key.to_public_key_der().map_err(|_| KeyError::NotP256)?.into_vec();
        Ok(Self { fingerprint: Digest::of(&der), der, key })
    }

    /// The `SubjectPublicKeyInfo` in DER.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The DER in base64.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(&self.der)
    }

    /// The key as a PEM file.
    pub fn to_pem(&self) -> String {
        let mut text = format!("{PEM_BEGIN}\n");
        for (index, character) in self.to_base64().chars().enumerate() {
            if index > 0 && index % PEM_LINE == 0 {
                text.push('\n');
            }
            text.push(character);
        }
        format!("{text}\n{PEM_END}\n")
    }

    /// The SHA-256 of the DER: what the hint of a bundle says (RFC 6962, section 3.2).
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    /// Whether `hint` stands for this key: its fingerprint in base64, as Sigstore recommends, or in hexadecimal digits.
    pub fn is_hinted_by(&self, hint: &str) -> bool {
        let fingerprint = self.fingerprint();
        Digest::parse_any_case(hint) == Some(fingerprint) || STANDARD.encode(fingerprint.as_bytes()) == hint
    }

    /// Whether `signature`, in DER (RFC 3279, section 2.2.3), is one of this key over the SHA-256 of `message`. Its twin with
    /// the other `s` is a signature as well, so a signature never stands for what it signs.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        // One reader of DER, so that every build takes the same signatures.
        Signature::from_der(signature).is_ok_and(|signature| self.is_signature(message, &signature))
    }

    #[cfg(not(feature = "ring"))]
    fn is_signature(&self, message: &[u8], signature: &Signature) -> bool {
        use p256::ecdsa::signature::Verifier as _;
        self.key.verify(message, signature).is_ok()
    }

    #[cfg(feature = "ring")]
    fn is_signature(&self, message: &[u8], signature: &Signature) -> bool {
        use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
        let point = self.key.to_sec1_point(false);
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point.as_bytes())
            .verify(message, &signature.to_bytes())
            .is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PublicKey({})", self.fingerprint())
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NotBase64 => "this is not base64; `nono trust export-key` prints a key in the form that is expected",
            Self::NotP256 => {
                "this is no ECDSA key on the curve P-256 (SubjectPublicKeyInfo in DER, with the whole point); \
                 `nono trust export-key` prints one"
            }
            Self::NotPem => "this is no PEM file of one public key; `nono trust export-key --pem` prints one",
        })
    }
}

impl std::error::Error for KeyError {}

#[cfg(all(test, feature = "ring"))]
mod tests {
    use super::*;
    use p256::ecdsa::SigningKey;
    use p256::ecdsa::signature::{Signer as _, Verifier as _};

    #[test]
    fn both_ways_to_verify_take_the_same_signatures() {
        let signing = SigningKey::from_slice(&[7; 32]).unwrap();
        let key = PublicKey::new(*signing.verifying_key()).unwrap();
        let other = PublicKey::new(*SigningKey::from_slice(&[8; 32]).unwrap().verifying_key()).unwrap();
        for number in 0..64_u8 {
            let message = vec![number; usize::from(number) * 9];
            let signature: Signature = signing.sign(&message);
            let (r, s) = signature.split_scalars();
            let twin = Signature::from_scalars(r, -*s).unwrap();
            let turned = Signature::from_scalars(s, r).unwrap();
            for signature in [signature, twin, turned] {
                for (key, message) in [(&key, &message[..]), (&other, &message), (&key, b"another")] {
                    let expected = key.key.verify(message, &signature).is_ok();
                    assert_eq!(key.verifies(message, signature.to_der().as_bytes()), expected);
                }
            }
            assert!(key.verifies(&message, signature.to_der().as_bytes()));
            assert!(key.verifies(&message, twin.to_der().as_bytes()));
        }
    }
}
