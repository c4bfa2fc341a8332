//! Verdicts in words, and the smallest change that would turn one.

pub mod advice;

use core::net::IpAddr;
use std::fmt;
use std::sync::Arc;

use crate::profile::abs_path::AbsPath;
use crate::profile::escape::escaped;
use crate::profile::host::Target;
use crate::profile::{Given, Provenance};

use self::advice::entry;
use super::decide::asks;
use super::network::has_names;
use super::{Access, Denial, Grant, Operation, OwnKind, OwnPlace, Plan, Reason, Verdict};

/// A verdict as sentences, all of them safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What was asked about, such as `read /etc/shadow`.
    pub operation: String,
    /// What a path leads to, where one does.
    pub path: Option<AbsPath>,
    /// `allow`, `deny` or `ask`.
    pub decision: &'static str,
    /// Why, as a clause that follows a colon.
    pub reason: String,
    /// The rule that decided, where one did.
    pub rule: Option<DecidingRule>,
    /// The smallest change that would allow it, where it is not allowed and something can.
    pub change: Option<String>,
}

/// The entry of a policy that decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecidingRule {
    /// As it was written.
    pub written: String,
    pub from: Provenance,
    pub group: Option<Arc<str>>,
}

/// Puts the verdict on `operation` into words.
pub fn explain(plan: &Plan, operation: &Operation, verdict: &Verdict<'_>) -> Explanation {
    explained(plan, operation, verdict, None)
}

/// The same for an operation on a path that does not exist; `nearest` is the closest directory above it that does.
pub fn explain_missing(plan: &Plan, operation: &Operation, verdict: &Verdict<'_>, nearest: &AbsPath) -> Explanation {
    explained(plan, operation, verdict, Some(nearest))
}

/// The same for a call that does several things to one path, which come to `access`; `operation` is the first of them. What
/// changes an entry needs the permission to change its `directory`.
pub fn explain_call(
    plan: &Plan,
    operation: &Operation,
    access: Access,
    verdict: &Verdict<'_>,
    directory: Option<&AbsPath>,
) -> Explanation {
    let mut told = explain(plan, operation, verdict);
    let (Operation::Read(path) | Operation::Write(path)) = operation else { return told };
    if access.read && access.write {
        told.operation = format!("read and write {path}");
    }
    let (Verdict::Allow(reason) | Verdict::Ask(reason) | Verdict::Deny(reason)) = verdict;
    if told.change.is_some() && !matches!(reason, Reason::Denial(_)) {
        told.change = Some(advice::grant(access, directory.unwrap_or(path)));
    }
    told
}

/// The same for a name that was looked up, to whatever port.
pub fn explain_look_up(plan: &Plan, name: &str, verdict: &Verdict<'_>) -> Explanation {
    let target = Target::Name(name.to_owned());
    let (decision, Verdict::Allow(reason) | Verdict::Ask(reason) | Verdict::Deny(reason)) = (word(verdict), verdict);
    let change = entry("--allow-host", &["network", "allow"], name.as_bytes());
    let change = (!matches!(verdict, Verdict::Allow(_))).then_some(change);
    let because = because(plan, &Operation::Connect { target, port: 0, udp: false }, reason);
    Explanation {
        operation: format!("look up {}", safe(name)),
        path: None,
        decision,
        reason: because,
        rule: rule(reason),
        change,
    }
}

/// Why a name is not looked up, whatever the policy says of it: `most` names have been looked up already.
pub fn explain_too_many(most: usize) -> Explanation {
    Explanation {
        operation: format!("look up more than {most} names"),
        path: None,
        decision: "deny",
        reason: "so many are looked up in one run; those that were stay reachable; start another run for the rest"
            .into(),
        rule: None,
        change: None,
    }
}

/// The same for a connection by name that would lead to `address`, which the policy refuses.
pub fn explain_led_to(plan: &Plan, by_name: &Operation, address: IpAddr, verdict: &Verdict<'_>) -> Explanation {
    let Operation::Connect { port, udp, .. } = by_name else { return explain(plan, by_name, verdict) };
    let led_to = Operation::Connect { target: Target::Address(address), port: *port, udp: *udp };
    let Explanation { decision, reason, rule, change, .. } = explain(plan, &led_to, verdict);
    Explanation {
        operation: by_name.to_string(),
        path: None,
        decision,
        reason: format!("it leads to {address}: {reason}"),
        rule,
        change,
    }
}

/// Up to three lines: the verdict with its reason, the entry that decided, and what would change it.
impl fmt::Display for Explanation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answer = match self.decision {
            "allow" => "allowed",
            "ask" => "asked about",
            _ => "denied",
        };
        write!(out, "{} is {answer}: {}", self.operation, self.reason)?;
        if let Some(rule) = &self.rule {
            write!(out, "\nthe rule: {rule}")?;
        }
        match &self.change {
            Some(change) => write!(out, "\nto allow it: {change}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for DecidingRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Provenance { line, json_path, .. } = &self.from;
        match line {
            0 => write!(out, "{} {}", safe(&self.from.place), safe(&self.written)),
            _ => write!(out, "{} ({json_path}) at {}", safe(&self.written), safe(&self.from.to_string())),
        }
    }
}

fn explained(plan: &Plan, operation: &Operation, verdict: &Verdict<'_>, nearest: Option<&AbsPath>) -> Explanation {
    let (decision, Verdict::Allow(reason) | Verdict::Ask(reason) | Verdict::Deny(reason)) = (word(verdict), verdict);
    let change = match verdict {
        Verdict::Allow(_) => None,
        Verdict::Ask(_) | Verdict::Deny(_) => change(plan, operation, reason, nearest),
    };
    let because = because(plan, operation, reason);
    Explanation {
        operation: operation.to_string(),
        path: operation.path().cloned(),
        decision,
        reason: because,
        rule: rule(reason),
        change,
    }
}

fn word(verdict: &Verdict<'_>) -> &'static str {
    match verdict {
        Verdict::Allow(_) => "allow",
        Verdict::Ask(_) => "ask",
        Verdict::Deny(_) => "deny",
    }
}

fn because(plan: &Plan, operation: &Operation, reason: &Reason<'_>) -> String {
    match reason {
        Reason::Approver(_) if matches!(operation, Operation::Listen(_)) => {
            "the policy's own approver is asked there, and the program must not answer in its place".into()
        }
        Reason::Approver(_) => "the policy's own approver answers there, which the program must not reach".into(),
        Reason::Denial(denial) => format!("`{}` denies it, and a denial beats every allow", safe(&denial.written)),
        Reason::Grant(grant) => format!("`{}` grants {}", safe(&grant.written), access(grant)),
        Reason::Host(given) => {
            let private = plan.profile.network.as_ref().and_then(|network| network.deny_private.as_ref());
            let name = matches!(operation, Operation::Connect { target: Target::Name(_), .. });
            let checked = name && private.is_none_or(|given| given.value);
            let then = if checked { "; an address of that name that is private stays refused" } else { "" };
            format!("`{}` allows it{then}", given.value)
        }
        Reason::Listen(given) => format!("`{}` allows it", given.value),
        Reason::Metadata => {
            "the address belongs to a metadata service, which only a rule for exactly this address opens".into()
        }
        Reason::NoNetwork => "the policy has no key `network`, and so no network".into(),
        Reason::NoRule => format!("no rule covers it{}", never_asked(plan, operation)),
        Reason::OtherAccess(grant) => {
            let never = never_asked(plan, operation);
            format!("`{}` grants {} and no more{never}", safe(&grant.written), access(grant))
        }
        Reason::Own(place) => match place.kind {
            OwnKind::Binary => format!("{} is nono's own program, which nothing may change", place.path),
            OwnKind::Policy => {
                format!("{} is the policy or the account of this run, which nothing inside may change", place.path)
            }
            OwnKind::Kernel => format!("{} holds the kernel's settings, which nothing may change", place.path),
            OwnKind::Directory => format!("{} holds nono's own state or policies, which nothing opens", place.path),
        },
        Reason::Private(kind) => {
            let private = plan.profile.network.as_ref().and_then(|network| network.deny_private.as_ref());
            let why = match private.is_none_or(|given| given.value) {
                true => "and `deny_private` holds",
                false => "and this machine is reached only where a rule allows the address itself",
            };
            format!("the address is not a public one ({kind}), {why}")
        }
        Reason::Replaced(_) => {
            "another socket is there than when the run began, and the program itself may have put it there".into()
        }
        Reason::UnixSocket(_) => "an entry of `unix_sockets` allows it".into(),
    }
}

/// What an approver does not change, where the policy has one.
fn never_asked(plan: &Plan, operation: &Operation) -> &'static str {
    match operation {
        Operation::Execute(_) if asks(plan) => ", and nobody is asked about starting a program",
        Operation::Listen(_) if asks(plan) => ", and nobody is asked about a port to listen on",
        Operation::Connect { .. }
        | Operation::Execute(_)
        | Operation::Listen(_)
        | Operation::Read(_)
        | Operation::UnixConnect(_)
        | Operation::Write(_) => "",
    }
}

fn access(grant: &Grant) -> &'static str {
    match (grant.access.read, grant.access.write, grant.access.execute) {
        (true, true, true) => "reading, writing and executing",
        (true, true, false) => "reading and writing",
        (true, false, true) => "reading and executing",
        (true, false, false) => "reading",
        (false, true, true) => "writing and executing",
        (false, true, false) => "writing",
        (false, false, true) => "executing",
        (false, false, false) => "nothing",
    }
}

fn rule(reason: &Reason<'_>) -> Option<DecidingRule> {
    let (written, from, group) = match reason {
        Reason::Denial(Denial { written, from, group, .. })
        | Reason::OtherAccess(Grant { written, from, group, .. }) => (written.to_string(), from, group.clone()),
        Reason::Grant(Grant { written, from, group, .. }) => (written.to_string(), from, group.clone()),
        Reason::Approver(Given { value, from }) => (value.clone(), from, None),
        Reason::Host(Given { value, from }) => (value.to_string(), from, None),
        Reason::Listen(Given { value, from }) => (value.to_string(), from, None),
        Reason::Replaced(socket) | Reason::UnixSocket(socket) => (socket.path.to_string(), &socket.from, None),
        Reason::Metadata | Reason::NoNetwork | Reason::NoRule | Reason::Own(OwnPlace { .. }) | Reason::Private(_) => {
            return None;
        }
    };
    Some(DecidingRule { written, from: from.clone(), group })
}

/// What to do next, or nothing where no policy can allow it.
fn change(plan: &Plan, operation: &Operation, reason: &Reason<'_>, nearest: Option<&AbsPath>) -> Option<String> {
    match reason {
        Reason::Approver(_) | Reason::Own(_) | Reason::Replaced(_) => return None,
        Reason::Denial(denial) => return Some(lift(denial)),
        Reason::Grant(_)
        | Reason::Host(_)
        | Reason::Listen(_)
        | Reason::Metadata
        | Reason::NoNetwork
        | Reason::NoRule
        | Reason::OtherAccess(_)
        | Reason::Private(_)
        | Reason::UnixSocket(_) => {}
    }
    let names_unserved = !has_names(plan);
    Some(match operation {
        Operation::Execute(path) | Operation::Read(path) => match nearest {
            Some(_) => format!(
                "{path} does not exist; once it does, {}",
                entry("--read", &["sandbox", "read"], path.as_bytes())
            ),
            None => entry("--read", &["sandbox", "read"], path.as_bytes()),
        },
        // A file that is not there yet is created in its directory.
        Operation::Write(path) => advice::grant(Access { write: true, ..Access::NONE }, nearest.unwrap_or(path)),
        Operation::UnixConnect(path) => advice::unix_socket(path),
        // No rule has the port 0.
        Operation::Connect { port: 0, .. } => return None,
        Operation::Listen(listen) if listen.port == 0 => "bind(2) with a port that `network.listen` names".to_owned(),
        // Most who want a name server want a name.
        Operation::Connect { target: target @ Target::Address(_), port: port @ 53, udp } if names_unserved => format!(
            "a rule with the host's name, such as --allow-host example.com: look-ups are then answered; for this server itself {}",
            advice::host(target, *port, *udp)
        ),
        Operation::Connect { target, port, udp } => advice::host(target, *port, *udp),
        Operation::Listen(listen) => match listen.address {
            // A port alone is a number there.
            None => format!("--listen {0}, or in the profile \"network\": {{ \"listen\": [{0}] }}", listen.port),
            Some(_) => entry("--listen", &["network", "listen"], listen.to_string().as_bytes()),
        },
    })
}

/// How a denial is taken back: there is no flag for that.
fn lift(denial: &Denial) -> String {
    let from = &denial.from;
    let written = safe(&denial.written);
    match (&denial.group, from.line) {
        (Some(group), _) => format!("no flag opens this; leave the group `{}` out of the profile", safe(group)),
        (None, 0) => format!("leave out `{} {written}`", safe(&from.place)),
        (None, _) => format!("no flag opens this; remove the entry {} at {}", from.json_path, safe(&from.to_string())),
    }
}

fn safe(text: &str) -> String {
    escaped(text.as_bytes(), 200)
}
