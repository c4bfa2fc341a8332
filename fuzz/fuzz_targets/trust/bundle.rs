//! Any bytes as a bundle: read, written and read again it is the same, and it speaks for one content at most.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../tests/signatures/bundle.rs"]
mod bundle;

fuzz_target!(|bytes: &[u8]| {
    if let Err(problem) = bundle::agree(bytes) {
        panic!("{problem}");
    }
});
