//! The audit log: one record for each operation, in a file that a stranger can verify with standard tools.
//!
//! `record`, `replay` and `export` are pure; `log` writes. Each line is a leaf of an RFC 6962 tree, and checkpoints say
//! what all lines are up to a size. No type of a plan or policy appears here: a log is understood by itself.
//!
//! How another part of a supervised run records: `recorder.note("dns.query", target, Disposition::Denied, |fields| { … })`
//! of `supervisor::recorder`, before the effect; and nothing may happen when that fails.

pub mod export;
pub mod log;
pub mod record;
pub mod replay;
