//! `nono audit`: what was recorded, and whether it is what was recorded.

mod export;
mod follow;
mod list;
mod place;
mod prove;
mod show;
mod verify;
mod verify_proof;
mod witness;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::cli::Audit;
use crate::merkle::Hash;
use crate::merkle::policy::Policy;
use crate::profile::escape::escaped;

use super::gather;

/// Does what the verb beneath `audit` asks for.
pub(super) fn audit(arguments: &Audit) -> u8 {
    match arguments {
        Audit::Export(arguments) => export::export(arguments),
        Audit::List { since, json } => list::list(since.as_deref(), *json),
        Audit::Prove(arguments) => prove::prove(arguments),
        Audit::Show(arguments) => show::show(arguments),
        Audit::Verify(arguments) => verify::verify(arguments),
        Audit::VerifyProof(arguments) => verify_proof::verify_proof(arguments),
        Audit::Witness { policy, log } => witness::witness(policy.as_deref(), log.as_deref()),
    }
}

/// The content of a file.
///
/// # Errors
/// A sentence that says why it cannot be read.
fn contents(file: &OsStr) -> Result<Vec<u8>, String> {
    gather::read(Path::new(file)).map_err(|error| format!("{} cannot be read: {error}", shown(file)))
}

/// The policy in a file.
///
/// # Errors
/// A sentence that says what is wrong with it.
fn policy(file: &OsStr) -> Result<Policy, String> {
    let text = contents(file)?;
    Policy::parse(&text).map_err(|error| format!("{} is not a policy of logs and witnesses: {error}", shown(file)))
}

fn shown(file: &OsStr) -> String {
    escaped(file.as_bytes(), 4096)
}

fn hexadecimal(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
