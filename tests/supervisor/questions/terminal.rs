//! Questions on a terminal, with a person's part played by a script.

use std::fs;

use super::{LONG, asking, outside};
use crate::attack::can_confine;
use crate::world::{NOBODY, Who, World};

#[test]
fn the_terminal_is_as_it_was_when_whoever_asks_on_it_is_killed() {
    let Some(world) = can_confine().then(|| World::new(Who::User(NOBODY))).flatten() else { return };
    let file = outside(&world, "file", "content\n");
    let driver = world.home().join("drive.py");
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/terminal/drive.py"));
    world.file(&driver, &text.expect("the driver"));
    let inner = asking(&world, r#""approval": ["terminal"]"#, &[]);
    let words: Vec<_> = inner.get_args().map(|word| word.to_string_lossy()).collect();
    let script = format!(
        "stty -g > before
        (until stty -g < /dev/tty > now; ! cmp -s before now; do sleep 0.1; done; front=$(cat front)
            kill -9 $(cat /proc/$front/task/$front/children)) &
        sh -c 'echo $$ > front; exec \"$@\"' sh {} {} cat {file}
        echo status=$?; stty -g > after; cmp before after && echo same modes",
        inner.get_program().to_string_lossy(),
        words.join(" "),
    );
    let steps = serde_json::json!([["expect", "status=125"], ["expect", "same modes"]]).to_string();
    let outcome = world.finish(world.command("/usr/bin/python3").arg(&driver).args([&steps, "/bin/sh", "-c", &script]));
    assert_eq!(outcome.code(), 0, "{}{}", outcome.stdout, outcome.stderr);
}

#[test]
fn a_person_at_the_terminal_answers() {
    let Some(world) = can_confine().then(|| World::new(Who::User(NOBODY))).flatten() else { return };
    let python = "/usr/bin/python3";
    if !std::path::Path::new(python).exists() {
        crate::world::skip("python3 is not installed");
        return;
    }
    let (file, other) = (outside(&world, "file", "first\n"), outside(&world, "other", "second\n"));
    let request = "allow? [y/o/d/N] ";
    let driver = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/terminal/drive.py");
    let driver_copy = world.home().join("drive.py");
    world.file(&driver_copy, &fs::read_to_string(driver).expect("the driver"));
    let play = |keys: &[&str], timeout: u64| {
        let mut steps = Vec::new();
        for key in keys {
            steps.push(serde_json::json!(["expect", request]));
            if !key.is_empty() {
                steps.push(serde_json::json!(["send", key]));
            }
        }
        let supervisor = format!(r#""approval": ["terminal"], "timeout_ms": {timeout}"#);
        let script = format!("cat {file}; cat {file}; cat {other}; echo end");
        let inner = asking(&world, &supervisor, &[]);
        let mut command = world.command(python);
        command.arg(&driver_copy).arg(serde_json::Value::from(steps).to_string());
        command.arg(inner.get_program()).args(inner.get_args()).args(["/bin/sh", "-c", &script]);
        world.finish(&mut command)
    };
    let count = |text: &str, what: &str| text.matches(&format!("{what}\r\n")).count();
    // For each row of keys: how often the first and the second file is read.
    for (keys, timeout, first, second) in [
        (&["y\r", "y\r", "y\r"][..], LONG, 2, 1),
        (&["o\r", "n\r"], LONG, 2, 0),
        (&["d\r"], LONG, 2, 1),
        (&["n\r", "y\r"], LONG, 0, 1),
        (&["", "", ""], 1500, 0, 0),
    ] {
        let outcome = play(keys, timeout);
        let shown = &outcome.stdout;
        assert_eq!(outcome.code(), 0, "{keys:?}: {shown} {}", outcome.stderr);
        assert_eq!((count(shown, "first"), count(shown, "second")), (first, second), "{keys:?}: {shown}");
        assert!(shown.contains("end\r\n") && shown.contains(&file), "{keys:?}: {shown}");
    }
}

#[test]
fn a_program_with_other_threads_asks_at_once_and_none_of_them_draws_meanwhile() {
    let Some(world) = can_confine().then(|| World::new(Who::User(NOBODY))).flatten() else { return };
    let python = "/usr/bin/python3";
    if !std::path::Path::new(python).exists() {
        crate::world::skip("python3 is not installed");
        return;
    }
    let file = outside(&world, "file", "content\n");
    let driver = world.home().join("drive.py");
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/terminal/drive.py"));
    world.file(&driver, &text.expect("the driver"));
    // The first thread waits for the answer; the others sleep, paint, and wait for an answer as well.
    let script = format!(
        "import threading, time
def paint():
    with open('/dev/tty', 'w') as tty:
        while True:
            time.sleep(0.02)
            print('painted', file=tty, flush=True)
def read(name):
    with open(name) as file: print('read', file.read(), flush=True)
for work in (lambda: time.sleep(99), paint, lambda: read('{file}')):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.5)
read('{file}')
time.sleep(0.5)"
    );
    let answer = [
        serde_json::json!(["expect", "allow? [y/o/d/N] "]),
        serde_json::json!(["wait", 0.5]),
        serde_json::json!(["send", "y\r"]),
        serde_json::json!(["expect", "nono: allowed"]),
        serde_json::json!(["expect", "painted"]),
    ];
    let inner = asking(&world, r#""approval": ["terminal"], "timeout_ms": 20000"#, &[]);
    let mut command = world.command(python);
    command.arg(&driver).arg(serde_json::json!([&answer[..], &answer[..]].concat()).to_string());
    command.arg(inner.get_program()).args(inner.get_args()).args([python, "-I", "-c", &script]);
    let outcome = world.finish(&mut command);
    assert_eq!(outcome.code(), 0, "{} {}", outcome.stdout, outcome.stderr);
    assert_eq!(outcome.stdout.matches("read content").count(), 2, "{}", outcome.stdout);
    let questions: Vec<&str> = outcome.stdout.split("nono asks").skip(1).collect();
    assert_eq!(questions.len(), 2, "{}", outcome.stdout);
    for question in questions {
        let standing = question.split("nono: allowed").next().unwrap_or_default();
        assert!(!standing.contains("painted"), "{}", outcome.stdout);
    }
}

#[test]
fn the_program_s_own_terminal_is_no_question_under_its_own_name() {
    let Some(world) = can_confine().then(|| World::new(Who::User(NOBODY))).flatten() else { return };
    let python = "/usr/bin/python3";
    if !std::path::Path::new(python).exists() {
        crate::world::skip("python3 is not installed");
        return;
    }
    let driver = world.home().join("drive.py");
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/terminal/drive.py"));
    world.file(&driver, &text.expect("the driver"));
    // Another terminal of the same user is one.
    let inner = asking(&world, r#""approval": ["terminal"], "timeout_ms": 20000"#, &[]);
    let words: Vec<_> = inner.get_args().map(|word| word.to_string_lossy()).collect();
    let program = "import os, sys
for name in (os.ttyname(0), sys.argv[1]):
    try: os.write(os.open(name, os.O_RDWR | os.O_NOCTTY), b'written by name')
    except OSError as error: print(error.strerror)";
    world.file(&world.home().join("program.py"), program);
    let outer = format!(
        "import os, subprocess, sys
other = os.openpty()
subprocess.run([{:?}, *{words:?}, '{python}', '-I', '-c', open('{}').read(), os.ttyname(other[1])])",
        inner.get_program().to_string_lossy(),
        world.home().join("program.py").display()
    );
    let steps = serde_json::json!([
        ["expect", "written by name"],
        ["expect", "path       /dev/pts/"],
        ["expect", "allow? [y/o/d/N] "],
        ["send", "n\r"],
        ["expect", "Permission denied"]
    ]);
    let mut command = world.command(python);
    command.arg(&driver).args([steps.to_string().as_str(), python, "-c", &outer]);
    let outcome = world.finish(&mut command);
    assert_eq!(outcome.code(), 0, "{} {}", outcome.stdout, outcome.stderr);
    let (before, after) = outcome.stdout.split_once("nono asks").expect("a question");
    assert!(before.contains("written by name") && !after.contains("nono asks"), "{}", outcome.stdout);
}
