//! Any bytes as a log: however they are cut into pieces, they come to the same lines.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../tests/audit/pieces.rs"]
mod pieces;

fuzz_target!(|bytes: &[u8]| {
    if let Err(problem) = pieces::agree(bytes) {
        panic!("{problem}");
    }
});
