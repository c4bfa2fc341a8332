//! The process under test: this test binary again, on a terminal, told by its environment what to ask.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use nono::approval::terminal::{Style, Terminal};
use nono::approval::{Answer, Approver, AskedOperation, Cancelled, Object, Process, Question, Subject};
use nono::plan::Access;
use nono::profile::abs_path::AbsPath;
use nono::supervisor::pause::Pause;
use syscalls::process::{Pid, own_id};
use syscalls::signal::{Signal, SignalSet, send_group};
use syscalls::terminal;

/// Where to write the answers, one a line. Its absence means that this is no child of a test.
pub(crate) const RESULT: &str = "NONO_ASK_RESULT";
/// The object's real path.
pub(crate) const PATH: &str = "NONO_ASK_PATH";
/// Milliseconds to the deadline.
pub(crate) const DEADLINE: &str = "NONO_ASK_DEADLINE";
/// Milliseconds until the question is withdrawn.
pub(crate) const CANCEL: &str = "NONO_ASK_CANCEL";
/// Milliseconds until the approver is closed.
pub(crate) const CLOSE: &str = "NONO_ASK_CLOSE";
/// A file to wait for before asking.
pub(crate) const TRIGGER: &str = "NONO_ASK_TRIGGER";
/// A shell command that runs as the program meanwhile.
pub(crate) const PROGRAM: &str = "NONO_ASK_PROGRAM";
/// Whether the program has the terminal's foreground.
pub(crate) const FOREGROUND: &str = "NONO_ASK_FOREGROUND";
/// How many questions at once.
pub(crate) const COUNT: &str = "NONO_ASK_COUNT";

#[test]
fn asks_what_its_environment_says() {
    let Some(result) = env::var_os(RESULT).map(PathBuf::from) else { return };
    let mut program = env::var_os(PROGRAM).map(|words| start(words, env::var_os(FOREGROUND).is_some()));
    while env::var_os(TRIGGER).is_some_and(|trigger| fs::metadata(trigger).is_err()) {
        thread::sleep(Duration::from_millis(10));
    }
    let style = Style::new(env::var_os("TERM").map(OsString::into_vec).as_deref(), None);
    let approver = Arc::new(Terminal::new(Arc::new(Pause::new(own_id())), style));
    let cancelled = Arc::new(Cancelled::default());
    after(CANCEL, {
        let cancelled = Arc::clone(&cancelled);
        move || cancelled.cancel()
    });
    after(CLOSE, {
        let approver = Arc::clone(&approver);
        move || approver.close()
    });
    let deadline = Instant::now() + Duration::from_millis(number(DEADLINE).unwrap_or(15_000));
    let askers: Vec<_> = (0..number(COUNT).unwrap_or(1))
        .map(|_| {
            let (approver, cancelled) = (Arc::clone(&approver), Arc::clone(&cancelled));
            thread::spawn(move || approver.ask(&question(), deadline, &cancelled))
        })
        .collect();
    let answers: Vec<String> = askers.into_iter().map(|asker| line(&asker.join().unwrap().0)).collect();
    let unfinished = result.with_extension("unfinished");
    fs::write(&unfinished, answers.concat()).unwrap();
    fs::rename(unfinished, result).unwrap();
    if let Some(program) = &mut program {
        end(program);
    }
}

fn question() -> Question {
    let real = env::var_os(PATH).map_or_else(|| b"/srv/keys/token".to_vec(), OsString::into_vec);
    Question {
        operation: AskedOperation::Open(Access { read: true, write: false, execute: false }),
        object: Subject::File(Object { real: AbsPath::new(&real).unwrap(), typed: None, identity: Some((1, 2)) }),
        process: Process {
            pid: own_id().number(),
            parent: 1,
            executable: AbsPath::new(b"/usr/bin/cat"),
            directory: None,
            user: 0,
        },
        reason: "no rule covers it".to_owned(),
        profile: "default".to_owned(),
    }
}

fn line(answer: &Answer) -> String {
    match answer {
        Answer::Allow { scope, approver, until: None } => format!("allow {scope:?} by {approver}\n"),
        Answer::Allow { until: Some(end), .. } => format!("allow until {end:?}\n"),
        Answer::Deny { reason, approver } => format!("deny by {approver}: {reason}\n"),
        Answer::None { reason } => format!("none: {reason}\n"),
        Answer::Unusable { reason } => format!("unusable: {reason}\n"),
    }
}

/// Starts the program, in a process group of its own if it is to have the foreground.
fn start(words: OsString, foreground: bool) -> Child {
    let mut command = Command::new("/bin/bash");
    command.arg("-c").arg(words);
    if !foreground {
        return command.spawn().unwrap();
    }
    let child = command.process_group(0).spawn().unwrap();
    let group = Pid::new(i32::try_from(child.id()).unwrap()).unwrap();
    give_foreground(group);
    // It may have looked at the terminal before, and been stopped for that.
    send_group(group, Signal::CONTINUE).unwrap();
    child
}

/// The program ends by itself, or is ended; then this process has the foreground again.
fn end(program: &mut Child) {
    let began = Instant::now();
    while program.try_wait().unwrap().is_none() {
        if began.elapsed() > Duration::from_secs(20) {
            program.kill().unwrap();
        }
        thread::sleep(Duration::from_millis(20));
    }
    if env::var_os(FOREGROUND).is_some() {
        give_foreground(syscalls::process::process_group(own_id()).unwrap());
    }
}

fn give_foreground(group: Pid) {
    let before = SignalSet::new(&[Signal::TERMINAL_OUTPUT]).block().unwrap();
    terminal::Terminal::controlling().unwrap().set_foreground_group(group).unwrap();
    before.set_mask().unwrap();
}

fn after(variable: &str, act: impl FnOnce() + Send + 'static) {
    if let Some(millis) = number(variable) {
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(millis));
            act();
        });
    }
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|text| text.parse().unwrap())
}
