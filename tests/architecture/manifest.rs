//! The dependencies that a Cargo manifest asks for, and the headings of releases.

use std::path::Path;

use crate::tree;

/// Adds a problem for each dependency of the manifest `text` that has no comment above it, no page in `vendor-notes/`,
/// or its default features on. A crate of this workspace needs the comment only.
pub(crate) fn check(file: &str, text: &str, problems: &mut Vec<String>) {
    let mut above = "";
    let mut inside = false;
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(table) = line.trim().strip_prefix('[') {
            let table = table.trim_end_matches(']');
            inside = table.split('.').next_back().is_some_and(|name| name.ends_with("dependencies"));
            if !inside && table.contains("dependencies.") {
                problems.push(format!("{file}:{number}: write the dependency on one line of its table"));
            }
        } else if let Some((name, value)) = line.split_once('=').filter(|_| inside && !line.starts_with('#')) {
            let name = name.trim().trim_end_matches(".workspace");
            if !above.starts_with("# ") {
                problems.push(format!("{file}:{number}: say in a comment above `{name}` what needs it"));
            }
            if !value.contains("path =") {
                check_foreign(file, number, name, value, problems);
            }
        }
        above = line;
    }
}

/// Whether `title` is such as `[1.2.3] - 2026-01-31`.
pub(crate) fn is_release_heading(title: &str) -> bool {
    let Some((version, date)) = title.strip_prefix('[').and_then(|rest| rest.split_once("] - ")) else { return false };
    let numbers = |text: &str, sign: char, count: usize| {
        let parts: Vec<&str> = text.split(sign).collect();
        parts.len() == count
            && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    numbers(version, '.', 3) && numbers(date, '-', 3)
}

fn check_foreign(file: &str, number: usize, name: &str, value: &str, problems: &mut Vec<String>) {
    if !value.contains("default-features = false") {
        problems.push(format!("{file}:{number}: write `default-features = false` for `{name}`, and name the features"));
    }
    if !Path::new(tree::ROOT).join("vendor-notes").join(format!("{name}.md")).exists() {
        problems
            .push(format!("{file}:{number}: write vendor-notes/{name}.md: what it is for and what would replace it"));
    }
}

mod tests {
    use super::*;

    #[test]
    fn a_dependency_without_a_reason_a_page_or_bounds_is_found() {
        let mut problems = Vec::new();
        let text =
            "[dependencies]\n# Why.\nlibc = { version = \"0\", default-features = false }\nno-such-crate = \"1\"\n";
        check("Cargo.toml", text, &mut problems);
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems.iter().all(|problem| problem.starts_with("Cargo.toml:4: ")), "{problems:?}");
    }

    #[test]
    fn a_release_heading_has_a_version_and_a_date() {
        assert!(is_release_heading("[1.2.3] - 2026-01-31"));
        for wrong in ["1.2.3", "[1.2] - 2026-01-31", "[1.2.3] 2026", "[1.2.x] - 2026-01-31"] {
            assert!(!is_release_heading(wrong), "{wrong}");
        }
    }
}
