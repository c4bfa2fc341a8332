//! Any table of rules: the compiled filter answers what the table says.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/seccomp/random.rs"]
mod random;

fuzz_target!(|bytes: &[u8]| {
    if let Err(problem) = random::agree(bytes) {
        panic!("{problem}");
    }
});
