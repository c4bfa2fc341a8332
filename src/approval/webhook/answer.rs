//! Answers of approvers: exact words, bound to the question, and never more than was asked for.

use core::time::Duration;
use std::collections::BTreeMap;

use super::Format;
use super::ask::VERSION;
use super::json::{Json, parse};
use super::moment;
use crate::approval::Scope;
use crate::http::Failure;
use crate::profile::escape::escaped;

/// Characters of a name or a reason.
const LONGEST_TEXT: usize = 512;
const MOST_ANNOTATIONS: usize = 32;
/// Between two looks for an answer that is not there yet, when the approver does not say or says something extreme.
const USUAL_PAUSE: u64 = 1000;
const SHORTEST_PAUSE: u64 = 100;
const LONGEST_PAUSE: u64 = 60_000;

/// What an answer is held against.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    pub uid: &'a str,
    /// `read`, `write`, `execute`, `connect`: what was asked for.
    pub access: &'a [&'static str],
    /// The ways to say yes that the question named.
    pub offered: &'a [Scope],
    /// Since 1970.
    pub now: Duration,
}

/// A decision that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub verdict: Verdict,
    /// Escaped, and bounded, as are the approver and the annotations.
    pub reason: Option<String>,
    pub approver: Option<String>,
    /// For the log.
    pub annotations: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Allow {
        scope: Scope,
        /// Since 1970.
        until: Option<Duration>,
    },
    Deny,
}

/// Reads the body of an answer with the status 200.
///
/// # Errors
/// Why it decides nothing.
pub fn read(body: &[u8], format: Format, expected: Expected<'_>) -> Result<Decision, Failure> {
    let mut whole = object(parse(body)?, "the answer")?;
    match format {
        Format::Nono => {
            required(&mut whole, "apiVersion", VERSION)?;
            required(&mut whole, "kind", "ApprovalResponse")?;
            let Some(response) = whole.remove("response") else {
                return Err(Failure::new("wrong-type", "its answer has no `response`"));
            };
            nothing_left(&whole)?;
            let mut response = object(response, "`response`")?;
            let decision = match text(&mut response, "decision")?.as_deref() {
                // The words of people who say "approve or deny".
                Some("allow" | "approve") => true,
                Some("deny") => false,
                Some(_) => return Err(Failure::new("decision", "its decision is neither `allow` nor `deny`")),
                None => return Err(Failure::new("decision", "its answer has no decision")),
            };
            if !echoes(&mut response, expected.uid)? {
                return Err(Failure::new("uid-missing", "its answer does not say which question it answers"));
            }
            decided(decision, response, expected)
        }
        Format::Opa => opa(whole, expected),
    }
}

/// Reads the body of an answer with the status 202: how long to wait before looking again.
///
/// # Errors
/// Why it does not say that an answer will come.
pub fn pause(body: &[u8]) -> Result<Duration, Failure> {
    let mut whole = object(parse(body)?, "the answer")?;
    required(&mut whole, "status", "pending")?;
    let pause = match optional(&mut whole, "poll_after_ms") {
        None => USUAL_PAUSE,
        Some(Json::Number(Some(pause))) => pause,
        Some(_) => return Err(wrong("poll_after_ms")),
    };
    nothing_left(&whole)?;
    Ok(Duration::from_millis(pause.clamp(SHORTEST_PAUSE, LONGEST_PAUSE)))
}

/// The question that a body claims to answer, whatever else is in it.
pub(super) fn uid(body: &[u8]) -> Option<String> {
    let Json::Object(mut whole) = parse(body).ok()? else { return None };
    let key = if whole.contains_key("result") { "result" } else { "response" };
    let Json::Object(mut response) = whole.remove(key)? else { return None };
    text(&mut response, "uid").ok().flatten()
}

/// The answer of an Open Policy Agent: a document, which is undefined when no rule made one. What else stands beside the
/// document (`decision_id`, `metrics`) is about the agent.
fn opa(mut whole: BTreeMap<String, Json>, expected: Expected<'_>) -> Result<Decision, Failure> {
    let undefined = "undefined: no rule of the policy decides";
    match whole.remove("result") {
        None => Ok(Decision {
            verdict: Verdict::Deny,
            reason: Some(undefined.to_owned()),
            approver: None,
            annotations: BTreeMap::new(),
        }),
        Some(Json::Bool(allow)) => decided(allow, BTreeMap::new(), expected),
        Some(Json::Object(mut result)) => {
            // The document says `input.uid` where its rules think of it.
            echoes(&mut result, expected.uid)?;
            let words = (optional(&mut result, "decision"), optional(&mut result, "allow"));
            let allow = match words {
                (Some(Json::Text(word)), None) if word == "allow" || word == "approve" => true,
                (Some(Json::Text(word)), None) if word == "deny" => false,
                (None, Some(Json::Bool(allow))) => allow,
                _ => {
                    let why = "the result has neither one `decision` (`allow`, `deny`) nor one `allow` (true, false)";
                    return Err(Failure::new("decision", why));
                }
            };
            decided(allow, result, expected)
        }
        Some(_) => Err(Failure::new("wrong-type", "its result is neither a truth value nor an object")),
    }
}

/// Checks what comes with a decision.
fn decided(allow: bool, mut answer: BTreeMap<String, Json>, expected: Expected<'_>) -> Result<Decision, Failure> {
    let scope = scope(&mut answer, expected.offered)?;
    let until = until(&mut answer, expected.now)?;
    check_access(&mut answer, allow, expected.access)?;
    let shown = |text: Option<String>| text.map(|text| escaped(text.as_bytes(), LONGEST_TEXT));
    let reason = shown(text(&mut answer, "reason")?);
    let approver = shown(text(&mut answer, "approver")?);
    let annotations = annotations(&mut answer)?;
    nothing_left(&answer)?;
    let verdict = if allow { Verdict::Allow { scope, until } } else { Verdict::Deny };
    Ok(Decision { verdict, reason, approver, annotations })
}

/// Whether the answer says which question it answers, which must be this one. `null` names none, and is no way to say nothing.
fn echoes(answer: &mut BTreeMap<String, Json>, uid: &str) -> Result<bool, Failure> {
    match answer.remove("uid") {
        None => Ok(false),
        Some(Json::Text(written)) if written == uid => Ok(true),
        Some(Json::Text(_)) => Err(Failure::new("uid-mismatch", "its answer is to another question")),
        Some(_) => Err(wrong("uid")),
    }
}

fn scope(answer: &mut BTreeMap<String, Json>, offered: &[Scope]) -> Result<Scope, Failure> {
    let scope = match text(answer, "scope")?.as_deref() {
        None | Some("once") => Scope::Once,
        // One object for the session: both words can be read so, and neither is read wider.
        Some("path" | "session") => Scope::Object,
        Some("directory") => Scope::Directory,
        Some(_) => return Err(Failure::new("scope", "its scope is none of those that were offered")),
    };
    if !offered.contains(&scope) {
        return Err(Failure::new("scope-too-wide", "its scope is wider than those that were offered"));
    }
    Ok(scope)
}

fn until(answer: &mut BTreeMap<String, Json>, now: Duration) -> Result<Option<Duration>, Failure> {
    let Some(written) = text(answer, "expires_at")? else { return Ok(None) };
    match moment::parsed(&written) {
        None => Err(Failure::new("wrong-type", "`expires_at` is no moment such as `2026-01-31T12:00:00Z`")),
        Some(until) if until <= now => Err(Failure::new("expired", "its answer has expired")),
        until => Ok(until),
    }
}

fn check_access(answer: &mut BTreeMap<String, Json>, allow: bool, asked: &[&str]) -> Result<(), Failure> {
    let Some(granted) = optional(answer, "access") else { return Ok(()) };
    let Json::List(granted) = granted else { return Err(wrong("access")) };
    let mut words = Vec::new();
    for word in granted {
        let Json::Text(word) = word else { return Err(wrong("access")) };
        if !asked.contains(&word.as_str()) {
            return Err(Failure::new("access-too-wide", "it gives access that was not asked for"));
        }
        words.push(word);
    }
    if allow && !asked.iter().all(|asked| words.iter().any(|word| word == asked)) {
        return Err(Failure::new("access-too-narrow", "it gives less access than the call needs"));
    }
    Ok(())
}

fn annotations(answer: &mut BTreeMap<String, Json>) -> Result<BTreeMap<String, String>, Failure> {
    let Some(written) = optional(answer, "annotations") else { return Ok(BTreeMap::new()) };
    let written = object(written, "`annotations`")?;
    if written.len() > MOST_ANNOTATIONS {
        return Err(Failure::new("annotations", format!("it has more than {MOST_ANNOTATIONS} annotations")));
    }
    let shown = |text: &str| escaped(text.as_bytes(), LONGEST_TEXT);
    let pairs = written.into_iter().map(|(key, value)| {
        let Json::Text(value) = value else { return Err(wrong("annotations")) };
        Ok((shown(&key), shown(&value)))
    });
    pairs.collect()
}

fn object(value: Json, what: &str) -> Result<BTreeMap<String, Json>, Failure> {
    let Json::Object(members) = value else {
        return Err(Failure::new("wrong-type", format!("{what} is no object")));
    };
    Ok(members)
}

/// The member `key`; `null` is as good as nothing.
fn optional(members: &mut BTreeMap<String, Json>, key: &str) -> Option<Json> {
    members.remove(key).filter(|value| *value != Json::Null)
}

fn text(members: &mut BTreeMap<String, Json>, key: &str) -> Result<Option<String>, Failure> {
    match optional(members, key) {
        None => Ok(None),
        Some(Json::Text(text)) => Ok(Some(text)),
        Some(_) => Err(wrong(key)),
    }
}

fn required(members: &mut BTreeMap<String, Json>, key: &str, word: &str) -> Result<(), Failure> {
    match text(members, key)? {
        Some(text) if text == word => Ok(()),
        _ => Err(Failure::new("version", format!("its answer does not say `\"{key}\": \"{word}\"`"))),
    }
}

/// A key that is not known may narrow what the others say.
fn nothing_left(members: &BTreeMap<String, Json>) -> Result<(), Failure> {
    match members.keys().next() {
        None => Ok(()),
        Some(key) => Err(Failure::new(
            "unknown-key",
            format!("its answer has the unknown key `{}`", escaped(key.as_bytes(), 64)),
        )),
    }
}

fn wrong(key: &str) -> Failure {
    Failure::new("wrong-type", format!("`{key}` in its answer is of another type"))
}
