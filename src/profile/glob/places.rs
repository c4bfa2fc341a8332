//! What a pattern is about beneath a directory, by where that is.

use super::parse::Component;
use super::{Alternative, Glob, matching};
use crate::profile::abs_path::AbsPath;

impl Glob {
    /// Whether all that matches beneath the directory `from` would still match if `from` became `to`. No where it cannot be
    /// told.
    pub fn keeps(&self, from: &AbsPath, to: &AbsPath) -> bool {
        self.0.alternatives.iter().all(|alternative| {
            let (before, after) = (alternative.positions(from), alternative.positions(to));
            before & !after == 0
        })
    }

    /// Whether something beneath the directory `path` may match because of where that is, and would not beneath every directory.
    pub fn is_about_place(&self, path: &AbsPath) -> bool {
        self.0
            .alternatives
            .iter()
            .any(|alternative| alternative.positions(path) & !alternative.positions_anywhere() != 0)
    }
}

impl Alternative {
    /// Where in the pattern something beneath `path` may begin to match: every bit when anything does, or when `path` lies
    /// above where the pattern starts.
    pub(super) fn positions(&self, path: &AbsPath) -> u64 {
        if !path.is_within(&self.base) {
            return if self.base.is_within(path) { u64::MAX } else { 0 };
        }
        let beneath = path.as_bytes().get(self.base.as_bytes().len()..).unwrap_or_default();
        if self.components.is_empty() {
            return u64::MAX;
        }
        matching::positions_behind(&self.components, beneath).unwrap_or(u64::MAX)
    }

    /// The positions that there are beneath every directory.
    fn positions_anywhere(&self) -> u64 {
        let is_floating = self.base == AbsPath::root() && self.components.first() == Some(&Component::AnyDepth);
        if is_floating { matching::positions_behind(&self.components, b"").unwrap_or(u64::MAX) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_about_the_places_that_its_directories_name() {
        let is_about =
            |pattern: &str, path: &[u8]| Glob::parse(pattern).unwrap().is_about_place(&AbsPath::new(path).unwrap());
        for (pattern, about, not_about) in [
            (".git/hooks/*", &[&b"/w/.git"[..], b"/.git/hooks"][..], &[&b"/w"[..], b"/w/git", b"/w/.git/objects"][..]),
            ("**/.env", &[], &[b"/w", b"/"]),
            ("/w/*/key", &[b"/w", b"/w/a", b"/"], &[b"/v", b"/w/a/b"]),
            ("src/**/key", &[b"/src", b"/src/a/b"], &[b"/a"]),
        ] {
            assert!(about.iter().all(|path| is_about(pattern, path)), "{pattern}");
            assert!(not_about.iter().all(|path| !is_about(pattern, path)), "{pattern}");
        }
    }
}
