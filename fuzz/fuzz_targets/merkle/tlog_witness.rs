//! Any bytes as the answer of a witness.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../tests/merkle/witness.rs"]
mod witness;

fuzz_target!(|bytes: &[u8]| {
    if let Err(problem) = witness::agree(bytes) {
        panic!("{problem}");
    }
});
