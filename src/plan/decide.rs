//! The one decision function.

mod near;

use std::cmp::Reverse;

use crate::profile::Approver;
use crate::profile::abs_path::AbsPath;

pub use self::near::Near;
use super::{Denial, Grant, Operation, OwnKind, Plan, Reason, Verdict, network};

/// What `plan` says about `operation`, and what decided. Total and pure: the same question has the same answer, whoever asks.
///
/// nono's own places come first, then denials, then grants; what no rule covers is refused, or asked about where the policy
/// names somebody who may be asked. Nobody is asked about starting a program or about a port to listen on: the first is
/// Landlock's to decide, whose rules are made before the program starts. The order of the rules changes no answer.
pub fn decide<'p>(plan: &'p Plan, operation: &Operation) -> Verdict<'p> {
    match operation {
        Operation::Connect { target, port, udp } => network::connect(plan, target, *port, *udp),
        Operation::Execute(path) => on_file(plan, path, Use::Execute, None),
        Operation::Listen(listen) => network::listen(plan, listen),
        Operation::Read(path) => on_file(plan, path, Use::Read, None),
        Operation::UnixConnect(path) => on_socket(plan, path),
        Operation::Write(path) => on_file(plan, path, Use::Write, None),
    }
}

/// The answer of [`decide`], found faster for what lies directly in the directory that `near` is about.
pub fn decide_near<'p>(plan: &'p Plan, near: &Near, operation: &Operation) -> Verdict<'p> {
    let (path, wanted) = match operation {
        Operation::Execute(path) => (path, Use::Execute),
        Operation::Read(path) => (path, Use::Read),
        Operation::Write(path) => (path, Use::Write),
        Operation::Connect { .. } | Operation::Listen(_) | Operation::UnixConnect(_) => return decide(plan, operation),
    };
    let near = Some(near).filter(|near| near.is_about(path));
    match (wanted, near.and_then(|near| near.plainly_read(plan, path))) {
        (Use::Read, Some(grant)) => Verdict::Allow(Reason::Grant(grant)),
        _ => on_file(plan, path, wanted, near),
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
pub fn undecided<'p>(plan: &'p Plan, reason: Reason<'p>) -> Verdict<'p> {
    if asks(plan) { Verdict::Ask(reason) } else { Verdict::Deny(reason) }
}

/// Whether the policy names somebody to ask.
pub(super) fn asks(plan: &Plan) -> bool {
    let supervisor = &plan.profile.supervisor;
    let enabled = supervisor.enabled.as_ref().is_none_or(|given| given.value);
    let approver = match supervisor.approval.as_slice() {
        [] => supervisor.webhook.is_some(),
        named => named.iter().any(|given| given.value != Approver::Deny),
    };
    enabled && approver
}

#[derive(Clone, Copy)]
enum Use {
    Execute,
    Read,
    Write,
}

fn on_file<'p>(plan: &'p Plan, path: &AbsPath, wanted: Use, near: Option<&Near>) -> Verdict<'p> {
    if let Some(closed) = closed(plan, path, wanted, near) {
        return Verdict::Deny(closed);
    }
    let gives = |grant: &Grant| match wanted {
        Use::Execute => grant.access.execute,
        Use::Read => grant.access.read,
        Use::Write => grant.access.write,
    };
    // The kernel's rule is on what the path was found to be, so the name it was given by does not count here.
    let grants = || match near {
        Some(near) => Either::Few(near.grants(plan)),
        None => Either::All(plan.grants.iter()),
    };
    let covering = || grants().filter(|grant| path.is_within(&grant.real));
    let closest = |grant: &&Grant| Reverse(grant.real.as_bytes().len());
    match covering().filter(|grant| gives(grant)).min_by_key(closest) {
        Some(grant) => Verdict::Allow(Reason::Grant(grant)),
        None => {
            let reason = covering().min_by_key(closest).map_or(Reason::NoRule, Reason::OtherAccess);
            if matches!(wanted, Use::Execute) { Verdict::Deny(reason) } else { undecided(plan, reason) }
        }
    }
}

fn on_socket<'p>(plan: &'p Plan, path: &AbsPath) -> Verdict<'p> {
    if let Some(closed) = closed(plan, path, Use::Write, None) {
        return Verdict::Deny(closed);
    }
    match plan.unix_sockets.iter().find(|socket| socket.real == *path) {
        Some(socket) => Verdict::Allow(Reason::UnixSocket(socket)),
        None => undecided(plan, Reason::NoRule),
    }
}

/// What closes `path` whatever is granted: a place of nono's own, then a denial.
fn closed<'p>(plan: &'p Plan, path: &AbsPath, wanted: Use, near: Option<&Near>) -> Option<Reason<'p>> {
    let mut own = match near {
        Some(near) => Either::Few(near.own(plan)),
        None => Either::All(plan.own.iter()),
    };
    let own = own.find(|place| {
        path.is_within(&place.path)
            && match (place.kind, wanted) {
                (OwnKind::Directory, _) | (OwnKind::Binary | OwnKind::Kernel | OwnKind::Policy, Use::Write) => true,
                (OwnKind::Binary | OwnKind::Kernel | OwnKind::Policy, Use::Execute | Use::Read) => false,
            }
    });
    let denial = || match near {
        Some(near) => near.denials(plan, path).find(|denial| denial.covers(path)),
        None => plan.denials.covering(path),
    };
    own.map(Reason::Own).or_else(|| denial().map(Reason::Denial))
}

/// All rules of a kind, or the few that may count.
enum Either<A, F> {
    All(A),
    Few(F),
}

impl<T, A: Iterator<Item = T>, F: Iterator<Item = T>> Iterator for Either<A, F> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match self {
            Self::All(all) => all.next(),
            Self::Few(few) => few.next(),
        }
    }
}
