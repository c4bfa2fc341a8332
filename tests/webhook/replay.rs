//! What the fuzzer found and keeps, without the fuzzer.

use std::fs;
use std::path::Path;

use crate::hostile::{is_no_false_yes, is_one_answer};

#[test]
fn every_answer_of_the_corpora_keeps_the_rules() {
    type Rule = fn(&[u8]) -> Result<(), String>;
    let corpora: [(&str, Rule); 2] = [("http_response", is_one_answer), ("webhook_answer", is_no_false_yes)];
    for (name, rule) in corpora {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
        let mut replayed = 0;
        for entry in fs::read_dir(&corpus).expect("a corpus") {
            let path = entry.expect("an entry").path();
            let bytes = fs::read(&path).expect("a file");
            rule(&bytes).unwrap_or_else(|problem| panic!("{}: {problem}", path.display()));
            replayed += 1;
        }
        assert!(replayed >= 20, "{} has {replayed} files", corpus.display());
    }
}
