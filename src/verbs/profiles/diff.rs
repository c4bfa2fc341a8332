//! `nono profiles diff`: what one policy says and another does not.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;

use serde_json::{Value, json};

use super::entries::{Entry, entries};
use super::show::{entry_as_json, line};
use crate::verbs::{NO, REFUSED, YES, print};

/// Compares the resolved policies. Answers 0 when they say the same, 1 when not, and 125 when one of them cannot be resolved.
pub(super) fn diff(left: &OsStr, right: &OsStr, as_json: bool) -> u8 {
    // Both are resolved before either is given up, so that the problems of both are told.
    let (Some(left), Some(right)) = (super::resolved(left), super::resolved(right)) else { return REFUSED };
    let (left, right) = (entries(&left), entries(&right));
    let (removed, added) = (missing(&left, &right), missing(&right, &left));
    let printed = match as_json {
        true => print::json(&json!({ "removed": as_values(&removed), "added": as_values(&added) })),
        false => print::document(&as_text(&left, &right, &removed, &added)),
    };
    match printed {
        YES if removed.is_empty() && added.is_empty() => YES,
        YES => NO,
        _ => REFUSED,
    }
}

/// The entries that the other policy does not have. Where they were given is no difference.
fn missing<'e>(entries: &'e [Entry], other: &[Entry]) -> Vec<&'e Entry> {
    let known: BTreeSet<(&str, &str)> = other.iter().map(|entry| (entry.key, entry.text.as_str())).collect();
    entries.iter().filter(|entry| !known.contains(&(entry.key, entry.text.as_str()))).collect()
}

fn as_values(entries: &[&Entry]) -> Value {
    entries.iter().map(|entry| entry_as_json(entry)).collect()
}

/// Key by key, in the order of a profile: first what is gone, then what is new.
fn as_text(left: &[Entry], right: &[Entry], removed: &[&Entry], added: &[&Entry]) -> String {
    let mut by_key: BTreeMap<&str, String> = BTreeMap::new();
    for (sign, entries) in [('-', removed), ('+', added)] {
        for entry in entries {
            by_key.entry(entry.key).or_default().push_str(&format!("{sign} {}\n", line(entry)));
        }
    }
    let mut text = String::new();
    for entry in left.iter().chain(right) {
        if let Some(lines) = by_key.remove(entry.key) {
            text.push_str(&format!("{}\n{lines}", entry.key));
        }
    }
    text
}
