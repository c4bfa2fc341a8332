//! Verdicts about files, with what is known of the directories they lie in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Mediator;
use crate::plan::{Near, Operation, Verdict, decide, decide_near};

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
