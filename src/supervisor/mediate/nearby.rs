//! Verdicts about files, with what is known of the directories they lie in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Mediator;
use super::change::Brought;
use super::resolve::{Entry, Held, spelling};
use crate::plan::{Denial, Near, Operation, Verdict, decide, decide_near};
use crate::profile::FilePattern;
use crate::profile::abs_path::AbsPath;
use crate::profile::glob::Names;

/// Directories that are remembered at the same time.
const MOST: usize = 256;

/// What is said near directories: nothing yet for those that were asked about once.
#[derive(Debug, Default)]
pub(super) struct Nearby(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    known: HashMap<Vec<u8>, Option<Arc<Place>>>,
    /// The one that was asked about last: most often it is the next one too.
    last: Option<Arc<Place>>,
}

/// A directory.
#[derive(Debug)]
struct Place {
    /// What the plan says about its entries.
    near: Near,
    /// The names of entries that may have to be signed.
    to_be_signed: Names<'static>,
}

impl Mediator {
    /// What the plan says about `operation`: the answer of [`decide()`].
    pub(super) fn verdict(&self, operation: &Operation) -> Verdict<'_> {
        let place = operation.path().and_then(|path| self.place(path));
        self.verdict_in(place.as_deref(), operation)
    }

    fn verdict_in(&self, place: Option<&Place>, operation: &Operation) -> Verdict<'_> {
        match place {
            Some(place) => decide_near(&self.plan, &place.near, operation),
            None => decide(&self.plan, operation),
        }
    }

    /// The verdict on the first of `operations`, which are all about one file, when each is allowed and the file need not be
    /// signed.
    pub(super) fn plain_verdict(&self, operations: &[Operation]) -> Option<Verdict<'_>> {
        let first = operations.first()?;
        let place = first.path().and_then(|path| self.place(path));
        let mut verdicts = operations.iter().map(|operation| self.verdict_in(place.as_deref(), operation));
        let verdict = verdicts.next().filter(|verdict| matches!(verdict, Verdict::Allow(_)))?;
        let plainly = verdicts.all(|verdict| matches!(verdict, Verdict::Allow(_)))
            && !self.is_to_be_signed_in(place.as_deref(), first);
        plainly.then_some(verdict)
    }

    /// [`Self::verdict`] about what is `held`. What is closed stays closed under another spelling, where the filesystem takes
    /// that for the same.
    pub(super) fn verdict_on(&self, operation: &Operation, held: &[Held<'_>]) -> Verdict<'_> {
        let verdict = self.verdict(operation);
        if matches!(verdict, Verdict::Deny(_)) {
            return verdict;
        }
        let closing = self.spellings.closing(&self.plan, operation);
        let differs = |start: &AbsPath| operation.path().is_some_and(|path| spelling::may_differ(path, start, held));
        closing.filter(|(_, start)| differs(start)).map_or(verdict, |(reason, _)| Verdict::Deny(reason))
    }

    /// Whether something of a closed path would lie beneath a new `entry`: a link or a directory that is put there brings its
    /// own content to the closed path, or leads the path elsewhere.
    pub(super) fn is_above_closed(&self, entry: &Entry) -> bool {
        let path = &entry.real;
        let is_beneath = |closed: &AbsPath| closed != path && closed.is_within(path);
        self.plan.own.iter().any(|own| is_beneath(&own.path))
            || self.plan.denials.iter().any(|denial| match &denial.pattern {
                FilePattern::Path(closed) => is_beneath(closed),
                FilePattern::Glob { .. } => false,
            })
            || self.spellings.is_above(&self.plan, path) && spelling::may_differ(path, path, &[Held::Entry(entry)])
    }

    /// Whether a pattern would close something beneath the new `entry` that it does not close where that comes from: what is
    /// `brought` there, which is looked at only if a pattern is about such a place.
    pub(super) fn brings_to_closed<'b>(
        &self,
        entry: &Entry,
        brought: impl FnOnce() -> Brought<'b>,
    ) -> Option<Brought<'b>> {
        let path = &entry.real;
        // What is closed itself is refused for that.
        let is_about = |denial: &&Denial| {
            matches!(denial.pattern, FilePattern::Glob { .. })
                && denial.pattern.is_about_place(path)
                && !denial.pattern.covers(path)
        };
        let mut patterns = self.plan.denials.iter().filter(is_about).peekable();
        let spelled = self.spellings.is_about_place(&self.plan, path);
        if patterns.peek().is_none() && !spelled {
            return None;
        }
        let brought = brought();
        let (source, like) = match &brought {
            Brought::Directory(from) => (Some(&from.real), Some(*from)),
            Brought::Link { to, from } => (to.as_ref(), *from),
            Brought::Nothing => return None,
        };
        let opens = || source.is_none_or(|source| self.spellings.opens(&self.plan, path, source));
        let closes_more = patterns.any(|denial| source.is_none_or(|source| !denial.pattern.keeps(path, source)))
            || spelled && opens() && spelling::new_may_differ(entry, like);
        closes_more.then_some(brought)
    }

    /// Whether all that the policy closes beneath the directory `from` stays closed when it becomes `to`.
    pub(super) fn stays_closed(&self, from: &Entry, to: &AbsPath) -> bool {
        let entry = from;
        let from = &entry.real;
        let own = self.plan.own.iter().any(|own| own.path.is_within(from));
        let opened = |denial: &Denial| {
            !denial.pattern.keeps(from, to) || denial.real.as_ref().is_some_and(|real| real.is_within(from))
        };
        let spelled =
            || self.spellings.opens(&self.plan, from, to) && spelling::may_differ(from, from, &[Held::Entry(entry)]);
        !own && !self.plan.denials.iter().any(opened) && self.stays_signed(from, to) && !spelled()
    }

    /// Whether the file of `operation` must be signed.
    pub(super) fn is_to_be_signed(&self, operation: &Operation) -> bool {
        let place = operation.path().and_then(|path| self.place(path));
        self.is_to_be_signed_in(place.as_deref(), operation)
    }

    fn is_to_be_signed_in(&self, place: Option<&Place>, operation: &Operation) -> bool {
        let (Some(trusted), Operation::Read(real) | Operation::Write(real)) = (&self.trusted, operation) else {
            return false;
        };
        let may_match = |name| place.is_none_or(|place| place.to_be_signed.may_match(name));
        real.file_name().is_none_or(may_match) && trusted.concern(real, || None).is_some()
    }

    fn place(&self, path: &AbsPath) -> Option<Arc<Place>> {
        let above = path.as_bytes().len().checked_sub(path.file_name()?.len())?;
        let directory = path.as_bytes().get(..above)?;
        let mut state = self.nearby.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = state.last.as_ref().filter(|last| last.near.is_about(path)) {
            return Some(Arc::clone(last));
        }
        let place = match state.known.get_mut(directory) {
            Some(Some(place)) => Arc::clone(place),
            // Most directories are asked about once, or often.
            Some(seen @ None) => {
                let directory = path.parent()?;
                let names = self.trusted.as_ref().map(|trusted| trusted.names_in(&directory).into_owned());
                let to_be_signed = names.unwrap_or_default();
                Arc::clone(seen.insert(Arc::new(Place { near: Near::new(&self.plan, directory), to_be_signed })))
            }
            None => {
                if state.known.len() >= MOST {
                    state.known.clear();
                }
                state.known.insert(directory.to_vec(), None);
                return None;
            }
        };
        state.last = Some(Arc::clone(&place));
        Some(place)
    }
}
