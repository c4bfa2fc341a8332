//! What nono writes, verified by programs that share no code with it: `sha256sum`, OpenSSL, Python, and Go's `sumdb`.

use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::example::{self, Place};

#[test]
fn coreutils_and_openssl_recompute_a_leaf_and_verify_a_checkpoint() {
    let place = Place::new("others-openssl");
    let (proof, leaf) = (example::proof(13, 21, None, 0), example::leaf(13));
    place.write("leaf", &leaf);
    let Some(sum) = run("sh", &["-c", "(printf '\\0'; cat leaf) | sha256sum"], &place) else { return };
    let hash = nono::merkle::leaf_hash(&leaf).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert!(String::from_utf8_lossy(&sum.stdout).starts_with(&hash), "{sum:?}");
    let verifier = example::log().verifier();
    // RFC 8410, section 4: the bytes before the key are the same for every Ed25519 key.
    let key = [b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00".as_slice(), verifier.public()];
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64.encode(key.concat()));
    place.write("key.pem", pem.as_bytes());
    place.write("signature", &proof.checkpoint.signatures()[0].signature);
    let verify =
        ["pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "text", "-sigfile", "signature"];
    place.write("text", proof.checkpoint.unverified_text().as_bytes());
    let Some(verified) = run("openssl", &verify, &place) else { return };
    assert!(verified.status.success(), "{verified:?}");
    place.write("text", b"example.com/log\n22\n");
    assert!(!run("openssl", &verify, &place).expect("it ran before").status.success());
}

#[test]
fn python_with_its_standard_library_alone_verifies_what_we_write_and_no_other() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/merkle/verify.py");
    let script = script.to_str().expect("a path in UTF-8");
    agrees("others-python", "/usr/bin/python3", &[script]);
}

#[test]
fn the_checksum_database_of_go_verifies_what_we_write_and_no_other() {
    let source = Path::new("/usr/share/gocode");
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/merkle/verify.go");
    if !source.join("src/golang.org/x/mod/sumdb").exists() {
        missing("the package golang-golang-x-mod-dev is not installed");
        return;
    }
    let place = Place::new("others-go");
    let text = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
    let cache = text(&place.path("cache"));
    let variables =
        [("GO111MODULE", "off"), ("GOPATH", "/usr/share/gocode"), ("GOFLAGS", ""), ("GOCACHE", cache.as_str())];
    let (program, built) = (text(&program), text(&place.path("verify")));
    let mut build = Command::new("go");
    build.args(["build", "-o", &built, &program]).envs(variables).current_dir(place.path(""));
    match build.output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => return missing(&format!("go cannot be run: {error}")),
    }
    agrees("others-go-run", &built, &[]);
}

/// Has `program` verify proofs that hold, and the same ones with a change.
fn agrees(name: &str, program: &str, before: &[&str]) {
    let place = Place::new(name);
    let key = example::log().verifier().to_string();
    let arguments = [before, &["proof", "leaf", &key]].concat();
    for (index, size) in [(0, 1), (0, 2), (4, 7), (6, 7), (13, 21), (20, 21)] {
        let proof = example::proof(index, size, Some(b"anything"), 3).to_string();
        place.write("proof", proof.as_bytes());
        place.write("leaf", &example::leaf(index));
        let Some(output) = run(program, &arguments, &place) else { return };
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.trim() == format!("{index} of {size}"), "{output:?}");
        place.write("leaf", &example::leaf(index + 1));
        assert!(!run(program, &arguments, &place).expect("it ran before").status.success(), "{index} of {size}");
        place.write("leaf", &example::leaf(index));
        place.write("proof", proof.replace(&format!("log\n{size}\n"), "log\n99\n").as_bytes());
        assert!(!run(program, &arguments, &place).expect("it ran before").status.success(), "{index} of {size}");
    }
}

fn run(program: &str, arguments: &[&str], place: &Place) -> Option<Output> {
    match Command::new(program).args(arguments).current_dir(place.path("")).output() {
        Ok(output) => Some(output),
        Err(error) => {
            missing(&format!("{program} cannot be run: {error}"));
            None
        }
    }
}

fn missing(why: &str) {
    assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "{why}");
    eprintln!("skipped: {why}");
}
