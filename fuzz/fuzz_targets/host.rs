//! Any host, port and address: written and read again, it is the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/parsers/host.rs"]
mod host;

fuzz_target!(|bytes: &[u8]| {
    if let Err(problem) = host::agree(bytes) {
        panic!("{problem}");
    }
});
