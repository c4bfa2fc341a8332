//! The one decision function.

use std::cmp::Reverse;

use crate::profile::Approver;
use crate::profile::abs_path::AbsPath;

use super::{Denial, Grant, Operation, OwnKind, Plan, Reason, Verdict, network};

/// What `plan` says about `operation`, and what decided. Total and pure: the same question has the same answer, whoever asks.
///
/// nono's own places come first, then denials, then grants; what no rule covers is refused, or asked about where the policy
/// names somebody who may be asked. The order of the rules changes no answer.
pub fn decide<'p>(plan: &'p Plan, operation: &Operation) -> Verdict<'p> {
    match operation {
        Operation::Connect { target, port, udp } => network::connect(plan, target, *port, *udp),
        Operation::Execute(path) => on_file(plan, path, Use::Execute),
        Operation::Listen(listen) => network::listen(plan, listen),
        Operation::Read(path) => on_file(plan, path, Use::Read),
        Operation::UnixConnect(path) => on_socket(plan, path),
        Operation::Write(path) => on_file(plan, path, Use::Write),
    }
}

impl Denial {
    /// Whether `path` is denied: by the name the policy gives, or by where that really is.
    #[inline]
    pub fn covers(&self, path: &AbsPath) -> bool {
        self.pattern.covers(path) || self.real.as_ref().is_some_and(|real| path.is_within(real))
    }
}

/// The verdict where no rule says yes: a question if the policy names somebody to ask, else no.
pub(super) fn undecided<'p>(plan: &'p Plan, reason: Reason<'p>) -> Verdict<'p> {
    let supervisor = &plan.profile.supervisor;
    let enabled = supervisor.enabled.as_ref().is_none_or(|given| given.value);
    let approver = match supervisor.approval.as_slice() {
        [] => supervisor.webhook.is_some(),
        named => named.iter().any(|given| given.value != Approver::Deny),
    };
    if enabled && approver { Verdict::Ask(reason) } else { Verdict::Deny(reason) }
}

#[derive(Clone, Copy)]
enum Use {
    Execute,
    Read,
    Write,
}

fn on_file<'p>(plan: &'p Plan, path: &AbsPath, wanted: Use) -> Verdict<'p> {
    if let Some(closed) = closed(plan, path, wanted) {
        return Verdict::Deny(closed);
    }
    let gives = |grant: &Grant| match wanted {
        Use::Execute => grant.access.execute,
        Use::Read => grant.access.read,
        Use::Write => grant.access.write,
    };
    // The kernel's rule is on what the path was found to be, so the name it was given by does not count here.
    let covering = || plan.grants.iter().filter(|grant| path.is_within(&grant.real));
    let closest = |grant: &&Grant| Reverse(grant.real.as_bytes().len());
    match covering().filter(|grant| gives(grant)).min_by_key(closest) {
        Some(grant) => Verdict::Allow(Reason::Grant(grant)),
        None => undecided(plan, covering().min_by_key(closest).map_or(Reason::NoRule, Reason::OtherAccess)),
    }
}

fn on_socket<'p>(plan: &'p Plan, path: &AbsPath) -> Verdict<'p> {
    if let Some(closed) = closed(plan, path, Use::Write) {
        return Verdict::Deny(closed);
    }
    match plan.unix_sockets.iter().find(|socket| socket.real == *path) {
        Some(socket) => Verdict::Allow(Reason::UnixSocket(socket)),
        None => undecided(plan, Reason::NoRule),
    }
}

/// What closes `path` whatever is granted: a place of nono's own, then a denial.
fn closed<'p>(plan: &'p Plan, path: &AbsPath, wanted: Use) -> Option<Reason<'p>> {
    let own = plan.own.iter().find(|place| {
        path.is_within(&place.path)
            && match (place.kind, wanted) {
                (OwnKind::Directory, _) | (OwnKind::Binary | OwnKind::Kernel | OwnKind::Policy, Use::Write) => true,
                (OwnKind::Binary | OwnKind::Kernel | OwnKind::Policy, Use::Execute | Use::Read) => false,
            }
    });
    own.map(Reason::Own).or_else(|| plan.denials.covering(path).map(Reason::Denial))
}
