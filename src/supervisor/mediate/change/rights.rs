//! What may be done with a file stays what it was when it gets another name.
//!
//! Rules are about directories, so a name elsewhere could give more: what may only be written could be read where reading is
//! granted. Landlock refuses that by itself (`landlock(7)`, `LANDLOCK_ACCESS_FS_REFER`), but not to this process.

use std::sync::Arc;

use syscalls::Errno;

use crate::approval::Act;
use crate::plan::{Access, Operation, Plan, Verdict};
use crate::profile::abs_path::AbsPath;
use crate::supervisor::mediate::Mediator;
use crate::supervisor::mediate::caller::Caller;
use crate::supervisor::questions::Questions;

/// Whether the program may move something away from a path that gives more than what is around it. Landlock's rule then goes
/// with what was moved, so that the path no longer says what the kernel grants.
pub(in crate::supervisor::mediate) fn granted_paths_may_move(plan: &Plan) -> bool {
    let gives = |access: Access| Access { write: false, ..access };
    let write_only = || plan.grants.iter().filter(|grant| grant.access.write && !grant.access.read);
    write_only().any(|outer| {
        let inner = plan.grants.iter().filter(|inner| inner.real != outer.real && inner.real.is_within(&outer.real));
        inner.map(|inner| gives(inner.access)).any(|inner| !gives(outer.access).includes(inner))
    })
}

impl Mediator {
    /// Refuses to give what is at `from` the name `to`, where it or something beneath could be read or executed by that name
    /// alone. `operations` are what the change itself is; without the permission to it, that is the reason.
    ///
    /// # Errors
    /// `EXDEV`, as from Landlock: programs copy instead, which takes the permission to read.
    pub(super) fn check_gains_nothing(
        &self,
        caller: Caller,
        operations: &[Operation],
        from: &AbsPath,
        to: &AbsPath,
    ) -> Result<(), Errno> {
        let mut left_to_kernel = self.kernel_complete;
        for operation in operations {
            match self.verdict(operation) {
                Verdict::Allow(_) => {}
                Verdict::Ask(_) => left_to_kernel = false,
                Verdict::Deny(_) => return Ok(()),
            }
        }
        if left_to_kernel || !self.gains(from, to) {
            return Ok(());
        }
        let why = "more is granted there than where it is; copy it instead";
        self.refuse(caller, format!("give {from} the name {to}"), from.as_bytes(), why);
        Err(Errno::OTHER_FILESYSTEM)
    }

    fn gains(&self, from: &AbsPath, to: &AbsPath) -> bool {
        let more = |from: &AbsPath, to: &AbsPath| {
            let [old, new] = [from, to].map(|path| self.given(path));
            !old.includes(new)
        };
        let beneath = self.plan.grants.iter().filter(|grant| grant.real != *to && grant.real.is_within(to));
        let mut there = beneath.map(|grant| {
            let rest = grant.real.as_bytes().get(to.as_bytes().len()..).unwrap_or_default();
            more(&from.join(rest), &grant.real)
        });
        more(from, to)
            || there.any(|more| more)
            || self.questions.as_ref().is_some_and(|questions| questions.is_any_beneath(to))
    }

    /// What may be read and executed at `path` without a question, by the plan or after an earlier yes.
    fn given(&self, path: &AbsPath) -> Access {
        let is_given = |operation: Operation| matches!(self.verdict(&operation), Verdict::Allow(_));
        let covers = |questions: &Arc<Questions>| questions.covers_name(path, Act::Read);
        let read = is_given(Operation::Read(path.clone())) || self.questions.as_ref().is_some_and(covers);
        // Nobody is asked about starting a program.
        Access { read, write: false, execute: is_given(Operation::Execute(path.clone())) }
    }
}
