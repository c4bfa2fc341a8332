//! Patterns against a model that shares no code and no method with them. Shared with the fuzzer.

use std::collections::HashMap;

use nono::profile::abs_path::AbsPath;
use nono::profile::glob::Glob;

/// Reads `bytes` as a pattern, a line feed and a path, and compares whether they match.
///
/// # Errors
/// The disagreement, in words.
pub(crate) fn agree(bytes: &[u8]) -> Result<(), String> {
    let end = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
    let (pattern, path) = bytes.split_at(end);
    let Ok(pattern) = std::str::from_utf8(pattern) else { return Ok(()) };
    let path = AbsPath::root().join(path.strip_prefix(b"\n").unwrap_or(path));
    if path.as_bytes().contains(&0) {
        return Ok(());
    }
    match Glob::parse(pattern) {
        Ok(glob) => compare(&glob, pattern, &path),
        Err(_) => Ok(()),
    }
}

/// Compares a parsed pattern with the model, alone and beneath a base.
pub(crate) fn compare(glob: &Glob, pattern: &str, path: &AbsPath) -> Result<(), String> {
    let (found, meant) = (glob.matches(path), model(pattern, path.as_bytes()));
    if found != meant {
        return Err(format!("{pattern:?} and {path:?}: the pattern says {found}, the model {meant}"));
    }
    let base = AbsPath::root().join(b"a*\xff");
    let moved = base.join(path.as_bytes());
    let beneath = Glob::beneath(&base, pattern).map_err(|error| format!("{pattern:?} beneath a base: {error}"))?;
    if beneath.matches(&moved) != model(&format!("/{pattern}"), path.as_bytes()) {
        return Err(format!("{pattern:?} and {moved:?}: the base makes a difference"));
    }
    Ok(())
}

/// Whether the path, or a directory above it, matches one of the patterns that the braces stand for.
fn model(pattern: &str, path: &[u8]) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let names: Vec<Vec<u32>> = path.split(|&byte| byte == b'/').filter(|name| !name.is_empty()).map(decode).collect();
    let (alternatives, _) = sequence(&pattern, false);
    alternatives.iter().any(|alternative| {
        let mut parts: Vec<Vec<char>> = alternative.split(|&c| c == '/').map(<[char]>::to_vec).collect();
        parts.retain(|part| !part.is_empty());
        if alternative.first() != Some(&'/') {
            parts.insert(0, vec!['*', '*']);
        }
        components(&parts, &names, &mut HashMap::new())
    })
}

/// What the text up to a `,` or `}` of the braces around it stands for, and how long that text is.
fn sequence(text: &[char], inside: bool) -> (Vec<Vec<char>>, usize) {
    let mut all = vec![Vec::new()];
    let mut at = 0;
    while at < text.len() && !(inside && matches!(text[at], ',' | '}')) {
        let mut choices = Vec::new();
        let length;
        if text[at] == '{' {
            let start = at;
            while text[at] != '}' {
                let (more, length) = sequence(&text[at + 1..], true);
                choices.extend(more);
                at += 1 + length;
            }
            (at, length) = (start, at + 1 - start);
        } else {
            length = match text[at] {
                '\\' => 2.min(text.len() - at),
                '[' => class_length(&text[at..]),
                _ => 1,
            };
            choices.push(text[at..at + length].to_vec());
        }
        all = all.iter().flat_map(|head| choices.iter().map(move |tail| [&head[..], tail].concat())).collect();
        at += length;
    }
    (all, at)
}

/// How long the set that a text begins with is.
fn class_length(text: &[char]) -> usize {
    let mut at = if matches!(text.get(1), Some('!' | '^')) { 2 } else { 1 };
    let first = at;
    while text[at] != ']' || at == first {
        at += if text[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

type Known = HashMap<(usize, usize), bool>;

fn components(parts: &[Vec<char>], names: &[Vec<u32>], known: &mut Known) -> bool {
    if let Some(&answer) = known.get(&(parts.len(), names.len())) {
        return answer;
    }
    let answer = match (parts, names) {
        ([], _) => true,
        ([only], _) if *only == ['*', '*'] => !names.is_empty(),
        ([any, rest @ ..], _) if *any == ['*', '*'] => {
            components(rest, names, known) || (!names.is_empty() && components(parts, &names[1..], known))
        }
        (_, []) => false,
        ([part, rest @ ..], [name, below @ ..]) => {
            characters(part, name, &mut HashMap::new()) && components(rest, below, known)
        }
    };
    known.insert((parts.len(), names.len()), answer);
    answer
}

fn characters(part: &[char], name: &[u32], known: &mut Known) -> bool {
    if let Some(&answer) = known.get(&(part.len(), name.len())) {
        return answer;
    }
    let answer = match (part, name) {
        ([], _) => name.is_empty(),
        (['*', rest @ ..], _) => {
            characters(rest, name, known) || (!name.is_empty() && characters(part, &name[1..], known))
        }
        (_, []) => false,
        (['?', rest @ ..], [_, below @ ..]) => characters(rest, below, known),
        (['[', ..], [one, below @ ..]) => {
            let length = class_length(part);
            class(&part[1..length - 1], *one) && characters(&part[length..], below, known)
        }
        (['\\', literal, rest @ ..] | [literal, rest @ ..], [one, below @ ..]) => {
            u32::from(*literal) == *one && characters(rest, below, known)
        }
    };
    known.insert((part.len(), name.len()), answer);
    answer
}

fn class(inside: &[char], one: u32) -> bool {
    let negated = matches!(inside, ['!' | '^', ..]);
    let mut rest = if negated { &inside[1..] } else { inside };
    let mut found = false;
    while !rest.is_empty() {
        let low = take(&mut rest);
        let mut high = low;
        if rest.len() > 1 && rest[0] == '-' {
            rest = &rest[1..];
            high = take(&mut rest);
        }
        found |= (low..=high).contains(&one);
    }
    found != negated
}

fn take(rest: &mut &[char]) -> u32 {
    let escaped = usize::from(rest[0] == '\\' && rest.len() > 1);
    let one = rest[escaped];
    *rest = &rest[escaped + 1..];
    u32::from(one)
}

fn decode(name: &[u8]) -> Vec<u32> {
    let mut all = Vec::new();
    for chunk in name.utf8_chunks() {
        all.extend(chunk.valid().chars().map(u32::from));
        all.extend(chunk.invalid().iter().map(|&byte| 0x8000_0000 + u32::from(byte)));
    }
    all
}
