//! Bundles that others made. `vectors/` holds cases of github.com/sigstore/sigstore-conformance, `test/assets/bundle-verify/`
//! (Apache-2.0, the Sigstore authors), each under the name it has there; those that end in `_fail` must not verify. `a.txt` is
//! what they signed. `managed-key-wrong-key_fail` has the bundle of `managed-key-happy-path` and another key.

use nono::trust::bundle::{self, Content};
use nono::trust::public_key::PublicKey;
use nono::trust::verify::{Failure, verify_artifact};

const ARTIFACT: &[u8] = include_bytes!("vectors/a.txt");
const BUNDLE: &[u8] = include_bytes!("vectors/managed-key-happy-path.json");
const KEY: &str = include_str!("vectors/managed-key-happy-path.pub");
const WRONG_KEY: &str = include_str!("vectors/managed-key-wrong-key_fail.pub");

#[test]
fn the_key_of_another_signer_verifies_what_it_signed_and_nothing_else() {
    let key = PublicKey::from_pem(KEY).expect("a key");
    let read = bundle::read(BUNDLE).expect("a bundle");
    let Content::Message { signature, .. } = &read.content else { panic!("it signs the bytes of a file") };
    assert!(key.verifies(ARTIFACT, signature));
    assert!(!key.verifies(&ARTIFACT[1..], signature));
    assert!(!super::key(1).verifies(ARTIFACT, signature));
    assert_eq!(bundle::read(read.to_json().as_bytes()), Ok(read));
}

#[test]
fn a_log_entry_and_a_time_stamp_that_cannot_be_checked_are_not_passed_over() {
    let key = PublicKey::from_pem(KEY).expect("a key");
    let mut bundle = bundle::read(BUNDLE).expect("a bundle");
    let checked = |bundle: &bundle::Bundle, artifact| verify_artifact(artifact, bundle.to_json().as_bytes(), &key);
    assert!(matches!(checked(&bundle, ARTIFACT), Err(Failure::Unchecked { .. })));
    bundle.log_entries.clear();
    assert!(matches!(checked(&bundle, ARTIFACT), Err(Failure::Unchecked { .. })));
    bundle.timestamps.clear();
    assert_eq!(checked(&bundle, ARTIFACT), Ok(()));
    assert!(matches!(checked(&bundle, b"other"), Err(Failure::OtherContent { .. })));
    assert_eq!(verify_artifact(ARTIFACT, bundle.to_json().as_bytes(), &super::key(1)), Err(Failure::SignatureWrong));
    // Without the digest, which nobody signed, the signature alone decides.
    let Content::Message { digest, .. } = &mut bundle.content else { panic!("it signs the bytes of a file") };
    *digest = None;
    assert_eq!(checked(&bundle, ARTIFACT), Ok(()));
    assert_eq!(checked(&bundle, b"other"), Err(Failure::SignatureWrong));
}

#[test]
fn a_key_that_is_none_verifies_nothing() {
    assert!(PublicKey::from_pem(WRONG_KEY).is_err());
}

#[test]
fn a_bundle_that_is_none_is_refused_for_what_is_wrong_with_it() {
    for (name, text, expected) in [
        (
            "bundle-invalid-base64-signature_fail",
            include_str!("vectors/bundle-invalid-base64-signature_fail.json"),
            "base64",
        ),
        ("bundle-malformed-json_fail", include_str!("vectors/bundle-malformed-json_fail.json"), "line 1"),
        ("bundle-unknown-version_fail", include_str!("vectors/bundle-unknown-version_fail.json"), "0.1, 0.2 or 0.3"),
    ] {
        let why = bundle::read(text.as_bytes()).expect_err(name).to_string();
        assert!(why.contains(expected), "{name}: {why}");
        super::refused(name, text);
    }
}
