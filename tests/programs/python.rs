//! Python: a virtual environment, and the interpreter's own tests of the system interface.

use std::collections::BTreeMap;

use crate::world::{Outcome, World};
use crate::{desk, fails, inside, key, works};

const PYTHON: &str = "/usr/bin/python3";
/// With a denial inside the grant, the supervisor opens every file.
const MEDIATED: &[&str] = &["--deny", "**/.env"];
const SUITE: &str = "/usr/lib/python3.11/test/test_posix.py";

/// The tests that end otherwise inside, each with the reason.
const DIFFERENCES: [(&str, &str); 8] = [
    ("test.test_os.FDInheritanceTests.test_openpty", "the policy grants neither /dev/ptmx nor /dev/pts"),
    ("test.test_os.Pep383Tests.test_listdir", "it lists /, which the policy does not grant"),
    ("test.test_os.ProgramPriorityTests.test_set_get_priority", SETPRIORITY),
    ("test.test_os.TestSendfile.test_invalid_offset", LOOPBACK),
    ("test.test_os.TestSendfile.test_keywords", LOOPBACK),
    ("test.test_os.TestSendfile.test_offset_overflow", LOOPBACK),
    ("test.test_os.TestSendfile.test_send_at_certain_offset", LOOPBACK),
    ("test.test_os.TestSendfile.test_send_whole_file", LOOPBACK),
];

const LOOPBACK: &str = "it listens on the loopback address, and the policy has no network";
const SETPRIORITY: &str = "it names its own process by number, and a filter cannot tell that from another's";

#[test]
fn a_virtual_environment_is_made_and_its_python_runs() {
    let Some(world) = desk(&[PYTHON, "/usr/lib/python3.11/ensurepip/__init__.py"]) else { return };
    works(&inside(&world, "python-dev", &[PYTHON, "-m", "venv", "env"]));
    let script =
        "import sys, ssl, sqlite3, subprocess; print(sys.prefix, subprocess.check_output(['echo', 'child']).decode())";
    let ran = inside(&world, "python-dev", &["env/bin/python", "-c", script]);
    assert_eq!(works(&ran), format!("{} child\n\n", world.work().join("env").display()));
    assert!(works(&inside(&world, "python-dev", &["env/bin/pip", "--version"])).starts_with("pip "));
}

#[test]
fn python_reads_no_key_and_writes_nothing_outside() {
    let Some(world) = desk(&[PYTHON]) else { return };
    let read = format!("print(open('{}').read())", key(&world).display());
    works(&world.finish(world.command(PYTHON).args(["-c", &read])));
    let outcome = inside(&world, "python-dev", &[PYTHON, "-c", &read]);
    fails(&outcome);
    assert!(outcome.stderr.contains("PermissionError"), "{}", outcome.stderr);
    let file = world.outside().join("file");
    fails(&inside(&world, "python-dev", &[PYTHON, "-c", &format!("open('{}', 'w').write('x')", file.display())]));
    assert!(!file.exists());
}

#[test]
fn python_s_own_tests_of_the_system_end_inside_as_they_do_outside() {
    let Some(world) = desk(&[PYTHON, SUITE]) else { return };
    const SUITES: &[&str] = &["test_os", "test_tempfile", "test_posix", "test_fileio"];
    let outside = results(&world, "outside", None, SUITES);
    assert!(outside.len() > 500, "{} tests ran", outside.len());
    same(&outside, &results(&world, "inside", Some(&[]), SUITES));
    same(&outside, &results(&world, "mediated", Some(MEDIATED), SUITES));
}

#[test]
fn python_s_own_tests_of_streams_end_inside_as_they_do_outside() {
    let Some(world) = desk(&[PYTHON, SUITE]) else { return };
    // They wait for signals most of the time, so all three run at once.
    let ways: [(&str, Option<&[&str]>); 3] = [("outside", None), ("inside", Some(&[])), ("mediated", Some(MEDIATED))];
    let [outside, inside, mediated] = std::thread::scope(|scope| {
        let run = |(name, flags)| {
            let world = &world;
            scope.spawn(move || results(world, name, flags, &["test_io"]))
        };
        ways.map(run).map(|running| running.join().expect("the tests of one way"))
    });
    assert!(outside.len() > 500, "{} tests ran", outside.len());
    same(&outside, &inside);
    same(&outside, &mediated);
}

/// Fails unless every test ended alike, apart from those that are listed.
#[track_caller]
fn same(outside: &BTreeMap<String, String>, inside: &BTreeMap<String, String>) {
    let mut problems = Vec::new();
    for (name, result) in outside {
        let other = inside.get(name).map_or("did not run", String::as_str);
        let listed = DIFFERENCES.iter().any(|(listed, _)| listed == name);
        if (other != result) != listed {
            problems.push(format!(
                "{name}: {result} outside, {other} inside{}",
                if listed { ", and is listed" } else { "" }
            ));
        }
    }
    assert!(problems.is_empty(), "{} of {} differ:\n{}", problems.len(), outside.len(), problems.join("\n"));
}

/// The name and the result of every test, from a run in the directory `name` of the world; inside, with flags for it.
fn results(world: &World, name: &str, flags: Option<&[&str]>, suites: &[&str]) -> BTreeMap<String, String> {
    let directory = world.work().join(name);
    world.directory(&directory);
    let report = directory.join("report.xml");
    let mut command = if flags.is_some() { world.nono() } else { world.command(PYTHON) };
    if let Some(flags) = flags {
        command.args(["run", "-s", "--allow"]).arg(&directory).args(flags).args(["--", PYTHON]);
    }
    command.args(["-m", "test", "--junit-xml"]).arg(&report).args(suites);
    let outcome = world.finish(command.env("TMPDIR", &directory).current_dir(&directory));
    let text =
        std::fs::read_to_string(&report).unwrap_or_else(|error| panic!("no report: {error}; {}", told(&outcome)));
    let cases = text.split("<testcase name=\"").skip(1);
    cases.filter_map(|case| Some((case.split('"').next()?.to_owned(), result(case).to_owned()))).collect()
}

fn result(case: &str) -> &'static str {
    let kinds = [("<failure", "failed"), ("<error", "failed"), ("<skipped", "skipped")];
    kinds.into_iter().find(|(tag, _)| case.contains(tag)).map_or("passed", |(_, result)| result)
}

fn told(outcome: &Outcome) -> String {
    format!("status {}\n{}\n{}", outcome.code(), outcome.stdout, outcome.stderr)
}
