//! Every short pattern over a small alphabet against every short path.

use nono::profile::abs_path::AbsPath;
use nono::profile::glob::Glob;

#[test]
fn every_pattern_of_stars_slashes_and_braces_agrees_with_the_model() {
    sweep(&['a', 'b', '*', '/', '{', ',', '}'], 5, &paths(&['a', 'b', '/'], 3));
}

#[test]
fn every_pattern_of_sets_and_escapes_agrees_with_the_model() {
    sweep(&['a', '-', '?', '[', ']', '!', '\\', '*'], 4, &paths(&['a', '-', ']', '!'], 2));
}

#[test]
fn every_pattern_of_components_agrees_with_the_model() {
    sweep(&['a', '*', '/'], 7, &paths(&['a', '/'], 7));
}

/// Every text of up to `longest` letters, shortest first.
fn texts(alphabet: &[char], longest: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut from = 0;
    for _ in 0..longest {
        let to = all.len();
        for index in from..to {
            for letter in alphabet {
                let longer = format!("{}{letter}", all[index]);
                all.push(longer);
            }
        }
        from = to;
    }
    all
}

fn paths(alphabet: &[char], longest: usize) -> Vec<AbsPath> {
    let mut all: Vec<AbsPath> =
        texts(alphabet, longest).iter().map(|text| AbsPath::root().join(text.as_bytes())).collect();
    all.sort();
    all.dedup();
    all
}

fn sweep(alphabet: &[char], longest: usize, paths: &[AbsPath]) {
    let mut patterns = 0_usize;
    for pattern in texts(alphabet, longest) {
        let Ok(glob) = Glob::parse(&pattern) else { continue };
        patterns += 1;
        for path in paths {
            if let Err(problem) = crate::glob::compare(&glob, &pattern, path) {
                panic!("{problem}");
            }
        }
    }
    assert!(patterns > 500, "{patterns} patterns of the alphabet were accepted");
}
