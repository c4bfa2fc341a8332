//! `nono trust init`: a new trust policy.

use std::fs::{self, DirBuilder};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::keys::{self, Failure};
use crate::trust::keystore::{KeyId, Protection};
use crate::trust::policy::{FILE_NAME, Include, Policy, Publisher};
use crate::trust::store::Drafts;
use crate::verbs::gather::shown;
use crate::verbs::print;

/// What the publisher with the key of whoever names none is called.
const OWN_NAME: &str = "local-dev";

/// What the new policy is to say.
pub(super) struct Wanted<'w> {
    pub(super) include: &'w [String],
    pub(super) key: Option<&'w str>,
    /// The user's own, and not the project's.
    pub(super) user: bool,
    /// Replaces one that is there.
    pub(super) force: bool,
}

/// Writes the policy, and prints where.
pub(super) fn init(wanted: &Wanted<'_>) -> u8 {
    match written(wanted) {
        Ok(text) => print::document(&text),
        Err(failure) => failure.say(),
    }
}

fn written(wanted: &Wanted<'_>) -> Result<String, Failure> {
    if wanted.include.is_empty() && !wanted.user {
        let sentence =
            "a project's policy says which files must be signed: give --include PATTERN, or --user for your own";
        return Err(Failure::usage(sentence));
    }
    let includes = wanted.include.iter().map(|pattern| {
        let shown = crate::profile::escape::escaped(pattern.as_bytes(), 80);
        Include::parse(pattern)
            .map_err(|error| Failure::usage(format!("--include \"{shown}\" cannot be used: {error}")))
    });
    let includes = includes.collect::<Result<Vec<_>, _>>()?;
    let id = keys::id(wanted.key)?;
    let path = place(wanted.user)?;
    let exists = || Failure::refused(format!("{} is there already; replace it with --force", shown(&path)));
    if !wanted.force && fs::symlink_metadata(&path).is_ok() {
        return Err(exists());
    }
    let key = keys::open(keys::place()?, Protection::Passphrase)?.load(&id)?;
    let name = if id == KeyId::default() { OWN_NAME } else { id.as_str() };
    let publisher = Publisher::keyed(name, id.as_str(), keys::public(&key)?);
    let policy = Policy::new(includes, vec![publisher]);
    store(&path, &policy.to_json(), wanted).map_err(|error| match error.kind() == ErrorKind::AlreadyExists {
        true => exists(),
        false => Failure::refused(format!("{} cannot be written: {error}", shown(&path))),
    })?;
    let user = if wanted.user { " --user" } else { "" };
    let key = wanted.key.map_or_else(String::new, |key| format!(" --key {key}"));
    Ok(format!("Wrote {}\nIt counts when it is signed: nono trust sign-policy{user}{key}\n", shown(&path)))
}

/// Where the policy of the user, or of the project in the current directory, lies.
///
/// # Errors
/// There is no place for the user's.
pub(super) fn place(user: bool) -> Result<PathBuf, Failure> {
    if user { Ok(keys::settings()?.join(FILE_NAME)) } else { Ok(PathBuf::from(FILE_NAME)) }
}

fn store(path: &Path, text: &str, wanted: &Wanted<'_>) -> Result<(), Error> {
    if wanted.user {
        DirBuilder::new().recursive(true).mode(0o700).create(path.parent().unwrap_or(path))?;
    }
    let mut drafts = Drafts::default();
    drafts.add(path, text.as_bytes(), if wanted.user { 0o600 } else { 0o666 })?;
    let put = if wanted.force { drafts.put() } else { drafts.put_new() };
    put.map_err(|(_, error)| error)
}
