//! From components and a path to an answer.

use super::parse::{Component, Token};

/// Whether the pattern matches the path, or a directory above it.
pub(super) fn matches(components: &[Component], path: &[u8]) -> bool {
    positions_behind(components, path).is_none()
}

/// Walks the path with the set of positions that the pattern may be at: bit `n` means that component `n` comes next.
/// `None` once the pattern has matched: whatever comes next is beneath.
pub(super) fn positions_behind(components: &[Component], path: &[u8]) -> Option<u64> {
    let mut positions = closed(components, 1);
    for name in path.split(|&byte| byte == b'/').filter(|name| !name.is_empty()) {
        let mut after = 0_u64;
        let mut characters = None;
        for (position, component) in components.iter().enumerate() {
            if positions >> position & 1 == 0 {
                continue;
            }
            let last = position.saturating_add(1) == components.len();
            let step = match component {
                Component::AnyDepth if last => return None,
                Component::AnyDepth => 1 << position,
                Component::Literal(literal) if literal == name => 2 << position,
                Component::Literal(_) => 0,
                Component::Pattern(tokens) if !may_match(tokens, name) => 0,
                Component::Pattern(tokens) => {
                    let characters = characters.get_or_insert_with(|| decoded(name));
                    if tokens_match(tokens, characters) { 2 << position } else { 0 }
                }
            };
            if last && step != 0 {
                return None;
            }
            after |= step;
        }
        positions = closed(components, after);
    }
    Some(positions)
}

/// The component that the name of something may match at `positions` as the last one of the pattern, where there is one.
pub(super) fn last_component(components: &[Component], positions: u64) -> Option<&Component> {
    let (last, before) = components.split_last()?;
    (positions >> before.len() & 1 == 1).then_some(last)
}

/// Whether one component matches a name.
pub(super) fn component_matches(component: &Component, name: &[u8]) -> bool {
    match component {
        Component::AnyDepth => true,
        Component::Literal(literal) => literal == name,
        Component::Pattern(tokens) => may_match(tokens, name) && tokens_match(tokens, &decoded(name)),
    }
}

/// Whether the first and the last byte of the name let the tokens match it, where that can be told: it tells most names apart.
fn may_match(tokens: &[Token], name: &[u8]) -> bool {
    let fits = |token: Option<&Token>, byte: Option<&u8>| match (token, byte) {
        (Some(Token::Literal(literal)), Some(&byte)) if *literal < 0x80 => *literal == u32::from(byte),
        _ => true,
    };
    fits(tokens.first(), name.first()) && fits(tokens.last(), name.last())
}

/// Adds the positions behind each `**` that may stand for nothing.
fn closed(components: &[Component], mut positions: u64) -> u64 {
    for (position, component) in components.iter().enumerate() {
        if matches!(component, Component::AnyDepth) && positions >> position & 1 == 1 {
            positions |= 2 << position;
        }
    }
    positions
}

/// The characters of a name; a byte that is not UTF-8 becomes a number above every character.
fn decoded(name: &[u8]) -> Vec<u32> {
    let mut characters = Vec::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        characters.extend(chunk.valid().chars().map(u32::from));
        characters.extend(chunk.invalid().iter().map(|&byte| 0x11_0000 | u32::from(byte)));
    }
    characters
}

/// Whether the tokens match the whole name. One star to go back to is enough: an earlier one never matches more.
fn tokens_match(tokens: &[Token], name: &[u32]) -> bool {
    let (mut token, mut character) = (0_usize, 0_usize);
    let mut star: Option<(usize, usize)> = None;
    loop {
        let next = name.get(character);
        match (tokens.get(token), next) {
            (None, None) => return true,
            (Some(Token::Star), _) => {
                token = token.saturating_add(1);
                star = Some((token, character));
                continue;
            }
            (Some(one), Some(&value)) if one_matches(one, value) => {
                token = token.saturating_add(1);
                character = character.saturating_add(1);
                continue;
            }
            _ => {}
        }
        // The last star takes one character more.
        match star {
            Some((behind, from)) if from < name.len() => {
                token = behind;
                character = from.saturating_add(1);
                star = Some((behind, character));
            }
            _ => return false,
        }
    }
}

fn one_matches(token: &Token, character: u32) -> bool {
    match token {
        Token::AnyOne => true,
        Token::Literal(literal) => *literal == character,
        Token::Set { negated, ranges } => {
            ranges.iter().any(|&(low, high)| (low..=high).contains(&character)) != *negated
        }
        Token::Star => false,
    }
}
