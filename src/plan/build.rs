//! A profile and the facts of the host become a plan.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::profile::abs_path::AbsPath;
use crate::profile::repeated::firsts;
use crate::profile::{FilePattern, FileRule, FileRuleKind, Given, Profile, Provenance};

use super::denials::fingerprint;
use super::environment;
use super::{
    Access, Denial, Denials, Facts, Found, Grant, Host, OwnKind, OwnPlace, PathKind, Plan, SocketGrant, Warning,
};

/// Everything `profile`, with the flags merged in, means on this host.
///
/// Total: what cannot be granted becomes a warning or a line in [`Plan::missing`], never an error, because a policy
/// that grants less is still a policy.
pub fn build(profile: Profile, facts: &Facts, host: &mut dyn Host) -> Plan {
    let mut lookups = Lookups { host, seen: BTreeMap::new() };
    let own = own_places(facts, lookups.host);
    let denials = Denials::from(denials(&profile.files, lookups.host));
    let mut granting =
        Granting { denials: &denials, own: &own, grants: Vec::new(), missing: Vec::new(), warnings: Vec::new() };
    for rule in profile.files.iter().filter(|rule| rule.kind != FileRuleKind::Deny) {
        granting.add(rule, &mut lookups);
    }
    let unix_sockets = profile.unix_sockets.iter().filter_map(|given| granting.socket(given, &mut lookups)).collect();
    let Granting { grants, missing, mut warnings, .. } = granting;
    let environment = environment::declared(&profile.environment, &facts.environment, &mut warnings);
    Plan {
        workdir: facts.workdir.clone(),
        root: facts.root,
        grants,
        denials,
        unix_sockets,
        own,
        missing,
        environment,
        warnings,
        profile,
    }
}

/// Each distinct path is looked up once, so that two rules about it are about one object.
struct Lookups<'h> {
    host: &'h mut dyn Host,
    /// By a fingerprint and then by the path itself, since numbers are compared in no time.
    seen: BTreeMap<(u64, AbsPath), Found>,
}

impl Lookups<'_> {
    fn find(&mut self, path: &AbsPath) -> Found {
        match self.seen.entry((fingerprint(path.as_bytes()), path.clone())) {
            Entry::Occupied(seen) => seen.get().clone(),
            Entry::Vacant(new) => new.insert(self.host.look_up(path)).clone(),
        }
    }
}

/// nono's files, by the name they were found under and by where that really is.
fn own_places(facts: &Facts, host: &mut dyn Host) -> Vec<OwnPlace> {
    let directories = facts.own_directories.iter().map(|path| (path, OwnKind::Directory));
    let binary = facts.own_binary.iter().map(|path| (path, OwnKind::Binary));
    let policies = facts.own_policies.iter().map(|path| (path, OwnKind::Policy));
    let kernel =
        [&b"proc"[..], b"sys"].map(|name| OwnPlace { path: AbsPath::root().join(name), kind: OwnKind::Kernel });
    let mut own: Vec<OwnPlace> = Vec::from(kernel);
    for (path, kind) in directories.chain(binary).chain(policies) {
        for path in [path.clone(), host.real(path)] {
            let place = OwnPlace { path, kind };
            if !own.contains(&place) {
                own.push(place);
            }
        }
    }
    own
}

fn denials(rules: &[FileRule], host: &mut dyn Host) -> Vec<Denial> {
    let mut denials: Vec<Denial> = Vec::with_capacity(rules.len());
    let closing = || rules.iter().filter(|rule| rule.kind == FileRuleKind::Deny);
    let first = firsts(closing().map(|rule| &rule.pattern));
    for (rule, _) in closing().zip(first).filter(|(_, first)| *first) {
        match &rule.pattern {
            FilePattern::Path(path) => {
                let real = host.real(path);
                denials.push(denial(rule, rule.pattern.clone(), (real != *path).then_some(real)));
            }
            FilePattern::Glob { glob, except } => {
                add_pattern(&mut denials, rule, rule.pattern.clone());
                // Operations name real paths, so `/link/*.key` has to hold at the place that `/link` leads to as well.
                if let Some(glob) = glob.followed(|path| host.real(path)) {
                    let moved = except.iter().filter_map(|except| except.followed(|path| host.real(path)));
                    let except = moved.chain(except.iter().cloned()).collect();
                    add_pattern(&mut denials, rule, FilePattern::Glob { glob, except });
                }
            }
        }
    }
    denials
}

/// Patterns are few, and one that was moved may meet another that was written.
fn add_pattern(denials: &mut Vec<Denial>, rule: &FileRule, pattern: FilePattern) {
    if !denials.iter().any(|known| known.pattern == pattern) {
        denials.push(denial(rule, pattern, None));
    }
}

fn denial(rule: &FileRule, pattern: FilePattern, real: Option<AbsPath>) -> Denial {
    let (written, from, group) = (rule.written.clone(), rule.from.clone(), rule.group.clone());
    Denial { pattern, real, written, from, group }
}

/// The grants so far, and what they have to respect.
struct Granting<'d> {
    denials: &'d Denials,
    own: &'d [OwnPlace],
    grants: Vec<Grant>,
    missing: Vec<(AbsPath, Provenance)>,
    warnings: Vec<Warning>,
}

impl Granting<'_> {
    fn add(&mut self, rule: &FileRule, lookups: &mut Lookups<'_>) {
        let FilePattern::Path(path) = &rule.pattern else {
            return self
                .warn(rule, format!("{} is a pattern, which only `deny` takes, so nothing is granted", rule.written));
        };
        match lookups.find(path) {
            Found::Present { real, kind, handle } => {
                let grant = Grant {
                    access: Access::of(rule.kind),
                    path: path.clone(),
                    real,
                    kind,
                    handle,
                    rule: rule.kind,
                    written: Arc::clone(&rule.written),
                    from: rule.from.clone(),
                    group: rule.group.clone(),
                };
                self.keep(rule, grant);
            }
            Found::Missing { .. } if rule.group.is_some() => self.missing.push((path.clone(), rule.from.clone())),
            Found::Missing { .. } => {
                let next = if rule.from.line == 0 { "leave the flag out" } else { "remove the entry" };
                self.warn(rule, format!("{path} does not exist, so nothing is granted; create it first, or {next}"));
            }
            Found::Unreachable { why, .. } => {
                self.warn(
                    rule,
                    format!("{path} cannot be reached ({why}), so nothing is granted; check the directories above it"),
                );
            }
        }
    }

    /// Keeps `grant` unless a denial closes it altogether, or another entry for the same path says as much.
    fn keep(&mut self, rule: &FileRule, mut grant: Grant) {
        if let Some(denial) = self.denial(&grant.path, &grant.real) {
            if rule.group.is_none() {
                let text = format!(
                    "{} grants nothing: {} is denied ({}), and a denial beats every allow",
                    rule.written, grant.path, denial.from
                );
                self.warn(rule, text);
            }
            return;
        }
        if let Some(own) = self.own.iter().find(|own| grant.real.is_within(&own.path)) {
            match own.kind {
                OwnKind::Binary | OwnKind::Kernel | OwnKind::Policy => grant.access.write = false,
                OwnKind::Directory => grant.access = Access::NONE,
            }
            let whose =
                if own.kind == OwnKind::Kernel { "the kernel's, which nothing may change" } else { "nono's own" };
            let text = format!("{} is {whose}, and stays closed whatever a policy says", own.path);
            if grant.access != Access::of(rule.kind) {
                self.warn(rule, text);
            }
        }
        let same = |known: &Grant| known.real == grant.real;
        if grant.access == Access::NONE
            || self.grants.iter().any(|known| same(known) && known.access.includes(grant.access))
        {
            return;
        }
        let access = grant.access;
        self.grants.retain(|known| !(same(known) && access.includes(known.access)));
        self.grants.push(grant);
    }

    /// The grant of a socket, when one is there and nothing closes it.
    fn socket(&mut self, given: &Given<AbsPath>, lookups: &mut Lookups<'_>) -> Option<SocketGrant> {
        let path = &given.value;
        let refused = match lookups.find(path) {
            Found::Present { real, kind: PathKind::Socket, handle } => match self.denial(path, &real) {
                None if self.own.iter().any(|own| real.is_within(&own.path)) => format!("{path} is nono's own"),
                None => return Some(SocketGrant { path: path.clone(), real, handle, from: given.from.clone() }),
                Some(denial) => format!("{path} is denied ({}), and a denial beats every allow", denial.from),
            },
            Found::Present { .. } => format!("{path} is not a socket; name the socket itself"),
            Found::Missing { .. } => format!("the socket {path} does not exist; start what listens on it first"),
            Found::Unreachable { why, .. } => {
                format!("the socket {path} cannot be reached ({why}); check the directories above it")
            }
        };
        let text = format!("no connection is allowed: {refused}");
        self.warnings.push(Warning { text, from: given.from.clone() });
        None
    }

    /// The denial that closes an object, by the name it was given or by where it really is.
    fn denial(&self, path: &AbsPath, real: &AbsPath) -> Option<&Denial> {
        self.denials.covering_either(path, real)
    }

    fn warn(&mut self, rule: &FileRule, text: String) {
        self.warnings.push(Warning { text, from: rule.from.clone() });
    }
}
