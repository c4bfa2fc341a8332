//! Any pattern and path: they match when the model says so.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/parsers/glob.rs"]
mod glob;

fuzz_target!(|bytes: &[u8]| {
    if let Err(problem) = glob::agree(bytes) {
        panic!("{problem}");
    }
});
