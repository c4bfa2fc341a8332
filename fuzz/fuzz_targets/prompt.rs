//! Any names in a question: the terminal obeys none of them, and none looks like another line.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/terminal/hostile.rs"]
mod hostile;

fuzz_target!(|bytes: &[u8]| {
    if let Err(problem) = hostile::is_harmless(bytes) {
        panic!("{problem}");
    }
});
