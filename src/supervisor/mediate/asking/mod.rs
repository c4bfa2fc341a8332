//! Calls that somebody is asked about, and what is shown of them.

use std::collections::BTreeSet;
use std::ffi::CStr;
use std::sync::Arc;
use std::time::Instant;

use syscalls::Errno;

use super::caller::Caller;
use super::resolve::{Held, Object, RealPath};
use super::{Mediator, Outcome};
use crate::approval::{Act, AskedOperation, Change, Object as AskedObject, Question, Subject};
use crate::plan::decide::undecided;
use crate::plan::explain::{explain, explain_call};
use crate::plan::{Access, Grant, Operation, PathKind, Reason, Verdict};
use crate::profile::abs_path::AbsPath;
use crate::supervisor::questions::Questions;

/// What a call is about to do at one of its paths, of which the rules leave this access open.
pub(super) type Wish<'w> = &'w dyn Fn(&AbsPath, Access) -> AskedOperation;

/// A wish to change something, whatever the rules leave open.
pub(super) fn change(change: impl Fn(&AbsPath) -> Change) -> impl Fn(&AbsPath, Access) -> AskedOperation {
    move |path, _| AskedOperation::Change(change(path))
}

/// A wish to change something at two paths: the first of `changes` at `from`, the second at `to`. Each has the other path.
pub(super) fn both(
    from: &AbsPath,
    to: &AbsPath,
    [of_from, of_to]: [fn(AbsPath) -> Change; 2],
) -> impl Fn(&AbsPath, Access) -> AskedOperation {
    change(move |path| if path == from { of_from(to.clone()) } else { of_to(from.clone()) })
}

impl Mediator {
    /// [`Self::verdict_on`] for what `held` has. A rule about a file is none about the directory that it is an entry of, and to
    /// change that takes a grant of it (`landlock(7)`).
    pub(super) fn verdict_in_call(&self, operation: &Operation, held: &[Held<'_>]) -> Verdict<'_> {
        let verdict = self.verdict_on(operation, held);
        let (Verdict::Allow(Reason::Grant(grant)), Operation::Write(path)) = (&verdict, operation) else {
            return verdict;
        };
        let is_above = |above: &Grant| above.access.write && above.real != *path && path.is_within(&above.real);
        if grant.kind != PathKind::File
            || grant.real != *path
            || is_object(path, held)
            || self.plan.grants.iter().any(is_above)
        {
            return verdict;
        }
        undecided(&self.plan, Reason::OtherAccess(grant))
    }

    /// Tells the account everything that a call lacks, so that what it advises is enough.
    pub(super) fn tell(&self, operations: &[Operation], held: &[Held<'_>]) {
        let verdicts = operations.iter().map(|operation| (operation, self.verdict_in_call(operation, held)));
        let lacking: Vec<_> = verdicts.filter(|(_, verdict)| !matches!(verdict, Verdict::Allow(_))).collect();
        let mut seen = BTreeSet::new();
        for (operation, verdict) in &lacking {
            let Some(path) = operation.path().filter(|path| seen.insert(path.as_bytes())) else { continue };
            let same = lacking.iter().map(|(operation, _)| *operation).filter(|other| other.path() == Some(path));
            let access = access_of(same);
            let directory = if is_object(path, held) { None } else { path.parent() };
            self.account.denied(|| explain_call(&self.plan, operation, access, verdict, directory.as_ref()));
        }
    }

    /// What is to be asked: one question for each path, with all that is to be done there. A yes to one is none to another.
    pub(super) fn questions_about(
        &self,
        caller: Caller,
        questions: &Questions,
        asked: &[(&Operation, Verdict<'_>)],
        (typed, wish): (&CStr, Wish<'_>),
        object: Option<&Object>,
    ) -> Vec<Question> {
        let mut seen = BTreeSet::new();
        let mut open = Vec::new();
        for (operation, verdict) in asked {
            let Some(path) = operation.path() else { continue };
            if !seen.insert(path.as_bytes()) {
                continue;
            }
            let same = asked.iter().map(|(operation, _)| *operation).filter(|other| other.path() == Some(path));
            let about = wish(path, access_of(same));
            let found = object.filter(|object| object.real == RealPath::Path(path.clone()));
            let is_covered = questions.covers(path, found.map(|object| object.status.identity), &about.acts());
            if is_covered && !self.gains_writing(path, &about) {
                continue;
            }
            let reason = explain(&self.plan, operation, verdict).reason;
            // What was typed is about the first path.
            let typed = if seen.len() == 1 { typed } else { c"" };
            open.push(self.question(caller, about, path, typed, found, reason));
        }
        open
    }

    /// Whether what is at `path` could be written to once it has its new name, or what is to have this name. Then a yes to
    /// another new name is none to this one.
    fn gains_writing(&self, path: &AbsPath, about: &AskedOperation) -> bool {
        let is_written = |path: &AbsPath| {
            let by_plan = matches!(self.verdict(&Operation::Write(path.clone())), Verdict::Allow(_));
            by_plan || self.questions.as_ref().is_some_and(|questions| questions.covers_name(path, Act::Write))
        };
        match about {
            AskedOperation::Change(Change::LinkTo(to) | Change::RenameTo(to)) => is_written(to) && !is_written(path),
            AskedOperation::Change(Change::LinkFrom(from) | Change::RenameFrom(from)) => {
                is_written(path) && !is_written(from)
            }
            AskedOperation::Change(Change::Exchange(other)) => is_written(path) != is_written(other),
            AskedOperation::Change(_)
            | AskedOperation::Connect
            | AskedOperation::ConnectUnix
            | AskedOperation::Open(_) => false,
        }
    }

    fn question(
        &self,
        caller: Caller,
        operation: AskedOperation,
        path: &AbsPath,
        typed: &CStr,
        object: Option<&Object>,
        reason: String,
    ) -> Question {
        let differs = !typed.to_bytes().is_empty() && typed.to_bytes() != path.as_bytes();
        Question {
            operation,
            object: Subject::File(AskedObject {
                real: path.clone(),
                typed: differs.then(|| typed.to_bytes().to_vec()),
                identity: object.map(|object| object.status.identity),
            }),
            process: caller.describe(),
            reason,
            profile: self.plan.profile.name.clone(),
        }
    }

    /// Puts `asked` to the approvers, one after the other, on a thread of its own, and does `act` after a yes to each.
    pub(super) fn ask(
        &self,
        caller: Caller,
        asked: Vec<Question>,
        act: impl FnOnce() -> Outcome + Send + 'static,
    ) -> Outcome {
        let Some(questions) = self.questions.clone() else { return Outcome::Fail(Errno::ACCESS) };
        let (account, listener) = (Arc::clone(&self.account), Arc::clone(&self.listener));
        let recorder = Arc::clone(&self.recorder);
        Outcome::Asked(Box::new(move || {
            let waits = || listener.still_waits(caller.id).is_ok();
            for question in &asked {
                let began = Instant::now();
                let (answered, evidence) = questions.ask(question, &waits);
                let told = (&answered, evidence.as_deref());
                if recorder.settled(caller.id, question, told, began.elapsed()).is_err() {
                    return Outcome::Fail(Errno::IO);
                }
                if let Some(why) = answered.refusal() {
                    account.refused(question, why);
                    return Outcome::Fail(Errno::ACCESS);
                }
            }
            Outcome::Slow(Box::new(act))
        }))
    }
}

/// Whether `path` is that of an object that is held, and not of an entry.
fn is_object(path: &AbsPath, held: &[Held<'_>]) -> bool {
    held.iter().filter_map(Held::object).any(|object| object.real == RealPath::Path(path.clone()))
}

/// The access that `operations` come to.
fn access_of<'o>(operations: impl Iterator<Item = &'o Operation>) -> Access {
    let mut access = Access::NONE;
    for operation in operations {
        match operation {
            Operation::Execute(_) => access.execute = true,
            Operation::Read(_) => access.read = true,
            Operation::Connect { .. } | Operation::Listen(_) | Operation::UnixConnect(_) | Operation::Write(_) => {
                access.write = true;
            }
        }
    }
    access
}
