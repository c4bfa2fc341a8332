//! Any bytes as a statement: read, written and read again it is the same, and its names stay inside.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../tests/signatures/statement.rs"]
mod statement;

fuzz_target!(|bytes: &[u8]| {
    if let Err(problem) = statement::agree(bytes) {
        panic!("{problem}");
    }
});
