//! The webhook approver against real servers: plain sockets that follow a script, TLS with certificates made by OpenSSL, and
//! Unix sockets. Nothing a server does may hang it, and nothing but a proper answer may count.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says why")]

mod course;
mod framing;
mod hostile;
mod places;
mod replay;
mod service;
mod signed;
#[cfg(feature = "https")]
mod tls;
mod unix;

use std::time::{Duration, Instant};

use nono::approval::webhook::{Config, Format, Origin, Record, Webhook};
use nono::approval::{Answer, AskedOperation, Cancelled, Object, Process, Question, Scope, Subject};
use nono::plan::Access;
use nono::profile::abs_path::AbsPath;

/// Enough for a busy machine, and the bound of every case.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// An approver at `url` without secret and certificates.
pub(crate) fn webhook(url: &str) -> Webhook {
    Webhook::new(config(url)).unwrap_or_else(|error| panic!("{url}: {error}"))
}

pub(crate) fn config(url: &str) -> Config {
    Config {
        url: url.to_owned(),
        secret: None,
        ca: None,
        format: Format::Nono,
        widest: Scope::Object,
        origin: Origin::default(),
    }
}

pub(crate) fn question() -> Question {
    Question {
        operation: AskedOperation::Open(Access { read: true, write: false, execute: false }),
        object: Subject::File(Object {
            real: AbsPath::new(b"/etc/hosts").expect("a path"),
            typed: None,
            identity: Some((1, 2)),
        }),
        process: Process { pid: 7, parent: 6, executable: AbsPath::new(b"/bin/cat"), directory: None, user: 1000 },
        reason: "no rule covers it".to_owned(),
        profile: "test".to_owned(),
    }
}

/// Asks, and checks that it ends in time.
pub(crate) fn ask(webhook: &Webhook, patience: Duration) -> (Answer, Record) {
    let began = Instant::now();
    let result = webhook.ask_and_record(&question(), began + patience, &Cancelled::default());
    assert!(began.elapsed() < patience + Duration::from_secs(2), "it took {:?}: {result:?}", began.elapsed());
    result
}

/// Asks, and expects a yes.
pub(crate) fn allowed(webhook: &Webhook) -> Record {
    let (answer, record) = ask(webhook, PATIENCE);
    assert!(matches!(answer, Answer::Allow { scope: Scope::Once, until: None, .. }), "{answer:?}");
    assert_eq!((record.status, record.code), (Some(200), None));
    record
}

/// Asks, and expects no answer, for the reason with this code.
pub(crate) fn refused(webhook: &Webhook, patience: Duration, code: &str, case: &str) -> Record {
    let (answer, record) = ask(webhook, patience);
    assert_eq!(record.code, Some(code), "{case}: {answer:?}");
    let is_silence = matches!(answer, Answer::None { .. });
    let (Answer::None { reason } | Answer::Unusable { reason }) = answer else { panic!("{case}: {answer:?}") };
    // An answer that came and does not count is never taken for silence.
    assert_eq!(is_silence, matches!(code, "connect" | "deadline" | "dns"), "{case}: {reason}");
    assert!(reason.ends_with(&format!("({code})")), "{case}: {reason}");
    record
}
