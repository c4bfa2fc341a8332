//! The verbs, one file each, and `nono` itself above them.

mod audit;
mod doctor;
mod profiles;
mod run;
mod shell;
mod trust;
mod why;
mod wrap;

use super::parse::{self, Words};
use super::table::{Flag, FlagGroup, Kind, Value, Verb};
use super::usage::{UsageError, quoted};
use super::{Command, Generate, HelpText, flags, help};

/// What the command line is wrong means for a verb that starts nothing.
pub(crate) const WRONG: (&str, &str) = ("2", "the command line is wrong");
/// What is said of a file or a kernel that gives no answer.
pub(crate) const UNKNOWN: (&str, &str) = ("125", "it could not be found out");
/// The variable that stands in for `--profile`.
pub(crate) const NONO_PROFILE: (&str, &str) = ("NONO_PROFILE", "the profile when -p does not name one");

/// The top of the table: its flags are those without a verb.
pub(crate) static NONO: Verb = Verb {
    name: "nono",
    aliases: &[],
    summary: "run a program under a policy the kernel enforces",
    about: &[
        "nono starts a program so that it, and everything it starts, can use only the files, the network and the \
         variables that a policy names. The kernel enforces the policy (Landlock and seccomp); the program cannot lift it.",
        "A policy is a profile: a JSON file, or one of the built-in ones. Flags add to it or narrow it. What is not \
         granted is refused, and a deny beats every allow.",
    ],
    usage: "VERB [ARG...]",
    operands: &[Value { name: "VERB", kind: Kind::Verb }],
    groups: &[&FlagGroup { title: "Flags", flags: &[&flags::HELP, &VERSION, &GENERATE] }],
    verbs: &[
        &run::RUN,
        &shell::SHELL,
        &wrap::WRAP,
        &why::WHY,
        &profiles::PROFILES,
        &trust::TRUST,
        &audit::AUDIT,
        &doctor::DOCTOR,
        &HELP,
    ],
    exits: &[],
    environment: &[
        NONO_PROFILE,
        ("XDG_CONFIG_HOME", "the user's profiles are in nono/profiles beneath it; ~/.config when unset"),
        ("NO_COLOR", "set to anything, nothing is printed in colour"),
    ],
    examples: &[
        ("See what `ls` can do with nothing of yours:", "nono run ls /usr"),
        ("Let a program work in the current directory, and nowhere else:", "nono run --allow-cwd -- make test"),
        ("Ask before you try:", "nono why read ~/.ssh/id_rsa --profile python-dev"),
        ("See what this host can enforce:", "nono doctor"),
    ],
    build: without_verb,
};

static VERSION: Flag = Flag { short: Some('V'), ..Flag::switch("version", "Print the version") };

static GENERATE: Flag = Flag {
    about: "The man page, or completions for a shell, written to standard output.",
    ..Flag::with(
        "generate",
        "man|bash|zsh|fish",
        Kind::Words(&["man", "bash", "zsh", "fish"]),
        "Print the man page or completions",
    )
};

static HELP: Verb = Verb {
    name: "help",
    aliases: &[],
    summary: "print the long help of a verb",
    about: &["`nono help run` is `nono run --help`."],
    usage: "[VERB...]",
    operands: &[Value { name: "VERB", kind: Kind::Verb }],
    groups: &[&flags::ONLY_HELP],
    verbs: &[],
    exits: &[("0", "the help was printed"), WRONG],
    environment: &[],
    examples: &[("Read about one verb beneath another:", "nono help profiles validate")],
    build: help_for,
};

/// The names of the verbs of `parent`, as a list in a sentence.
pub(crate) fn names(parent: &'static Verb) -> String {
    let quoted: Vec<String> = parent.verbs.iter().map(|verb| format!("`{}`", verb.name)).collect();
    quoted.join(", ")
}

fn without_verb(words: Words) -> Result<Command, UsageError> {
    let asked = words.one(&GENERATE);
    if words.switch(&VERSION) {
        return Ok(Command::Version);
    }
    let Some(asked) = asked else {
        return Err(words.missing("needs a verb"));
    };
    match asked.to_str() {
        Some("man") => Ok(Command::Generate(Generate::Man)),
        Some("bash") => Ok(Command::Generate(Generate::Bash)),
        Some("zsh") => Ok(Command::Generate(Generate::Zsh)),
        Some("fish") => Ok(Command::Generate(Generate::Fish)),
        _ => Err(words.fault(format!("`--generate` writes man, bash, zsh or fish, and not {}", quoted(asked)))),
    }
}

fn help_for(mut words: Words) -> Result<Command, UsageError> {
    let mut asked = words.operands();
    let (mut verb, mut path) = (&NONO, NONO.name.to_owned());
    while let Some(first) = asked.first() {
        if verb.verbs.is_empty() {
            return Err(UsageError::new(&path, format!("`{path}` has no verbs of its own, such as {}", quoted(first))));
        }
        let Some((found, length)) = parse::verb_named(verb, &asked) else {
            return Err(parse::unknown_verb(verb, &path, first));
        };
        path = format!("{path} {}", found.name);
        verb = found;
        asked.drain(..length);
    }
    Ok(Command::Help(HelpText(help::text(verb, &path, true))))
}
