//! `nono trust`: keys, signatures, and who is believed.

mod export_key;
mod init;
mod keygen;
mod keys;
mod project;
mod sign;
mod sign_policy;

use crate::cli::Trust;

/// Does what the verb beneath `trust` asks for.
pub(super) fn trust(arguments: &Trust) -> u8 {
    match arguments {
        Trust::ExportKey { id, pem } => export_key::export_key(id.as_deref(), *pem),
        Trust::Init { include, key, user, force } => {
            init::init(&init::Wanted { include, key: key.as_deref(), user: *user, force: *force })
        }
        Trust::Keygen { id, no_passphrase } => keygen::keygen(id.as_deref(), *no_passphrase),
        Trust::Sign { files, key, keyless } => {
            sign::sign(&sign::Wanted { files, key: key.as_deref(), keyless: *keyless })
        }
        Trust::SignPolicy { key, user } => sign_policy::sign_policy(key.as_deref(), *user),
    }
}
