//! Trees, proofs and checkpoints against what others have written.
#![expect(clippy::expect_used, clippy::panic, reason = "a vector that cannot be read fails")]

mod example;
mod policy;
mod proof_file;
mod replay;
mod vectors;
mod verify_proof;
