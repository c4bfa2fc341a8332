//! `nono why`: would this be allowed, by which rule, and what would change it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use serde_json::{Value, json};

use crate::cli::{Question, Why};
use crate::network::home::decide_here;
use crate::plan::explain::{DecidingRule, Explanation, explain, explain_missing};
use crate::plan::{Found, Host, Operation, Verdict};
use crate::profile::abs_path::AbsPath;
use crate::profile::escape::escaped;
use crate::profile::host::{Endpoint, HostError, Listen, Target};
use crate::trust::policy::Enforcement;
use crate::trust::scan;
use crate::trust::verify::{Action, Verdict::Blocked, Verdict::Failed, Verdict::Verified};

use super::gather::{self, Gathered, Purpose};
use super::{NO, REFUSED, USAGE, YES, print};

/// The port that is meant where none is written.
const DEFAULT_PORT: u16 = 443;

/// Longest target shown in a message, in characters.
const MOST_SHOWN: usize = 200;

/// Answers the question. The exit status says the same as the answer.
pub(super) fn why(arguments: &Why) -> u8 {
    let mut gathered = match gather::gather(&arguments.sandbox, Purpose::Question, None) {
        Ok(gathered) => gathered,
        Err(sentences) => {
            sentences.iter().for_each(|sentence| print::say(sentence));
            return REFUSED;
        }
    };
    gathered.plan.warnings.iter().for_each(|warning| print::say(&format!("{}: {}", warning.from, warning.text)));
    let asked = match asked(arguments, &mut gathered) {
        Ok(asked) => asked,
        Err((status, sentence)) => {
            print::say(&sentence);
            return status;
        }
    };
    let verdict = decide_here(&gathered.plan, &asked.operation);
    let explanation = match &asked.nearest {
        Some(nearest) => explain_missing(&gathered.plan, &asked.operation, &verdict, nearest),
        None => explain(&gathered.plan, &asked.operation, &verdict),
    };
    let refused = if matches!(verdict, Verdict::Allow(_)) { by_trust(arguments, &gathered, &asked) } else { None };
    let is_refused = refused.is_some();
    let explanation = refused.unwrap_or(explanation);
    let printed = match arguments.json {
        true => print::json(&as_json(arguments, &asked, &explanation)),
        false => print::document(&as_text(&asked, &explanation)),
    };
    match (printed, verdict) {
        (YES, Verdict::Allow(_)) => {
            if is_refused {
                NO
            } else {
                YES
            }
        }
        (YES, Verdict::Ask(_) | Verdict::Deny(_)) => NO,
        _ => REFUSED,
    }
}

/// Why a file that the plan opens is kept back all the same: it is not signed as it must be, or is and may not change.
fn by_trust(arguments: &Why, gathered: &Gathered, asked: &Asked) -> Option<Explanation> {
    let (rules, real) = (&gathered.trusting.rules, asked.real.as_ref()?);
    let is_strict = rules.enforcement() > Enforcement::Audit || rules.blocks();
    if asked.nearest.is_some() || !is_strict || !gathered.plan.is_supervised() || !rules.protects(real) {
        return None;
    }
    let found = scan::judge(vec![real.clone()], rules).pop()?;
    let told = |reason: String, change: Option<String>| {
        let operation = asked.operation.to_string();
        Some(Explanation { operation, path: Some(real.clone()), decision: "deny", reason, rule: None, change })
    };
    match (&asked.operation, &found.verdict) {
        (Operation::Write(_), Verified(_)) if rules.keeps_from_change() => {
            let reason = "it is signed, and what is signed stays as it was signed".to_owned();
            told(reason, Some("\"protect\": false in the trust policy".to_owned()))
        }
        (Operation::Read(_) | Operation::Execute(_), verdict) => {
            let action = verdict.action(rules.enforcement(), gather::overridden(&arguments.sandbox));
            let advice = match verdict {
                Failed(failure) => Some(failure.advice().to_owned()),
                Blocked(_) | Verified(_) => None,
            };
            if action == Action::Deny { told(verdict.to_string(), advice) } else { None }
        }
        (
            Operation::Connect { .. } | Operation::Listen(_) | Operation::UnixConnect(_) | Operation::Write(_),
            Blocked(_) | Failed(_) | Verified(_),
        ) => None,
    }
}

/// The question, as the plan can answer it.
struct Asked {
    operation: Operation,
    /// What was made of the target, when that is not plain to see.
    note: Option<String>,
    /// Where the path really is.
    real: Option<AbsPath>,
    /// The closest directory that exists, when the path does not.
    nearest: Option<AbsPath>,
}

fn asked(arguments: &Why, gathered: &mut Gathered) -> Result<Asked, (u8, String)> {
    let make: fn(AbsPath) -> Operation = match arguments.question {
        Question::Connect => return endpoint(&arguments.target),
        Question::Exec => Operation::Execute,
        Question::Listen => return listen(&arguments.target),
        Question::Read => Operation::Read,
        Question::Unix => Operation::UnixConnect,
        Question::Write => Operation::Write,
    };
    let path = match searched(arguments, gathered) {
        Some(program) => program,
        None => absolute(&arguments.target, gathered)?,
    };
    let (real, nearest) = match gathered.host.look_up(&path) {
        Found::Present { real, .. } | Found::Unreachable { real, .. } => (real, None),
        Found::Missing { real } => {
            let nearest = existing(&real, gathered);
            (real, nearest)
        }
    };
    let note = (path != real).then(|| format!("{path} is really {real}"));
    Ok(Asked { operation: make(real.clone()), note, real: Some(real), nearest })
}

/// The program that a bare name stands for, where `PATH` has one.
fn searched(arguments: &Why, gathered: &Gathered) -> Option<AbsPath> {
    let bare = arguments.question == Question::Exec && !arguments.target.as_bytes().contains(&b'/');
    let command = [arguments.target.clone()];
    bare.then(|| gather::find(&command, &gathered.plan).ok().map(|(_, path)| path)).flatten()
}

/// The target as a path, beneath the current directory when it is relative. Each `..` is taken from where the directories
/// before it really are, as the system does.
fn absolute(target: &OsStr, gathered: &mut Gathered) -> Result<AbsPath, (u8, String)> {
    if target.as_bytes().contains(&0) {
        return Err(misunderstood(target, "a path holds no NUL; give another path"));
    }
    let mut path = AbsPath::root();
    if target.as_bytes().first() != Some(&b'/') {
        let current = std::env::current_dir().ok().and_then(|current| AbsPath::new(current.as_os_str().as_bytes()));
        path = current.ok_or_else(|| (REFUSED, "the current directory is gone; give an absolute path".to_owned()))?;
    }
    for name in target.as_bytes().split(|&byte| byte == b'/') {
        path = if name == b".." { gathered.real(&path).join(b"..") } else { path.join(name) };
    }
    Ok(path)
}

/// The closest directory above `path` that exists.
fn existing(path: &AbsPath, gathered: &mut Gathered) -> Option<AbsPath> {
    std::iter::successors(path.parent(), AbsPath::parent).find_map(|above| match gathered.host.look_up(&above) {
        Found::Present { real, .. } => Some(real),
        Found::Missing { .. } | Found::Unreachable { .. } => None,
    })
}

fn endpoint(target: &OsStr) -> Result<Asked, (u8, String)> {
    let text = target.to_str().ok_or_else(|| misunderstood(target, "a host is written in ASCII"))?;
    let (Endpoint { target: host, port, udp }, note) = match (Endpoint::parse(text), Target::parse(text)) {
        (Ok(endpoint), _) => (endpoint, None),
        (Err(HostError::BadPort), Ok(target)) => {
            let note = format!("no port was given, so {DEFAULT_PORT} is meant");
            (Endpoint { target, port: DEFAULT_PORT, udp: false }, Some(note))
        }
        (Err(error), _) => return Err(misunderstood(target, &error.to_string())),
    };
    Ok(Asked { operation: Operation::Connect { target: host, port, udp }, note, real: None, nearest: None })
}

fn listen(target: &OsStr) -> Result<Asked, (u8, String)> {
    let text = target.to_str().ok_or_else(|| misunderstood(target, "a port is a number"))?;
    let listen = Listen::parse(text).map_err(|error| misunderstood(target, &error.to_string()))?;
    Ok(Asked { operation: Operation::Listen(listen), note: None, real: None, nearest: None })
}

fn misunderstood(target: &OsStr, why: &str) -> (u8, String) {
    (USAGE, format!("{}: {why}", escaped(target.as_bytes(), MOST_SHOWN)))
}

fn as_text(asked: &Asked, explanation: &Explanation) -> String {
    let note = asked.note.as_ref().map(|note| format!("{note}\n")).unwrap_or_default();
    format!("{note}{explanation}\n")
}

/// A later version may add members; none changes its meaning.
fn as_json(arguments: &Why, asked: &Asked, explanation: &Explanation) -> Value {
    let operation = match arguments.question {
        Question::Connect => "connect",
        Question::Exec => "exec",
        Question::Listen => "listen",
        Question::Read => "read",
        Question::Unix => "unix",
        Question::Write => "write",
    };
    let target = match &asked.operation {
        Operation::Connect { target, port, udp } => {
            let endpoint = Endpoint { target: target.clone(), port: *port, udp: *udp };
            endpoint.to_string()
        }
        Operation::Listen(listen) => listen.to_string(),
        Operation::Execute(_) | Operation::Read(_) | Operation::UnixConnect(_) | Operation::Write(_) => {
            shown(arguments.target.as_bytes())
        }
    };
    json!({
        "operation": operation,
        "target": target,
        "real": asked.real.as_ref().map(|real| shown(real.as_bytes())),
        "decision": explanation.decision,
        "reason": explanation.reason,
        "rule": explanation.rule.as_ref().map(rule_as_json),
        "change": explanation.change,
    })
}

/// The rule that decided. A flag has no line, column or JSON path.
pub(super) fn rule_as_json(rule: &DecidingRule) -> Value {
    let in_text = rule.from.line > 0;
    json!({
        "written": rule.written,
        "place": &*rule.from.place,
        "line": in_text.then_some(rule.from.line),
        "column": in_text.then_some(rule.from.column),
        "json_path": in_text.then(|| rule.from.json_path.to_string()),
        "group": rule.group.as_deref(),
    })
}

/// Text as it is; bytes that are not UTF-8 as `\x…`, because JSON has only text.
fn shown(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| escaped(bytes, usize::MAX), str::to_owned)
}
