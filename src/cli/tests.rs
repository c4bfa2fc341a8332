//! The command line as users type it.

mod rows;

use super::table::Verb;
use super::verbs::NONO;
use super::*;

fn words(line: &[&str]) -> Result<Command, UsageError> {
    parse(line.iter().map(OsString::from))
}

/// The command of a line without quotes.
fn line(text: &str) -> Command {
    words(&text.split_whitespace().collect::<Vec<_>>()).unwrap()
}

fn error(text: &str) -> String {
    words(&text.split_whitespace().collect::<Vec<_>>()).unwrap_err().to_string()
}

fn run(text: &str) -> Run {
    let Command::Run(run) = line(text) else { panic!("not run: {text}") };
    run
}

/// Calls `see` with each verb and the words that lead to it.
fn each_verb(see: &mut impl FnMut(&'static Verb, &str)) {
    fn below(verb: &'static Verb, path: &str, see: &mut impl FnMut(&'static Verb, &str)) {
        see(verb, path);
        for &beneath in verb.verbs {
            below(beneath, format!("{path} {}", beneath.name).trim(), see);
        }
    }
    below(&NONO, "", see);
}

#[test]
fn every_flag_of_the_policy_reaches_its_field() {
    let all = run(
        "run -p strict -a /a -r /r --deny /d -w /w -a /b --allow-cwd --workdir /wd --allow-host h:1 --allow-host i \
        --listen 80 --allow-unix-socket /s --env A --env B=1=2 --skip-dir x --trust-override --degraded -v cmd",
    );
    assert_eq!(
        all.sandbox,
        Sandbox {
            profile: Some("strict".into()),
            paths: vec![
                (PathFlag::Allow, "/a".into()),
                (PathFlag::Read, "/r".into()),
                (PathFlag::Deny, "/d".into()),
                (PathFlag::Write, "/w".into()),
                (PathFlag::Allow, "/b".into()),
            ],
            allow_cwd: true,
            workdir: Some("/wd".into()),
            allow_host: vec!["h:1".into(), "i".into()],
            listen: vec!["80".into()],
            block_net: false,
            allow_unix_socket: vec!["/s".into()],
            env: vec!["A".into(), "B=1=2".into()],
            degraded: true,
            skip_dir: vec!["x".into()],
            trust_override: true,
        }
    );
    assert!(all.verbose && !all.silent);
    assert!(run("run --block-net x").sandbox.block_net);
    assert_eq!(run("run --env=A=1 x").sandbox.env, ["A=1"]);
}

#[test]
fn the_first_operand_ends_the_flags_of_nono() {
    assert_eq!(run("run -s ls -la --help").command, ["ls", "-la", "--help"]);
    assert_eq!(run("run -s -- ls -la").command, ["ls", "-la"]);
    assert_eq!(run("run -- -ls -- -la").command, ["-ls", "--", "-la"]);
    assert_eq!(run("run ls -- -la").command, ["ls", "--", "-la"]);
    assert_eq!(run("run -sp strict ls").sandbox.profile, Some("strict".into()));
    assert_eq!(run("run -").command, ["-"]);
    assert_eq!(line("-- run -s ls"), line("run -s ls"));
    assert!(matches!(line("wrap -s ls -v"), Command::Wrap(wrap) if wrap.command == ["ls", "-v"] && !wrap.verbose));
    assert!(
        matches!(line("shell -v --allow /x"), Command::Shell(shell) if shell.verbose && shell.sandbox.paths.len() == 1)
    );
}

#[test]
fn a_command_that_is_missing_or_empty_shows_the_usage_line() {
    for given in [&["run"][..], &["run", "-s", "--"], &["run", ""], &["run", "--", "", "x"]] {
        let text = words(given).unwrap_err().to_string();
        assert!(text.contains("nono run [FLAGS] [--] CMD [ARG...]"), "{text}");
        assert!(text.ends_with("Try `nono run --help`."), "{text}");
    }
    assert_eq!(error("run"), "`nono run` needs a command: nono run [FLAGS] [--] CMD [ARG...]. Try `nono run --help`.");
    assert!(words(&[]).unwrap_err().to_string().contains("nono [FLAGS] VERB"));
}

#[test]
fn a_mistyped_word_names_the_nearest() {
    assert_eq!(error("rnu ls"), "\"rnu\" is not a verb of `nono`; did you mean `nono run`? Try `nono --help`.");
    assert!(error("run --alow /x ls").starts_with("\"--alow\" is not a flag of `nono run`; did you mean `--allow`?"));
    assert!(error("run --allow-domian=x ls").contains("did you mean `--allow-domain`?"));
    assert!(error("profiles vaildate x").contains("did you mean `nono profiles validate`?"));
    assert!(error("profiles zzzzzz").contains("it has `list`, `show`, `validate`"));
    assert!(error("why raed /x").contains("did you mean `read`?"));
    assert!(error("why frobnicate /x").contains("it asks about read, write"));
    assert!(error("help rum").contains("did you mean `nono run`?"));
    assert!(error("make test").contains("a program is run with `nono run CMD`"));
    assert!(error("setup").contains("`nono setup --check-only` is `nono doctor`"));
}

#[test]
fn a_verb_of_another_version_is_unknown() {
    for verb in ["learn", "undo"] {
        assert!(error(verb).starts_with(&format!("\"{verb}\" is not a verb of `nono`")), "{verb}");
    }
}

#[test]
fn a_flag_in_the_wrong_place_is_told_where_it_belongs() {
    assert!(error("--allow /x run ls").contains("it belongs after the verb, as in `nono run --allow`"));
    assert!(error("-s run ls").contains("as in `nono run -s`"));
    assert!(error("profiles --json list").contains("as in `nono profiles list --json`"));
    assert!(error("run -profile strict ls").contains("`-profile` has one dash; did you mean `--profile`?"));
    assert!(error("run -x ls").starts_with("\"-x\" is not a flag of `nono run`. Try"));
    assert!(error("--generate bash run").starts_with("\"run\" is one word too many after `--generate`"));
}

#[test]
fn a_value_is_never_missing_superfluous_or_empty() {
    assert!(error("run --allow").starts_with("`--allow` needs a PATH, and nothing follows"));
    assert!(error("run --allow --read /x ls").contains("`--allow` needs a PATH, and \"--read\" follows"));
    assert!(error("run -p -- ls").contains("`-p` needs a NAME|FILE, and \"--\" follows"));
    assert!(error("run --allow= ls").contains("an empty word was given"));
    assert!(error("run --silent=yes ls").starts_with("`--silent` takes no value, and \"yes\" was given"));
    assert!(error("run -s=yes ls").starts_with("`-s` takes no value"));
    assert!(error("run --env =x ls").contains("\"=x\" has no name"));
    assert_eq!(run("run --allow=-odd ls").sandbox.paths, [(PathFlag::Allow, "-odd".into())]);
    assert_eq!(run("run --allow - ls").sandbox.paths, [(PathFlag::Allow, "-".into())]);
}

#[test]
fn what_cannot_hold_at_once_is_an_error_that_names_both() {
    let twice = error("run -p a --profile=b ls");
    assert!(twice.starts_with("`-p \"a\"` and `--profile \"b\"` are both given, and only one can count"), "{twice}");
    assert!(error("run --workdir /a --workdir /b ls").contains("`--workdir \"/a\"` and `--workdir \"/b\"`"));
    assert!(error("run -s -v ls").contains("`--silent` and `--verbose` exclude each other"));
    assert!(error("run -sv ls").contains("exclude each other"));
    assert!(error("run --block-net --allow-host x ls").contains("`--block-net` and `--allow-host`"));
    assert!(error("run --block-net --listen 80 ls").contains("`--block-net` and `--listen`"));
    assert!(run("run -s -s ls").silent);
}

#[test]
fn why_takes_its_flags_anywhere() {
    let expected = line("why --profile P --json read ~/.ssh/id_rsa");
    assert_eq!(line("why read ~/.ssh/id_rsa --profile P --json"), expected);
    assert_eq!(line("why read --profile=P ~/.ssh/id_rsa --json"), expected);
    let Command::Why(why) = expected else { panic!("not why") };
    assert_eq!((why.question, why.json, why.target), (Question::Read, true, "~/.ssh/id_rsa".into()));
    let questions = [
        ("connect", Question::Connect),
        ("exec", Question::Exec),
        ("listen", Question::Listen),
        ("read", Question::Read),
        ("unix", Question::Unix),
        ("write", Question::Write),
    ];
    for (word, question) in questions {
        assert!(matches!(line(&format!("why {word} x")), Command::Why(why) if why.question == question), "{word}");
    }
    assert!(error("why").contains("needs a question and a target: nono why [FLAGS] read|write"));
    assert!(error("why read").contains("needs a target"));
    assert!(error("why read a b").contains("\"b\" is one target too many"));
    assert!(words(&["why", "read", ""]).is_err());
}

#[test]
fn profiles_has_its_own_verbs() {
    let is = |text: &str, expected: Profiles| assert_eq!(line(text), Command::Profiles(expected), "{text}");
    is("profiles list --json", Profiles::List { json: true });
    is("profile show base", Profiles::Show { name: "base".into(), json: false });
    is(
        "profiles validate a b --strict",
        Profiles::Validate { files: vec!["a".into(), "b".into()], strict: true, json: false },
    );
    is("profiles diff a b --json", Profiles::Diff { left: "a".into(), right: "b".into(), json: true });
    is(
        "profiles init x --extends base --force",
        Profiles::Init { name: "x".into(), force: true, extends: Some("base".into()) },
    );
    is("profiles test a.test.json", Profiles::Test { files: vec!["a.test.json".into()], json: false });
    for wrong in [
        "profiles",
        "profiles list x",
        "profiles show",
        "profiles show a b",
        "profiles validate",
        "profiles diff a",
        "profiles diff a b c",
        "profiles init",
        "profiles init x --json",
        "profiles test",
        "doctor x",
        "shell ls",
    ] {
        assert!(error(wrong).contains("Try `nono "), "{wrong}");
    }
    assert!(words(&["profiles", "show", ""]).is_err());
}

#[test]
fn doctor_answers_to_its_old_name() {
    assert_eq!(line("doctor --json"), Command::Doctor(Doctor { json: true }));
    assert_eq!(line("setup --check-only --json"), line("doctor --json"));
}

#[test]
fn the_flags_without_a_verb_are_read() {
    assert_eq!(line("--version"), Command::Version);
    assert_eq!(line("-V"), Command::Version);
    assert_eq!(line("--generate zsh"), Command::Generate(Generate::Zsh));
    assert!(error("--generate powershell").contains("writes man, bash, zsh or fish, and not \"powershell\""));
    assert_eq!(line("help run"), line("run --help"));
    assert_eq!(line("help profiles show"), line("profiles show --help"));
    assert_eq!(line("help profile show"), line("profiles show --help"));
    assert_eq!(line("help"), line("--help"));
    assert!(error("help run ls").contains("`nono run` has no verbs of its own"));
}

#[test]
fn no_command_line_makes_the_parser_panic() {
    let mut pieces: Vec<String> =
        ["", "-", "--", "-=", "--=", "=", "---", "-é", "x", "/x", "\u{202e}", "-sv", "--check-only"]
            .map(str::to_owned)
            .into();
    each_verb(&mut |verb, _| {
        pieces.push(verb.name.to_owned());
        for flag in verb.flags() {
            pieces.extend(
                flag.longs().flat_map(|long| [format!("--{long}"), format!("--{long}=v"), format!("--{long}=")]),
            );
            pieces.extend(flag.short.iter().flat_map(|short| [format!("-{short}"), format!("-{short}v")]));
        }
    });
    // A linear congruential generator: the same lines each time.
    let mut state: u64 = 1;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut read = 0;
    for _ in 0..20_000 {
        let given: Vec<String> = (0..next(8)).map(|_| pieces[next(pieces.len())].clone()).collect();
        let given: Vec<&str> = given.iter().map(String::as_str).collect();
        match words(&given) {
            Ok(_) => read += 1,
            Err(error) => assert!(error.to_string().contains("Try `nono"), "{given:?}"),
        }
    }
    assert!(read > 500, "{read}");
}

#[test]
fn huge_words_and_many_words_are_read_in_no_time() {
    let huge = "x".repeat(1 << 20);
    for given in [vec![huge.as_str()], vec!["run", "--", &huge], vec!["profiles", &huge], vec!["why", &huge, "x"]] {
        if let Err(error) = words(&given) {
            assert!(error.to_string().len() < 400);
        }
    }
    let long_flag = format!("--{huge}");
    assert!(words(&["run", &long_flag]).unwrap_err().to_string().len() < 400);
    let many: Vec<&str> = std::iter::once("run").chain(["-a", "x", "-s"].repeat(100_000)).chain(["cmd"]).collect();
    assert!(matches!(words(&many), Ok(Command::Run(run)) if run.sandbox.paths.len() == 100_000));
}
