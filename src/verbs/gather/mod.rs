//! Reads the world for the verbs: the profile that was named, the facts of the host, and the plan the two make.

mod facts;
mod flags;
mod host;
mod library;
mod program;
mod supervision;
mod temporary;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use crate::cli::Sandbox;
use crate::enforce::cgroup::{self, Group};
use crate::enforce::gaps::Kernel;
use crate::enforce::limits::limits;
use crate::plan::{self, Host, Plan};
use crate::profile::Profile;
use crate::profile::abs_path::AbsPath;
use crate::profile::escape::escaped;
use crate::profile::read::problem::{FileFault, Problem, ProblemKind};
use crate::profile::resolve::{self as resolution, Source};
use crate::profile::variables::Variables;

pub(super) use self::facts::{kernel, state_directory, user_directory, variables, workdir};
pub(super) use self::host::RunningHost;
pub(super) use self::library::{Shelves, open_regular, read, read_up_to};
pub(super) use self::program::{ProgramError, find};
pub(super) use self::supervision::{
    Scanned, Trusting, overridden, project_root, secret_fault, sentence, session, trusting, trusting_file, user,
    webhook,
};
pub(super) use self::temporary::Temporary;

/// The profile of a command line that names none.
const DEFAULT_PROFILE: &str = "default";

/// Everything that was gathered for a program, or for a question about one.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) plan: Plan,
    pub(super) kernel: Kernel,
    pub(super) host: RunningHost,
    pub(super) temporary: Option<Temporary>,
    /// Which files must be signed.
    pub(super) trusting: Trusting,
}

/// What the gathered plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A question: nothing on the host is changed.
    Question,
    /// A program is going to run.
    Run,
}

/// The plan that the flags ask for. `account` is a file that the run writes at its end, and that nothing inside may change.
///
/// # Errors
/// Every sentence there is to say about why there is none.
pub(super) fn gather(flags: &Sandbox, purpose: Purpose, account: Option<&OsStr>) -> Result<Gathered, Vec<String>> {
    let current = workdir(None).map_err(|problem| vec![problem])?;
    let workdir = match &flags.workdir {
        Some(given) => workdir(Some(given)).map_err(|problem| vec![problem])?,
        None => current.clone(),
    };
    let variables = variables(&workdir);
    let mut profile = resolve(&policy_name(flags), &variables).map_err(|problems| sentences(&problems))?;
    flags::merge(&mut profile, flags, &current, &workdir)?;
    let mut temporary = None;
    if let (Purpose::Run, Some(from)) = (purpose, profile.private_temp.clone()) {
        let made = Temporary::grant(&mut profile, &from, variables.tmpdir.as_ref());
        temporary = Some(made.map_err(|problem| vec![problem])?);
    }
    let kernel = kernel(&profile.limits);
    let mut host = RunningHost::default();
    let mut facts = facts::facts(workdir, &variables);
    facts.own_policies.extend(policy_file(flags, &current));
    facts.own_policies.extend(account.map(|path| current.join_or_absolute(path.as_bytes())));
    facts.own_directories.extend(supervision::places(&profile));
    let mut trusting = trusting(&facts.workdir, &variables).map_err(|problem| vec![problem])?;
    facts.own_policies.extend(trusting.files.iter().cloned());
    let plan = plan::build::build(profile, &facts, &mut host);
    trusting.hold(&plan, variables.home.as_ref());
    Ok(Gathered { plan, kernel, host, temporary, trusting })
}

/// What `-p`, else `NONO_PROFILE`, names.
fn policy_name(flags: &Sandbox) -> OsString {
    let from_environment = || std::env::var_os("NONO_PROFILE").filter(|value| !value.is_empty());
    flags.profile.clone().or_else(from_environment).unwrap_or_else(|| OsString::from(DEFAULT_PROFILE))
}

/// Whether a policy is named by its file.
fn is_file(name: &OsStr) -> bool {
    name.as_bytes().contains(&b'/') || name.as_bytes().ends_with(b".json")
}

/// The file of the named policy, where it is one.
fn policy_file(flags: &Sandbox, current: &AbsPath) -> Option<AbsPath> {
    let name = policy_name(flags);
    is_file(&name).then(|| current.join_or_absolute(name.as_bytes()))
}

/// The plan of a policy without flags, on a host of the caller's, and the variables that its paths may mention.
///
/// # Errors
/// Everything that is wrong with the policy and what it builds on.
pub(super) fn plan_of(policy: &OsStr, host: &mut dyn Host) -> Result<(Plan, Variables), Vec<String>> {
    let workdir = workdir(None).map_err(|problem| vec![problem])?;
    let variables = variables(&workdir);
    let profile = resolve(policy, &variables).map_err(|problems| sentences(&problems))?;
    Ok((plan::build(profile, &facts::facts(workdir, &variables), host), variables))
}

/// A profile by name, or from a file when the value has a slash or ends in `.json`.
///
/// # Errors
/// Everything that is wrong with it and what it builds on.
pub(super) fn resolve(name: &OsStr, variables: &Variables) -> Result<Profile, Vec<Problem>> {
    let place: Arc<str> = Arc::from(name.to_string_lossy());
    let unreadable = |why| vec![Problem::of_file(&place, FileFault::Unreadable { why })];
    let shelves = shelves(variables).map_err(unreadable)?;
    if is_file(name) {
        let source = source(Path::new(name)).map_err(unreadable)?;
        return resolution::resolve(&source, &shelves, variables);
    }
    resolution::resolve_name(&place, &shelves, variables)
}

fn path_of(path: &AbsPath) -> std::path::PathBuf {
    std::path::PathBuf::from(OsStr::from_bytes(path.as_bytes()))
}

/// A path for a message: on one line, and elided when it is very long.
pub(super) fn shown(path: &Path) -> String {
    escaped(path.as_os_str().as_bytes(), 400)
}

/// Each problem; of a variable that is not set, the first entry alone, and how many more need it.
fn sentences(problems: &[Problem]) -> Vec<String> {
    let unset =
        |problem: &Problem| if let ProblemKind::UnsetVariable { name } = problem.kind { Some(name) } else { None };
    let (mut told, mut more) = (Vec::new(), BTreeMap::<&str, usize>::new());
    for problem in problems {
        match unset(problem).and_then(|name| more.get_mut(name)) {
            Some(count) => *count = count.saturating_add(1),
            None => {
                told.push(problem.to_string());
                more.extend(unset(problem).map(|name| (name, 0)));
            }
        }
    }
    let counted = more.into_iter().filter(|(_, count)| *count > 0);
    told.extend(counted.map(|(name, count)| format!("{name} is needed by {count} more entries")));
    told
}

/// The text of a policy file.
///
/// # Errors
/// A sentence, when it cannot be read.
pub(super) fn source(path: &Path) -> Result<Source, String> {
    let text = read(path).map_err(|error| error.to_string())?;
    Ok(Source { place: Arc::from(path.display().to_string()), text: Cow::Owned(text), built_in: None })
}

/// The user's and the system's policies.
///
/// # Errors
/// A sentence, when the user's directory cannot be trusted.
pub(super) fn shelves(variables: &Variables) -> Result<Shelves, String> {
    Shelves::new(user_directory(variables).as_ref(), &facts::system_directory())
}

/// The controllers that a cgroup for the program would have on this host.
pub(super) fn delegated_controllers() -> cgroup::Controllers {
    cgroup::delegated().map(|(_, controllers)| controllers).unwrap_or_default()
}

impl Gathered {
    /// What the plan's handles stand for, by index.
    pub(super) fn objects(&self) -> &[OwnedFd] {
        self.host.objects()
    }

    /// Where a path really is, with symbolic links followed as far as it exists.
    pub(super) fn real(&mut self, path: &AbsPath) -> AbsPath {
        self.host.real(path)
    }

    /// The cgroup that the limits on the whole tree need, if they need one.
    ///
    /// # Errors
    /// A sentence, when it cannot be made.
    pub(super) fn group(&self) -> Result<Option<Group>, String> {
        let (wanted, _) = limits(&self.plan, self.kernel.limits);
        if wanted == crate::enforce::limits::GroupLimits::default() {
            return Ok(None);
        }
        let Some((base, _)) = cgroup::delegated() else { return Err("the delegated cgroup is gone".to_owned()) };
        let made = Group::new(&base, wanted);
        made.map(Some).map_err(|error| format!("no cgroup for the limits in {}: {error}", shown(&base)))
    }
}
