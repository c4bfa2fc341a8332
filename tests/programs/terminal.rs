//! Programs that own a terminal: job control, full screens, signals from the keyboard, another size.

use crate::tmux::Terminal;
use crate::world::World;
use crate::{SECRET, desk, key};

const TMUX: &str = "/usr/bin/tmux";

/// The command that starts `program` confined to the working directory.
fn nono(world: &World, program: &str) -> String {
    format!("{} run -s --allow-cwd -- {program}", world.nono().get_program().to_string_lossy())
}

/// The same, and then it tells the status. What is typed while a program starts or ends may be lost, with or without
/// nono: a test types only when it has seen who reads.
fn told(world: &World, program: &str) -> String {
    format!("{}; echo status=$?", nono(world, program))
}

#[test]
fn bash_keeps_its_job_control() {
    let Some(world) = desk(&[TMUX, "/bin/bash"]) else { return };
    let terminal = Terminal::new(&world);
    terminal.line(&format!("clear; {}", told(&world, "env PS1='in''ner> ' bash --norc --noprofile -i")));
    let screen = terminal.until("inner>");
    assert!(!screen.contains("no job control"), "{screen}");
    terminal.line("sleep 1000 &");
    terminal.until("[1]");
    terminal.line("sh -c 'echo up; exec cat'");
    terminal.until_line("up");
    terminal.line("one");
    terminal.until("one\none\n");
    terminal.key("C-z");
    terminal.until("Stopped");
    terminal.line("clear; jobs");
    let screen = terminal.until("Running");
    assert!(screen.contains("Stopped") && screen.contains("sleep 1000"), "{screen}");
    terminal.line("clear; fg %2");
    terminal.until_top("sh -c");
    terminal.line("two");
    terminal.until("two\ntwo\n");
    terminal.key("C-c");
    terminal.until("^C\ninner>");
    terminal.line("clear; kill %1; wait %1; echo waited=$?");
    terminal.until_line("waited=143");
    terminal.line(&format!("clear; cat {}; echo read=$?", key(&world).display()));
    let screen = terminal.until_line("read=1");
    assert!(screen.contains("Permission denied") && !screen.contains(SECRET), "{screen}");
    terminal.line("exit 5");
    terminal.until("status=5");
}

#[test]
fn ctrl_c_ends_the_program_and_nono_tells_the_signal() {
    let Some(world) = desk(&[TMUX, "/bin/bash"]) else { return };
    let terminal = Terminal::new(&world);
    terminal.line(&told(&world, "sh -c 'echo up; exec sleep 1000'"));
    terminal.until_line("up");
    terminal.key("C-c");
    terminal.until("status=130");
}

#[test]
fn ctrl_c_is_the_program_s_own_when_it_handles_it() {
    let Some(world) = desk(&[TMUX, "/bin/bash"]) else { return };
    let terminal = Terminal::new(&world);
    terminal.line(&told(&world, "bash -c 'trap \"echo caught; exit 9\" INT; echo up; while :; do sleep 0.1; done'"));
    terminal.until_line("up");
    terminal.key("C-c");
    terminal.until("caught");
    terminal.until("status=9");
}

#[test]
fn ctrl_z_stops_the_program_and_fg_goes_on_with_it() {
    let Some(world) = desk(&[TMUX, "/bin/bash"]) else { return };
    let terminal = Terminal::new(&world);
    terminal.line(&told(&world, "sh -c 'echo up; exec cat'"));
    terminal.until_line("up");
    terminal.line("first");
    terminal.until("first\nfirst");
    terminal.key("C-z");
    terminal.until("Stopped");
    terminal.until("status=148");
    terminal.line("clear; fg; echo status=$?");
    terminal.until_top("/tmp/nono");
    terminal.line("second");
    terminal.until("second\nsecond");
    terminal.key("C-d");
    terminal.until("status=0");
}

#[test]
fn a_program_in_the_background_goes_on_and_can_be_brought_back() {
    let Some(world) = desk(&[TMUX, "/bin/bash"]) else { return };
    let terminal = Terminal::new(&world);
    terminal.line(&format!(
        "{} &",
        nono(&world, "sh -c 'echo started > mark; sleep 0.2; echo ended > mark; read x; echo got $x'")
    ));
    terminal.line("until grep -qs ended mark; do sleep 0.1; done; echo seen");
    terminal.until_line("seen");
    terminal.line("clear; fg");
    terminal.until_top("/tmp/nono");
    terminal.line("words");
    terminal.until_line("got words");
}

#[test]
fn vim_edits_a_file_and_opens_no_key() {
    let Some(world) = desk(&[TMUX, "/usr/bin/vim"]) else { return };
    let terminal = Terminal::new(&world);
    terminal.line(&told(&world, "vim -u NONE -i NONE -N file"));
    terminal.until("[New]");
    terminal.key("i");
    terminal.line("typed into the file");
    terminal.key("Escape");
    terminal.until("typed into the file");
    terminal.line(":w");
    terminal.until("written");
    terminal.line(&format!(":e {}", key(&world).display()));
    let screen = terminal.until("ermission");
    assert!(!screen.contains(SECRET), "{screen}");
    terminal.line(":qa!");
    terminal.until("status=0");
    let text = std::fs::read_to_string(world.work().join("file")).expect("vim wrote the file");
    assert!(text.starts_with("typed into the file\n"), "{text}");
}

#[test]
fn less_pages_through_a_long_file() {
    let Some(world) = desk(&[TMUX, "/usr/bin/less"]) else { return };
    let lines: Vec<String> = (1..=500).map(|number| format!("line {number} of the file\n")).collect();
    world.file(&world.work().join("long"), &lines.concat());
    let terminal = Terminal::new(&world);
    terminal.line(&told(&world, "less long"));
    terminal.until("line 10 of the file");
    terminal.key("G");
    terminal.until("line 500 of the file");
    terminal.line("?line 250");
    terminal.until("line 250 of the file");
    terminal.key("q");
    terminal.until("status=0");
}

#[test]
fn a_new_size_of_the_window_reaches_the_program() {
    let Some(world) = desk(&[TMUX, "/bin/bash"]) else { return };
    let terminal = Terminal::new(&world);
    terminal.line(&told(&world, "bash -c 'trap \"stty size\" WINCH; stty size; while :; do sleep 0.1; done'"));
    terminal.until_line("24 80");
    terminal.resize(100, 30);
    terminal.until_line("30 100");
    terminal.key("C-c");
    terminal.until("outer>");
}
