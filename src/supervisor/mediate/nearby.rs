//! Verdicts about files, with what is known of the directories they lie in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Mediator;
use super::resolve::{Entry, Held, spelling};
use crate::plan::{Denial, Near, Operation, Verdict, decide, decide_near};
use crate::profile::FilePattern;
use crate::profile::abs_path::AbsPath;

/// Directories that are remembered at the same time.
const MOST: usize = 256;

/// What the plan says near directories: nothing yet for those that were asked about once.
#[derive(Debug, Default)]
pub(super) struct Nearby(Mutex<HashMap<Vec<u8>, Option<Arc<Near>>>>);

impl Mediator {
    /// What the plan says about `operation`: the answer of [`decide()`].
    pub(super) fn verdict(&self, operation: &Operation) -> Verdict<'_> {
        match self.near(operation) {
            Some(near) => decide_near(&self.plan, &near, operation),
            None => decide(&self.plan, operation),
        }
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

    /// Whether something of a closed path would lie beneath a new entry at `path`: a link or a directory that is put there
    /// brings its own content to the closed path, or leads the path elsewhere.
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

    fn near(&self, operation: &Operation) -> Option<Arc<Near>> {
        let path = operation.path()?;
        let above = path.as_bytes().len().checked_sub(path.file_name()?.len())?;
        let directory = path.as_bytes().get(..above)?;
        let mut known = self.nearby.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get_mut(directory) {
            Some(Some(near)) => Some(Arc::clone(near)),
            // Most directories are asked about once, or often.
            Some(seen @ None) => Some(Arc::clone(seen.insert(Arc::new(Near::new(&self.plan, path.parent()?))))),
            None => {
                if known.len() >= MOST {
                    known.clear();
                }
                known.insert(directory.to_vec(), None);
                None
            }
        }
    }
}
