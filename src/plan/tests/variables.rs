//! Which variables the program is started with.

use super::*;
use crate::plan::build;
use crate::profile::Environment;

/// What is left of the variables `inherited`, as `NAME=VALUE`, and how many warnings there were.
fn passed(policy: Environment, inherited: &[(&[u8], &[u8])]) -> (Vec<String>, usize) {
    let mut facts = facts();
    facts.environment = inherited.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
    let mut profile = profile(Vec::new());
    profile.environment = policy;
    let plan = build(profile, &facts, &mut World::default());
    let text = |(name, value): (&Vec<u8>, &Vec<u8>)| {
        format!("{}={}", String::from_utf8_lossy(name), String::from_utf8_lossy(value))
    };
    (plan.environment.iter().map(text).collect(), plan.warnings.len())
}

fn names(pass: &[&str], inherited: &[&'static str]) -> Vec<String> {
    let policy =
        Environment { pass: Some(pass.iter().map(|name| given((*name).into())).collect()), ..Environment::default() };
    let inherited: Vec<(&[u8], &[u8])> = inherited.iter().map(|name| (name.as_bytes(), &b"1"[..])).collect();
    passed(policy, &inherited).0.iter().map(|pair| pair.trim_end_matches("=1").to_owned()).collect()
}

#[test]
fn without_the_key_the_documented_list_passes_and_nothing_else() {
    let inherited: Vec<(&[u8], &[u8])> = [
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "TERM",
        "LANG",
        "LC_ALL",
        "LC_TIME",
        "TZ",
        "TMPDIR",
        "COLORTERM",
        "NO_COLOR",
        "EDITOR",
        "AWS_SECRET_ACCESS_KEY",
        "LD_PRELOAD",
        "SSH_AUTH_SOCK",
        "PWD",
        "LC",
    ]
    .map(|name| (name.as_bytes(), &b"v"[..]))
    .into();
    let (left, _) = passed(Environment::default(), &inherited);
    let expected = [
        "COLORTERM",
        "HOME",
        "LANG",
        "LC_ALL",
        "LC_TIME",
        "LOGNAME",
        "NO_COLOR",
        "PATH",
        "SHELL",
        "TERM",
        "TMPDIR",
        "TZ",
        "USER",
    ];
    assert_eq!(left, expected.map(|name| format!("{name}=v")));
}

#[test]
fn an_empty_list_passes_nothing() {
    assert!(names(&[], &["PATH", "HOME"]).is_empty());
}

#[test]
fn a_wildcard_covers_no_name_that_a_loader_or_an_interpreter_acts_on() {
    let dangerous = [
        "LD_PRELOAD",
        "BASH_ENV",
        "ENV",
        "IFS",
        "NODE_OPTIONS",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "GIT_SSH_COMMAND",
        "PERL5LIB",
        "RUBYOPT",
        "JAVA_TOOL_OPTIONS",
        "BASH_FUNC_ls%%",
        "GLIBC_TUNABLES",
        "DYLD_INSERT_LIBRARIES",
        "SSH_AUTH_SOCK",
        "DBUS_SESSION_BUS_ADDRESS",
        "NONO_PROFILE",
        "ld_preload",
    ];
    let seen: Vec<&'static str> = dangerous.into_iter().chain(["PYTHONUNBUFFERED", "EDITOR"]).collect();
    assert_eq!(names(&["*"], &seen), ["EDITOR", "PYTHONUNBUFFERED"]);
    assert_eq!(names(&["PYTHON*", "LD_*"], &seen), ["PYTHONUNBUFFERED"]);
    assert_eq!(names(&["LD_PRELOAD", "GIT_SSH_COMMAND"], &seen), ["GIT_SSH_COMMAND", "LD_PRELOAD"]);
}

#[test]
fn nonos_own_variables_pass_by_no_entry() {
    let own = |text: &str| Environment {
        pass: Some(vec![given(text.into())]),
        set: vec![given((text.to_owned(), "1".into()))],
        ..Environment::default()
    };
    assert_eq!(passed(own("NONO_PROFILE"), &[(b"NONO_PROFILE", b"x")]), (Vec::new(), 2));
}

#[test]
fn what_a_group_denies_passes_by_its_exact_name_alone() {
    let policy = |pass: &[&str]| Environment {
        pass: Some(pass.iter().map(|name| given((*name).into())).collect()),
        deny: ["*_TOKEN", "*SECRET*", "AWS_*"].map(|pattern| given(pattern.into())).into(),
        ..Environment::default()
    };
    let inherited: [(&[u8], &[u8]); 6] = [
        (b"GITHUB_TOKEN", b"1"),
        (b"npm_token", b"1"),
        (b"MY_SECRET_KEY", b"1"),
        (b"AWS_REGION", b"1"),
        (b"TOKENS", b"1"),
        (b"A_TOKEN_B", b"1"),
    ];
    assert_eq!(passed(policy(&["*"]), &inherited).0, ["A_TOKEN_B=1", "TOKENS=1"]);
    assert_eq!(passed(policy(&["AWS_REGION", "AWS_*"]), &inherited).0, ["AWS_REGION=1"]);
}

#[test]
fn what_groups_pass_comes_on_top_of_whichever_list_holds() {
    let policy = |pass: Option<&str>| Environment {
        pass: pass.map(|name| vec![given(name.into())]),
        group_pass: ["GOPATH", "GO*"].map(|name| given(name.into())).into(),
        deny: vec![given("*_TOKEN".into())],
        ..Environment::default()
    };
    let inherited: [(&[u8], &[u8]); 4] = [(b"GOPATH", b"1"), (b"GO_TOKEN", b"1"), (b"HOME", b"1"), (b"X", b"1")];
    assert_eq!(passed(policy(None), &inherited).0, ["GOPATH=1", "HOME=1"]);
    assert_eq!(passed(policy(Some("X")), &inherited).0, ["GOPATH=1", "X=1"]);
}

#[test]
fn odd_and_repeated_variables_do_no_harm() {
    let policy = || Environment { pass: Some(vec![given("*".into())]), ..Environment::default() };
    let inherited: [(&[u8], &[u8]); 7] = [
        (b"A", b"first"),
        (b"A", b"second"),
        (b"", b"x"),
        (b"B=C", b"x"),
        (b"D\0", b"x"),
        (b"E", b"a\0b"),
        (b"F\xff", b"\xfe=="),
    ];
    assert_eq!(passed(policy(), &inherited).0, ["A=first", "F\u{fffd}=\u{fffd}=="]);
}

#[test]
fn what_is_set_wins_over_what_is_passed_and_the_last_of_two_counts() {
    let set = |pairs: &[(&str, &str)]| Environment {
        set: pairs.iter().map(|(name, value)| given(((*name).to_owned(), (*value).to_owned()))).collect(),
        ..Environment::default()
    };
    let policy = set(&[("PATH", "/a"), ("PATH", "/b"), ("LD_PRELOAD", "x.so")]);
    assert_eq!(passed(policy, &[(b"PATH", b"/c")]), (vec!["LD_PRELOAD=x.so".into(), "PATH=/b".into()], 0));
    assert_eq!(passed(set(&[("", "x"), ("A=B", "x"), ("C", "a\0b")]), &[]), (Vec::new(), 3));
}

#[test]
fn a_star_may_stand_anywhere_and_stand_for_nothing() {
    for (pattern, name, expected) in [
        ("*", "ANY", true),
        ("A*C", "AC", true),
        ("A*C", "ABCBC", true),
        ("A*C", "ABCB", false),
        ("*A*A*", "AA", true),
        ("*A*A*", "ABBB", false),
        ("A", "AB", false),
        ("A*", "BA", false),
    ] {
        assert_eq!(names(&[pattern], &[name]).len() == 1, expected, "{pattern} {name}");
    }
    assert!(
        names(&["*a*a*a*a*a*a*a*a*b"], &["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"])
            .is_empty()
    );
}
