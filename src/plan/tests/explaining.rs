//! Verdicts in words.

use super::*;
use crate::plan::explain::{Explanation, explain, explain_missing};
use crate::plan::{Operation, build, decide};
use crate::profile::host::{Endpoint, HostRule, Listen};
use crate::profile::{Approver, Network};
use FileRuleKind::{Allow, Deny, Read};

fn explained(profile: Profile, operation: &Operation) -> Explanation {
    let plan = build(profile, &facts(), &mut World::default());
    explain(&plan, operation, &decide(&plan, operation))
}

fn change(operation: &Operation) -> String {
    explained(profile(Vec::new()), operation).change.unwrap()
}

fn connect(text: &str) -> Operation {
    let Endpoint { target, port, udp } = Endpoint::parse(text).unwrap();
    Operation::Connect { target, port, udp }
}

#[test]
fn a_denial_names_its_entry_and_how_to_take_it_back() {
    let files = vec![rule(Allow, "/"), rule(Deny, "/keys")];
    let told = explained(profile(files), &Operation::Read(at("/keys/a")));
    assert_eq!(told.decision, "deny");
    assert_eq!(told.reason, "`/keys` denies it, and a denial beats every allow");
    assert_eq!(told.change.as_deref(), Some("no flag opens this; remove the entry sandbox.x[7] at p.json:7:5"));
    let deciding = told.rule.unwrap();
    assert_eq!((deciding.written.as_str(), deciding.from), ("/keys", from_line(7)));

    let told = explained(profile(vec![in_group(rule(Deny, "/keys"), "deny-keys")]), &Operation::Read(at("/keys/a")));
    assert_eq!(told.change.as_deref(), Some("no flag opens this; leave the group `deny-keys` out of the profile"));

    let mut by_flag = rule(Deny, "/keys");
    by_flag.from = Provenance::flag("--deny");
    let told = explained(profile(vec![by_flag]), &Operation::Write(at("/keys/a")));
    assert_eq!(told.change.as_deref(), Some("leave out `--deny /keys`"));
}

#[test]
fn no_flag_is_named_that_would_be_refused() {
    let listen = Operation::Listen(Listen { address: None, port: 0 });
    assert_eq!(change(&listen), "bind(2) with a port that `network.listen` names");
    let Operation::Connect { target, .. } = connect("a.example:1") else { panic!("no connection") };
    let nowhere = Operation::Connect { target, port: 0, udp: false };
    assert_eq!(explained(profile(Vec::new()), &nowhere).change, None);
}

#[test]
fn nothing_changes_what_is_nonos_own() {
    let told = explained(profile(Vec::new()), &Operation::Read(at("/own/state/x")));
    assert_eq!((told.rule, told.change), (None, None));
    assert!(told.reason.contains("which nothing opens"), "{}", told.reason);
}

#[test]
fn an_allowed_operation_names_its_rule_and_needs_no_change() {
    let told = explained(profile(vec![rule(Read, "/a")]), &Operation::Execute(at("/a/b")));
    assert_eq!(
        (told.decision, told.reason.as_str(), told.change),
        ("allow", "`/a` grants reading and executing", None)
    );
    assert_eq!(told.rule.unwrap().written, "/a");
}

#[test]
fn other_access_says_what_the_rule_gives() {
    let told = explained(profile(vec![rule(Read, "/a")]), &Operation::Write(at("/a/b")));
    assert_eq!(told.reason, "`/a` grants reading and executing and no more");
    assert_eq!(told.change.as_deref(), Some(r#"--write /a/b, or in the profile "sandbox": { "write": ["/a/b"] }"#));
}

#[test]
fn each_operation_has_its_flag_and_its_entry() {
    for (operation, expected) in [
        (Operation::Execute(at("/a")), r#"--read /a, or in the profile "sandbox": { "read": ["/a"] }"#),
        (
            Operation::UnixConnect(at("/s")),
            r#"--allow-unix-socket /s, or in the profile "sandbox": { "unix_sockets": ["/s"] }"#,
        ),
        (connect("x.org:443"), r#"--allow-host x.org:443, or in the profile "network": { "allow": ["x.org:443"] }"#),
        (
            connect("10.0.0.1:53/udp"),
            r#"a rule with the host's name, such as --allow-host example.com: look-ups are then answered; for this server itself --allow-host 10.0.0.1:53/udp, or in the profile "network": { "allow": ["10.0.0.1:53/udp"] }"#,
        ),
        (
            connect("10.0.0.1:123/udp"),
            r#"--allow-host 10.0.0.1:123/udp, or in the profile "network": { "allow": ["10.0.0.1:123/udp"] }"#,
        ),
        // No entry of a profile has such a name, which is a pattern or a variable there.
        (Operation::Read(at("/a*")), "--read '/a*'"),
        (Operation::Read(at("/$HOME")), "--read '/$HOME'"),
        (
            Operation::Listen(Listen::parse("8080").unwrap()),
            r#"--listen 8080, or in the profile "network": { "listen": [8080] }"#,
        ),
        (
            Operation::Listen(Listen::parse("0.0.0.0:8080").unwrap()),
            r#"--listen 0.0.0.0:8080, or in the profile "network": { "listen": ["0.0.0.0:8080"] }"#,
        ),
    ] {
        assert_eq!(change(&operation), expected, "{operation}");
    }
}

#[test]
fn a_file_that_is_not_there_is_created_in_its_directory() {
    let plan = build(profile(Vec::new()), &facts(), &mut World::default());
    let told = |operation| explain_missing(&plan, &operation, &decide(&plan, &operation), &at("/a")).change.unwrap();
    assert_eq!(told(Operation::Write(at("/a/new"))), r#"--write /a, or in the profile "sandbox": { "write": ["/a"] }"#);
    assert!(told(Operation::Read(at("/a/new"))).starts_with("/a/new does not exist; once it does, --read /a/new"));
}

#[test]
fn a_question_says_that_it_is_one() {
    let mut profile = profile(Vec::new());
    profile.supervisor.approval = vec![given(Approver::Terminal)];
    let told = explained(profile, &Operation::Read(at("/a")));
    assert_eq!(told.decision, "ask");
    assert!(told.to_string().starts_with("read /a is asked about: no rule covers it\n"), "{told}");
}

#[test]
fn what_nobody_is_asked_about_is_denied_whoever_answers_questions() {
    let mut asking = profile(vec![rule(Allow, "/b"), rule(Read, "/c")]);
    asking.network = Some(Network::default());
    asking.supervisor.approval = vec![given(Approver::Terminal)];
    let listen = Operation::Listen(Listen::parse("8080").unwrap());
    for (operation, words) in [
        (Operation::Execute(at("/a")), "no rule covers it, and nobody is asked about starting a program"),
        (listen, "no rule covers it, and nobody is asked about a port to listen on"),
    ] {
        let told = explained(asking.clone(), &operation);
        assert_eq!((told.decision, told.reason.as_str()), ("deny", words));
        assert!(told.change.is_some());
    }
    assert_eq!(explained(asking.clone(), &Operation::Execute(at("/b"))).decision, "allow");
    assert_eq!(explained(asking, &Operation::Write(at("/c"))).decision, "ask");
}

#[test]
fn an_explanation_reads_as_a_few_lines() {
    let files = vec![rule(Allow, "/"), rule(Deny, "/keys")];
    assert_eq!(
        explained(profile(files), &Operation::Read(at("/keys/a"))).to_string(),
        "read /keys/a is denied: `/keys` denies it, and a denial beats every allow\n\
         the rule: /keys (sandbox.x[7]) at p.json:7:5\n\
         to allow it: no flag opens this; remove the entry sandbox.x[7] at p.json:7:5"
    );
    let mut by_flag = rule(Read, "/a");
    by_flag.from = Provenance::flag("--read");
    assert_eq!(
        explained(profile(vec![by_flag]), &Operation::Read(at("/a"))).to_string(),
        "read /a is allowed: `/a` grants reading and executing\nthe rule: --read /a"
    );
}

#[test]
fn network_verdicts_say_what_stands_in_the_way() {
    let mut profile = profile(Vec::new());
    profile.network = Some(Network { allow: vec![given(HostRule::parse("x.org").unwrap())], ..Network::default() });
    for (target, reason) in [
        ("x.org:443", "`x.org` allows it; an address of that name that is private stays refused"),
        ("127.0.0.1:443", "the address is not a public one (loopback (127.0.0.0/8)), and `deny_private` holds"),
        (
            "169.254.169.254:80",
            "the address belongs to a metadata service, which only a rule for exactly this address opens",
        ),
        ("y.org:443", "no rule covers it"),
    ] {
        assert_eq!(explained(profile.clone(), &connect(target)).reason, reason, "{target}");
    }
}

#[test]
fn hostile_paths_are_quoted_for_a_shell_and_never_shown_raw() {
    for (path, flag) in [
        (&b"/a b"[..], r#"--read '/a b', or in the profile "sandbox": { "read": ["/a b"] }"#),
        (b"/it's", r#"--read '/it'\''s', or in the profile "sandbox": { "read": ["/it's"] }"#),
        (b"/a\\\"b", r#"--read '/a\"b', or in the profile "sandbox": { "read": ["/a\\\"b"] }"#),
        (b"/$(reboot)", r#"--read '/$(reboot)', or in the profile "sandbox": { "read": ["/$(reboot)"] }"#),
        (b"/\x1b[2J'", r"--read $'/\x1b[2J\''"),
        (b"/\xff", r"--read $'/\xff'"),
        ("/\u{202e}x".as_bytes(), r"--read $'/\xe2\x80\xaex'"),
        ("/é".as_bytes(), r#"--read /é, or in the profile "sandbox": { "read": ["/é"] }"#),
    ] {
        assert_eq!(change(&Operation::Read(AbsPath::new(path).unwrap())), flag);
    }
}
