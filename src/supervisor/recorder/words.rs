//! What is decided about, in the words of the log.

use std::ptr;

use syscalls::Errno;
use syscalls::abi::Syscall;

use super::Ending;
use super::drafts::Draft;
use crate::audit::record::{Disposition, Fields};
use crate::plan::{Operation, Reason, Verdict};
use crate::profile::{FileRuleKind, Provenance};
use crate::supervisor::Ended;
use crate::supervisor::questions::Answered;

/// Writes what a record begins with.
pub(super) fn begin(fields: &mut Fields<'_>, operation: &str, disposition: Disposition) {
    fields.text("operation", operation);
    fields.text("disposition", disposition.name());
}

/// The operation that a call is.
#[expect(clippy::wildcard_enum_match_arm, reason = "a few of the four hundred calls are mediated")]
pub(super) fn operation(call: Option<Syscall>, draft: &Draft) -> &'static str {
    let Some(call) = call else { return "unknown" };
    match call {
        Syscall::open | Syscall::openat | Syscall::openat2 | Syscall::creat if draft.creates => "fs.create",
        Syscall::open | Syscall::openat | Syscall::openat2 | Syscall::creat => opening(draft.writes, draft.flags),
        Syscall::truncate => "fs.write",
        Syscall::unlink | Syscall::unlinkat | Syscall::rmdir => "fs.delete",
        Syscall::mkdir
        | Syscall::mkdirat
        | Syscall::mknod
        | Syscall::mknodat
        | Syscall::symlink
        | Syscall::symlinkat => "fs.create",
        Syscall::rename | Syscall::renameat | Syscall::renameat2 => "fs.rename",
        Syscall::link | Syscall::linkat => "fs.link",
        Syscall::chmod | Syscall::fchmod | Syscall::fchmodat | Syscall::fchmodat2 => "fs.chmod",
        Syscall::chown | Syscall::fchown | Syscall::lchown | Syscall::fchownat => "fs.chown",
        Syscall::utime | Syscall::utimes | Syscall::futimesat | Syscall::utimensat => "fs.utime",
        Syscall::execve | Syscall::execveat => "process.execute",
        Syscall::connect | Syscall::sendto | Syscall::sendmsg | Syscall::sendmmsg => "net.connect",
        Syscall::bind => "net.bind",
        Syscall::listen => "net.listen",
        _ => "fs.setxattr",
    }
}

/// The operation that an open is which makes nothing. Where it led nowhere, `writes` is not known, and the flags say what it
/// was for (`O_ACCMODE` and `O_CREAT` of `open(2)`).
pub(super) fn opening(writes: bool, flags: Option<u64>) -> &'static str {
    match flags {
        _ if writes => "fs.write",
        Some(flags) if flags & 0o100 != 0 => "fs.create",
        Some(flags) if flags & 0o3 != 0 => "fs.write",
        Some(_) | None => "fs.read",
    }
}

/// Writes `target`, and `to` for a second path; answers whether there was one.
pub(super) fn targets(out: &mut Vec<u8>, operations: &[Operation]) -> bool {
    let mut first: Option<&[u8]> = None;
    for operation in operations {
        let mut fields = Fields::new(out);
        match (operation, first) {
            (
                Operation::Execute(path)
                | Operation::Read(path)
                | Operation::UnixConnect(path)
                | Operation::Write(path),
                None,
            ) => {
                fields.bytes("target", path.as_bytes());
                first = Some(path.as_bytes());
            }
            (Operation::Write(path), Some(before)) if before != path.as_bytes() => {
                fields.bytes("to", path.as_bytes());
                return true;
            }
            (Operation::Connect { target, port, udp }, None) => {
                let transport = if *udp { "udp" } else { "tcp" };
                fields.bytes("target", format!("{target}:{port}").as_bytes());
                fields.text("transport", transport);
                return true;
            }
            (Operation::Listen(listen), None) => {
                // A port alone is one of loopback, of either family.
                let place = if listen.address.is_none() { "localhost:" } else { "" };
                fields.bytes("target", format!("{place}{listen}").as_bytes());
                return true;
            }
            (_, Some(_)) => {}
        }
    }
    first.is_some()
}

/// Writes the rule that decided, and the place that gave it.
pub(super) fn rule(fields: &mut Fields<'_>, verdict: &Verdict<'_>) {
    let (Verdict::Allow(reason) | Verdict::Ask(reason) | Verdict::Deny(reason)) = verdict;
    let mut given = |kind: &str, written: &str, from: &Provenance, group: Option<&str>| {
        fields.words("rule", &[kind, " ", written]);
        match group {
            Some(group) => fields.words("rule_from", &["group ", group]),
            None => fields.words("rule_from", &[&from.place]),
        }
    };
    match reason {
        Reason::Denial(denial) => given("deny", &denial.written, &denial.from, denial.group.as_deref()),
        Reason::Grant(grant) | Reason::OtherAccess(grant) => {
            given(kind(grant.rule), &grant.written, &grant.from, grant.group.as_deref());
        }
        Reason::Approver(webhook) => given("webhook", &webhook.value, &webhook.from, None),
        Reason::Host(rule) => given("allow", &rule.value.to_string(), &rule.from, None),
        Reason::Listen(listen) => given("listen", &listen.value.to_string(), &listen.from, None),
        Reason::Replaced(socket) | Reason::UnixSocket(socket) => {
            given("unix_sockets", &socket.path.to_string(), &socket.from, None)
        }
        Reason::Own(_) => fields.text("rule", "nono's own files"),
        Reason::Metadata => fields.text("rule", "the address of a metadata service"),
        Reason::NoNetwork => fields.text("rule", "no network"),
        Reason::NoRule => fields.text("rule", "none"),
        Reason::Private(kind) => fields.words("rule", &["deny_private: ", kind]),
    }
}

/// Where the rule that decided is in the plan, if [`rule()`] says the same whenever it is that one.
pub(super) fn rule_place(verdict: &Verdict<'_>) -> Option<usize> {
    let (Verdict::Allow(reason) | Verdict::Ask(reason) | Verdict::Deny(reason)) = verdict;
    match reason {
        Reason::Denial(denial) => Some(ptr::from_ref(*denial).addr()),
        Reason::Grant(grant) | Reason::OtherAccess(grant) => Some(ptr::from_ref(*grant).addr()),
        Reason::Approver(_)
        | Reason::Host(_)
        | Reason::Listen(_)
        | Reason::Metadata
        | Reason::NoNetwork
        | Reason::NoRule
        | Reason::Own(_)
        | Reason::Private(_)
        | Reason::Replaced(_)
        | Reason::UnixSocket(_) => None,
    }
}

fn kind(rule: FileRuleKind) -> &'static str {
    match rule {
        FileRuleKind::Allow => "allow",
        FileRuleKind::Deny => "deny",
        FileRuleKind::Read => "read",
        FileRuleKind::Write => "write",
    }
}

/// Writes how a call came out.
pub(super) fn ending(fields: &mut Fields<'_>, ending: Ending) {
    match ending {
        Ending::Done => fields.text("outcome", "done"),
        Ending::Kernel => fields.text("outcome", "kernel"),
        Ending::Failed(errno) => {
            fields.text("outcome", name(errno));
            fields.number("errno", u64::try_from(errno.0).unwrap_or(0));
        }
    }
}

/// Writes how the session ended.
pub(super) fn ended(fields: &mut Fields<'_>, ended: Ended) {
    match ended {
        Ended::Exited(status) => fields.number("exit_status", u64::from(status)),
        Ended::Killed(signal) => fields.number("signal", u64::try_from(signal.0).unwrap_or(0)),
        Ended::NotStarted(failure) => {
            fields.text("not_started", failure.stage.describe());
            fields.number("errno", u64::try_from(failure.errno.0).unwrap_or(0));
        }
        Ended::KeeperLost => fields.text("reason", "nono itself was killed"),
        Ended::LogLost | Ended::NoLog => {}
    }
}

/// The disposition after an answer, and who gave it.
pub(super) fn answer(answered: &Answered) -> (Disposition, Option<&str>) {
    match answered {
        Answered::Yes { approver, .. } => (Disposition::Approved, Some(approver)),
        Answered::No { approver, .. } => (Disposition::Rejected, Some(approver)),
        Answered::Nobody { .. } => (Disposition::Unanswered, None),
    }
}

/// Writes an answer, who gave it and how long it took.
pub(super) fn answered(fields: &mut Fields<'_>, answered: &Answered, latency_ms: u64) {
    match answered {
        Answered::Yes { approver, fail_open } => {
            fields.text("approver", approver);
            if *fail_open {
                fields.text("alert", "nobody answered, and the policy lets that count as a yes");
            }
        }
        Answered::No { approver, reason } => {
            fields.text("approver", approver);
            fields.text("reason", reason);
        }
        Answered::Nobody { reason } => fields.text("reason", reason),
    }
    fields.number("latency_ms", latency_ms);
}

/// The name that `errno(3)` has for an error.
fn name(errno: Errno) -> &'static str {
    /// `asm-generic/errno-base.h` from 1 on, and `errno.h` to 40.
    const FIRST: [&str; 40] = [
        "EPERM",
        "ENOENT",
        "ESRCH",
        "EINTR",
        "EIO",
        "ENXIO",
        "E2BIG",
        "ENOEXEC",
        "EBADF",
        "ECHILD",
        "EAGAIN",
        "ENOMEM",
        "EACCES",
        "EFAULT",
        "ENOTBLK",
        "EBUSY",
        "EEXIST",
        "EXDEV",
        "ENODEV",
        "ENOTDIR",
        "EISDIR",
        "EINVAL",
        "ENFILE",
        "EMFILE",
        "ENOTTY",
        "ETXTBSY",
        "EFBIG",
        "ENOSPC",
        "ESPIPE",
        "EROFS",
        "EMLINK",
        "EPIPE",
        "EDOM",
        "ERANGE",
        "EDEADLK",
        "ENAMETOOLONG",
        "ENOLCK",
        "ENOSYS",
        "ENOTEMPTY",
        "ELOOP",
    ];
    let index = usize::try_from(errno.0).ok().and_then(|number| number.checked_sub(1));
    match errno.0 {
        95 => "EOPNOTSUPP",
        101 => "ENETUNREACH",
        110 => "ETIMEDOUT",
        111 => "ECONNREFUSED",
        113 => "EHOSTUNREACH",
        _ => index.and_then(|index| FIRST.get(index)).copied().unwrap_or("error"),
    }
}
