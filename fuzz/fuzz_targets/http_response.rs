//! Any answer of an approver, cut anywhere: it is one answer or none, and has its bounds.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/webhook/hostile.rs"]
mod hostile;

fuzz_target!(|bytes: &[u8]| {
    if let Err(problem) = hostile::is_one_answer(bytes) {
        panic!("{problem}");
    }
});
