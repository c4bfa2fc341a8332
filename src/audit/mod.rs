//! The audit log: one record for each operation, in a file that a stranger can verify with standard tools.
//!
//! Pure. Each line is a leaf of an RFC 6962 tree, and checkpoints say what all lines are up to a size. No type of a plan or
//! policy appears here: a log is understood by itself.

pub mod export;
pub mod record;
pub mod replay;
