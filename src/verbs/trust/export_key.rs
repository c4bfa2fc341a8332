//! `nono trust export-key`: the public half of a signing key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::keys::{self, Failure};
use crate::trust::keystore::{Protection, own};
use crate::verbs::print;

/// Prints the public key: base64 DER on one line, or PEM.
pub(super) fn export_key(id: Option<&str>, pem: bool) -> u8 {
    match exported(id, pem) {
        Ok(text) => print::document(&text),
        Err(failure) => failure.say(),
    }
}

fn exported(id: Option<&str>, pem: bool) -> Result<String, Failure> {
    let id = keys::id(id)?;
    let store = keys::open(keys::place()?, Protection::Passphrase)?;
    let faulty = |fault: crate::trust::keystore::key::KeyFault| Failure::refused(fault.to_string());
    let public = store.load(&id)?.public_der().map_err(faulty)?;
    if pem { own::pem(&public).map_err(faulty) } else { Ok(format!("{}\n", STANDARD.encode(public))) }
}
