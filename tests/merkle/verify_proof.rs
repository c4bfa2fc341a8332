//! `nono audit verify-proof`, as somebody runs it who has nothing but files.

use std::process::{Command, Output, Stdio};

use crate::example::{self, Place};

/// Runs the verb in `place`, without any state to find.
fn verify(place: &Place, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nono"));
    command.args(["audit", "verify-proof"]).args(arguments).current_dir(place.path(""));
    let Output { status, stdout, stderr } = command.env_clear().stdin(Stdio::null()).output().expect("nono runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status.code().expect("an exit"), text(stdout), text(stderr))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_record_is_proved_by_its_content_its_hash_or_the_proof_itself() {
    let (place, key) = (Place::new("verify-forms"), example::log().verifier().to_string());
    let leaf = example::leaf(13);
    let hash = hexadecimal(&nono::merkle::leaf_hash(&leaf));
    place.write("leaf", &leaf);
    place.write("line", &[leaf.as_slice(), b"\n"].concat());
    place.write("p.tlog-proof", example::proof(13, 21, None, 0).to_string().as_bytes());
    place.write("whole.tlog-proof", example::proof(13, 21, Some(&leaf), 0).to_string().as_bytes());
    let forms: [&[&str]; 5] = [
        &["p.tlog-proof", "--leaf", "leaf"],
        &["p.tlog-proof", "--leaf", "line"],
        &["p.tlog-proof", "--leaf-hash", &hash],
        &["p.tlog-proof", "--leaf-hash", &hash.to_uppercase()],
        &["whole.tlog-proof"],
    ];
    for form in forms {
        let (status, out, err) = verify(&place, &[form, &["--key", &key]].concat());
        assert_eq!((status, err.as_str()), (0, ""), "{form:?}");
        assert!(out.starts_with(&format!("record 13 of 21 in the log example.com/log\nleaf hash {hash}\n")), "{out}");
        assert_eq!(out.contains("content {\"index\":13}"), form.len() == 1, "{out}");
    }
    let (status, out, _) = verify(&place, &["whole.tlog-proof", "--key", &key, "--json"]);
    let value: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((status, &value["verified"], &value["leaf_hash"]), (0, &true.into(), &hash.into()));
}

#[test]
fn what_is_not_proved_is_told_apart_from_what_cannot_be_known() {
    let (place, key) = (Place::new("verify-wrong"), example::log().verifier().to_string());
    let stranger = nono::merkle::key::Signer::new("example.com/log", &[9; 32]).expect("a name").verifier().to_string();
    let file = example::proof(13, 21, None, 0).to_string();
    place.write("p", file.as_bytes());
    place.write("cut", &file.as_bytes()[..file.len() - 9]);
    place.write("leaf", &example::leaf(12));
    place.write("endings", &[example::leaf(13), b"\n\n".to_vec()].concat());
    place.write("right", &example::leaf(13));
    let cases: [(i32, &[&str], &str); 10] = [
        (1, &["p", "--key", &key, "--leaf", "leaf"], "leads to another root"),
        (1, &["p", "--key", &key, "--leaf", "endings"], "leads to another root"),
        (1, &["p", "--key", &stranger, "--leaf", "right"], "no known key has signed it"),
        (1, &["cut", "--key", &key, "--leaf", "right"], "is not a proof"),
        (2, &["p", "--leaf", "right"], "`--key`"),
        (2, &["p", "--key", &key], "`--leaf`"),
        (2, &["p", "--key", "example.com/log", "--leaf", "right"], "NAME+ID+KEY"),
        (2, &["p", "--key", &key, "--leaf-hash", "6e34"], "64 hexadecimal digits"),
        (125, &["absent", "--key", &key, "--leaf", "right"], "absent cannot be read"),
        (125, &["p", "--key", &key, "--leaf", "absent"], "absent cannot be read"),
    ];
    for (expected, arguments, sentence) in cases {
        let (status, out, err) = verify(&place, arguments);
        assert_eq!((status, out.as_str()), (expected, ""), "{arguments:?}: {err}");
        assert!(err.starts_with("nono: ") && err.contains(sentence) && err.lines().count() == 1, "{err}");
    }
}

#[test]
fn a_policy_asks_for_its_quorum_of_witnesses() {
    let place = Place::new("verify-policy");
    let witnesses: String =
        (0..3).map(|number| format!("witness w{number} {}\n", example::witness(number).cosign("\n", 0).0)).collect();
    let policy = format!("log {}\n{witnesses}group two 2 w0 w1 w2\nquorum two\n", example::log().verifier());
    place.write("policy", policy.as_bytes());
    place.write("leaf", &example::leaf(4));
    for by in 0..8_u8 {
        place.write("p", example::proof(4, 7, None, by).to_string().as_bytes());
        let (status, out, err) = verify(&place, &["p", "--policy", "policy", "--leaf", "leaf"]);
        assert_eq!(status, i32::from(by.count_ones() < 2), "{by:b}: {err}");
        let seen = out.lines().filter(|line| line.starts_with("seen by w")).count();
        assert_eq!(seen, if status == 0 { by.count_ones() as usize } else { 0 }, "{out}");
    }
    place.write("policy", policy.replace("quorum two", "quorum three").as_bytes());
    let (status, _, err) = verify(&place, &["p", "--policy", "policy", "--leaf", "leaf"]);
    assert!(status == 125 && err.contains("line 6: no line above defines `three`"), "{err}");
}

#[test]
fn hostile_names_and_contents_stay_on_their_lines() {
    let name = "example.com/log\u{202e}";
    let hostile = nono::merkle::key::Signer::new(name, &[1; 32]).expect("a name");
    let content = b"\x1b[2Jrecord 0 of 9\nroot fine\r\n\xff";
    let root = nono::merkle::leaf_hash(content);
    let body = nono::merkle::checkpoint::Checkpoint { origin: name.into(), size: 1, root }.to_string();
    let checkpoint = nono::merkle::note::Note::signed(body, &hostile);
    let proof =
        nono::merkle::proof_file::ProofFile { extra: Some(content.to_vec()), index: 0, path: vec![], checkpoint };
    let place = Place::new("verify-hostile");
    place.write("p", proof.to_string().as_bytes());
    let (status, out, _) = verify(&place, &["p", "--key", &hostile.verifier().to_string()]);
    assert_eq!((status, out.lines().count()), (0, 4), "{out}");
    assert!(out.bytes().all(|byte| byte == b'\n' || (0x20..0x7f).contains(&byte)), "{out:?}");
}

/// A host's log whose last record names this checkpoint of a session, and the proof of that record.
fn host(operation: &str, checkpoint: &nono::merkle::note::Note) -> (String, String) {
    let signer = nono::merkle::key::Signer::new("nono-host/1", &[7; 32]).expect("a name");
    let line = |index: u64, checkpoint: &str| {
        serde_json::json!({
            "index": index, "timestamp": "2026-01-31T23:59:59Z", "operation": operation, "target": "s",
            "disposition": "noted", "checkpoint": checkpoint,
        })
    };
    let lines = [line(0, ""), line(1, &checkpoint.to_string())].map(|line| line.to_string().into_bytes());
    let mut builder = nono::merkle::proof::Builder::inclusion(1, 2).expect("there is such a leaf");
    let mut tree = nono::merkle::frontier::Frontier::default();
    for hash in lines.iter().map(|line| nono::merkle::leaf_hash(line)) {
        builder.push(&hash);
        tree.push(hash);
    }
    let body = nono::merkle::checkpoint::Checkpoint { origin: "nono-host/1".into(), size: 2, root: tree.root() };
    let proof = nono::merkle::proof_file::ProofFile {
        extra: Some(lines[1].clone()),
        index: 1,
        path: builder.finish().expect("all leaves have passed"),
        checkpoint: nono::merkle::note::Note::signed(body.to_string(), &signer),
    };
    (proof.to_string(), signer.verifier().to_string())
}

#[test]
fn a_record_counts_by_the_host_s_key_through_the_proof_of_its_session() {
    let place = Place::new("verify-chain");
    let event = example::proof(13, 21, None, 0);
    let (session, key) = host("session.closed", &event.checkpoint);
    place.write("event", event.to_string().as_bytes());
    place.write("session", session.as_bytes());
    place.write("leaf", &example::leaf(13));
    let arguments = ["event", "--session", "session", "--leaf", "leaf", "--key", &key];
    let (status, out, err) = verify(&place, &arguments);
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(out.contains("record 13 of 21 in the log example.com/log\n"), "{out}");
    assert!(out.contains("whose end is record 1 of 2 in the log nono-host/1\n"), "{out}");
    // The host's key says nothing about the session's checkpoint by itself.
    assert_eq!(verify(&place, &["event", "--leaf", "leaf", "--key", &key]).0, 1);
    let said = |name: &str, content: &str, sentence: &str| {
        place.write(name, content.as_bytes());
        let (status, _, err) = verify(&place, &arguments);
        assert!(status == 1 && err.contains(sentence), "{err}");
    };
    said("session", &host("session.opened", &event.checkpoint).0, "does not name the last checkpoint");
    said(
        "session",
        &host("session.closed", &example::proof(0, 20, None, 0).checkpoint).0,
        "not the one that is vouched for",
    );
    said("session", &session.replacen("nono-host/1\n2\n", "nono-host/1\n3\n", 1), "does not prove a session");
    let (begin, rest) = session.split_once("extra ").expect("an extra line");
    said("session", &format!("{begin}{}", rest.split_once('\n').expect("a line").1), "does not hold the record");
    place.write("session", session.as_bytes());
    said("event", &example::proof(12, 21, None, 0).to_string(), "does not lead");
    said("event", &example::proof(13, 22, None, 0).to_string(), "not the one that is vouched for");
}
