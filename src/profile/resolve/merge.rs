//! How what one file says joins what the files before it said.

use std::hash::Hash;

use crate::profile::repeated::firsts;
use crate::profile::{Environment, Given, Limits, Network, Profile, Supervisor, Trust};

/// Adds what one file says to what the files before it said.
pub(super) fn add(whole: &mut Profile, own: Profile) {
    whole.files.extend(own.files);
    whole.unix_sockets.extend(own.unix_sockets);
    whole.capabilities.extend(own.capabilities);
    whole.private_temp = whole.private_temp.take().or(own.private_temp);
    if let Some(network) = own.network {
        add_network(whole.network.get_or_insert_default(), network);
    }
    add_supervisor(&mut whole.supervisor, own.supervisor);
    replace(&mut whole.audit_level, own.audit_level);
    replace(&mut whole.undo, own.undo);
    add_environment(&mut whole.environment, own.environment);
    add_limits(&mut whole.limits, own.limits);
    add_trust(&mut whole.trust, own.trust);
    whole.skipdirs.extend(own.skipdirs);
}

fn add_network(whole: &mut Network, own: Network) {
    whole.allow.extend(own.allow);
    replace(&mut whole.deny_private, own.deny_private);
    whole.listen.extend(own.listen);
}

fn add_supervisor(whole: &mut Supervisor, own: Supervisor) {
    replace(&mut whole.enabled, own.enabled);
    whole.approval.extend(own.approval);
    replace(&mut whole.webhook, own.webhook);
    replace(&mut whole.webhook_secret, own.webhook_secret);
    replace(&mut whole.format, own.format);
    replace(&mut whole.ca_file, own.ca_file);
    replace(&mut whole.timeout_ms, own.timeout_ms);
    replace(&mut whole.questions_per_second, own.questions_per_second);
    replace(&mut whole.default_on_timeout, own.default_on_timeout);
}

fn add_environment(whole: &mut Environment, own: Environment) {
    if let Some(names) = own.pass {
        whole.pass.get_or_insert_default().extend(names);
    }
    whole.group_pass.extend(own.group_pass);
    whole.deny.extend(own.deny);
    whole.set.extend(own.set);
}

fn add_limits(whole: &mut Limits, own: Limits) {
    replace(&mut whole.memory, own.memory);
    replace(&mut whole.processes, own.processes);
    replace(&mut whole.open_files, own.open_files);
    replace(&mut whole.cpu_seconds, own.cpu_seconds);
}

fn add_trust(whole: &mut Trust, own: Trust) {
    whole.signers.extend(own.signers);
    replace(&mut whole.require_signed_instructions, own.require_signed_instructions);
    replace(&mut whole.protect, own.protect);
}

/// The later value holds.
fn replace<T>(whole: &mut Option<T>, own: Option<T>) {
    if own.is_some() {
        *whole = own;
    }
}

/// Keeps the first of equal entries of each list; of a variable that is set more than once, the last.
pub(super) fn without_repetitions(whole: &mut Profile) {
    let kept = firsts(whole.files.iter().map(|rule| (rule.kind, &rule.pattern)));
    keep(&mut whole.files, kept);
    unique(&mut whole.unix_sockets);
    unique(&mut whole.capabilities);
    unique(&mut whole.supervisor.approval);
    unique(&mut whole.trust.signers);
    unique(&mut whole.skipdirs);
    unique(&mut whole.environment.group_pass);
    unique(&mut whole.environment.deny);
    if let Some(names) = &mut whole.environment.pass {
        unique(names);
    }
    if let Some(network) = &mut whole.network {
        unique(&mut network.allow);
        unique(&mut network.listen);
    }
    let set = &mut whole.environment.set;
    set.reverse();
    let kept = firsts(set.iter().map(|given| &given.value.0));
    keep(set, kept);
    set.reverse();
}

fn unique<T: Hash + Eq>(items: &mut Vec<Given<T>>) {
    let kept = firsts(items.iter().map(|given| &given.value));
    keep(items, kept);
}

fn keep<T>(items: &mut Vec<T>, kept: Vec<bool>) {
    let mut kept = kept.into_iter();
    items.retain(|_| kept.next().unwrap_or(true));
}
