//! Questions as JSON. Text that the program chose is exact or escaped, never raw, and what it was started with is not sent.

use core::net::IpAddr;
use core::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Format, Origin, moment};
use crate::approval::{AskedOperation, Change, Host, Object, Question, Scope, Subject};
use crate::http::Failure;
use crate::profile::abs_path::AbsPath;
use crate::profile::escape::escaped;

/// The version of the request and of the answer.
pub(super) const VERSION: &str = "nono.approval/v1";

/// Bytes of a request. Standard Webhooks advises to stay below 20 kB.
const LONGEST: usize = 16 * 1024;
/// Characters of text that people read.
const LONGEST_TEXT: usize = 512;
/// Characters of a path that is not the question's object.
const LONGEST_PATH: usize = 1024;

/// A question as it is sent.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) body: Vec<u8>,
    /// The ways to say yes that it names; no other counts.
    pub(super) offered: Vec<Scope>,
}

/// One attempt to ask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'a> {
    pub(super) question: &'a Question,
    pub(super) origin: &'a Origin,
    /// The widest scope that a yes may have.
    pub(super) widest: Scope,
    pub(super) uid: &'a str,
    pub(super) nonce: &'a [u8],
    /// Counted from one.
    pub(super) attempt: u32,
    /// Since 1970.
    pub(super) now: Duration,
    pub(super) deadline: Duration,
}

impl Ask<'_> {
    /// The body of the request.
    ///
    /// # Errors
    /// Code `request-too-large`.
    pub(super) fn written(&self, format: Format) -> Result<Written, Failure> {
        for shortened in [false, true] {
            let offered = self.offered(shortened);
            let request = self.request(&offered, shortened);
            let whole = match format {
                Format::Nono => json!({ "apiVersion": VERSION, "kind": "ApprovalRequest", "request": request }),
                Format::Opa => json!({ "input": request }),
            };
            let body = whole.to_string().into_bytes();
            if body.len() <= LONGEST {
                return Ok(Written { body, offered });
            }
        }
        Err(Failure::new("request-too-large", format!("the question would have more than {LONGEST} bytes")))
    }

    /// With `shortened`, without what an answer does not depend on.
    fn request(&self, offered: &[Scope], shortened: bool) -> Value {
        let Question { operation, object, process, reason, profile } = self.question;
        let shown = |path: &Option<AbsPath>| match path {
            Some(path) if !shortened => Value::from(escaped(path.as_bytes(), LONGEST_PATH)),
            _ => Value::Null,
        };
        json!({
            "uid": self.uid,
            "nonce": STANDARD.encode(self.nonce),
            "session": self.origin.session,
            "profile": escaped(profile.as_bytes(), LONGEST_TEXT),
            "policy_sha256": self.origin.policy_sha256,
            "timestamp": moment::written(self.now),
            "deadline": moment::written(self.deadline),
            "attempt": self.attempt,
            "operation": operation.to_string(),
            "access": access(operation),
            "change": match operation {
                AskedOperation::Change(change) => Value::from(change.to_string()),
                AskedOperation::Connect | AskedOperation::ConnectUnix | AskedOperation::Open(_) => Value::Null,
            },
            "scopes": offered.iter().map(|scope| name(*scope)).collect::<Vec<_>>(),
            "target": match object {
                Subject::File(object) => {
                    let directory = self.question.directory().filter(|_| offered.contains(&Scope::Directory));
                    file(operation, object, directory.as_ref(), shortened)
                }
                Subject::Host(host) => json!({ "type": "host", "shown": escaped(host.to_string().as_bytes(), LONGEST_TEXT) }),
            },
            "network": match object {
                Subject::File(_) => Value::Null,
                Subject::Host(host) => network(host),
            },
            "process": {
                "pid": process.pid,
                "ppid": process.parent,
                "exe": shown(&process.executable),
                "cwd": shown(&process.directory),
                "uid": process.user,
            },
            "reason": { "message": escaped(reason.as_bytes(), LONGEST_TEXT) },
            "host": self.origin.host,
            "user": self.origin.user,
            "shortened": shortened,
        })
    }

    /// What a yes may reach. A directory is offered where there is room for its name.
    fn offered(&self, shortened: bool) -> Vec<Scope> {
        let mut offered = self.question.offered();
        offered.retain(|scope| width(*scope) <= width(self.widest) && !(shortened && *scope == Scope::Directory));
        offered
    }
}

fn file(operation: &AskedOperation, object: &Object, directory: Option<&AbsPath>, shortened: bool) -> Value {
    let path = exact(object.real.as_bytes());
    let plain_directory = directory.and_then(|directory| exact(directory.as_bytes()));
    let hidden_directory = directory.filter(|_| plain_directory.is_none());
    json!({
        "type": if *operation == AskedOperation::ConnectUnix { "unix_socket" } else { "file" },
        "path": path,
        "path_b64": path.is_none().then(|| STANDARD.encode(object.real.as_bytes())),
        "resolved": path.filter(|_| !shortened),
        "shown": escaped(object.real.as_bytes(), LONGEST_TEXT),
        "typed": object.typed.as_ref().map(|typed| escaped(typed, LONGEST_TEXT)),
        "directory": plain_directory,
        "directory_b64": hidden_directory.map(|directory| STANDARD.encode(directory.as_bytes())),
        "dev": object.identity.map(|(device, _)| device),
        "ino": object.identity.map(|(_, inode)| inode),
    })
}

fn network(host: &Host) -> Value {
    json!({
        "host": host.target.to_string(),
        "port": host.port,
        "protocol": if host.udp { "udp" } else { "tcp" },
        "address": host.addresses.first().map(IpAddr::to_string),
        "addresses": host.addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>(),
    })
}

/// What is asked for, in the words of requests and answers.
pub(super) fn access(operation: &AskedOperation) -> Vec<&'static str> {
    match operation {
        AskedOperation::Change(Change::File(access)) if access.read => vec!["read", "write"],
        AskedOperation::Change(_) => vec!["write"],
        AskedOperation::Connect | AskedOperation::ConnectUnix => vec!["connect"],
        AskedOperation::Open(access) => {
            let words = [(access.read, "read"), (access.write, "write"), (access.execute, "execute")];
            words.into_iter().filter(|(wanted, _)| *wanted).map(|(_, word)| word).collect()
        }
    }
}

/// A scope's word in requests and answers.
fn name(scope: Scope) -> &'static str {
    match scope {
        Scope::Directory => "directory",
        Scope::Object => "path",
        Scope::Once => "once",
    }
}

/// Orders scopes: each includes those with a smaller number.
fn width(scope: Scope) -> u8 {
    match scope {
        Scope::Directory => 2,
        Scope::Object => 1,
        Scope::Once => 0,
    }
}

/// The text of `bytes`, when it has nothing that hides.
fn exact(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    (escaped(bytes, usize::MAX) == text.replace('\\', "\\\\")).then_some(text)
}
