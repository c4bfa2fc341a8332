//! `nono trust export-key`: the public half of a signing key.

use super::keys::{self, Failure};
use crate::trust::keystore::Protection;
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
    let public = keys::public(&store.load(&id)?)?;
    Ok(if pem { public.to_pem() } else { format!("{}\n", public.to_base64()) })
}
