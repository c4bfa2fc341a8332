//! What a plan asks for that would not be kept here: by this kernel, or without a supervisor. Nothing runs over a gap
//! unless the user said `--degraded`, and over some not even then.

use std::fmt;

use syscalls::abi::landlock::{VERSIONS, fs, net, scope};

use crate::plan::denials::spelled;
use crate::plan::{Denial, Grant, OwnKind, OwnPlace, PathKind, Plan};
use crate::profile::abs_path::AbsPath;
use crate::profile::escape::escaped;
use crate::profile::{Approver, FilePattern, Provenance};

use super::landlock::handled;
use super::limits::{self, Mechanism};

/// What the running kernel offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Zero without Landlock.
    pub landlock_abi: u32,
    /// Whether filters of system calls can be loaded.
    pub seccomp: bool,
    /// How limits on the whole program can be kept.
    pub limits: Mechanism,
    /// Such as `6.12.9`.
    pub release: String,
}

/// One promise that would not be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// A sentence: what is asked for, and what is missing.
    pub text: String,
    /// Whether `--degraded` may run over it.
    pub degradable: bool,
}

/// Longest piece of a policy's text in a message, in characters.
const MOST_SHOWN: usize = 200;
/// Entries that one message names.
const MOST_LISTED: usize = 3;

/// Every gap between `plan` and what is kept on this kernel.
pub fn gaps(plan: &Plan, kernel: &Kernel) -> Vec<Gap> {
    let mut gaps = kernel_gaps(plan, kernel);
    if !plan.is_supervised() {
        gaps.extend(own_gaps(plan));
        gaps.extend(denial_gaps(plan));
        gaps.extend(supervisor_gaps(plan, kernel));
    }
    gaps.extend(version_gaps(plan));
    gaps.extend(limits::gaps(plan, kernel.limits));
    gaps
}

/// Whether the kernel's rules alone refuse every file that `plan` refuses: nothing closed lies inside a grant, nor would where
/// names are compared without case.
pub fn kernel_keeps_files(plan: &Plan) -> bool {
    own_gaps(plan).is_empty() && denial_gaps(plan).is_empty() && !spelled::reach_into_grants(plan)
}

/// Rights, scopes and calls the plan needs and the kernel lacks.
fn kernel_gaps(plan: &Plan, kernel: &Kernel) -> Vec<Gap> {
    let has = handled(kernel.landlock_abi);
    let mut gaps = Vec::new();
    let mut missing = |what: &str, needs: &str| {
        gaps.push(Gap {
            text: format!("{what}: this needs {needs}, and this is {}", kernel.release),
            degradable: true,
        });
    };
    if !kernel.seccomp {
        missing("system calls cannot be filtered", "a kernel with CONFIG_SECCOMP_FILTER");
    }
    if kernel.landlock_abi == 0 {
        missing(
            "no file would be out of reach",
            "Landlock, in Linux since 5.13 (CONFIG_SECURITY_LANDLOCK, and landlock in the boot parameter lsm=)",
        );
        return gaps;
    }
    if has.handled_access_fs & fs::TRUNCATE == 0 {
        missing("files that may only be read could be emptied", &landlock_of(|version| version.fs & fs::TRUNCATE));
    }
    if has.handled_access_fs & fs::IOCTL_DEV == 0 && plan.grants.iter().any(holds_devices) {
        missing(
            "every request to the devices of a granted directory would pass",
            &landlock_of(|version| version.fs & fs::IOCTL_DEV),
        );
    }
    if has.scoped & scope::SIGNAL == 0 {
        missing("the program could signal your other processes", &landlock_of(|version| version.scope & scope::SIGNAL));
    }
    let listens = plan.profile.network.as_ref().is_some_and(|network| !network.listen.is_empty());
    let listens = listens && !plan.is_supervised();
    if has.handled_access_net & net::BIND_TCP == 0 && listens {
        missing("the program could listen on every port", &landlock_of(|version| version.net & net::BIND_TCP));
    }
    gaps
}

/// The kernel that has a right, in words.
fn landlock_of(has: impl Fn(&syscalls::abi::landlock::Version) -> u64) -> String {
    match VERSIONS.iter().find(|version| has(version) != 0) {
        Some(version) => format!("Landlock ABI {}, in Linux since {}", version.abi, version.kernel),
        None => "a newer Landlock".to_owned(),
    }
}

fn holds_devices(grant: &Grant) -> bool {
    let path = grant.real.as_bytes();
    grant.kind == PathKind::Directory && (path == b"/" || path == b"/dev" || path.starts_with(b"/dev/"))
}

/// Places that stay closed whatever the policy says: a grant around one of them cannot be made.
fn own_gaps(plan: &Plan) -> Vec<Gap> {
    let exposes = |grant: &Grant, own: &OwnPlace| {
        let opens = own.kind == OwnKind::Directory || grant.access.write;
        opens && (own.path.is_within(&grant.real) || grant.real.is_within(&own.path))
    };
    let about = |grant: &Grant| {
        let held = plan.own.iter().filter(|own| exposes(grant, own)).map(named_own);
        let text = listed(held)?;
        Some(Gap {
            text: format!("{} reaches {text}: grant something narrower", named_grant(grant)),
            degradable: false,
        })
    };
    plan.grants.iter().filter_map(about).collect()
}

fn named_own(own: &OwnPlace) -> String {
    let what = match own.kind {
        OwnKind::Binary => "nono's program file, which nothing inside may change",
        OwnKind::Directory => "nono's own files, which nothing inside may touch",
        OwnKind::Policy => "the policy or the account of this run, which nothing inside may change",
        OwnKind::Kernel => "the kernel's settings, which nothing inside may change",
    };
    format!("{} ({what})", own.path)
}

/// Denials beneath a grant: the kernel's rules cannot take back a part of what they gave.
fn denial_gaps(plan: &Plan) -> Vec<Gap> {
    // Nothing lies inside anything but a directory.
    let directories = || plan.grants.iter().filter(|grant| grant.kind == PathKind::Directory);
    if !plan.denials.reach_into(directories().map(|grant| &grant.real)) {
        return Vec::new();
    }
    let about = |grant: &Grant| {
        let inside = plan.denials.iter().filter(|denial| reaches_into(&grant.real, denial));
        let text = listed(
            inside.map(|denial| format!("deny {} ({})", escaped(denial.written.as_bytes(), MOST_SHOWN), denial.from)),
        )?;
        let text = format!(
            "{text} lies inside {}: the kernel alone cannot take back a part of a grant; \
             grant the directories beside it instead",
            named_grant(grant),
        );
        Some(Gap { text, degradable: true })
    };
    directories().filter_map(about).collect()
}

/// The first few of `items`, and how many more there are; `None` when there are none.
fn listed(items: impl Iterator<Item = String>) -> Option<String> {
    let items: Vec<String> = items.collect();
    let shown = items.get(..MOST_LISTED.min(items.len()))?.join(", ");
    let more = items.len().saturating_sub(MOST_LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!items.is_empty()).then(|| format!("{shown}{more}"))
}

/// Whether something that `denial` closes may lie in `directory`.
fn reaches_into(directory: &AbsPath, denial: &Denial) -> bool {
    match &denial.pattern {
        FilePattern::Path(path) => {
            path.is_within(directory) || denial.real.as_ref().is_some_and(|real| real.is_within(directory))
        }
        FilePattern::Glob { .. } => true,
    }
}

fn named_grant(grant: &Grant) -> String {
    format!("{} {} ({})", grant.rule, escaped(grant.written.as_bytes(), MOST_SHOWN), grant.from)
}

/// What only a process beside the program could keep.
fn supervisor_gaps(plan: &Plan, kernel: &Kernel) -> Vec<Gap> {
    let mut asked: Vec<(String, &Provenance)> = Vec::new();
    if handled(kernel.landlock_abi).handled_access_fs & fs::RESOLVE_UNIX == 0 {
        asked.extend(plan.unix_sockets.iter().map(|given| (format!("unix socket {}", given.path), &given.from)));
    }
    if let Some(network) = &plan.profile.network {
        asked.extend(network.allow.iter().map(|given| (format!("network.allow {}", given.value), &given.from)));
        for given in &network.listen {
            let why = match given.value.address {
                Some(address) if address.is_unspecified() => "keeping other ports closed to listen(2)",
                Some(_) | None => "keeping it to that address",
            };
            asked.push((format!("network.listen {} ({why})", given.value), &given.from));
        }
    }
    let supervisor = &plan.profile.supervisor;
    for given in supervisor.approval.iter().filter(|given| given.value != Approver::Deny) {
        asked.push(("supervisor.approval".to_owned(), &given.from));
    }
    asked.extend(supervisor.webhook.iter().map(|given| ("supervisor.webhook".to_owned(), &given.from)));
    if let Some(given) = plan.profile.trust.require_signed_instructions.as_ref().filter(|given| given.value) {
        asked.push(("trust.require_signed_instructions".to_owned(), &given.from));
    }
    asked.extend(plan.profile.audit_level.iter().map(|given| ("audit".to_owned(), &given.from)));
    let gap = |(what, from): (String, &Provenance)| Gap {
        text: format!(
            "{what} ({from}) needs a supervisor beside the program: use `nono run` without supervisor.enabled false"
        ),
        degradable: true,
    };
    asked.into_iter().map(gap).collect()
}

/// What a profile may ask for and this version does not do.
fn version_gaps(plan: &Plan) -> Vec<Gap> {
    let profile = &plan.profile;
    let mut asked: Vec<(String, &Provenance)> = Vec::new();
    asked.extend(profile.undo.iter().filter(|given| given.value).map(|given| ("undo".to_owned(), &given.from)));
    let gap = |(what, from): (String, &Provenance)| Gap {
        text: format!("{what} ({from}) cannot be kept by this version: remove the entry"),
        degradable: true,
    };
    asked.into_iter().map(gap).collect()
}

impl fmt::Display for Gap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}
