//! Trees, proofs and checkpoints against what others have written.
#![expect(clippy::expect_used, clippy::panic, reason = "a vector that cannot be read fails")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says why")]

#[path = "../vectors/mod.rs"]
mod cases_of_others;
mod example;
mod others;
mod policy;
mod proof_file;
mod replay;
mod vectors;
mod verify_proof;
mod witness;
