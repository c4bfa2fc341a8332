//! Signing keys: ECDSA over P-256 with SHA-256 (FIPS 186-5), as PKCS#8 (RFC 5958, RFC 5915), plain or encrypted (RFC 8018).

use std::fmt;

use p256::SecretKey;
use p256::ecdsa::{DerSignature, SigningKey, signature::Signer};
use pkcs8::pkcs5::pbes2::{EncryptionScheme, Kdf, Parameters, ScryptParams};
use pkcs8::pkcs5::scrypt;
use pkcs8::{
    DecodePrivateKey, EncodePrivateKey, EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef, SecretDocument,
};
use zeroize::Zeroizing;

use crate::trust::public_key::PublicKey;

/// The largest key file, in bytes. One of ours has under 600.
pub const LARGEST: usize = 16 << 10;

/// RFC 7468, sections 10 and 11.
const PLAIN: &str = "PRIVATE KEY";
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

/// scrypt's cost for new keys, 16 MiB of memory five times over: the most that `openssl` agrees to undo is 32 MiB.
const LOG_N: u8 = 14;
const BLOCK_SIZE: u32 = 8;
const PARALLELIZATION: u32 = 5;

/// What undoing a passphrase may cost, whatever the file asks for: bytes of memory times rounds, and iterations of PBKDF2.
const MOST_SCRYPT: u64 = 2 << 30;
const MOST_SCRYPT_MEMORY: u64 = 256 << 20;
const MOST_ITERATIONS: u32 = 10_000_000;

/// Random bytes that a new key is made from; see [`PrivateKey::from_seed`].
pub type Seed = Zeroizing<[u8; 32]>;

/// Random bytes that the encryption of one key is made from.
#[derive(Clone, Copy, Debug)]
pub struct Salt {
    pub salt: [u8; 16],
    /// The initialisation vector of AES-256 in CBC mode.
    pub vector: [u8; 16],
}

/// A private key. It is wiped from memory when it is dropped.
#[derive(Clone)]
pub struct PrivateKey(SecretKey);

/// A key file that was read: the key, or what needs its passphrase first.
pub enum KeyFile {
    Encrypted(Encrypted),
    Plain(PrivateKey),
}

/// A key under a passphrase.
pub struct Encrypted(SecretDocument);

/// What is wrong with the text of a key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFault {
    /// The passphrase would cost more to undo than anybody means it to.
    Costly,
    NotDer,
    NotP256,
    NotPem,
    /// PEM of something else.
    OtherLabel,
    /// The traditional format of OpenSSL (RFC 5915 by itself).
    Sec1,
    TooLarge,
    /// DES, or another scheme that is not PBES2 with AES.
    Unsupported,
    WrongPassphrase,
}

impl PrivateKey {
    /// The key that the random number `seed` is. `None` for zero and for numbers that are not below the order of the group,
    /// about one in 2³²: the caller takes other random bytes (FIPS 186-5, A.2.2).
    pub fn from_seed(seed: &Seed) -> Option<Self> {
        SecretKey::from_slice(seed.as_slice()).ok().map(Self)
    }

    /// Reads the PKCS#8 that a key store keeps.
    ///
    /// # Errors
    /// Anything but a PKCS#8 key on the curve P-256 whose public half, where there is one, belongs to it.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyFault> {
        PrivateKeyInfoRef::try_from(der).map_err(|_| KeyFault::NotDer)?;
        SecretKey::from_pkcs8_der(der).map(Self).map_err(|_| KeyFault::NotP256)
    }

    /// The public half.
    ///
    /// # Errors
    /// [`KeyFault::NotDer`] when it cannot be written, which no key is known for.
    pub fn public(&self) -> Result<PublicKey, KeyFault> {
        PublicKey::new(*SigningKey::from(&self.0).verifying_key()).map_err(|_| KeyFault::NotDer)
    }

    /// An ECDSA signature of SHA-256 of `message`, in DER, with a nonce derived from both (RFC 6979).
    ///
    /// # Errors
    /// [`KeyFault::NotP256`] when there is none, which no key and message are known for.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyFault> {
        let signature: Result<DerSignature, _> = SigningKey::from(&self.0).try_sign(message);
        signature.map(|signature| signature.as_bytes().to_vec()).map_err(|_| KeyFault::NotP256)
    }

    /// The key as PEM, for a place that nobody else can read.
    ///
    /// # Errors
    /// [`KeyFault::NotDer`] when it cannot be written, which no key is known for.
    pub fn to_plain_pem(&self) -> Result<Zeroizing<String>, KeyFault> {
        self.0.to_pkcs8_pem(LineEnding::LF).map_err(|_| KeyFault::NotDer)
    }

    /// The key as PEM under `passphrase`: PBES2 with scrypt (RFC 7914) and AES-256 in CBC mode, which `openssl` reads.
    ///
    /// # Errors
    /// [`KeyFault::Unsupported`] when it cannot be encrypted, which no key is known for.
    pub fn to_encrypted_pem(&self, passphrase: &[u8], salt: &Salt) -> Result<Zeroizing<String>, KeyFault> {
        let unsupported = |_| KeyFault::Unsupported;
        let cost = scrypt::Params::new(LOG_N, BLOCK_SIZE, PARALLELIZATION).map_err(|_| KeyFault::Unsupported)?;
        let kdf = Kdf::Scrypt(ScryptParams::from_params_and_salt(cost, &salt.salt).map_err(|_| KeyFault::Unsupported)?);
        let parameters = Parameters { kdf, encryption: EncryptionScheme::Aes256Cbc { iv: salt.vector } };
        let plain = self.0.to_pkcs8_der().map_err(unsupported)?;
        let info = PrivateKeyInfoRef::try_from(plain.as_bytes()).map_err(|_| KeyFault::Unsupported)?;
        let encrypted = info.encrypt_with_params(parameters, passphrase).map_err(unsupported)?;
        encrypted.to_pem(ENCRYPTED, LineEnding::LF).map_err(|_| KeyFault::Unsupported)
    }
}

impl KeyFile {
    /// Reads the text of a key file: one PEM block (RFC 7468).
    ///
    /// # Errors
    /// [`KeyFault`], before anything costly is done.
    pub fn parse(text: &[u8]) -> Result<Self, KeyFault> {
        if text.len() > LARGEST {
            return Err(KeyFault::TooLarge);
        }
        let text = std::str::from_utf8(text).map_err(|_| KeyFault::NotPem)?;
        let (label, document) = SecretDocument::from_pem(text).map_err(|_| match text.contains("Proc-Type:") {
            true => KeyFault::Sec1,
            false => KeyFault::NotPem,
        })?;
        match label {
            PLAIN => PrivateKey::from_der(document.as_bytes()).map(Self::Plain),
            ENCRYPTED => {
                check_cost(&encrypted(&document)?)?;
                Ok(Self::Encrypted(Encrypted(document)))
            }
            "EC PRIVATE KEY" => Err(KeyFault::Sec1),
            _ => Err(KeyFault::OtherLabel),
        }
    }
}

impl Encrypted {
    /// The key, given its passphrase. Takes a good part of a second on purpose.
    ///
    /// # Errors
    /// [`KeyFault::WrongPassphrase`], or what is wrong with the key inside.
    pub fn open(&self, passphrase: &[u8]) -> Result<PrivateKey, KeyFault> {
        let plain = encrypted(&self.0)?.decrypt(passphrase).map_err(|_| KeyFault::WrongPassphrase)?;
        PrivateKey::from_der(plain.as_bytes())
    }
}

fn encrypted(document: &SecretDocument) -> Result<EncryptedPrivateKeyInfoRef<'_>, KeyFault> {
    EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|_| KeyFault::Unsupported)
}

/// A file must not make its reader busy or large. The library also takes a cost of zero for a number with a logarithm.
fn check_cost(info: &EncryptedPrivateKeyInfoRef<'_>) -> Result<(), KeyFault> {
    let Some(Parameters { kdf, .. }) = info.encryption_algorithm.pbes2() else { return Err(KeyFault::Unsupported) };
    let bearable = match kdf {
        Kdf::Pbkdf2(cost) => (1..=MOST_ITERATIONS).contains(&cost.iteration_count),
        Kdf::Scrypt(cost) => {
            let memory = cost.cost_parameter.checked_mul(128 * u64::from(cost.block_size));
            let all = memory.and_then(|memory| memory.checked_mul(u64::from(cost.parallelization)));
            cost.cost_parameter.is_power_of_two()
                && cost.block_size > 0
                && cost.parallelization > 0
                && memory.is_some_and(|memory| memory <= MOST_SCRYPT_MEMORY)
                && all.is_some_and(|all| all <= MOST_SCRYPT)
        }
        _ => return Err(KeyFault::Unsupported),
    };
    if bearable { Ok(()) } else { Err(KeyFault::Costly) }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PrivateKey")
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Encrypted(_) => "KeyFile::Encrypted",
            Self::Plain(_) => "KeyFile::Plain",
        })
    }
}

impl fmt::Debug for Encrypted {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Encrypted")
    }
}

impl fmt::Display for KeyFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Costly => {
                "its passphrase costs more than 256 MiB or ten million rounds to undo; encrypt the key again with \
                 `openssl pkcs8 -topk8 -scrypt`"
            }
            Self::NotDer => "what its PEM holds is not PKCS#8; convert the key with `openssl pkcs8 -topk8`",
            Self::NotP256 => {
                "it is not a key on the curve P-256 with its own public half; make one with `nono trust keygen` or \
                 `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`"
            }
            Self::NotPem => "it is not one PEM block; convert the key with `openssl pkcs8 -topk8`",
            Self::OtherLabel => {
                "its PEM block is not a private key; export the private key with `openssl pkcs8 -topk8`"
            }
            Self::Sec1 => "it has OpenSSL's traditional format; convert the key with `openssl pkcs8 -topk8`",
            Self::TooLarge => "it has more than 16 KiB, and no key needs that",
            Self::Unsupported => {
                "its encryption is not PBES2 with AES; encrypt the key again with `openssl pkcs8 -topk8 -scrypt`"
            }
            Self::WrongPassphrase => "the passphrase is wrong, or the file is damaged",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: Salt = Salt { salt: [7; 16], vector: [9; 16] };

    fn key(seed: u8) -> PrivateKey {
        PrivateKey::from_seed(&Zeroizing::new([seed; 32])).unwrap()
    }

    #[test]
    fn a_key_survives_its_file_with_and_without_a_passphrase() {
        let key = key(1);
        let Ok(KeyFile::Plain(plain)) = KeyFile::parse(key.to_plain_pem().unwrap().as_bytes()) else { panic!("plain") };
        assert_eq!(plain.public(), key.public());
        let pem = key.to_encrypted_pem(b"correct horse", &SALT).unwrap();
        let Ok(KeyFile::Encrypted(closed)) = KeyFile::parse(pem.as_bytes()) else { panic!("encrypted") };
        assert_eq!(closed.open(b"correct horse").unwrap().public(), key.public());
        for wrong in [&b""[..], b"correct horse ", b"Correct horse"] {
            assert_eq!(closed.open(wrong).unwrap_err(), KeyFault::WrongPassphrase);
        }
    }

    #[test]
    fn numbers_outside_the_group_make_no_key() {
        for seed in [[0; 32], [255; 32]] {
            assert!(PrivateKey::from_seed(&Zeroizing::new(seed)).is_none());
        }
    }

    #[test]
    fn signatures_are_the_same_each_time_and_another_s_for_another_key() {
        let signature = key(1).sign(b"message").unwrap();
        assert_eq!(signature, key(1).sign(b"message").unwrap());
        assert_ne!(signature, key(2).sign(b"message").unwrap());
        assert_eq!(signature.first(), Some(&0x30));
    }

    #[test]
    fn no_file_makes_its_reader_busy() {
        // PBES2 with scrypt and AES-256-CBC around nothing: the cost is three INTEGERs after the salt.
        let closed = |cost: &[u8]| {
            let nested = |tag: u8, parts: &[&[u8]]| {
                let inside = parts.concat();
                [&[tag, u8::try_from(inside.len()).unwrap()], inside.as_slice()].concat()
            };
            let scrypt = b"\x06\x09\x2b\x06\x01\x04\x01\xda\x47\x04\x0b";
            let kdf = nested(0x30, &[scrypt, &nested(0x30, &[b"\x04\x01s", cost])]);
            let aes = nested(0x30, &[b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2a\x04\x10", &[0; 16]]);
            let pbes2 = nested(0x30, &[b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d", &nested(0x30, &[&kdf, &aes])]);
            let info = nested(0x30, &[&pbes2, b"\x04\x01x"]);
            let pem = SecretDocument::try_from(info).unwrap().to_pem(ENCRYPTED, LineEnding::LF).unwrap();
            KeyFile::parse(pem.as_bytes()).map(drop)
        };
        assert_eq!(closed(b"\x02\x02\x40\x00\x02\x01\x08\x02\x01\x01"), Ok(()));
        for costly in [
            &b"\x02\x01\x00\x02\x01\x08\x02\x01\x01"[..],
            b"\x02\x01\x03\x02\x01\x08\x02\x01\x01",
            b"\x02\x04\x40\x00\x00\x00\x02\x01\x08\x02\x01\x01",
            b"\x02\x09\x00\x80\x00\x00\x00\x00\x00\x00\x00\x02\x01\x08\x02\x01\x01",
            b"\x02\x02\x40\x00\x02\x01\x00\x02\x01\x01",
            b"\x02\x02\x40\x00\x02\x01\x08\x02\x01\x00",
            b"\x02\x02\x40\x00\x02\x01\x08\x02\x02\x7f\xff",
        ] {
            assert_eq!(closed(costly), Err(KeyFault::Costly), "{costly:02x?}");
        }
    }

    #[test]
    fn other_files_say_what_to_do() {
        for (text, fault) in [
            (&b""[..], KeyFault::NotPem),
            (b"\xff\xfe", KeyFault::NotPem),
            (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", KeyFault::NotPem),
            (b"-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n", KeyFault::OtherLabel),
            (b"-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n", KeyFault::Sec1),
            (b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", KeyFault::NotDer),
            (
                b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n",
                KeyFault::Unsupported,
            ),
            (&[b' '; LARGEST + 1], KeyFault::TooLarge),
        ] {
            assert_eq!(KeyFile::parse(text).map(drop), Err(fault), "{}", String::from_utf8_lossy(text));
            assert!(fault == KeyFault::TooLarge || fault.to_string().contains("openssl"));
        }
    }

    #[test]
    fn no_key_is_printed() {
        let key = key(3);
        assert_eq!(format!("{key:?} {:?}", KeyFile::Plain(key.clone())), "PrivateKey KeyFile::Plain");
    }
}
