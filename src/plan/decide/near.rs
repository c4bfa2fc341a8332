//! The few rules of a plan that may be about a file in one directory: those are asked about again and again.

use std::cmp::Reverse;

use crate::plan::{Denial, Grant, OwnPlace, Plan};
use crate::profile::FilePattern;
use crate::profile::abs_path::AbsPath;
use crate::profile::glob::Names;

/// Places of the rules in a plan that may cover something directly in a directory, in the plan's order.
#[derive(Clone, Debug)]
pub struct Near {
    directory: AbsPath,
    own: Vec<usize>,
    denials: Vec<usize>,
    /// The names of entries that the patterns among the denials may match.
    matching: Names<'static>,
    grants: Vec<usize>,
    /// The grant by which every entry may be read whose name is not among those.
    reads: Option<usize>,
}

impl Near {
    /// What `plan` says near the entries of `directory`.
    pub fn new(plan: &Plan, directory: AbsPath) -> Self {
        // Whatever covers an entry names the directory, one above it, or the entry.
        let is_near = |path: &AbsPath| directory.is_within(path) || is_in(path, &directory);
        let denies = |denial: &Denial| match &denial.pattern {
            FilePattern::Path(path) => is_near(path) || denial.real.as_ref().is_some_and(is_near),
            FilePattern::Glob { .. } => true,
        };
        let mut matching = Names::default();
        for denial in plan.denials.iter() {
            match &denial.pattern {
                FilePattern::Glob { glob, .. } => glob.add_names_in(&directory, &mut matching),
                FilePattern::Path(_) => {}
            }
        }
        let mut near = Self {
            matching: matching.into_owned(),
            own: places(&plan.own, |own| is_near(&own.path)),
            denials: places(&plan.denials, denies),
            grants: places(&plan.grants, |grant| is_near(&grant.real)),
            reads: None,
            directory,
        };
        near.reads = near.read_by(plan);
        near
    }

    /// The grant that lets every entry be read by whose name no rule goes, where there is one.
    fn read_by(&self, plan: &Plan) -> Option<usize> {
        let mut denials = self.denials.iter().filter_map(|&place| plan.denials.get(place));
        let by_name = |denial: &Denial| match &denial.pattern {
            FilePattern::Glob { .. } => denial.real.is_none(),
            FilePattern::Path(_) => false,
        };
        let all_by_name = self.own.is_empty() && denials.all(by_name);
        // One about an entry alone is nearer to that.
        let whole = self.grants(plan).all(|grant| self.directory.is_within(&grant.real));
        if !all_by_name || !whole {
            return None;
        }
        let length = |place: usize| plan.grants.get(place).map_or(0, |grant| grant.real.as_bytes().len());
        let reads = |place: &usize| plan.grants.get(*place).is_some_and(|grant| grant.access.read);
        self.grants.iter().copied().filter(reads).min_by_key(|&place| Reverse(length(place)))
    }

    /// The grant by which the entry `path` may be read, where that takes no look at any other rule.
    pub(super) fn plainly_read<'p>(&self, plan: &'p Plan, path: &AbsPath) -> Option<&'p Grant> {
        let name = path.file_name()?;
        let grant = plan.grants.get(self.reads?)?;
        (!self.matching.may_match(name)).then_some(grant)
    }

    /// Whether `path` is an entry of the directory.
    pub fn is_about(&self, path: &AbsPath) -> bool {
        is_in(path, &self.directory)
    }

    pub(super) fn own<'p>(&self, plan: &'p Plan) -> impl Iterator<Item = &'p OwnPlace> {
        self.own.iter().filter_map(|&place| plan.own.get(place))
    }

    /// The denials that may cover the entry `path`.
    pub(super) fn denials<'p>(&self, plan: &'p Plan, path: &AbsPath) -> impl Iterator<Item = &'p Denial> {
        let may_match = path.file_name().is_none_or(|name| self.matching.may_match(name));
        let may_cover = move |denial: &&Denial| match &denial.pattern {
            FilePattern::Glob { .. } => may_match || denial.real.is_some(),
            FilePattern::Path(_) => true,
        };
        self.denials.iter().filter_map(|&place| plan.denials.get(place)).filter(may_cover)
    }

    pub(super) fn grants<'p>(&self, plan: &'p Plan) -> impl Iterator<Item = &'p Grant> {
        self.grants.iter().filter_map(|&place| plan.grants.get(place))
    }
}

/// Whether `path` lies directly in `directory`.
fn is_in(path: &AbsPath, directory: &AbsPath) -> bool {
    let Some(name) = path.file_name() else { return false };
    let above = path.as_bytes().len().saturating_sub(name.len());
    // The root is the one directory whose text ends with the slash.
    let above = if above > 1 { above.saturating_sub(1) } else { above };
    path.as_bytes().get(..above) == Some(directory.as_bytes())
}

fn places<T>(rules: &[T], is_near: impl Fn(&T) -> bool) -> Vec<usize> {
    rules.iter().enumerate().filter(|(_, rule)| is_near(rule)).map(|(place, _)| place).collect()
}
