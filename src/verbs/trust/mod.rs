//! `nono trust`: keys, signatures, and who is believed.

mod export_key;
mod keygen;
mod keys;

use crate::cli::Trust;

/// Does what the verb beneath `trust` asks for.
pub(super) fn trust(arguments: &Trust) -> u8 {
    match arguments {
        Trust::ExportKey { id, pem } => export_key::export_key(id.as_deref(), *pem),
        Trust::Keygen { id, no_passphrase } => keygen::keygen(id.as_deref(), *no_passphrase),
    }
}
