//! Signed files: what must not pass, case by case, beside its twin that does. Each case changes one thing of a bundle that is
//! good.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod bundle;
#[path = "../vectors/mod.rs"]
mod cases_of_others;
mod documents;
mod publishers;
mod replay;
mod signatures;
mod statement;
mod trust_policy;
mod vectors;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nono::profile::abs_path::AbsPath;
use nono::trust::bundle::{Bundle, Envelope, PAYLOAD_TYPE, pre_authentication_encoding};
use nono::trust::digest::Digest;
use nono::trust::policy::{Include, Level, Origin, Policy, Publisher, Rules};
use nono::trust::public_key::PublicKey;
use nono::trust::statement::{Predicate, Statement, Subject};
use nono::trust::verify::{Bundles, Verdict};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::Value;

/// What the good bundle is about.
pub(crate) const NAME: &str = "SKILL.md";
pub(crate) const CONTENT: &[u8] = b"be kind\n";

pub(crate) fn signing_key(number: u8) -> SigningKey {
    SigningKey::from_slice(&[number; 32]).expect("a key")
}

pub(crate) fn key(number: u8) -> PublicKey {
    PublicKey::new(*signing_key(number).verifying_key()).expect("a public key")
}

pub(crate) fn publisher(number: u8) -> Publisher {
    Publisher::keyed(&format!("publisher {number}"), "default", key(number))
}

pub(crate) fn path(text: &str) -> AbsPath {
    AbsPath::new(text.as_bytes()).expect("a path")
}

/// A policy that trusts the publishers with these numbers for every `SKILL*`.
pub(crate) fn policy(publishers: &[u8]) -> Policy {
    let publishers = publishers.iter().map(|number| publisher(*number)).collect();
    Policy::new(vec![Include::parse("SKILL*").expect("a pattern")], publishers)
}

/// The rules of the project `/project` with this policy.
pub(crate) fn rules(policy: Policy) -> Rules {
    let root = path("/project");
    Rules::new(&[Level { origin: Origin::Project(root.clone()), policy, believed: true }], &[root], &[])
}

/// What the good bundle says.
pub(crate) fn statement(predicate: Predicate, names: &[&str]) -> Statement {
    let subject = |name: &&str| Subject { name: (*name).to_owned(), digest: Digest::of(CONTENT) };
    Statement::keyed(predicate, names.iter().map(subject).collect(), "default")
}

/// The bundle of any payload, signed with the key `number`.
pub(crate) fn signed(number: u8, payload_type: &str, payload: &[u8]) -> Bundle {
    let signature: Signature = signing_key(number).sign(&pre_authentication_encoding(payload_type, payload));
    let envelope = Envelope {
        payload: payload.to_vec(),
        payload_type: payload_type.to_owned(),
        signature: signature.to_der().as_bytes().to_vec(),
        key_id: String::new(),
    };
    Bundle::keyed(&key(number), envelope)
}

/// The good bundle: the key 1 signed `SKILL.md`.
pub(crate) fn good() -> String {
    signed(1, PAYLOAD_TYPE, statement(Predicate::File, &[NAME]).to_json().as_bytes()).to_json()
}

/// The good bundle, changed by `change`.
pub(crate) fn changed(change: impl FnOnce(&mut Value)) -> String {
    let mut document: Value = serde_json::from_str(&good()).expect("a document");
    change(&mut document);
    document.to_string()
}

/// A bundle with a good signature over the payload of the good one, changed by `change`.
pub(crate) fn signed_change(change: impl FnOnce(&mut Value)) -> String {
    let mut payload: Value = serde_json::from_str(&statement(Predicate::File, &[NAME]).to_json()).expect("a document");
    change(&mut payload);
    signed(1, PAYLOAD_TYPE, payload.to_string().as_bytes()).to_json()
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// What the bundle beside `file` says, whose content is that of the good one, to who trusts the key 1.
pub(crate) fn judged(file: &str, bundle: &[u8]) -> Verdict {
    let rules = rules(policy(&[1]));
    let opened = rules.open(bundle);
    rules.judge(&path(file), Digest::of(CONTENT), Bundles { sidecar: Some(&opened), project: None })
}

/// That the bundle does not let `SKILL.md` through; answers with the sentence.
pub(crate) fn refused(case: &str, bundle: impl AsRef<[u8]>) -> String {
    match judged("/project/SKILL.md", bundle.as_ref()) {
        Verdict::Verified(_) => panic!("{case}: the file passes"),
        Verdict::Blocked(why) => panic!("{case}: nothing is blocked: {why}"),
        Verdict::Failed(failure) => failure.to_string(),
    }
}

/// That the bundle lets `SKILL.md` through.
pub(crate) fn passes(case: &str, bundle: impl AsRef<[u8]>) {
    let verdict = judged("/project/SKILL.md", bundle.as_ref());
    assert_eq!(verdict, Verdict::Verified(publisher(1)), "{case}");
}
