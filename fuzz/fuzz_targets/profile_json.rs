//! Any bytes as a policy: it resolves or says why not.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/parsers/profile_json.rs"]
mod profile_json;

fuzz_target!(|bytes: &[u8]| {
    if let Err(problem) = profile_json::agree(bytes) {
        panic!("{problem}");
    }
});
