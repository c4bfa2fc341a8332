//! The policies of all levels, put together so that none can take back what another asks for.

use super::{Blocklist, Enforcement, Include, Policy, Publisher};
use crate::profile::abs_path::AbsPath;
use crate::profile::glob::Names;

/// Where a policy comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Comes with nono.
    Embedded,
    /// A project's, in this directory.
    Project(AbsPath),
    /// The user's own.
    User,
}

/// A policy and whether its signature makes it count.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    pub origin: Origin,
    pub policy: Policy,
    /// Whether somebody who is trusted already signed it. What is not believed can ask for more, and allow nothing.
    pub believed: bool,
}

/// What holds after all levels were put together.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Each pattern with the directory it is meant from.
    scopes: Vec<Scope>,
    /// The patterns of levels without a directory.
    general: Vec<Include>,
    /// Publishers of the levels that are believed.
    pub(in crate::trust) publishers: Vec<Publisher>,
    /// What any level blocks.
    pub(in crate::trust) blocklist: Blocklist,
    enforcement: Enforcement,
    pub(in crate::trust) strict_paths: bool,
    protect: bool,
    /// Names or key ids of the publishers whose signatures count; without it, every publisher's do.
    pub(in crate::trust) signers: Option<Vec<String>>,
    /// Roots of projects, which names in bundles are relative to.
    pub(in crate::trust) roots: Vec<AbsPath>,
}

#[derive(Clone, Debug, PartialEq)]
struct Scope {
    root: AbsPath,
    includes: Vec<Include>,
}

impl Rules {
    /// Puts `levels` together. Patterns of levels without a directory hold beneath each of `scopes`; the first one is the
    /// root of the project where no level is a project's. `own_keys` are the user's and count like the user's publishers.
    pub fn new(levels: &[Level], scopes: &[AbsPath], own_keys: &[Publisher]) -> Self {
        let mut roots: Vec<AbsPath> = Vec::new();
        let mut all = Vec::new();
        for level in levels {
            let places = match &level.origin {
                Origin::Embedded | Origin::User => scopes,
                Origin::Project(root) => {
                    roots.push(root.clone());
                    std::slice::from_ref(root)
                }
            };
            for root in places {
                all.push(Scope { root: root.clone(), includes: level.policy.includes.clone() });
            }
        }
        roots.extend(scopes.first().filter(|_| roots.is_empty()).cloned());
        let general = levels.iter().filter(|level| !matches!(level.origin, Origin::Project(_)));
        let believed = || levels.iter().filter(|level| level.believed);
        let protect: Vec<bool> = believed().filter_map(|level| level.policy.protect).collect();
        let digests = levels.iter().flat_map(|level| level.policy.blocklist.digests.iter().cloned());
        let mut digests: Vec<_> = digests.collect();
        digests.sort_by_key(|blocked| blocked.sha256);
        // Those of the levels that are believed come first: only so many are looked at more closely.
        let blocked = believed().chain(levels.iter().filter(|level| !level.believed));
        Self {
            scopes: all,
            general: general.flat_map(|level| level.policy.includes.iter().cloned()).collect(),
            publishers: own_keys.iter().chain(believed().flat_map(|level| &level.policy.publishers)).cloned().collect(),
            blocklist: Blocklist {
                digests,
                publishers: blocked.flat_map(|level| level.policy.blocklist.publishers.iter().cloned()).collect(),
            },
            enforcement: levels.iter().map(|level| level.policy.enforcement).max().unwrap_or(Enforcement::Deny),
            strict_paths: levels.iter().any(|level| level.policy.strict_paths),
            protect: protect.is_empty() || protect.contains(&true),
            signers: None,
            roots,
        }
    }

    /// Denies what is not signed, and takes the signatures of `signers` alone, unless it is empty.
    #[must_use]
    pub fn requiring(mut self, signers: &[String]) -> Self {
        self.enforcement = Enforcement::Deny;
        if !signers.is_empty() {
            self.signers = Some(signers.to_vec());
        }
        self
    }

    /// What happens to a file that is not verified.
    pub fn enforcement(&self) -> Enforcement {
        self.enforcement
    }

    /// Lets the patterns that belong to no project hold wherever a file lies: what follows a `/` in the pattern begins at
    /// the root of the filesystem or at one of `homes`.
    #[must_use]
    pub fn everywhere(mut self, homes: &[AbsPath]) -> Self {
        for root in homes.iter().chain([&AbsPath::root()]) {
            let is_wide = *root == AbsPath::root();
            let includes = self.general.iter().filter(|include| is_wide || !include.is_at_any_depth());
            let scope = Scope { root: root.clone(), includes: includes.cloned().collect() };
            if !scope.includes.is_empty() && !self.scopes.contains(&scope) {
                self.scopes.push(scope);
            }
        }
        self
    }

    /// Takes `roots` for roots of projects too.
    #[must_use]
    pub fn with_roots(mut self, roots: impl IntoIterator<Item = AbsPath>) -> Self {
        for root in roots {
            if !self.roots.contains(&root) {
                self.roots.push(root);
            }
        }
        self
    }

    /// Whether the file at `path`, without symbolic links, matches a pattern: [`Duty`](super::Duty) says what it must be.
    pub fn protects(&self, path: &AbsPath) -> bool {
        self.scopes.iter().any(|scope| {
            beneath(&scope.root, path).is_some_and(|path| scope.includes.iter().any(|include| include.matches(&path)))
        })
    }

    /// The names that files in `directory` may have which match a pattern; perhaps more, never fewer.
    pub fn names_in(&self, directory: &AbsPath) -> Names<'_> {
        let mut names = Names::default();
        for scope in &self.scopes {
            match beneath(&scope.root, directory) {
                Some(place) => scope.includes.iter().for_each(|include| include.add_names_in(&place, &mut names)),
                None if scope.root.is_within(directory) => names.add_all(),
                None => {}
            }
        }
        names
    }

    /// Whether every file that must be signed beneath the directory `from` must be signed beneath `to` as well.
    pub fn keeps(&self, from: &AbsPath, to: &AbsPath) -> bool {
        self.scopes.iter().all(|scope| match (beneath(&scope.root, from), beneath(&scope.root, to)) {
            (None, _) => !scope.root.is_within(from),
            (Some(from), Some(to)) => scope.includes.iter().all(|include| include.keeps(&from, &to)),
            // Outside of the scope nothing has to be signed, so whatever the pattern reaches there is lost.
            (Some(from), None) => scope.includes.iter().all(|include| include.keeps(&from, &AbsPath::root())),
        })
    }

    /// Whether the program may not change what must be signed.
    pub fn keeps_from_change(&self) -> bool {
        self.protect
    }

    /// Whether anything is refused whatever else is said.
    pub fn blocks(&self) -> bool {
        !self.blocklist.digests.is_empty() || !self.blocklist.publishers.is_empty()
    }

    /// The roots of projects.
    pub fn roots(&self) -> &[AbsPath] {
        &self.roots
    }
}

/// `path` as if `root` were `/`, when it lies beneath.
fn beneath(root: &AbsPath, path: &AbsPath) -> Option<AbsPath> {
    let rest = path.is_within(root).then(|| path.as_bytes().get(root.as_bytes().len()..).unwrap_or_default())?;
    Some(AbsPath::root().join(rest))
}
