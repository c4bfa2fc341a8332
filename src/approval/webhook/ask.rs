//! Questions as JSON. Text that the program chose is exact or escaped, never raw, and what it was started with is not sent.

use core::net::IpAddr;
use core::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Format, Origin, moment};
use crate::approval::{AskedOperation, Host, Object, Question, Scope, Subject};
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
    pub(super) fn body(&self, format: Format) -> Result<Vec<u8>, Failure> {
        for shortened in [false, true] {
            let request = self.request(shortened);
            let whole = match format {
                Format::Nono => json!({ "apiVersion": VERSION, "kind": "ApprovalRequest", "request": request }),
                Format::Opa => json!({ "input": request }),
            };
            let body = whole.to_string().into_bytes();
            if body.len() <= LONGEST {
                return Ok(body);
            }
        }
        Err(Failure::new("request-too-large", format!("the question would have more than {LONGEST} bytes")))
    }

    /// With `shortened`, without what an answer does not depend on.
    fn request(&self, shortened: bool) -> Value {
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
            "access": access(*operation),
            "scopes": self.scopes(),
            "target": match object {
                Subject::File(object) => file(*operation, object, shortened),
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

    fn scopes(&self) -> Vec<&'static str> {
        let all = [Scope::Once, Scope::Object, Scope::Directory];
        let is_file = self.question.object.path().is_some();
        let offered = |scope: &Scope| width(*scope) <= width(self.widest) && (is_file || *scope != Scope::Directory);
        all.into_iter().filter(offered).map(name).collect()
    }
}

fn file(operation: AskedOperation, object: &Object, shortened: bool) -> Value {
    let path = exact(object.real.as_bytes());
    json!({
        "type": if operation == AskedOperation::ConnectUnix { "unix_socket" } else { "file" },
        "path": path,
        "path_b64": path.is_none().then(|| STANDARD.encode(object.real.as_bytes())),
        "resolved": path.filter(|_| !shortened),
        "shown": escaped(object.real.as_bytes(), LONGEST_TEXT),
        "typed": object.typed.as_ref().map(|typed| escaped(typed, LONGEST_TEXT)),
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
pub(super) fn access(operation: AskedOperation) -> Vec<&'static str> {
    match operation {
        AskedOperation::Change => vec!["write"],
        AskedOperation::Connect | AskedOperation::ConnectUnix => vec!["connect"],
        AskedOperation::Execute => vec!["execute"],
        AskedOperation::Open(access) => {
            let words = [(access.read, "read"), (access.write, "write"), (access.execute, "execute")];
            words.into_iter().filter(|(wanted, _)| *wanted).map(|(_, word)| word).collect()
        }
    }
}

/// A scope's word in requests and answers.
pub(super) fn name(scope: Scope) -> &'static str {
    match scope {
        Scope::Directory => "directory",
        Scope::Object => "path",
        Scope::Once => "once",
    }
}

/// Orders scopes: each includes those with a smaller number.
pub(super) fn width(scope: Scope) -> u8 {
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
