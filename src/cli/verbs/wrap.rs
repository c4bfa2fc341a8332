//! The row of `nono wrap`.

use crate::cli::parse::Words;
use crate::cli::table::Verb;
use crate::cli::usage::UsageError;
use crate::cli::{Command, Wrap, flags};

use super::run;

pub(crate) static WRAP: Verb = Verb {
    name: "wrap",
    aliases: &[],
    summary: "become a program in a sandbox, with no parent left",
    about: &[
        "Puts the sandbox around this very process and then executes CMD in its place: there is no parent that waits, \
         passes signals on, or ends what CMD leaves running.",
        "What cannot be enforced without a parent is an error, never left out.",
        run::POLICY,
        run::REFUSAL,
        run::COMMAND,
    ],
    usage: "[--] CMD [ARG...]",
    operands: run::OPERANDS,
    groups: &[&flags::POLICY, &flags::OUTPUT],
    verbs: &[],
    exits: run::EXITS,
    environment: &[super::NONO_PROFILE],
    examples: &[(
        "Start a service under its own process id:",
        "nono wrap -s -p ./service.json -- ./service --port 8080",
    )],
    build,
};

fn build(mut words: Words) -> Result<Command, UsageError> {
    let (silent, verbose) = flags::loudness(&words)?;
    let sandbox = flags::sandbox(&words)?;
    Ok(Command::Wrap(Wrap { sandbox, silent, verbose, command: run::program(&mut words)? }))
}
