//! The files of the checked-out tree.

use std::fs;
use std::path::Path;

use crate::source::Source;

/// The root of the tree.
pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Every Rust file beneath `folders`, in the order of their names.
pub(crate) fn rust_files(folders: &[&str]) -> Vec<Source> {
    let names = files(folders).into_iter().filter(|name| name.ends_with(".rs"));
    names.map(|name| (read(&name), name)).map(|(text, name)| Source::new(name, text)).collect()
}

/// Every file beneath `folders`, relative to the root, in the order of their names. A folder that is not there has none.
pub(crate) fn files(folders: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for folder in folders {
        walk(folder, &mut found);
    }
    found.sort();
    found
}

/// The text of a file of the tree; bytes that are not UTF-8 are replaced.
pub(crate) fn read(name: &str) -> String {
    let bytes = fs::read(Path::new(ROOT).join(name)).unwrap_or_else(|error| panic!("{name} cannot be read: {error}"));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The names in the directory `folder` of the tree.
pub(crate) fn entries(folder: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(Path::new(ROOT).join(folder)) else { return Vec::new() };
    entries.map(|entry| entry.expect("a directory can be listed").file_name().to_string_lossy().into_owned()).collect()
}

fn walk(folder: &str, found: &mut Vec<String>) {
    for name in entries(folder) {
        let path = format!("{folder}/{name}");
        let generated = ["target", "artifacts", "coverage"].contains(&name.as_str());
        match Path::new(ROOT).join(&path).symlink_metadata() {
            Ok(metadata) if metadata.is_dir() && !generated => walk(&path, found),
            Ok(metadata) if metadata.is_file() => found.push(path),
            _ => {}
        }
    }
}
