//! `nono why` and `nono profiles test` of the built binary: answers, exit statuses and JSON.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const POLICY: &str = r#"{
  "name": "p",
  "sandbox": {
    "read": ["$WORKDIR/data"],
    "deny": ["$WORKDIR/data/keys", "**/.env"]
  },
  "network": { "allow": ["x.example.org:443"] }
}
"#;

/// A directory of its own with a policy and a few files; removed at the end.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("nono-questions-{name}-{}", std::process::id()));
        fs::create_dir_all(path.join("data/keys")).unwrap();
        let path = path.canonicalize().unwrap();
        fs::write(path.join("p.json"), POLICY).unwrap();
        fs::write(path.join("data/file"), "").unwrap();
        symlink("data/keys", path.join("link")).unwrap();
        Self(path)
    }

    fn nono<S: AsRef<OsStr>>(&self, args: &[S]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nono"));
        command.args(args).current_dir(&self.0).env_clear().env("HOME", &self.0).env("PATH", "/usr/bin:/bin");
        command.stdin(Stdio::null()).output().unwrap()
    }

    /// Standard output and the exit status of `nono why -p p.json ARGS`.
    fn why(&self, args: &[&str]) -> (String, Option<i32>) {
        let output = self.nono(&[&["why", "-p", "./p.json"], args].concat());
        (String::from_utf8(output.stdout).unwrap(), output.status.code())
    }

    fn json(&self, args: &[&str]) -> Value {
        let (text, _) = self.why(&[&["--json"], args].concat());
        serde_json::from_str(&text).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_exit_status_is_the_answer() {
    let place = Place::new("status");
    for (args, expected) in [
        (&["read", "data/file"][..], 0),
        (&["exec", "data/file"], 0),
        (&["write", "data/file"], 1),
        (&["read", "data/keys/key"], 1),
        (&["read", "data/.env"], 1),
        (&["connect", "x.example.org:443"], 0),
        (&["connect", "x.example.org"], 0),
        (&["connect", "y.example.org:443"], 1),
        (&["connect", "10.0.0.1:443"], 1),
        (&["listen", "8080"], 1),
        (&["unix", "data/socket"], 1),
        (&["connect", "a b:1"], 2),
        (&["listen", "0"], 2),
        (&["listen", "x"], 2),
        (&["read", "data/file", "-p", "other.json"], 2),
    ] {
        assert_eq!(place.why(args).1, Some(expected), "{args:?}: {}", place.why(args).0);
    }
    assert_eq!(place.nono(&["why", "-p", "./missing.json", "read", "/a"]).status.code(), Some(125));
    assert_eq!(place.nono(&["why", "-p", "no-such-profile", "read", "/a"]).status.code(), Some(125));
}

#[test]
fn the_answer_names_the_rule_its_place_and_the_change() {
    let place = Place::new("text");
    let root = place.0.display();
    assert_eq!(
        place.why(&["write", "data/new"]).0,
        format!(
            "write {root}/data/new is denied: `$WORKDIR/data` grants reading and executing and no more\n\
             the rule: $WORKDIR/data (sandbox.read[0]) at ./p.json:4:14\n\
             to allow it: --write {root}/data, or in the profile \"sandbox\": {{ \"write\": [\"{root}/data\"] }}\n"
        )
    );
    assert_eq!(
        place.why(&["read", "link/key"]).0,
        format!(
            "{root}/link/key is really {root}/data/keys/key\n\
             read {root}/data/keys/key is denied: `$WORKDIR/data/keys` denies it, and a denial beats every allow\n\
             the rule: $WORKDIR/data/keys (sandbox.deny[0]) at ./p.json:5:14\n\
             to allow it: no flag opens this; remove the entry sandbox.deny[0] at ./p.json:5:14\n"
        )
    );
}

#[test]
fn flags_count_as_they_would_for_a_program() {
    let place = Place::new("flags");
    assert_eq!(place.why(&["-w", "data", "write", "data/file"]).1, Some(0));
    assert_eq!(place.why(&["-a", "data/keys", "read", "data/keys"]).1, Some(1));
    assert_eq!(place.why(&["--deny", "./data/file", "read", "data/file"]).1, Some(1));
    assert_eq!(place.why(&["--block-net", "connect", "x.example.org:443"]).1, Some(1));
    assert_eq!(place.why(&["--listen", "8080", "listen", "8080"]).1, Some(0));
    // A parent directory is taken from where the link before it leads, as the system does.
    assert_eq!(place.why(&["read", "link/../file"]).1, Some(0));
    assert_eq!(place.why(&["read", "data/../p.json"]).1, Some(1));
}

#[test]
fn json_has_the_same_answer_in_members() {
    let place = Place::new("json");
    let denied = place.json(&["read", "link/key"]);
    assert_eq!(denied["operation"], "read");
    assert_eq!(denied["target"], "link/key");
    assert_eq!(denied["real"], place.0.join("data/keys/key").to_str().unwrap());
    assert_eq!(denied["decision"], "deny");
    assert_eq!(denied["rule"]["written"], "$WORKDIR/data/keys");
    assert_eq!((&denied["rule"]["line"], &denied["rule"]["column"]), (&5.into(), &14.into()));
    assert_eq!(denied["rule"]["place"], "./p.json");
    assert_eq!(denied["rule"]["json_path"], "sandbox.deny[0]");
    assert_eq!(denied["rule"]["group"], Value::Null);
    let by_flag = place.json(&["-r", "p.json", "read", "p.json"]);
    assert_eq!((&by_flag["decision"], &by_flag["change"]), (&"allow".into(), &Value::Null));
    assert_eq!((&by_flag["rule"]["place"], &by_flag["rule"]["line"]), (&"--read".into(), &Value::Null));
    let host = place.json(&["connect", "X.EXAMPLE.org.:443"]);
    assert_eq!((&host["target"], &host["real"]), (&"x.example.org:443".into(), &Value::Null));
    let none = place.json(&["read", "/nothing/here"]);
    assert_eq!((&none["decision"], &none["rule"]), (&"deny".into(), &Value::Null));
}

#[test]
fn hostile_names_are_answered_and_shown_escaped() {
    let place = Place::new("hostile");
    for name in [&b"\x1b[2J\n\r"[..], b"\xff\xfe", "\u{202e}x".as_bytes(), b"a'b\"c\\d", &b"x".repeat(5000)] {
        let [why, json, read] = ["why", "--json", "read"].map(OsStr::new);
        let name = OsStr::from_bytes(name);
        let output = place.nono(&[why, read, name]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let hidden = |character: char| character != '\n' && (character.is_control() || character == '\u{202e}');
        assert!(!String::from_utf8(output.stdout).unwrap().contains(hidden), "{name:?}");
        let output = place.nono(&[why, json, read, name]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["decision"], "deny");
    }
}

#[test]
fn policy_tests_hold_or_say_which_rule_decided_otherwise() {
    let place = Place::new("tests");
    let good = r#"[
  { "read": "$WORKDIR/data/file", "expect": "allow" },
  { "read": "$WORKDIR/data/not/there", "expect": "allow" },
  { "read": "$WORKDIR/link/key", "expect": "deny" },
  { "connect": "evil.example:443", "expect": "deny" }
]"#;
    fs::write(place.0.join("p.test.json"), good).unwrap();
    for file in ["p.json", "p.test.json"] {
        let output = place.nono(&["profiles", "test", file]);
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "p.test.json: 4 of 4 hold\n");
        assert_eq!(output.status.code(), Some(0));
    }
    fs::write(place.0.join("p.test.json"), good.replace("\"deny\" },\n", "\"allow\" },\n")).unwrap();
    let output = place.nono(&["profiles", "test", "p.json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.starts_with("p.test.json:4:3: expected allow\n    read "), "{text}");
    assert!(text.contains("    the rule: $WORKDIR/data/keys (sandbox.deny[0]) at p.json:5:14\n"), "{text}");
    assert!(text.ends_with("p.test.json: 3 of 4 hold\n"), "{text}");

    let output = place.nono(&["profiles", "test", "--json", "p.json", "missing.json"]);
    assert_eq!(output.status.code(), Some(125));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report[0]["outcomes"][2]["holds"], false);
    assert_eq!(report[0]["outcomes"][2]["rule"]["line"], 5);
    assert!(report[1]["problems"][0].as_str().unwrap().contains("cannot be read"), "{report}");
}

#[test]
fn a_policy_or_test_that_is_wrong_is_told_apart_from_one_that_fails() {
    let place = Place::new("wrong");
    for (tests, policy, said) in [
        ("[{ \"read\": 1, \"expect\": \"deny\" }]", POLICY, "p.test.json:1:12: [0].read: "),
        ("{}", POLICY, "p.test.json:1:1: "),
        ("[]", "{ \"name\": \"p\", \"sandbx\": {} }", "p.json:1:16: sandbx: "),
    ] {
        fs::write(place.0.join("p.test.json"), tests).unwrap();
        fs::write(place.0.join("p.json"), policy).unwrap();
        let output = place.nono(&["profiles", "test", "p.json"]);
        assert_eq!(output.status.code(), Some(125), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(said), "{output:?}");
    }
    assert_eq!(place.nono(&["profiles", "test", "p"]).status.code(), Some(125));
}
