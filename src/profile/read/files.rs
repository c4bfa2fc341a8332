//! Paths and patterns: `allow`, `read`, `write`, `deny`, `unix_sockets`.

use std::sync::Arc;

use super::json::Value;
use super::problem::{PathFault, ProblemKind};
use super::reader::{At, Members, Reader};
use crate::profile::abs_path::AbsPath;
use crate::profile::glob::{Glob, GlobError};
use crate::profile::variables::{Expanded, VariableError};
use crate::profile::{FilePattern, FileRule, FileRuleKind};

/// `PATH_MAX` of `limits.h`.
const LONGEST_PATH: usize = 4096;

/// A path or pattern, or the reason that there is none.
enum Outcome<T> {
    Good(T),
    /// A built-in entry whose variable is unset here.
    LeftOut,
    Wrong(ProblemKind),
}

impl<'t> Reader<'t> {
    /// The four lists of file rules.
    pub(super) fn file_rules(&mut self, members: &Members<'_, 't>, into: &mut Vec<FileRule>) {
        let grants = [("allow", FileRuleKind::Allow), ("read", FileRuleKind::Read), ("write", FileRuleKind::Write)];
        for (key, kind) in grants {
            self.list(members, key, into, |reader, at| {
                let written = reader.string(at)?;
                let path = reader.path(at)?;
                Some(reader.file_rule(at, kind, FilePattern::Path(path), written))
            });
        }
        self.list(members, "deny", into, Self::denial);
    }

    /// An absolute path without patterns.
    pub(super) fn path(&mut self, at: At<'_, 't>) -> Option<AbsPath> {
        self.path_that(at, without_patterns)
    }

    /// An absolute path, in which `*`, `?`, `[` and `{` are characters like any other.
    pub(super) fn any_path(&mut self, at: At<'_, 't>) -> Option<AbsPath> {
        self.path_that(at, literal)
    }

    fn path_that(
        &mut self,
        at: At<'_, 't>,
        parsed: fn(&Expanded<'_>) -> Result<AbsPath, PathFault>,
    ) -> Option<AbsPath> {
        let written = self.string(at)?;
        match self.expand(written) {
            Outcome::Good(expanded) => match parsed(&expanded) {
                Ok(path) => Some(path),
                Err(why) => {
                    self.problem(at, ProblemKind::BadPath { written: written.to_owned(), why });
                    None
                }
            },
            Outcome::LeftOut => None,
            Outcome::Wrong(kind) => {
                self.problem(at, kind);
                None
            }
        }
    }

    /// An entry of `deny`: a path, a pattern, or `{ "path": …, "except": […] }`.
    fn denial(&mut self, at: At<'_, 't>) -> Option<FileRule> {
        let Value::Object(_) = at.node.value else {
            let written = self.string(at)?;
            let pattern = self.pattern(at, written)?;
            return Some(self.file_rule(at, FileRuleKind::Deny, pattern, written));
        };
        let members = self.object(&at, &["path", "except"])?;
        let Some(path) = members.find("path") else {
            self.problem(at, ProblemKind::MissingKey { key: "path" });
            return None;
        };
        let written = self.string(path)?;
        let pattern = self.pattern(path, written);
        let mut exceptions = Vec::new();
        self.list(&members, "except", &mut exceptions, |reader, at| {
            let written = reader.string(at)?;
            Some(as_glob(reader.pattern(at, written)?))
        });
        let pattern = match (pattern?, exceptions.is_empty()) {
            (plain, true) => plain,
            (pattern, false) => FilePattern::Glob { glob: as_glob(pattern), except: exceptions },
        };
        Some(self.file_rule(at, FileRuleKind::Deny, pattern, written))
    }

    /// A path when it is absolute and has no pattern characters, else a pattern.
    fn pattern(&mut self, at: At<'_, 't>, written: &str) -> Option<FilePattern> {
        let expanded = match self.expand(written) {
            Outcome::Good(expanded) => expanded,
            Outcome::LeftOut => return None,
            Outcome::Wrong(kind) => {
                self.problem(at, kind);
                return None;
            }
        };
        let absolute = expanded.base.is_some() || expanded.rest.starts_with('/');
        if absolute && !expanded.look.is_pattern() {
            return match literal(&expanded) {
                Ok(path) => Some(FilePattern::Path(path)),
                Err(why) => {
                    self.problem(at, ProblemKind::BadPath { written: written.to_owned(), why });
                    None
                }
            };
        }
        let glob = match &expanded.base {
            Some(base) => Glob::beneath(base, &expanded.rest),
            None => Glob::parse(&expanded.rest),
        };
        match glob {
            Ok(glob) => Some(FilePattern::Glob { glob, except: Vec::new() }),
            Err(why) => {
                self.bad_glob(at, written, why);
                None
            }
        }
    }

    fn bad_glob(&mut self, at: At<'_, 't>, written: &str, why: GlobError) {
        self.problem(at, ProblemKind::BadGlob { written: written.to_owned(), why });
    }

    fn expand<'a>(&self, written: &'a str) -> Outcome<Expanded<'a>>
    where
        't: 'a,
    {
        let fault = |why| Outcome::Wrong(ProblemKind::BadPath { written: written.to_owned(), why });
        match self.variables.expand(written) {
            Ok(expanded) => Outcome::Good(expanded),
            Err(VariableError::Inside) => fault(PathFault::VariableInside),
            Err(VariableError::OtherHome) => fault(PathFault::OtherHome),
            Err(VariableError::Unknown(name)) => Outcome::Wrong(ProblemKind::UnknownVariable { name }),
            // Without a home there is no telling which secrets to protect, so that is an error everywhere.
            Err(VariableError::Unset("TMPDIR" | "XDG_RUNTIME_DIR")) if self.built_in => Outcome::LeftOut,
            Err(VariableError::Unset(name)) => Outcome::Wrong(ProblemKind::UnsetVariable { name }),
        }
    }

    fn file_rule(&mut self, at: At<'_, 't>, kind: FileRuleKind, pattern: FilePattern, written: &str) -> FileRule {
        FileRule { kind, pattern, written: Arc::from(written), from: self.provenance(at), group: self.group.clone() }
    }
}

/// The path that an expanded text names, which may not look like a pattern.
fn without_patterns(expanded: &Expanded<'_>) -> Result<AbsPath, PathFault> {
    if expanded.look.is_pattern() { Err(PathFault::Glob) } else { literal(expanded) }
}

/// The path that an expanded text names.
fn literal(expanded: &Expanded<'_>) -> Result<AbsPath, PathFault> {
    let rest = expanded.rest.as_ref();
    if expanded.base.is_none() && rest.is_empty() {
        return Err(PathFault::Empty);
    }
    if expanded.look.has_nul() {
        return Err(PathFault::Nul);
    }
    if expanded.look.has_two_dots() && rest.as_bytes().split(|&byte| byte == b'/').any(|part| part == b"..") {
        return Err(PathFault::DotDot);
    }
    let path = match &expanded.base {
        Some(base) => base.join_looked_at(rest.as_bytes(), expanded.look),
        None => AbsPath::looked_at(rest.as_bytes(), expanded.look).ok_or(PathFault::Relative)?,
    };
    if path.as_bytes().len() >= LONGEST_PATH { Err(PathFault::TooLong) } else { Ok(path) }
}

/// A pattern that matches what the path stands for.
fn as_glob(pattern: FilePattern) -> Glob {
    match pattern {
        FilePattern::Path(path) => Glob::exactly(&path),
        FilePattern::Glob { glob, .. } => glob,
    }
}
