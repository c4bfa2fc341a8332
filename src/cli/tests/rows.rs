//! Each row of the table: it parses, it is described, and it says one thing.

use super::{each_verb, line, words};
use crate::cli::table::{Flag, FlagGroup, Kind, Verb};
use crate::cli::{Command, help};

#[test]
fn every_flag_parses_in_all_its_spellings_and_changes_the_command() {
    let mut seen = 0;
    each_verb(&mut |verb, path| {
        let without = [path.split_whitespace().collect(), operands(verb)].concat();
        for flag in verb.flags() {
            let mut spellings = Vec::new();
            for long in flag.longs() {
                match flag.value {
                    Some(_) => spellings.extend([
                        vec![format!("--{long}={}", sample(flag))],
                        vec![format!("--{long}"), sample(flag).to_owned()],
                    ]),
                    None => spellings.push(vec![format!("--{long}")]),
                }
            }
            if let Some(short) = flag.short {
                match flag.value {
                    Some(_) => spellings.extend([
                        vec![format!("-{short}{}", sample(flag))],
                        vec![format!("-{short}={}", sample(flag))],
                        vec![format!("-{short}"), sample(flag).to_owned()],
                    ]),
                    None => spellings.push(vec![format!("-{short}")]),
                }
            }
            // A flag that stands for the operands is given without them.
            let instead = verb.usage.split_whitespace().any(|word| word.ends_with(&format!("|--{}", flag.long)));
            let operands = if instead { Vec::new() } else { operands(verb) };
            let with = |spelling: &[String]| {
                let spelling: Vec<&str> = spelling.iter().map(String::as_str).collect();
                words(&[path.split_whitespace().collect(), spelling, others(verb, flag), operands.clone()].concat())
                    .unwrap()
            };
            let first = with(&spellings[0]);
            assert_ne!(Ok(&first), words(&without).as_ref(), "{path} --{}", flag.long);
            for spelling in &spellings {
                if flag.long != "help" {
                    assert_eq!(with(spelling), first, "{path} {spelling:?}");
                }
                seen += 1;
            }
        }
    });
    assert!(seen > 150, "{seen}");
}

#[test]
fn help_names_every_flag_within_eighty_columns_and_one_line_each() {
    each_verb(&mut |verb, path| {
        let short = line(&format!("{path} -h")).text();
        let long = line(&format!("{path} --help")).text();
        for text in [&short, &long] {
            assert!(
                text.lines().all(|line| line.chars().count() <= help::WIDTH && line.trim_end() == line),
                "{path}: {text}"
            );
            assert!(!text.contains("\n\n\n") && text.ends_with('\n'), "{text}");
        }
        for flag in verb.flags() {
            let row = short.lines().find(|line| line.contains(&flag.spelling())).unwrap();
            assert!(row.ends_with(flag.help), "{path}: {row}");
            assert!(long.contains(&flag.spelling()), "{path} --{}", flag.long);
        }
        assert!(!short.contains("allow-domain"), "{short}");
    });
    assert!(line("run --help").text().contains("--allow-domain"));
}

#[test]
fn the_long_help_of_run_tells_what_is_easily_missed() {
    let help = line("run --help").text();
    let flat = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for fact in [
        "128+N",
        "125",
        "126",
        "127",
        "NONO_PROFILE",
        "`default`",
        "no network",
        "only add to the profile or narrow it",
    ] {
        assert!(flat.contains(fact), "{fact}: {help}");
    }
}

#[test]
fn every_row_is_complete_and_says_one_thing() {
    each_verb(&mut |verb, path| {
        assert!(!verb.summary.is_empty() && !verb.summary.ends_with('.'), "{path}");
        assert!(verb.summary.len() <= 60, "{path}: {}", verb.summary);
        assert!(!verb.examples.is_empty(), "{path}");
        let mut names: Vec<String> = verb.flags().flat_map(Flag::longs).map(str::to_owned).collect();
        names.extend(verb.flags().filter_map(|flag| flag.short).map(String::from));
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all, "{path} has two flags of one name");
        for FlagGroup { flags, .. } in verb.groups {
            assert!(flags.iter().all(|flag| flag.help.len() <= 48 && !flag.help.ends_with('.')), "{path}");
        }
        for (_, example) in verb.examples {
            let given = example.strip_prefix("nono ").unwrap();
            line(given);
        }
    });
}

/// Operands that `verb` accepts.
fn operands(verb: &Verb) -> Vec<&'static str> {
    let sample = |kind: Kind| match kind {
        Kind::Words(words) => words[0],
        Kind::Command | Kind::Directory | Kind::Path | Kind::Profile | Kind::Text | Kind::Verb => "x",
    };
    let takes_some = verb.verbs.is_empty() && verb.name != "help";
    verb.operands.iter().filter(|_| takes_some).map(|operand| sample(operand.kind)).collect()
}

/// The flags that `verb` is not complete without, but `flag`: those that its usage has.
fn others(verb: &Verb, flag: &Flag) -> Vec<&'static str> {
    let named = |word: &str| verb.flags().find(|other| word.strip_prefix("--") == Some(other.long));
    let short = |word: &str| verb.flags().find(|other| other.short.is_some_and(|short| word == format!("-{short}")));
    let words = verb.usage.split_whitespace();
    let pairs = words.filter(|word| word.starts_with('-') && !word.contains('|'));
    let needed = pairs.filter_map(|word| Some((word, if word.starts_with("--") { named(word) } else { short(word) }?)));
    needed.filter(|(_, other)| other.long != flag.long).flat_map(|(word, other)| [word, sample(other)]).collect()
}

/// A value that `flag` accepts.
fn sample(flag: &Flag) -> &'static str {
    let value = flag.value.unwrap();
    match value.kind {
        Kind::Words(words) => words[0],
        Kind::Text if value.name == "N" => "7",
        Kind::Command | Kind::Directory | Kind::Path | Kind::Profile | Kind::Text | Kind::Verb => "value",
    }
}

impl Command {
    /// The text of a help command.
    fn text(&self) -> String {
        let Self::Help(text) = self else { panic!("not help: {self:?}") };
        text.to_string()
    }
}
