//! What the fuzzer kept, without the fuzzer.

use std::fs;
use std::path::Path;

use crate::hostile::is_harmless;

#[test]
fn no_name_of_the_corpus_looks_like_anything_else() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/prompt");
    let mut replayed = 0;
    for entry in fs::read_dir(&corpus).unwrap() {
        let file = entry.unwrap().path();
        is_harmless(&fs::read(&file).unwrap()).unwrap_or_else(|problem| panic!("{}: {problem}", file.display()));
        replayed += 1;
    }
    assert!(replayed >= 20, "{} has {replayed} files", corpus.display());
}
