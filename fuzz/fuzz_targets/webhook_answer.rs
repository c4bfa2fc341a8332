//! Any body of an answer: a yes says so plainly, for this question, and no further than it may.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/webhook/hostile.rs"]
mod hostile;

fuzz_target!(|bytes: &[u8]| {
    if let Err(problem) = hostile::is_no_false_yes(bytes) {
        panic!("{problem}");
    }
});
