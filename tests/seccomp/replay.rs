//! What the fuzzer found and keeps, without the fuzzer.

use std::fs;
use std::path::Path;

use crate::random::agree;

#[test]
fn every_table_of_the_corpus_means_what_its_instructions_do() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/bpf");
    let mut replayed = 0;
    for entry in fs::read_dir(&corpus).unwrap() {
        let path = entry.unwrap().path();
        agree(&fs::read(&path).unwrap()).unwrap_or_else(|problem| panic!("{}: {problem}", path.display()));
        replayed += 1;
    }
    assert!(replayed >= 20, "{} has {replayed} files", corpus.display());
}

#[test]
fn random_tables_mean_what_their_instructions_do() {
    // xorshift64: the same bytes in every run.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for round in 0..400_usize {
        let bytes: Vec<u8> = (0..round * 8)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()[3]
            })
            .collect();
        agree(&bytes).unwrap_or_else(|problem| panic!("round {round}: {problem}"));
    }
}
