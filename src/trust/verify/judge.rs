//! A file and its bundles to a verdict.

use std::fmt;

use super::super::digest::Digest;
use super::super::policy::{Enforcement, Publisher, Rules};
use super::super::statement::{Predicate, Statement};
use super::{Action, Failure, Opened};
use crate::profile::abs_path::AbsPath;
use crate::profile::escape::escaped;

/// Longest piece of a policy in a sentence, in characters.
const SHOWN: usize = 200;

/// What came of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// Refused whatever the enforcement is: why.
    Blocked(String),
    Failed(Failure),
    Verified(Publisher),
}

/// The bundles that may speak for a file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bundles<'b> {
    /// The one beside the file.
    pub sidecar: Option<&'b Opened>,
    /// One for many files, with the directory it lies in.
    pub project: Option<(&'b AbsPath, &'b Opened)>,
}

impl Rules {
    /// The entry of the blocklist for content with `digest`. Asked before any bundle is looked at.
    pub fn blocked_content(&self, digest: Digest) -> Option<Verdict> {
        let digests = &self.blocklist.digests;
        let index = digests.binary_search_by(|blocked| blocked.sha256.cmp(&digest)).ok()?;
        let reason = digests.get(index).and_then(|blocked| blocked.description.as_deref());
        let reason = reason.map_or_else(String::new, |text| format!(" ({})", escaped(text.as_bytes(), SHOWN)));
        Some(Verdict::Blocked(format!("its content, sha256 {digest}, is on the blocklist{reason}")))
    }

    /// What the bundles say about the file at `path` with `digest`.
    pub fn judge(&self, path: &AbsPath, digest: Digest, bundles: Bundles<'_>) -> Verdict {
        if let Some(blocked) = self.blocked_content(digest) {
            return blocked;
        }
        let project = bundles.project.filter(|(root, opened)| bundles.sidecar.is_none() || names(root, opened, path));
        let openeds = [bundles.sidecar, project.map(|(_, opened)| opened)];
        if let Some(who) = openeds.into_iter().flatten().find_map(|opened| opened.blocked.as_ref()) {
            let who = escaped(who.as_bytes(), SHOWN);
            return Verdict::Blocked(format!("its signer is on the blocklist ({who})"));
        }
        let beside = bundles.sidecar.map(|opened| self.beside(path, digest, opened));
        let among = project.map(|(root, opened)| among(root, path, digest, opened));
        match (beside, among) {
            (Some(Ok(publisher)), _) | (_, Some(Ok(publisher))) => Verdict::Verified(publisher.clone()),
            (Some(Err(failure)), _) | (None, Some(Err(failure))) => Verdict::Failed(failure),
            (None, None) => Verdict::Failed(Failure::Unsigned),
        }
    }

    /// The bundle of one file speaks for `path`.
    fn beside<'o>(&self, path: &AbsPath, digest: Digest, opened: &'o Opened) -> Result<&'o Publisher, Failure> {
        let (publisher, statement) = opened.outcome.as_ref().map_err(Clone::clone)?;
        let Some(subject) = statement.subjects.first().filter(|_| statement.predicate == Predicate::File) else {
            return Err(Failure::OtherPredicate { found: statement.predicate, expected: Predicate::File });
        };
        let mut whole = self.roots.iter().filter_map(|root| name_beneath(root, path));
        // Other programs sign the bare name, and leave it to the bundle's place to say which file is meant.
        let bare = !self.strict_paths
            && !statement.whole_paths
            && path.file_name().is_some_and(|name| name == subject.name.as_bytes());
        if !bare && !whole.any(|name| name == subject.name.as_bytes()) {
            let expected = self.roots.iter().find_map(|root| name_beneath(root, path)).unwrap_or_default();
            let expected = String::from_utf8_lossy(expected).into_owned();
            return Err(Failure::OtherFile { named: subject.name.clone(), expected });
        }
        same(publisher, subject.digest, digest)
    }
}

impl Verdict {
    /// What follows under `enforcement`; with `overridden`, what fails is said and goes on.
    pub fn action(&self, enforcement: Enforcement, overridden: bool) -> Action {
        match (self, enforcement) {
            (Self::Verified(_), _) => Action::Allow,
            // Nothing excuses what is blocked.
            (Self::Blocked(_), _) => Action::Deny,
            (Self::Failed(_), Enforcement::Deny) if overridden => Action::Warn,
            (Self::Failed(_), Enforcement::Deny) => Action::Deny,
            (Self::Failed(_), Enforcement::Warn) => Action::Warn,
            (Self::Failed(_), Enforcement::Audit) => Action::Record,
        }
    }

    /// One word for a table.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Blocked(_) => "BLOCKED",
            Self::Failed(failure) => failure.word(),
            Self::Verified(_) => "VERIFIED",
        }
    }
}

/// The publisher, or why not and what to do, without the file's name.
impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocked(why) => out.write_str(why),
            Self::Failed(failure) => write!(out, "{failure}"),
            Self::Verified(publisher) => write!(out, "{publisher}"),
        }
    }
}

/// The bundle for many files, in the directory `root`, speaks for `path`.
fn among<'o>(root: &AbsPath, path: &AbsPath, digest: Digest, opened: &'o Opened) -> Result<&'o Publisher, Failure> {
    let (publisher, statement) = opened.outcome.as_ref().map_err(Clone::clone)?;
    if statement.predicate != Predicate::Files {
        return Err(Failure::OtherPredicate { found: statement.predicate, expected: Predicate::Files });
    }
    let subject = subject_at(root, path, statement).ok_or(Failure::Unsigned)?;
    same(publisher, subject.digest, digest)
}

fn same(publisher: &Publisher, expected: Digest, found: Digest) -> Result<&Publisher, Failure> {
    if expected == found { Ok(publisher) } else { Err(Failure::OtherDigest { expected, found }) }
}

/// Whether the bundle in `root` speaks of `path` at all.
fn names(root: &AbsPath, opened: &Opened, path: &AbsPath) -> bool {
    opened.outcome.as_ref().is_ok_and(|(_, statement)| subject_at(root, path, statement).is_some())
}

fn subject_at<'s>(
    root: &AbsPath,
    path: &AbsPath,
    statement: &'s Statement,
) -> Option<&'s super::super::statement::Subject> {
    statement.subject(std::str::from_utf8(name_beneath(root, path)?).ok()?)
}

/// `path` relative to `root`, as the subject of a statement is named.
pub(in crate::trust) fn name_beneath<'p>(root: &AbsPath, path: &'p AbsPath) -> Option<&'p [u8]> {
    let rest = path.is_within(root).then(|| path.as_bytes().get(root.as_bytes().len()..).unwrap_or_default())?;
    Some(rest.strip_prefix(b"/").unwrap_or(rest)).filter(|name| !name.is_empty())
}
