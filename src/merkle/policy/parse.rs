//! The text of a policy, line by line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{Log, Party, Policy, Witness};
use crate::merkle::decimal;
use crate::merkle::key::{KeyError, Kind, Verifier};

/// The longest policy that is read, in bytes.
const LONGEST: usize = 1_000_000;
/// The name that stands for no quorum.
const NONE: &str = "none";

/// What is wrong with a policy, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// From 1; 0 for the file as a whole.
    pub line: usize,
    pub problem: Problem,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A word too few or too many; how the line is written.
    Form(&'static str),
    /// The key is none.
    Key(KeyError),
    /// The key is of the other kind; `Witness` where a log's was needed.
    Kind(Kind),
    /// The key of a witness is there already.
    KeyTwice,
    /// A group has this member twice.
    MemberTwice(String),
    /// There is no line `quorum`.
    NoQuorum,
    /// It is not UTF-8, or longer than 1,000,000 bytes.
    NotText,
    /// There is a line `quorum` already.
    QuorumTwice,
    /// The name is there already, or is `none`.
    Taken(String),
    /// A group's number of members is `any`, `all` or from 1 to how many there are.
    Threshold(String),
    /// No line before this one defines the name.
    Undefined(String),
    /// No line begins with this word.
    Unknown(String),
}

/// Reads a policy.
pub(super) fn policy(bytes: &[u8]) -> Result<Policy, ParseError> {
    let of_file = |problem| ParseError { line: 0, problem };
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= LONGEST);
    let text = text.ok_or_else(|| of_file(Problem::NotText))?;
    let mut reading = Reading::default();
    for (number, line) in (1..).zip(text.lines()) {
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        reading.line(&words).map_err(|problem| ParseError { line: number, problem })?;
    }
    let quorum = reading.quorum.ok_or_else(|| of_file(Problem::NoQuorum))?;
    Ok(Policy { logs: reading.logs, witnesses: reading.witnesses, parties: reading.parties, quorum })
}

/// What the lines so far have said.
#[derive(Default)]
struct Reading {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    parties: Vec<Party>,
    /// The places of the parties by their names.
    names: BTreeMap<String, usize>,
    /// The keys of the witnesses. With one key under two names, one signature would count twice.
    keys: BTreeSet<[u8; 32]>,
    quorum: Option<Option<usize>>,
}

impl Reading {
    fn line(&mut self, words: &[&str]) -> Result<(), Problem> {
        let Some((first, rest)) = words.split_first() else { return Ok(()) };
        match *first {
            comment if comment.starts_with('#') => Ok(()),
            "log" => self.log(rest),
            "witness" => self.witness(rest),
            "group" => self.group(rest),
            "quorum" => self.quorum(rest),
            other => Err(Problem::Unknown(other.to_owned())),
        }
    }

    fn log(&mut self, words: &[&str]) -> Result<(), Problem> {
        let (key, url) = match words {
            [key] => (key, None),
            [key, url] => (key, Some((*url).to_owned())),
            _ => return Err(Problem::Form("log VKEY [URL]")),
        };
        self.logs.push(Log { key: self::key(key, Kind::Log)?, url });
        Ok(())
    }

    fn witness(&mut self, words: &[&str]) -> Result<(), Problem> {
        let (name, key, url) = match words {
            [name, key] => (name, key, None),
            [name, key, url] => (name, key, Some((*url).to_owned())),
            _ => return Err(Problem::Form("witness NAME VKEY [URL]")),
        };
        let key = self::key(key, Kind::Witness)?;
        if !self.keys.insert(*key.public()) {
            return Err(Problem::KeyTwice);
        }
        self.party(name, Party::Witness(self.witnesses.len()))?;
        self.witnesses.push(Witness { name: (*name).to_owned(), key, url });
        Ok(())
    }

    fn group(&mut self, words: &[&str]) -> Result<(), Problem> {
        let [name, threshold, members @ ..] = words else {
            return Err(Problem::Form("group NAME any|all|NUMBER NAME..."));
        };
        if members.is_empty() {
            return Err(Problem::Form("group NAME any|all|NUMBER NAME..."));
        }
        let mut seen = BTreeSet::new();
        let mut places = Vec::with_capacity(members.len());
        for member in members {
            let place = self.names.get(*member).ok_or_else(|| Problem::Undefined((*member).to_owned()))?;
            if !seen.insert(place) {
                return Err(Problem::MemberTwice((*member).to_owned()));
            }
            places.push(*place);
        }
        let number = match *threshold {
            "any" => Some(1),
            "all" => Some(places.len()),
            number => decimal(number).and_then(|number| usize::try_from(number).ok()),
        };
        let fits = number.filter(|number| (1..=places.len()).contains(number));
        let threshold = fits.ok_or_else(|| Problem::Threshold((*threshold).to_owned()))?;
        self.party(name, Party::Group { threshold, members: places })
    }

    fn quorum(&mut self, words: &[&str]) -> Result<(), Problem> {
        let [name] = words else { return Err(Problem::Form("quorum NAME|none")) };
        if self.quorum.is_some() {
            return Err(Problem::QuorumTwice);
        }
        let place = match *name {
            NONE => None,
            name => Some(*self.names.get(name).ok_or_else(|| Problem::Undefined(name.to_owned()))?),
        };
        self.quorum = Some(place);
        Ok(())
    }

    /// Gives `party` its name.
    fn party(&mut self, name: &str, party: Party) -> Result<(), Problem> {
        if name == NONE || self.names.insert(name.to_owned(), self.parties.len()).is_some() {
            return Err(Problem::Taken(name.to_owned()));
        }
        self.parties.push(party);
        Ok(())
    }
}

/// The key that `text` is, when it is of that kind.
fn key(text: &str, kind: Kind) -> Result<Verifier, Problem> {
    let key = Verifier::parse(text).map_err(Problem::Key)?;
    if key.kind() == kind { Ok(key) } else { Err(Problem::Kind(key.kind())) }
}

impl fmt::Display for ParseError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => self.problem.fmt(out),
            line => write!(out, "line {line}: {}", self.problem),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(form) => write!(out, "the line is not of the form `{form}`"),
            Self::Key(error) => write!(out, "the key cannot be used: {error}"),
            Self::Kind(Kind::Log) => out.write_str("the key is one of a log (type 01), and a witness has type 04"),
            Self::Kind(Kind::Witness) => out.write_str("the key is one of a witness (type 04), and a log has type 01"),
            Self::KeyTwice => out.write_str("another witness has the same key"),
            Self::MemberTwice(name) => write!(out, "the group has the member `{name}` twice"),
            Self::NoQuorum => out.write_str("it has no line `quorum`; write `quorum none` when no witness is needed"),
            Self::NotText => out.write_str("it is not UTF-8, or longer than 1,000,000 bytes"),
            Self::QuorumTwice => out.write_str("a line `quorum` is there already"),
            Self::Taken(name) => write!(out, "the name `{name}` is taken"),
            Self::Threshold(number) => {
                write!(out, "`{number}` is neither `any` nor `all` nor a number from 1 to that of the members")
            }
            Self::Undefined(name) => write!(out, "no line above defines `{name}`"),
            Self::Unknown(word) => write!(out, "`{word}` is none of `log`, `witness`, `group` and `quorum`"),
        }
    }
}
