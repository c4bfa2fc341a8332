//! The row of `nono run`, and what it shares with `shell` and `wrap`.

use std::ffi::OsString;

use crate::cli::parse::Words;
use crate::cli::table::{Entry, Kind, Value, Verb};
use crate::cli::usage::UsageError;
use crate::cli::{Command, Run, flags};

pub(crate) static RUN: Verb = Verb {
    name: "run",
    aliases: &[],
    summary: "run a program in a sandbox and wait for it",
    about: &[
        "Starts CMD in a sandbox that the kernel enforces, waits for it, and ends with its exit status. Whatever CMD \
         leaves running when it ends is ended too.",
        POLICY,
        "Before CMD starts, what it may use is printed to standard error; -s leaves that out, and -v prints every grant \
         with the place that gave it. Standard output belongs to CMD alone; --json writes the account of the run to a file.",
        REFUSAL,
        COMMAND,
    ],
    usage: "[--] CMD [ARG...]",
    operands: OPERANDS,
    groups: &[&flags::POLICY, &flags::RECORD, &flags::ACCOUNTED],
    verbs: &[],
    exits: EXITS,
    environment: &[super::NONO_PROFILE],
    examples: &[
        ("Run a program with nothing but the system's programs and libraries:", "nono run ls /usr"),
        ("Let it change the current directory and read one more:", "nono run --allow-cwd -r ~/data -- make"),
        ("Start from a profile, and pass two variables:", "nono run -p python-dev --env CI=1 --env LANG -- pytest -x"),
    ],
    build,
};

/// How the policy comes about.
pub(crate) const POLICY: &str = "The policy is a profile: -p names it, else NONO_PROFILE does, else it is the built-in \
    `default`, which gives the system's own programs and libraries, nothing of yours, and no network. The flags below \
    only add to the profile or narrow it; a deny beats every allow.";

/// What happens when the policy cannot be kept.
pub(crate) const REFUSAL: &str = "What the policy needs and this host cannot enforce is an error that names it, and \
    nothing is started; --degraded is the one way around a kernel that lacks something.";

/// Where the flags end.
pub(crate) const COMMAND: &str = "The first word that is no flag is CMD, and everything after it is CMD's own. `--` \
    before it is only needed when CMD begins with a dash.";

pub(crate) const OPERANDS: &[Value] =
    &[Value { name: "CMD", kind: Kind::Command }, Value { name: "ARG", kind: Kind::Path }];

/// The exit status of a verb that runs a program.
pub(crate) const EXITS: &[Entry] = &[
    ("N", "the program's own exit status"),
    ("128+N", "signal N ended the program"),
    ("125", "nono itself refused or failed, wrong usage included"),
    ("126", "the program was found and could not be executed"),
    ("127", "the program was not found"),
];

/// The program and its arguments.
///
/// # Errors
/// There is none, or its name is the empty word.
pub(crate) fn program(words: &mut Words) -> Result<Vec<OsString>, UsageError> {
    let command = words.operands();
    match command.first() {
        None => Err(words.missing("needs a command")),
        Some(name) if name.is_empty() => Err(words.missing("needs a command, and its first word is empty")),
        Some(_) => Ok(command),
    }
}

fn build(mut words: Words) -> Result<Command, UsageError> {
    let (silent, verbose) = flags::loudness(&words)?;
    let (sandbox, audit) = (flags::sandbox(&words)?, flags::recorded(&words)?);
    let json = words.one(&flags::ACCOUNT);
    Ok(Command::Run(Run { sandbox, audit, silent, verbose, json, command: program(&mut words)? }))
}
