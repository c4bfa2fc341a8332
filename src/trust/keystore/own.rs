//! The public halves of the user's own keys, which `nono trust keygen` notes among the user's settings: who is trusted
//! without being named is known without unlocking a keyring.

use std::fs::{self, DirBuilder, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use pkcs8::{Document, LineEnding};
use sha2::{Digest, Sha256};

use super::directory::{open_to_read, put};
use super::key::{KeyFault, PrivateKey};
use super::{KeyId, Problem, read_some, shown};

/// The directory beneath the user's settings.
pub const NAME: &str = "keys";

/// More notes than this are not read: it is no directory of ours then.
const MOST: usize = 1000;
/// The largest note, in bytes.
const LARGEST: usize = 4096;
/// RFC 7468, section 13.
const LABEL: &str = "PUBLIC KEY";

/// A public key of the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnKey {
    pub id: KeyId,
    /// DER `SubjectPublicKeyInfo`.
    pub public: Vec<u8>,
}

/// Notes in `settings` that `key` is the user's own, called `id`. Answers with the file.
///
/// # Errors
/// The note cannot be written.
pub fn note(settings: &Path, id: &KeyId, key: &PrivateKey) -> Result<PathBuf, Problem> {
    let faulty = |fault| Problem::Faulty { what: "the new key".to_owned(), fault };
    let public = key.public_der().map_err(faulty)?;
    let directory = settings.join(NAME);
    let failed = |error| Problem::Failed { doing: format!("{} cannot be written", shown(&directory)), error };
    DirBuilder::new().recursive(true).mode(0o700).create(&directory).map_err(failed)?;
    let path = directory.join(format!("{id}.{}.pub", mark(&public)));
    let pem = pem(&public).map_err(faulty)?;
    match put(&path, pem.as_bytes()) {
        // The name says what is in it.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(path),
        Err(error) => Err(failed(error)),
        Ok(()) => Ok(path),
    }
}

/// The keys that are noted in `settings`, by name; none where there is no note.
///
/// # Errors
/// A note that somebody else could have written, or that is none: whoever writes there decides who is trusted.
pub fn keys(settings: &Path) -> Result<Vec<OwnKey>, Problem> {
    let directory = settings.join(NAME);
    let failed = |error| Problem::Failed { doing: format!("{} cannot be read", shown(&directory)), error };
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    for path in [settings, directory.as_path()] {
        check_owner(path, &fs::metadata(path).map_err(failed)?)?;
    }
    let mut keys = Vec::new();
    for entry in entries.take(MOST) {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // A draft that an interrupted command left begins with a dot.
        let Some((id, noted)) = name.strip_suffix(".pub").and_then(|stem| stem.rsplit_once('.')) else { continue };
        let Ok(id) = KeyId::new(id) else { continue };
        let file = open_to_read(&path).map_err(failed)?;
        check_owner(&path, &file.metadata().map_err(failed)?)?;
        let text = read_some(file, LARGEST).map_err(failed)?;
        let faulty = |fault| Problem::Faulty { what: format!("the public key {}", shown(&path)), fault };
        let public = public(&text).map_err(faulty)?;
        if mark(&public) != noted {
            let why = io::Error::other("its name belongs to another key; remove it, or export the key again");
            return Err(Problem::Failed { doing: format!("{} cannot be believed", shown(&path)), error: why });
        }
        keys.push(OwnKey { id, public });
    }
    keys.sort_by(|one, other| (&one.id, &one.public).cmp(&(&other.id, &other.public)));
    Ok(keys)
}

/// A public key as PEM (RFC 7468, section 13).
///
/// # Errors
/// [`KeyFault::NotDer`].
pub fn pem(public: &[u8]) -> Result<String, KeyFault> {
    let document = Document::try_from(public).map_err(|_| KeyFault::NotDer)?;
    document.to_pem(LABEL, LineEnding::LF).map_err(|_| KeyFault::NotDer)
}

fn public(text: &[u8]) -> Result<Vec<u8>, KeyFault> {
    if text.len() > LARGEST {
        return Err(KeyFault::TooLarge);
    }
    let text = std::str::from_utf8(text).map_err(|_| KeyFault::NotPem)?;
    let (label, document) = Document::from_pem(text).map_err(|_| KeyFault::NotPem)?;
    if label == LABEL { Ok(document.into_vec()) } else { Err(KeyFault::OtherLabel) }
}

/// Two keys of one name in two places are two notes.
fn mark(public: &[u8]) -> String {
    Sha256::digest(public).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn check_owner(path: &Path, found: &Metadata) -> Result<(), Problem> {
    let exposed = |why| Err(Problem::Exposed { path: path.to_path_buf(), why });
    let user = syscalls::credentials::effective_user();
    if found.uid() != user && found.uid() != 0 {
        let owner = found.uid();
        return exposed(format!(
            "belongs to user {owner} and not to you ({user}): take it over with chown, or remove it"
        ));
    }
    if found.mode() & 0o022 != 0 {
        let now = found.mode() & 0o777;
        return exposed(format!("can be written by others (mode {now:04o}): close it with `chmod go-w`"));
    }
    Ok(())
}
