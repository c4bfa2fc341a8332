//! The program and the question share a terminal: neither gets what is the other's.

use serde_json::json;

use crate::asker::{FOREGROUND, PATH, PROGRAM, TRIGGER};
use crate::desk::Desk;

const REQUEST: &str = "allow? [y/o/d/N] ";

#[test]
fn the_modes_a_program_had_set_are_there_again() {
    let desk = Desk::new();
    let (before, after) = (desk.path("before"), desk.path("after"));
    let script = format!("stty raw -echo intr y eof n; stty -g > {before}; $ASK; stty -g > {after}");
    desk.script(&[json!(["expect", REQUEST]), json!(["send", "y\r"])], &script);
    assert_eq!(desk.answers(), "allow Once by terminal\n");
    assert_eq!(std::fs::read(before).unwrap(), std::fs::read(after).unwrap());
}

#[test]
fn output_that_was_stopped_does_not_hide_the_question() {
    let desk = Desk::new();
    let go = desk.path("go");
    let desk = desk.with(TRIGGER, &go);
    let steps = [
        json!(["wait", 0.5]),
        json!(["send", "\x13"]),
        json!(["wait", 0.2]),
        json!(["touch", go]),
        json!(["expect", REQUEST]),
        json!(["send", "y\r"]),
    ];
    desk.script(&steps, "$ASK");
    assert_eq!(desk.answers(), "allow Once by terminal\n");
}

#[test]
fn nothing_of_the_run_writes_while_the_question_stands() {
    // One shares the terminal's session, one has left it, and children come and go.
    let noise = "while :; do echo noise; /bin/true; sleep 0.01; done";
    let program = format!("({noise}) & setsid bash -c '{noise}' & sleep 3; kill $! 0");
    let desk = Desk::new();
    let go = desk.path("go");
    let desk = desk.with(PROGRAM, &program).with(FOREGROUND, "1").with(TRIGGER, &go);
    let steps = [
        json!(["expect", "noise"]),
        json!(["touch", go]),
        json!(["expect", REQUEST]),
        json!(["wait", 0.5]),
        json!(["send", "y\r"]),
        json!(["expect", "nono: allowed"]),
        json!(["expect", "noise"]),
    ];
    let shown = desk.script(&steps, "$ASK");
    assert_eq!(desk.answers(), "allow Once by terminal\n");
    let begin = shown.find("nono asks").unwrap();
    let end = shown.find("nono: allowed").unwrap();
    assert!(!shown[begin..end].contains("noise"), "{shown}");
    assert!(shown[..begin].contains("noise"), "{shown}");
}

#[test]
fn a_program_whose_first_thread_has_ended_is_stopped_like_any_other() {
    let program = "exec python3 -c \"
import ctypes, threading, time
def paint():
    with open('/dev/tty', 'w') as tty:
        end = time.time() + 4
        while time.time() < end:
            time.sleep(0.02)
            print('painted', file=tty, flush=True)
threading.Thread(target=paint).start()
ctypes.CDLL(None).pthread_exit(None)
\"";
    for foreground in [true, false] {
        let desk = Desk::new();
        let go = desk.path("go");
        let mut desk = desk.with(PROGRAM, program).with(TRIGGER, &go);
        if foreground {
            desk = desk.with(FOREGROUND, "1");
        }
        let steps = [
            json!(["expect", "painted"]),
            json!(["touch", go]),
            json!(["expect", REQUEST]),
            json!(["wait", 0.5]),
            json!(["send", "y\r"]),
            json!(["expect", "nono: allowed"]),
            json!(["expect", "painted"]),
        ];
        let shown = desk.script(&steps, "$ASK");
        assert_eq!(desk.answers(), "allow Once by terminal\n");
        let question = &shown[shown.find("nono asks").unwrap()..shown.find("nono: allowed").unwrap()];
        assert!(!question.contains("painted"), "foreground: {foreground}: {shown}");
    }
}

/// A program that paints. A timer of its own continues it when it was stopped: once, or again after each `every` seconds.
/// Then it paints again, and does what `then` says.
fn continued(every: f64, then: &str) -> String {
    format!(
        "exec python3 -c \"
import signal, time
signal.signal(signal.SIGCONT, lambda *_: None)
import ctypes
class event(ctypes.Structure): _fields_ = [('value', ctypes.c_void_p), ('signal', ctypes.c_int), ('how', ctypes.c_int), ('rest', ctypes.c_char * 64)]
class when(ctypes.Structure): _fields_ = [(name, ctypes.c_long) for name in ('every', 'every_nano', 'first', 'first_nano')]
libc = ctypes.CDLL(None)
timer = ctypes.c_void_p()
assert libc.timer_create(1, ctypes.byref(event(None, signal.SIGCONT, 0)), ctypes.byref(timer)) == 0
assert libc.timer_settime(timer, 0, ctypes.byref(when(0, int({every} * 1e9), 2, 0)), None) == 0
last = time.time()
end = last + 8
with open('/dev/tty', 'w') as tty:
    while time.time() < end:
        time.sleep(0.02)
        print('painted', file=tty, flush=True)
        stopped, last = time.time() - last > 0.3, time.time()
        if stopped:
            {then}
\""
    )
}

#[test]
fn a_yes_beside_which_the_program_ran_is_asked_for_again() {
    // One goes on painting, and one keeps its processor for itself.
    for then in ["continue", "while time.time() < end: pass"] {
        let desk = Desk::new();
        let go = desk.path("go");
        let desk = desk.with(PROGRAM, &continued(0.0, then)).with(TRIGGER, &go);
        let steps = [
            json!(["expect", "painted"]),
            json!(["touch", go]),
            json!(["expect", REQUEST]),
            json!(["expect", "painted"]),
            json!(["wait", 0.5]),
            json!(["send", "y\r"]),
            json!(["expect", "here it is again"]),
            json!(["expect", REQUEST]),
            json!(["wait", 0.5]),
            json!(["send", "y\r"]),
            json!(["expect", "nono: allowed"]),
        ];
        let shown = desk.script(&steps, "$ASK");
        assert_eq!(desk.answers(), "allow Once by terminal\n");
        let again = shown.rfind("nono asks").unwrap();
        let end = shown.find("nono: allowed").unwrap();
        assert!(!shown[again..end].contains("painted"), "{shown}");
    }
}

#[test]
fn a_program_that_cannot_be_kept_stopped_gets_no_yes() {
    let desk = Desk::new();
    let go = desk.path("go");
    let desk = desk.with(PROGRAM, &continued(0.1, "continue")).with(TRIGGER, &go);
    let mut steps = vec![json!(["expect", "painted"]), json!(["touch", go])];
    for _ in 0..3 {
        steps.extend([json!(["expect", REQUEST]), json!(["wait", 2.2]), json!(["send", "y\r"])]);
    }
    desk.script(&steps, "$ASK");
    assert_eq!(desk.answers(), "unusable: a process of the run could not be kept stopped while asking\n");
}

#[test]
fn a_program_that_reads_the_terminal_does_not_get_the_answer() {
    let desk = Desk::new();
    let got = desk.path("got");
    let program = format!("read -r line < /dev/tty; echo \"$line\" > {got}");
    for foreground in [true, false] {
        let mut desk = Desk::new().with(PROGRAM, &program);
        if foreground {
            desk = desk.with(FOREGROUND, "1");
        }
        let go = desk.path("go");
        let desk = desk.with(TRIGGER, &go);
        let steps = [
            json!(["wait", 0.5]),
            json!(["touch", go]),
            json!(["expect", REQUEST]),
            json!(["send", "y\r"]),
            json!(["expect", "nono: allowed"]),
            json!(["wait", 0.2]),
            json!(["send", "mine\r"]),
        ];
        desk.script(&steps, "$ASK");
        assert_eq!(desk.answers(), "allow Once by terminal\n");
        assert_eq!(std::fs::read_to_string(&got).unwrap(), "mine\n", "foreground: {foreground}");
    }
}

#[test]
fn an_interrupt_means_no_and_reaches_the_program() {
    for (key, signal) in [("\x03", "INT"), ("\x1c", "QUIT")] {
        for foreground in [true, false] {
            let desk = Desk::new();
            let (go, got) = (desk.path("go"), desk.path("got"));
            let program = format!("trap 'echo {signal} >> {got}; exit' {signal}; while :; do sleep 0.05; done");
            let mut desk = desk.with(PROGRAM, &program).with(TRIGGER, &go);
            if foreground {
                desk = desk.with(FOREGROUND, "1");
            }
            let steps = [json!(["wait", 0.5]), json!(["touch", go]), json!(["expect", REQUEST]), json!(["send", key])];
            desk.script(&steps, "$ASK");
            assert_eq!(desk.answers(), "deny by terminal: the user said no\n");
            assert_eq!(std::fs::read_to_string(&got).unwrap(), format!("{signal}\n"), "foreground: {foreground}");
        }
    }
}

#[test]
fn a_hostile_name_is_shown_as_text() {
    let name = b"/srv/a\x1b[2J\x1b]0;x\x07\r\nallow? [y/N] y\xe2\x80\xae\xff";
    let desk = Desk::new().with_bytes(PATH, name);
    let shown = desk.script(&[json!(["expect", REQUEST]), json!(["send", "n\r"])], "$ASK");
    assert!(shown.contains("/srv/a\\u{1b}[2J\\u{1b}]0;x\\u{7}\\r\\nallow? [y/N]"), "{shown}");
    let asked = &shown[shown.find("nono asks").unwrap()..];
    assert!(!asked.contains("\x1b[2J") && !asked.contains('\x07') && !asked.contains('\u{202e}'), "{asked:?}");
}
