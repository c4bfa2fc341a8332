//! The sandbox on Linux: Landlock rules, a filter of system calls, no privileges, no inherited descriptors.

use std::convert::Infallible;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};

use syscalls::abi::{Arch, SockFilter};
use syscalls::credentials::{self, CapabilitySet, number};
use syscalls::landlock::Ruleset;
use syscalls::limits::Resource;
use syscalls::process::{self, StringList};
use syscalls::signal::{self, Signal, SignalSet};
use syscalls::{Errno, file, notify, seccomp};

use super::cgroup::Group;
use super::gaps::Kernel;
use super::landlock::{self, handled};
use super::limits::{ProcessLimit, limits};
use super::seccomp as table;
use crate::plan::{Plan, network};
use crate::profile::Capability;

/// The one limit at which the kernel neither writes a core dump nor pipes it to a program: it is too small for a file, and
/// stands for the program that the pipe leads to (`fs/coredump.c`). Zero keeps only files from being written (`core(5)`).
const NO_CORE_DUMP: u64 = 1;

/// What is to be started: where it was found, and its words.
#[derive(Clone, Debug)]
pub struct Program {
    pub path: CString,
    pub arguments: Vec<CString>,
}

/// A sandbox that waits to be entered.
#[derive(Debug)]
pub struct Prepared {
    /// `None` only on a kernel without Landlock, when the user accepted that.
    ruleset: Option<Ruleset>,
    filter: Vec<SockFilter>,
    limits: Vec<(Resource, u64)>,
    kept: CapabilitySet,
    /// `cgroup.procs` of the cgroup that holds the limits on the whole tree.
    group: Option<OwnedFd>,
    workdir: CString,
    path: CString,
    arguments: StringList,
    /// `/bin/sh PATH ARG…`, for a script without `#!`, as `execvp(3)` does it.
    shell_arguments: StringList,
    environment: StringList,
    /// Somebody answers the calls that the filter hands over.
    supervised: bool,
}

/// How a program that is about to start meets whoever answers its calls.
pub trait Meeting {
    /// Tells the number of the descriptor on which the calls arrive, and waits until somebody receives. Does not allocate.
    ///
    /// # Errors
    /// Those of `write(2)` and `read(2)`; `EPIPE` when nobody is there.
    fn hand_over_listener(&self, number: i32) -> Result<(), Errno>;
}

/// A step of entering the sandbox, in the order they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Signals,
    Limits,
    WorkingDirectory,
    Descriptors,
    Capabilities,
    NoNewPrivileges,
    Landlock,
    Filter,
    Execute,
}

/// Why the program was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    pub stage: Stage,
    pub errno: Errno,
}

/// Makes everything that entering needs. `objects` are what the plan's handles stand for, by index.
///
/// # Errors
/// A Landlock rule the kernel refused.
pub fn prepare(
    plan: &Plan,
    kernel: &Kernel,
    objects: &[OwnedFd],
    group: Option<&Group>,
    program: Program,
) -> Result<Prepared, Failure> {
    let joined = group.map(|group| group.members().try_clone_to_owned()).transpose();
    let group = joined
        .map_err(|error| Failure { stage: Stage::Limits, errno: Errno(error.raw_os_error().unwrap_or_default()) })?;
    let ruleset = match kernel.landlock_abi {
        0 => None,
        abi => Some(ruleset(plan, abi, objects).map_err(|errno| Failure { stage: Stage::Landlock, errno })?),
    };
    let (_, each) = limits(plan, kernel.limits);
    let mut shell = vec![c"sh".to_owned(), program.path.clone()];
    shell.extend(program.arguments.iter().skip(1).cloned());
    let environment = plan.environment.iter().filter_map(|(name, value)| {
        let pair: Vec<u8> = [name.as_slice(), b"=", value.as_slice()].concat();
        CString::new(pair).ok()
    });
    Ok(Prepared {
        ruleset,
        filter: if kernel.seccomp { table::filter(&options(plan, kernel), Arch::NATIVE) } else { Vec::new() },
        limits: std::iter::once((Resource::CoreDump, NO_CORE_DUMP)).chain(each.into_iter().map(resource)).collect(),
        kept: kept(plan),
        group,
        workdir: CString::new(plan.workdir.as_bytes()).unwrap_or_default(),
        path: program.path,
        arguments: StringList::new(program.arguments),
        shell_arguments: StringList::new(shell),
        environment: StringList::new(environment.collect()),
        supervised: plan.is_supervised(),
    })
}

/// What the filter has to close because the kernel's other rules leave it open.
fn options(plan: &Plan, kernel: &Kernel) -> table::Options {
    use syscalls::abi::landlock::fs::RESOLVE_UNIX;
    let mediated = handled(kernel.landlock_abi).handled_access_fs & RESOLVE_UNIX != 0;
    let listens = plan.profile.network.as_ref().is_some_and(|network| !network.listen.is_empty());
    // Root owns every system file, and a program that writes nothing has no file to set the mode of.
    let metadata_refused = plan.root || !plan.has_writable_files();
    table::Options {
        metadata: if metadata_refused { table::Metadata::Refused } else { table::Metadata::Passed },
        unix_sockets: if mediated { table::UnixSockets::KernelMediated } else { table::UnixSockets::Refused },
        tcp_listen: listens,
        supervised: plan.is_supervised(),
        datagrams: if network::connects(plan) { table::Datagrams::Mediated } else { table::Datagrams::Refused },
    }
}

fn ruleset(plan: &Plan, abi: u32, objects: &[OwnedFd]) -> Result<Ruleset, Errno> {
    let rules = landlock::rules(plan, abi);
    let ruleset = Ruleset::new(&rules.handled, rules.size)?;
    for (handle, access) in rules.objects {
        let object = usize::try_from(handle.0).ok().and_then(|index| objects.get(index)).ok_or(Errno::INVALID)?;
        ruleset.allow_path(object.as_fd(), access)?;
    }
    for (port, access) in rules.ports {
        ruleset.allow_port(port, access)?;
    }
    Ok(ruleset)
}

fn resource(limit: ProcessLimit) -> (Resource, u64) {
    match limit {
        ProcessLimit::AddressSpace(bytes) => (Resource::AddressSpace, bytes),
        ProcessLimit::CpuSeconds(seconds) => (Resource::CpuTime, seconds),
        ProcessLimit::OpenFiles(count) => (Resource::OpenFiles, count),
        ProcessLimit::UserProcesses(count) => (Resource::Processes, count),
    }
}

/// The capabilities the policy lists, for root; nobody else has any to keep.
fn kept(plan: &Plan) -> CapabilitySet {
    if !plan.root {
        return CapabilitySet::default();
    }
    let bit = |capability: Capability| match capability {
        Capability::Chown => number::CHOWN,
        Capability::DacOverride => number::DAC_OVERRIDE,
        Capability::Fowner => number::FOWNER,
        Capability::Fsetid => number::FSETID,
        Capability::Kill => number::KILL,
        Capability::NetBindService => number::NET_BIND_SERVICE,
        Capability::Setgid => number::SETGID,
        Capability::Setuid => number::SETUID,
    };
    CapabilitySet(plan.capabilities().fold(0, |bits, capability| bits | 1 << bit(capability)))
}

impl Failure {
    /// Whether the program, or an interpreter it names, is not there.
    pub fn is_missing(&self) -> bool {
        self.stage == Stage::Execute && matches!(self.errno, Errno::NOT_FOUND | Errno::NOT_DIRECTORY)
    }
}

impl Prepared {
    /// Applies the sandbox to the calling process and becomes the program; returns only when something failed. Between
    /// `fork(2)` and here nothing allocates. `mask` is what the program finds blocked.
    ///
    /// # Errors
    /// The step that failed. Steps before it stay applied, so the caller can only report and exit.
    pub fn enter(&self, mask: Option<&SignalSet>, meeting: Option<&dyn Meeting>) -> Result<Infallible, Failure> {
        let at = |stage| move |errno| Failure { stage, errno };
        if let Some(mask) = mask {
            mask.set_mask().map_err(at(Stage::Signals))?;
        }
        // The Rust runtime ignores SIGPIPE, and an ignored signal stays ignored across execve(2).
        signal::set_default(Signal::PIPE).map_err(at(Stage::Signals))?;
        for &(resource, value) in &self.limits {
            syscalls::limits::limit(resource, value).map_err(at(Stage::Limits))?;
        }
        if let Some(group) = &self.group {
            file::write(group.as_fd(), b"0").map_err(at(Stage::Limits))?;
        }
        file::change_directory(&self.workdir).map_err(at(Stage::WorkingDirectory))?;
        file::close_on_exec_from(3).map_err(at(Stage::Descriptors))?;
        for standard in 0..3 {
            file::disown(standard).map_err(at(Stage::Descriptors))?;
        }
        credentials::keep_capabilities(self.kept).map_err(at(Stage::Capabilities))?;
        credentials::set_no_new_privs().map_err(at(Stage::NoNewPrivileges))?;
        if let Some(ruleset) = &self.ruleset {
            ruleset.restrict_self().map_err(at(Stage::Landlock))?;
        }
        self.load_filter(meeting).map_err(at(Stage::Filter))?;
        let errno = self.execute();
        Err(Failure { stage: Stage::Execute, errno })
    }

    /// Loads the filter; one that hands calls over only with somebody to take them.
    fn load_filter(&self, meeting: Option<&dyn Meeting>) -> Result<(), Errno> {
        match (self.supervised, meeting) {
            (false, _) if self.filter.is_empty() => Ok(()),
            (false, _) => seccomp::load(&self.filter),
            (true, Some(meeting)) => {
                // The other process may look into this one only while it is dumpable, as every program is after execve(2).
                process::set_dumpable(true)?;
                let listener = notify::load_with_listener(&self.filter)?;
                meeting.hand_over_listener(listener)
            }
            (true, None) => Err(Errno::INVALID),
        }
    }

    /// Whether somebody has to answer the program's calls.
    pub fn is_supervised(&self) -> bool {
        self.supervised
    }

    /// What the program keeps of root's power; whoever acts for it keeps no more.
    pub fn kept_capabilities(&self) -> CapabilitySet {
        self.kept
    }

    fn execute(&self) -> Errno {
        const SHELL: &CStr = c"/bin/sh";
        match process::execute(&self.path, &self.arguments, &self.environment) {
            Errno::NOT_EXECUTABLE => process::execute(SHELL, &self.shell_arguments, &self.environment),
            errno => errno,
        }
    }
}

impl Stage {
    /// Every stage, by the number it has in a report.
    pub const ALL: [Self; 9] = [
        Self::Signals,
        Self::Limits,
        Self::WorkingDirectory,
        Self::Descriptors,
        Self::Capabilities,
        Self::NoNewPrivileges,
        Self::Landlock,
        Self::Filter,
        Self::Execute,
    ];

    /// What was being done, to go before the system's own words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Signals => "the signal mask could not be restored (sigprocmask)",
            Self::Limits => "a resource limit could not be set (setrlimit)",
            Self::WorkingDirectory => "the working directory could not be entered (chdir)",
            Self::Descriptors => {
                "inherited descriptors could not be closed (close_range, in Linux since 5.11) or disowned (fcntl)"
            }
            Self::Capabilities => {
                "capabilities could not be given up (capset): the policy lists one that this user lacks"
            }
            Self::NoNewPrivileges => "no_new_privs could not be set (prctl)",
            Self::Landlock => "the Landlock rules could not be made",
            Self::Filter => "the filter of system calls could not be loaded (seccomp)",
            Self::Execute => "the program could not be executed (execve)",
        }
    }
}
