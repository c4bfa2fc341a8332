use super::*;
use crate::profile::abs_path::AbsPath;
use crate::trust::bundle::{Bundle, Envelope, PAYLOAD_TYPE, pre_authentication_encoding};
use crate::trust::policy::{
    BlockedDigest, BlockedPublisher, Enforcement, Include, Level, Origin, Policy, Rules, baseline,
};
use crate::trust::statement::{Predicate, Statement, Subject};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};

const ROOT: &str = "/project";

fn signing_key(number: u8) -> SigningKey {
    SigningKey::from_slice(&[number; 32]).unwrap()
}

fn key(number: u8) -> PublicKey {
    PublicKey::new(*signing_key(number).verifying_key()).unwrap()
}

fn publisher(number: u8) -> Publisher {
    Publisher::keyed(&format!("publisher {number}"), "default", key(number))
}

fn path(text: &str) -> AbsPath {
    AbsPath::new(text.as_bytes()).unwrap()
}

fn subject(name: &str, content: &[u8]) -> Subject {
    Subject { name: name.to_owned(), digest: Digest::of(content) }
}

fn signed(number: u8, payload_type: &str, payload: &[u8]) -> Bundle {
    let signature: Signature = signing_key(number).sign(&pre_authentication_encoding(payload_type, payload));
    let envelope = Envelope {
        payload: payload.to_vec(),
        payload_type: payload_type.to_owned(),
        signature: signature.to_der().as_bytes().to_vec(),
        key_id: String::new(),
    };
    Bundle::keyed(&key(number), envelope)
}

fn bundle(number: u8, predicate: Predicate, subjects: Vec<Subject>) -> String {
    let statement = Statement::keyed(predicate, subjects, "default");
    signed(number, PAYLOAD_TYPE, statement.to_json().as_bytes()).to_json()
}

fn policy(publishers: &[u8]) -> Policy {
    Policy::new(vec![Include::parse("SKILL*").unwrap()], publishers.iter().map(|number| publisher(*number)).collect())
}

fn rules_of(policy: Policy) -> Rules {
    let level = Level { origin: Origin::Project(path(ROOT)), policy, believed: true };
    Rules::new(&[level], &[path(ROOT)], &[])
}

fn beside(rules: &Rules, file: &str, content: &[u8], bundle: &str) -> Verdict {
    let opened = rules.open(bundle.as_bytes());
    let bundles = Bundles { sidecar: Some(&opened), project: None };
    rules.judge(&path(file), Digest::of(content), bundles)
}

fn failed(verdict: Verdict) -> Failure {
    let Verdict::Failed(failure) = verdict else { panic!("{verdict:?}") };
    failure
}

#[test]
fn a_file_passes_with_the_bundle_its_publisher_made_and_with_no_other() {
    let rules = rules_of(policy(&[1]));
    let good = bundle(1, Predicate::File, vec![subject("a/SKILL.md", b"x")]);
    assert_eq!(beside(&rules, "/project/a/SKILL.md", b"x", &good), Verdict::Verified(publisher(1)));
    assert!(matches!(failed(beside(&rules, "/project/a/SKILL.md", b"y", &good)), Failure::OtherDigest { .. }));
    assert!(matches!(failed(beside(&rules, "/project/b/SKILL.md", b"x", &good)), Failure::OtherFile { .. }));
    let stranger = bundle(2, Predicate::File, vec![subject("a/SKILL.md", b"x")]);
    assert!(matches!(failed(beside(&rules, "/project/a/SKILL.md", b"x", &stranger)), Failure::PublisherUnknown { .. }));
    let none = rules.judge(&path("/project/a/SKILL.md"), Digest::of(b"x"), Bundles::default());
    assert_eq!(failed(none), Failure::Unsigned);
}

#[test]
fn statements_of_one_kind_do_not_stand_in_for_another() {
    let rules = rules_of(policy(&[1]));
    let file = path("/project/SKILL.md");
    for (predicate, as_sidecar, as_set) in
        [(Predicate::File, true, false), (Predicate::Files, false, true), (Predicate::Policy, false, false)]
    {
        let opened = rules.open(bundle(1, predicate, vec![subject("SKILL.md", b"x")]).as_bytes());
        let sidecar = Bundles { sidecar: Some(&opened), project: None };
        let root = path(ROOT);
        let set = Bundles { sidecar: None, project: Some((&root, &opened)) };
        for (bundles, expected) in [(sidecar, as_sidecar), (set, as_set)] {
            let verdict = rules.judge(&file, Digest::of(b"x"), bundles);
            match expected {
                true => assert_eq!(verdict, Verdict::Verified(publisher(1))),
                false => assert!(matches!(failed(verdict), Failure::OtherPredicate { .. })),
            }
        }
    }
    let bytes = b"{}";
    for (predicate, name, good) in [
        (Predicate::Policy, "trust-policy.json", true),
        (Predicate::File, "trust-policy.json", false),
        (Predicate::Files, "trust-policy.json", false),
        (Predicate::Policy, "SKILL.md", false),
    ] {
        let bundle = bundle(1, predicate, vec![subject(name, bytes)]);
        assert_eq!(verify_policy(bytes, bundle.as_bytes(), &[publisher(1)]).is_ok(), good, "{predicate:?} {name}");
        assert!(verify_policy(b"{ }", bundle.as_bytes(), &[publisher(1)]).is_err());
        assert!(verify_policy(bytes, bundle.as_bytes(), &[publisher(2)]).is_err());
    }
}

#[test]
fn a_bare_name_is_taken_from_others_unless_paths_are_strict() {
    let mut statement = Statement::keyed(Predicate::File, vec![subject("SKILL.md", b"x")], "default");
    statement.whole_paths = false;
    let theirs = signed(1, PAYLOAD_TYPE, statement.to_json().as_bytes()).to_json();
    let ours = bundle(1, Predicate::File, vec![subject("SKILL.md", b"x")]);
    let lenient = rules_of(policy(&[1]));
    let strict = rules_of(Policy { strict_paths: true, ..policy(&[1]) });
    for (rules, bundle, file, good) in [
        (&lenient, &theirs, "/project/SKILL.md", true),
        (&lenient, &theirs, "/project/deep/SKILL.md", true),
        (&strict, &theirs, "/project/SKILL.md", true),
        (&strict, &theirs, "/project/deep/SKILL.md", false),
        (&lenient, &ours, "/project/SKILL.md", true),
        (&lenient, &ours, "/project/deep/SKILL.md", false),
    ] {
        let verdict = beside(rules, file, b"x", bundle);
        assert_eq!(verdict == Verdict::Verified(publisher(1)), good, "{file}: {verdict:?}");
    }
}

#[test]
fn what_is_blocked_is_denied_whatever_else_is_said() {
    let mut policy = policy(&[1, 2]);
    policy.enforcement = Enforcement::Audit;
    let blocked = BlockedDigest { sha256: Digest::of(b"evil"), description: None, added: None };
    policy.blocklist.digests = vec![blocked];
    policy.blocklist.publishers = vec![BlockedPublisher { public_key: Some(key(2)), ..BlockedPublisher::default() }];
    let rules = rules_of(policy);
    let evil = bundle(1, Predicate::File, vec![subject("SKILL.md", b"evil")]);
    for sidecar in [evil.as_str(), "{", ""] {
        let verdict = beside(&rules, "/project/SKILL.md", b"evil", sidecar);
        assert_eq!(verdict.action(rules.enforcement(), true), Action::Deny, "{sidecar}");
    }
    let revoked = bundle(2, Predicate::File, vec![subject("SKILL.md", b"x")]);
    assert!(matches!(beside(&rules, "/project/SKILL.md", b"x", &revoked), Verdict::Blocked(_)));
    let set = rules.open(bundle(2, Predicate::Files, vec![subject("SKILL.md", b"x")]).as_bytes());
    let root = path(ROOT);
    let bundles = Bundles { sidecar: None, project: Some((&root, &set)) };
    assert!(matches!(rules.judge(&path("/project/SKILL.md"), Digest::of(b"x"), bundles), Verdict::Blocked(_)));
    let fine = bundle(1, Predicate::File, vec![subject("SKILL.md", b"x")]);
    assert_eq!(beside(&rules, "/project/SKILL.md", b"x", &fine), Verdict::Verified(publisher(1)));
}

#[test]
fn a_blocked_signer_is_found_by_key_by_id_and_by_name_even_when_nobody_trusts_it() {
    for (entry, trusted) in [
        (BlockedPublisher { public_key: Some(key(2)), ..BlockedPublisher::default() }, &[1][..]),
        (BlockedPublisher { key_id: Some("default".to_owned()), ..BlockedPublisher::default() }, &[1]),
        (BlockedPublisher { name: Some("publisher 2".to_owned()), ..BlockedPublisher::default() }, &[1, 2]),
        (BlockedPublisher { key_id: Some(key(2).fingerprint().to_string()), ..BlockedPublisher::default() }, &[1]),
    ] {
        let mut policy = policy(trusted);
        policy.blocklist.publishers = vec![entry.clone()];
        let rules = rules_of(policy);
        let text = bundle(2, Predicate::File, vec![subject("SKILL.md", b"x")]);
        assert!(matches!(beside(&rules, "/project/SKILL.md", b"x", &text), Verdict::Blocked(_)), "{entry:?}");
        // A hint that lies does not hide the key.
        if entry.public_key.is_some() {
            let lied = text.replace(&key(2).fingerprint().to_string(), &key(1).fingerprint().to_string());
            assert!(matches!(beside(&rules, "/project/SKILL.md", b"x", &lied), Verdict::Blocked(_)));
        }
    }
    let certificate =
        BlockedPublisher { issuer: Some("https://issuer.example".to_owned()), ..BlockedPublisher::default() };
    let mut policy = policy(&[1]);
    policy.blocklist.publishers = vec![certificate];
    let text = bundle(1, Predicate::File, vec![subject("SKILL.md", b"x")]);
    assert_eq!(beside(&rules_of(policy), "/project/SKILL.md", b"x", &text), Verdict::Verified(publisher(1)));
}

#[test]
fn no_level_takes_back_what_another_asks_for() {
    let level = |origin, policy, believed| Level { origin, policy, believed };
    let user = Policy { enforcement: Enforcement::Deny, ..policy(&[1]) };
    let mut hostile = Policy { enforcement: Enforcement::Audit, includes: Vec::new(), ..policy(&[2]) };
    hostile.protect = Some(false);
    hostile.blocklist.digests = vec![BlockedDigest { sha256: Digest::of(b"z"), description: None, added: None }];
    let project = Origin::Project(path(ROOT));
    let levels =
        [level(Origin::Embedded, baseline(), true), level(Origin::User, user, true), level(project, hostile, false)];
    let rules = Rules::new(&levels, &[path(ROOT)], &[]);
    assert_eq!(rules.enforcement(), Enforcement::Deny);
    assert!(rules.protects(&path("/project/x/SKILLS.md")) && rules.protects(&path("/project/CLAUDE.md")));
    assert!(!rules.protects(&path("/elsewhere/CLAUDE.md")));
    assert!(rules.keeps_from_change());
    assert!(rules.blocked_content(Digest::of(b"z")).is_some());
    let own = bundle(2, Predicate::File, vec![subject("SKILL.md", b"x")]);
    assert!(matches!(failed(beside(&rules, "/project/SKILL.md", b"x", &own)), Failure::PublisherUnknown { .. }));
    let users = bundle(1, Predicate::File, vec![subject("SKILL.md", b"x")]);
    assert_eq!(beside(&rules, "/project/SKILL.md", b"x", &users), Verdict::Verified(publisher(1)));
}

#[test]
fn a_profile_can_ask_for_signers_by_name_or_key() {
    let text = bundle(1, Predicate::File, vec![subject("SKILL.md", b"x")]);
    for (signers, good) in [(&["publisher 1"][..], true), (&["default"], true), (&["publisher 2"], false), (&[], true)]
    {
        let signers: Vec<String> = signers.iter().map(|&signer| signer.to_owned()).collect();
        let rules = rules_of(Policy { enforcement: Enforcement::Audit, ..policy(&[1]) }).requiring(&signers);
        assert_eq!(rules.enforcement(), Enforcement::Deny);
        let verdict = beside(&rules, "/project/SKILL.md", b"x", &text);
        assert_eq!(verdict == Verdict::Verified(publisher(1)), good, "{signers:?}: {verdict:?}");
    }
}
