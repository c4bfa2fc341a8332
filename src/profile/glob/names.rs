//! From a directory to the names that a pattern may match in it, so that a search looks closely at few of many files.

use std::borrow::Cow;

use super::parse::Component;
use super::{Glob, matching};
use crate::profile::abs_path::AbsPath;

/// What the names of the entries of one directory have to be for a pattern to match them.
#[derive(Clone, Debug, Default)]
pub struct Names<'g> {
    /// Each entry matches, whatever its name is.
    all: bool,
    components: Vec<Cow<'g, Component>>,
}

impl Glob {
    /// Adds to `names` those with which an entry of `directory` matches; perhaps more, never fewer.
    pub fn add_names_in<'g>(&'g self, directory: &AbsPath, names: &mut Names<'g>) {
        for alternative in &self.0.alternatives {
            match alternative.positions(directory) {
                // The directory matches itself, or it cannot be told.
                u64::MAX => names.all = true,
                positions => names.add(matching::last_component(&alternative.components, positions)),
            }
        }
    }

    /// Whether the pattern says nothing about where a path begins, so that it matches beneath any directory what it matches
    /// beneath `/`.
    pub fn is_at_any_depth(&self) -> bool {
        self.0.alternatives.iter().all(|alternative| {
            alternative.base == AbsPath::root() && alternative.components.first() == Some(&Component::AnyDepth)
        })
    }
}

impl<'g> Names<'g> {
    fn add(&mut self, component: Option<&'g Component>) {
        self.components.extend(component.map(Cow::Borrowed));
    }

    /// The same for as long as wanted, each pattern once.
    #[must_use]
    pub fn into_owned(self) -> Names<'static> {
        let mut components: Vec<Cow<'static, Component>> = Vec::new();
        for component in self.components {
            if !components.contains(&component) {
                components.push(Cow::Owned(component.into_owned()));
            }
        }
        Names { all: self.all, components }
    }

    /// Adds every name.
    pub fn add_all(&mut self) {
        self.all = true;
    }

    /// Whether an entry of that name may match.
    pub fn may_match(&self, name: &[u8]) -> bool {
        self.all || self.components.iter().any(|component| matching::component_matches(component, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_that_matches_is_left_out_of_those_that_may() {
        let names = ["a", "b", "ab", "\u{e9}", "c.md"];
        let mut directories = vec![AbsPath::root()];
        for depth in 0..3 {
            let from = if depth == 0 { 0 } else { directories.len() / 2 };
            let more: Vec<AbsPath> = directories[from..]
                .iter()
                .flat_map(|directory| names.map(|name| directory.join(name.as_bytes())))
                .collect();
            directories.extend(more);
        }
        for pattern in
            ["a", "a/b", "**/a/**/c.md", "/a/b", "/a/*", "/a/**", "{a/b,c*}", "[!a]/b", "a*", "*.md", "/b/**/a/c*", "?"]
        {
            let glob = Glob::parse(pattern).unwrap();
            for directory in &directories {
                let mut may = Names::default();
                glob.add_names_in(directory, &mut may);
                glob.add_names_in(directory, &mut may);
                let owned = may.clone().into_owned();
                for name in names {
                    let matches = glob.matches(&directory.join(name.as_bytes()));
                    assert!(!matches || may.may_match(name.as_bytes()), "{pattern}: {directory}: {name}");
                    assert_eq!(may.may_match(name.as_bytes()), owned.may_match(name.as_bytes()));
                }
            }
            assert_eq!(glob.is_at_any_depth(), !pattern.starts_with('/'), "{pattern}");
        }
        let glob = Glob::parse("CLAUDE*").unwrap();
        let mut may = Names::default();
        glob.add_names_in(&AbsPath::root().join(b"x"), &mut may);
        assert!(may.may_match(b"CLAUDE.md") && !may.may_match(b"README.md") && !may.may_match(b"claude.md"));
    }
}
