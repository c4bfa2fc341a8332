//! What the fuzzer found and keeps, without the fuzzer.

use std::path::Path;

#[test]
fn each_record_of_the_corpus_has_one_row_in_each_format() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/audit_export");
    let mut count = 0_usize;
    for entry in std::fs::read_dir(&corpus).expect("a corpus") {
        let path = entry.expect("an entry").path();
        let result = crate::rows::agree(&std::fs::read(&path).expect("a file"));
        result.unwrap_or_else(|problem| panic!("{}: {problem}", path.display()));
        count += 1;
    }
    assert!(count >= 20, "{} has {count} files; the corpus is gone", corpus.display());
}

#[test]
fn each_kind_of_record_has_one_row_in_each_format() {
    for line in crate::records::all() {
        crate::rows::agree(&line).unwrap_or_else(|problem| panic!("{problem}"));
    }
}
