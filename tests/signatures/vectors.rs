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
fn a_log_entry_and_a_time_stamp_are_about_the_signature_or_the_bundle_fails() {
    let Some(managed) = managed() else { return };
    let (key, artifact) = (PublicKey::from_pem(&managed.key).expect("a key"), managed.artifact.as_slice());
    let whole = bundle::read(&managed.bundle).expect("a bundle");
    let checked =
        |bundle: &bundle::Bundle, artifact: &[u8]| verify_artifact(artifact, bundle.to_json().as_bytes(), &key);
    assert_eq!(checked(&whole, artifact), Ok(()));
    assert!(matches!(checked(&whole, b"other"), Err(Failure::OtherContent { .. })));
    let changes: [(&str, Change); 17] = [
        ("there twice", |bundle| bundle.log_entries.extend(bundle.log_entries.clone())),
        ("another kind", |bundle| bundle.log_entries[0].kind = "dsse".to_owned()),
        ("another kind", |bundle| bundle.log_entries[0].kind_version = "0.0.2".to_owned()),
        ("another log", |bundle| bundle.log_entries[0].log_key_id[0] ^= 1),
        ("no proof", |bundle| bundle.log_entries[0].inclusion_proof = None),
        ("another content", |bundle| in_body(bundle, "a0cfc712", "b0cfc712")),
        ("another signature", |bundle| in_body(bundle, "MEUCIQCACfhp", "MEUCIQCACfhq")),
        ("malformed", |bundle| bundle.log_entries[0].canonicalized_body = b"{}".to_vec()),
        ("malformed", |bundle| in_body(bundle, "sha256", "sha1")),
        ("the root", |bundle| in_body(bundle, "{\"apiVersion\"", " {\"apiVersion\"")),
        ("no checkpoint", |bundle| proof(bundle).checkpoint = None),
        ("another tree", |bundle| proof(bundle).tree_size += 1),
        ("another tree", |bundle| proof(bundle).root_hash[0] ^= 1),
        ("the root", |bundle| proof(bundle).hashes.truncate(3)),
        ("the root", |bundle| proof(bundle).log_index = i64::MAX as u64),
        ("no reply", |bundle| bundle.timestamps[0].truncate(100)),
        ("another signature", |bundle| {
            let imprint = bundle.timestamps[0].windows(4).position(|four| four == [0x2e, 0x47, 0xcf, 0x4a]);
            bundle.timestamps[0][imprint.expect("the digest of the signature")] ^= 1;
        }),
    ];
    for (expected, change) in changes {
        let mut bundle = whole.clone();
        change(&mut bundle);
        let failure = checked(&bundle, artifact).expect_err(expected);
        assert!(matches!(failure, Failure::EvidenceWrong { .. }), "{expected}: {failure:?}");
        assert!(failure.to_string().contains(expected), "{expected}: {failure}");
    }
    // A twin of the signature is a signature, and not the one that was logged (RFC 6979 leaves both).
    let mut twin = whole.clone();
    let Content::Message { signature, .. } = &mut twin.content else { panic!("it signs the bytes of a file") };
    let read = p256::ecdsa::Signature::from_der(signature).expect("a signature");
    let (r, s) = read.split_scalars();
    *signature = p256::ecdsa::Signature::from_scalars(r, -*s).expect("its twin").to_der().as_bytes().to_vec();
    assert!(matches!(checked(&twin, artifact), Err(Failure::EvidenceWrong { .. })));
    (twin.log_entries, twin.timestamps) = (Vec::new(), Vec::new());
    assert_eq!(checked(&twin, artifact), Ok(()));
    assert_eq!(verify_artifact(artifact, twin.to_json().as_bytes(), &super::key(1)), Err(Failure::SignatureWrong));
    // Without the digest, which nobody signed, the signature alone decides.
    let Content::Message { digest, .. } = &mut twin.content else { panic!("it signs the bytes of a file") };
    *digest = None;
    assert_eq!(checked(&twin, artifact), Ok(()));
    assert_eq!(checked(&twin, b"other"), Err(Failure::SignatureWrong));
}

/// Something that is done to a bundle.
type Change = fn(&mut bundle::Bundle);

fn proof(bundle: &mut bundle::Bundle) -> &mut bundle::InclusionProof {
    bundle.log_entries[0].inclusion_proof.as_mut().expect("a proof")
}

/// Writes something else into the body of the entry.
fn in_body(bundle: &mut bundle::Bundle, from: &str, to: &str) {
    let body = &mut bundle.log_entries[0].canonicalized_body;
    let text = String::from_utf8(body.clone()).expect("text");
    assert!(text.contains(from), "{from}");
    *body = text.replacen(from, to, 1).into_bytes();
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
