//! The command line of the built binary: what it prints, where, with which exit status, and whether the shells and the
//! man page reader accept what it generates.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::process::{Command, Output, Stdio};

use nono::cli;

fn nono(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nono")).args(args).stdin(Stdio::null()).output().unwrap()
}

/// What `nono --generate` prints for `what`.
fn generated(what: &str) -> String {
    let output = nono(&["--generate", what]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs `program` with `input`; `None`, with the reason printed, where it is not installed.
fn with_input(program: &str, args: &[&str], input: &str) -> Option<Output> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "{program} cannot be run: {error}");
            let mut terminal = std::io::stderr();
            writeln!(terminal, "skipped: {program} cannot be run: {error}").unwrap();
            return None;
        }
    };
    let mut stdin = child.stdin.take().unwrap();
    let text = input.to_owned();
    // The reader may stop early, and its output may fill a pipe before it has read everything.
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let _ = writer.join().unwrap();
    Some(output)
}

/// Asserts that `program` reads `input` without a word about it.
fn is_accepted(program: &str, args: &[&str], input: &str) {
    if let Some(output) = with_input(program, args, input) {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{program} {args:?}: {}: {said}", output.status);
    }
}

/// What bash offers after `words`, the last of which is being typed.
fn bash_offers(script: &str, words: &[&str]) -> Vec<String> {
    let driver = "source /dev/stdin; compopt() { :; }; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _nono
        for word in \"${COMPREPLY[@]}\"; do printf '%s\\n' \"$word\"; done";
    let args = [&["--norc", "-c", driver, "bash"], words].concat();
    let Some(output) = with_input("bash", &args, script) else { return Vec::new() };
    assert!(output.stderr.is_empty(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn shells_accept_the_completions() {
    is_accepted("bash", &["--norc", "-n"], &generated("bash"));
    is_accepted("zsh", &["-f", "-n", "/dev/stdin"], &generated("zsh"));
    is_accepted("fish", &["--no-config", "--no-execute", "/dev/stdin"], &generated("fish"));
}

#[test]
fn the_man_page_formats_without_a_warning() {
    is_accepted("groff", &["-man", "-Tutf8", "-ww", "-z"], &generated("man"));
}

#[test]
fn bash_offers_what_the_cursor_wants() {
    let script = generated("bash");
    let offers = |words: &[&str]| bash_offers(&script, words);
    assert_eq!(offers(&["nono", "pro"]), ["profiles"]);
    assert_eq!(offers(&["nono", "profile", "val"]), ["validate"]);
    assert_eq!(offers(&["nono", "run", "-a", "/", "--block"]), ["--block-net"]);
    assert_eq!(offers(&["nono", "run", "--allow-host", "api", ":", "443", "--degr"]), ["--degraded"]);
    assert_eq!(offers(&["nono", "run", "--workdir", "=", "/et"]), ["/etc"]);
    assert_eq!(offers(&["nono", "why", "--env", "A", "=", "1", "conn"]), ["connect"]);
    assert_eq!(offers(&["nono", "why", "read", "/et"]), ["/etc"]);
    assert_eq!(offers(&["nono", "run", "ls", "--degr"]), [""; 0], "the flags of a command are its own");
    assert_eq!(offers(&["nono", "run", "--", "ls", "/et"]), ["/etc"]);
    assert_eq!(offers(&["nono", "--generate", "z"]), ["zsh"]);
}

#[test]
fn fish_offers_what_the_cursor_wants() {
    let script = generated("fish");
    let offers = |line: &str| {
        let driver = ["--no-config", "-c", "source -; complete -C $argv[1]", line];
        let output = with_input("fish", &driver, &script)?;
        assert!(output.stderr.is_empty(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        Some(text.lines().filter_map(|line| line.split('\t').next()).map(str::to_owned).collect::<Vec<_>>())
    };
    let expected = [
        ("nono pro", "profiles"),
        ("nono profile val", "validate"),
        ("nono run -a / --block", "--block-net"),
        ("nono why read --profile x --js", "--json"),
        ("nono why conn", "connect"),
        ("nono run --workdir /et", "/etc/"),
        ("nono --generate z", "zsh"),
    ];
    for (line, only) in expected {
        let Some(offered) = offers(line) else { return };
        assert_eq!(offered, [only], "{line}");
    }
}

#[test]
fn help_and_version_go_to_standard_output() {
    for args in [&["--help"][..], &["-h"], &["help"], &["run", "--help"], &["help", "profiles", "show"], &["--version"]]
    {
        let output = nono(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(output.stdout.starts_with(b"nono ") && output.stdout.ends_with(b"\n"), "{args:?}");
        assert!(output.stderr.is_empty(), "{args:?}");
    }
    assert_eq!(nono(&["-V"]).stdout, format!("nono {}\n", env!("CARGO_PKG_VERSION")).into_bytes());
}

#[test]
fn wrong_usage_is_one_sentence_on_standard_error_and_status_two_or_125_where_a_program_would_run() {
    let cases = [
        (&[][..], 2),
        (&["rum"], 2),
        (&["run"], 125),
        (&["run", "--alow", "/x", "ls"], 125),
        (&["profiles", "init"], 2),
        (&["\u{1b}[2J\nx"], 2),
    ];
    for (args, status) in cases {
        let output = nono(args);
        assert_eq!(output.status.code(), Some(status), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("nono: ") && said.ends_with("--help`.\n") && said.lines().count() == 1, "{said:?}");
        assert!(!said.contains('\u{1b}'), "{said:?}");
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_no_answer() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let mut command = Command::new(env!("CARGO_BIN_EXE_nono"));
    let output = command.arg("doctor").stdin(Stdio::null()).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(125), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("could not be written"), "{output:?}");
    assert_eq!(nono(&["doctor"]).status.code(), Some(0));
}

#[test]
fn without_a_home_few_lines_say_which_variable_is_missing() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nono"));
    let output = command.args(["run", "-s", "--", "true"]).env_clear().stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(125), "{said}");
    assert!(said.contains("the variable HOME is not set") && said.contains("HOME is needed by"), "{said}");
    assert!(said.lines().count() < 10, "{said}");
}

#[test]
fn bytes_that_are_not_utf_8_survive_where_the_system_allows_them() {
    let odd = |text: &[u8]| OsString::from_vec(text.to_vec());
    let words = [&b"run"[..], b"-a", b"/\xff", b"--read=/\xfe", b"-w/\xfd", b"--env", b"A=\xfc", b"c\xfb", b"-\xfa"];
    let Ok(cli::Command::Run(run)) = cli::parse(words.iter().map(|word| odd(word))) else { panic!("not run") };
    let paths: Vec<_> = run.sandbox.paths.iter().map(|(_, path)| path.clone()).collect();
    assert_eq!(paths, [odd(b"/\xff"), odd(b"/\xfe"), odd(b"/\xfd")]);
    assert_eq!(run.sandbox.env, [odd(b"A=\xfc")]);
    assert_eq!(run.command, [odd(b"c\xfb"), odd(b"-\xfa")]);
}

#[test]
fn bytes_that_are_not_utf_8_are_refused_where_text_is_needed() {
    let parse = |words: &[&[u8]]| cli::parse(words.iter().map(|word| OsString::from_vec(word.to_vec())));
    let lines: [&[&[u8]]; 5] = [
        &[b"run", b"--allow-host", b"a\xff", b"ls"],
        &[b"profiles", b"init", b"a\xff"],
        &[b"run", b"--al\xff", b"ls"],
        &[b"run", b"-\xff\xfe", b"ls"],
        &[b"r\xff"],
    ];
    for words in lines {
        let said = parse(words).unwrap_err().to_string();
        assert!(said.contains("Try `nono"), "{said}");
    }
    assert!(
        parse(lines[0]).unwrap_err().to_string().starts_with(r#""a\xFF", given for `--allow-host`, is not UTF-8 text"#)
    );
}
