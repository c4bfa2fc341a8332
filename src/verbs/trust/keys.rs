//! The key store that the environment names, for the verbs that sign.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::trust::keystore::key::PrivateKey;
use crate::trust::keystore::{self, KeyId, KeyStore, Passphrases, Place, Protection, passphrase};
use crate::trust::public_key::PublicKey;
use crate::verbs::{REFUSED, USAGE, gather, print};

/// What went wrong, and the exit status it is.
pub(super) struct Failure {
    pub(super) status: u8,
    pub(super) sentence: String,
}

impl Failure {
    /// nono refuses, or failed.
    pub(super) fn refused(sentence: impl Into<String>) -> Self {
        Self { status: REFUSED, sentence: sentence.into() }
    }

    /// The command line is wrong.
    pub(super) fn usage(sentence: impl Into<String>) -> Self {
        Self { status: USAGE, sentence: sentence.into() }
    }

    /// Says what went wrong, and answers with the exit status.
    pub(super) fn say(&self) -> u8 {
        print::say(&self.sentence);
        self.status
    }
}

impl From<keystore::Problem> for Failure {
    fn from(problem: keystore::Problem) -> Self {
        Self::refused(problem.to_string())
    }
}

/// The name that was given for a key, or the usual one.
///
/// # Errors
/// It is no name.
pub(super) fn id(given: Option<&str>) -> Result<KeyId, Failure> {
    given.map_or_else(|| Ok(KeyId::default()), |name| KeyId::new(name).map_err(Failure::usage))
}

/// The place that `NONO_KEYSTORE` names.
///
/// # Errors
/// It names none.
pub(super) fn place() -> Result<Place, Failure> {
    Ok(Place::named(std::env::var_os(keystore::VARIABLE).as_deref())?)
}

/// The key store at `place`; `protection` is for keys that are made in it.
///
/// # Errors
/// This build has none there.
pub(super) fn open(place: Place, protection: Protection) -> Result<Box<dyn KeyStore>, Failure> {
    let file = std::env::var_os(passphrase::VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    Ok(keystore::open(place, Passphrases { file }, protection)?)
}

/// The public half of `key`.
///
/// # Errors
/// It cannot be written, which no key is known for.
pub(super) fn public(key: &PrivateKey) -> Result<PublicKey, Failure> {
    key.public().map_err(|fault| Failure::refused(fault.to_string()))
}

/// nono's directory among the user's settings.
///
/// # Errors
/// There is none.
pub(super) fn settings() -> Result<PathBuf, Failure> {
    let workdir = gather::workdir(None).map_err(Failure::refused)?;
    let directory = gather::user_directory(&gather::variables(&workdir));
    let missing = "there is no place for your settings: set HOME or XDG_CONFIG_HOME to an absolute path";
    let directory = directory.ok_or_else(|| Failure::refused(missing))?;
    Ok(PathBuf::from(OsStr::from_bytes(directory.as_bytes())))
}
