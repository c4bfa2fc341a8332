//! The corpus of key files, on the stable compiler.

use std::path::Path;

#[path = "key_file.rs"]
mod key_file;

#[test]
fn each_key_file_of_the_corpus_is_a_key_or_says_why_not() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/key_file");
    let mut count = 0;
    for entry in std::fs::read_dir(&corpus).expect("the corpus") {
        let path = entry.expect("an entry").path();
        if let Err(problem) = key_file::agree(&std::fs::read(&path).expect("a file")) {
            panic!("{}: {problem}", path.display());
        }
        count += 1;
    }
    assert!(count >= 20, "{} has {count} files; the corpus is gone", corpus.display());
}
