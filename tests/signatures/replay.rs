//! What the fuzzers found and keep, without the fuzzers.

use std::path::Path;

#[test]
fn each_bundle_of_the_corpus_is_written_as_it_was_read() {
    replay("bundle", crate::bundle::agree);
}

#[test]
fn each_statement_of_the_corpus_names_files_once_and_inside() {
    replay("statement", crate::statement::agree);
}

#[test]
fn each_trust_policy_of_the_corpus_takes_nothing_back() {
    replay("trust_policy", crate::trust_policy::agree);
}

fn replay(target: &str, agree: fn(&[u8]) -> Result<(), String>) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut count = 0_usize;
    for entry in std::fs::read_dir(&corpus).expect("a corpus") {
        let path = entry.expect("an entry").path();
        let result = agree(&std::fs::read(&path).expect("a file"));
        result.unwrap_or_else(|problem| panic!("{}: {problem}", path.display()));
        count += 1;
    }
    assert!(count >= 20, "{} has {count} files; the corpus is gone", corpus.display());
}
