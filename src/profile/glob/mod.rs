//! Patterns of `deny` rules, such as `**/.env`.
//!
//! A pattern is taken apart once into path components, so that matching is a walk over the path's components with a set of
//! positions: no backtracking across `/`, and a bounded cost for any pattern and any path. Paths are bytes; a byte that is
//! not UTF-8 counts as one character that `*`, `?` and `[!…]` match.

mod folding;
mod matching;
mod names;
mod parse;
mod places;

use std::fmt;
use std::sync::Arc;

pub use self::names::Names;

use self::parse::Component;
use super::abs_path::AbsPath;

/// The longest pattern, in bytes.
pub const LONGEST: usize = 1024;
/// The most alternatives that the braces of one pattern may stand for.
pub const MOST_ALTERNATIVES: usize = 64;
/// The most components (parts between slashes) of one alternative.
pub const MOST_COMPONENTS: usize = 60;
/// The most characters that all alternatives may have together; with the longest path it bounds the cost of one match.
pub const MOST_EXPANDED: usize = 4096;

/// A pattern, checked when it was parsed.
///
/// - `*` stands for any characters of one component, `?` for one, `[a-z]` and `[!a-z]` for one of a set.
/// - `**` as a whole component stands for any number of components; at the end, for at least one.
/// - `{a,b}` stands for either; braces may be nested and may hold slashes. `\` takes the next character as it is.
/// - A pattern without a leading `/` matches at any depth, as if it began with `**/`.
/// - A pattern that matches a directory matches everything beneath it.
/// - Names are compared exactly: `.ENV` is not `.env`, and a leading dot is a character like any other. What a filesystem takes
///   for the same is not known here; [`Glob::folded`] is for those that ignore case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Glob(Arc<Parsed>);

/// What a pattern is made of. Behind a pointer that copies share, since most file rules have none and all of them are moved
/// around.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Parsed {
    text: String,
    /// What the text was given beneath.
    base: Option<AbsPath>,
    alternatives: Vec<Alternative>,
}

/// One of the patterns that braces stand for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Alternative {
    /// Taken literally; `/` when there is nothing to take literally.
    base: AbsPath,
    /// What follows the base; nothing when the base itself is meant.
    components: Vec<Component>,
}

/// Why a pattern was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GlobError {
    DotComponent,
    Empty,
    EscapeAtEnd,
    Negated,
    Nul,
    PosixClass,
    RangeReversed,
    StarsInName,
    TooLong,
    TooManyAlternatives,
    TooManyComponents,
    UnclosedBrace,
    UnclosedClass,
    UnopenedBrace,
}

impl Glob {
    /// Parses a pattern.
    ///
    /// # Errors
    /// Why the pattern means nothing, or could mean something else than it seems to.
    pub fn parse(text: &str) -> Result<Self, GlobError> {
        let alternatives = Alternative::all(&AbsPath::root(), text, false)?;
        Ok(Self(Arc::new(Parsed { text: text.to_owned(), base: None, alternatives })))
    }

    /// Parses a pattern whose components follow `base`, which is taken literally, whatever characters it holds.
    ///
    /// # Errors
    /// Those of [`Glob::parse`].
    pub fn beneath(base: &AbsPath, text: &str) -> Result<Self, GlobError> {
        let text = text.trim_start_matches('/');
        let alternatives = Alternative::all(base, text, true)?;
        Ok(Self(Arc::new(Parsed { text: text.to_owned(), base: Some(base.clone()), alternatives })))
    }

    /// The pattern that matches one path, and what is beneath it.
    pub fn exactly(path: &AbsPath) -> Self {
        let alternatives = vec![Alternative { base: path.clone(), components: Vec::new() }];
        Self(Arc::new(Parsed { text: String::new(), base: Some(path.clone()), alternatives }))
    }

    /// Whether `path`, or a directory above it, matches.
    pub fn matches(&self, path: &AbsPath) -> bool {
        self.0.alternatives.iter().any(|alternative| alternative.matches(path))
    }

    /// The pattern at the places that the directories it starts with really are, or `None` when that is where they seem to
    /// be. `real` follows the symbolic links of a path.
    #[must_use]
    pub fn followed(&self, mut real: impl FnMut(&AbsPath) -> AbsPath) -> Option<Self> {
        let mut moved = self.clone();
        for alternative in &mut Arc::make_mut(&mut moved.0).alternatives {
            let (length, directory) = parse::literal_start(&alternative.base, &alternative.components);
            let real = real(&directory);
            if real != directory {
                alternative.components.drain(..length);
                alternative.base = real;
            }
        }
        (moved != *self).then_some(moved)
    }
}

impl Alternative {
    fn all(base: &AbsPath, text: &str, anchored: bool) -> Result<Vec<Self>, GlobError> {
        let with_base = |components| Self { base: base.clone(), components };
        Ok(parse::alternatives(text, anchored)?.into_iter().map(with_base).collect())
    }

    fn matches(&self, path: &AbsPath) -> bool {
        if !path.is_within(&self.base) {
            return false;
        }
        let beneath = path.as_bytes().get(self.base.as_bytes().len()..).unwrap_or_default();
        self.components.is_empty() || matching::matches(&self.components, beneath)
    }
}

/// The pattern as it was written, on one line, after the base it stands beneath.
impl fmt::Display for Glob {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(base) = &self.0.base {
            write!(out, "{base}{}", if self.0.text.is_empty() { "" } else { "/" })?;
        }
        super::escape::write_escaped(out, self.0.text.as_bytes())
    }
}

impl fmt::Display for GlobError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::DotComponent => "`.` and `..` never match a path; leave them out",
            Self::Empty => "the pattern is empty; name a file, as in `**/.env`",
            Self::EscapeAtEnd => "`\\` needs a character after it; write `\\\\` for a backslash",
            Self::Negated => {
                "a leading `!` would turn the pattern round; write `\\!` for the character; a `deny` has `except`"
            }
            Self::Nul => "a path cannot hold a NUL character; remove it",
            Self::PosixClass => "named sets such as `[[:alpha:]]` are not known; write the range, as in `[a-z]`",
            Self::RangeReversed => "a range runs from the lower to the higher character; turn it round",
            Self::StarsInName => "`**` stands alone between slashes; use `*` inside a name",
            Self::TooLong => "the pattern is longer than 1024 bytes; split it into several entries",
            Self::TooManyAlternatives => "the braces stand for too many patterns; split it into several entries",
            Self::TooManyComponents => "the pattern has more than 60 parts between slashes; shorten it",
            Self::UnclosedBrace => "`{` has no `}`; close it, or write `\\{` for the character",
            Self::UnclosedClass => "`[` has no `]`; close it, or write `\\[` for the character",
            Self::UnopenedBrace => "`}` has no `{`; open it, or write `\\}` for the character",
        })
    }
}

impl std::error::Error for GlobError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(link: &'static str, to: &'static str) -> impl FnMut(&AbsPath) -> AbsPath {
        move |path| match path.as_bytes().strip_prefix(link.as_bytes()) {
            Some(rest) => AbsPath::new(to.as_bytes()).unwrap().join(rest),
            None => path.clone(),
        }
    }

    #[test]
    fn a_pattern_follows_the_link_it_starts_in() {
        let moved = Glob::parse("/people/*.{key,pem}").unwrap().followed(through("/people", "/disk/people")).unwrap();
        for (path, expected) in
            [("/disk/people/a.pem", true), ("/people/a.pem", false), ("/disk/people/b/a.key", false)]
        {
            assert_eq!(moved.matches(&AbsPath::new(path.as_bytes()).unwrap()), expected, "{path}");
        }
        assert_eq!(Glob::parse("**/people/*.key").unwrap().followed(through("/people", "/disk/people")), None);
        assert_eq!(Glob::parse("/srv/*.key").unwrap().followed(through("/people", "/disk/people")), None);
    }

    #[test]
    fn a_pattern_that_ends_up_deep_still_matches() {
        let deep = "/d".repeat(80);
        let place = AbsPath::new(deep.as_bytes()).unwrap();
        let moved = Glob::parse("/link/*.key").unwrap().followed(|_| place.clone()).unwrap();
        assert!(moved.matches(&place.join(b"a.key")));
        assert!(!moved.matches(&place.join(b"a.pem")));
        let whole = Glob::parse("/link/a").unwrap().followed(|_| place.clone()).unwrap();
        assert!(whole.matches(&place.join(b"b")));
    }

    fn matches(pattern: &str, path: &[u8]) -> bool {
        Glob::parse(pattern).unwrap().matches(&AbsPath::new(path).unwrap())
    }

    #[test]
    fn a_relative_pattern_matches_at_any_depth() {
        assert!(matches(".env", b"/.env"));
        assert!(matches(".env", b"/a/b/.env"));
        assert!(matches("config/*.pem", b"/srv/config/key.pem"));
        assert!(!matches("config/*.pem", b"/srv/config/deep/key.pem"));
        assert!(!matches(".env", b"/a/b/.envrc"));
        assert!(!matches("/.env", b"/a/.env"));
    }

    #[test]
    fn a_pattern_that_matches_a_directory_covers_what_is_beneath() {
        assert!(matches("secrets", b"/a/secrets/b/c"));
        assert!(matches("**/secret?/", b"/a/secrets/b"));
        assert!(matches("/a/*", b"/a/b/c"));
        assert!(!matches("/a/*", b"/a"));
        assert!(matches("/a/**", b"/a/b/c"));
        assert!(!matches("/a/**", b"/a"));
        assert!(matches("/a/**/d", b"/a/d"));
        assert!(matches("/a/**/d", b"/a/b/c/d/e"));
        assert!(!matches("**", b"/"));
    }

    #[test]
    fn sets_braces_and_escapes_match_as_written() {
        assert!(matches("*.{pem,key}", b"/k.key"));
        assert!(matches(".env{,.local}", b"/.env"));
        assert!(matches("{a,b/{c,d}}.x", b"/b/d.x"));
        assert!(matches("{a,ab}c", b"/abc"));
        assert!(matches("id_[a-z0-9]*", b"/id_rsa"));
        assert!(matches("[!a-z]x", b"/Ax"));
        assert!(!matches("[^a-z]x", b"/bx"));
        assert!(matches("[]-]x", b"/]x"));
        assert!(matches("[]-]x", b"/-x"));
        assert!(matches(r"[a\-z]x", b"/-x"));
        assert!(!matches(r"[a\-z]x", b"/bx"));
        assert!(matches(r"\*\{", b"/*{"));
        assert!(!matches(r"\*", b"/a"));
    }

    #[test]
    fn a_name_that_is_not_utf_8_does_not_slip_through() {
        assert!(matches("*.env", b"/\xff\xfe.env"));
        assert!(matches("?.env", b"/\xff.env"));
        assert!(matches("?.env", "/é.env".as_bytes()));
        assert!(matches("[!a].env", b"/\xff.env"));
        assert!(matches("[à-ü].env", "/é.env".as_bytes()));
        assert!(matches(".env", b"/\xff/.env"));
        assert!(matches("é", "/é".as_bytes()));
        assert!(matches("*é", "/aé".as_bytes()));
        assert!(matches("é*", "/éa".as_bytes()));
        assert!(!matches("*a", b"/a\xff"));
        assert!(!matches("a*", b"/\xffa"));
        assert!(!matches("a*a", b"/a"));
        assert!(!matches("é", b"/\xe9"));
        // The replacement character is a name like any other, and stands for no other byte.
        assert!(!matches("\u{fffd}.env", b"/\xff.env"));
    }

    #[test]
    fn what_could_be_misread_is_refused_with_the_reason() {
        use GlobError as E;
        let long = "a".repeat(LONGEST + 1);
        let deep = "a/".repeat(MOST_COMPONENTS + 1);
        for (pattern, error) in [
            ("", E::Empty),
            ("/", E::Empty),
            ("{}", E::Empty),
            ("!.env", E::Negated),
            ("a/../b", E::DotComponent),
            ("./a", E::DotComponent),
            (r"\./a", E::DotComponent),
            (r"a\", E::EscapeAtEnd),
            (r"a\/b", E::EscapeAtEnd),
            ("a\0", E::Nul),
            ("[[:alpha:]]", E::PosixClass),
            ("[z-a]", E::RangeReversed),
            ("a**", E::StarsInName),
            ("**.env", E::StarsInName),
            ("{a,b", E::UnclosedBrace),
            ("a}", E::UnopenedBrace),
            ("[a", E::UnclosedClass),
            ("[]", E::UnclosedClass),
            ("[a/b]", E::UnclosedClass),
            ("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", E::TooManyAlternatives),
            (&long, E::TooLong),
            (&deep, E::TooManyComponents),
        ] {
            assert_eq!(Glob::parse(pattern), Err(error), "{pattern}");
        }
    }

    #[test]
    fn one_path_matches_itself_and_what_is_beneath() {
        let deep = AbsPath::new("/a*".repeat(100).as_bytes()).unwrap();
        for base in [AbsPath::new(b"/").unwrap(), AbsPath::new(b"/a*").unwrap(), deep] {
            let glob = Glob::exactly(&base);
            assert!(glob.matches(&base));
            assert!(glob.matches(&base.join(b"b")));
            assert_eq!(glob.matches(&AbsPath::new(b"/ab").unwrap()), base == AbsPath::root());
            assert_eq!(glob.to_string(), base.to_string());
        }
    }

    #[test]
    fn a_base_is_literal_whatever_its_name() {
        let base = AbsPath::new(b"/people/[x]*\xff").unwrap();
        let glob = Glob::beneath(&base, "**/.env").unwrap();
        assert!(glob.matches(&base.join(b"a/.env")));
        assert!(!glob.matches(&AbsPath::new(b"/people/x/.env").unwrap()));
        assert_eq!(glob.to_string(), "/people/[x]*\\xff/**/.env");
    }

    #[test]
    fn what_keeps_matching_when_a_directory_moves_is_never_overstated() {
        let names = ["a", "b", "c"];
        let mut paths = vec![AbsPath::root()];
        let mut level = paths.clone();
        for _ in 0..3 {
            level = level.iter().flat_map(|path| names.map(|name| path.join(name.as_bytes()))).collect();
            paths.extend(level.clone());
        }
        for pattern in ["a", "a/b", "**/a/**/c", "/a/b", "/a/*", "/a/**", "{a/b,c}", "[!a]/b", "b/a/c", "/b/**/a/c"] {
            let glob = Glob::parse(pattern).unwrap();
            for from in &paths {
                for to in paths.iter().filter(|to| glob.keeps(from, to)) {
                    for rest in paths.iter().map(|path| path.as_bytes()) {
                        let lost = glob.matches(&from.join(rest)) && !glob.matches(&to.join(rest));
                        assert!(!lost, "{pattern}: {from} to {to}, with {rest:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_directory_moves_where_no_pattern_depends_on_its_name() {
        let keeps = |pattern: &str, from: &str, to: &str| {
            let path = |text: &str| AbsPath::new(text.as_bytes()).unwrap();
            Glob::parse(pattern).unwrap().keeps(&path(from), &path(to))
        };
        assert!(keeps("**/.env", "/a/b", "/c"));
        assert!(keeps("conf/*.key", "/a/b", "/a/c"));
        assert!(!keeps("conf/*.key", "/a/conf", "/a/c"));
        assert!(keeps("conf/*.key", "/a/conf", "/b/conf"));
        assert!(!keeps("/srv/*/key", "/srv/a", "/b"));
        assert!(keeps("/srv/*/key", "/srv/a", "/srv/b"));
        assert!(!keeps("/srv/a/key", "/srv", "/b"));
    }

    /// No pattern within the limits makes one match slow: the steps are bounded by path length times pattern length.
    #[test]
    fn the_worst_pattern_is_still_quick() {
        let glob = Glob::parse(&format!("{}{}b", "**/*a/".repeat(20), "*a".repeat(400))).unwrap();
        let braces = Glob::parse(&format!("{{{}*ab,*ac}}", "*a*a*a*a*a*a*ax,".repeat(50))).unwrap();
        for path in [format!("/{}", "a".repeat(4000)), "/a".repeat(2000), format!("/{}", "a".repeat(250)).repeat(16)] {
            let path = AbsPath::new(path.as_bytes()).unwrap();
            assert!(!glob.matches(&path));
            assert!(!braces.matches(&path));
        }
    }
}
