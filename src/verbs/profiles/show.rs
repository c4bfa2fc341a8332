//! `nono profiles show`: a policy with everything it builds on.

use std::ffi::OsStr;
use std::sync::Arc;

use serde_json::{Value, json};

use super::entries::{Entry, entries};
use crate::profile::{Profile, Provenance};
use crate::verbs::{REFUSED, YES, print};

/// Where the origins begin, when a value is not longer, in characters.
const WIDTH: usize = 44;

/// Prints the resolved policy. Answers 125 when there is none.
pub(super) fn show(name: &OsStr, as_json: bool) -> u8 {
    let Some(profile) = super::resolved(name) else { return REFUSED };
    let printed = match as_json {
        true => print::document(&document(&profile)),
        false => print::document(&report_as_text(&profile)),
    };
    if printed == YES { YES } else { REFUSED }
}

/// The JSON document, with a line end.
pub(super) fn document(profile: &Profile) -> String {
    format!("{:#}\n", report_as_json(profile))
}

/// A value and where it was given, on one line.
pub(super) fn line(entry: &Entry) -> String {
    let from = match &entry.from {
        Some(from) => from.to_string(),
        None => "unless a policy says otherwise".to_owned(),
    };
    let gap = WIDTH.saturating_sub(entry.text.chars().count()).max(2);
    format!("{}{}{from}", entry.text, " ".repeat(gap))
}

/// An entry for programs that read it.
pub(super) fn entry_as_json(entry: &Entry) -> Value {
    json!({
        "key": entry.key,
        "value": entry.value,
        "group": entry.group.as_deref(),
        "from": entry.from.as_ref().map(provenance_as_json),
    })
}

fn provenance_as_json(from: &Provenance) -> Value {
    json!({ "place": &*from.place, "line": from.line, "column": from.column, "json_path": from.json_path.to_string() })
}

fn report_as_text(profile: &Profile) -> String {
    let mut text = format!("profile {}", profile.name);
    if let Some(version) = &profile.version {
        text.push_str(&format!(" {version}"));
    }
    text.push('\n');
    if let Some(description) = &profile.description {
        text.push_str(&format!("  {description}\n"));
    }
    for (word, names) in [("extends", &profile.extends), ("groups", &profile.groups)] {
        if !names.is_empty() {
            text.push_str(&format!("  {word}: {}\n", names.join(", ")));
        }
    }
    let mut heading = "";
    for entry in entries(profile) {
        if heading != entry.key {
            heading = entry.key;
            text.push_str(&format!("\n{heading}\n"));
        }
        text.push_str(&format!("  {}\n", line(&entry)));
    }
    text
}

fn report_as_json(profile: &Profile) -> Value {
    let names = |names: &[Arc<str>]| names.iter().map(|name| Value::from(&**name)).collect::<Value>();
    json!({
        "name": profile.name,
        "version": profile.version,
        "description": profile.description,
        "extends": names(&profile.extends),
        "groups": names(&profile.groups),
        "entries": entries(profile).iter().map(entry_as_json).collect::<Value>(),
    })
}
