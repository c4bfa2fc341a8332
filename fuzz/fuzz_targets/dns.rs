//! Any bytes as a query, an answer, a `resolv.conf` and a `hosts` file.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/parsers/dns.rs"]
mod dns;

fuzz_target!(|bytes: &[u8]| {
    if let Err(problem) = dns::agree(bytes) {
        panic!("{problem}");
    }
});
