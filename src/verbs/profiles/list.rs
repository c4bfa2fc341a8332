//! `nono profiles list`: what can be named.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::profile::Profile;
use crate::profile::builtin;
use crate::profile::escape::escaped;
use crate::profile::read::problem::{FileFault, Problem};
use crate::profile::resolve::{Library, Source, is_name, resolve, resolve_group};
use crate::profile::variables::Variables;
use crate::verbs::gather::{self, Shelves};
use crate::verbs::{REFUSED, YES, print};

/// Prints every profile and group with its place and what it is for. One that is wrong is listed as such.
pub(super) fn list(as_json: bool) -> u8 {
    let shelves = super::variables().and_then(|variables| Ok((gather::shelves(&variables)?, variables)));
    let (shelves, variables) = match shelves {
        Ok(both) => both,
        Err(sentence) => {
            print::say(&sentence);
            return REFUSED;
        }
    };
    let profiles = rows(shelves.profile_names(), |name| profile(name, &shelves, &variables));
    let groups = rows(shelves.group_names(), |name| group(name, &shelves, &variables));
    let printed = match as_json {
        true => print::json(&json!({ "profiles": as_values(&profiles), "groups": as_values(&groups) })),
        false => print::document(&format!("Profiles\n{}\nGroups\n{}", as_text(&profiles), as_text(&groups))),
    };
    if printed == YES { YES } else { REFUSED }
}

/// A policy that can be named.
struct Row {
    name: String,
    place: String,
    /// Or what is wrong with it, as a sentence.
    description: Result<String, String>,
}

/// What was found under a name, and what came of it.
type Found = Option<(String, Result<Profile, Vec<Problem>>)>;

fn rows(names: Vec<String>, find: impl Fn(&str) -> Found) -> Vec<Row> {
    let mut rows = Vec::new();
    // A file may be called anything; what is no name cannot be asked for.
    for name in names.into_iter().filter(|name| is_name(name)) {
        let Some((place, resolved)) = find(&name) else { continue };
        let description = match resolved {
            Ok(profile) => Ok(profile.description.unwrap_or_default()),
            Err(problems) => Err(match problems.as_slice() {
                [] => "it cannot be used".to_owned(),
                [only] => only.to_string(),
                [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
            }),
        };
        rows.push(Row { name, place, description });
    }
    rows
}

fn profile(name: &str, shelves: &Shelves, variables: &Variables) -> Found {
    match shelves.profile(name) {
        Some(Ok(source)) => Some((shown(&source), resolve(&source, shelves, variables))),
        Some(Err(why)) => Some(unreadable(why)),
        None => {
            let source = builtin::profile_source(name)?;
            Some(("built-in".to_owned(), resolve(&source, shelves, variables)))
        }
    }
}

fn group(name: &str, shelves: &Shelves, variables: &Variables) -> Found {
    match shelves.group(name) {
        Some(Ok(source)) => Some((shown(&source), resolve_group(&source, name, shelves, variables))),
        Some(Err(why)) => Some(unreadable(why)),
        None => {
            let source = builtin::group_source(name)?;
            Some(("built-in".to_owned(), resolve_group(&source, name, shelves, variables)))
        }
    }
}

fn shown(source: &Source) -> String {
    escaped(source.place.as_bytes(), 400)
}

/// The library's sentence names the file.
fn unreadable(why: String) -> (String, Result<Profile, Vec<Problem>>) {
    let place = Arc::from("unreadable");
    ("unreadable".to_owned(), Err(vec![Problem::of_file(&place, FileFault::Unreadable { why })]))
}

fn as_text(rows: &[Row]) -> String {
    let width = |text: fn(&Row) -> &str| rows.iter().map(|row| text(row).chars().count()).max().unwrap_or(0);
    let (names, places) = (width(|row| &row.name), width(|row| &row.place).min(40));
    let lines = rows.iter().map(|Row { name, place, description }| {
        let description = match description {
            Ok(text) => text.clone(),
            Err(problem) => format!("cannot be used: {problem}"),
        };
        format!("  {name:names$}  {place:places$}  {description}").trim_end().to_owned() + "\n"
    });
    lines.collect()
}

fn as_values(rows: &[Row]) -> Value {
    let row = |row: &Row| {
        json!({
            "name": row.name,
            "place": row.place,
            "description": row.description.as_ref().ok(),
            "problem": row.description.as_ref().err(),
        })
    };
    rows.iter().map(row).collect()
}
