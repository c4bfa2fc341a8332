//! Any bytes as a record: whatever is one has one row in each format.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../tests/export/rows.rs"]
mod rows;

fuzz_target!(|bytes: &[u8]| {
    if let Err(problem) = rows::agree(bytes) {
        panic!("{problem}");
    }
});
