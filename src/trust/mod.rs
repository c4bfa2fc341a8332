//! Who vouches for a file: signatures over instruction files, and the policy that says whose count.
//!
//! Bytes become a [`bundle::Bundle`], its payload a [`statement::Statement`]; a [`policy::Policy`] names publishers; `verify`
//! brings the three together with the file's own bytes.

pub mod bundle;
pub mod digest;
pub mod evidence;
mod json;
pub mod keystore;
pub mod policy;
pub mod public_key;
pub mod scan;
pub mod sign;
pub mod statement;
pub mod store;
pub mod tlog;
pub mod tsa;
pub mod verify;

pub use self::json::Malformed;
