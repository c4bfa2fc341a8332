//! Questions while the program waits, from its call to the answer of a service or a person, and back.

mod approver;
mod kinds;
mod terminal;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::attack::{Report, each, word};
use crate::place::{number, probe};
use crate::service::{Asked, Service, ok};
use crate::world::{Outcome, World};

/// How long a question is open where nobody is to answer, in milliseconds.
const SHORT: u64 = 700;
/// The same where somebody is, on a machine that runs much else.
const LONG: u64 = 20_000;

/// An answer with a decision and a scope.
fn answer(asked: &Asked, decision: &str, scope: &str) -> Vec<u8> {
    ok(&format!(
        r#"{{"apiVersion":"nono.approval/v1","kind":"ApprovalResponse",
            "response":{{"uid":"{}","decision":"{decision}","scope":"{scope}"}}}}"#,
        asked.uid()
    ))
}

/// The path that a question is about.
fn path(asked: &Asked) -> String {
    asked.json()["request"]["target"]["path"].as_str().expect("a path").to_owned()
}

/// A service that gives each question the decision of its path.
fn service(decide: impl Fn(&str) -> (&'static str, &'static str) + Send + 'static) -> Service {
    Service::answering(move |asked| {
        let (decision, scope) = decide(&path(asked));
        answer(asked, decision, scope)
    })
}

/// `nono run` under a profile whose `supervisor` section is given; the program is to follow.
fn asking(world: &World, supervisor: &str, flags: &[&str]) -> Command {
    let profile = world.home().join("asking.json");
    let text = format!(
        r#"{{ "name": "asking", "version": "1.0.0", "extends": ["default"], "supervisor": {{ {supervisor} }} }}"#
    );
    world.file(&profile, &text);
    let mut command = world.nono();
    command.args(["run", "--profile", word(&profile), "--read"]).arg(crate::world::shared());
    command.args(flags).arg("--");
    command
}

fn webhook(url: &str, timeout: u64) -> String {
    format!(r#""webhook": "{url}", "timeout_ms": {timeout}"#)
}

/// Runs a script of the shell that asks the service.
fn run(world: &World, url: &str, flags: &[&str], script: &str) -> Outcome {
    world.finish(asking(world, &webhook(url, LONG), flags).args(["/bin/sh", "-c", script]))
}

/// Makes a file outside of every grant that the shared user may read and write.
fn outside(world: &World, name: &str, content: &str) -> String {
    let path = world.outside().join(name);
    world.file(&path, content);
    word(&path).to_owned()
}

#[test]
fn a_yes_hands_over_the_object_that_was_shown_and_a_no_does_not() {
    each(|world| {
        let (yes, no) = (outside(world, "yes", "good\n"), outside(world, "no", "bad\n"));
        let link = world.work().join("link");
        symlink(&yes, &link).expect("a link");
        let service = service(|path| (if path.ends_with("yes") { "allow" } else { "deny" }, "once"));
        let script = format!("cat {}; cat {no}; cat {no}", word(&link));
        let outcome = run(world, &service.url(), &[], &script);
        assert_eq!(outcome.stdout, "good\n", "{}", outcome.stderr);
        assert!(outcome.stderr.contains(&format!("refused 2 times: read {no}: ")), "{}", outcome.stderr);
        let asked = service.asked();
        // A no is not asked about again.
        assert_eq!(asked.iter().map(path).collect::<Vec<_>>(), [yes.clone(), no]);
        let request = asked[0].json()["request"].clone();
        let about = fs::metadata(&yes).expect("the file");
        assert_eq!(request["target"]["ino"], about.ino());
        assert_eq!(request["target"]["dev"], about.dev());
        assert_eq!(request["access"], serde_json::json!(["read"]));
        assert_eq!(request["process"]["exe"], fs::canonicalize("/bin/cat").expect("cat").to_str().expect("a path"));
    });
}

#[test]
fn the_file_handed_over_is_the_one_that_was_shown_whatever_its_name_becomes() {
    each(|world| {
        let (good, bad) = (outside(world, "good", "good\n"), outside(world, "bad", "bad\n"));
        let (link, spare) = (world.work().join("link"), world.work().join("spare"));
        let shown = good.clone();
        let over = AtomicBool::new(false);
        // The answer takes its time, in which the link changes thousands of times.
        let service = Service::answering(move |asked| {
            thread::sleep(Duration::from_millis(20));
            answer(asked, if path(asked) == shown { "allow" } else { "deny" }, "once")
        });
        let outcome = thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    for target in [&bad, &good] {
                        let _ = fs::remove_file(&spare);
                        symlink(target, &spare).expect("a link");
                        fs::rename(&spare, &link).expect("the change of the link");
                    }
                }
            });
            let script = format!("for i in 1 2 3 4 5 6 7 8 9; do cat {}; sleep 0.5; done", word(&link));
            let outcome = run(world, &service.url(), &[], &script);
            over.store(true, Ordering::Relaxed);
            outcome
        });
        assert!(!outcome.stdout.contains("bad"), "{}", outcome.stdout);
        assert!(service.asked().iter().any(|asked| path(asked) == good), "the good one was never asked about");
        assert!(outcome.stdout.contains("good"), "{}", outcome.stderr);
    });
}

#[test]
fn no_swap_while_somebody_is_asked_hands_over_another_file() {
    each(|world| {
        let (good, bad) = (outside(world, "good", "good\n"), outside(world, "bad", "bad\n"));
        let link = world.work().join("link");
        let change = {
            let link = link.clone();
            move |spare: &str, target: &str| {
                let spare = link.with_file_name(spare);
                let _ = fs::remove_file(&spare);
                symlink(target, &spare).expect("a link");
                fs::rename(&spare, &link).expect("the change of the link");
            }
        };
        change("first", &good);
        let (shown, other, swap) = (good.clone(), bad.clone(), change.clone());
        // Between the question and the answer it leads to the other file.
        let service = Service::answering(move |asked| {
            swap("asked", &other);
            answer(asked, if path(asked) == shown { "allow" } else { "deny" }, "once")
        });
        let over = AtomicBool::new(false);
        let supervisor = format!(r#"{}, "questions_per_second": 10000"#, webhook(&service.url(), LONG));
        let report = thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    change("spare", &good);
                    thread::yield_now();
                }
            });
            let words = ["race-asked", word(&link), &bad, "26000"];
            let outcome = world.finish(asking(world, &supervisor, &[]).arg(probe()).args(words));
            over.store(true, Ordering::Relaxed);
            Report::of(&outcome, outcome.stderr.clone())
        });
        report.are(&["escapes"], "0");
        assert!(
            number(&report, "reached") > 1000 && service.asked().len() > 100,
            "{report:?} {}",
            service.asked().len()
        );
    });
}

#[test]
fn a_yes_reaches_as_far_as_it_says_and_no_further() {
    each(|world| {
        let script = |file: &str, other: &str| format!("cat {file}; cat {file}; cat {other}; echo x >> {file}");
        for (scope, questions) in [("once", 4), ("path", 3), ("directory", 2)] {
            let (file, other) = (outside(world, "file", "file\n"), outside(world, "other", "other\n"));
            let service = Service::answering(move |asked| {
                let reads = asked.json()["request"]["access"] == serde_json::json!(["read"]);
                answer(asked, if reads { "allow" } else { "deny" }, scope)
            });
            let outcome = run(world, &service.url(), &[], &script(&file, &other));
            assert_eq!(outcome.stdout, "file\nfile\nother\n", "{scope}: {}", outcome.stderr);
            assert_eq!(service.asked().len(), questions, "{scope}");
            assert_eq!(fs::read_to_string(&file).expect("the file"), "file\n", "{scope}");
        }
    });
}

#[test]
fn a_yes_to_one_file_is_none_to_another_that_takes_its_path() {
    each(|world| {
        let later = |file: &str| format!("cat {file}; cat {file}");
        let meanwhile = |file: &str| format!("cat {file} & sleep 0.5; cat {file}; wait");
        for script in [&later as &dyn Fn(&str) -> String, &meanwhile] {
            let (file, other) = (outside(world, "file", "file\n"), outside(world, "other", "other\n"));
            let taken = file.clone();
            let service = Service::answering(move |asked| {
                // The one that was asked about first makes room while the answer is thought about.
                let is_first = fs::rename(&other, &taken).is_ok();
                thread::sleep(Duration::from_secs(if is_first { 1 } else { 0 }));
                answer(asked, if is_first { "allow" } else { "deny" }, "path")
            });
            let outcome = run(world, &service.url(), &[], &script(&file));
            assert_eq!(outcome.stdout, "file\n", "{}", outcome.stderr);
            assert_eq!(service.asked().len(), 2, "{}", outcome.stderr);
        }
    });
}

#[test]
fn a_yes_to_a_new_file_is_none_to_one_that_came_there_meanwhile() {
    each(|world| {
        let (new, other) = (word(&world.outside().join("new")).to_owned(), outside(world, "other", "other\n"));
        let taken = new.clone();
        let service = Service::answering(move |asked| {
            let is_first = fs::rename(&other, &taken).is_ok();
            answer(asked, if is_first { "allow" } else { "deny" }, "path")
        });
        // To read and write, and to make it.
        let outcome = run(world, &service.url(), &[], &format!("(cat <> {new}); cat {new}"));
        assert_eq!(outcome.stdout, "", "{}", outcome.stderr);
        assert!(service.asked().len() >= 2, "{}", outcome.stderr);
        fs::remove_file(&new).expect("the file that came there");
        let twin = Service::answering(|asked| answer(asked, "allow", "path"));
        let outcome = run(world, &twin.url(), &[], &format!("echo made > {new}; cat {new}"));
        assert_eq!(outcome.stdout, "made\n", "{}", outcome.stderr);
    });
}

#[test]
fn a_call_on_two_objects_needs_a_yes_to_each() {
    each(|world| {
        let (mine, yours) = (outside(world, "mine", "mine\n"), outside(world, "yours", "yours\n"));
        let service = service(|path| (if path.ends_with("mine") { "allow" } else { "deny" }, "path"));
        let script = format!("echo x >> {mine}; mv -f {mine} {yours}; ln {mine} {yours}2; exit 0");
        let outcome = run(world, &service.url(), &[], &script);
        assert_eq!(fs::read_to_string(&mine).expect("the first file"), "mine\nx\n", "{}", outcome.stderr);
        assert_eq!(fs::read_to_string(&yours).expect("the second file"), "yours\n", "{}", outcome.stderr);
        assert!(!world.outside().join("yours2").exists());
    });
}

#[test]
fn what_is_denied_and_what_is_nono_s_own_is_never_asked_about() {
    each(|world| {
        let denied = outside(world, "denied", "content\n");
        let own = world.home().join(".config");
        world.directory(&own);
        world.directory(&own.join("nono"));
        world.file(&own.join("nono/file"), "content\n");
        let service = service(|_| ("allow", "directory"));
        let own = word(&own.join("nono/file")).to_owned();
        let program = word(&crate::world::shared().join("nono")).to_owned();
        let script = format!(
            "cat {denied}; cat {own}; echo x > {own}; rm -f {own} {denied}; echo x >> {program}; mv {denied} $HOME/x; exit 0"
        );
        let outcome = run(world, &service.url(), &["--deny", &denied], &script);
        assert_eq!(outcome.stdout, "", "{}", outcome.stderr);
        let asked: Vec<_> = service.asked().iter().map(path).collect();
        assert!(asked.iter().all(|path| !path.contains("denied") && !path.contains("nono/")), "{asked:?}");
        assert_eq!(fs::read_to_string(&denied).expect("the denied file"), "content\n");
        assert_eq!(fs::read_to_string(&own).expect("nono's own file"), "content\n");
    });
}

#[test]
fn the_same_question_is_asked_once_for_all_that_wait_for_it() {
    each(|world| {
        let file = outside(world, "file", "content\n");
        let service = Service::answering(|asked| {
            thread::sleep(Duration::from_millis(1000));
            answer(asked, "allow", "path")
        });
        let mut command = asking(world, &webhook(&service.url(), LONG), &[]);
        let outcome = world.finish(command.arg(probe()).args(["threads", "20", "3", &file, "yes"]));
        let report = Report::of(&outcome, outcome.stderr.clone());
        assert_eq!(number(&report, "wrong"), 0, "{}", outcome.stderr);
        assert_eq!(service.asked().len(), 1);
    });
}

#[test]
fn a_program_that_asks_without_end_is_not_listened_to_without_end() {
    each(|world| {
        let service = service(|_| ("deny", "once"));
        let script = format!("for i in $(seq 60); do cat {}/$i; done; exit 0", word(&world.outside()));
        for i in 1..=60 {
            outside(world, &i.to_string(), "");
        }
        let began = Instant::now();
        run(world, &service.url(), &[], &script);
        let most = 5 + usize::try_from(began.elapsed().as_secs()).expect("a number") + 1;
        assert!(service.asked().len() <= most, "{} questions", service.asked().len());
    });
}

#[test]
fn an_answer_for_a_program_that_is_gone_changes_nothing() {
    each(|world| {
        let new = world.outside().join("new");
        let service = Service::answering(|asked| {
            thread::sleep(Duration::from_millis(1200));
            answer(asked, "allow", "directory")
        });
        let script = format!("(echo x > {}) & sleep 0.4; kill -9 $!; wait; sleep 1.5", word(&new));
        let outcome = run(world, &service.url(), &[], &script);
        assert!(!new.exists(), "{}", outcome.stderr);
        assert_eq!(service.asked().len(), 1);
    });
}

#[test]
fn without_a_terminal_the_answer_is_no_with_a_sentence() {
    each(|world| {
        let file = outside(world, "file", "content\n");
        let inner = asking(world, r#""approval": ["terminal"]"#, &[]);
        let mut command = world.command("/usr/bin/setsid");
        command.arg("--wait").arg(inner.get_program()).args(inner.get_args()).args(["/bin/cat", &file]);
        let outcome = world.finish(&mut command);
        assert_eq!((outcome.stdout.as_str(), outcome.code()), ("", 1), "{}", outcome.stderr);
        let said = format!("refused: read {file}: there is no terminal to ask on");
        assert!(
            outcome.stderr.contains(&said) && outcome.stderr.contains(&format!("--read {file}")),
            "{}",
            outcome.stderr
        );
    });
}
