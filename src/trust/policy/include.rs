//! The patterns of `includes`.

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::profile::abs_path::AbsPath;
use crate::profile::glob::{Glob, GlobError, Names};

/// A pattern of files that must be signed.
///
/// One without a `/` holds at any depth, one with a `/` is meant from the root of the project. A pattern that matches a
/// directory covers everything beneath it.
#[derive(Clone, Debug)]
pub struct Include {
    written: Cow<'static, str>,
    /// Made when somebody asks: most programs read nothing that the patterns of the baseline could mean.
    glob: OnceLock<Glob>,
}

impl Include {
    /// Parses a pattern.
    ///
    /// # Errors
    /// Why the pattern means nothing, or could mean something else than it seems to; a leading `!` is one such reason.
    pub fn parse(written: &str) -> Result<Self, GlobError> {
        Ok(Self { glob: OnceLock::from(glob(written)?), written: Cow::Owned(written.to_owned()) })
    }

    /// A pattern that comes with nono. One that meant nothing would mean every file; a test parses them all.
    pub(super) const fn known(written: &'static str) -> Self {
        Self { written: Cow::Borrowed(written), glob: OnceLock::new() }
    }

    fn glob(&self) -> &Glob {
        self.glob.get_or_init(|| glob(&self.written).unwrap_or_else(|_| Glob::exactly(&AbsPath::root())))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Whether the file at `path` is meant; the path begins at the root of the project.
    pub fn matches(&self, path: &AbsPath) -> bool {
        self.glob().matches(path)
    }

    /// Adds the names that what is meant may have in `directory`; perhaps more, never fewer.
    pub fn add_names_in<'i>(&'i self, directory: &AbsPath, names: &mut Names<'i>) {
        self.glob().add_names_in(directory, names);
    }

    /// Whether it means the same beneath every directory.
    pub fn is_at_any_depth(&self) -> bool {
        self.glob().is_at_any_depth()
    }

    /// Whether all that is meant beneath the directory `from` would still be meant beneath `to`.
    pub fn keeps(&self, from: &AbsPath, to: &AbsPath) -> bool {
        self.glob().keeps(from, to)
    }
}

/// What is written says all.
impl PartialEq for Include {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

/// What a pattern means.
fn glob(written: &str) -> Result<Glob, GlobError> {
    let without_slash = written.trim_end_matches('/');
    let anchored = without_slash.contains('/');
    // `!` is looked for before anything is put in front of it.
    if written.starts_with('!') {
        return Err(GlobError::Negated);
    }
    let text = without_slash.strip_prefix("./").unwrap_or(without_slash);
    match anchored && !text.starts_with('/') {
        true => Glob::parse(&format!("/{text}")),
        false => Glob::parse(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        Include::parse(pattern).unwrap().matches(&AbsPath::root().join(path.as_bytes()))
    }

    #[test]
    fn a_name_holds_at_any_depth_and_a_path_from_the_root() {
        for (pattern, path, expected) in [
            ("SKILLS*", "SKILLS.md", true),
            ("SKILLS*", "deep/er/SKILLS-ops.md", true),
            ("SKILLS*", "skills.md", false),
            ("*.py", "src/a.py", true),
            ("src/config.py", "src/config.py", true),
            ("./src/config.py", "src/config.py", true),
            ("src/config.py", "vendor/src/config.py", false),
            (".claude/**/*.md", ".claude/a.md", true),
            (".claude/**/*.md", ".claude/commands/deploy.md", true),
            (".claude/**/*.md", "x/.claude/a.md", false),
            ("**/.claude/**/*.md", "x/.claude/a.md", true),
            (".claude", ".claude/settings.json", true),
            (".claude/", ".claude/settings.json", true),
            ("docs/", "x/docs/a", true),
            ("/docs", "x/docs/a", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_pattern_that_turns_itself_round_is_refused() {
        for pattern in ["!SKILLS*", "!/a", "", "/", "{a", "a\0", "../a", "./../a"] {
            assert!(Include::parse(pattern).is_err(), "{pattern}");
        }
    }
}
