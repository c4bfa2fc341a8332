//! What is closed, for paths that are spelled in another way than a rule is: where a filesystem ignores case, both are one.

use std::sync::OnceLock;

use super::super::{OwnKind, Plan};
use crate::plan::{Operation, PathKind, Reason};
use crate::profile::FilePattern;
use crate::profile::abs_path::AbsPath;
use crate::profile::fold;
use crate::profile::glob::Glob;

/// The closed places of one plan, folded (see [`fold`]). Not all are needed before a name is out of the ordinary.
#[derive(Debug, Default)]
pub struct Spellings {
    /// Those that are not their own folded form: an ordinary path can match no others that it does not match as it is.
    unusual: OnceLock<Rules>,
    /// These, and then the others.
    all: OnceLock<Rules>,
}

#[derive(Debug)]
struct Rules {
    rules: Vec<Rule>,
    /// For each of them, where a path must end or have a slash to be covered, or 0 for whatever must be compared. Side by side
    /// these are a few cache lines.
    ends: Vec<[usize; 2]>,
}

#[derive(Debug)]
struct Rule {
    place: Place,
    closed: Closed,
}

/// Where the rule stands in the plan.
#[derive(Clone, Copy, Debug)]
enum Place {
    Denial(usize),
    Own(usize),
}

#[derive(Debug)]
enum Closed {
    Glob(Glob),
    Paths(Vec<AbsPath>),
}

impl Spellings {
    /// What closes the path of `operation` if the filesystems it leads through take it for another spelling of the same, and
    /// the start of the path that what is closed lies beneath.
    pub fn closing<'p>(&self, plan: &'p Plan, operation: &Operation) -> Option<(Reason<'p>, AbsPath)> {
        let path = operation.path()?;
        let Rules { rules, ends } = self.near(plan, &[path]);
        if rules.is_empty() {
            return None;
        }
        let folded = fold::path(path);
        let reads = matches!(operation, Operation::Execute(_) | Operation::Read(_));
        let bytes = folded.as_bytes();
        let ends_at = |end: usize| end == 0 || bytes.get(end).map_or(end == bytes.len(), |byte| *byte == b'/');
        let near = rules.iter().zip(ends).filter(|(_, ends)| ends_at(ends[0]) || ends_at(ends[1]));
        let mut covering = near.map(|(rule, _)| rule).filter(|rule| rule.closed.covers(&folded));
        covering.find_map(|rule| Some((rule.reason(plan, path, reads)?, rule.closed.start(path, &folded))))
    }

    /// Whether something closed would lie beneath a new entry at `path`, if that were the same as another spelling of it.
    pub fn is_above(&self, plan: &Plan, path: &AbsPath) -> bool {
        let Rules { rules, .. } = self.near(plan, &[path]);
        let folded = fold::path(path);
        rules.iter().any(|rule| match &rule.closed {
            Closed::Paths(paths) => paths.iter().any(|closed| closed != &*folded && closed.is_within(&folded)),
            Closed::Glob(_) => false,
        })
    }

    /// Whether something closed may lie beneath the directory `path` because of where that is, if it were the same as another
    /// spelling of it.
    pub fn is_about_place(&self, plan: &Plan, path: &AbsPath) -> bool {
        let Rules { rules, .. } = self.near(plan, &[path]);
        let folded = fold::path(path);
        rules.iter().any(|rule| match &rule.closed {
            Closed::Paths(_) => false,
            Closed::Glob(glob) => glob.is_about_place(&folded),
        })
    }

    /// Whether something closed beneath the directory `from`, or beneath another spelling of it, would be open if that became
    /// `to`.
    pub fn opens(&self, plan: &Plan, from: &AbsPath, to: &AbsPath) -> bool {
        let Rules { rules, .. } = self.near(plan, &[from, to]);
        let folded = fold::path(from);
        rules.iter().any(|rule| match (&rule.closed, rule.place) {
            (Closed::Paths(paths), _) => paths.iter().any(|closed| closed.is_within(&folded)),
            (Closed::Glob(glob), Place::Denial(place)) => match plan.denials.get(place).map(|denial| &denial.pattern) {
                Some(FilePattern::Glob { glob: written, .. }) => !written.keeps_folded(glob, &folded, to),
                Some(FilePattern::Path(_)) | None => false,
            },
            (Closed::Glob(_), Place::Own(_)) => false,
        })
    }

    /// The rules that may be about another spelling of one of `paths`.
    fn near(&self, plan: &Plan, paths: &[&AbsPath]) -> &Rules {
        if paths.iter().all(|path| fold::is_plain(path)) {
            return self.unusual.get_or_init(|| Rules::of(plan, false));
        }
        self.all.get_or_init(|| {
            let Rules { mut rules, mut ends } = Rules::of(plan, false);
            let plain = Rules::of(plan, true);
            rules.extend(plain.rules);
            ends.extend(plain.ends);
            Rules { rules, ends }
        })
    }
}

/// Whether a place that is closed may lie inside a grant by another spelling than either is written in.
pub fn reach_into_grants(plan: &Plan) -> bool {
    let closed = || {
        let denied = plan.denials.iter().flat_map(|denial| match &denial.pattern {
            FilePattern::Path(path) => [Some(path), denial.real.as_ref()],
            FilePattern::Glob { .. } => [None, None],
        });
        plan.own.iter().map(|own| &own.path).chain(denied.flatten())
    };
    // Folded once: there are many grants.
    let unusual: Vec<_> = closed().filter(|path| !fold::is_plain(path)).map(fold::path).collect();
    plan.grants.iter().filter(|grant| grant.kind == PathKind::Directory).any(|grant| {
        let folded = fold::path(&grant.real);
        unusual.iter().any(|path| path.is_within(&folded))
            || !fold::is_plain(&grant.real) && closed().any(|path| fold::path(path).is_within(&folded))
    })
}

impl Rules {
    /// Those that are their own folded form, or those that are not.
    fn of(plan: &Plan, plain: bool) -> Self {
        let mut rules = Vec::new();
        for (place, own) in plan.own.iter().enumerate().filter(|(_, own)| own.kind != OwnKind::Kernel) {
            if fold::is_plain(&own.path) == plain {
                let closed = Closed::Paths(vec![fold::path(&own.path).into_owned()]);
                rules.push(Rule { place: Place::Own(place), closed });
            }
        }
        for (place, denial) in plan.denials.iter().enumerate() {
            let closed = match &denial.pattern {
                FilePattern::Glob { glob, .. } => (glob.is_plain() == plain).then(|| Closed::Glob(glob.folded())),
                FilePattern::Path(path) => {
                    let names = || [Some(path), denial.real.as_ref()].into_iter().flatten();
                    let folded = || Closed::Paths(names().map(|name| fold::path(name).into_owned()).collect());
                    (names().all(fold::is_plain) == plain).then(folded)
                }
            };
            rules.extend(closed.map(|closed| Rule { place: Place::Denial(place), closed }));
        }
        Self { ends: rules.iter().map(|rule| rule.closed.ends()).collect(), rules }
    }
}

impl Rule {
    /// Why `path` is closed, when the rule is about such use of it.
    fn reason<'p>(&self, plan: &'p Plan, path: &AbsPath, reads: bool) -> Option<Reason<'p>> {
        match self.place {
            Place::Own(place) => {
                let own = plan.own.get(place)?;
                (own.kind == OwnKind::Directory || !reads).then_some(Reason::Own(own))
            }
            Place::Denial(place) => {
                let denial = plan.denials.get(place)?;
                let excepted = match &denial.pattern {
                    FilePattern::Glob { except, .. } => except.iter().any(|except| except.matches(path)),
                    FilePattern::Path(_) => false,
                };
                (!excepted).then_some(Reason::Denial(denial))
            }
        }
    }
}

impl Closed {
    fn ends(&self) -> [usize; 2] {
        let length = |path: &AbsPath| if path.as_bytes().len() > 1 { path.as_bytes().len() } else { 0 };
        match self {
            Self::Glob(_) => [0; 2],
            Self::Paths(paths) => match paths.as_slice() {
                [one] => [length(one); 2],
                [one, other] => [length(one), length(other)],
                _ => [0; 2],
            },
        }
    }

    /// The shortest start of `path` that is covered when it is `folded`. Both have as many names.
    fn start(&self, path: &AbsPath, folded: &AbsPath) -> AbsPath {
        let (mut path, mut folded) = (path.clone(), folded.clone());
        while let (Some(above), Some(folded_above)) = (path.parent(), folded.parent()) {
            if !self.covers(&folded_above) {
                break;
            }
            (path, folded) = (above, folded_above);
        }
        path
    }

    fn covers(&self, folded: &AbsPath) -> bool {
        match self {
            Self::Glob(glob) => glob.matches(folded),
            Self::Paths(paths) => paths.iter().any(|closed| folded.is_within(closed)),
        }
    }
}
