//! The corpora in `fuzz/corpus/`, on the stable compiler.

use std::path::Path;

#[test]
fn each_message_of_the_corpus_is_read_within_its_bounds() {
    replay("dns", crate::dns::agree);
}

#[test]
fn each_pattern_of_the_corpus_agrees_with_the_model() {
    replay("glob", crate::glob::agree);
}

#[test]
fn each_host_of_the_corpus_survives_being_written_and_read() {
    replay("host", crate::host::agree);
}

#[test]
fn each_policy_of_the_corpus_resolves_or_says_why_not() {
    replay("profile_json", crate::profile_json::agree);
}

fn replay(target: &str, agree: fn(&[u8]) -> Result<(), String>) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut count = 0_usize;
    for entry in std::fs::read_dir(&corpus).unwrap() {
        let path = entry.unwrap().path();
        if let Err(problem) = agree(&std::fs::read(&path).unwrap()) {
            panic!("{}: {problem}", path.display());
        }
        count += 1;
    }
    assert!(count >= 20, "{} has {count} files; the corpus is gone", corpus.display());
}
