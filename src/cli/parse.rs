//! Words to the rows of the table they name, and from there to a command.

mod words;

use std::ffi::{OsStr, OsString};

use lexopt::{Arg, Parser};

use super::nearest::nearest;
use super::table::{Flag, Verb};
use super::usage::{UsageError, quoted};
use super::{Command, HelpText, flags, help, verbs};

use self::words::Given;
pub(crate) use self::words::Words;

/// One step of the command line, owned, so that the parser is free again.
enum Token {
    Flag(String),
    Operand(OsString),
}

/// The command that `args`, without the program's own name, ask for.
///
/// # Errors
/// Those of [`super::parse()`].
pub(crate) fn command(args: Vec<OsString>) -> Result<Command, UsageError> {
    level(&verbs::NONO, verbs::NONO.name.to_owned(), args)
}

/// The verb that `words` begin with, among those of `parent`, and how many words its name takes.
pub(crate) fn verb_named(parent: &'static Verb, words: &[OsString]) -> Option<(&'static Verb, usize)> {
    let begins = |name: &[&str]| {
        words.len() >= name.len() && name.iter().zip(words).all(|(part, word)| word.as_os_str() == OsStr::new(part))
    };
    parent.verbs.iter().find_map(|&verb| {
        let alias = || verb.aliases.iter().copied().find(|&alias| begins(alias)).map(<[&str]>::len);
        let length = if begins(&[verb.name]) { Some(1) } else { alias() };
        length.map(|length| (verb, length))
    })
}

/// What to say about `word`, which is no verb of `parent`.
pub(crate) fn unknown_verb(parent: &'static Verb, path: &str, word: &OsStr) -> UsageError {
    let known = parent.verbs.iter().flat_map(|verb| {
        let aliases = verb.aliases.iter().filter_map(|alias| alias.first().copied());
        std::iter::once(verb.name).chain(aliases)
    });
    let hint = match nearest(&word.to_string_lossy(), known) {
        Some("setup") => "; `nono setup --check-only` is `nono doctor`, and nothing else needs setting up".to_owned(),
        Some(close) => format!("; did you mean `{path} {close}`?"),
        None if path == verbs::NONO.name => "; a program is run with `nono run CMD`".to_owned(),
        None => format!("; it has {}", verbs::names(parent)),
    };
    UsageError::new(path, format!("{} is not a verb of `{path}`{hint}", quoted(word)))
}

/// Reads the words of one verb, or goes on to the verb beneath it that they name.
fn level(verb: &'static Verb, path: String, args: Vec<OsString>) -> Result<Command, UsageError> {
    let mut parser = Parser::from_args(args);
    let mut words = Words::new(verb, path);
    while let Some(token) = next(&mut parser, &words.path)? {
        match token {
            Token::Flag(spelt) => {
                if let Some(at_once) = words.take(spelt, &mut parser)? {
                    return Ok(at_once);
                }
            }
            Token::Operand(word) if !verb.verbs.is_empty() => {
                let rest = rest_of(&mut parser);
                return descend(&words, word, rest);
            }
            Token::Operand(word) if verb.runs_a_command() => {
                words.operands.push(word);
                words.operands.extend(rest_of(&mut parser));
            }
            Token::Operand(word) => words.operands.push(word),
        }
    }
    (verb.build)(words)
}

/// Hands the words after `word`, which names a verb of the one at hand, to that verb.
fn descend(words: &Words, word: OsString, rest: Vec<OsString>) -> Result<Command, UsageError> {
    if let Some(given) = words.singles.first() {
        return Err(words.fault(format!("{} is one word too many after `{}`", quoted(word), given.spelt)));
    }
    let mut all = vec![word.clone()];
    all.extend(rest);
    match verb_named(words.verb, &all) {
        Some((verb, length)) => {
            let path = format!("{} {}", words.path, verb.name);
            level(verb, path, all.into_iter().skip(length).collect())
        }
        None => Err(unknown_verb(words.verb, &words.path, &word)),
    }
}

fn next(parser: &mut Parser, path: &str) -> Result<Option<Token>, UsageError> {
    match parser.next() {
        Ok(None) => Ok(None),
        Ok(Some(Arg::Long(name))) => Ok(Some(Token::Flag(format!("--{name}")))),
        Ok(Some(Arg::Short(letter))) => Ok(Some(Token::Flag(format!("-{letter}")))),
        Ok(Some(Arg::Value(word))) => Ok(Some(Token::Operand(word))),
        // A value is asked for as soon as its flag is seen, so what is left over belongs to a switch.
        Err(lexopt::Error::UnexpectedValue { option, value }) => {
            Err(UsageError::new(path, format!("`{option}` takes no value, and {} was given", quoted(value))))
        }
        Err(other) => Err(UsageError::new(path, other.to_string())),
    }
}

/// Every word that is left, none of which is a flag of nono.
fn rest_of(parser: &mut Parser) -> Vec<OsString> {
    parser.try_raw_args().map_or_else(Vec::new, Iterator::collect)
}

impl Words {
    /// Takes in the flag `spelt` and its value; `Some` when the flag is answered before anything else is read.
    fn take(&mut self, spelt: String, parser: &mut Parser) -> Result<Option<Command>, UsageError> {
        let flag = self.flag_named(&spelt)?;
        let value = match flag.value {
            Some(_) => self.value_of(flag, &spelt, parser)?,
            None => OsString::new(),
        };
        if std::ptr::eq(flag, &flags::HELP) {
            let long = spelt.starts_with("--");
            return Ok(Some(Command::Help(HelpText(help::text(self.verb, &self.path, long)))));
        }
        let given = Given { flag, spelt, value };
        if flag.many {
            self.repeated.push(given);
            return Ok(None);
        }
        match self.single(flag) {
            Some(first) if flag.value.is_some() => {
                let (a, b) = (quoted(&first.value), quoted(&given.value));
                let both =
                    format!("`{} {a}` and `{} {b}` are both given, and only one can count", first.spelt, given.spelt);
                Err(self.fault(both))
            }
            Some(_) => Ok(None),
            None => {
                self.singles.push(given);
                Ok(None)
            }
        }
    }

    fn flag_named(&self, spelt: &str) -> Result<&'static Flag, UsageError> {
        let is_meant = |flag: &&'static Flag| match spelt.strip_prefix("--") {
            Some(long) => flag.longs().any(|name| name == long),
            None => flag.short.is_some_and(|short| spelt.chars().nth(1) == Some(short)),
        };
        self.verb.flags().find(is_meant).ok_or_else(|| self.unknown_flag(spelt))
    }

    fn unknown_flag(&self, spelt: &str) -> UsageError {
        let beneath =
            self.verb.verbs.iter().find(|verb| verb.flags().any(|flag| names(flag).any(|name| name == spelt)));
        let known: Vec<String> =
            self.verb.flags().flat_map(|flag| flag.longs().map(|long| format!("--{long}"))).collect();
        let hint = if let Some(verb) = beneath {
            format!("; it belongs after the verb, as in `{} {} {spelt}`", self.path, verb.name)
        } else if let Some(close) = nearest(spelt, known.iter().map(String::as_str)).filter(|_| spelt.starts_with("--"))
        {
            format!("; did you mean `{close}`?")
        } else {
            String::new()
        };
        self.fault(format!("{} is not a flag of `{}`{hint}", quoted(spelt), self.path))
    }

    /// The value of `flag`: attached to it, or the next word. A next word that looks like a flag is not taken for it, so
    /// that a forgotten value cannot swallow one.
    fn value_of(&self, flag: &'static Flag, spelt: &str, parser: &mut Parser) -> Result<OsString, UsageError> {
        let name = flag.value.map_or("value", |value| value.name);
        let attached = parser.optional_value();
        if let Some(tail) = &attached {
            self.refuse_single_dash(spelt, tail)?;
        }
        let value = match attached {
            Some(value) => value,
            None => {
                let next = parser.try_raw_args().and_then(|mut rest| match rest.peek() {
                    Some(word) if looks_like_a_flag(word) => Some(Err(word.to_owned())),
                    Some(_) => rest.next().map(Ok),
                    None => None,
                });
                match next {
                    Some(Ok(value)) => value,
                    Some(Err(flag_like)) => {
                        let shown = quoted(flag_like);
                        let sentence = format!(
                            "`{spelt}` needs a {name}, and {shown} follows; if that is its value, join them with `=`"
                        );
                        return Err(self.fault(sentence));
                    }
                    None => return Err(self.fault(format!("`{spelt}` needs a {name}, and nothing follows"))),
                }
            }
        };
        if value.is_empty() {
            return Err(self.fault(format!("`{spelt}` needs a {name}, and an empty word was given")));
        }
        Ok(value)
    }

    /// Refuses `-profile`, which would be `-p` with the value `rofile`.
    fn refuse_single_dash(&self, spelt: &str, tail: &OsStr) -> Result<(), UsageError> {
        let whole = format!("{}{}", spelt.trim_start_matches('-'), tail.to_string_lossy());
        let long = self.verb.flags().flat_map(Flag::longs).find(|&long| long == whole && !spelt.starts_with("--"));
        long.map_or(Ok(()), |long| Err(self.fault(format!("`-{long}` has one dash; did you mean `--{long}`?"))))
    }
}

/// Every name of `flag`, with its dashes.
fn names(flag: &'static Flag) -> impl Iterator<Item = String> {
    flag.longs().map(|long| format!("--{long}")).chain(flag.short.map(|short| format!("-{short}")))
}

fn looks_like_a_flag(word: &OsStr) -> bool {
    let bytes = word.as_encoded_bytes();
    bytes.len() > 1 && bytes.starts_with(b"-")
}
