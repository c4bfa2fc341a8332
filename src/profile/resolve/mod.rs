//! Profiles and groups that build on others become one.
//!
//! Each profile and each group is followed once, what it builds on first. Lists are unions in that order, so a `deny` is
//! never lost. A value that only one can hold is the last one's: the extending profile's, and among several under `extends`
//! the later one's.

mod merge;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use self::merge::{add, without_repetitions};
use super::read::json::Text;
use super::read::json::apart::Apart;
use super::read::problem::{FileFault, Problem, ProblemKind};
use super::read::{self, MOST_PROBLEMS, nearest, read_group, read_profile};
use super::variables::Variables;
use super::{Approver, Given, JsonPath, Profile, Provenance, builtin};

/// How many profiles, or groups, may build on each other in one line.
const LONGEST_CHAIN: usize = 32;

/// A policy's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What its problems and values are said to come from: a file's path, or `built-in group git`.
    pub place: Arc<str>,
    pub text: Cow<'static, [u8]>,
    /// Comes with nono. There, an entry with an unset `$TMPDIR` or `$XDG_RUNTIME_DIR` is left out instead of being an error:
    /// the same text serves hosts with and without a session.
    pub built_in: Option<&'static Apart>,
}

impl Source {
    /// The text, to be parsed where that was not done before.
    fn read(&self) -> Result<Text<'_>, Problem> {
        match self.built_in {
            Some(apart) => Ok(Text::taken_apart(Arc::clone(&self.place), apart)),
            None => Text::new(Arc::clone(&self.place), &self.text),
        }
    }
}

/// Where policies are found by name. What it does not have is looked for among the built-in ones.
pub trait Library {
    /// The group of that name; an error says why it cannot be read.
    fn group(&self, name: &str) -> Option<Result<Source, String>>;
    /// The names of all groups.
    fn group_names(&self) -> Vec<String>;
    /// The profile of that name; an error says why it cannot be read.
    fn profile(&self, name: &str) -> Option<Result<Source, String>>;
    /// The names of all profiles.
    fn profile_names(&self) -> Vec<String>;
}

/// Reads a profile and everything it builds on.
///
/// # Errors
/// Every problem of all the files, in the order they were read.
pub fn resolve(source: &Source, library: &dyn Library, variables: &Variables) -> Result<Profile, Vec<Problem>> {
    let mut resolver = Resolver::new(library, variables);
    resolver.profile_text(source, true);
    resolver.finish()
}

/// Finds a profile by its name and reads it as [`resolve`] does.
///
/// # Errors
/// As [`resolve`]; also a name that nobody has.
pub fn resolve_name(name: &str, library: &dyn Library, variables: &Variables) -> Result<Profile, Vec<Problem>> {
    let mut resolver = Resolver::new(library, variables);
    let asker = Provenance { place: Arc::from("profile"), line: 0, column: 0, json_path: JsonPath::default() };
    if is_name(name) {
        resolver.profile_name(&Given { value: name.to_owned(), from: asker }, true);
    } else {
        resolver.problem(&asker, ProblemKind::BadName { written: name.to_owned() });
    }
    resolver.finish()
}

/// Reads a group, which is called `name`, and everything it includes. The values that only a profile has stay empty.
///
/// # Errors
/// Every problem of all the files, in the order they were read.
pub fn resolve_group(
    source: &Source,
    name: &str,
    library: &dyn Library,
    variables: &Variables,
) -> Result<Profile, Vec<Problem>> {
    let mut resolver = Resolver::new(library, variables);
    resolver.groups.open.push(name.to_owned());
    resolver.group_text(source, name, true);
    resolver.finish()
}

/// Whether a text can name a profile or a group: then it is also a safe file name.
pub fn is_name(text: &str) -> bool {
    read::is_name(text)
}

struct Resolver<'a> {
    library: &'a dyn Library,
    variables: &'a Variables,
    whole: Profile,
    problems: Vec<Problem>,
    /// Names that were followed, and names that are being followed.
    profiles: Visits,
    groups: Visits,
}

/// The names of one kind that were met.
struct Visits {
    plural: &'static str,
    done: HashSet<String>,
    open: Vec<String>,
}

impl Visits {
    fn new(plural: &'static str) -> Self {
        Self { plural, done: HashSet::new(), open: Vec::new() }
    }
}

impl<'a> Resolver<'a> {
    fn new(library: &'a dyn Library, variables: &'a Variables) -> Self {
        Self {
            library,
            variables,
            whole: Profile::default(),
            problems: Vec::new(),
            profiles: Visits::new("profiles"),
            groups: Visits::new("groups"),
        }
    }

    fn finish(mut self) -> Result<Profile, Vec<Problem>> {
        self.webhook_is_known();
        self.nobody_listens_for_the_webhook();
        if self.problems.is_empty() {
            without_repetitions(&mut self.whole);
            return Ok(self.whole);
        }
        if self.problems.len() > MOST_PROBLEMS {
            self.problems.truncate(MOST_PROBLEMS);
            if let Some(last) = self.problems.last().cloned() {
                self.problems.push(Problem { json_path: String::new(), kind: ProblemKind::TooMany, ..last });
            }
        }
        Err(self.problems)
    }

    fn problem(&mut self, from: &Provenance, kind: ProblemKind) {
        self.problems.push(Problem {
            place: Arc::clone(&from.place),
            line: from.line,
            column: from.column,
            json_path: from.json_path.to_string(),
            kind,
        });
    }

    /// Follows a name under `extends`, or the one that was asked for.
    fn profile_name(&mut self, name: &Given<String>, asked: bool) {
        if !begin(&mut self.profiles, name, &mut self.problems) {
            return;
        }
        match self.library.profile(&name.value).or_else(|| builtin::profile_source(&name.value).map(Ok)) {
            Some(Ok(source)) => self.profile_text(&source, asked),
            Some(Err(why)) => self.problem(&name.from, ProblemKind::File(FileFault::Unreadable { why })),
            None => self.unknown(name, "profile", &self.library.profile_names(), builtin::profile_names()),
        }
        self.profiles.open.pop();
        if !asked {
            self.whole.extends.push(Arc::from(name.value.as_str()));
        }
    }

    /// Follows a name under `groups` or `includes`.
    fn group_name(&mut self, name: &Given<String>) {
        if !begin(&mut self.groups, name, &mut self.problems) {
            return;
        }
        match self.library.group(&name.value).or_else(|| builtin::group_source(&name.value).map(Ok)) {
            Some(Ok(source)) => self.group_text(&source, &name.value, false),
            Some(Err(why)) => self.problem(&name.from, ProblemKind::File(FileFault::Unreadable { why })),
            None => self.unknown(name, "group", &self.library.group_names(), builtin::group_names()),
        }
        self.groups.open.pop();
        self.whole.groups.push(Arc::from(name.value.as_str()));
    }

    fn unknown(
        &mut self,
        name: &Given<String>,
        what: &'static str,
        theirs: &[String],
        ours: impl Iterator<Item = &'static str>,
    ) {
        let nearest = nearest(&name.value, theirs.iter().map(String::as_str).chain(ours.map(|name| -> &str { name })))
            .map(str::to_owned);
        self.problem(&name.from, ProblemKind::UnknownName { what, name: name.value.clone(), nearest });
    }

    /// Reads a profile: what it extends, its groups, then itself. Only the one that was `asked` for gives its name.
    fn profile_text(&mut self, source: &Source, asked: bool) {
        let text = match source.read() {
            Ok(text) => text,
            Err(problem) => return self.problems.push(problem),
        };
        let layer = read_profile(&text, self.variables, source.built_in.is_some(), &mut self.problems);
        for name in &layer.extends {
            self.profile_name(name, false);
        }
        for name in &layer.groups {
            self.group_name(name);
        }
        if asked {
            take_identity(&mut self.whole, &layer.own);
        }
        add(&mut self.whole, layer.own);
    }

    /// Reads a group: what it includes, then itself.
    fn group_text(&mut self, source: &Source, name: &str, asked: bool) {
        let text = match source.read() {
            Ok(text) => text,
            Err(problem) => return self.problems.push(problem),
        };
        let layer = read_group(&text, self.variables, source.built_in.is_some(), Arc::from(name), &mut self.problems);
        for included in &layer.groups {
            self.group_name(included);
        }
        if asked {
            take_identity(&mut self.whole, &layer.own);
        }
        add(&mut self.whole, layer.own);
    }

    /// Where the webhook is asked the program must not listen, whichever files name the two.
    fn nobody_listens_for_the_webhook(&mut self) {
        let listens = self.whole.network.iter().flat_map(|network| &network.listen);
        let replaced = listens.filter_map(|given| {
            let (_, kind) = self.whole.webhook_reached_by(&given.value)?;
            Some((given.from.clone(), kind))
        });
        for (from, kind) in replaced.collect::<Vec<_>>() {
            self.problem(&from, kind);
        }
    }

    /// An approval by webhook needs an address, from whichever file.
    fn webhook_is_known(&mut self) {
        let supervisor = &self.whole.supervisor;
        let is_wrong = self.problems.iter().any(|problem| problem.json_path == "supervisor.webhook");
        if supervisor.webhook.is_some() || is_wrong {
            return;
        }
        let asked = supervisor.approval.iter().find(|given| given.value == Approver::Webhook);
        if let Some(from) = asked.map(|given| given.from.clone()) {
            self.problem(&from, ProblemKind::WebhookMissing);
        }
    }
}

/// What a policy is called does not pass to those that build on it.
fn take_identity(whole: &mut Profile, own: &Profile) {
    whole.name.clone_from(&own.name);
    whole.version.clone_from(&own.version);
    whole.description.clone_from(&own.description);
}

/// Whether a name is to be followed: not a second time, not in a circle, not too far.
fn begin(visits: &mut Visits, name: &Given<String>, problems: &mut Vec<Problem>) -> bool {
    let fault = if let Some(start) = visits.open.iter().position(|open| *open == name.value) {
        let circle = visits.open.iter().skip(start).chain([&name.value]).cloned().collect();
        ProblemKind::Cycle { what: visits.plural, names: circle }
    } else if visits.done.contains(&name.value) {
        return false;
    } else if visits.open.len() >= LONGEST_CHAIN {
        ProblemKind::LongChain
    } else {
        visits.done.insert(name.value.clone());
        visits.open.push(name.value.clone());
        return true;
    };
    problems.push(Problem {
        place: Arc::clone(&name.from.place),
        line: name.from.line,
        column: name.from.column,
        json_path: name.from.json_path.to_string(),
        kind: fault,
    });
    false
}

#[cfg(test)]
mod tests;
