//! Whole policies through every layer.

use std::collections::BTreeMap;

use super::*;
use crate::profile::abs_path::AbsPath;
use crate::profile::{Capability, FilePattern, FileRuleKind};

/// Files by name, in memory.
#[derive(Default)]
struct Shelf {
    profiles: BTreeMap<String, String>,
    groups: BTreeMap<String, String>,
}

impl Shelf {
    fn with(profiles: &[(&str, &str)], groups: &[(&str, &str)]) -> Self {
        let owned =
            |texts: &[(&str, &str)]| texts.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect();
        Self { profiles: owned(profiles), groups: owned(groups) }
    }
}

impl Library for Shelf {
    fn group(&self, name: &str) -> Option<Result<Source, String>> {
        self.groups.get(name).map(|text| Ok(source(&format!("{name}.json"), text)))
    }

    fn group_names(&self) -> Vec<String> {
        self.groups.keys().cloned().collect()
    }

    fn profile(&self, name: &str) -> Option<Result<Source, String>> {
        if name == "unreadable" {
            return Some(Err("permission denied".to_owned()));
        }
        self.profiles.get(name).map(|text| Ok(source(&format!("{name}.json"), text)))
    }

    fn profile_names(&self) -> Vec<String> {
        self.profiles.keys().cloned().collect()
    }
}

fn source(place: &str, text: &str) -> Source {
    Source { place: Arc::from(place), text: Cow::Owned(text.as_bytes().to_vec()), built_in: None }
}

fn path(text: &str) -> AbsPath {
    AbsPath::new(text.as_bytes()).unwrap()
}

fn variables() -> Variables {
    Variables::new(path("/home/u/project"), 1000, |name| match name {
        "HOME" => Some(b"/home/u".to_vec()),
        "XDG_RUNTIME_DIR" => Some(b"/run/user/1000".to_vec()),
        _ => None,
    })
}

fn resolved(text: &str) -> Profile {
    resolve(&source("x.json", text), &builtin::NothingElse, &variables()).unwrap()
}

/// The problems of a text, a line each.
fn problems(text: &str) -> Vec<String> {
    problems_with(text, &Shelf::default())
}

fn problems_with(text: &str, shelf: &Shelf) -> Vec<String> {
    match resolve(&source("x.json", text), shelf, &variables()) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn the_governance_example_validates_as_it_stands() {
    let seed = r#"{"name": "production-agent","version": "1.0.0","sandbox": {"allow": ["/opt/app/workspace"],"deny": ["/etc/secrets", "/var/run/docker.sock"],"groups": ["python-3.12", "nodejs-20", "deny-credentials"]},"network": {"allow": ["api.internal.company.com", "registry.example.org"],"deny_private": true},"supervisor": {"enabled": true,"webhook": "https://governance.internal.company.com/approve"},"trust": {"signers": ["deploy@company.com"],"require_signed_instructions": true}}"#;
    let profile = resolved(seed);
    assert_eq!(profile.groups.len(), 4);
    assert_eq!(profile.network.as_ref().unwrap().allow.len(), 2);
    let built_in = resolve_name("production-agent", &builtin::NothingElse, &variables()).unwrap();
    let written =
        |profile: &Profile| profile.files.iter().map(|rule| (rule.kind, rule.written.clone())).collect::<Vec<_>>();
    assert_eq!(written(&profile), written(&built_in));
    assert_eq!(profile.name, built_in.name);
}

#[test]
fn the_design_s_whole_example_is_read_key_by_key() {
    let shelf = Shelf::with(&[("base", r#"{"name": "base"}"#)], &[]);
    let text = include_str!("whole.json");
    let profile = resolve(&source("x.json", text), &shelf, &variables()).unwrap();
    assert_eq!(profile.extends, [Arc::from("base")]);
    assert_eq!(profile.version.as_deref(), Some("1.0.0"));
    let network = profile.network.unwrap();
    assert_eq!(network.allow[3].value.to_string(), "10.1.0.0/16:5432");
    assert_eq!(network.listen[0].value.to_string(), "8080");
    assert_eq!(profile.supervisor.approval[0].value, Approver::Webhook);
    assert_eq!(profile.supervisor.timeout_ms.unwrap().value, 30_000);
    assert_eq!(profile.supervisor.webhook_secret.unwrap().value, path("/etc/nono/webhook.key"));
    assert_eq!(profile.limits.memory.unwrap().value, 4 << 30);
    assert_eq!(profile.environment.pass.unwrap().len(), 5);
    assert_eq!(profile.environment.set[0].value, ("CI".to_owned(), "1".to_owned()));
    assert_eq!(profile.skipdirs[0].value, "third_party");
    assert!(profile.undo.unwrap().value);
    assert!(profile.trust.require_signed_instructions.unwrap().value);
}

#[test]
fn each_value_knows_its_place() {
    let profile =
        resolved("{\n \"name\": \"x\",\n \"sandbox\": { \"read\": [\"/a\",\n  \"~/b\"], \"groups\": [\"git\"] }\n}");
    let rule =
        profile.files.iter().find(|rule| rule.group.is_none() && rule.pattern == FilePattern::Path(path("/home/u/b")));
    let rule = rule.unwrap();
    assert_eq!(format!("{} {}", rule.from, rule.from.json_path), "x.json:4:3 sandbox.read[1]");
    assert_eq!(&*rule.written, "~/b");
    let config = profile.files.iter().find(|rule| &*rule.written == "~/.gitconfig").unwrap();
    assert_eq!((&*config.from.place, config.group.as_deref()), ("built-in group git", Some("git")));
}

#[test]
fn lists_are_unions_and_the_extending_value_wins() {
    let base = r#"{"name": "base", "sandbox": {"deny": ["/d"], "read": ["/r"]}, "limits": {"processes": 1, "open_files": 9},
        "environment": {"pass": ["A"], "set": {"K": "base"}}, "network": {"allow": ["a.example"], "deny_private": false}}"#;
    let other = r#"{"name": "other", "extends": ["base"], "limits": {"processes": 2}, "sandbox": {"read": ["/r"]}}"#;
    let shelf = Shelf::with(&[("base", base), ("other", other)], &[]);
    let text = r#"{"name": "x", "extends": ["other", "base"], "limits": {"processes": 3}, "network": {"deny_private": true},
        "sandbox": {"allow": ["/r", "/d"]}, "environment": {"pass": ["B", "A"], "set": {"K": "own"}}}"#;
    let profile = resolve(&source("x.json", text), &shelf, &variables()).unwrap();
    let rules: Vec<_> = profile.files.iter().map(|rule| (rule.kind, rule.written.to_string())).collect();
    assert_eq!(
        rules,
        [
            (FileRuleKind::Read, "/r".to_owned()),
            (FileRuleKind::Deny, "/d".to_owned()),
            (FileRuleKind::Allow, "/r".to_owned()),
            (FileRuleKind::Allow, "/d".to_owned()),
        ]
    );
    assert_eq!(profile.extends, [Arc::from("base"), Arc::from("other")]);
    assert_eq!(profile.limits.processes.unwrap().value, 3);
    assert_eq!(profile.limits.open_files.unwrap().value, 9);
    let names: Vec<_> = profile.environment.pass.unwrap().into_iter().map(|given| given.value).collect();
    assert_eq!(names, ["A", "B"]);
    assert_eq!(profile.environment.set.len(), 1);
    assert_eq!(profile.environment.set[0].value.1, "own");
    let network = profile.network.unwrap();
    assert!(network.deny_private.unwrap().value);
    assert_eq!(network.allow.len(), 1);
}

#[test]
fn a_group_adds_names_without_switching_the_documented_list_off() {
    let shelf = Shelf::with(
        &[],
        &[("g", r#"{"name": "g", "environment": {"pass": ["G"], "deny": ["*_TOKEN"], "set": {"A": "1"}}}"#)],
    );
    let text = r#"{"name": "x", "sandbox": {"groups": ["g"]}}"#;
    let environment = resolve(&source("x.json", text), &shelf, &variables()).unwrap().environment;
    assert_eq!(environment.pass, None);
    assert_eq!(environment.group_pass[0].value, "G");
    assert_eq!(environment.deny[0].value, "*_TOKEN");
    assert_eq!(environment.set[0].value.0, "A");
}

#[test]
fn a_denial_is_a_path_or_a_pattern() {
    let text = r#"{"name": "x", "sandbox": {"deny": ["/etc/secrets", "~/x", "**/.env", "key.pem", "/a/*.pem", "$WORKDIR/**/id_*",
        {"path": "**/.env.*", "except": [".env.example"]}, {"path": "~/.aws", "except": ["~/.aws/config"]}, {"path": "/p"}]}}"#;
    let profile = resolved(text);
    let covered = |file: &str| -> Vec<usize> {
        let rules = profile.files.iter().enumerate();
        rules.filter(|(_, rule)| rule.pattern.covers(&path(file))).map(|(index, _)| index).collect()
    };
    assert_eq!(profile.files[0].pattern, FilePattern::Path(path("/etc/secrets")));
    assert_eq!(profile.files[8].pattern, FilePattern::Path(path("/p")));
    for (file, expected) in [
        ("/etc/secrets/a", &[0][..]),
        ("/home/u/x", &[1]),
        ("/q/.env", &[2]),
        ("/q/key.pem", &[3]),
        ("/a/b.pem", &[4]),
        ("/home/u/project/a/id_rsa", &[5]),
        ("/home/u/id_rsa", &[]),
        ("/q/.env.local", &[6]),
        ("/q/.env.example", &[]),
        ("/home/u/.aws/credentials", &[7]),
        ("/home/u/.aws/config", &[]),
    ] {
        assert_eq!(covered(file), expected, "{file}");
    }
}

#[test]
fn every_problem_of_a_file_and_of_what_it_builds_on_is_told_at_once() {
    let shelf = Shelf::with(
        &[("base", "{\"name\": \"base\",\n \"sandbx\": {}}"), ("broken", "{\"name\": ")],
        &[("mine", "{\"name\": \"mine\", \"alow\": [], \"read\": [\"rel\"]}")],
    );
    let said = problems_with(
        "{\n\"name\": \"x\",\n\"extends\": [\"base\", \"broken\", \"unreadable\", \"defalt\"],\n\"sandbox\": {\"alow\": [], \"groups\": [\"mine\", \"pyhton-3.12\"]},\n\"limits\": {\"memory\": \"4 gigs\"}}",
        &shelf,
    );
    assert_eq!(
        said,
        [
            "x.json:4:13: sandbox.alow: unknown key \"alow\"; did you mean \"allow\"?",
            "x.json:5:22: limits.memory: \"4 gigs\" is no size; write a number of bytes, or a text such as \"4GiB\"",
            "base.json:2:2: sandbx: unknown key \"sandbx\"; did you mean \"sandbox\"?",
            "broken.json:1:9: this is not JSON: EOF while parsing a value; correct it here or just before",
            "x.json:3:31: extends[2]: it cannot be read: permission denied",
            "x.json:3:45: extends[3]: there is no profile \"defalt\"; did you mean \"default\"?",
            "mine.json:1:18: alow: unknown key \"alow\"; did you mean \"allow\"?",
            "mine.json:1:39: read[0]: \"rel\" cannot be used as a path: it is relative; begin with `/`, `~/` or a variable such as `$WORKDIR`",
            "x.json:4:44: sandbox.groups[1]: there is no group \"pyhton-3.12\"; did you mean \"python-3.12\"?",
        ]
    );
}

#[test]
fn circles_and_long_chains_end() {
    let shelf = Shelf::with(
        &[("a", r#"{"name": "a", "extends": ["b"]}"#), ("b", r#"{"name": "b", "extends": ["a"]}"#)],
        &[("g", r#"{"name": "g", "includes": ["g"]}"#)],
    );
    assert_eq!(
        problems_with(r#"{"name": "x", "extends": ["a"], "sandbox": {"groups": ["g"]}}"#, &shelf),
        [
            "b.json:1:27: extends[0]: profiles build on each other in a circle (a → b → a); remove a reference",
            "g.json:1:28: includes[0]: groups build on each other in a circle (g → g); remove a reference",
        ]
    );
    let texts: Vec<(String, String)> =
        (0..100).map(|n| (format!("p{n}"), format!(r#"{{"name": "p{n}", "extends": ["p{}"]}}"#, n + 1))).collect();
    let chain = Shelf { profiles: texts.into_iter().collect(), groups: BTreeMap::new() };
    let said = problems_with(r#"{"name": "x", "extends": ["p0"]}"#, &chain);
    assert_eq!(said.len(), 1);
    assert!(said[0].ends_with("more than 32 profiles or groups build on each other; flatten them"), "{said:?}");
}

fn sandbox(inside: &str) -> String {
    format!(r#"{{"name": "x", "sandbox": {{{inside}}}}}"#)
}

fn key(key: &str, value: &str) -> String {
    format!(r#"{{"name": "x", "{key}": {value}}}"#)
}

/// Each text has one problem, whose sentence holds the words beside it.
fn assert_said(cases: &[(String, &str)]) {
    for (text, words) in cases {
        let said = problems(text);
        assert_eq!(said.len(), 1, "{text}: {said:?}");
        assert!(said[0].contains(words), "{text}: {said:?}");
    }
}

#[test]
fn each_wrong_file_rule_has_its_sentence() {
    assert_said(&[
        (sandbox(r#""allow": "/a""#), "write a list"),
        (sandbox(r#""allow": [1]"#), "this is a number; write a string"),
        (sandbox(r#""allow": ["a"]"#), "it is relative"),
        (sandbox(r#""allow": [""]"#), "it is empty"),
        (sandbox(r#""allow": ["/a/*"]"#), "only `deny` takes patterns"),
        (sandbox(r#""allow": ["!/a"]"#), "it is relative"),
        (sandbox(r#""allow": ["/a/../b"]"#), "`..` may lead elsewhere"),
        (sandbox(r#""allow": ["/a\u0000b"]"#), "NUL"),
        (sandbox(r#""allow": ["~root/a"]"#), "`~name` is not replaced"),
        (sandbox(r#""allow": ["$HOM/a"]"#), "unknown variable \"$HOM\"; a path may use ~ $HOME"),
        (sandbox(r#""allow": ["$TMPDIR/a"]"#), "the variable TMPDIR is not set"),
        (sandbox(r#""allow": ["/a/$HOME"]"#), "stands at the beginning"),
        (sandbox(&format!(r#""allow": ["/{}"]"#, "a".repeat(5000))), "longer than 4096 bytes"),
        (sandbox(r#""deny": ["!.env"]"#), "leading `!`"),
        (sandbox(r#""deny": ["[a"]"#), "`[` has no `]`"),
        (sandbox(r#""deny": [{"except": []}]"#), "sandbox.deny[0]: the key \"path\" is missing"),
        (sandbox(r#""deny": [{"path": "a", "excpt": []}]"#), "did you mean \"except\"?"),
        (sandbox(r#""deny": [{"path": "a", "except": ["a**"]}]"#), "sandbox.deny[0].except[0]: \"a**\" is no pattern"),
        (sandbox(r#""capabilities": ["sys_admin"]"#), "\"sys_admin\" is not known here; write one of \"chown\""),
        (sandbox(r#""capabilities": ["setiud"]"#), "did you mean \"setuid\"?"),
        (sandbox(r#""unix_sockets": ["*"]"#), "only `deny` takes patterns"),
    ]);
}

#[test]
fn each_wrong_network_or_supervisor_has_its_sentence() {
    assert_said(&[
        (key("network", r#"{"allow": ["*"]}"#), "would open every host"),
        (key("network", r#"{"allow": ["*.com"]}"#), "public suffix"),
        (key("network", r#"{"allow": ["a:0"]}"#), "from 1 to 65535"),
        (key("network", r#"{"listen": [0]}"#), "write a whole number from 1 to 65535"),
        (key("network", r#"{"listen": [80.5]}"#), "write a whole number"),
        (key("network", r#"{"listen": [true]}"#), "write a port, or a string"),
        (key("network", r#"{"listen": ["localhost:80"]}"#), "this is no IP address"),
        (key("network", r#"{"deny_private": "no"}"#), "this is a string; write true or false"),
        (key("network", "null"), "this is null; write an object"),
        (key("supervisor", r#"{"webhook": "http://a.example/x"}"#), "over http anybody on the way could answer"),
        (key("supervisor", r#"{"webhook": "https://u:p@a.example/x"}"#), "does not belong in the address"),
        (key("supervisor", r#"{"webhook": "a.example"}"#), "write the whole address"),
        (key("supervisor", r#"{"webhook": "https:///x"}"#), "its host or port is wrong"),
        (key("supervisor", r#"{"webhook": "ftp://a.example"}"#), "begins with"),
        (key("supervisor", r#"{"webhook": "unix:run/a.sock"}"#), "a socket is named by its whole path"),
        (key("supervisor", r#"{"webhook_secret": {}}"#), "the key \"file\" is missing"),
        (key("supervisor", r#"{"timeout_ms": 0}"#), "from 1 to 86400000"),
        (key("supervisor", r#"{"timeout_ms": 1e3}"#), "from 1 to 86400000"),
        (key("supervisor", r#"{"questions_per_second": 0}"#), "from 1 to 10000"),
        (key("supervisor", r#"{"approval": ["webhook"]}"#), "the approval \"webhook\" needs"),
        (key("supervisor", r#"{"approval": ["termnal"]}"#), "did you mean \"terminal\"?"),
        (key("supervisor", r#"{"default_on_timeout": "allow"}"#), "grants what nobody answered for"),
        (key("supervisor", r#"{"default_on_timeout": "allow", "i_accept_fail_open": false}"#), "nobody answered for"),
    ]);
}

#[test]
fn each_other_wrong_value_has_its_sentence() {
    assert_said(&[
        ("[]".to_owned(), "this is a list; write an object"),
        ("{}".to_owned(), "the key \"name\" is missing"),
        (r#"{"name": ""}"#.to_owned(), "\"\" is no name"),
        (r#"{"name": "-x"}"#.to_owned(), "is no name"),
        (r#"{"name": "../x"}"#.to_owned(), "is no name"),
        (r#"{"name": 1}"#.to_owned(), "this is a number; write a string"),
        (r#"{"name": "x", "name": "y"}"#.to_owned(), "x.json:1:15: name: the key \"name\" was given before, in line 1"),
        (key("version", r#""1\n""#), "control character"),
        (key("extends", r#"["a/b"]"#), "\"a/b\" is no name"),
        (key("extends", r#""base""#), "this is a string; write a list"),
        (key("audit", r#"{"level": "some"}"#), "write one of \"all\""),
        (key("undo", r#"{"enabled": 1}"#), "write true or false"),
        (key("environment", r#"{"pass": ["A*B"]}"#), "only at the end"),
        (key("environment", r#"{"pass": ["A=B"]}"#), "holds no `=`"),
        (key("environment", r#"{"pass": [""]}"#), "is not empty"),
        (key("environment", r#"{"set": {"A": 1}}"#), "this is a number; write a string"),
        (key("environment", r#"{"set": {"A": "1", "A": "2"}}"#), "given before"),
        (key("environment", r#"{"set": {"A*": "1"}}"#), "one exact name"),
        (key("environment", r#"{"set": {"A": "\u0000"}}"#), "NUL"),
        (key("limits", r#"{"memory": "1PiB"}"#), "is no size"),
        (key("limits", r#"{"memory": "0"}"#), "is no size"),
        (key("limits", r#"{"memory": "99999999999999999999GiB"}"#), "is no size"),
        (key("limits", r#"{"memory": 0}"#), "from 1 to"),
        (key("limits", r#"{"processes": 99999999999}"#), "from 1 to 4294967295"),
        (key("trust", r#"{"signers": [" "]}"#), "a signer is an identity"),
        (key("skipdirs", r#"["a/b"]"#), "a directory's name alone"),
        (key("skipdirs", r#"[".."]"#), "write the name of a directory"),
        (key("\\u001b[2J", "1"), "[\"\\u{1b}[2J\"]: unknown key \"\\u{1b}[2J\"; known here: name, version"),
    ]);
}

#[test]
fn what_is_unusual_and_right_is_accepted() {
    for text in [
        r#"{"name": "x", "supervisor": {"default_on_timeout": "allow", "i_accept_fail_open": true}}"#,
        r#"{"name": "x", "supervisor": {"webhook": "http://127.0.0.1:8080/x"}}"#,
        r#"{"name": "x", "supervisor": {"webhook": "http://[::1]:8080"}}"#,
        r#"{"name": "x", "supervisor": {"webhook": "unix:/run/opa.sock:/v1/data/nono/allow"}}"#,
        r#"{"name": "x", "supervisor": {"webhook": "http://localhost/x?y=1"}}"#,
        r#"{"name": "x", "supervisor": {"webhook": "https://10.0.0.1:8443/x", "approval": ["webhook", "terminal"]}}"#,
        r#"{"name": "x", "network": {"listen": ["0.0.0.0:80", 1]}}"#,
        r#"{"name": "x", "limits": {"memory": 1, "open_files": 1}}"#,
        r#"{"name": "x", "limits": {"memory": "512 MiB"}}"#,
        r#"{"name": "x", "sandbox": {"read": ["/", "/run/user/$UID", "/a b/é", "/x/"]}}"#,
    ] {
        assert_eq!(problems(text), [""; 0], "{text}");
    }
}

#[test]
fn problems_are_counted_and_end() {
    let entries = "\"x\",".repeat(10_000);
    let said = problems(&format!(r#"{{"name": "x", "sandbox": {{"read": [{entries}"x"]}}}}"#));
    assert_eq!(said.len(), MOST_PROBLEMS + 1);
    assert!(said.last().unwrap().ends_with("there are more problems than these; correct them and try again"));
}

#[test]
fn an_unset_variable_leaves_an_entry_out_only_where_it_is_built_in() {
    let bare = Variables::new(path("/w"), 7, |name| (name == "HOME").then(|| b"/home/u".to_vec()));
    let profile = resolve_name("default", &builtin::NothingElse, &bare).unwrap();
    assert!(profile.files.iter().all(|rule| !rule.written.starts_with("$XDG_RUNTIME_DIR")));
    assert!(profile.files.iter().any(|rule| rule.pattern == FilePattern::Path(path("/run/user/7/bus"))));
    let homeless = Variables::new(path("/w"), 7, |_| None);
    let said = resolve_name("default", &builtin::NothingElse, &homeless).unwrap_err();
    assert!(said[0].to_string().contains("the variable HOME is not set"), "{}", said[0]);
}

#[test]
fn a_name_that_nobody_has_or_could_have_is_a_problem() {
    let said = |name| resolve_name(name, &builtin::NothingElse, &variables()).unwrap_err()[0].to_string();
    assert_eq!(said("rust_dev"), "profile: there is no profile \"rust_dev\"; did you mean \"rust-dev\"?");
    assert_eq!(said("zzz"), "profile: there is no profile \"zzz\"; `nono profiles list` shows what there is");
    assert!(said("../../etc/passwd").contains("is no name"));
}

#[test]
fn capabilities_are_written_as_they_are_shown() {
    let shown: Vec<String> = Capability::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(shown, Capability::NAMES);
}
