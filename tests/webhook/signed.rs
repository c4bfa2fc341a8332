//! Questions and answers with signatures.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use nono::approval::webhook::{Config, Format, Webhook};
use sha2::Sha256;

use crate::service::{Asked, Service, allow, allowing, with_status};
use crate::{PATIENCE, allowed, config, refused};

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// The pieces of an answer, each of which a case may spoil.
struct Signed {
    status: &'static str,
    id: String,
    timestamp: String,
    signature: String,
    body: String,
}

impl Signed {
    /// A proper answer to `asked`.
    fn new(asked: &Asked) -> Self {
        Self::with("200 OK", asked, allowing(asked.uid()), now())
    }

    fn with(status: &'static str, asked: &Asked, body: String, timestamp: u64) -> Self {
        let signature = format!("v1,{}", code(SECRET, &format!("{}.response.{timestamp}.{body}", asked.uid())));
        Self { status, id: asked.uid().to_owned(), timestamp: timestamp.to_string(), signature, body }
    }

    fn bytes(&self) -> Vec<u8> {
        let Self { status, id, timestamp, signature, body } = self;
        let fields =
            format!("Webhook-Id: {id}\r\nWebhook-Timestamp: {timestamp}\r\nWebhook-Signature: {signature}\r\n");
        with_status(status, &fields, body)
    }
}

fn webhook(service: &Service) -> Webhook {
    Webhook::new(Config { secret: Some(format!("{SECRET}\n").into_bytes()), ..config(&service.url()) })
        .expect("a webhook")
}

fn code(secret: &str, content: &str) -> String {
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).expect("base64");
    let mut code = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
    code.update(content.as_bytes());
    STANDARD.encode(code.finalize().into_bytes())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs()
}

#[test]
fn question_and_answer_are_signed_each_in_its_own_way() {
    let service = Service::answering(|asked| match asked.earlier {
        0 => Signed::with("202 x", asked, r#"{"status":"pending","poll_after_ms":100}"#.to_owned(), now()).bytes(),
        _ => Signed::new(asked).bytes(),
    });
    allowed(&webhook(&service));
    for asked in service.asked() {
        let timestamp = asked.field("webhook-timestamp").expect("a time");
        assert!(timestamp.parse::<u64>().is_ok_and(|timestamp| timestamp.abs_diff(now()) < 60));
        let body = String::from_utf8(asked.body.clone()).expect("text");
        let expected = format!("v1,{}", code(SECRET, &format!("{}.{timestamp}.{body}", asked.uid())));
        assert_eq!(asked.field("webhook-signature"), Some(expected.as_str()));
    }
}

#[test]
fn an_answer_without_a_good_signature_does_not_count() {
    type Spoil = fn(&Asked) -> Vec<u8>;
    let cases: [(&str, &str, Spoil); 13] = [
        ("signature-missing", "nothing", allow),
        ("signature-missing", "an unsigned promise", |_| with_status("202 x", "", r#"{"status":"pending"}"#)),
        ("signature-wrong", "an empty one", |asked| {
            Signed { signature: "v1,".to_owned(), ..Signed::new(asked) }.bytes()
        }),
        ("signature-wrong", "none in the field", |asked| {
            Signed { signature: String::new(), ..Signed::new(asked) }.bytes()
        }),
        ("signature-wrong", "a prefix", |asked| {
            let signature = code(SECRET, &format!("{}.response.{}.{}", asked.uid(), now(), allowing(asked.uid())));
            let part = STANDARD.encode(&STANDARD.decode(signature).expect("base64")[..31]);
            Signed { signature: format!("v1,{part}"), ..Signed::new(asked) }.bytes()
        }),
        ("signature-wrong", "the way of a question", |asked| {
            let signed = Signed::new(asked);
            let content = format!("{}.{}.{}", signed.id, signed.timestamp, signed.body);
            Signed { signature: format!("v1,{}", code(SECRET, &content)), ..signed }.bytes()
        }),
        ("signature-wrong", "another secret", |asked| {
            let signed = Signed::new(asked);
            let content = format!("{}.response.{}.{}", signed.id, signed.timestamp, signed.body);
            let other = format!("whsec_{}", STANDARD.encode([7; 24]));
            Signed { signature: format!("v1,{}", code(&other, &content)), ..signed }.bytes()
        }),
        ("signature-wrong", "another body", |asked| {
            let denying = allowing(asked.uid()).replace("allow", "deny");
            let signed = Signed::with("200 OK", asked, denying, now());
            Signed { body: allowing(asked.uid()), ..signed }.bytes()
        }),
        ("signature-wrong", "another time", |asked| {
            Signed { timestamp: (now() + 100).to_string(), ..Signed::new(asked) }.bytes()
        }),
        ("signature-id", "another id", |asked| Signed { id: "0".repeat(32), ..Signed::new(asked) }.bytes()),
        ("signature-stale", "the past", |asked| {
            Signed::with("200 OK", asked, allowing(asked.uid()), now() - 310).bytes()
        }),
        ("signature-stale", "the future", |asked| {
            Signed::with("200 OK", asked, allowing(asked.uid()), now() + 310).bytes()
        }),
        ("signature-stale", "no number", |asked| Signed { timestamp: "+1".to_owned(), ..Signed::new(asked) }.bytes()),
    ];
    for (code, case, answer) in cases {
        let service = Service::answering(answer);
        refused(&webhook(&service), PATIENCE, code, case);
    }
}

#[test]
fn one_good_signature_among_several_is_enough() {
    let service = Service::answering(|asked| {
        let signed = Signed::new(asked);
        let several = format!("v1a,AAAA v1,{} {}", code(SECRET, "x"), signed.signature);
        Signed { signature: several, ..signed }.bytes()
    });
    allowed(&webhook(&service));
}

#[test]
fn a_secret_that_cannot_be_used_is_told_when_the_policy_is_loaded() {
    for secret in ["", "secret", "whsec_", "whsec_AAAA", "whsec_C2FVsBQIhrscChlQIMV-b5sSYspob7oD"] {
        let config = Config { secret: Some(secret.as_bytes().to_vec()), ..config("http://127.0.0.1/") };
        assert!(Webhook::new(config).is_err_and(|error| error.contains("secret")), "{secret}");
    }
    let agent = Config { secret: Some(SECRET.as_bytes().to_vec()), format: Format::Opa, ..config("http://127.0.0.1/") };
    assert!(Webhook::new(agent).is_err_and(|error| error.contains("signs nothing")));
}
