//! Records of calls that are being looked at, in buffers that are used again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use syscalls::abi::Syscall;
use syscalls::notify::NotifyId;

use super::Ending;
use super::call::Plain;
use super::part::Part;
use crate::audit::record::Disposition;

/// Buffers that are kept, and the longest that is.
const MOST_KEPT: usize = 64;
const LARGEST_KEPT: usize = 8192;

/// What is known of a call so far.
#[derive(Debug, Default)]
pub(super) struct Draft {
    call: Option<NotifyId>,
    /// Fields about the object and the rule, written already.
    pub(super) fields: Vec<u8>,
    /// The path as the program wrote it.
    pub(super) typed: Vec<u8>,
    /// The whole record, once it is written.
    pub(super) record: Vec<u8>,
    pub(super) parts: Parts,
    pub(super) flags: Option<u64>,
    pub(super) disposition: Option<Disposition>,
    pub(super) has_target: bool,
    pub(super) writes: bool,
    pub(super) creates: bool,
}

/// What records of other calls said in the same words: the beginning, the rule and the end.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) disposition: Part<(&'static str, Disposition)>,
    /// By the address of the rule, which stays where it is for as long as there are calls.
    pub(super) rule: Part<usize>,
    pub(super) ending: Part<(Option<Syscall>, Option<u64>, Ending)>,
}

/// The calls that are looked at now.
#[derive(Debug, Default)]
pub(super) struct Drafts(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// For calls of which everything is known at once.
    whole: Draft,
    plain: Plain,
    open: Vec<Draft>,
    spare: Vec<Draft>,
}

impl Drafts {
    /// Adds to what is known of `call`.
    pub(super) fn change(&self, call: NotifyId, change: impl FnOnce(&mut Draft)) {
        let mut state = self.locked();
        if let Some(draft) = state.open.iter_mut().find(|draft| draft.call == Some(call)) {
            return change(draft);
        }
        let mut draft = state.spare.pop().unwrap_or_default();
        draft.call = Some(call);
        change(&mut draft);
        state.open.push(draft);
    }

    /// Writes the record of a call of which everything is known: `write` gets a draft without any of it.
    pub(super) fn write_whole<R>(&self, write: impl FnOnce(&mut Draft, &mut Plain) -> R) -> R {
        let State { whole, plain, .. } = &mut *self.locked();
        whole.fields.clear();
        whole.typed.clear();
        whole.record.clear();
        write(whole, plain)
    }

    /// What is known of `call`, which is over.
    pub(super) fn take(&self, call: NotifyId) -> Draft {
        let mut state = self.locked();
        match state.open.iter().position(|draft| draft.call == Some(call)) {
            Some(place) => state.open.swap_remove(place),
            None => state.spare.pop().unwrap_or_default(),
        }
    }

    /// Keeps a draft's buffers for another call.
    pub(super) fn give_back(&self, draft: Draft) {
        let Draft { mut fields, mut typed, mut record, parts, .. } = draft;
        if [&fields, &typed, &record].iter().any(|buffer| buffer.capacity() > LARGEST_KEPT) {
            return;
        }
        fields.clear();
        typed.clear();
        record.clear();
        let mut state = self.locked();
        if state.spare.len() < MOST_KEPT {
            state.spare.push(Draft { fields, typed, record, parts, ..Draft::default() });
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        // Every change of the state is whole, so a panic elsewhere leaves it usable.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the target in `fields` is the path exactly as it was written, in whose place nothing else stands.
pub(super) fn is_typed_so(fields: &[u8], typed: &[u8]) -> bool {
    let target = fields.strip_prefix(b"\"target\":\"");
    let rest = target.and_then(|target| target.strip_prefix(typed));
    rest.is_some_and(|rest| rest.first() == Some(&b'"'))
}
