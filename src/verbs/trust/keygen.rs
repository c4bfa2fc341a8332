//! `nono trust keygen`: a new signing key.

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

use super::keys::{self, Failure};
use crate::profile::escape::escaped;
use crate::trust::keystore::{self, Place, Protection, own};
use crate::verbs::print;

/// Makes a key, keeps it, and prints what it is.
pub(super) fn keygen(id: Option<&str>, no_passphrase: bool) -> u8 {
    match made(id, no_passphrase) {
        Ok(text) => print::document(&text),
        Err(failure) => failure.say(),
    }
}

fn made(id: Option<&str>, no_passphrase: bool) -> Result<String, Failure> {
    let id = keys::id(id)?;
    let place = keys::place()?;
    if no_passphrase && !matches!(place, Place::Directory(_)) {
        let sentence = "--no-passphrase is for key files (NONO_KEYSTORE=file:DIR); a keyring has a lock of its own";
        return Err(Failure::usage(sentence));
    }
    let settings = keys::settings()?;
    let protection = if no_passphrase { Protection::None } else { Protection::Passphrase };
    let store = keys::open(place, protection)?;
    let key = keystore::generate()?;
    let public = keys::public(&key)?;
    store.store(&id, &key)?;
    let noted = own::note(&settings, &id, &public)?;
    let noted = escaped(noted.as_os_str().as_bytes(), 4096);
    let mut text = String::new();
    let rows = [
        ("Key", format!("{id}, ECDSA P-256, in {}", store.describe())),
        ("SHA-256", public.fingerprint().to_string()),
        ("Public", noted),
    ];
    for (name, value) in rows {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:<9}{value}", format!("{name}:"));
    }
    Ok(text)
}
