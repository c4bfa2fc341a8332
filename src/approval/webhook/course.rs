//! The course of one question: asked, perhaps asked again, perhaps waited for.

use std::fs::File;
use std::io::Read;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use super::ask::{self, Ask};
use super::{Decision, Format, Record, Webhook, answer};
use crate::approval::{Question, Scope};
use crate::http::Failure;
use crate::http::deadline::Deadline;
use crate::http::request::{Media, Method, Request};
use crate::http::response::Response;

/// After a connection that did not come about, or a status that asks for patience.
const MOST_RETRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const SHORTEST_WAIT: Duration = Duration::from_millis(100);
/// Seconds by which the clock of a signature may differ (the tolerance of Standard Webhooks' own libraries).
const TOLERANCE: u64 = 300;

pub(super) struct Course<'a> {
    webhook: &'a Webhook,
    question: &'a Question,
    deadline: Deadline<'a>,
    nonce: [u8; 32],
    /// What the last question offered.
    offered: Vec<Scope>,
    pub(super) record: Record,
}

/// What a request led to.
enum Step {
    Decided(Decision),
    /// Look again after that time.
    Pending(Duration),
    /// The approver is busy, and may have said for how long.
    Busy(Failure, Option<Duration>),
}

impl<'a> Course<'a> {
    pub(super) fn new(webhook: &'a Webhook, question: &'a Question, deadline: Deadline<'a>) -> Result<Self, Failure> {
        let uid = hexadecimal(&random::<16>()?);
        let record = Record { uid, ..Record::default() };
        Ok(Self { webhook, question, deadline, nonce: random()?, offered: Vec::new(), record })
    }

    /// Asks until there is a decision, a failure that stays, or no time.
    pub(super) fn run(&mut self) -> Result<Decision, Failure> {
        let (mut method, mut retries) = (Method::Post, 0);
        loop {
            let (failure, wanted) = match self.step(method) {
                Ok(Step::Decided(decision)) => return Ok(decision),
                Ok(Step::Pending(pause)) => {
                    method = Method::Get;
                    self.wait_for_promise(pause)?;
                    continue;
                }
                Ok(Step::Busy(failure, wanted)) => (failure, wanted),
                Err(failure) if failure.unsent => (failure, None),
                Err(failure) => return Err(failure),
            };
            if retries == MOST_RETRIES {
                return Err(failure);
            }
            let pause = match wanted {
                Some(wanted) => wanted,
                None => backoff(retries)?,
            };
            retries += 1;
            match self.deadline.sleep(pause) {
                // What went wrong says more than that there is no time to try again.
                Err(over) if over.code == "deadline" => return Err(failure),
                other => other?,
            }
        }
    }

    /// Waits as long as the approver asks for. Where that is beyond the deadline, an answer may come before it all the same.
    fn wait_for_promise(&self, pause: Duration) -> Result<(), Failure> {
        let left = self.deadline.left()?;
        self.deadline.sleep(if pause < left { pause } else { (left / 2).max(SHORTEST_WAIT) })
    }

    fn step(&mut self, method: Method) -> Result<Step, Failure> {
        self.record.requests = self.record.requests.saturating_add(1);
        let uid = self.record.uid.clone();
        let body = match method {
            Method::Post => {
                let ask::Written { body, offered } = self.ask()?.written(self.webhook.format)?;
                self.offered = offered;
                body
            }
            Method::Get => Vec::new(),
        };
        let url = match method {
            Method::Post => self.webhook.url.clone(),
            Method::Get => self.webhook.url.beneath(&uid),
        };
        let now = since_1970()?.as_secs();
        let mut fields = vec![("webhook-id", uid.clone()), ("webhook-timestamp", now.to_string())];
        if let Some(signature) = self.webhook.secret.as_ref().and_then(|secret| secret.sign(&uid, now, &body)) {
            fields.push(("webhook-signature", signature));
        }
        let request = Request { method, url: &url, fields: &fields, body: &body, media: Media::Json }.to_bytes()?;
        self.record.request_sha256 = Some(Sha256::digest(&body).into());
        (self.record.status, self.record.response_sha256) = (None, None);
        let exchange = self.webhook.transport.exchange(&url, &request, self.deadline)?;
        self.record.peer = Some(exchange.peer);
        self.record.key_sha256 = exchange.key;
        self.record.status = Some(exchange.response.status);
        self.record.response_sha256 = Some(Sha256::digest(&exchange.response.body).into());
        self.read(&exchange.response)
    }

    fn ask(&self) -> Result<Ask<'_>, Failure> {
        let now = since_1970()?;
        Ok(Ask {
            question: self.question,
            origin: self.webhook.origin(),
            widest: self.webhook.widest,
            uid: &self.record.uid,
            nonce: &self.nonce,
            attempt: self.record.requests,
            now,
            deadline: now.saturating_add(self.deadline.left()?),
        })
    }

    fn read(&self, response: &Response) -> Result<Step, Failure> {
        let status = response.status;
        match (status, self.webhook.format) {
            (200, _) | (202, Format::Nono) => {}
            (429 | 502 | 503 | 504, _) => {
                let failure = Failure::new("status", format!("it answered {status}: not now"));
                return Ok(Step::Busy(failure, retry_after(response)?));
            }
            (300..=399, _) => {
                return Err(Failure::new("redirect", format!("it answered {status}, and redirects are not followed")));
            }
            _ => return Err(Failure::new("status", format!("it answered {status} instead of 200"))),
        }
        response.check_is_json()?;
        self.check_signature(response)?;
        if status == 202 {
            return answer::pause(&response.body).map(Step::Pending);
        }
        let access = ask::access(&self.question.operation);
        let expected =
            answer::Expected { uid: &self.record.uid, access: &access, offered: &self.offered, now: since_1970()? };
        match answer::read(&response.body, self.webhook.format, expected) {
            Ok(decision) => Ok(Step::Decided(decision)),
            Err(failure) if failure.code == "uid-mismatch" && self.repeats(&response.body) => {
                Err(Failure::new("uid-reused", "its answer is to an earlier question"))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Whether the answer names a question that has its answer.
    fn repeats(&self, body: &[u8]) -> bool {
        answer::uid(body).is_some_and(|uid| self.webhook.is_spent(&uid))
    }

    /// An answer is signed like a question, as `ID.response` instead of `ID`, so that neither can stand for the other.
    fn check_signature(&self, response: &Response) -> Result<(), Failure> {
        let Some(secret) = &self.webhook.secret else { return Ok(()) };
        let missing = || Failure::new("signature-missing", "its answer is not signed");
        let written = response.field("webhook-signature")?.ok_or_else(missing)?;
        let timestamp = response.field("webhook-timestamp")?.ok_or_else(missing)?;
        if response.field("webhook-id")?.ok_or_else(missing)? != self.record.uid {
            return Err(Failure::new("signature-id", "its answer is signed for another question"));
        }
        let digits = timestamp.bytes().all(|byte| byte.is_ascii_digit());
        let Some(timestamp) = timestamp.parse::<u64>().ok().filter(|_| digits) else {
            return Err(Failure::new("signature-stale", "the time of its signature is no number"));
        };
        if timestamp.abs_diff(since_1970()?.as_secs()) > TOLERANCE {
            return Err(Failure::new("signature-stale", "its signature is of another time; compare the clocks"));
        }
        if !secret.signed(written, &format!("{}.response", self.record.uid), timestamp, &response.body) {
            return Err(Failure::new("signature-wrong", "its answer is signed with another secret, or was changed"));
        }
        Ok(())
    }
}

/// The seconds of `Retry-After`. A date (RFC 9110, section 10.2.3) counts as nothing said.
fn retry_after(response: &Response) -> Result<Option<Duration>, Failure> {
    let Some(written) = response.field("retry-after")? else { return Ok(None) };
    let digits = !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit());
    // What overflows is after any deadline.
    Ok(digits.then(|| Duration::from_secs(written.parse().unwrap_or(u64::MAX))))
}

/// Twice as long after each try, and up to half as long again by chance.
fn backoff(retries: u32) -> Result<Duration, Failure> {
    let pause = FIRST_PAUSE.saturating_mul(1 << retries.min(8));
    let [chance] = random::<1>()?;
    Ok(pause.saturating_add(pause.saturating_mul(u32::from(chance)) / 512))
}

fn since_1970() -> Result<Duration, Failure> {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_err(|_| Failure::new("clock", "this machine's clock is before 1970"))
}

/// Bytes that nobody can foresee (random(4)).
fn random<const COUNT: usize>() -> Result<[u8; COUNT], Failure> {
    let mut bytes = [0; COUNT];
    let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    read.map_err(|error| Failure::new("random", format!("/dev/urandom cannot be read: {error}")))?;
    Ok(bytes)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
