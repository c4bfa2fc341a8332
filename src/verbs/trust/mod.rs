//! `nono trust`: keys, signatures, and who is believed.

mod export_key;
mod init;
mod keygen;
mod keys;
mod sign;
mod verify;

use crate::cli::Trust;

/// Does what the verb beneath `trust` asks for.
pub(super) fn trust(arguments: &Trust) -> u8 {
    match arguments {
        Trust::ExportKey { id, pem } => export_key::export_key(id.as_deref(), *pem),
        Trust::Init { include, key, user, force } => {
            init::init(&init::Wanted { include, key: key.as_deref(), user: *user, force: *force })
        }
        Trust::Keygen { id, no_passphrase } => keygen::keygen(id.as_deref(), *no_passphrase),
        Trust::List { json } => verify::list(*json),
        Trust::Verify(wanted) => verify::verify(wanted),
        Trust::Sign(wanted) => sign::sign(wanted),
        Trust::SignPolicy { key, user } => sign::policy::sign_policy(key.as_deref(), *user),
    }
}
