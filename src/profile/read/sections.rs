//! The sections of a profile that are not about files.

use std::collections::HashMap;

use super::json::Value;
use super::problem::ProblemKind;
use super::reader::{At, Members, Path, Reader};
use crate::profile::host::{HostError, HostRule, Listen};
use crate::profile::url::Url;
use crate::profile::{
    Approver, AuditLevel, Environment, Given, Limits, Network, OnTimeout, Supervisor, Trust, WebhookFormat,
};

/// A day: nobody waits longer for an answer.
const LONGEST_TIMEOUT_MS: u64 = 86_400_000;
/// More than any service is asked.
const MOST_QUESTIONS: u64 = 10_000;

/// More memory than any machine has, and still a number that the kernel's interfaces take.
const MOST_BYTES: u64 = 1 << 60;

impl<'t> Reader<'t> {
    pub(super) fn network(&mut self, at: At<'_, 't>) -> Network {
        let mut network = Network::default();
        let Some(members) = self.object(&at, &["allow", "deny_private", "listen"]) else { return network };
        self.list(&members, "allow", &mut network.allow, |reader, at| {
            let written = reader.string(at)?;
            let parsed = HostRule::parse(written);
            reader.host(at, written, parsed)
        });
        self.list(&members, "listen", &mut network.listen, Self::listen);
        network.deny_private = self.flag(&members, "deny_private");
        network
    }

    pub(super) fn supervisor(&mut self, at: At<'_, 't>) -> Supervisor {
        const KEYS: [&str; 10] = [
            "enabled",
            "approval",
            "webhook",
            "webhook_secret",
            "format",
            "ca_file",
            "timeout_ms",
            "questions_per_second",
            "default_on_timeout",
            "i_accept_fail_open",
        ];
        let mut supervisor = Supervisor::default();
        let Some(members) = self.object(&at, &KEYS) else { return supervisor };
        supervisor.enabled = self.flag(&members, "enabled");
        self.list(&members, "approval", &mut supervisor.approval, |reader, at| {
            let approver = reader.choice(
                at,
                &["deny", "terminal", "webhook"],
                &[Approver::Deny, Approver::Terminal, Approver::Webhook],
            )?;
            Some(reader.given(at, approver))
        });
        supervisor.webhook = members.find("webhook").and_then(|at| {
            let address = self.text(at, webhook_fault)?;
            Some(self.given(at, address))
        });
        supervisor.webhook_secret = members.find("webhook_secret").and_then(|at| {
            let secret = self.object(&at, &["file"])?;
            let Some(file) = secret.find("file") else {
                self.problem(at, ProblemKind::MissingKey { key: "file" });
                return None;
            };
            let path = self.path(file)?;
            Some(self.given(file, path))
        });
        supervisor.format = members.find("format").and_then(|at| {
            let format = self.choice(at, &["nono", "opa"], &[WebhookFormat::Nono, WebhookFormat::Opa])?;
            Some(self.given(at, format))
        });
        supervisor.ca_file = members.find("ca_file").and_then(|at| {
            let path = self.path(at)?;
            Some(self.given(at, path))
        });
        supervisor.timeout_ms = self.whole_number(&members, "timeout_ms", LONGEST_TIMEOUT_MS);
        supervisor.questions_per_second = self.whole_number(&members, "questions_per_second", MOST_QUESTIONS);
        let accepted = self.flag(&members, "i_accept_fail_open").is_some_and(|given| given.value);
        supervisor.default_on_timeout = members.find("default_on_timeout").and_then(|at| {
            let answer = self.choice(at, &["allow", "deny"], &[OnTimeout::Allow, OnTimeout::Deny])?;
            if answer == OnTimeout::Allow && !accepted {
                self.problem(at, ProblemKind::FailOpen);
            }
            Some(self.given(at, answer))
        });
        supervisor
    }

    pub(super) fn audit_level(&mut self, at: At<'_, 't>) -> Option<Given<AuditLevel>> {
        let members = self.object(&at, &["level"])?;
        let level = members.find("level")?;
        let meanings = [AuditLevel::All, AuditLevel::Changes, AuditLevel::Decisions];
        let value = self.choice(level, &["all", "changes", "decisions"], &meanings)?;
        Some(self.given(level, value))
    }

    pub(super) fn undo(&mut self, at: At<'_, 't>) -> Option<Given<bool>> {
        let members = self.object(&at, &["enabled"])?;
        self.flag(&members, "enabled")
    }

    pub(super) fn environment(&mut self, at: At<'_, 't>) -> Environment {
        let mut environment = Environment::default();
        let Some(members) = self.object(&at, &["pass", "deny", "set"]) else { return environment };
        if members.find("pass").is_some() {
            let mut names = Vec::new();
            self.list(&members, "pass", &mut names, |reader, at| {
                let name = reader.text(at, pass_fault)?;
                Some(reader.given(at, name))
            });
            // The names that a group gives come on top of whatever list holds.
            if self.group.is_some() { environment.group_pass = names } else { environment.pass = Some(names) }
        }
        self.list(&members, "deny", &mut environment.deny, |reader, at| {
            let name = reader.text(at, variable_fault)?;
            Some(reader.given(at, name))
        });
        if let Some(at) = members.find("set") {
            self.variables_set(at, &mut environment.set);
        }
        environment
    }

    /// The free keys of `environment.set`.
    fn variables_set(&mut self, at: At<'_, 't>, into: &mut Vec<Given<(String, String)>>) {
        let Value::Object(members) = &at.node.value else {
            self.problem(at, ProblemKind::WrongType { expected: "an object", found: at.node.value.kind() });
            return;
        };
        let mut first_offsets: HashMap<&str, usize> = HashMap::new();
        for member in members {
            let path = Path::Key(&at.path, &member.key);
            let value = At { node: &member.value, path };
            if let Some(&first) = first_offsets.get(member.key.as_ref()) {
                self.duplicate(member.key_offset, path, &member.key, first);
                continue;
            }
            first_offsets.insert(&member.key, member.key_offset);
            let fault = if member.key.contains('*') { Some("a variable that is set has one exact name") } else { None };
            if let Some(why) = fault.or_else(|| variable_fault(&member.key)) {
                self.problem(value, ProblemKind::BadText { written: member.key.to_string(), why });
            } else if let Some(text) = self.text(value, nul_fault) {
                into.push(self.given(value, (member.key.to_string(), text)));
            }
        }
    }

    pub(super) fn limits(&mut self, at: At<'_, 't>) -> Limits {
        let mut limits = Limits::default();
        let Some(members) = self.object(&at, &["memory", "processes", "open_files", "cpu_seconds"]) else {
            return limits;
        };
        limits.memory = members.find("memory").and_then(|at| {
            let bytes = if let Value::String(written) = &at.node.value {
                let bytes = size(written);
                if bytes.is_none() {
                    self.problem(at, ProblemKind::BadSize { written: written.to_string() });
                }
                bytes?
            } else {
                self.number(at, 1, MOST_BYTES)?
            };
            Some(self.given(at, bytes))
        });
        limits.processes = self.whole_number(&members, "processes", u64::from(u32::MAX));
        limits.open_files = self.whole_number(&members, "open_files", u64::from(u32::MAX));
        limits.cpu_seconds = self.whole_number(&members, "cpu_seconds", u64::from(u32::MAX));
        limits
    }

    pub(super) fn trust(&mut self, at: At<'_, 't>) -> Trust {
        let mut trust = Trust::default();
        let Some(members) = self.object(&at, &["signers", "require_signed_instructions", "protect"]) else {
            return trust;
        };
        self.list(&members, "signers", &mut trust.signers, |reader, at| {
            let signer = reader.text(at, signer_fault)?;
            Some(reader.given(at, signer))
        });
        trust.require_signed_instructions = self.flag(&members, "require_signed_instructions");
        trust.protect = self.flag(&members, "protect");
        trust
    }

    /// `8080`, or a string with an address.
    pub(super) fn listen(&mut self, at: At<'_, 't>) -> Option<Given<Listen>> {
        match &at.node.value {
            Value::Number(_) => {
                let port = self.number(at, 1, u64::from(u16::MAX))?;
                Some(self.given(at, Listen { address: None, port: u16::try_from(port).ok()? }))
            }
            Value::String(written) => {
                let parsed = Listen::parse(written);
                self.host(at, written, parsed)
            }
            Value::Array(_) | Value::Bool(_) | Value::Null | Value::Object(_) => {
                let expected = "a port, or a string such as \"0.0.0.0:8080\"";
                self.problem(at, ProblemKind::WrongType { expected, found: at.node.value.kind() });
                None
            }
        }
    }

    pub(super) fn host<T>(&mut self, at: At<'_, 't>, written: &str, parsed: Result<T, HostError>) -> Option<Given<T>> {
        match parsed {
            Ok(value) => Some(self.given(at, value)),
            Err(why) => {
                self.problem(at, ProblemKind::BadHost { written: written.to_owned(), why });
                None
            }
        }
    }

    pub(super) fn flag(&mut self, members: &Members<'_, 't>, key: &str) -> Option<Given<bool>> {
        let at = members.find(key)?;
        let value = self.boolean(at)?;
        Some(self.given(at, value))
    }

    fn whole_number(&mut self, members: &Members<'_, 't>, key: &str, most: u64) -> Option<Given<u64>> {
        let at = members.find(key)?;
        let value = self.number(at, 1, most)?;
        Some(self.given(at, value))
    }
}

/// Bytes of a text such as `4GiB`; `None` for one that says no size.
fn size(written: &str) -> Option<u64> {
    let digits = written.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = written.split_at_checked(digits)?;
    let factor: u64 = match unit.trim_start_matches(' ') {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor).filter(|bytes| (1..=MOST_BYTES).contains(bytes))
}

fn nul_fault(text: &str) -> Option<&'static str> {
    text.contains('\0').then_some("a NUL character ends the text for the kernel; remove it")
}

/// `environ(7)`: a name holds no `=` and is not empty.
fn variable_fault(name: &str) -> Option<&'static str> {
    match name {
        "" => Some("a variable's name is not empty"),
        _ if name.contains('=') => Some("a variable's name holds no `=`; give values under \"set\""),
        _ => nul_fault(name),
    }
}

fn pass_fault(name: &str) -> Option<&'static str> {
    let head = name.strip_suffix('*').unwrap_or(name);
    match name {
        _ if head.contains('*') => Some("a `*` stands only at the end, as in \"LC_*\""),
        _ => variable_fault(name),
    }
}

fn signer_fault(name: &str) -> Option<&'static str> {
    match name {
        _ if name.trim().is_empty() => Some("a signer is an identity such as \"deploy@example.com\""),
        _ if name.chars().any(char::is_control) => Some("a signer's identity holds no control characters"),
        _ => None,
    }
}

/// Why an address cannot be asked for approvals.
fn webhook_fault(address: &str) -> Option<&'static str> {
    Url::parse(address).err()
}
