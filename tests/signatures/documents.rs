//! Bundles and statements in a form that signers do not write (client-spec section 5, `sigstore_bundle.proto`, in-toto
//! `statement.md` v1, RFC 4648, RFC 8259).

use std::time::{Duration, Instant};

use nono::trust::bundle::PAYLOAD_TYPE;
use nono::trust::statement::Predicate;
use serde_json::{Value, json};

use super::{CONTENT, NAME, base64, changed, good, passes, refused, signed, signed_change, statement};

/// Another way to write base64.
type Spelling = fn(&str) -> String;

#[test]
fn the_good_bundle_passes_however_json_spaces_it() {
    let text = good();
    let document: Value = serde_json::from_str(&text).expect("a document");
    let pretty = format!("{document:#}");
    passes("as it is written", &text);
    passes("pretty", &pretty);
    passes("line ends of DOS", pretty.replace('\n', "\r\n"));
    passes("escapes", text.replace("mediaType", "media\\u0054ype"));
}

#[test]
fn a_bundle_has_one_kind_of_content_and_of_material() {
    let message = json!({ "signature": base64(b"x") });
    let certificate = json!({ "rawBytes": base64(b"x") });
    let chain = json!({ "certificates": [certificate] });
    refused("both contents", changed(|bundle| bundle["messageSignature"] = message.clone()));
    refused("no content", changed(|bundle| remove(bundle, "dsseEnvelope")));
    refused(
        "the other content",
        changed(|bundle| {
            remove(bundle, "dsseEnvelope");
            bundle["messageSignature"] = message;
        }),
    );
    for (name, other) in [("certificate", &certificate), ("x509CertificateChain", &chain)] {
        refused(name, changed(|bundle| bundle["verificationMaterial"][name] = other.clone()));
        let alone = changed(|bundle| bundle["verificationMaterial"] = json!({ name: other }));
        refused("alone", &alone);
        refused("older", alone.replace("bundle.v0.3+json", "bundle+json;version=0.1"));
    }
    refused("no material", changed(|bundle| bundle["verificationMaterial"] = json!({})));
}

#[test]
fn what_nobody_can_check_is_not_passed_over() {
    let entry = json!({ "logIndex": "1", "logId": { "keyId": base64(b"x") }, "integratedTime": "1",
        "kindVersion": { "kind": "dsse", "version": "0.0.1" }, "canonicalizedBody": base64(b"{}") });
    let stamp = json!({ "signedTimestamp": base64(b"x") });
    for (key, value) in [
        ("tlogEntries", json!([entry])),
        ("tlogEntries", Value::from(vec![entry; 33])),
        ("timestampVerificationData", json!({ "rfc3161Timestamps": [stamp] })),
    ] {
        refused(key, changed(|bundle| bundle["verificationMaterial"][key] = value));
    }
}

#[test]
fn only_known_media_types_are_bundles() {
    for (media_type, good) in [
        ("application/vnd.dev.sigstore.bundle.v0.3+json", true),
        ("application/vnd.dev.sigstore.bundle+json;version=0.1", true),
        ("application/vnd.dev.sigstore.bundle+json;version=0.2", true),
        ("application/vnd.dev.sigstore.bundle+json;version=0.3", true),
        ("application/vnd.dev.sigstore.bundle+json;version=99.9", false),
        ("application/vnd.dev.sigstore.bundle+json; version=0.3", false),
        ("application/vnd.dev.sigstore.bundle.v0.4+json", false),
        ("Application/vnd.dev.sigstore.bundle.v0.3+json", false),
        ("application/vnd.dev.sigstore.bundle.v0.3+json ", false),
        ("application/json", false),
        ("", false),
    ] {
        let bundle = changed(|bundle| bundle["mediaType"] = media_type.into());
        if good { passes(media_type, bundle) } else { drop(refused(media_type, bundle)) }
    }
    for wrong in [json!(3), json!(null), json!(["application/vnd.dev.sigstore.bundle.v0.3+json"])] {
        refused("media type", changed(|bundle| bundle["mediaType"] = wrong));
    }
}

#[test]
fn an_envelope_has_exactly_one_signature() {
    refused("none", changed(|bundle| *signatures(bundle) = json!([])));
    refused("no list", changed(|bundle| *signatures(bundle) = signatures(bundle)[0].take()));
    refused("missing", changed(|bundle| remove(&mut bundle["dsseEnvelope"], "signatures")));
    refused("an empty one", changed(|bundle| signatures(bundle)[0]["sig"] = "".into()));
    for other in [json!({ "sig": base64(b"x") }), json!({}), json!(null)] {
        refused("a second", changed(|bundle| signatures(bundle).as_array_mut().expect("a list").push(other)));
    }
    refused(
        "the same twice",
        changed(|bundle| {
            let only = signatures(bundle)[0].clone();
            *signatures(bundle) = json!([only, only]);
        }),
    );
}

#[test]
fn the_type_of_the_payload_is_the_one_that_is_known_and_signed() {
    let payload = statement(Predicate::File, &[NAME]).to_json();
    for wrong in ["application/vnd.in-toto+JSON", "application/vnd.in-toto+json ", "application/json", "", "text/plain"]
    {
        refused(wrong, changed(|bundle| bundle["dsseEnvelope"]["payloadType"] = wrong.into()));
        refused(wrong, signed(1, wrong, payload.as_bytes()).to_json());
    }
    // Lengths in front of both keep bytes from moving from the one into the other.
    let moved = signed(1, &format!("{PAYLOAD_TYPE} 3 abc"), b"").to_json();
    refused("moved", moved.replace(&format!("{PAYLOAD_TYPE} 3 abc"), PAYLOAD_TYPE));
}

#[test]
fn a_statement_is_of_the_one_known_version_and_about_one_file() {
    passes("itself", signed_change(|_| {}));
    passes("with what others add", signed_change(|payload| payload["predicate"]["more"] = json!([1, { "a": null }])));
    for wrong in [json!("https://in-toto.io/Statement/v0.1"), json!("https://in-toto.io/Statement/v1/"), json!(1)] {
        refused("type", signed_change(|payload| payload["_type"] = wrong));
    }
    for wrong in [json!([]), json!(null), json!({}), json!("SKILL.md"), json!([null]), json!([["SKILL.md"]])] {
        refused("subject", signed_change(|payload| payload["subject"] = wrong));
    }
    for wrong in ["", "https://slsa.dev/provenance/v1", "https://nono.sh/attestation/instruction-file/v2"] {
        refused(wrong, signed_change(|payload| payload["predicateType"] = wrong.into()));
    }
    refused(
        "two files",
        signed_change(|payload| {
            let subject = payload["subject"][0].clone();
            payload["subject"] = json!([subject, { "name": "other", "digest": subject["digest"] }]);
        }),
    );
    for key in ["_type", "subject", "predicateType"] {
        refused(key, signed_change(|payload| remove(payload, key)));
    }
}

#[test]
fn a_subject_has_a_sha_256_in_lower_case() {
    let digest = nono::trust::digest::Digest::of(CONTENT).to_string();
    let wrong = [
        json!({}),
        json!({ "sha512": "ab".repeat(64) }),
        json!({ "sha256": digest.to_uppercase() }),
        json!({ "sha256": digest[..62] }),
        json!({ "sha256": format!("{digest}00") }),
        json!({ "sha256": format!(" {digest}") }),
        json!({ "sha256": base64(&[7; 32]) }),
        json!({ "sha256": [digest] }),
        json!({ "SHA256": digest }),
        json!(digest),
        json!(null),
    ];
    for digest in wrong {
        let case = digest.to_string();
        refused(&case, signed_change(|payload| payload["subject"][0]["digest"] = digest));
    }
    passes("two hashes", signed_change(|payload| payload["subject"][0]["digest"]["sha512"] = "00".into()));
}

#[test]
fn a_subject_is_a_relative_path_in_its_shortest_form() {
    for name in [
        "",
        "/",
        ".",
        "..",
        "/SKILL.md",
        "./SKILL.md",
        "../SKILL.md",
        "a/../SKILL.md",
        "a//SKILL.md",
        "SKILL.md/",
        "SKILL.md\0",
        "SKILL.md/.",
        "skill.md",
        "SKILL.md ",
        "SKILL.md\n",
        "\u{ff33}KILL.md",
        "SKI\u{200d}LL.md",
        "project/SKILL.md",
        "/project/SKILL.md",
        "a\\SKILL.md",
        "*",
        "SKILL*",
    ] {
        refused(name, signed_change(|payload| payload["subject"][0]["name"] = name.into()));
        // As others sign it, without saying whether the path is whole.
        refused(
            name,
            signed_change(|payload| {
                payload["subject"][0]["name"] = name.into();
                remove(&mut payload["predicate"], "names");
            }),
        );
    }
    // A name is its bytes: two spellings of one letter are two files.
    let composed = signed(1, PAYLOAD_TYPE, statement(Predicate::File, &["SKILL-\u{e9}.md"]).to_json().as_bytes());
    for (file, good) in [("/project/SKILL-\u{e9}.md", true), ("/project/SKILL-e\u{301}.md", false)] {
        let verdict = super::judged(file, composed.to_json().as_bytes());
        assert_eq!(verdict == nono::trust::verify::Verdict::Verified(super::publisher(1)), good, "{file}");
    }
}

#[test]
fn a_key_stands_once_in_an_object_wherever_it_is() {
    let text = good();
    for member in ["mediaType", "verificationMaterial", "publicKey", "hint", "dsseEnvelope", "payload", "sig"] {
        let key = format!("\"{member}\":");
        for again in [
            format!("\"{member}\":null,{key}"),
            format!("{key}\"\",{key}"),
            format!("\"\\u{:04x}{}\":0,{key}", member.as_bytes()[0], &member[1..]),
        ] {
            assert!(text.contains(&key), "{key}");
            let sentence = refused(&again, text.replacen(&key, &again, 1));
            assert!(sentence.contains("twice"), "{again}: {sentence}");
        }
    }
    let payload = statement(Predicate::File, &[NAME]).to_json();
    for member in ["_type", "subject", "name", "digest", "sha256", "predicateType", "predicate", "signer", "kind"] {
        let key = format!("\"{member}\":");
        assert!(payload.contains(&key), "{key}");
        let twice = payload.replacen(&key, &format!("{key}\"\",{key}"), 1);
        let sentence = refused(member, signed(1, PAYLOAD_TYPE, twice.as_bytes()).to_json());
        assert!(sentence.contains("twice"), "{member}: {sentence}");
    }
    let ignored = payload.replacen('{', "{\"more\":{\"a\":1,\"a\":2},", 1);
    refused("where nothing is read", signed(1, PAYLOAD_TYPE, ignored.as_bytes()).to_json());
}

#[test]
fn what_is_no_json_or_too_much_of_it_is_refused_at_once() {
    let text = good();
    let began = Instant::now();
    for (case, bytes) in [
        ("nothing", Vec::new()),
        ("depth", "[".repeat(10_000).into_bytes()),
        ("depth of objects", "{\"a\":".repeat(10_000).into_bytes()),
        ("100 MB", vec![b'"'; 100 << 20]),
        ("one long text", [b"\"".as_slice(), &vec![b'a'; 5 << 20], b"\""].concat()),
        ("cut", text.as_bytes()[..text.len() / 2].to_vec()),
        ("behind it", format!("{text}x").into_bytes()),
        ("another behind it", format!("{text}{text}").into_bytes()),
        ("NUL behind it", format!("{text}\0").into_bytes()),
        ("byte order mark", format!("\u{feff}{text}").into_bytes()),
        ("UTF-16", text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("no UTF-8", [text.as_bytes(), b"\xff"].concat()),
        (
            "no UTF-8 inside",
            text.replace("\"keyid\":\"\"", "\"keyid\":\"?\"")
                .bytes()
                .map(|byte| if byte == b'?' { 0xff } else { byte })
                .collect(),
        ),
        ("a lone surrogate", text.replace("\"keyid\":\"\"", "\"keyid\":\"\\ud800\"").into_bytes()),
        ("comment", format!("// x\n{text}").into_bytes()),
        ("comma", text.replace("\"}]", "\"},]").into_bytes()),
        ("a list", format!("[{text}]").into_bytes()),
        ("null", b"null".to_vec()),
    ] {
        assert_ne!(bytes, text.as_bytes(), "{case}");
        refused(case, &bytes);
        refused(case, signed(1, PAYLOAD_TYPE, &bytes[..bytes.len().min(1 << 20)]).to_json());
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn whole_numbers_are_written_in_one_way() {
    let entry = |index: Value| {
        let entry = json!({ "logIndex": index, "logId": { "keyId": base64(b"x") },
            "kindVersion": { "kind": "dsse", "version": "0.0.1" }, "canonicalizedBody": base64(b"{}") });
        changed(|bundle| bundle["verificationMaterial"]["tlogEntries"] = json!([entry]))
    };
    for good in [json!("0"), json!("9223372036854775807"), json!(7)] {
        let bundle = nono::trust::bundle::read(entry(good.clone()).as_bytes());
        assert!(bundle.is_ok(), "{good}: {bundle:?}");
    }
    for wrong in [
        "-1",
        "+1",
        "01",
        "1e3",
        "1.0",
        "",
        " 1",
        "0x1",
        "NaN",
        "\u{661}",
        "9223372036854775808",
        "18446744073709551616",
    ] {
        assert!(nono::trust::bundle::read(entry(wrong.into()).as_bytes()).is_err(), "{wrong}");
    }
    for wrong in ["-1", "1e3", "1.0", "9223372036854775808", "NaN", "01", "true", "[]", "Infinity"] {
        let text = entry("@".into()).replace("\"@\"", wrong);
        assert!(nono::trust::bundle::read(text.as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn base64_has_one_spelling() {
    let sound = changed(|_| {});
    passes("standard", &sound);
    let spellings: [(&str, Spelling); 7] = [
        ("no padding", |text| text.trim_end_matches('=').to_owned()),
        ("more padding", |text| format!("{text}====")),
        ("a line end", |text| format!("{text}\n")),
        ("a space", |text| format!(" {text}")),
        ("a line end inside", |text| format!("{}\r\n{}", &text[..4], &text[4..])),
        ("URL", |text| format!("-_{}", &text[2..])),
        ("bits behind the last byte", |text| {
            let body = text.trim_end_matches('=');
            let (last, padding) = (body.len() - 1, &text[body.len()..]);
            format!("{}{}{padding}", &body[..last], char::from(body.as_bytes()[last] + 1))
        }),
    ];
    let mut padded = 0;
    for field in ["/dsseEnvelope/payload", "/dsseEnvelope/signatures/0/sig"] {
        let document: Value = serde_json::from_str(&sound).expect("a document");
        let text = document.pointer(field).and_then(Value::as_str).expect("a text").to_owned();
        // Only a text with padding has a spelling without it, and bits behind its last byte.
        let spellings = if text.ends_with('=') { &spellings[..] } else { &spellings[2..6] };
        padded += usize::from(text.ends_with('='));
        for (case, spell) in spellings {
            let bundle = changed(|bundle| *bundle.pointer_mut(field).expect("a text") = spell(&text).into());
            let sentence = refused(&format!("{case} of {field}"), bundle);
            assert!(sentence.contains("is not base64"), "{case} of {field}: {sentence}");
        }
    }
    assert!(padded > 0, "no text has padding");
}

#[test]
fn names_are_in_camel_case_and_enumerations_by_name() {
    let text = good();
    for (name, other) in [
        ("mediaType", "media_type"),
        ("verificationMaterial", "verification_material"),
        ("publicKey", "public_key"),
        ("dsseEnvelope", "dsse_envelope"),
        ("payloadType", "payload_type"),
        ("payload\"", "Payload\""),
        ("keyid", "keyId"),
    ] {
        assert!(text.contains(name), "{name}");
        refused(other, text.replacen(name, other, 1));
    }
    refused("an unknown key", changed(|bundle| bundle["more"] = json!({})));
    for (algorithm, good) in
        [(json!("SHA2_256"), true), (json!(1), false), (json!("SHA2_512"), false), (json!("none"), false)]
    {
        let bundle = changed(|bundle| {
            remove(bundle, "dsseEnvelope");
            let digest = json!({ "algorithm": algorithm, "digest": base64(&[0; 32]) });
            bundle["messageSignature"] = json!({ "messageDigest": digest, "signature": base64(b"x") });
        });
        assert_eq!(nono::trust::bundle::read(bundle.as_bytes()).is_ok(), good, "{algorithm}");
    }
}

fn signatures(bundle: &mut Value) -> &mut Value {
    &mut bundle["dsseEnvelope"]["signatures"]
}

fn remove(object: &mut Value, key: &str) {
    object.as_object_mut().expect("an object").remove(key).expect("a member");
}
