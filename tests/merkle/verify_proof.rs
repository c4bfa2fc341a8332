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
