//! Every way a policy can be wrong, as sentences.

use std::fmt;
use std::sync::Arc;

use super::nearest::nearest;
use crate::profile::escape::escaped;
use crate::profile::glob::GlobError;
use crate::profile::host::HostError;
use crate::profile::variables;

/// How much of a stranger's text a sentence shows, in characters.
const SHOWN: usize = 80;

/// Something wrong with a policy, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A file's path, or a name such as `built-in group git`.
    pub place: Arc<str>,
    /// From one; zero when the problem is about the whole.
    pub line: u32,
    pub column: u32,
    /// Such as `sandbox.allow[2]`; empty for the whole file.
    pub json_path: String,
    pub kind: ProblemKind,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// One of a few words was expected.
    BadChoice {
        written: String,
        choices: &'static [&'static str],
    },
    BadGlob {
        written: String,
        why: GlobError,
    },
    BadHost {
        written: String,
        why: HostError,
    },
    /// A profile's or group's name.
    BadName {
        written: String,
    },
    BadPath {
        written: String,
        why: PathFault,
    },
    BadSize {
        written: String,
    },
    /// A short text, such as a variable's name, that cannot be what it stands for.
    BadText {
        written: String,
        why: &'static str,
    },
    /// The names from the first to the one that closes the circle.
    Cycle {
        what: &'static str,
        names: Vec<String>,
    },
    DuplicateKey {
        key: String,
        first_line: u32,
    },
    /// A file with a secret that others know, in words.
    Exposed {
        why: String,
    },
    FailOpen,
    File(FileFault),
    /// Too many profiles or groups build on each other.
    LongChain,
    MissingKey {
        key: &'static str,
    },
    /// An object needs exactly one of these keys.
    NotOneOf {
        keys: &'static [&'static str],
    },
    NumberOutOfRange {
        least: u64,
        most: u64,
    },
    /// More problems were found than are kept.
    TooMany,
    UnknownKey {
        key: String,
        known: &'static [&'static str],
    },
    /// A profile or group that nobody has.
    UnknownName {
        what: &'static str,
        name: String,
        nearest: Option<String>,
    },
    UnknownVariable {
        name: String,
    },
    UnsetVariable {
        name: &'static str,
    },
    WebhookMissing,
    /// The program could listen where the policy's webhook is asked.
    WebhookReplaced {
        listen: String,
        webhook: String,
    },
    WrongType {
        expected: &'static str,
        found: &'static str,
    },
}

/// What is wrong with a file before anything in it was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileFault {
    ByteOrderMark,
    NotUtf8 { offset: usize },
    Syntax { why: String },
    TooDeep,
    TooLarge,
    Unreadable { why: String },
}

/// Why a path was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathFault {
    DotDot,
    Empty,
    Glob,
    Nul,
    OtherHome,
    Relative,
    TooLong,
    VariableInside,
}

impl Problem {
    /// A problem with a whole file.
    pub fn of_file(place: &Arc<str>, fault: FileFault) -> Self {
        Self { place: Arc::clone(place), line: 0, column: 0, json_path: String::new(), kind: ProblemKind::File(fault) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&escaped(self.place.as_bytes(), 4096))?;
        if self.line > 0 {
            write!(out, ":{}:{}", self.line, self.column)?;
        }
        if !self.json_path.is_empty() {
            write!(out, ": {}", self.json_path)?;
        }
        write!(out, ": {}", self.kind)
    }
}

impl std::error::Error for Problem {}

impl fmt::Display for ProblemKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadChoice { written, choices } => choice(out, written, choices),
            Self::BadGlob { written, why } => write!(out, "{} is no pattern: {why}", Quoted(written)),
            Self::BadHost { written, why } => write!(out, "{} cannot be used: {why}", Quoted(written)),
            Self::BadName { written } => {
                let rule = "use 1 to 64 letters, digits, `.`, `_` and `-`, beginning with a letter or digit";
                write!(out, "{} is no name; {rule}", Quoted(written))
            }
            Self::BadPath { written, why } => write!(out, "{} cannot be used as a path: {why}", Quoted(written)),
            Self::BadSize { written } => {
                write!(out, "{} is no size; write a number of bytes, or a text such as \"4GiB\"", Quoted(written))
            }
            Self::BadText { written, why } => write!(out, "{} cannot be used: {why}", Quoted(written)),
            Self::Cycle { what, names } => {
                let names: Vec<String> = names.iter().map(|name| escaped(name.as_bytes(), SHOWN)).collect();
                write!(out, "{what} build on each other in a circle ({}); remove a reference", names.join(" → "))
            }
            Self::DuplicateKey { key, first_line } => {
                write!(out, "the key {} was given before, in line {first_line}; join the two", Quoted(key))
            }
            Self::Exposed { why } => out.write_str(why),
            Self::FailOpen => out.write_str(
                "\"allow\" grants what nobody answered for; write \"deny\", or \"i_accept_fail_open\": true beside it",
            ),
            Self::File(fault) => write!(out, "{fault}"),
            Self::LongChain => out.write_str("more than 32 profiles or groups build on each other; flatten them"),
            Self::MissingKey { key } => write!(out, "the key \"{key}\" is missing; add it"),
            Self::NotOneOf { keys } => write!(out, "give exactly one of the keys {}", keys.join(", ")),
            Self::NumberOutOfRange { least, most } => write!(out, "write a whole number from {least} to {most}"),
            Self::TooMany => out.write_str("there are more problems than these; correct them and try again"),
            Self::UnknownKey { key, known } => unknown_key(out, key, known),
            Self::UnknownName { what, name, nearest } => unknown_name(out, what, name, nearest.as_deref()),
            Self::UnknownVariable { name } => {
                write!(out, "unknown variable {}; a path may use {}", Quoted(name), variables::KNOWN.join(" "))
            }
            Self::UnsetVariable { name } => {
                write!(out, "the variable {name} is not set to an absolute path; set it, or write the path out")
            }
            Self::WebhookMissing => out
                .write_str("the approval \"webhook\" needs \"webhook\": \"https://…\"; add it, or remove the approval"),
            Self::WebhookReplaced { listen, webhook } => write!(
                out,
                "whoever listens at {listen} is asked in the place of the webhook {}, and so the program could answer its own \
                 questions; choose another port, or a `unix:` socket for the webhook",
                escaped(webhook.as_bytes(), SHOWN)
            ),
            Self::WrongType { expected, found } => write!(out, "this is {found}; write {expected}"),
        }
    }
}

impl fmt::Display for FileFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByteOrderMark => {
                out.write_str("the file begins with a byte order mark; save it as UTF-8 without one")
            }
            Self::NotUtf8 { offset } => write!(out, "byte {offset} is not UTF-8; save the file as UTF-8"),
            Self::Syntax { why } => {
                write!(out, "this is not JSON: {}; correct it here or just before", escaped(why.as_bytes(), 200))
            }
            Self::TooDeep => out.write_str(
                "more than 32 objects and lists stand inside each other here; a policy needs no more than 5",
            ),
            Self::TooLarge => {
                out.write_str("the file is larger than 1 MiB; a policy is a few KiB: is this the right file?")
            }
            Self::Unreadable { why } => write!(out, "it cannot be read: {}", escaped(why.as_bytes(), 400)),
        }
    }
}

impl fmt::Display for PathFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::DotDot => "`..` may lead elsewhere when a directory is a link; write the path without it",
            Self::Empty => "it is empty; write an absolute path",
            Self::Glob => {
                "`*`, `?`, `[` and `{` make a pattern, and only `deny` takes patterns; name the directory above"
            }
            Self::Nul => "a path cannot hold a NUL character; remove it",
            Self::OtherHome => "`~name` is not replaced; write that user's home directory out",
            Self::Relative => "it is relative; begin with `/`, `~/` or a variable such as `$WORKDIR`",
            Self::TooLong => "it is longer than 4096 bytes, which no system call takes; shorten it",
            Self::VariableInside => "a variable that is a path stands at the beginning, with `/` or nothing after it",
        })
    }
}

/// A stranger's text between quotes, on one line.
struct Quoted<'t>(&'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "\"{}\"", escaped(self.0.as_bytes(), SHOWN))
    }
}

fn choice(out: &mut fmt::Formatter<'_>, written: &str, choices: &[&'static str]) -> fmt::Result {
    let quoted: Vec<String> = choices.iter().map(|choice| format!("\"{choice}\"")).collect();
    write!(out, "{} is not known here; write one of {}", Quoted(written), quoted.join(", "))?;
    did_you_mean(out, nearest(written, choices.iter().copied()))
}

fn unknown_key(out: &mut fmt::Formatter<'_>, key: &str, known: &[&'static str]) -> fmt::Result {
    write!(out, "unknown key {}", Quoted(key))?;
    match nearest(key, known.iter().copied()) {
        None => write!(out, "; known here: {}", known.join(", ")),
        found => did_you_mean(out, found),
    }
}

fn unknown_name(out: &mut fmt::Formatter<'_>, what: &str, name: &str, nearest: Option<&str>) -> fmt::Result {
    write!(out, "there is no {what} {}", Quoted(name))?;
    match nearest {
        None => write!(out, "; `nono profiles list` shows what there is"),
        found => did_you_mean(out, found),
    }
}

fn did_you_mean(out: &mut fmt::Formatter<'_>, known: Option<&str>) -> fmt::Result {
    match known {
        Some(known) => write!(out, "; did you mean \"{}\"?", escaped(known.as_bytes(), SHOWN)),
        None => Ok(()),
    }
}
