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
    /// For each denied path, as the policy names it and where it really is: its fingerprint, and the place of its denial.
    /// Sorted.
    paths: Vec<(u64, usize)>,
    /// The places of the denials that are patterns.
    patterns: Vec<usize>,
}

/// What FNV-1a begins with and multiplies by for 64 bits (draft-eastlake-fnv). It takes one byte after the other, so that the fingerprints
/// of all directories on the way come with that of the path.
const BEGIN: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

impl Denials {
    /// The first denial that closes `path`.
    pub fn covering(&self, path: &AbsPath) -> Option<&Denial> {
        self.all.get(self.place(path)?)
    }

    /// The first denial that closes an object, by the name it was given or by where it really is.
    pub fn covering_either(&self, given: &AbsPath, real: &AbsPath) -> Option<&Denial> {
        if given == real {
            return self.covering(real);
        }
        let places = [self.place(given), self.place(real)];
        self.all.get(places.into_iter().flatten().min()?)
    }

    /// Whether something that is denied may lie in one of `directories`: always when it does, and seldom otherwise.
    pub fn reach_into<'d>(&self, directories: impl Iterator<Item = &'d AbsPath>) -> bool {
        let mut prints: Vec<u64> = directories.map(|directory| fingerprint(directory.as_bytes())).collect();
        prints.sort_unstable();
        let is_inside = |path: &AbsPath| any_prefix(path.as_bytes(), |print| prints.binary_search(&print).is_ok());
        !prints.is_empty()
            && self.all.iter().any(|denial| match &denial.pattern {
                FilePattern::Path(path) => is_inside(path) || denial.real.as_ref().is_some_and(is_inside),
                FilePattern::Glob { .. } => true,
            })
    }

    /// Where the first denial that closes `path` stands.
    fn place(&self, path: &AbsPath) -> Option<usize> {
        let covers = |place: &usize| self.all.get(*place).is_some_and(|denial| denial.covers(path));
        let mut first = None;
        any_prefix(path.as_bytes(), |print| {
            let from = self.paths.partition_point(|(known, _)| *known < print);
            let alike = self.paths.get(from..).unwrap_or_default().iter().take_while(|(known, _)| *known == print);
            let found = alike.map(|(_, place)| *place).find(covers);
            first = [first, found].into_iter().flatten().min();
            false
        });
        let before = |place: &&usize| first.is_none_or(|first| **place < first);
        self.patterns.iter().take_while(before).copied().find(covers).or(first)
    }
}

impl From<Vec<Denial>> for Denials {
    fn from(all: Vec<Denial>) -> Self {
        let mut paths = Vec::with_capacity(all.len());
        let mut patterns = Vec::new();
        for (place, denial) in all.iter().enumerate() {
            match &denial.pattern {
                FilePattern::Path(path) => {
                    let both = [path].into_iter().chain(&denial.real);
                    paths.extend(both.map(|path| (fingerprint(path.as_bytes()), place)));
                }
                FilePattern::Glob { .. } => patterns.push(place),
            }
        }
        paths.sort_unstable();
        Self { all, paths, patterns }
    }
}

impl Deref for Denials {
    type Target = [Denial];

    fn deref(&self) -> &[Denial] {
        &self.all
    }
}

/// A number that two paths seldom share.
pub(super) fn fingerprint(path: &[u8]) -> u64 {
    path.iter().fold(BEGIN, continued)
}

/// The fingerprint of what has the fingerprint `before`, and a byte behind it.
fn continued(before: u64, byte: &u8) -> u64 {
    (before ^ u64::from(*byte)).wrapping_mul(PRIME)
}

/// Whether `is_it` is true of the fingerprint of a path, or of a directory above it.
fn any_prefix(path: &[u8], mut is_it: impl FnMut(u64) -> bool) -> bool {
    let Some((root, names)) = path.split_first() else { return false };
    let root = continued(BEGIN, root);
    let mut print = root;
    for byte in names {
        // What ends here is a directory.
        if *byte == b'/' && is_it(print) {
            return true;
        }
        print = continued(print, byte);
    }
    is_it(print) || print != root && is_it(root)
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
            let closed = denials.iter().flat_map(|denial| match &denial.pattern {
                FilePattern::Path(closed) => [Some(closed), denial.real.as_ref()],
                FilePattern::Glob { .. } => [None, None],
            });
            let paths = denials.iter().filter(|denial| matches!(denial.pattern, FilePattern::Path(_)));
            let without_patterns = Denials::from(paths.cloned().collect::<Vec<_>>());
            let inside = closed.flatten().any(|closed| closed.is_within(&path));
            assert_eq!(without_patterns.reach_into([&at("/other"), &path].into_iter()), inside, "{path}");
            assert!(denials.reach_into([&path].into_iter()) && !denials.reach_into([].into_iter()));
        }
    }

    #[test]
    fn a_denial_of_the_root_closes_everything() {
        let denials = Denials::from(vec![denial(FilePattern::Path(at("/")), None)]);
        assert!(["/", "/a", "/a/b"].iter().all(|path| denials.covering(&at(path)).is_some()));
    }
}
