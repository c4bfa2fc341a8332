//! Bundles that others made: cases of github.com/sigstore/sigstore-conformance, `test/assets/bundle-verify/` (Apache-2.0, the
//! Sigstore authors), each under the name it has there; those that end in `_fail` must not verify. `a.txt` is what they signed.

use std::fs;

use nono::trust::bundle::{self, Content};
use nono::trust::public_key::PublicKey;
use nono::trust::verify::{Failure, verify_artifact};

use crate::cases_of_others;

/// The cases of a managed key; nothing where they are not there.
struct Managed {
    artifact: Vec<u8>,
    bundle: Vec<u8>,
    key: String,
    wrong_key: String,
}

fn managed() -> Option<Managed> {
    let folder = cases_of_others::folder("sigstore")?;
    let read = |name: &str| fs::read(folder.join(name)).expect("a vector");
    let text = |name: &str| String::from_utf8(read(name)).expect("a key in PEM");
    Some(Managed {
        artifact: read("a.txt"),
        bundle: read("managed-key-happy-path/bundle.sigstore.json"),
        key: text("managed-key-happy-path/key.pub"),
        wrong_key: text("managed-key-wrong-key_fail/key.pub"),
    })
}

#[test]
fn the_key_of_another_signer_verifies_what_it_signed_and_nothing_else() {
    let Some(managed) = managed() else { return };
    let (key, artifact) = (PublicKey::from_pem(&managed.key).expect("a key"), managed.artifact.as_slice());
    let read = bundle::read(&managed.bundle).expect("a bundle");
    let Content::Message { signature, .. } = &read.content else { panic!("it signs the bytes of a file") };
    assert!(key.verifies(artifact, signature));
    assert!(!key.verifies(&artifact[1..], signature));
    assert!(!super::key(1).verifies(artifact, signature));
    assert_eq!(bundle::read(read.to_json().as_bytes()), Ok(read));
}

#[test]
fn a_log_entry_and_a_time_stamp_that_cannot_be_checked_are_not_passed_over() {
    let Some(managed) = managed() else { return };
    let (key, artifact) = (PublicKey::from_pem(&managed.key).expect("a key"), managed.artifact.as_slice());
    let mut bundle = bundle::read(&managed.bundle).expect("a bundle");
    let checked =
        |bundle: &bundle::Bundle, artifact: &[u8]| verify_artifact(artifact, bundle.to_json().as_bytes(), &key);
    assert!(matches!(checked(&bundle, artifact), Err(Failure::Unchecked { .. })));
    bundle.log_entries.clear();
    assert!(matches!(checked(&bundle, artifact), Err(Failure::Unchecked { .. })));
    bundle.timestamps.clear();
    assert_eq!(checked(&bundle, artifact), Ok(()));
    assert!(matches!(checked(&bundle, b"other"), Err(Failure::OtherContent { .. })));
    assert_eq!(verify_artifact(artifact, bundle.to_json().as_bytes(), &super::key(1)), Err(Failure::SignatureWrong));
    // Without the digest, which nobody signed, the signature alone decides.
    let Content::Message { digest, .. } = &mut bundle.content else { panic!("it signs the bytes of a file") };
    *digest = None;
    assert_eq!(checked(&bundle, artifact), Ok(()));
    assert_eq!(checked(&bundle, b"other"), Err(Failure::SignatureWrong));
}

#[test]
fn a_key_that_is_none_verifies_nothing() {
    let Some(managed) = managed() else { return };
    assert!(PublicKey::from_pem(&managed.wrong_key).is_err());
}

#[test]
fn a_bundle_that_is_none_is_refused_for_what_is_wrong_with_it() {
    let Some(folder) = cases_of_others::folder("sigstore") else { return };
    for (name, expected) in [
        ("bundle-invalid-base64-signature_fail", "base64"),
        ("bundle-malformed-json_fail", "line 1"),
        ("bundle-unknown-version_fail", "0.1, 0.2 or 0.3"),
    ] {
        let files = cases_of_others::files(&folder.join(name));
        let (_, content) = files.iter().find(|(path, _)| path.to_string_lossy().contains("bundle.")).expect(name);
        let why = bundle::read(content).expect_err(name).to_string();
        assert!(why.contains(expected), "{name}: {why}");
        super::refused(name, content);
    }
}
