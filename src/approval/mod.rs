//! Questions to a human or a service, asked while the program waits.
//!
//! A question is about one object, never about a name: what is shown is what will be handed over. No answer is no.

mod asked;
pub mod terminal;
pub mod webhook;

use std::fmt;
use std::net::IpAddr;
use std::time::{Instant, SystemTime};

pub use self::asked::{Act, AskedOperation, Change};
pub use self::webhook::Record;
pub use crate::http::deadline::Cancelled;

use crate::plan::explain::advice;
use crate::profile::abs_path::AbsPath;
use crate::profile::host::Target;

/// What a program waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub operation: AskedOperation,
    pub object: Subject,
    pub process: Process,
    /// Why nobody else decided, as a clause: `no rule covers it`.
    pub reason: String,
    /// The profile that had no answer.
    pub profile: String,
}

/// What the question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    File(Object),
    Host(Host),
}

/// A host that is to be connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    pub target: Target,
    pub port: u16,
    pub udp: bool,
    /// Where the connection goes after a yes: the first of them. What the name was found to be, as far as the policy lets
    /// it lead there, or the address itself.
    pub addresses: Vec<IpAddr>,
}

/// A file or a socket with a path, resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Where it really is.
    pub real: AbsPath,
    /// What the program wrote, where that differs.
    pub typed: Option<Vec<u8>>,
    /// Device and inode; `None` for something that does not exist yet.
    pub identity: Option<(u64, u64)>,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    pub pid: i32,
    pub parent: i32,
    pub executable: Option<AbsPath>,
    pub directory: Option<AbsPath>,
    /// Effective user id.
    pub user: u32,
}

/// How far a yes reaches, for the kinds of operation that it was asked for ([`Act`]) and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything beneath the object's directory, until the session ends.
    Directory,
    /// This object, until the session ends.
    Object,
    /// This call.
    Once,
}

/// An answer, with who gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Allow {
        scope: Scope,
        /// When a yes that reaches beyond this call ends, if that is before the session does.
        until: Option<SystemTime>,
        approver: String,
    },
    Deny {
        reason: String,
        approver: String,
    },
    /// Nobody answered: the sentence says why. Whether another approver still may is the caller's business.
    None {
        reason: String,
    },
    /// Something answered, or kept the question from being asked, and nothing of it counts: as nobody's answer, but never
    /// what a policy may take for silence.
    Unusable {
        reason: String,
    },
}

/// Makes the digest of a policy, in hexadecimal. It is of a long text, so it is made once somebody wants it.
pub type PolicyDigest = Box<dyn FnOnce() -> String + Send>;

/// Somebody who may be asked.
pub trait Approver: fmt::Debug + Send + Sync {
    /// Waits for an answer until `deadline`, or until the question is withdrawn. Beside it stands what a service leaves for
    /// the log.
    fn ask(&self, question: &Question, deadline: Instant, cancelled: &Cancelled) -> (Answer, Option<Record>);

    /// Tells, before the first question, of which session they all are: its id, and what makes the digest of its policy.
    fn begin(&self, _session: &str, _policy: PolicyDigest) {}
}

impl Question {
    /// The ways to say yes to it, the narrowest first. A directory is offered for files alone, and never the whole of `/`.
    pub fn offered(&self) -> Vec<Scope> {
        let mut scopes = vec![Scope::Once, Scope::Object];
        let is_file = self.operation != AskedOperation::ConnectUnix;
        if is_file && self.directory().is_some_and(|directory| directory.parent().is_some()) {
            scopes.push(Scope::Directory);
        }
        scopes
    }

    /// What [`Scope::Directory`] is the whole of: the directory that the object lies in, also where that is one itself.
    pub fn directory(&self) -> Option<AbsPath> {
        self.object.path().and_then(AbsPath::parent)
    }
}

impl Question {
    /// What would make it unnecessary: a flag, and an entry of the profile.
    pub fn advice(&self) -> String {
        match (&self.object, &self.operation) {
            (Subject::Host(host), _) => advice::host(&host.target, host.port, host.udp),
            (Subject::File(object), AskedOperation::Change(change)) => {
                let directory = change.is_of_entry().then(|| self.directory()).flatten();
                advice::grant(change.access(), directory.as_ref().unwrap_or(&object.real))
            }
            (Subject::File(object), AskedOperation::Open(access)) => advice::grant(*access, &object.real),
            (Subject::File(object), AskedOperation::Connect | AskedOperation::ConnectUnix) => {
                advice::unix_socket(&object.real)
            }
        }
    }
}

impl Subject {
    /// The path, where it is about one.
    pub fn path(&self) -> Option<&AbsPath> {
        match self {
            Self::File(object) => Some(&object.real),
            Self::Host(_) => None,
        }
    }
}

/// As rules are written: `api.example.com:443`, `10.0.0.5:53/udp`.
impl fmt::Display for Host {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}{}", self.target, self.port, if self.udp { "/udp" } else { "" })
    }
}
