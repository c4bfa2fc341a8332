//! Signatures and keys that are none, or are some in a form in which nobody writes them (FIPS 186-5, RFC 3279 section 2.2.3,
//! RFC 5480, SEC 1 section 2.3).

use nono::trust::policy;
use nono::trust::public_key::{KeyError, PublicKey};
use p256::ecdsa::Signature;
use serde_json::{Value, json};

use super::{base64, changed, good, key, passes, refused};

/// The order of the curve (FIPS 186-5, NIST SP 800-186 section 3.2.1.3).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];
/// `SubjectPublicKeyInfo` of a key on P-256, up to the bit string (RFC 5480, section 2).
const HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

#[test]
fn the_twin_with_the_other_s_is_a_signature_as_well_and_stands_for_nothing_else() {
    let signature = Signature::from_der(&good_signature()).expect("a signature");
    let (r, s) = signature.split_scalars();
    let twin = Signature::from_scalars(r.to_bytes(), (-*s).to_bytes()).expect("a signature");
    assert_ne!(signature, twin);
    passes("the twin", with(twin.to_der().as_bytes()));
    let other = super::signed_change(|payload| payload["subject"][0]["name"] = "other".into());
    let other: Value = serde_json::from_str(&other).expect("a document");
    refused(
        "for another",
        changed(|bundle| {
            bundle["dsseEnvelope"]["signatures"] = other["dsseEnvelope"]["signatures"].clone();
        }),
    );
}

#[test]
fn a_signature_is_two_numbers_between_zero_and_the_order() {
    let signature = Signature::from_der(&good_signature()).expect("a signature");
    let (r, s) = signature.split_bytes();
    let (r, s) = (r.to_vec(), s.to_vec());
    passes("itself", with(&der(&positive(&r), &positive(&s))));
    let order = positive(&ORDER);
    let zero = vec![0x02, 0x01, 0x00];
    let most = positive(&[0xff; 32]);
    let (r, s) = (positive(&r), positive(&s));
    for (case, r, s) in [
        ("r = 0", &zero, &s),
        ("s = 0", &r, &zero),
        ("both 0", &zero, &zero),
        ("r = n", &order, &s),
        ("s = n", &r, &order),
        ("r over n", &most, &s),
        ("s over n", &r, &most),
        ("r = -1", &vec![0x02, 0x01, 0xff], &s),
        ("s = -1", &r, &vec![0x02, 0x01, 0xff]),
        ("r = s = 1", &vec![0x02, 0x01, 0x01], &vec![0x02, 0x01, 0x01]),
        ("r of no byte", &vec![0x02, 0x00], &s),
        ("the wrong way round", &s, &r),
        ("r of 100 bytes", &positive(&[1; 100]), &s),
        ("a text as r", &vec![0x0c, 0x01, 0x31], &s),
    ] {
        refused(case, with(&der(r, s)));
    }
}

#[test]
fn a_signature_has_one_encoding() {
    let sound = good_signature();
    let (head, body) = sound.split_at(2);
    passes("itself", with(&[head, body].concat()));
    let r_length = usize::from(body[1]);
    let (r, s) = body.split_at(2 + r_length);
    let padded = [&[0x02, r[1] + 1, 0x00], &r[2..]].concat();
    for (case, bytes) in [
        ("a byte behind it", [&sound[..], &[0]].concat()),
        ("a byte inside", der(r, &[s, &[0]].concat())),
        ("a long length", [&[0x30, 0x81, head[1]], body].concat()),
        ("a longer length", [&[0x30, 0x82, 0x00, head[1]], body].concat()),
        ("no definite length", [&[0x30, 0x80], body, &[0, 0]].concat()),
        ("a long length inside", der(&[&[0x02, 0x81, r[1]], &r[2..]].concat(), s)),
        ("a zero in front", der(&padded, s)),
        ("cut", sound[..sound.len() - 1].to_vec()),
        ("one number", der(r, &[])),
        ("three numbers", der(&[r, s].concat(), &[0x02, 0x01, 0x01])),
        ("a set", [&[0x31, head[1]], body].concat()),
        ("raw", vec![1; 64]),
        ("raw and true", Signature::from_der(&sound).expect("a signature").to_bytes().to_vec()),
        ("huge", vec![0x30; 100_000]),
    ] {
        refused(case, with(&bytes));
    }
    for index in 0..sound.len() {
        let mut flipped = sound.clone();
        flipped[index] ^= 1;
        refused(&format!("byte {index}"), with(&flipped));
    }
}

#[test]
fn a_key_is_a_whole_point_on_p256_in_its_one_encoding() {
    let sound = key(1).as_der().to_vec();
    assert_eq!(sound[..26], HEAD);
    assert_eq!(PublicKey::from_der(&sound), Ok(key(1)));
    let (x, y) = (&sound[27..59], &sound[59..91]);
    let spki = |point: &[u8]| {
        let mut der = HEAD.to_vec();
        der[1] = u8::try_from(point.len()).expect("short") + 24;
        der[24] = u8::try_from(point.len()).expect("short") + 1;
        [&der, point].concat()
    };
    let replaced = |from: usize, bytes: &[u8]| {
        let mut der = sound.clone();
        der[from..from + bytes.len()].copy_from_slice(bytes);
        der
    };
    assert_eq!(PublicKey::from_der(&spki(&sound[26..])), Ok(key(1)));
    for (case, der) in [
        ("nothing", Vec::new()),
        ("infinity", spki(&[0])),
        ("infinity in full", spki(&[&[0; 1][..], &[0; 64]].concat())),
        ("compressed", spki(&[&[2 + (y[31] & 1)], x].concat())),
        ("hybrid", spki(&[&[6 + (y[31] & 1)], x, y].concat())),
        ("compact", spki(&[&[5], x].concat())),
        ("off the curve", replaced(90, &[y[31] ^ 1])),
        ("zero", spki(&[&[4][..], &[0; 64]].concat())),
        ("over the field", spki(&[&[4][..], &[0xff; 64]].concat())),
        ("RSA", replaced(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01])),
        ("secp256k1", replaced(15, &[0x2b, 0x81, 0x04, 0x00, 0x0a, 0x05, 0x00, 0x00])),
        ("another prime curve", replaced(22, &[0x06])),
        ("P-384 in name", spki(&[&[4][..], &[1; 96]].concat())),
        ("a byte behind it", [&sound[..], &[0]].concat()),
        ("a long length", [&[0x30, 0x81], &sound[1..]].concat()),
        ("unused bits", replaced(25, &[1])),
        ("the bare point", sound[26..].to_vec()),
        ("cut", sound[..90].to_vec()),
    ] {
        assert_eq!(PublicKey::from_der(&der), Err(KeyError::NotP256), "{case}");
        let policy =
            json!({ "version": 1, "publishers": [{ "name": "a", "key_id": "k", "public_key": base64(&der) }] });
        assert!(policy::read(policy.to_string().as_bytes()).is_err(), "{case}");
    }
}

#[test]
fn a_key_of_another_curve_or_algorithm_is_no_key_of_a_policy() {
    // RFC 8032 section 7.1 (test 1), in the form of RFC 8410 section 4.
    let ed25519 = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    // RFC 6979 section A.2.6.
    let p384 = "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE7DpOQVtOGaRWhhgCn0J/pdqai8SukuAuBqrlKGswDGTe+PDqkFWGYGSiVF\
                FUgLwTgBXZty19VyROqO+awMYhiWcIpZNn+d+59UyoSz8cnbEoiyMcOuDU/nNE/SUzJkcg";
    for other in [ed25519, p384, "", "====", "not base64", &format!("{} ", key(1).to_base64())] {
        assert!(PublicKey::from_base64(other).is_err(), "{other}");
    }
}

#[test]
fn a_pem_file_holds_one_public_key_and_nothing_else() {
    let pem = key(1).to_pem();
    for (case, text, good) in [
        ("as it is written", pem.clone(), true),
        ("line ends of DOS", pem.replace('\n', "\r\n"), true),
        ("two", format!("{pem}{pem}"), false),
        ("another label", pem.replace("PUBLIC KEY", "EC PUBLIC KEY"), false),
        ("a private key by its label", pem.replace("PUBLIC KEY", "PRIVATE KEY"), false),
        ("cut", pem.replace("-----END PUBLIC KEY-----", ""), false),
        ("a word in front", format!("x{pem}"), false),
        ("nothing", String::new(), false),
    ] {
        assert_eq!(PublicKey::from_pem(&text).is_ok(), good, "{case}");
    }
}

fn good_signature() -> Vec<u8> {
    let Ok(bundle) = nono::trust::bundle::read(good().as_bytes()) else { panic!("the good bundle is one") };
    match bundle.content {
        nono::trust::bundle::Content::Envelope(envelope) => envelope.signature,
        nono::trust::bundle::Content::Message { .. } => panic!("the good bundle has an envelope"),
    }
}

fn with(signature: &[u8]) -> String {
    changed(|bundle| bundle["dsseEnvelope"]["signatures"][0]["sig"] = base64(signature).into())
}

/// An `INTEGER` that is not negative, without zeros in front.
fn positive(bytes: &[u8]) -> Vec<u8> {
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1);
    let sign: &[u8] = if bytes[first] >= 0x80 { &[0] } else { &[] };
    let value = [sign, &bytes[first..]].concat();
    [&[0x02, u8::try_from(value.len()).expect("short")][..], &value].concat()
}

/// A `SEQUENCE` of two values.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let length = r.len() + s.len();
    let head = match u8::try_from(length) {
        Ok(short) if short < 0x80 => vec![0x30, short],
        _ => vec![0x30, 0x81, u8::try_from(length).expect("short")],
    };
    [&head, r, s].concat()
}
