//! `nono profiles validate`: everything that is wrong with policies.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::profile::abs_path::AbsPath;
use crate::profile::escape::escaped;
use crate::profile::read::expectations::read_expectations;
use crate::profile::read::problem::{FileFault, Problem, ProblemKind};
use crate::profile::resolve::resolve_group;
use crate::profile::variables::Variables;
use crate::profile::{FilePattern, FileRuleKind, Given, Profile, Provenance};
use crate::verbs::{NO, REFUSED, YES, gather, print};

/// Checks each file. A policy test (`NAME.test.json`) is checked as one, and a file in a directory called `groups` as a group.
/// Answers 0 when all are valid, 1 when one is not, and 125 when one cannot be read.
pub(super) fn validate(files: &[OsString], strict: bool, as_json: bool) -> u8 {
    let variables = match super::variables() {
        Ok(variables) => variables,
        Err(sentence) => {
            print::say(&sentence);
            return REFUSED;
        }
    };
    let checked: Vec<Checked> = files.iter().map(|file| checked(file, strict, &variables)).collect();
    let printed = match as_json {
        true => print::json(&checked.iter().map(as_value).collect()),
        false => print::document(&checked.iter().map(as_text).collect::<String>()),
    };
    if !as_json {
        for checked in &checked {
            super::say_all(&checked.problems);
            checked.missing.iter().for_each(|missing| print::say(&missing.to_string()));
        }
    }
    let worst = checked.iter().map(|checked| checked.status).max().unwrap_or(YES);
    if printed == YES { worst } else { REFUSED }
}

/// What came of one file.
struct Checked {
    /// Safe to print.
    file: String,
    status: u8,
    problems: Vec<Problem>,
    missing: Vec<Missing>,
}

/// A path that a policy names and this host does not have.
struct Missing {
    path: AbsPath,
    /// What that means.
    so: &'static str,
    from: Provenance,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (place, json_path) = (&self.from, &self.from.json_path);
        write!(
            out,
            "{place}: {json_path}: {} does not exist, so {}; create it, or remove the entry",
            self.path, self.so
        )
    }
}

fn checked(file: &OsStr, strict: bool, variables: &Variables) -> Checked {
    let (problems, missing) = match resolved(file, variables) {
        Ok(profile) => {
            let profile = profile.unwrap_or_default();
            (exposed(&profile).into_iter().collect(), missing(&profile))
        }
        Err(problems) => (problems, Vec::new()),
    };
    let place = file.to_string_lossy();
    let cannot_be_read = |problem: &Problem| {
        *problem.place == *place && matches!(problem.kind, ProblemKind::File(FileFault::Unreadable { .. }))
    };
    let status = match () {
        () if problems.iter().any(cannot_be_read) => REFUSED,
        () if !problems.is_empty() || (strict && !missing.is_empty()) => NO,
        () => YES,
    };
    Checked { file: escaped(file.as_bytes(), 4096), status, problems, missing }
}

/// The policy in a file; a file of tests holds none.
fn resolved(file: &OsStr, variables: &Variables) -> Result<Option<Profile>, Vec<Problem>> {
    let place: Arc<str> = Arc::from(file.to_string_lossy());
    let path = Path::new(file);
    let unreadable = |why: String| vec![Problem::of_file(&place, FileFault::Unreadable { why })];
    if file.as_bytes().ends_with(b".test.json") {
        let text = gather::read(path).map_err(|error| unreadable(error.to_string()))?;
        return read_expectations(&place, &text, variables).map(|_| None);
    }
    let is_group = path.parent().and_then(Path::file_name) == Some(OsStr::new("groups"));
    if !is_group {
        return gather::resolve(file, variables).map(Some);
    }
    let shelves = gather::shelves(variables).map_err(unreadable)?;
    let source = gather::source(path).map_err(unreadable)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    resolve_group(&source, &name, &shelves, variables).map(Some)
}

/// The paths that are not there. A group names paths for every kind of host, so one that is missing is no news.
fn missing(profile: &Profile) -> Vec<Missing> {
    let rules = profile.files.iter().filter(|rule| rule.kind != FileRuleKind::Deny && rule.group.is_none());
    let files = rules.filter_map(|rule| match &rule.pattern {
        FilePattern::Path(path) => Some((path, &rule.from)),
        FilePattern::Glob { .. } => None,
    });
    let sockets = profile.unix_sockets.iter().map(|given| (&given.value, &given.from));
    let granted = files.chain(sockets).map(|(path, from)| (path, from, "nothing is granted"));
    let secret = profile.supervisor.webhook_secret.as_ref();
    let secret = secret.map(|given| (&given.value, &given.from, "nobody can be asked"));
    let is_missing = |path: &AbsPath| {
        let found = fs::metadata(OsStr::from_bytes(path.as_bytes()));
        found.is_err_and(|error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory))
    };
    let missing = granted.chain(secret).filter(|(path, ..)| is_missing(path));
    missing.map(|(path, from, so)| Missing { path: path.clone(), so, from: from.clone() }).collect()
}

/// The webhook's secret, where others know it.
fn exposed(profile: &Profile) -> Option<Problem> {
    let Given { value, from } = profile.supervisor.webhook_secret.as_ref()?;
    let path = Path::new(OsStr::from_bytes(value.as_bytes()));
    let facts = fs::metadata(path).ok()?;
    let why = gather::secret_fault(path, facts.uid(), facts.mode())?;
    let kind = ProblemKind::Exposed { why };
    let json_path = from.json_path.to_string();
    Some(Problem { place: Arc::clone(&from.place), line: from.line, column: from.column, json_path, kind })
}

fn as_text(checked: &Checked) -> String {
    let word = match (checked.status, checked.problems.len().saturating_add(checked.missing.len())) {
        (YES, 0) => "valid".to_owned(),
        (YES, 1) => "valid, with 1 warning".to_owned(),
        (YES, count) => format!("valid, with {count} warnings"),
        (NO, 1) => "1 problem".to_owned(),
        (NO, count) => format!("{count} problems"),
        _ => "cannot be read".to_owned(),
    };
    format!("{}: {word}\n", checked.file)
}

fn as_value(checked: &Checked) -> Value {
    let problem = |problem: &Problem| {
        json!({
            "place": &*problem.place,
            "line": problem.line,
            "column": problem.column,
            "json_path": problem.json_path,
            "message": problem.kind.to_string(),
        })
    };
    let missing = |missing: &Missing| {
        let from = &missing.from;
        let (line, column) = (from.line, from.column);
        json!({
            "place": &*from.place, "line": line, "column": column, "json_path": from.json_path.to_string(),
            "missing": missing.path.to_string(),
        })
    };
    json!({
        "file": checked.file,
        "valid": checked.status == YES,
        "problems": checked.problems.iter().map(problem).collect::<Value>(),
        "missing": checked.missing.iter().map(missing).collect::<Value>(),
    })
}
