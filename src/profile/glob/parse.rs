//! From a pattern's text to the components of its alternatives.

use crate::profile::abs_path::AbsPath;

use super::{GlobError, LONGEST, MOST_ALTERNATIVES, MOST_COMPONENTS, MOST_EXPANDED};

/// One part between slashes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Component {
    /// `**`
    AnyDepth,
    Literal(Vec<u8>),
    Pattern(Vec<Token>),
}

/// One character's worth of a component.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Token {
    AnyOne,
    Literal(u32),
    Set { negated: bool, ranges: Vec<(u32, u32)> },
    Star,
}

/// The components of every alternative of a pattern. One that is not `anchored` and has no leading `/` matches at any depth.
pub(super) fn alternatives(text: &str, anchored: bool) -> Result<Vec<Vec<Component>>, GlobError> {
    match text {
        "" => return Err(GlobError::Empty),
        _ if text.len() > LONGEST => return Err(GlobError::TooLong),
        _ if text.starts_with('!') => return Err(GlobError::Negated),
        _ if text.contains('\0') => return Err(GlobError::Nul),
        _ => {}
    }
    let characters: Vec<char> = text.chars().collect();
    // Most patterns stand for themselves alone.
    if !text.contains(['\\', '[', '{', '}']) {
        return Ok(vec![components(&characters, anchored)?]);
    }
    let mut expanded = Vec::new();
    expand(&characters, &mut expanded)?;
    if expanded.iter().map(Vec::len).sum::<usize>() > MOST_EXPANDED {
        return Err(GlobError::TooManyAlternatives);
    }
    expanded.iter().map(|characters| components(characters, anchored)).collect()
}

/// Replaces the braces of `pattern` from left to right, one group at a time, until none is left.
fn expand(pattern: &[char], into: &mut Vec<Vec<char>>) -> Result<(), GlobError> {
    let mut open: Vec<Vec<char>> = vec![pattern.to_vec()];
    while let Some(next) = open.pop() {
        match first_braces(&next)? {
            None => into.push(next),
            Some((start, commas, end)) => {
                let head = next.get(..start).unwrap_or_default();
                let tail = next.get(end.saturating_add(1)..).unwrap_or_default();
                let mut from = start.saturating_add(1);
                let mut choices = Vec::new();
                for stop in commas.into_iter().chain([end]) {
                    choices.push([head, next.get(from..stop).unwrap_or_default(), tail].concat());
                    from = stop.saturating_add(1);
                }
                open.extend(choices.into_iter().rev());
            }
        }
        if open.len().saturating_add(into.len()) > MOST_ALTERNATIVES {
            return Err(GlobError::TooManyAlternatives);
        }
    }
    Ok(())
}

/// The first `{` at the outermost level, its commas and its `}`; characters in sets and after `\` do not count.
fn first_braces(pattern: &[char]) -> Result<Option<(usize, Vec<usize>, usize)>, GlobError> {
    let (mut start, mut commas, mut depth, mut at) = (None, Vec::new(), 0_usize, 0_usize);
    while let Some(character) = pattern.get(at) {
        match character {
            '\\' => at = at.saturating_add(1),
            '[' => at = set_end(pattern, at)?,
            '{' => {
                start = start.or(Some(at));
                depth = depth.saturating_add(1);
            }
            ',' if depth == 1 => commas.push(at),
            '}' => match (depth, start) {
                (1, Some(start)) => return Ok(Some((start, commas, at))),
                (0, _) | (_, None) => return Err(GlobError::UnopenedBrace),
                _ => depth = depth.saturating_sub(1),
            },
            _ => {}
        }
        at = at.saturating_add(1);
    }
    if depth > 0 { Err(GlobError::UnclosedBrace) } else { Ok(None) }
}

/// Where the `]` of the set that opens at `start` is.
fn set_end(pattern: &[char], start: usize) -> Result<usize, GlobError> {
    let mut at = start.saturating_add(1);
    if matches!(pattern.get(at), Some('!' | '^')) {
        at = at.saturating_add(1);
    }
    let first = at;
    while let Some(character) = pattern.get(at) {
        match character {
            ']' if at > first => return Ok(at),
            '[' if pattern.get(at.saturating_add(1)) == Some(&':') => return Err(GlobError::PosixClass),
            '/' => return Err(GlobError::UnclosedClass),
            '\\' => at = at.saturating_add(1),
            _ => {}
        }
        at = at.saturating_add(1);
    }
    Err(GlobError::UnclosedClass)
}

/// Splits a pattern without braces at its slashes.
fn components(pattern: &[char], anchored: bool) -> Result<Vec<Component>, GlobError> {
    let mut all = Vec::new();
    if !anchored && pattern.first() != Some(&'/') {
        all.push(Component::AnyDepth);
    }
    let parts: Vec<&[char]> = pattern.split(|&character| character == '/').filter(|part| !part.is_empty()).collect();
    for part in &parts {
        all.push(component(part)?);
    }
    // Two `**` in a row say what one does.
    all.dedup_by(|next, before| *next == Component::AnyDepth && *before == Component::AnyDepth);
    match all.len() {
        _ if parts.is_empty() => Err(GlobError::Empty),
        count if count > MOST_COMPONENTS => Err(GlobError::TooManyComponents),
        _ => Ok(all),
    }
}

/// How many components at the start are plain names, and the path they make beneath `base`.
pub(super) fn literal_start(base: &AbsPath, components: &[Component]) -> (usize, AbsPath) {
    let mut directory = base.clone();
    for (position, component) in components.iter().enumerate() {
        match component {
            Component::Literal(name) => directory = directory.join(name),
            Component::AnyDepth | Component::Pattern(_) => return (position, directory),
        }
    }
    (components.len(), directory)
}

/// One part between slashes.
fn component(part: &[char]) -> Result<Component, GlobError> {
    match part {
        ['*', '*'] => return Ok(Component::AnyDepth),
        ['.'] | ['.', '.'] => return Err(GlobError::DotComponent),
        _ => {}
    }
    let mut tokens = Vec::new();
    let mut at = 0_usize;
    while let Some(&character) = part.get(at) {
        let token = match character {
            '*' if tokens.last() == Some(&Token::Star) => return Err(GlobError::StarsInName),
            '*' => Token::Star,
            '?' => Token::AnyOne,
            '[' => {
                let end = set_end(part, at)?;
                let inside = part.get(at.saturating_add(1)..end).unwrap_or_default();
                at = end;
                set(inside)?
            }
            '\\' => {
                at = at.saturating_add(1);
                Token::Literal(u32::from(*part.get(at).ok_or(GlobError::EscapeAtEnd)?))
            }
            plain => Token::Literal(u32::from(plain)),
        };
        tokens.push(token);
        at = at.saturating_add(1);
    }
    match literal(&tokens) {
        Some(name) if name == b"." || name == b".." => Err(GlobError::DotComponent),
        Some(name) => Ok(Component::Literal(name)),
        None => Ok(Component::Pattern(tokens)),
    }
}

/// The inside of `[…]`.
fn set(inside: &[char]) -> Result<Token, GlobError> {
    let (negated, inside) = match inside {
        ['!' | '^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    // Each character, and whether it is a dash that was not escaped.
    let mut characters = Vec::new();
    let mut escaped = false;
    for &character in inside {
        match character {
            '\\' if !escaped => escaped = true,
            plain => {
                characters.push((u32::from(plain), plain == '-' && !escaped));
                escaped = false;
            }
        }
    }
    let mut ranges = Vec::new();
    let mut rest = characters.as_slice();
    loop {
        rest = match rest {
            [] => return Ok(Token::Set { negated, ranges }),
            [(low, _), (_, true), (high, _), more @ ..] => {
                if low > high {
                    return Err(GlobError::RangeReversed);
                }
                ranges.push((*low, *high));
                more
            }
            [(one, _), more @ ..] => {
                ranges.push((*one, *one));
                more
            }
        };
    }
}

/// The bytes of a component that is all literal.
fn literal(tokens: &[Token]) -> Option<Vec<u8>> {
    let mut name = String::new();
    for token in tokens {
        match token {
            Token::Literal(character) => name.push(char::from_u32(*character)?),
            Token::AnyOne | Token::Set { .. } | Token::Star => return None,
        }
    }
    Some(name.into_bytes())
}
