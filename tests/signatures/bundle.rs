//! Any bytes as a bundle. Shared with the fuzzer.

use nono::profile::abs_path::AbsPath;
use nono::trust::bundle;
use nono::trust::digest::Digest;
use nono::trust::policy::{Level, Origin, Policy, Publisher, Rules};
use nono::trust::public_key::PublicKey;
use nono::trust::tlog::{self, Signed};
use nono::trust::tsa;
use nono::trust::verify::{Bundles, Verdict, verify_artifact, verify_policy};

/// The key whose private half is 32 bytes of one. Some of the corpus is signed with it.
const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEb/A7lJJBzh2t1DUZ5pYOCoW0GmmgXDKBA6orzhWUyhY8\
                   T3U6Vb8B3FP2wLDH7ueLQMb/fSWpbiKCuYnO9xwUSg==";

/// Reads `bytes` as a bundle: what is read is the same after it was written, and one bundle never speaks for two contents of
/// a file, nor for anything where its signer is not trusted.
///
/// # Errors
/// The first thing that does not hold, in words.
pub(crate) fn agree(bytes: &[u8]) -> Result<(), String> {
    let key = PublicKey::from_base64(KEY).map_err(|error| error.to_string())?;
    if let Ok(bundle) = bundle::read(bytes) {
        let text = bundle.to_json();
        if bundle::read(text.as_bytes()).as_ref() != Ok(&bundle) {
            return Err(format!("written and read again it is another bundle: {text}"));
        }
        // What logs and authorities say is looked at once the signature holds; here it is for any.
        let digest = Digest::of(b"be kind\n");
        let signed = Signed { signature: b"signature", key: &key, digest, payload: Some(digest) };
        let _ = tlog::check(&bundle.log_entries, bundle.version, signed);
        if bundle
            .timestamps
            .iter()
            .any(|reply| tsa::check(reply, b"one").is_ok() && tsa::check(reply, b"other").is_ok())
        {
            return Err("a time stamp is about two signatures".to_owned());
        }
    }
    let publisher = Publisher::keyed("signer", "default", key.clone());
    if passes(bytes, vec![publisher.clone()], b"be kind\n")? && passes(bytes, vec![publisher.clone()], b"be evil\n")? {
        return Err("it speaks for two contents".to_owned());
    }
    if passes(bytes, Vec::new(), b"be kind\n")? {
        return Err("it speaks for a signer whom nobody trusts".to_owned());
    }
    // Neither may panic; whether they hold is asked by the tests of the cases.
    let _ = verify_artifact(b"be kind\n", bytes, &key);
    let _ = verify_policy(b"{}", bytes, &[publisher]);
    Ok(())
}

/// Whether `/project/SKILL.md` passes with this content.
fn passes(bytes: &[u8], publishers: Vec<Publisher>, content: &[u8]) -> Result<bool, String> {
    let root = AbsPath::root().join(b"project");
    let file = root.join(b"SKILL.md");
    let level =
        Level { origin: Origin::Project(root.clone()), policy: Policy::new(Vec::new(), publishers), believed: true };
    let rules = Rules::new(&[level], &[root], &[]);
    let opened = rules.open(bytes);
    let bundles = Bundles { sidecar: Some(&opened), project: None };
    match rules.judge(&file, Digest::of(content), bundles) {
        Verdict::Blocked(why) => Err(format!("nothing is blocked, and yet {why}")),
        Verdict::Failed(_) => Ok(false),
        Verdict::Verified(_) => Ok(true),
    }
}
