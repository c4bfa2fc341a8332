//! Any bytes as a policy of logs and witnesses.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../tests/merkle/policy.rs"]
mod policy;

fuzz_target!(|bytes: &[u8]| {
    if let Err(problem) = policy::agree(bytes) {
        panic!("{problem}");
    }
});
