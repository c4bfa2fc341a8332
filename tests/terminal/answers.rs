//! What a person types, when it counts, and what happens when nobody types.

use serde_json::json;

use crate::asker::{CANCEL, CLOSE, COUNT, DEADLINE, TRIGGER};
use crate::desk::Desk;

const REQUEST: &str = "allow? [y/o/d/N] ";

/// The answer to a question under which `typed` is typed.
fn typed(typed: &str) -> String {
    let desk = Desk::new();
    desk.script(&[json!(["expect", REQUEST]), json!(["send", typed])], "$ASK");
    desk.answers()
}

#[test]
fn each_choice_is_the_answer_it_says() {
    for (keys, answer) in [
        ("y\r", "allow Once by terminal\n"),
        ("o\r", "allow Object by terminal\n"),
        ("d\r", "allow Directory by terminal\n"),
        ("n\r", "deny by terminal: the user said no\n"),
        ("\r", "deny by terminal: the user said no\n"),
        ("\x04", "deny by terminal: the user said no\n"),
        ("n\x7fy\r", "allow Once by terminal\n"),
    ] {
        assert_eq!(typed(keys), answer, "{keys:?}");
    }
}

#[test]
fn what_is_no_choice_is_asked_once_more_and_then_means_no() {
    let desk = Desk::new();
    let again = [json!(["expect", REQUEST]), json!(["send", "yes\r"]), json!(["expect", REQUEST])];
    desk.script(&[&again[..], &[json!(["send", "y\r"])]].concat(), "$ASK");
    assert_eq!(desk.answers(), "allow Once by terminal\n");
    let desk = Desk::new();
    desk.script(&[&again[..], &[json!(["send", "sure\r"])]].concat(), "$ASK");
    assert_eq!(desk.answers(), "deny by terminal: two answers were none of the choices\n");
}

#[test]
fn what_was_typed_before_the_second_request_answers_nothing() {
    for typed in ["x\ry\r", "x\ry\ry"] {
        let desk = Desk::new().with(DEADLINE, "4000");
        let steps = [json!(["expect", REQUEST]), json!(["send", typed]), json!(["expect", REQUEST])];
        desk.script(&steps, "$ASK");
        assert_eq!(desk.answers(), "none: nobody answered on the terminal in time\n", "{typed:?}");
    }
    let desk = Desk::new();
    let steps =
        [json!(["expect", REQUEST]), json!(["send", "x\ry"]), json!(["expect", REQUEST]), json!(["send", "\r"])];
    desk.script(&steps, "$ASK");
    assert_eq!(desk.answers(), "deny by terminal: the user said no\n");
}

#[test]
fn keys_typed_before_the_question_answer_nothing() {
    let desk = Desk::new().with(DEADLINE, "1500");
    let go = desk.path("go");
    let desk = desk.with(TRIGGER, &go);
    let steps = [json!(["wait", 0.3]), json!(["send", "y\ry\ry\ry"]), json!(["wait", 0.1]), json!(["touch", go])];
    desk.script(&steps, "$ASK");
    assert_eq!(desk.answers(), "none: nobody answered on the terminal in time\n");
}

#[test]
fn keys_typed_as_the_question_appears_answer_nothing() {
    let desk = Desk::new().with(DEADLINE, "2500");
    let mut steps = vec![json!(["expect", "nono asks"])];
    for _ in 0..8 {
        steps.extend([json!(["send", "y\r"]), json!(["wait", 0.1])]);
    }
    steps.push(json!(["expect", REQUEST]));
    desk.script(&steps, "$ASK");
    assert_eq!(desk.answers(), "none: nobody answered on the terminal in time\n");
}

#[test]
fn an_answer_without_enter_goes_nowhere_and_not_to_the_program_either() {
    let desk = Desk::new().with(DEADLINE, "1500");
    let steps = [
        json!(["expect", REQUEST]),
        json!(["send", "y"]),
        json!(["expect", "no answer"]),
        json!(["expect", "now"]),
        json!(["send", "next\r"]),
    ];
    let shown = desk.script(&steps, "$ASK; echo now; read -r line; echo \"got <$line>\"");
    assert_eq!(desk.answers(), "none: nobody answered on the terminal in time\n");
    assert!(shown.contains("got <next>"), "{shown}");
}

#[test]
fn a_question_answered_elsewhere_gives_the_terminal_back() {
    let desk = Desk::new().with(CANCEL, "800");
    let shown = desk.script(&[json!(["expect", REQUEST]), json!(["expect", "answered elsewhere"])], "$ASK");
    assert!(desk.answers().starts_with("none: the question was answered elsewhere"), "{shown}");
}

#[test]
fn closing_withdraws_the_question() {
    let desk = Desk::new().with(CLOSE, "800");
    desk.script(&[json!(["expect", REQUEST])], "$ASK");
    assert_eq!(desk.answers(), "none: the run is over\n");
}

#[test]
fn questions_wait_for_each_other() {
    let desk = Desk::new().with(COUNT, "2");
    let steps = [
        json!(["expect", REQUEST]),
        json!(["send", "y\r"]),
        json!(["expect", "nono: allowed"]),
        json!(["expect", REQUEST]),
        json!(["send", "n\r"]),
    ];
    desk.script(&steps, "$ASK");
    let answers = desk.answers();
    assert!(answers.contains("allow Once") && answers.contains("deny by terminal"), "{answers}");
}

#[test]
fn without_a_terminal_the_answer_says_what_to_do() {
    let desk = Desk::new();
    desk.script(&[], "setsid --wait $ASK < /dev/null");
    let answers = desk.answers();
    assert!(answers.starts_with("none: there is no terminal to ask on"), "{answers}");
    // What would allow it stands behind, in the account of the run.
    assert!(answers.contains("`supervisor.webhook` asks elsewhere"), "{answers}");
}

#[test]
fn standard_input_is_never_the_answer() {
    let desk = Desk::new().with(DEADLINE, "1500");
    desk.script(&[json!(["expect", REQUEST])], "yes y | $ASK");
    assert_eq!(desk.answers(), "none: nobody answered on the terminal in time\n");
}

#[test]
fn in_the_background_nobody_is_asked() {
    let desk = Desk::new();
    let shown = desk.script(&[], "set -m; $ASK < /dev/null & wait");
    let answers = desk.answers();
    assert!(answers.starts_with("none: nono runs in the background"), "{answers}");
    assert!(!shown.contains("nono asks"), "{shown}");
}

#[test]
fn a_terminal_that_is_closed_is_no_answer() {
    let desk = Desk::new();
    desk.script(&[json!(["expect", REQUEST]), json!(["hangup"])], "trap '' HUP; $ASK > /dev/null 2>&1");
    let answers = desk.answers();
    assert!(answers.starts_with("none: "), "{answers}");
}
