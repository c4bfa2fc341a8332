//! The public halves of the user's own keys, which `nono trust keygen` notes among the user's settings: who is trusted
//! without being named is known without unlocking a keyring.

use std::fs::{self, DirBuilder, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::trust::public_key::{KeyError, PublicKey};

use super::directory::{open_to_read, put};
use super::{KeyId, Problem, read_some, shown};

/// The directory beneath the user's settings.
pub const NAME: &str = "keys";

/// More notes than this are not read: it is no directory of ours then.
const MOST: usize = 1000;
/// The largest note, in bytes.
const LARGEST: usize = 4096;

/// A public key of the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnKey {
    pub id: KeyId,
    pub public: PublicKey,
}

/// Notes in `settings` that `public` is of the user's own key `id`. Answers with the file.
///
/// # Errors
/// The note cannot be written.
pub fn note(settings: &Path, id: &KeyId, public: &PublicKey) -> Result<PathBuf, Problem> {
    let directory = settings.join(NAME);
    let failed = |error| Problem::Failed { doing: format!("{} cannot be written", shown(&directory)), error };
    DirBuilder::new().recursive(true).mode(0o700).create(&directory).map_err(failed)?;
    let path = directory.join(format!("{id}.{}.pub", mark(public)));
    match put(&path, public.to_pem().as_bytes()) {
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
        let doubtful = |error: io::Error| Problem::Failed {
            doing: format!("{}, which `nono trust keygen` wrote, was changed; remove it", shown(&path)),
            error,
        };
        let public = public(&text).map_err(|error| doubtful(io::Error::other(error)))?;
        if mark(&public) != noted {
            return Err(doubtful(io::Error::other("its name is another key's")));
        }
        keys.push(OwnKey { id, public });
    }
    keys.sort_by(|one, other| (&one.id, one.public.as_der()).cmp(&(&other.id, other.public.as_der())));
    Ok(keys)
}

fn public(text: &[u8]) -> Result<PublicKey, KeyError> {
    std::str::from_utf8(text).map_err(|_| KeyError::NotPem).and_then(PublicKey::from_pem)
}

/// Two keys of one name in two places are two notes.
fn mark(public: &PublicKey) -> String {
    public.fingerprint().to_string().chars().take(16).collect()
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
