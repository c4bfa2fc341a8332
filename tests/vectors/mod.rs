//! Cases that other projects made, which lie beside the project and not in it: RFC 6962 proofs of transparency-dev/merkle,
//! and bundles of the conformance suite of Sigstore clients (both Apache-2.0).

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The folder of `name`; nothing, and a line that says so, where it is not there.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors").join(name);
    if path.is_dir() {
        return Some(path);
    }
    let reason = format!("the vectors of {} are not there", path.display());
    assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "skipped although CI=true: {reason}");
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
    None
}

/// Every file beneath `folder` with its content.
pub(crate) fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of vectors") {
            let path = entry.expect("an entry of vectors").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let content = fs::read(&path).expect("a vector");
                found.push((path, content));
            }
        }
    }
    found
}
