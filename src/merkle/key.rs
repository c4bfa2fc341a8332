//! The keys of signed notes: Ed25519 (RFC 8032), with the names and texts of C2SP `signed-note`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use super::Hash;
use super::note::SignatureLine;

/// Signature types of C2SP `signed-note`: plain Ed25519, and the timestamped one of `tlog-cosignature`.
const ED25519: u8 = 1;
const COSIGNATURE: u8 = 4;
/// The longest name that is taken from elsewhere, in bytes.
const LONGEST_NAME: usize = 255;

/// What a signature is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The text of the note.
    Log,
    /// The text and the time at which a witness saw it (C2SP `tlog-cosignature`, "Ed25519 signature message").
    Witness,
}

/// A public key with the name of whoever signs with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    kind: Kind,
    key: VerifyingKey,
}

/// A private key. It is erased from memory when it is dropped.
pub struct Signer {
    name: String,
    key: SigningKey,
}

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The number after the name is not that of this name and key.
    Id,
    /// Not of the form NAME+ID+KEY.
    Malformed,
    /// The name is empty, too long, or has a space, a plus sign or a control character.
    Name,
    /// A signature type that is not known here.
    Type,
}

impl Verifier {
    /// Reads a `vkey` of C2SP `signed-note`: `NAME+ID+KEY`.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Malformed);
        };
        check_name(name)?;
        let bytes = BASE64.decode(key).map_err(|_| KeyError::Malformed)?;
        let (first, key) = bytes.split_first().ok_or(KeyError::Malformed)?;
        let kind = match *first {
            ED25519 => Kind::Log,
            COSIGNATURE => Kind::Witness,
            _ => return Err(KeyError::Type),
        };
        let key = <[u8; 32]>::try_from(key).map_err(|_| KeyError::Malformed)?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| KeyError::Malformed)?;
        let verifier = Self { name: name.to_owned(), kind, key };
        if id.len() == 8 && u32::from_str_radix(id, 16) == Ok(verifier.id()) { Ok(verifier) } else { Err(KeyError::Id) }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The public key itself (RFC 8032, section 5.1.5).
    pub fn public(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// The number that tells keys of one name apart (C2SP `signed-note`, "Signatures").
    pub fn id(&self) -> u32 {
        let mut hasher = Sha256::new();
        hasher.update(self.name.as_bytes());
        hasher.update([b'\n', self.kind.number()]);
        hasher.update(self.key.as_bytes());
        let [a, b, c, d, ..] = <[u8; 32]>::from(hasher.finalize());
        u32::from_be_bytes([a, b, c, d])
    }

    /// The hash of the public key alone, to name it by.
    pub fn fingerprint(&self) -> Hash {
        Sha256::digest(self.key.as_bytes()).into()
    }

    /// Whether `signature` is this key's over `text`. A witness's begins with the time.
    pub(super) fn signed(&self, text: &str, signature: &[u8]) -> bool {
        let strict = |message: &[u8], signature: &[u8]| {
            Signature::from_slice(signature).is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
        };
        match self.kind {
            Kind::Log => strict(text.as_bytes(), signature),
            Kind::Witness => signature.split_first_chunk::<8>().is_some_and(|(time, signature)| {
                strict(cosigned(u64::from_be_bytes(*time), text).as_bytes(), signature)
            }),
        }
    }
}

impl Signer {
    /// The key with the secret `seed` (RFC 8032, section 5.1.5).
    ///
    /// # Errors
    /// [`KeyError::Name`].
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), key: SigningKey::from_bytes(seed) })
    }

    /// The same key under another name.
    ///
    /// # Errors
    /// [`KeyError::Name`].
    pub fn named(self, name: &str) -> Result<Self, KeyError> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), ..self })
    }

    /// The key that checks what this one signs.
    pub fn verifier(&self) -> Verifier {
        Verifier { name: self.name.clone(), kind: Kind::Log, key: self.key.verifying_key() }
    }

    /// The signature line for `text`.
    pub fn sign(&self, text: &str) -> SignatureLine {
        let signature = self.key.sign(text.as_bytes()).to_bytes().to_vec();
        SignatureLine { name: self.name.clone(), id: self.verifier().id(), signature }
    }

    /// The same key as a witness's, and its cosignature of `text` at `time`, in seconds since 1970 (C2SP
    /// `tlog-cosignature`).
    pub fn cosign(&self, text: &str, time: u64) -> (Verifier, SignatureLine) {
        let verifier = Verifier { kind: Kind::Witness, ..self.verifier() };
        let signed = self.key.sign(cosigned(time, text).as_bytes()).to_bytes();
        let signature = [time.to_be_bytes().as_slice(), &signed].concat();
        let line = SignatureLine { name: self.name.clone(), id: verifier.id(), signature };
        (verifier, line)
    }
}

impl Kind {
    fn number(self) -> u8 {
        match self {
            Self::Log => ED25519,
            Self::Witness => COSIGNATURE,
        }
    }
}

/// What a witness signs (C2SP `tlog-cosignature`, "Ed25519 signature message").
fn cosigned(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// Names have no spaces and no plus sign (C2SP `signed-note`, "Format").
pub(super) fn check_name(name: &str) -> Result<(), KeyError> {
    let wrong = |character: char| character.is_whitespace() || character.is_control() || character == '+';
    if name.is_empty() || name.len() > LONGEST_NAME || name.contains(wrong) { Err(KeyError::Name) } else { Ok(()) }
}

/// The `vkey` of C2SP `signed-note`.
impl fmt::Display for Verifier {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[self.kind.number()], self.key.as_bytes().as_slice()].concat();
        write!(out, "{}+{:08x}+{}", self.name, self.id(), BASE64.encode(key))
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Id => "the number after the name is not that of the name and the key",
            Self::Malformed => "it is not of the form NAME+ID+KEY",
            Self::Name => "the name is empty or too long, or has a space or a plus sign",
            Self::Type => "it is of a type other than Ed25519",
        })
    }
}

/// The name alone: the key is secret.
impl fmt::Debug for Signer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Signer").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of C2SP `signed-note`.
    const EXAMPLE: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

    #[test]
    fn a_key_is_read_and_written_as_the_specification_has_it() {
        let key = Verifier::parse(EXAMPLE).unwrap();
        assert_eq!((key.name(), key.kind(), key.id()), ("example.com/foo", Kind::Log, 0x530d_903a));
        assert_eq!(key.to_string(), EXAMPLE);
    }

    #[test]
    fn texts_that_are_no_key_are_refused() {
        let wrong = [
            ("", KeyError::Malformed),
            ("a+b", KeyError::Malformed),
            ("+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Name),
            ("a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Name),
            ("example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Id),
            ("example.com/foo++530d903+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Type),
            ("example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Type),
            ("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3Q==", KeyError::Malformed),
        ];
        for (text, error) in wrong {
            assert_eq!(Verifier::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_cosignature_holds_for_its_text_and_time_only() {
        let (witness, line) = Signer::new("w", &[7; 32]).unwrap().cosign("text\n", 1_700_000_000);
        assert!(witness.signed("text\n", &line.signature));
        assert!(!witness.signed("text \n", &line.signature));
        let mut later = line.signature;
        later[7] ^= 1;
        assert!(!witness.signed("text\n", &later));
        assert!(!witness.signed("text\n", &later[..7]));
    }
}
