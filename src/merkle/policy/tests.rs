use super::*;
use crate::merkle::key::{KeyError, Kind, Signer};

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

fn log() -> Signer {
    Signer::new("example.com/log", &[1; 32]).unwrap()
}

fn witness(place: usize) -> Signer {
    Signer::new(&format!("witness.example/{}", NAMES[place]), &[10 + place as u8; 32]).unwrap()
}

fn vkey(place: usize) -> String {
    witness(place).cosign("\n", 0).0.to_string()
}

/// A log, five witnesses called `a` to `e`, and these lines.
fn text(lines: &str) -> String {
    let witnesses: String = (0..5).map(|place| format!("witness {} {}\n", NAMES[place], vkey(place))).collect();
    format!("# a comment\n\nlog {}\n{witnesses}{lines}", log().verifier())
}

fn policy(lines: &str) -> Policy {
    Policy::parse(text(lines).as_bytes()).unwrap_or_else(|error| panic!("{lines}: {error}"))
}

/// A checkpoint that the witnesses with a bit in `by` have cosigned.
fn cosigned(by: u32) -> Note {
    let body = Checkpoint { origin: "example.com/log".into(), size: 7, root: [3; 32] }.to_string();
    let mut note = Note::signed(body.clone(), &log());
    for place in (0..5).filter(|place| by >> place & 1 == 1) {
        note.add(witness(place).cosign(&body, 1_700_000_000 + place as u64).1);
    }
    note
}

#[test]
fn a_quorum_is_reached_by_those_who_are_one_and_by_no_others() {
    let has = |by: u32, place: u32| by >> place & 1 == 1;
    type Rule = fn(&dyn Fn(u32) -> bool) -> bool;
    let rules: [(&str, Rule); 6] = [
        ("quorum none\n", |_| true),
        ("quorum c\n", |has| has(2)),
        ("group g any a b\nquorum g\n", |has| has(0) || has(1)),
        ("group g all a b c\nquorum g\n", |has| has(0) && has(1) && has(2)),
        ("group g 3 a b c d e\nquorum g\n", |has| (0..5).filter(|place| has(*place)).count() >= 3),
        ("group x any a b\ngroup y 2 c d e\ngroup z all x y\nquorum z\n", |has| {
            (has(0) || has(1)) && (2..5).filter(|place| has(*place)).count() >= 2
        }),
    ];
    for (lines, rule) in rules {
        let policy = policy(lines);
        for by in 0..32_u32 {
            let result = policy.verify(&cosigned(by));
            match rule(&|place| has(by, place)) {
                true => {
                    let (checkpoint, seen) = result.unwrap();
                    assert_eq!((checkpoint.size, seen.len()), (7, by.count_ones() as usize), "{lines}");
                }
                false => assert_eq!(result, Err(PolicyError::Quorum(by.count_ones() as usize)), "{lines} {by:b}"),
            }
        }
    }
}

#[test]
fn it_is_told_who_has_seen_a_checkpoint_and_when() {
    let (_, seen) = policy("quorum none\n").verify(&cosigned(0b10010)).unwrap();
    let expected = [("b", 1_700_000_001), ("e", 1_700_000_004)];
    assert_eq!(seen, expected.map(|(witness, time)| Seen { witness: witness.to_owned(), time }));
}

#[test]
fn cosignatures_of_something_else_and_of_strangers_do_not_count() {
    let policy = policy("quorum a\n");
    let mut other = cosigned(0);
    other.add(witness(0).cosign("example.com/log\n8\n", 1).1);
    let wrong = policy.verify(&other);
    assert_eq!(wrong, Err(PolicyError::Note(NoteError::WrongSignature("witness.example/a".into()))));
    // A signature as a log makes it, by the key of a witness.
    let mut plain = cosigned(0);
    let body = plain.unverified_text().to_owned();
    plain.add(witness(0).sign(&body));
    assert_eq!(policy.verify(&plain), Err(PolicyError::Quorum(0)));
    // A stranger with the witness's name.
    let mut stranger = cosigned(0);
    stranger.add(Signer::new("witness.example/a", &[99; 32]).unwrap().cosign(&body, 1).1);
    assert_eq!(policy.verify(&stranger), Err(PolicyError::Quorum(0)));
    // A witness alone, without the log.
    let only = Signer::new("example.com/log", &[2; 32]).unwrap();
    let mut note = Note::signed(body.clone(), &only);
    note.add(witness(0).cosign(&body, 1).1);
    assert_eq!(policy.verify(&note), Err(PolicyError::Note(NoteError::Unsigned)));
    let elsewhere = Checkpoint { origin: "example.com/other".into(), size: 7, root: [3; 32] };
    let note = Note::signed(elsewhere.to_string(), &log());
    assert_eq!(policy.verify(&note), Err(PolicyError::Origin("example.com/other".into())));
    assert_eq!(policy.verify(&Note::signed("text\n".into(), &log())), Err(PolicyError::Malformed));
}

#[test]
fn lines_that_say_nothing_clear_are_refused_with_their_number() {
    let (log, first) = (log().verifier().to_string(), vkey(0));
    let again = format!("witness f {first}\nquorum f\n");
    let wrong_kinds = [format!("log {first}\n"), format!("witness f {log}\n")];
    let cases: [(&str, usize, Problem); 20] = [
        ("", 0, Problem::NoQuorum),
        ("quorum f\n", 9, Problem::Undefined("f".into())),
        ("quorum\n", 9, Problem::Form("quorum NAME|none")),
        ("quorum a b\n", 9, Problem::Form("quorum NAME|none")),
        ("quorum a\nquorum a\n", 10, Problem::QuorumTwice),
        ("group a any b\n", 9, Problem::Taken("a".into())),
        ("group none any b\n", 9, Problem::Taken("none".into())),
        ("group g any g\n", 9, Problem::Undefined("g".into())),
        ("group g any none\n", 9, Problem::Undefined("none".into())),
        ("group g 2 a a\n", 9, Problem::MemberTwice("a".into())),
        ("group g 0 a b\n", 9, Problem::Threshold("0".into())),
        ("group g 3 a b\n", 9, Problem::Threshold("3".into())),
        ("group g 01 a b\n", 9, Problem::Threshold("01".into())),
        ("group g most a b\n", 9, Problem::Threshold("most".into())),
        ("group g any\n", 9, Problem::Form("group NAME any|all|NUMBER NAME...")),
        ("log\n", 9, Problem::Form("log VKEY [URL]")),
        ("log x\n", 9, Problem::Key(KeyError::Malformed)),
        (&again, 9, Problem::KeyTwice),
        (&wrong_kinds[0], 9, Problem::Kind(Kind::Witness)),
        (&wrong_kinds[1], 9, Problem::Kind(Kind::Log)),
    ];
    for (lines, line, problem) in cases {
        assert_eq!(Policy::parse(text(lines).as_bytes()), Err(ParseError { line, problem }), "{lines}");
    }
    let unknown = Policy::parse(b"Log x\n");
    assert_eq!(unknown, Err(ParseError { line: 1, problem: Problem::Unknown("Log".into()) }));
    assert_eq!(Policy::parse(b"\xff"), Err(ParseError { line: 0, problem: Problem::NotText }));
}

#[test]
fn places_of_logs_and_witnesses_and_any_spaces_are_read() {
    let lines =
        format!("log\t{}  https://log.example/\nwitness w {} https://w.example\nquorum\tw \n", log().verifier(), {
            vkey(0)
        });
    let policy = Policy::parse(lines.as_bytes()).unwrap();
    assert_eq!(policy.logs[0].url.as_deref(), Some("https://log.example/"));
    assert_eq!(policy.witnesses[0].url.as_deref(), Some("https://w.example"));
}

#[test]
fn groups_of_groups_as_deep_as_a_file_can_be_are_evaluated() {
    let mut lines = "group g0 all a b\n".to_owned();
    for depth in 1..20_000 {
        lines += &format!("group g{depth} any g{} c\n", depth - 1);
    }
    let policy = policy(&format!("{lines}quorum g19999\n"));
    assert!(policy.verify(&cosigned(0b11)).is_ok());
    assert!(policy.verify(&cosigned(0b100)).is_ok());
    assert_eq!(policy.verify(&cosigned(0b1)), Err(PolicyError::Quorum(1)));
}
