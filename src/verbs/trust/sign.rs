//! `nono trust sign`: signatures over files.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::keys::{self, Failure};
use super::project::{self, Named};
use crate::trust::digest::{Digest, Hasher};
use crate::trust::keystore::key::PrivateKey;
use crate::trust::keystore::{KeyId, Protection};
use crate::trust::sign;
use crate::trust::statement::{Predicate, Statement, Subject};
use crate::trust::store::Drafts;
use crate::verbs::gather::shown;
use crate::verbs::print;

/// What is to be signed, and how.
pub(super) struct Wanted<'w> {
    pub(super) files: &'w [OsString],
    pub(super) key: Option<&'w str>,
    pub(super) keyless: bool,
}

/// A bundle that was made and not written yet.
struct Made {
    /// What it is about, as the user names it.
    about: PathBuf,
    place: PathBuf,
    text: String,
}

/// Signs every file or none, and prints the bundles.
pub(super) fn sign(wanted: &Wanted<'_>) -> u8 {
    match signed(wanted) {
        Ok(text) => print::document(&text),
        Err(failure) => failure.say(),
    }
}

fn signed(wanted: &Wanted<'_>) -> Result<String, Failure> {
    if wanted.keyless {
        let sentence = "keyless signing comes with the next release; sign with a key: leave --keyless out";
        return Err(Failure::refused(sentence));
    }
    let id = keys::id(wanted.key)?;
    let named = wanted.files.iter().map(|file| project::named(file)).collect::<Result<Vec<_>, _>>()?;
    let key = keys::open(keys::place()?, Protection::Passphrase)?.load(&id)?;
    let mut made: Vec<Made> = Vec::new();
    for (file, named) in wanted.files.iter().zip(named) {
        let place = named.sidecar(Path::new(file));
        if !made.iter().any(|other| other.place == place) {
            made.push(Made { about: PathBuf::from(file), text: bundle(&named, &key, &id)?, place });
        }
    }
    put(&made)?;
    Ok(made
        .iter()
        .map(|made| format!("Signed {} with the key \"{id}\": {}\n", shown(&made.about), shown(&made.place)))
        .collect())
}

/// The bundle of one file.
fn bundle(named: &Named, key: &PrivateKey, id: &KeyId) -> Result<String, Failure> {
    let digest = digest(&named.real)?;
    let subject = Subject { name: named.name.clone(), digest };
    let mut statement = Statement::keyed(Predicate::File, vec![subject], id.as_str());
    statement.whole_paths = named.whole;
    let bundle = sign::sign(&statement, key).map_err(|fault| Failure::refused(fault.to_string()))?;
    Ok(bundle.to_json())
}

/// Writes all bundles before the first one is put in its place.
fn put(made: &[Made]) -> Result<(), Failure> {
    let mut drafts = Drafts::default();
    for made in made {
        drafts.add(&made.place, made.text.as_bytes(), 0o666).map_err(|error| {
            Failure::refused(format!("{} cannot be written: {error}; nothing was signed", shown(&made.place)))
        })?;
    }
    drafts.put().map_err(|(path, error)| Failure::refused(format!("{} cannot be written: {error}", shown(&path))))
}

/// The digest of a file of any size.
fn digest(path: &Path) -> Result<Digest, Failure> {
    let failed = |error| Failure::refused(format!("{} cannot be read: {error}", shown(path)));
    let mut file = File::open(path).map_err(failed)?;
    let (mut hasher, mut buffer) = (Hasher::default(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => return Ok(hasher.finish()),
            length => hasher.update(buffer.get(..length).unwrap_or_default()),
        }
    }
}
