//! Patterns for names that were folded.

use std::sync::Arc;

use super::parse::{Component, Token};
use super::{Alternative, Glob};
use crate::profile::abs_path::AbsPath;
use crate::profile::fold;

/// The first number behind ASCII.
const BEYOND_ASCII: u32 = 0x80;

impl Glob {
    /// The pattern that matches the folded form of every path that some spelling of, as [`fold`] has them, this one matches.
    #[must_use]
    pub fn folded(&self) -> Self {
        let mut folded = self.clone();
        for alternative in &mut Arc::make_mut(&mut folded.0).alternatives {
            alternative.base = fold::path(&alternative.base).into_owned();
            alternative.components = alternative.components.iter().map(component).collect();
        }
        folded
    }

    /// [`Glob::keeps`] for what `folded`, this pattern's folded form, matches beneath `from`, which is folded as well.
    pub fn keeps_folded(&self, folded: &Self, from: &AbsPath, to: &AbsPath) -> bool {
        let keeps =
            |(folded, written): (&Alternative, &Alternative)| folded.positions(from) & !written.positions(to) == 0;
        folded.0.alternatives.iter().zip(&self.0.alternatives).all(keeps)
    }

    /// Whether the pattern is its own folded form, so that it matches no folded path that it does not match as it is.
    pub fn is_plain(&self) -> bool {
        self.folded().0.alternatives == self.0.alternatives
    }
}

fn component(component: &Component) -> Component {
    match component {
        Component::AnyDepth => Component::AnyDepth,
        Component::Literal(name) => Component::Literal(fold::name(name)),
        Component::Pattern(tokens) => Component::Pattern(tokens.iter().flat_map(token).collect()),
    }
}

fn token(token: &Token) -> Vec<Token> {
    match token {
        Token::AnyOne | Token::Star => vec![token.clone()],
        Token::Literal(number) => match char::from_u32(*number) {
            Some(character) => fold::character(character).map(|folded| Token::Literal(u32::from(folded))).collect(),
            None => vec![token.clone()],
        },
        Token::Set { negated, ranges } => {
            let has = |byte: u8| ranges.iter().any(|range| (range.0..=range.1).contains(&byte.into())) != *negated;
            let either = |byte: &u8| has(byte.to_ascii_lowercase()) || has(byte.to_ascii_uppercase());
            let mut all: Vec<(u32, u32)> = (0..0x80).filter(either).map(|byte| (byte.into(), byte.into())).collect();
            // Of other letters it is not known which are in which case: any of them.
            if *negated || ranges.iter().any(|range| range.1 >= BEYOND_ASCII) {
                all.push((BEYOND_ASCII, u32::MAX));
            }
            vec![Token::Set { negated: false, ranges: all }]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_what_matches_matches_folded() {
        let at = |text: &str| AbsPath::new(text.as_bytes()).unwrap();
        for (pattern, other, others) in [
            ("**/.env", "/A/.ENV", "/a/.envrc"),
            ("*.Pem", "/KEY.PEM", "/key.pe"),
            ("/Srv/[A-C]*/x", "/srv/bee/X", "/srv/dee/x"),
            ("[!a-z].key", "/A.KEY", "/.a.key"),
            ("stra\u{df}e", "/STRASSE", "/strase"),
            ("x\u{200d}y", "/XY", "/x"),
            ("[à-ü].Env", "/É.env", "/e.env"),
        ] {
            let folded = Glob::parse(pattern).unwrap().folded();
            assert!(folded.matches(&fold::path(&at(other))), "{pattern} {other}");
            assert!(!folded.matches(&fold::path(&at(others))), "{pattern} {others}");
        }
        assert!(Glob::parse("**/.env").unwrap().is_plain() && !Glob::parse("**/.Env").unwrap().is_plain());
    }

    #[test]
    fn a_directory_whose_spelling_matches_keeps_its_name() {
        let at = |text: &str| AbsPath::new(text.as_bytes()).unwrap();
        let glob = Glob::parse("conf/*.key").unwrap();
        let keeps = |from: &str, to: &str| glob.keeps_folded(&glob.folded(), &fold::path(&at(from)), &at(to));
        assert!(!keeps("/a/CONF", "/a/c"));
        assert!(keeps("/a/CONF", "/b/conf"));
        assert!(keeps("/a/other", "/a/c"));
    }
}
