//! Any bytes as a checkpoint.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../tests/merkle/proof_file.rs"]
mod proof_file;

fuzz_target!(|bytes: &[u8]| {
    if let Err(problem) = proof_file::checkpoint(bytes) {
        panic!("{problem}");
    }
});
