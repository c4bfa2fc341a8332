//! Full-screen programs and hostile screens, in tmux.

use crate::asker::{FOREGROUND, PROGRAM, TRIGGER};
use crate::desk::Desk;

const REQUEST: &str = "allow? [y/o/d/N]";

/// A file with numbered lines, and its name.
fn lines(desk: &Desk) -> String {
    let name = desk.path("text");
    let text: String = (1..=100).map(|number| format!("line {number} of the text\n")).collect();
    std::fs::write(&name, text).unwrap();
    name
}

/// Asks while `program` owns the screen, and expects it to be drawn again.
fn is_drawn_again(program: &str, foreground: bool, leave: &[&str]) {
    let desk = Desk::new();
    let text = lines(&desk);
    let go = desk.path("go");
    let mut desk = desk.with(PROGRAM, &format!("{program} {text}")).with(TRIGGER, &go);
    if foreground {
        desk = desk.with(FOREGROUND, "1");
    }
    let window = desk.window("$ASK; sleep 20");
    let drawn = |screen: &str| screen.starts_with("line 1 of the text\n") && screen.contains("\nline 20 of the text\n");
    window.expect(program, drawn);
    std::fs::write(&go, "").unwrap();
    window.expect("the question", |screen| screen.contains(REQUEST));
    window.send(&["y", "Enter"]);
    assert_eq!(desk.answers(), "allow Once by terminal\n");
    window.expect("the screen as it was", |screen| drawn(screen) && !screen.contains("nono"));
    window.send(leave);
    window.expect("the end of the program", |screen| screen.contains("test result: ok"));
}

#[test]
fn vim_is_drawn_again() {
    for foreground in [true, false] {
        is_drawn_again("vim -u NONE -R", foreground, &[":q", "Enter"]);
    }
}

#[test]
fn less_is_drawn_again() {
    for foreground in [true, false] {
        is_drawn_again("less", foreground, &["q"]);
    }
}

#[test]
fn a_program_that_draws_only_for_another_size_is_drawn_again() {
    // As the runtimes of many programs do: a signal alone is not news.
    let script = "\
import os, signal, sys, termios, time, tty
size = None
def draw(*_):
    global size
    if os.get_terminal_size() != size:
        size = os.get_terminal_size()
        shown = open(sys.argv[1]).read().split('\\n')[:size.lines - 1]
        print('\\x1b[H\\x1b[2J' + '\\r\\n'.join(shown), end='', flush=True)
signal.signal(signal.SIGWINCH, draw)
before = termios.tcgetattr(0)
tty.setraw(0)
draw()
sys.stdin.read(1)
termios.tcsetattr(0, termios.TCSANOW, before)
print('\\x1b[H\\x1b[2J')
";
    let program = std::env::temp_dir().join(format!("nono-draws-{}.py", std::process::id()));
    std::fs::write(&program, script).unwrap();
    for foreground in [true, false] {
        is_drawn_again(&format!("python3 {}", program.display()), foreground, &["q"]);
    }
    std::fs::remove_file(&program).unwrap();
}

#[test]
fn a_shell_does_not_see_its_job_stop() {
    let desk = Desk::new();
    let text = lines(&desk);
    let go = desk.path("go");
    let program = "PS1='ready> ' exec bash --norc -i";
    let desk = desk.with(PROGRAM, program).with(FOREGROUND, "1").with(TRIGGER, &go);
    let window = desk.window("$ASK; sleep 20");
    window.expect("the prompt", |screen| screen.contains("ready>"));
    window.send(&[&format!("vim -u NONE -R {text}"), "Enter"]);
    let drawn = |screen: &str| screen.starts_with("line 1 of the text\n");
    window.expect("vim", drawn);
    std::fs::write(&go, "").unwrap();
    window.expect("the question", |screen| screen.contains(REQUEST));
    window.send(&["o", "Enter"]);
    assert_eq!(desk.answers(), "allow Object by terminal\n");
    window.expect("vim again", |screen| drawn(screen) && !screen.contains("nono"));
    window.send(&[":q", "Enter"]);
    let shell = window.expect("the shell again", |screen| screen.trim_end().ends_with("ready>"));
    window.send(&["jobs; echo status $?", "Enter"]);
    let jobs = window.expect("what jobs says", |screen| screen.contains("status 0"));
    for screen in [shell, jobs] {
        assert!(!screen.contains("Stopped") && !screen.contains("text &"), "{screen}");
    }
    window.send(&["exit", "Enter"]);
    window.expect("the end", |screen| screen.contains("test result: ok"));
}

#[test]
fn a_screen_that_was_made_unreadable_shows_the_question() {
    for attack in [
        // An unfinished title, which would swallow what follows.
        r"\033]0;",
        // An unfinished device control string, the same.
        r"\033P",
        // Line drawing instead of letters, by designation and by shift.
        r"\033(0",
        r"\033)0\016",
        // Margins of one line, in which only the last line of a question would be seen.
        r"\033[5;6r\033[5H",
        // Hidden text, no wrapping, inserting, no cursor.
        r"\033[8m\033[?7l\033[4h\033[?25l",
    ] {
        let desk = Desk::new();
        let go = desk.path("go");
        let desk = desk.with(PROGRAM, &format!("printf '{attack}'; sleep 2")).with(TRIGGER, &go);
        let window = desk.window("$ASK; sleep 20");
        std::thread::sleep(std::time::Duration::from_millis(500));
        std::fs::write(&go, "").unwrap();
        let screen = window.expect("the question", |screen| screen.contains(REQUEST));
        for line in ["nono asks: allow this?", "  path       /srv/keys/token", "  y          yes, once"] {
            assert!(screen.lines().any(|shown| shown == line), "{attack}: {line:?} is not in\n{screen}");
        }
        window.send(&["n", "Enter"]);
        assert_eq!(desk.answers(), "deny by terminal: the user said no\n");
    }
}

#[test]
fn colours_that_hide_plain_text_are_taken_back() {
    let desk = Desk::new();
    let go = desk.path("go");
    let attack = r"\033]10;#010203\007\033]11;#010203\007\033[31mnono asks about nothing much";
    let desk = desk.with(PROGRAM, &format!("printf '{attack}'; sleep 2")).with(TRIGGER, &go);
    let window = desk.window("$ASK; sleep 20");
    window.expect("the forged question", |screen| screen.contains("nothing much"));
    assert_eq!(window.colours(), "#010203 #010203");
    std::fs::write(&go, "").unwrap();
    window.expect("the question", |screen| screen.contains(REQUEST));
    assert_eq!(window.colours(), "default default");
    window.send(&["n", "Enter"]);
    assert_eq!(desk.answers(), "deny by terminal: the user said no\n");
}
