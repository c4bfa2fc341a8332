//! `nono trust sign`: signatures over files.

use std::path::{Path, PathBuf};

mod matching;
pub(super) mod policy;
pub(super) mod project;

use self::matching::Matching;
use self::project::Named;
use super::keys::{self, Failure};
use crate::cli::Sign;
use crate::trust::digest::Digest;
use crate::trust::keystore::key::PrivateKey;
use crate::trust::keystore::{KeyId, Protection};
use crate::trust::policy::PROJECT_BUNDLE;
use crate::trust::scan;
use crate::trust::sign;
use crate::trust::statement::{MOST_SUBJECTS, Predicate, Statement, Subject};
use crate::trust::store::Drafts;
use crate::verbs::gather::shown;
use crate::verbs::print;

/// A bundle that was made and not written yet.
struct Made {
    /// What it is about, as the user names it.
    about: String,
    place: PathBuf,
    text: String,
}

/// Signs every file or none, and prints the bundles.
pub(super) fn sign(wanted: &Sign) -> u8 {
    match signed(wanted) {
        Ok(text) => print::document(&text),
        Err(failure) => failure.say(),
    }
}

fn signed(wanted: &Sign) -> Result<String, Failure> {
    if wanted.keyless {
        let sentence = "keyless signing comes with the next release; sign with a key: leave --keyless out";
        return Err(Failure::refused(sentence));
    }
    let id = keys::id(wanted.key.as_deref())?;
    if wanted.all && !wanted.files.is_empty() {
        return Err(Failure::usage("--all signs every file that matches the policy: leave the files out, or --all"));
    }
    if wanted.multi_subject && !wanted.all {
        return Err(Failure::usage(
            "--multi-subject makes one bundle for every file that matches the policy: give --all",
        ));
    }
    let found = if wanted.all { Some(matching::find()?) } else { None };
    let files: Vec<PathBuf> = match &found {
        Some(found) if found.files.is_empty() => {
            let root = shown(&found.root);
            return Err(Failure::refused(format!("no file beneath {root} matches the policy: see its `includes`")));
        }
        Some(found) => found.files.clone(),
        None => wanted.files.iter().map(PathBuf::from).collect(),
    };
    let named = files.iter().map(|file| project::named(file.as_os_str())).collect::<Result<Vec<_>, _>>()?;
    let key = keys::open(keys::place()?, Protection::Passphrase)?.load(&id)?;
    let made = match found.filter(|_| wanted.multi_subject) {
        Some(found) => vec![many(&found, &key, &id)?],
        None => each(&files, &named, &key, &id)?,
    };
    put(&made)?;
    let line =
        |made: &Made| format!("Signed {} with the key \"{id}\": {}\n", made.about, shown(from_here(&made.place)));
    Ok(made.iter().map(line).collect())
}

/// A bundle for each file.
fn each(files: &[PathBuf], named: &[Named], key: &PrivateKey, id: &KeyId) -> Result<Vec<Made>, Failure> {
    let mut made: Vec<Made> = Vec::new();
    for (file, named) in files.iter().zip(named) {
        let place = named.sidecar(file);
        if made.iter().any(|other| other.place == place) {
            continue;
        }
        let subject = Subject { name: named.name.clone(), digest: digest(&named.real)? };
        let mut statement = Statement::keyed(Predicate::File, vec![subject], id.as_str());
        statement.whole_paths = named.whole;
        made.push(Made { about: shown(from_here(file)), text: text(&statement, key)?, place });
    }
    Ok(made)
}

/// One bundle for all files of a project.
fn many(found: &Matching, key: &PrivateKey, id: &KeyId) -> Result<Made, Failure> {
    let count = found.files.len();
    if count > MOST_SUBJECTS {
        let sentence =
            format!("{count} files match, and one bundle speaks of {MOST_SUBJECTS} at most; leave --multi-subject out");
        return Err(Failure::refused(sentence));
    }
    let subject = |file: &PathBuf| {
        let name = file.strip_prefix(&found.root).unwrap_or(file).to_string_lossy().into_owned();
        Ok::<_, Failure>(Subject { name, digest: digest(file)? })
    };
    let subjects = found.files.iter().map(subject).collect::<Result<Vec<_>, _>>()?;
    let statement = Statement::keyed(Predicate::Files, subjects, id.as_str());
    let about = format!("{count} {}", if count == 1 { "file" } else { "files" });
    Ok(Made { about, text: text(&statement, key)?, place: found.root.join(PROJECT_BUNDLE) })
}

fn text(statement: &Statement, key: &PrivateKey) -> Result<String, Failure> {
    let bundle = sign::sign(statement, key).map_err(|fault| Failure::refused(fault.to_string()))?;
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

/// `path` from the working directory, where it lies beneath.
fn from_here(path: &Path) -> &Path {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path)
}

fn digest(path: &Path) -> Result<Digest, Failure> {
    scan::digest(path)
        .map_err(|error| Failure::refused(format!("{} cannot be read: {error}; nothing was signed", shown(path))))
}
