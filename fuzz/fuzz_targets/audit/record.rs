//! Any bytes as a record: taken apart and by its shape it comes to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../tests/audit/pieces.rs"]
mod pieces;

fuzz_target!(|bytes: &[u8]| {
    if let Err(problem) = pieces::record(bytes) {
        panic!("{problem}");
    }
});
