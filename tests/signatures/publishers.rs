//! Whose signature it is, and about which file: what a bundle or a policy claims does not decide either.

use nono::trust::bundle::{Bundle, Material, PAYLOAD_TYPE};
use nono::trust::digest::Digest;
use nono::trust::policy::{self, BlockedDigest, BlockedPublisher, Identity, Policy, Publisher};
use nono::trust::statement::{Predicate, Statement, Subject};
use nono::trust::verify::{Bundles, Verdict, verify_artifact, verify_policy};
use serde_json::{Value, json};

use super::{
    CONTENT, NAME, base64, changed, good, judged, key, passes, path, publisher, refused, rules, signed, signed_change,
    statement,
};

#[test]
fn a_hint_chooses_a_key_and_proves_nothing() {
    let hint = |hint: &str| changed(|bundle| bundle["verificationMaterial"]["publicKey"]["hint"] = hint.into());
    let fingerprint = key(1).fingerprint();
    passes("hexadecimal", hint(&fingerprint.to_string()));
    passes("upper case", hint(&fingerprint.to_string().to_uppercase()));
    passes("base64", hint(&base64(fingerprint.as_bytes())));
    passes("the name of the key", hint("default"));
    let other = key(2).fingerprint();
    for wrong in ["", "other", "publisher 1", "*", &other.to_string(), &base64(other.as_bytes()), &key(1).to_base64()] {
        refused(wrong, hint(wrong));
    }
    // Signed by a stranger, under every hint that means the publisher.
    let stranger = signed(2, PAYLOAD_TYPE, statement(Predicate::File, &[NAME]).to_json().as_bytes());
    for lie in [fingerprint.to_string(), base64(fingerprint.as_bytes()), "default".to_owned()] {
        let bundle = Bundle { material: Material::PublicKey { hint: lie.clone() }, ..stranger.clone() };
        refused(&lie, bundle.to_json());
    }
}

#[test]
fn two_names_of_the_key_are_the_same() {
    let keyid = |keyid: &str| changed(|bundle| bundle["dsseEnvelope"]["signatures"][0]["keyid"] = keyid.into());
    passes("the hint", keyid(&key(1).fingerprint().to_string()));
    for other in ["default", "other", &key(2).fingerprint().to_string()] {
        refused(other, keyid(other));
    }
}

#[test]
fn the_name_under_which_a_key_signs_is_the_publishers() {
    refused("another", signed_change(|payload| payload["predicate"]["signer"]["key_id"] = "other".into()));
    refused("none", signed_change(|payload| payload["predicate"]["signer"]["key_id"] = "".into()));
    refused("a number", signed_change(|payload| payload["predicate"]["signer"]["key_id"] = json!(1)));
    // What the predicate claims of a certificate counts for nothing: the key made the signature.
    let claims = json!({ "kind": "keyless", "repository": "org/repo", "issuer": "https://issuer.example" });
    passes("claims of a certificate", signed_change(|payload| payload["predicate"]["signer"] = claims.clone()));
    let stranger = signed(2, PAYLOAD_TYPE, statement(Predicate::File, &[NAME]).to_json().as_bytes());
    refused("the right name for another key", stranger.to_json());
}

#[test]
fn a_publisher_with_claims_of_a_certificate_takes_no_key_and_the_other_way_round() {
    let issuer = key(1).fingerprint().to_string();
    let keyless = |repository: Option<&str>| Publisher {
        name: "publisher 1".to_owned(),
        identity: Identity::Keyless {
            issuer: issuer.clone(),
            repository: repository.map(str::to_owned),
            workflow: None,
            ref_pattern: None,
        },
    };
    for trusted in [keyless(None), keyless(Some("*"))] {
        let rules = rules(Policy::new(Vec::new(), vec![trusted]));
        let opened = rules.open(good().as_bytes());
        let bundles = Bundles { sidecar: Some(&opened), project: None };
        let verdict = rules.judge(&path("/project/SKILL.md"), Digest::of(CONTENT), bundles);
        assert!(matches!(verdict, Verdict::Failed(_)), "{verdict:?}");
    }
    refused(
        "a certificate in the place of the key",
        changed(|bundle| {
            bundle["verificationMaterial"] = json!({ "certificate": { "rawBytes": base64(key(1).as_der()) } });
        }),
    );
}

#[test]
fn a_publisher_that_would_match_nobody_or_everybody_is_no_publisher() {
    let public_key = key(1).to_base64();
    let sound = json!({ "name": "a", "key_id": "k", "public_key": public_key });
    assert!(read_with("publishers", &sound));
    assert!(read_with("publishers", &json!({ "name": "a", "issuer": "https://issuer.example" })));
    for wrong in [
        json!({}),
        json!({ "name": "a" }),
        json!({ "name": "", "key_id": "k", "public_key": public_key }),
        json!({ "name": "a", "key_id": "", "public_key": public_key }),
        json!({ "name": "a", "key_id": "k", "public_key": "" }),
        json!({ "name": "a", "key_id": "k", "public_key": null }),
        json!({ "name": "a", "key_id": "k" }),
        json!({ "name": "a", "public_key": public_key }),
        json!({ "key_id": "k", "public_key": public_key }),
        json!({ "name": "a", "issuer": "" }),
        json!({ "name": "a", "issuer": null }),
        json!({ "name": "a", "repository": "org/repo" }),
        json!({ "name": "a", "issuer": "https://issuer.example", "repository": "" }),
        json!({ "name": "a", "issuer": "https://issuer.example", "workflow": "" }),
        json!({ "name": "a", "issuer": "https://issuer.example", "ref_pattern": "" }),
        json!({ "name": "a", "key_id": "k", "public_key": public_key, "issuer": "https://issuer.example" }),
        json!({ "name": "a", "key_id": "k", "public_key": public_key, "issuers": "x" }),
        json!({ "name": ["a"], "key_id": "k", "public_key": public_key }),
        json!(null),
        json!("a"),
    ] {
        assert!(!read_with("publishers", &wrong), "{wrong}");
    }
    let twice = format!(
        "{{\"version\":1,\"publishers\":[{}]}}",
        sound.to_string().replacen("\"name\":", "\"name\":\"b\",\"name\":", 1)
    );
    assert!(policy::read(twice.as_bytes()).is_err());
}

#[test]
fn what_a_policy_does_not_say_clearly_it_does_not_say() {
    for (text, good) in [
        (r#"{"version":1}"#, true),
        (r#"{"version":1,"enforcement":"warn","includes":["SKILL*"],"strict_paths":true,"protect":false}"#, true),
        (r#"{}"#, false),
        (r#"{"version":2}"#, false),
        (r#"{"version":1.0}"#, false),
        (r#"{"version":1,"version":1}"#, false),
        (r#"{"version":1,"enforcement":"Deny"}"#, false),
        (r#"{"version":1,"enforcement":"off"}"#, false),
        (r#"{"version":1,"enforcement":["deny"]}"#, false),
        (r#"{"version":1,"enforcement":"deny","enforcement":"audit"}"#, false),
        (r#"{"version":1,"include":["SKILL*"]}"#, false),
        (r#"{"version":1,"includes":["!SKILL*"]}"#, false),
        (r#"{"version":1,"includes":[""]}"#, false),
        (r#"{"version":1,"includes":"SKILL*"}"#, false),
        (r#"{"version":1,"protect":"yes"}"#, false),
        (r#"{"version":1,"blocklist":[]}"#, false),
        (r#"{"version":1,"blocklist":{"digests":[{"sha256":"e3b0"}]}}"#, false),
        (r#"{"version":1,"blocklist":{"publishers":[{"description":"nobody"}]}}"#, false),
        (r#"{"version":1}{"version":1}"#, false),
        ("\u{feff}{\"version\":1}", false),
        ("[1]", false),
        ("", false),
    ] {
        assert_eq!(policy::read(text.as_bytes()).is_ok(), good, "{text}");
    }
    let many = |key: &str, count: usize| json!({ "version": 1, key: vec!["SKILL*"; count] }).to_string();
    assert!(policy::read(many("includes", 1000).as_bytes()).is_ok());
    assert!(policy::read(many("includes", 1001).as_bytes()).is_err());
}

#[test]
fn a_bundle_of_one_kind_stands_for_no_other() {
    let of = |predicate: Predicate, names: &[&str]| {
        signed(1, PAYLOAD_TYPE, statement(predicate, names).to_json().as_bytes()).to_json()
    };
    passes("a file's", of(Predicate::File, &[NAME]));
    refused("a policy's", of(Predicate::Policy, &[NAME]));
    refused("a set's", of(Predicate::Files, &[NAME]));
    let trusted = [publisher(1)];
    let policy_name = policy::FILE_NAME;
    assert!(verify_policy(CONTENT, of(Predicate::Policy, &[policy_name]).as_bytes(), &trusted).is_ok());
    for (predicate, name) in [
        (Predicate::File, policy_name),
        (Predicate::Files, policy_name),
        (Predicate::Policy, NAME),
        (Predicate::Policy, "a/trust-policy.json"),
        (Predicate::Policy, "Trust-Policy.json"),
    ] {
        assert!(verify_policy(CONTENT, of(predicate, &[name]).as_bytes(), &trusted).is_err(), "{name}");
    }
    assert!(verify_policy(b"other", of(Predicate::Policy, &[policy_name]).as_bytes(), &trusted).is_err());
    assert!(verify_policy(CONTENT, of(Predicate::Policy, &[policy_name]).as_bytes(), &[publisher(2)]).is_err());
    assert!(verify_policy(CONTENT, of(Predicate::Policy, &[policy_name]).as_bytes(), &[]).is_err());
}

#[test]
fn a_bundle_speaks_for_the_path_it_was_made_for() {
    let of = |name: &str| signed(1, PAYLOAD_TYPE, statement(Predicate::File, &[name]).to_json().as_bytes()).to_json();
    for (signed_name, file, good) in [
        ("a/SKILL.md", "/project/a/SKILL.md", true),
        ("a/SKILL.md", "/project/b/SKILL.md", false),
        ("a/SKILL.md", "/project/SKILL.md", false),
        ("a/SKILL.md", "/project/a/a/SKILL.md", false),
        ("a/SKILL.md", "/project/A/SKILL.md", false),
        ("a/SKILL.md", "/projects/a/SKILL.md", false),
        ("a/SKILL.md", "/other/project/a/SKILL.md", false),
        ("SKILL.md", "/project/SKILL.md", true),
        ("SKILL.md", "/project/a/SKILL.md", false),
        ("SKILL.md", "/project/SKILL.md.bak", false),
        ("project/SKILL.md", "/project/SKILL.md", false),
    ] {
        let verdict = judged(file, of(signed_name).as_bytes());
        assert_eq!(verdict == Verdict::Verified(publisher(1)), good, "{signed_name} {file}: {verdict:?}");
    }
}

#[test]
fn a_set_speaks_for_its_files_with_their_bytes_and_for_no_more() {
    let subject = |name: &str, content: &[u8]| Subject { name: name.to_owned(), digest: Digest::of(content) };
    let set = |subjects| {
        signed(1, PAYLOAD_TYPE, Statement::keyed(Predicate::Files, subjects, "default").to_json().as_bytes()).to_json()
    };
    let rules = rules(super::policy(&[1]));
    let root = path("/project");
    let opened = rules.open(set(vec![subject("SKILL.md", b"1"), subject("a/SKILL.md", b"2")]).as_bytes());
    let bundles = Bundles { sidecar: None, project: Some((&root, &opened)) };
    for (file, content, good) in [
        ("/project/SKILL.md", b"1", true),
        ("/project/a/SKILL.md", b"2", true),
        ("/project/SKILL.md", b"2", false),
        ("/project/a/SKILL.md", b"1", false),
        ("/project/b/SKILL.md", b"1", false),
        ("/project/SKILL-extra.md", b"1", false),
        ("/elsewhere/SKILL.md", b"1", false),
    ] {
        let verdict = rules.judge(&path(file), Digest::of(content), bundles);
        assert_eq!(verdict == Verdict::Verified(publisher(1)), good, "{file}: {verdict:?}");
    }
    // A file that was taken out of the set is no part of what is signed.
    let smaller = rules.open(set(vec![subject("a/SKILL.md", b"2")]).as_bytes());
    let bundles = Bundles { sidecar: None, project: Some((&root, &smaller)) };
    assert!(matches!(rules.judge(&path("/project/SKILL.md"), Digest::of(b"1"), bundles), Verdict::Failed(_)));
    let twice = rules.open(set(vec![subject("SKILL.md", b"1"), subject("SKILL.md", b"2")]).as_bytes());
    let bundles = Bundles { sidecar: None, project: Some((&root, &twice)) };
    assert!(matches!(rules.judge(&path("/project/SKILL.md"), Digest::of(b"1"), bundles), Verdict::Failed(_)));
}

#[test]
fn a_blocked_digest_is_blocked_however_it_is_written_and_whoever_signed() {
    let digest = Digest::of(CONTENT).to_string();
    for written in [digest.clone(), digest.to_uppercase()] {
        let text = json!({ "version": 1, "blocklist": { "digests": [{ "sha256": written }] } }).to_string();
        let blocklist = policy::read(text.as_bytes()).expect("a policy").blocklist;
        assert_eq!(blocklist.digests, [BlockedDigest { sha256: Digest::of(CONTENT), description: None, added: None }]);
        assert!(blocked(Policy { blocklist, ..super::policy(&[1]) }, &good()));
    }
    assert!(!blocked(super::policy(&[1]), &good()));
}

#[test]
fn a_blocked_key_is_blocked_under_every_hint() {
    let mut policy = super::policy(&[1]);
    let entry = BlockedPublisher { public_key: Some(key(1)), ..BlockedPublisher::default() };
    policy.blocklist.publishers = vec![entry];
    let other = key(2).fingerprint().to_string();
    for hint in ["default", "", "nobody", &other, &base64(key(1).fingerprint().as_bytes())] {
        let bundle = changed(|bundle| bundle["verificationMaterial"]["publicKey"]["hint"] = hint.into());
        assert!(blocked(policy.clone(), &bundle), "{hint}");
    }
    let others = signed(2, PAYLOAD_TYPE, statement(Predicate::File, &[NAME]).to_json().as_bytes()).to_json();
    assert!(!blocked(policy, &others));
}

#[test]
fn an_artifact_is_the_signed_one_for_its_key_alone() {
    let bundle = good();
    assert!(verify_artifact(CONTENT, bundle.as_bytes(), &key(1)).is_ok());
    assert!(verify_artifact(CONTENT, bundle.as_bytes(), &key(2)).is_err());
    assert!(verify_artifact(b"other", bundle.as_bytes(), &key(1)).is_err());
    assert!(verify_artifact(b"", bundle.as_bytes(), &key(1)).is_err());
}

/// Whether a policy with this one entry in the list `key` is read.
fn read_with(key: &str, entry: &Value) -> bool {
    policy::read(json!({ "version": 1, key: [entry] }).to_string().as_bytes()).is_ok()
}

fn blocked(policy: Policy, bundle: &str) -> bool {
    let rules = rules(policy);
    let opened = rules.open(bundle.as_bytes());
    let bundles = Bundles { sidecar: Some(&opened), project: None };
    matches!(rules.judge(&path("/project/SKILL.md"), Digest::of(CONTENT), bundles), Verdict::Blocked(_))
}
