//! Where signing keys are kept: the desktop's keyring, the Keychain of macOS, or a directory of key files.

mod directory;
pub mod id;
pub mod key;
#[cfg(target_os = "macos")]
mod keychain;
pub mod own;
pub mod passphrase;
#[cfg(all(target_os = "linux", feature = "secret-service"))]
mod secret_service;

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use self::key::{KeyFault, PrivateKey, Seed};
use crate::profile::escape::escaped;

pub use self::id::KeyId;
pub use self::passphrase::Passphrases;

/// The place that `NONO_KEYSTORE` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// PKCS#8 files beneath a directory.
    Directory(PathBuf),
    /// The Keychain of macOS.
    Keychain,
    /// The keyring of the desktop (Secret Service API 0.2).
    SecretService,
}

/// Whether a new key in a directory is kept under a passphrase. The other places have locks of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    None,
    Passphrase,
}

/// Keys by name.
pub trait KeyStore: fmt::Debug {
    /// What the place is called in a sentence.
    fn describe(&self) -> String;

    /// The key called `id`.
    ///
    /// # Errors
    /// [`Problem::Missing`] when there is none; whatever keeps it from being read.
    fn load(&self, id: &KeyId) -> Result<PrivateKey, Problem>;

    /// Keeps `key` as `id`. A key that is there already stays as it is.
    ///
    /// # Errors
    /// [`Problem::Exists`]; whatever keeps it from being written.
    fn store(&self, id: &KeyId, key: &PrivateKey) -> Result<(), Problem>;
}

/// Why there is no key, or none was kept.
#[derive(Debug)]
pub enum Problem {
    /// A key of the name is there already: the name and the place.
    Exists {
        id: KeyId,
        place: String,
    },
    /// Somebody else could read or replace it.
    Exposed {
        path: PathBuf,
        why: String,
    },
    /// The system refused something: what, and its words.
    Failed {
        doing: String,
        error: io::Error,
    },
    /// What is kept is no key of ours.
    Faulty {
        what: String,
        fault: KeyFault,
    },
    Missing {
        id: KeyId,
        place: String,
    },
    /// `NONO_KEYSTORE` names no place that this build has.
    NoPlace(String),
    /// There is no passphrase, or none that can be used.
    Passphrase(String),
    /// The keyring does not answer, or refuses.
    Service(String),
}

/// The variable that names the place.
pub const VARIABLE: &str = "NONO_KEYSTORE";

impl Place {
    /// What the variable [`VARIABLE`] says; without it, the system's own.
    ///
    /// # Errors
    /// [`Problem::NoPlace`].
    pub fn named(value: Option<&OsStr>) -> Result<Self, Problem> {
        let Some(value) = value.filter(|value| !value.is_empty()) else { return Self::usual() };
        if let Some(directory) = value.as_bytes().strip_prefix(b"file:") {
            let path = PathBuf::from(OsStr::from_bytes(directory));
            if !path.is_absolute() {
                let shown = escaped(value.as_bytes(), 400);
                let why = format!("{VARIABLE} is `{shown}`, and the directory after `file:` must be an absolute path");
                return Err(Problem::NoPlace(why));
            }
            return Ok(Self::Directory(path));
        }
        match value.as_bytes() {
            b"secret-service" if cfg!(all(target_os = "linux", feature = "secret-service")) => Ok(Self::SecretService),
            b"keychain" if cfg!(target_os = "macos") => Ok(Self::Keychain),
            b"secret-service" | b"keychain" => Err(Problem::NoPlace(format!(
                "{VARIABLE} is `{}`, which this build of nono does not have; set it to `file:` and an absolute directory",
                value.to_string_lossy()
            ))),
            other => Err(Problem::NoPlace(format!(
                "{VARIABLE} is `{}`; it is `secret-service` on Linux, `keychain` on macOS, or `file:` and an absolute \
                 directory",
                escaped(other, 400)
            ))),
        }
    }

    fn usual() -> Result<Self, Problem> {
        if cfg!(target_os = "macos") {
            Ok(Self::Keychain)
        } else if cfg!(all(target_os = "linux", feature = "secret-service")) {
            Ok(Self::SecretService)
        } else {
            let why =
                format!("this build of nono knows no keyring; set {VARIABLE} to `file:` and an absolute directory");
            Err(Problem::NoPlace(why))
        }
    }
}

/// The key store at `place`. Passphrases are asked for when they are needed, and not before.
///
/// # Errors
/// [`Problem::NoPlace`] for a place of another system.
pub fn open(place: Place, passphrases: Passphrases, protection: Protection) -> Result<Box<dyn KeyStore>, Problem> {
    match place {
        Place::Directory(path) => Ok(Box::new(directory::Directory::new(path, passphrases, protection))),
        Place::Keychain => keychain(),
        Place::SecretService => keyring(),
    }
}

#[cfg(target_os = "macos")]
fn keychain() -> Result<Box<dyn KeyStore>, Problem> {
    Ok(Box::new(keychain::Keychain))
}

#[cfg(not(target_os = "macos"))]
fn keychain() -> Result<Box<dyn KeyStore>, Problem> {
    Err(Problem::NoPlace(format!("the Keychain is macOS's own; set {VARIABLE} to `file:` and an absolute directory")))
}

#[cfg(all(target_os = "linux", feature = "secret-service"))]
fn keyring() -> Result<Box<dyn KeyStore>, Problem> {
    Ok(Box::new(secret_service::Keyring))
}

#[cfg(not(all(target_os = "linux", feature = "secret-service")))]
fn keyring() -> Result<Box<dyn KeyStore>, Problem> {
    let why = format!("this build of nono knows no keyring; set {VARIABLE} to `file:` and an absolute directory");
    Err(Problem::NoPlace(why))
}

/// A key that nobody has seen before.
///
/// # Errors
/// The system gives no random bytes.
pub fn generate() -> Result<PrivateKey, Problem> {
    // One in 2³² tries fails, see `PrivateKey::from_seed`.
    for _ in 0..8 {
        let mut seed = Seed::default();
        random(seed.as_mut_slice())?;
        if let Some(key) = PrivateKey::from_seed(&seed) {
            return Ok(key);
        }
    }
    let error = io::Error::other("its bytes are not random");
    Err(Problem::Failed { doing: "/dev/urandom cannot be used".to_owned(), error })
}

/// Fills `bytes` with what nobody can foresee (`random(4)`).
fn random(bytes: &mut [u8]) -> Result<(), Problem> {
    let read = File::open("/dev/urandom").and_then(|mut source| {
        // A plain file in its place would give everybody the same key.
        if !source.metadata()?.file_type().is_char_device() {
            return Err(io::Error::other("it is not a device"));
        }
        source.read_exact(bytes)
    });
    read.map_err(|error| Problem::Failed { doing: "/dev/urandom cannot be read".to_owned(), error })
}

/// A path for a message.
fn shown(path: &Path) -> String {
    escaped(path.as_os_str().as_bytes(), 400)
}

/// Reads at most `largest` bytes, and one more so that the reader can tell.
fn read_some(file: impl Read, largest: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    // Allocated once: a vector that grows leaves copies of what it held behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(largest.saturating_add(64)));
    file.take(u64::try_from(largest).unwrap_or(u64::MAX).saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists { id, place } => write!(
                out,
                "the key \"{id}\" is in {place} already and stays; give the new one another name with --id, or remove \
                 the old one there first"
            ),
            Self::Exposed { path, why } => write!(out, "{} {why}", shown(path)),
            Self::Failed { doing, error } => write!(out, "{doing}: {error}"),
            Self::Faulty { what, fault } => write!(out, "{what} cannot be used: {fault}"),
            Self::Missing { id, place } => write!(
                out,
                "there is no key \"{id}\" in {place}; make one with `nono trust keygen --id {id}`, or name another \
                 place with {VARIABLE}"
            ),
            Self::NoPlace(why) | Self::Passphrase(why) | Self::Service(why) => out.write_str(why),
        }
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_named_as_documented() {
        let named = |value: &str| Place::named(Some(OsStr::new(value)));
        assert_eq!(named("file:/srv/keys").unwrap(), Place::Directory("/srv/keys".into()));
        for wrong in ["file:", "file:keys", "file:./keys", "keyring", "FILE:/x", "/srv/keys", "secret-service "] {
            let why = named(wrong).unwrap_err().to_string();
            assert!(why.contains("NONO_KEYSTORE") && why.contains("file:"), "{why}");
        }
        let usual = Place::named(None).map_err(|why| why.to_string());
        assert_eq!(usual.is_ok(), cfg!(any(target_os = "macos", feature = "secret-service")), "{usual:?}");
        assert_eq!(Place::named(Some(OsStr::new(""))).map_err(|why| why.to_string()), usual);
    }

    #[test]
    fn each_new_key_is_another() {
        let (one, other) = (generate().unwrap(), generate().unwrap());
        assert_ne!(one.public().unwrap(), other.public().unwrap());
    }
}
