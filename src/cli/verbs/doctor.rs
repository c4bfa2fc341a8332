//! The row of `nono doctor`.

use crate::cli::parse::Words;
use crate::cli::table::Verb;
use crate::cli::usage::UsageError;
use crate::cli::{Command, Doctor, flags};

pub(crate) static DOCTOR: Verb = Verb {
    name: "doctor",
    aliases: &[&["setup", "--check-only"]],
    summary: "print what this host can enforce",
    about: &[
        "Prints each thing that the kernel can enforce, line by line, whether this host has it, and what is lost where it \
         is missing. Nothing is changed and nothing needs setting up.",
    ],
    usage: "",
    operands: &[],
    groups: &[&flags::ANSWER],
    verbs: &[],
    exits: &[
        ("0", "this host has everything that every run needs"),
        ("1", "something that every run needs is missing"),
        super::WRONG,
    ],
    environment: &[],
    examples: &[("See what this host can enforce:", "nono doctor")],
    build,
};

fn build(mut words: Words) -> Result<Command, UsageError> {
    words.nothing_more("takes no words")?;
    Ok(Command::Doctor(Doctor { json: words.switch(&flags::JSON) }))
}
