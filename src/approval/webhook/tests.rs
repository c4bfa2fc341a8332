use core::time::Duration;

use serde_json::{Value, json};

use super::answer::{Decision, Expected, Verdict, pause, read};
use super::ask::{Ask, access};
use super::{Format, Origin};
use crate::approval::{AskedOperation, Change, Host, Object, Process, Question, Scope, Subject};
use crate::http::Failure;
use crate::plan::Access;
use crate::profile::abs_path::AbsPath;
use crate::profile::host::Target;

const READ: AskedOperation = AskedOperation::Open(Access { read: true, write: false, execute: false });
/// 2026-01-31T12:00:00Z
const NOW: Duration = Duration::from_secs(1_769_860_800);

fn question(real: &[u8]) -> Question {
    Question {
        operation: READ,
        object: Subject::File(Object { real: AbsPath::new(real).unwrap(), typed: None, identity: Some((1, 2)) }),
        process: Process {
            pid: 7,
            parent: 6,
            executable: AbsPath::new(b"/usr/bin/cat"),
            directory: AbsPath::new(b"/tmp"),
            user: 1000,
        },
        reason: "no rule covers it".to_owned(),
        profile: "production-agent".to_owned(),
    }
}

fn typed(question: &mut Question, bytes: Vec<u8>) {
    let Subject::File(object) = &mut question.object else { panic!("a file") };
    object.typed = Some(bytes);
}

fn body(question: &Question, format: Format) -> Result<Value, Failure> {
    let origin = Origin { session: Some("s".to_owned()), ..Origin::default() };
    let deadline = NOW + Duration::from_secs(30);
    let ask = Ask {
        question,
        origin: &origin,
        widest: Scope::Object,
        uid: "u",
        nonce: &[0; 32],
        attempt: 1,
        now: NOW,
        deadline,
    };
    let bytes = ask.written(format)?.body;
    assert!(bytes.len() <= 16 * 1024, "{}", bytes.len());
    Ok(serde_json::from_slice(&bytes).unwrap())
}

/// The whole request, where a yes may be as wide as any.
fn widest(question: &Question) -> Value {
    let ask = Ask {
        question,
        origin: &Origin::default(),
        widest: Scope::Directory,
        uid: "u",
        nonce: &[0; 32],
        attempt: 1,
        now: NOW,
        deadline: NOW,
    };
    serde_json::from_slice::<Value>(&ask.written(Format::Nono).unwrap().body).unwrap()["request"].clone()
}

fn expected<'a>(access: &'a [&'static str]) -> Expected<'a> {
    Expected { uid: "u", access, offered: &[Scope::Once, Scope::Object], now: NOW }
}

fn nono(response: &Value) -> Result<Decision, Failure> {
    let whole = json!({ "apiVersion": "nono.approval/v1", "kind": "ApprovalResponse", "response": response });
    read(whole.to_string().as_bytes(), Format::Nono, expected(&["read"]))
}

fn opa(whole: &Value) -> Result<Decision, Failure> {
    read(whole.to_string().as_bytes(), Format::Opa, expected(&["read"]))
}

fn code<T: std::fmt::Debug>(result: Result<T, Failure>) -> &'static str {
    result.expect_err("refused").code
}

#[test]
fn a_question_says_what_it_is_about() {
    let whole = body(&question(b"/etc/hosts"), Format::Nono).unwrap();
    assert_eq!((&whole["apiVersion"], &whole["kind"]), (&json!("nono.approval/v1"), &json!("ApprovalRequest")));
    let request = &whole["request"];
    for (pointer, value) in [
        ("/uid", json!("u")),
        ("/nonce", json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")),
        ("/session", json!("s")),
        ("/profile", json!("production-agent")),
        ("/timestamp", json!("2026-01-31T12:00:00.000000000Z")),
        ("/deadline", json!("2026-01-31T12:00:30.000000000Z")),
        ("/attempt", json!(1)),
        ("/operation", json!("fs.open")),
        ("/access", json!(["read"])),
        ("/scopes", json!(["once", "path"])),
        ("/target/type", json!("file")),
        ("/target/path", json!("/etc/hosts")),
        ("/target/path_b64", json!(null)),
        ("/target/resolved", json!("/etc/hosts")),
        ("/target/dev", json!(1)),
        ("/target/ino", json!(2)),
        ("/process/exe", json!("/usr/bin/cat")),
        ("/process/uid", json!(1000)),
        ("/reason/message", json!("no rule covers it")),
    ] {
        assert_eq!(request.pointer(pointer), Some(&value), "{pointer}");
    }
    assert_eq!(body(&question(b"/etc/hosts"), Format::Opa).unwrap(), json!({ "input": request }));
}

#[test]
fn access_is_named_for_each_operation() {
    let all = Access { read: true, write: true, execute: true };
    assert_eq!(access(&AskedOperation::Open(all)), ["read", "write", "execute"]);
    let changes = [Change::Remove, Change::File(Access { write: true, ..Access::NONE })];
    for change in changes {
        assert_eq!(access(&AskedOperation::Change(change)), ["write"]);
    }
    assert_eq!(access(&AskedOperation::Change(Change::File(all))), ["read", "write"]);
    assert_eq!(access(&AskedOperation::ConnectUnix), ["connect"]);
    assert_eq!(access(&AskedOperation::Connect), ["connect"]);
}

#[test]
fn a_path_with_hidden_characters_is_sent_as_base64_and_shown_escaped() {
    for (path, shown) in [
        (&b"/a\xff"[..], "/a\\xff"),
        (b"/a\x1b[2J", "/a\\u{1b}[2J"),
        ("/a\u{202e}b".as_bytes(), "/a\\u{202e}b"),
        (b"/a\n\"b", "/a\\n\"b"),
    ] {
        let mut question = question(path);
        typed(&mut question, path.to_vec());
        let target = body(&question, Format::Nono).unwrap()["request"]["target"].clone();
        assert_eq!(target["path"], json!(null));
        assert_eq!(target["resolved"], json!(null));
        assert_eq!((&target["shown"], &target["typed"]), (&json!(shown), &json!(shown)));
        let sent = target["path_b64"].as_str().unwrap();
        assert_eq!(base64::Engine::decode(&base64::engine::general_purpose::STANDARD, sent).unwrap(), path);
    }
    let plain = body(&question(b"/a\\b\"c"), Format::Nono).unwrap();
    assert_eq!(plain["request"]["target"]["path"], json!("/a\\b\"c"));
}

#[test]
fn the_longest_paths_fit_into_a_question() {
    for byte in [b'x', b'"', b'\\', 1, 0xff] {
        let long = [b"/".as_slice(), &[byte; 4095]].concat();
        let mut question = question(&long);
        typed(&mut question, long.clone());
        question.process.executable = AbsPath::new(&long);
        question.process.directory = AbsPath::new(&long);
        question.reason = "\u{1}".repeat(5000);
        let target = body(&question, Format::Nono).unwrap()["request"]["target"].clone();
        assert!(target["path"].is_string() || target["path_b64"].is_string(), "{byte}");
    }
    let question = question(&[b"/".as_slice(), &[b'x'; 20_000]].concat());
    assert_eq!(code(body(&question, Format::Nono)), "request-too-large");
}

#[test]
fn a_directory_is_offered_where_a_yes_may_mean_it_and_then_by_its_name() {
    let told = |question: &Question| {
        let request = widest(question);
        let target = &request["target"];
        (request["scopes"].as_array().unwrap().len(), target["directory"].clone(), target["directory_b64"].clone())
    };
    assert_eq!(told(&question(b"/srv/a/b")), (3, json!("/srv/a"), json!(null)));
    // What is beneath `/` is everything.
    assert_eq!(told(&question(b"/srv")), (2, json!(null), json!(null)));
    assert_eq!(told(&question(b"/")), (2, json!(null), json!(null)));
    assert_eq!(told(&question(b"/srv/\xff/b")), (3, json!(null), json!("L3Nydi//")));
    let mut socket = question(b"/run/user/a.sock");
    socket.operation = AskedOperation::ConnectUnix;
    assert_eq!(told(&socket), (2, json!(null), json!(null)));
    // Where the question is too long for its name, it is not offered.
    let long = question(&[b"/".as_slice(), &[b'"'; 3000], b"/", &[b'"'; 1000]].concat());
    assert_eq!(told(&long), (2, json!(null), json!(null)));
}

#[test]
fn a_scope_that_was_not_offered_is_refused() {
    let read = |scope: &str, offered: &[Scope]| {
        let response = json!({ "uid": "u", "decision": "allow", "scope": scope });
        let whole = json!({ "apiVersion": "nono.approval/v1", "kind": "ApprovalResponse", "response": response });
        let expected = Expected { uid: "u", access: &["read"], offered, now: NOW };
        read(whole.to_string().as_bytes(), Format::Nono, expected).map(|decision| decision.verdict)
    };
    let all = [Scope::Once, Scope::Object, Scope::Directory];
    for (scope, granted) in ["once", "path", "directory"].into_iter().zip(all) {
        assert_eq!(read(scope, &all), Ok(Verdict::Allow { scope: granted, until: None }), "{scope}");
        let others: Vec<Scope> = all.into_iter().filter(|other| *other != granted).collect();
        assert_eq!(code(read(scope, &others)), "scope-too-wide", "{scope}");
    }
}

#[test]
fn the_words_of_an_answer_are_exact() {
    let scope_and_end = |decision: Decision| match decision.verdict {
        Verdict::Allow { scope, until } => Some((scope, until)),
        Verdict::Deny => None,
    };
    let hour = NOW + Duration::from_secs(3600);
    for (response, allowed) in [
        (json!({ "uid": "u", "decision": "allow" }), Some((Scope::Once, None))),
        (json!({ "uid": "u", "decision": "approve", "scope": "once" }), Some((Scope::Once, None))),
        (json!({ "uid": "u", "decision": "allow", "scope": "path", "access": ["read"] }), Some((Scope::Object, None))),
        (json!({ "uid": "u", "decision": "allow", "scope": "session" }), Some((Scope::Object, None))),
        (
            json!({ "uid": "u", "decision": "allow", "expires_at": "2026-01-31T14:00:00+01:00", "scope": null }),
            Some((Scope::Once, Some(hour))),
        ),
        (json!({ "uid": "u", "decision": "deny", "access": [] }), None),
    ] {
        assert_eq!(scope_and_end(nono(&response).unwrap()), allowed, "{response}");
    }
    let told = nono(&json!({
        "uid": "u", "decision": "deny", "reason": "no\u{1b}[2J", "approver": "alice\n", "annotations": { "ticket": "X-1" }
    }));
    let told = told.unwrap();
    assert_eq!((told.reason.as_deref(), told.approver.as_deref()), (Some("no\\u{1b}[2J"), Some("alice\\n")));
    assert_eq!(told.annotations.get("ticket").map(String::as_str), Some("X-1"));
}

#[test]
fn an_answer_that_is_not_exact_is_refused() {
    for (response, expected) in [
        (json!({ "decision": "allow" }), "uid-missing"),
        (json!({ "uid": "v", "decision": "allow" }), "uid-mismatch"),
        (json!({ "uid": "U", "decision": "allow" }), "uid-mismatch"),
        (json!({ "uid": 1, "decision": "allow" }), "wrong-type"),
        (json!({ "uid": null, "decision": "allow" }), "wrong-type"),
        (json!({ "uid": ["u"], "decision": "allow" }), "wrong-type"),
        (json!({ "uid": "", "decision": "allow" }), "uid-mismatch"),
        (json!({ "uid": "u", "decision": null }), "decision"),
        (json!({ "uid": "u", "decision": "allow", "access": [null] }), "wrong-type"),
        (json!({ "uid": "u", "decision": "allow", "also": null }), "unknown-key"),
        (json!({ "uid": "u" }), "decision"),
        (json!({ "uid": "u", "decision": "Allow" }), "decision"),
        (json!({ "uid": "u", "decision": " allow" }), "decision"),
        (json!({ "uid": "u", "decision": "yes" }), "decision"),
        (json!({ "uid": "u", "decision": true }), "wrong-type"),
        (json!({ "uid": "u", "allowed": true }), "decision"),
        (json!({ "uid": "u", "decision": "allow", "scope": "directory" }), "scope-too-wide"),
        (json!({ "uid": "u", "decision": "allow", "scope": "always" }), "scope"),
        (json!({ "uid": "u", "decision": "allow", "access": ["read", "write"] }), "access-too-wide"),
        (json!({ "uid": "u", "decision": "allow", "access": [] }), "access-too-narrow"),
        (json!({ "uid": "u", "decision": "allow", "access": "read" }), "wrong-type"),
        (json!({ "uid": "u", "decision": "allow", "access": [1] }), "wrong-type"),
        (json!({ "uid": "u", "decision": "allow", "expires_at": "2026-01-31T12:00:00Z" }), "expired"),
        (json!({ "uid": "u", "decision": "allow", "expires_at": "tomorrow" }), "wrong-type"),
        (json!({ "uid": "u", "decision": "allow", "expires_at": 1_800_000_000 }), "wrong-type"),
        (json!({ "uid": "u", "decision": "allow", "expire_at": "2026-01-31T13:00:00Z" }), "unknown-key"),
        (json!({ "uid": "u", "decision": "allow", "annotations": ["x"] }), "wrong-type"),
        (json!({ "uid": "u", "decision": "allow", "annotations": { "x": 1 } }), "wrong-type"),
        (json!({ "uid": "u", "decision": "deny", "reason": {} }), "wrong-type"),
        (json!(["u", "allow"]), "wrong-type"),
    ] {
        assert_eq!(code(nono(&response)), expected, "{response}");
    }
    let many: serde_json::Map<String, Value> = (0..33).map(|key| (key.to_string(), json!("x"))).collect();
    assert_eq!(code(nono(&json!({ "uid": "u", "decision": "allow", "annotations": many }))), "annotations");
}

#[test]
fn an_answer_of_another_kind_or_version_is_refused() {
    let response = json!({ "uid": "u", "decision": "allow" });
    for (whole, expected_code) in [
        (json!({ "kind": "ApprovalResponse", "response": response }), "version"),
        (json!({ "apiVersion": "nono.approval/v2", "kind": "ApprovalResponse", "response": response }), "version"),
        (json!({ "apiVersion": "nono.approval/v1", "kind": "ApprovalRequest", "response": response }), "version"),
        (json!({ "apiVersion": "nono.approval/v1", "kind": "ApprovalResponse" }), "wrong-type"),
        (
            json!({ "apiVersion": "nono.approval/v1", "kind": "ApprovalResponse", "response": response, "x": 1 }),
            "unknown-key",
        ),
        (json!("allow"), "wrong-type"),
        (json!({ "result": true }), "version"),
    ] {
        let result = read(whole.to_string().as_bytes(), Format::Nono, expected(&["read"]));
        assert_eq!(code(result), expected_code, "{whole}");
    }
    let twice = br#"{"apiVersion":"nono.approval/v1","kind":"ApprovalResponse","response":{"uid":"u","decision":"deny","decision":"allow"}}"#;
    assert_eq!(code(read(twice, Format::Nono, expected(&["read"]))), "json-duplicate");
}

#[test]
fn a_policy_agent_s_document_decides_and_its_absence_denies() {
    let allows = |whole: Value| opa(&whole).map(|decision| decision.verdict != Verdict::Deny);
    assert_eq!(allows(json!({ "result": true, "decision_id": "x" })), Ok(true));
    assert_eq!(allows(json!({ "result": false })), Ok(false));
    assert_eq!(allows(json!({})), Ok(false));
    assert_eq!(allows(json!({ "decision_id": "x", "warning": {} })), Ok(false));
    assert_eq!(allows(json!({ "result": { "allow": true, "uid": "u" } })), Ok(true));
    assert_eq!(allows(json!({ "result": { "allow": false, "reason": "no" } })), Ok(false));
    assert_eq!(allows(json!({ "result": { "decision": "allow", "scope": "path" } })), Ok(true));
    assert_eq!(allows(json!({ "result": { "decision": "deny" } })), Ok(false));
    for (whole, expected) in [
        (json!({ "result": {} }), "decision"),
        (json!({ "result": null }), "wrong-type"),
        (json!({ "result": "allow" }), "wrong-type"),
        (json!({ "result": [true] }), "wrong-type"),
        (json!({ "result": 1 }), "wrong-type"),
        (json!({ "result": { "allow": "true" } }), "decision"),
        (json!({ "result": { "allow": true, "decision": "allow" } }), "decision"),
        (json!({ "result": { "allow": true, "deny": ["no"] } }), "unknown-key"),
        (json!({ "result": { "allow": true, "uid": "v" } }), "uid-mismatch"),
        (json!({ "result": { "allow": true, "uid": null } }), "wrong-type"),
        (json!({ "result": { "allow": true, "scope": "directory" } }), "scope-too-wide"),
        (json!([]), "wrong-type"),
    ] {
        assert_eq!(code(opa(&whole)), expected, "{whole}");
    }
}

#[test]
fn a_promise_says_when_to_look_again() {
    let wait = |text: &str| pause(text.as_bytes()).map(|pause| pause.as_millis());
    assert_eq!(wait(r#"{"status":"pending"}"#), Ok(1000));
    assert_eq!(wait(r#"{"status":"pending","poll_after_ms":250}"#), Ok(250));
    assert_eq!(wait(r#"{"status":"pending","poll_after_ms":0}"#), Ok(100));
    assert_eq!(wait(r#"{"status":"pending","poll_after_ms":18446744073709551615}"#), Ok(60_000));
    for (text, expected) in [
        ("{}", "version"),
        (r#"{"status":"allow"}"#, "version"),
        (r#"{"status":"pending","poll_after_ms":-1}"#, "wrong-type"),
        (r#"{"status":"pending","poll_after_ms":"1"}"#, "wrong-type"),
        (r#"{"status":"pending","decision":"allow"}"#, "unknown-key"),
        ("", "json"),
    ] {
        assert_eq!(code(pause(text.as_bytes())), expected, "{text}");
    }
}

#[test]
fn a_question_about_a_host_says_where_it_leads() {
    let mut asked = question(b"/");
    asked.operation = AskedOperation::Connect;
    let addresses = ["93.184.215.15", "93.184.215.16"].map(|text| text.parse().unwrap()).to_vec();
    let target = Target::Name("other.example.org".to_owned());
    asked.object = Subject::Host(Host { target, port: 443, udp: false, addresses });
    let request = body(&asked, Format::Nono).unwrap()["request"].clone();
    assert_eq!(request["target"], json!({ "type": "host", "shown": "other.example.org:443" }));
    let network = json!({ "host": "other.example.org", "port": 443, "protocol": "tcp", "address": "93.184.215.15",
        "addresses": ["93.184.215.15", "93.184.215.16"] });
    assert_eq!((&request["network"], &request["operation"]), (&network, &json!("net.connect")));
    assert_eq!((&request["access"], &request["scopes"]), (&json!(["connect"]), &json!(["once", "path"])));
}
