//! The rows of `nono profiles` and the verbs beneath it.

use crate::cli::parse::Words;
use crate::cli::table::{Entry, Flag, FlagGroup, Kind, Value, Verb};
use crate::cli::usage::UsageError;
use crate::cli::{Command, Profiles, flags};

pub(crate) static PROFILES: Verb = Verb {
    name: "profiles",
    aliases: &[&["profile"]],
    summary: "list, show, check, compare, write and test policies",
    about: &[
        "A profile is a JSON file that says what a program may use. It can extend other profiles and include groups, which \
         are profiles' building blocks; both are followed until every path, host and variable is known with its origin.",
    ],
    usage: "VERB [ARG...]",
    operands: &[Value { name: "VERB", kind: Kind::Verb }],
    groups: &[&flags::ONLY_HELP],
    verbs: &[&LIST, &SHOW, &VALIDATE, &DIFF, &INIT, &TEST],
    exits: &[],
    environment: &[],
    examples: &[("See what a profile gives:", "nono profiles show default")],
    build: |words| Err(words.missing("needs a verb")),
};

static LIST: Verb = Verb {
    summary: "list the profiles that can be named",
    examples: &[("See which profiles there are:", "nono profiles list")],
    ..beneath("list", "", &[], list)
};

static SHOW: Verb = Verb {
    summary: "print a policy with everything it builds on",
    about: &["Prints every path, host and variable of the resolved policy, and the file or group that gave it."],
    examples: &[("See what a profile gives:", "nono profiles show python-dev")],
    ..beneath("show", "NAME|FILE", &[PROFILE], show)
};

static VALIDATE: Verb = Verb {
    summary: "check profiles, and print everything that is wrong",
    about: &[
        "Prints each problem with its file, line, column and place in the JSON, all of them at once. A path that does not \
         exist is a warning, and with --strict a problem.",
    ],
    groups: &[&FlagGroup { title: "Flags", flags: &[&STRICT, &flags::JSON, &flags::HELP] }],
    exits: &[("0", "every file is valid"), ("1", "a file is not valid"), super::WRONG, super::UNKNOWN],
    examples: &[("Check every policy of a project:", "nono profiles validate --strict policies/*.json")],
    ..beneath("validate", "FILE...", &[FILE], validate)
};

static DIFF: Verb = Verb {
    summary: "compare two policies after resolving both",
    about: &["Prints what the one grants or refuses and the other does not."],
    exits: &[("0", "they are the same policy"), ("1", "they differ"), super::WRONG, super::UNKNOWN],
    examples: &[("See what a change of a policy means:", "nono profiles diff old.json ./new.json")],
    ..beneath("diff", "NAME|FILE NAME|FILE", &[PROFILE, PROFILE], diff)
};

static INIT: Verb = Verb {
    summary: "write a new profile to start from",
    groups: &[&FlagGroup { title: "Flags", flags: &[&EXTENDS, &FORCE, &flags::HELP] }],
    exits: &[("0", "the profile was written"), super::WRONG, ("125", "it could not be written, or is there already")],
    examples: &[("Begin a profile of your own:", "nono profiles init my-agent --extends python-dev")],
    ..beneath("init", "NAME", &[Value { name: "NAME", kind: Kind::Text }], init)
};

static TEST: Verb = Verb {
    summary: "run the tests of policies",
    about: &["A file NAME.test.json lists what the policy NAME.json beside it must allow or deny, such as \
         [{ \"read\": \"/etc/shadow\", \"expect\": \"deny\" }]. For each expectation that does not hold, the rule that \
         decided is printed. Nothing is started, so the tests run anywhere."],
    exits: &[("0", "every expectation holds"), ("1", "one does not"), super::WRONG, super::UNKNOWN],
    examples: &[("Test a policy before it is used:", "nono profiles test policies/agent.test.json")],
    ..beneath("test", "FILE...", &[FILE], test)
};

static STRICT: Flag = Flag::switch("strict", "A path that does not exist is a problem");
static FORCE: Flag = Flag::switch("force", "Replace a profile that is there already");
static EXTENDS: Flag = Flag::with("extends", "NAME", Kind::Profile, "The profile that the new one extends");

const PROFILE: Value = Value { name: "NAME|FILE", kind: Kind::Profile };
const FILE: Value = Value { name: "FILE", kind: Kind::Path };
const ANSWER: &[&FlagGroup] = &[&flags::ANSWER];
const EXITS: &[Entry] = &[("0", "it was printed"), super::WRONG, super::UNKNOWN];

type Build = fn(Words) -> Result<Command, UsageError>;

/// A verb beneath `profiles`, which the rows above fill in.
const fn beneath(name: &'static str, usage: &'static str, operands: &'static [Value], build: Build) -> Verb {
    Verb {
        name,
        aliases: &[],
        summary: "",
        about: &[],
        usage,
        operands,
        groups: ANSWER,
        verbs: &[],
        exits: EXITS,
        environment: &[],
        examples: &[],
        build,
    }
}

fn list(mut words: Words) -> Result<Command, UsageError> {
    words.nothing_more("takes no names")?;
    Ok(Command::Profiles(Profiles::List { json: words.switch(&flags::JSON) }))
}

fn show(mut words: Words) -> Result<Command, UsageError> {
    let [name] = words.exactly("needs one NAME or FILE")?;
    Ok(Command::Profiles(Profiles::Show { name, json: words.switch(&flags::JSON) }))
}

fn validate(mut words: Words) -> Result<Command, UsageError> {
    let (strict, json) = (words.switch(&STRICT), words.switch(&flags::JSON));
    Ok(Command::Profiles(Profiles::Validate { files: words.some("needs a FILE")?, strict, json }))
}

fn diff(mut words: Words) -> Result<Command, UsageError> {
    let [left, right] = words.exactly("needs two profiles")?;
    Ok(Command::Profiles(Profiles::Diff { left, right, json: words.switch(&flags::JSON) }))
}

fn init(mut words: Words) -> Result<Command, UsageError> {
    let [name] = words.exactly("needs one NAME")?;
    let name = words.text("NAME", &name)?;
    let (force, extends) = (words.switch(&FORCE), words.one_text(&EXTENDS)?);
    Ok(Command::Profiles(Profiles::Init { name, force, extends }))
}

fn test(mut words: Words) -> Result<Command, UsageError> {
    let json = words.switch(&flags::JSON);
    Ok(Command::Profiles(Profiles::Test { files: words.some("needs a FILE")?, json }))
}
