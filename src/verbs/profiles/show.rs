//! `nono profiles show`: a policy with everything it builds on.

use std::ffi::OsStr;
use std::fmt::Display;
use std::io;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::Value;

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
    let mut text = Vec::new();
    // Writing to memory cannot fail, and all of it is UTF-8.
    let _ = write(profile, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// Writes the document as it is gone through: the log has its digest in every session.
///
/// # Errors
/// Those of `out`.
pub(super) fn write(profile: &Profile, out: &mut impl io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Report(profile))?;
    out.write_all(b"\n")
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
    serde_json::to_value(Written(entry)).unwrap_or_default()
}

/// A policy as the document has it. Here and below the keys are in the order of the alphabet, as in any `Value`.
struct Report<'p>(&'p Profile);

struct All<'e>(&'e [Entry]);

struct Written<'e>(&'e Entry);

struct Origin<'e>(&'e Provenance);

struct Names<'e>(&'e [Arc<str>]);

/// What is shown as text.
struct Shown<T>(T);

impl Serialize for Report<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let profile = self.0;
        let mut map = serializer.serialize_map(Some(6))?;
        map.serialize_entry("description", &profile.description)?;
        map.serialize_entry("entries", &All(&entries(profile)))?;
        map.serialize_entry("extends", &Names(&profile.extends))?;
        map.serialize_entry("groups", &Names(&profile.groups))?;
        map.serialize_entry("name", &profile.name)?;
        map.serialize_entry("version", &profile.version)?;
        map.end()
    }
}

impl Serialize for All<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Written))
    }
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entry = self.0;
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("from", &entry.from.as_ref().map(Origin))?;
        map.serialize_entry("group", &entry.group.as_deref())?;
        map.serialize_entry("key", entry.key)?;
        map.serialize_entry("value", &entry.value)?;
        map.end()
    }
}

impl Serialize for Origin<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let from = self.0;
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("column", &from.column)?;
        map.serialize_entry("json_path", &Shown(&from.json_path))?;
        map.serialize_entry("line", &from.line)?;
        map.serialize_entry("place", &*from.place)?;
        map.end()
    }
}

impl Serialize for Names<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|name| &**name))
    }
}

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::abs_path::AbsPath;
    use crate::profile::builtin;
    use crate::profile::resolve::resolve_name;
    use crate::profile::variables::Variables;

    #[test]
    fn a_document_is_that_of_its_value() {
        let path = |text: &str| AbsPath::new(text.as_bytes());
        let mut variables = Variables::new(path("/w").unwrap(), 1000, |_| None);
        (variables.home, variables.tmpdir) = (path("/h"), path("/tmp"));
        for name in builtin::profile_names() {
            let profile = resolve_name(name, &builtin::NothingElse, &variables).unwrap();
            let value: Value = serde_json::from_str(&document(&profile)).unwrap();
            assert_eq!(document(&profile), format!("{value:#}\n"), "{name}");
            assert_eq!(value["name"], name);
            assert!(value["entries"][0]["from"]["json_path"].is_string(), "{value:#}");
        }
    }
}
