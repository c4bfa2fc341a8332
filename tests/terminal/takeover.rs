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
