//! The caller's terminal under a name of its own.

use syscalls::file::FileType;
use syscalls::terminal::Terminal;

use super::{Open, own_name};
use crate::plan::Verdict;
use crate::profile::abs_path::AbsPath;
use crate::supervisor::mediate::Mediator;
use crate::supervisor::mediate::caller::Caller;
use crate::supervisor::mediate::resolve::{Held, Object};

impl Mediator {
    /// `/dev/tty`, where the policy allows it and `object` is what that means for the caller (`tty(4)`): the same under
    /// another name is no question. A rule that closes the name holds.
    pub(super) fn terminal_itself(
        &self,
        caller: Caller,
        open: &Open,
        real: &AbsPath,
        object: &Object,
    ) -> Option<AbsPath> {
        if self.questions.is_none() || object.status.kind != FileType::CharacterDevice {
            return None;
        }
        let verdicts = |path: &AbsPath, is: fn(&Verdict<'_>) -> bool| {
            open.operations(path).iter().all(|operation| is(&self.verdict_on(operation, &[Held::Object(object)])))
        };
        let itself = AbsPath::new(b"/dev/tty").filter(|itself| itself != real)?;
        let asks = !verdicts(real, |verdict| matches!(verdict, Verdict::Allow(_)))
            && verdicts(real, |verdict| !matches!(verdict, Verdict::Deny(_)));
        // The caller's is this process's, and that is the object: the number of a terminal says not which of several
        // filesystems of them it is in (devpts).
        let is_it = asks
            && verdicts(&itself, |verdict| matches!(verdict, Verdict::Allow(_)))
            && caller.terminal() == Ok(None)
            && Terminal::is_controlling(&own_name(&object.file));
        is_it.then_some(itself)
    }
}
