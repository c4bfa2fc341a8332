//! The shape of the table: verbs, their flags and what each is called.
//!
//! A row is written once, in `verbs/` or `flags.rs`. Parsing, help, the man page and the completions all read it.

use super::parse::Words;
use super::{Command, UsageError};

/// What a value is, which is what a shell completes it with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A program to run, followed by its own words.
    Command,
    Directory,
    Path,
    /// A profile's name or file.
    Profile,
    /// Anything else.
    Text,
    /// The name of a verb.
    Verb,
    /// One of these words.
    Words(&'static [&'static str]),
}

/// A value of a flag, or an operand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value {
    /// As help shows it, such as `PATH`.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// A flag.
#[derive(Debug)]
pub(crate) struct Flag {
    /// Without the dashes.
    pub(crate) long: &'static str,
    pub(crate) short: Option<char>,
    /// `None` for a switch.
    pub(crate) value: Option<Value>,
    /// Whether each further value counts too.
    pub(crate) many: bool,
    /// At most 48 characters, without a full stop.
    pub(crate) help: &'static str,
    /// Sentences that the long help adds; may be empty.
    pub(crate) about: &'static str,
    /// Other long names that are accepted, without the dashes.
    pub(crate) aliases: &'static [&'static str],
}

/// Flags that belong together, under a heading.
#[derive(Debug)]
pub(crate) struct FlagGroup {
    pub(crate) title: &'static str,
    pub(crate) flags: &'static [&'static Flag],
}

/// A name and what it stands for: an exit status, a variable, or an example with what it does.
pub(crate) type Entry = (&'static str, &'static str);

/// A verb, or `nono` itself.
#[derive(Debug)]
pub(crate) struct Verb {
    pub(crate) name: &'static str,
    /// Other words that are accepted in its place, each a sequence such as `setup --check-only`.
    pub(crate) aliases: &'static [&'static [&'static str]],
    /// A line without a full stop.
    pub(crate) summary: &'static str,
    /// Paragraphs of the long help.
    pub(crate) about: &'static [&'static str],
    /// What follows the flags in the usage line.
    pub(crate) usage: &'static str,
    /// The operands in their order; the last one also stands for any that follow.
    pub(crate) operands: &'static [Value],
    pub(crate) groups: &'static [&'static FlagGroup],
    /// With verbs of its own, the first operand is one of them.
    pub(crate) verbs: &'static [&'static Self],
    pub(crate) exits: &'static [Entry],
    pub(crate) environment: &'static [Entry],
    pub(crate) examples: &'static [Entry],
    /// Turns the words that were given into a command.
    pub(crate) build: fn(Words) -> Result<Command, UsageError>,
}

impl Flag {
    /// A switch without a short name; the rows of the table start from it.
    pub(crate) const fn switch(long: &'static str, help: &'static str) -> Self {
        Self { long, short: None, value: None, many: false, help, about: "", aliases: &[] }
    }

    /// A flag with a value that is given at most once; the rows of the table start from it.
    pub(crate) const fn with(long: &'static str, name: &'static str, kind: Kind, help: &'static str) -> Self {
        let value = Some(Value { name, kind });
        Self { long, short: None, value, many: false, help, about: "", aliases: &[] }
    }

    /// Every long name that is accepted.
    pub(crate) fn longs(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.long).chain(self.aliases.iter().copied())
    }

    /// The names and the value, such as `-a, --allow PATH`; without a short name its columns stay empty.
    pub(crate) fn spelling(&self) -> String {
        let short = self.short.map_or_else(|| "    ".to_owned(), |short| format!("-{short}, "));
        let value = self.value.map_or_else(String::new, |value| format!(" {}", value.name));
        format!("{short}--{}{value}", self.long)
    }
}

impl Verb {
    /// Every flag, in the order of the table.
    pub(crate) fn flags(&self) -> impl Iterator<Item = &'static Flag> {
        self.groups.iter().flat_map(|group| group.flags.iter().copied())
    }

    /// Whether the first operand begins a command, whose words are not nono's.
    pub(crate) fn runs_a_command(&self) -> bool {
        self.operands.first().is_some_and(|operand| operand.kind == Kind::Command)
    }

    /// The usage line of the verb at `path`, such as `nono run [FLAGS] [--] CMD [ARG...]`.
    pub(crate) fn usage_line(&self, path: &str) -> String {
        let separator = if self.usage.is_empty() { "" } else { " " };
        format!("{path} [FLAGS]{separator}{}", self.usage)
    }
}
