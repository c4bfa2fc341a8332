//! Limits of a profile as what the kernel can keep. See `getrlimit(2)` and the kernel's `cgroup-v2` documentation.

use crate::plan::Plan;

use super::gaps::Gap;

/// How limits on a whole tree of processes can be kept on this host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mechanism {
    /// A cgroup of this user's own may be made with the memory controller.
    pub cgroup_memory: bool,
    /// The same with the pids controller.
    pub cgroup_processes: bool,
    /// Whether `RLIMIT_NPROC` holds for this user: it does not for the host's root.
    pub counts_user_processes: bool,
    /// Processes and threads the user has now, which `RLIMIT_NPROC` counts too.
    pub user_processes: u64,
}

/// A limit of one process, which its children inherit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessLimit {
    /// Bytes of address space.
    AddressSpace(u64),
    CpuSeconds(u64),
    OpenFiles(u64),
    /// Processes and threads of the user.
    UserProcesses(u64),
}

/// What a cgroup is to limit; `None` leaves it alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupLimits {
    /// Bytes, for `memory.max`.
    pub memory: Option<u64>,
    /// For `pids.max`.
    pub processes: Option<u64>,
}

/// The limits of `plan` by the mechanism this host has: one cgroup for the whole tree where it can be had, else
/// limits that each process inherits.
pub fn limits(plan: &Plan, mechanism: Mechanism) -> (GroupLimits, Vec<ProcessLimit>) {
    let wanted = &plan.profile.limits;
    let mut group = GroupLimits::default();
    let mut each = Vec::new();
    if let Some(given) = &wanted.memory {
        if mechanism.cgroup_memory {
            group.memory = Some(given.value);
        } else {
            each.push(ProcessLimit::AddressSpace(given.value));
        }
    }
    if let Some(given) = &wanted.processes {
        if mechanism.cgroup_processes {
            group.processes = Some(given.value);
        } else {
            each.push(ProcessLimit::UserProcesses(given.value.saturating_add(mechanism.user_processes)));
        }
    }
    each.extend(wanted.open_files.iter().map(|given| ProcessLimit::OpenFiles(given.value)));
    each.extend(wanted.cpu_seconds.iter().map(|given| ProcessLimit::CpuSeconds(given.value)));
    (group, each)
}

/// Limits that nothing here would keep.
pub(super) fn gaps(plan: &Plan, mechanism: Mechanism) -> Vec<Gap> {
    let processes = plan.profile.limits.processes.iter();
    let unkept = processes.filter(|_| !mechanism.cgroup_processes && !mechanism.counts_user_processes);
    let gap = |given: &crate::profile::Given<u64>| Gap {
        text: format!(
            "limits.processes {} ({}) cannot be kept: root has no limit of its own on processes, and no cgroup v2 with \
             the pids controller is at hand; run as another user, or delegate a cgroup",
            given.value, given.from
        ),
        degradable: true,
    };
    unkept.map(gap).collect()
}
