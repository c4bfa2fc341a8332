//! A resolved policy as a list of entries, for those who print or compare it. Pure.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::plan::environment::DEFAULT_PASS;
use crate::profile::escape::escaped;
use crate::profile::{
    Approver, AuditLevel, FilePattern, FileRule, FileRuleKind, Given, Network, OnTimeout, Profile, Provenance,
    Supervisor, WebhookFormat,
};

/// Longest text shown, in characters.
const MOST_SHOWN: usize = 4096;

/// One thing that a policy says.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The key of a profile that it stands under, such as `sandbox.read`.
    pub(super) key: &'static str,
    pub(super) value: Value,
    /// The value on one line.
    pub(super) text: String,
    /// `None` for what holds because nobody said otherwise.
    pub(super) from: Option<Provenance>,
    pub(super) group: Option<Arc<str>>,
}

/// Everything that the policy says, in the order of the keys of a profile.
pub(super) fn entries(profile: &Profile) -> Vec<Entry> {
    // Most of it is files.
    let mut all = Vec::with_capacity(profile.files.len().saturating_add(64));
    for kind in [FileRuleKind::Allow, FileRuleKind::Read, FileRuleKind::Write, FileRuleKind::Deny] {
        all.extend(profile.files.iter().filter(|rule| rule.kind == kind).map(file_rule));
    }
    list(&mut all, "sandbox.unix_sockets", &profile.unix_sockets, ToString::to_string);
    list(&mut all, "sandbox.capabilities", &profile.capabilities, ToString::to_string);
    if let Some(from) = &profile.private_temp {
        all.push(entry("private_temp", json!(true), Some(from)));
    }
    match &profile.network {
        Some(given) => network(&mut all, given),
        None => all.push(entry("network", Value::Null, None)),
    }
    supervisor(&mut all, &profile.supervisor);
    one(&mut all, "audit.level", profile.audit_level.as_ref(), |level| json!(audit_level(*level)));
    one(&mut all, "undo.enabled", profile.undo.as_ref(), |enabled| json!(enabled));
    environment(&mut all, profile);
    one(&mut all, "limits.memory", profile.limits.memory.as_ref(), |bytes| json!(bytes));
    one(&mut all, "limits.processes", profile.limits.processes.as_ref(), |count| json!(count));
    one(&mut all, "limits.open_files", profile.limits.open_files.as_ref(), |count| json!(count));
    one(&mut all, "limits.cpu_seconds", profile.limits.cpu_seconds.as_ref(), |seconds| json!(seconds));
    list(&mut all, "trust.signers", &profile.trust.signers, Clone::clone);
    let require = profile.trust.require_signed_instructions.as_ref();
    one(&mut all, "trust.require_signed_instructions", require, |value| json!(value));
    one(&mut all, "trust.protect", profile.trust.protect.as_ref(), |value| json!(value));
    list(&mut all, "skipdirs", &profile.skipdirs, Clone::clone);
    all
}

fn file_rule(rule: &FileRule) -> Entry {
    let key = match rule.kind {
        FileRuleKind::Allow => "sandbox.allow",
        FileRuleKind::Deny => "sandbox.deny",
        FileRuleKind::Read => "sandbox.read",
        FileRuleKind::Write => "sandbox.write",
    };
    let path = rule.pattern.to_string();
    let exceptions: Vec<String> = match &rule.pattern {
        FilePattern::Glob { except, .. } => except.iter().map(ToString::to_string).collect(),
        FilePattern::Path(_) => Vec::new(),
    };
    let (value, text) = match exceptions.is_empty() {
        true => (json!(path), path),
        false => (json!({ "path": path, "except": exceptions }), format!("{path} except {}", exceptions.join(", "))),
    };
    Entry { key, value, text, from: Some(rule.from.clone()), group: rule.group.clone() }
}

fn network(all: &mut Vec<Entry>, network: &Network) {
    if network.allow.is_empty() && network.listen.is_empty() {
        all.push(entry("network", Value::Null, None));
    }
    list(all, "network.allow", &network.allow, ToString::to_string);
    match &network.deny_private {
        given @ Some(_) => one(all, "network.deny_private", given.as_ref(), |value| json!(value)),
        None => all.push(entry("network.deny_private", json!(true), None)),
    }
    list(all, "network.listen", &network.listen, ToString::to_string);
}

fn supervisor(all: &mut Vec<Entry>, supervisor: &Supervisor) {
    let path = |path: &crate::profile::abs_path::AbsPath| json!(path.to_string());
    one(all, "supervisor.enabled", supervisor.enabled.as_ref(), |value| json!(value));
    list(all, "supervisor.approval", &supervisor.approval, |approver| {
        match approver {
            Approver::Deny => "deny",
            Approver::Terminal => "terminal",
            Approver::Webhook => "webhook",
        }
        .to_owned()
    });
    one(all, "supervisor.webhook", supervisor.webhook.as_ref(), |address| json!(address));
    one(all, "supervisor.webhook_secret.file", supervisor.webhook_secret.as_ref(), path);
    one(all, "supervisor.format", supervisor.format.as_ref(), |format| match format {
        WebhookFormat::Nono => json!("nono"),
        WebhookFormat::Opa => json!("opa"),
    });
    one(all, "supervisor.ca_file", supervisor.ca_file.as_ref(), path);
    one(all, "supervisor.timeout_ms", supervisor.timeout_ms.as_ref(), |milliseconds| json!(milliseconds));
    one(all, "supervisor.questions_per_second", supervisor.questions_per_second.as_ref(), |count| json!(count));
    one(all, "supervisor.default_on_timeout", supervisor.default_on_timeout.as_ref(), |answer| match answer {
        OnTimeout::Allow => json!("allow"),
        OnTimeout::Deny => json!("deny"),
    });
}

fn environment(all: &mut Vec<Entry>, profile: &Profile) {
    let environment = &profile.environment;
    match &environment.pass {
        Some(names) => list(all, "environment.pass", names, Clone::clone),
        None => all.extend(DEFAULT_PASS.iter().map(|name| entry("environment.pass", json!(name), None))),
    }
    list(all, "environment.pass", &environment.group_pass, Clone::clone);
    list(all, "environment.deny", &environment.deny, Clone::clone);
    list(all, "environment.set", &environment.set, |(name, value)| format!("{name}={value}"));
}

fn audit_level(level: AuditLevel) -> &'static str {
    match level {
        AuditLevel::All => "all",
        AuditLevel::Changes => "changes",
        AuditLevel::Decisions => "decisions",
    }
}

fn list<T>(all: &mut Vec<Entry>, key: &'static str, items: &[Given<T>], text: impl Fn(&T) -> String) {
    all.extend(items.iter().map(|given| entry(key, json!(text(&given.value)), Some(&given.from))));
}

fn one<T>(all: &mut Vec<Entry>, key: &'static str, given: Option<&Given<T>>, value: impl Fn(&T) -> Value) {
    all.extend(given.map(|given| entry(key, value(&given.value), Some(&given.from))));
}

fn entry(key: &'static str, value: Value, from: Option<&Provenance>) -> Entry {
    let text = match &value {
        Value::String(text) => escaped(text.as_bytes(), MOST_SHOWN),
        Value::Null => "none".to_owned(),
        Value::Array(_) | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    };
    Entry { key, value, text, from: from.cloned(), group: None }
}
