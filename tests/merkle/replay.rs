//! What the fuzzers found and keep, without the fuzzers.

use std::path::Path;

#[test]
fn each_proof_of_the_corpus_is_written_as_it_was_read() {
    replay("tlog_proof", crate::proof_file::agree);
}

#[test]
fn each_checkpoint_of_the_corpus_says_what_it_says_to_its_log_alone() {
    for corpus in ["tlog_checkpoint", "tlog_proof"] {
        replay(corpus, crate::proof_file::checkpoint);
    }
}

#[test]
fn each_policy_of_the_corpus_accepts_no_less_with_more_cosignatures() {
    replay("tlog_policy", crate::policy::agree);
}

#[test]
fn each_answer_of_a_witness_in_the_corpus_is_taken_for_what_it_is() {
    replay("tlog_witness", crate::witness::agree);
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
