//! The row of `nono shell`.

use crate::cli::parse::Words;
use crate::cli::table::Verb;
use crate::cli::usage::UsageError;
use crate::cli::{Command, Shell, flags};

use super::run;

pub(crate) static SHELL: Verb = Verb {
    name: "shell",
    aliases: &[],
    summary: "run your shell in a sandbox",
    about: &["Does what `nono run` does, around the program that SHELL names.", run::POLICY, run::REFUSAL],
    usage: "",
    operands: &[],
    groups: &[&flags::POLICY, &flags::RECORD, &flags::ACCOUNTED],
    verbs: &[],
    exits: run::EXITS,
    environment: &[super::NONO_PROFILE, ("SHELL", "the program to run; /bin/sh when unset")],
    examples: &[("Look around with the eyes of a profile:", "nono shell -p node-dev")],
    build,
};

fn build(mut words: Words) -> Result<Command, UsageError> {
    words.nothing_more("runs $SHELL, and `nono run` runs a program")?;
    let (silent, verbose) = flags::loudness(&words)?;
    let (sandbox, audit) = (flags::sandbox(&words)?, flags::recorded(&words)?);
    let json = words.one(&flags::ACCOUNT);
    Ok(Command::Shell(Shell { sandbox, audit, silent, verbose, json }))
}
