//! A file and its bundles to a verdict.

use std::fmt;
use std::sync::Arc;

use super::super::digest::Digest;
use super::super::policy::{Duty, Enforcement, PROJECT_BUNDLE, Publisher, Rules, sidecar};
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

/// A verdict, and the bundle that the verification rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    pub verdict: Verdict,
    pub bundle: Option<AbsPath>,
}

/// Where bundles come from.
pub trait BundleSource {
    /// The bundle that is `bytes`.
    fn of(&mut self, bytes: &[u8]) -> Arc<Opened>;

    /// The bundle at a place; `None` where there is none.
    fn at(&mut self, place: &AbsPath) -> Option<Arc<Opened>>;
}

impl Rules {
    /// The verdict on the file at `path` with `digest`. Its `content` decides where it is named as a bundle or a policy; it is
    /// none where it is too large to be one.
    pub fn judge_file(
        &self,
        path: &AbsPath,
        digest: Digest,
        content: Option<&[u8]>,
        source: &mut impl BundleSource,
    ) -> Judged {
        if let Some(blocked) = self.blocked_content(digest) {
            return Judged { verdict: blocked, bundle: None };
        }
        match Duty::of(path) {
            Duty::Bundle => Judged { verdict: bundle_verdict(content.map(|bytes| source.of(bytes))), bundle: None },
            Duty::Content => self.judge_content(path, digest, source),
            Duty::Policy => {
                let place = sidecar(path);
                let opened = place.as_ref().and_then(|place| source.at(place));
                Judged { verdict: policy_verdict(content, digest, opened.as_deref()), bundle: place }
            }
        }
    }

    fn judge_content(&self, path: &AbsPath, digest: Digest, source: &mut impl BundleSource) -> Judged {
        let place = sidecar(path);
        let beside = place.as_ref().and_then(|place| source.at(place));
        let mut last = None;
        for root in self.roots() {
            let project_place = root.join(PROJECT_BUNDLE.as_bytes());
            let project = source.at(&project_place);
            let project = project.as_deref().map(|opened| (root, opened));
            let verdict = self.judge(path, digest, Bundles { sidecar: beside.as_deref(), project });
            let speaks = || match &beside {
                Some(opened) if self.beside(path, digest, opened).is_ok() => place.clone(),
                Some(_) | None => Some(project_place.clone()),
            };
            // A root above or below may hold the bundle that speaks for the file.
            if !matches!(verdict, Verdict::Failed(_)) {
                let bundle = speaks();
                return Judged { verdict, bundle };
            }
            // What a bundle says about the file is worth more than that there is none.
            last = last.filter(|_| project.is_none()).or(Some(verdict));
        }
        let alone = || self.judge(path, digest, Bundles { sidecar: beside.as_deref(), project: None });
        Judged { verdict: last.unwrap_or_else(alone), bundle: None }
    }

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
            return blocked_signer(who);
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

/// What is named as a bundle.
fn bundle_verdict(opened: Option<Arc<Opened>>) -> Verdict {
    let Some(opened) = opened else {
        return Verdict::Failed(Failure::NotSignature { why: "it is larger than any bundle".to_owned() });
    };
    if let Some(who) = &opened.blocked {
        return blocked_signer(who);
    }
    match &opened.outcome {
        Ok((publisher, _)) => Verdict::Verified(publisher.clone()),
        Err(Failure::BundleMalformed(why)) => Verdict::Failed(Failure::NotSignature { why: why.to_string() }),
        Err(failure) => Verdict::Failed(failure.clone()),
    }
}

/// What is named as a policy.
fn policy_verdict(content: Option<&[u8]>, digest: Digest, opened: Option<&Opened>) -> Verdict {
    let read = content.map_or_else(
        || Err("it is larger than any policy".to_owned()),
        |bytes| super::super::policy::read(bytes).map(drop).map_err(|why| why.to_string()),
    );
    if let Err(why) = read {
        return Verdict::Failed(Failure::NotSignature { why });
    }
    let Some(opened) = opened else { return Verdict::Failed(Failure::Unsigned) };
    if let Some(who) = &opened.blocked {
        return blocked_signer(who);
    }
    let signed = opened.outcome.as_ref().map_err(Clone::clone).and_then(|(publisher, statement)| {
        super::open::check_policy(statement, digest)?;
        Ok(publisher.clone())
    });
    signed.map_or_else(Verdict::Failed, Verdict::Verified)
}

fn blocked_signer(who: &str) -> Verdict {
    Verdict::Blocked(format!("its signer is on the blocklist ({})", escaped(who.as_bytes(), SHOWN)))
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
