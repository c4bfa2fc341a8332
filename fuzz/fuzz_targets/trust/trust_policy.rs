//! Any bytes as a trust policy: read, written and read again it is the same, and unsigned it takes nothing back.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../tests/signatures/trust_policy.rs"]
mod trust_policy;

fuzz_target!(|bytes: &[u8]| {
    if let Err(problem) = trust_policy::agree(bytes) {
        panic!("{problem}");
    }
});
