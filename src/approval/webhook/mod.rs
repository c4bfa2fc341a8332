//! A service that is asked over HTTP. Whatever it does but answer properly is no answer.
//!
//! A question is a POST of JSON, its answer the response. Both name the same random id, and both are signed when there is a
//! secret (Standard Webhooks 1.0.0). `vendor-notes/http.md` describes both and lists the codes of failures.

pub mod answer;
mod ask;
mod course;
mod json;
mod moment;
mod sign;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use self::answer::{Decision, Verdict};
use self::course::Course;
use self::sign::Secret;
use super::{Answer, Approver, Cancelled, PolicyDigest, Question, Scope};
use crate::http::Failure;
use crate::http::deadline::Deadline;
use crate::http::transport::Transport;
use crate::profile::url::Url;

/// How many answered questions are remembered, to tell an old answer from a wrong one.
const MOST_SPENT: usize = 256;

/// How to ask. Files are read by whoever makes this.
#[derive(Clone, Debug)]
pub struct Config {
    /// `https://…`, `http://` on this machine, or `unix:/path/of/socket[:/path/of/request]`.
    pub url: String,
    /// The contents of the secret's file.
    pub secret: Option<Vec<u8>>,
    /// Certificates (PEM) to trust instead of the system's.
    pub ca: Option<Vec<u8>>,
    pub format: Format,
    /// The widest scope that a yes may have.
    pub widest: Scope,
    pub origin: Origin,
}

/// How questions and answers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Nono,
    /// As the data API of an Open Policy Agent reads and writes them.
    Opa,
}

/// Where a question comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    pub session: Option<String>,
    pub host: Option<String>,
    pub user: Option<String>,
    /// In hexadecimal.
    pub policy_sha256: Option<String>,
}

/// An approver behind a URL.
#[derive(Debug)]
pub struct Webhook {
    url: Url,
    transport: Transport,
    secret: Option<Secret>,
    format: Format,
    widest: Scope,
    /// Without the session.
    origin: Origin,
    /// Until the first question.
    session: Mutex<Option<Session>>,
    /// With it.
    whole_origin: OnceLock<Origin>,
    /// Ids of questions that were answered.
    spent: Mutex<VecDeque<String>>,
}

/// The session that the questions are of.
struct Session {
    id: String,
    policy: PolicyDigest,
}

impl fmt::Debug for Session {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.id)
    }
}

/// What happened while a question was asked, for the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    pub uid: String,
    /// Requests, those for an answer that was promised included.
    pub requests: u32,
    /// Of the last request: its body in SHA-256, and what came back.
    pub request_sha256: Option<[u8; 32]>,
    pub response_sha256: Option<[u8; 32]>,
    pub status: Option<u16>,
    /// Who answered: an address with its port, or a socket's path.
    pub peer: Option<String>,
    /// SHA-256 of the approver's public key.
    pub key_sha256: Option<[u8; 32]>,
    pub took: Duration,
    /// Each key and each value is escaped, and bounded.
    pub annotations: BTreeMap<String, String>,
    /// The code of the failure, when there is no answer.
    pub code: Option<&'static str>,
}

impl Webhook {
    /// Checks everything that can be checked before the first question.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn new(config: Config) -> Result<Self, String> {
        let url = Url::parse(&config.url).map_err(|why| format!("the webhook's address is refused: {why}"))?;
        let secret = config.secret.as_deref().map(Secret::parse).transpose()?;
        if config.format == Format::Opa && secret.is_some() {
            return Err(
                "an Open Policy Agent signs nothing; leave out the webhook's secret, and use TLS or a Unix socket"
                    .to_owned(),
            );
        }
        let transport = Transport::new(&url, config.ca.as_deref())?;
        Ok(Self {
            url,
            transport,
            secret,
            format: config.format,
            widest: config.widest,
            origin: config.origin,
            session: Mutex::default(),
            whole_origin: OnceLock::new(),
            spent: Mutex::default(),
        })
    }

    /// Asks, and tells what happened.
    pub fn ask_and_record(&self, question: &Question, until: Instant, cancelled: &Cancelled) -> (Answer, Record) {
        let began = Instant::now();
        let deadline = Deadline::new(until, cancelled);
        let (result, mut record) = match Course::new(self, question, deadline) {
            Ok(mut course) => (course.run(), course.record),
            Err(failure) => (Err(failure), Record::default()),
        };
        record.took = began.elapsed();
        match result {
            Ok(decision) => {
                self.spend(&record.uid);
                record.annotations.clone_from(&decision.annotations);
                (self.answer_of(decision), record)
            }
            Err(failure) => {
                record.code = Some(failure.code);
                (self.no_answer(&failure), record)
            }
        }
    }

    /// Where the questions come from.
    fn origin(&self) -> &Origin {
        self.whole_origin.get_or_init(|| {
            let session = self.session.lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some(Session { id, policy }) = session else { return self.origin.clone() };
            Origin { session: Some(id), policy_sha256: Some(policy()), ..self.origin.clone() }
        })
    }

    fn answer_of(&self, decision: Decision) -> Answer {
        let approver = match decision.approver {
            Some(name) => format!("{name} ({})", self.url),
            None => self.url.to_string(),
        };
        match decision.verdict {
            Verdict::Allow { scope, until } => Answer::Allow {
                scope,
                until: until.and_then(|until| SystemTime::UNIX_EPOCH.checked_add(until)),
                approver,
            },
            Verdict::Deny => {
                Answer::Deny { reason: decision.reason.unwrap_or_else(|| "it gave no reason".to_owned()), approver }
            }
        }
    }

    fn no_answer(&self, failure: &Failure) -> Answer {
        let reason = format!("the approver at {} gave no answer that counts: {failure}", self.url);
        if failure.is_silence() { Answer::None { reason } } else { Answer::Unusable { reason } }
    }

    fn spend(&self, uid: &str) {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.len() >= MOST_SPENT {
            spent.pop_front();
        }
        spent.push_back(uid.to_owned());
    }

    fn is_spent(&self, uid: &str) -> bool {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|spent| spent == uid)
    }
}

impl Approver for Webhook {
    fn ask(&self, question: &Question, deadline: Instant, cancelled: &Cancelled) -> (Answer, Option<Record>) {
        let (answer, record) = self.ask_and_record(question, deadline, cancelled);
        (answer, Some(record))
    }

    fn begin(&self, session: &str, policy: PolicyDigest) {
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = Some(Session { id: session.to_owned(), policy });
    }
}
