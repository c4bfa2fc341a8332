//! Denials, arranged so that the question which of them closes a path touches few of them.

pub mod spelled;

use std::ops::Deref;

use crate::profile::FilePattern;
use crate::profile::abs_path::AbsPath;

use super::Denial;

/// All denials of a plan, in the order of the policy.
#[derive(Clone, Debug)]
pub struct Denials {
    all: Vec<Denial>,
    /// For each denial, where a path must end or have a slash to be closed by it: behind the name that the policy gives, and
    /// behind where that really is. Side by side these are a few cache lines, where the denials are hundreds.
    ends: Vec<[u8; 2]>,
    /// For each denial, where a directory may end that it closes something in.
    above: Vec<Ends>,
}

/// Stands in [`Denials::ends`] for whatever must be compared: a pattern, `/`, or a path longer than a byte can say.
const ANYWHERE: u8 = 0;

/// The lengths at which a path has a slash or ends, one bit for each that a byte can say.
#[derive(Clone, Copy, Debug)]
struct Ends([u64; 4]);

impl Denials {
    /// The first denial that closes `path`.
    pub fn covering(&self, path: &AbsPath) -> Option<&Denial> {
        let ends = Ends::of(path.as_bytes());
        let may_cover = |marks: &[u8; 2]| ends.has(marks[0]) || ends.has(marks[1]);
        let candidates = self.all.iter().zip(&self.ends).filter(|(_, marks)| may_cover(marks));
        candidates.map(|(denial, _)| denial).find(|denial| denial.covers(path))
    }

    /// The first denial that closes an object, by the name it was given or by where it really is.
    pub fn covering_either(&self, given: &AbsPath, real: &AbsPath) -> Option<&Denial> {
        if given == real {
            return self.covering(real);
        }
        let ends = Ends::of(given.as_bytes()).and(Ends::of(real.as_bytes()));
        let may_cover = |marks: &[u8; 2]| ends.has(marks[0]) || ends.has(marks[1]);
        let candidates = self.all.iter().zip(&self.ends).filter(|(_, marks)| may_cover(marks));
        candidates.map(|(denial, _)| denial).find(|denial| denial.covers(real) || denial.covers(given))
    }

    /// Every denial that may close something in `directory`, and few others.
    pub fn perhaps_within(&self, directory: &AbsPath) -> impl Iterator<Item = &Denial> {
        let end = mark(directory);
        let near = self.all.iter().zip(&self.above).filter(move |(_, above)| above.has(end));
        near.map(|(denial, _)| denial)
    }
}

/// Where `path` ends, as [`Denials::ends`] has it.
fn mark(path: &AbsPath) -> u8 {
    match path.as_bytes().len() {
        0 | 1 => ANYWHERE,
        length => u8::try_from(length).unwrap_or(ANYWHERE),
    }
}

impl From<Vec<Denial>> for Denials {
    fn from(all: Vec<Denial>) -> Self {
        let marks = |denial: &Denial| match &denial.pattern {
            FilePattern::Path(path) => [mark(path), mark(denial.real.as_ref().unwrap_or(path))],
            FilePattern::Glob { .. } => [ANYWHERE; 2],
        };
        let above = |denial: &Denial| match &denial.pattern {
            FilePattern::Path(path) => {
                let ends = Ends::of(path.as_bytes());
                denial.real.as_ref().map_or(ends, |real| ends.and(Ends::of(real.as_bytes())))
            }
            FilePattern::Glob { .. } => Ends([u64::MAX; 4]),
        };
        Self { ends: all.iter().map(marks).collect(), above: all.iter().map(above).collect(), all }
    }
}

impl Deref for Denials {
    type Target = [Denial];

    fn deref(&self) -> &[Denial] {
        &self.all
    }
}

impl Ends {
    fn of(path: &[u8]) -> Self {
        let mut bits = [1, 0, 0, 0];
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        for at in slashes.chain([path.len()]) {
            if let Some(word) = bits.get_mut(at / 64) {
                *word |= 1 << (at % 64);
            }
        }
        Self(bits)
    }

    /// The lengths of both.
    fn and(self, other: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a | e, b | f, c | g, d | h])
    }

    fn has(&self, end: u8) -> bool {
        self.0.get(usize::from(end / 64)).is_some_and(|word| word >> (end % 64) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::profile::Provenance;
    use crate::profile::glob::Glob;

    fn at(text: &str) -> AbsPath {
        AbsPath::new(text.as_bytes()).unwrap()
    }

    fn denial(pattern: FilePattern, real: Option<&str>) -> Denial {
        let from = Provenance::flag("x");
        Denial { pattern, real: real.map(at), written: Arc::from("x"), from, group: None }
    }

    #[test]
    fn the_answer_is_that_of_asking_each_in_turn() {
        let long = format!("/{}", "x".repeat(254));
        let longer = format!("/{}", "y".repeat(255));
        let glob = Glob::parse("**/.env").unwrap();
        let denials = Denials::from(vec![
            denial(FilePattern::Path(at("/a")), None),
            denial(FilePattern::Path(at("/a/b")), Some("/elsewhere/deep/down")),
            denial(FilePattern::Path(at(&long)), None),
            denial(FilePattern::Path(at(&longer)), Some("/z")),
            denial(FilePattern::Glob { glob, except: Vec::new() }, None),
        ]);
        let paths = ["/", "/a", "/ab", "/b/a", "/a/b", "/a/b/c", "/elsewhere", "/elsewhere/deep/downer", "/z/.env/q"]
            .map(str::to_owned)
            .into_iter()
            .chain(["/elsewhere/deep/down/x".to_owned(), "/w/.env".to_owned(), "/z".to_owned(), "/zz".to_owned()])
            .chain(
                [&long, &longer].into_iter().flat_map(|path| [path.clone(), format!("{path}/q"), format!("{path}q")]),
            );
        for path in paths {
            let path = at(&path);
            assert_eq!(denials.covering(&path), denials.iter().find(|denial| denial.covers(&path)), "{path}");
            for other in ["/a/b/c", "/w/.env", "/nothing", "/z/x"].map(at) {
                let either = denials.iter().find(|denial| denial.covers(&path) || denial.covers(&other));
                assert_eq!(denials.covering_either(&path, &other), either, "{path} {other}");
            }
            let lies_within = |denial: &&Denial| match &denial.pattern {
                FilePattern::Path(closed) => {
                    [Some(closed), denial.real.as_ref()].into_iter().flatten().any(|closed| closed.is_within(&path))
                }
                FilePattern::Glob { .. } => true,
            };
            let near: Vec<_> = denials.perhaps_within(&path).filter(lies_within).collect();
            assert_eq!(near, denials.iter().filter(lies_within).collect::<Vec<_>>(), "{path}");
        }
    }

    #[test]
    fn a_denial_of_the_root_closes_everything() {
        let denials = Denials::from(vec![denial(FilePattern::Path(at("/")), None)]);
        assert!(["/", "/a", "/a/b"].iter().all(|path| denials.covering(&at(path)).is_some()));
    }
}
