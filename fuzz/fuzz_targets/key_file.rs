//! Any key file: read, written and read again, it is the same key.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/keystore/key_file.rs"]
mod key_file;

fuzz_target!(|bytes: &[u8]| {
    if let Err(problem) = key_file::agree(bytes) {
        panic!("{problem}");
    }
});
