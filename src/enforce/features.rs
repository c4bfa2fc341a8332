//! Every feature of the host that enforcement uses, for `nono doctor`.

use syscalls::abi::landlock::{RulesetAttr, fs, net, scope};

use super::cgroup::Controllers;
use super::gaps::Kernel;
use super::landlock::handled;

/// One thing a kernel may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    pub name: &'static str,
    pub present: bool,
    /// Whether every run is refused without it.
    pub required: bool,
    /// Where it comes from.
    pub since: &'static str,
    /// What it costs when it is missing.
    pub without: &'static str,
}

/// The state of each feature on this host.
pub fn features(kernel: &Kernel, group: Controllers) -> Vec<Feature> {
    let filter = feature(
        "filters of system calls",
        kernel.seccomp,
        true,
        "CONFIG_SECCOMP_FILTER",
        "every run is refused: the program would reach the whole kernel",
    );
    let has = handled(kernel.landlock_abi);
    [vec![filter], for_files(&has), for_the_rest(&has), for_limits(group)].concat()
}

fn feature(name: &'static str, present: bool, required: bool, since: &'static str, without: &'static str) -> Feature {
    Feature { name, present, required, since, without }
}

fn for_files(has: &RulesetAttr) -> Vec<Feature> {
    let file = |right| has.handled_access_fs & right != 0;
    vec![
        feature(
            "Landlock: files",
            file(fs::READ_FILE),
            true,
            "Landlock ABI 1, Linux 5.13",
            "every run is refused: no file would be out of reach",
        ),
        feature(
            "Landlock: moves between directories",
            file(fs::REFER),
            false,
            "Landlock ABI 2, Linux 5.19",
            "renaming and linking across directories always fails inside",
        ),
        feature(
            "Landlock: truncation",
            file(fs::TRUNCATE),
            true,
            "Landlock ABI 3, Linux 6.2",
            "every run is refused: files that may only be read could be emptied",
        ),
        feature(
            "Landlock: requests to devices",
            file(fs::IOCTL_DEV),
            false,
            "Landlock ABI 5, Linux 6.10",
            "a policy that grants a directory of devices is refused",
        ),
        feature(
            "Landlock: Unix sockets by path",
            file(fs::RESOLVE_UNIX),
            false,
            "Landlock ABI 9, Linux 7.1",
            "nothing is lost in a supervised run; `nono wrap` closes connect(2) altogether, and refuses unix_sockets",
        ),
    ]
}

fn for_the_rest(has: &RulesetAttr) -> Vec<Feature> {
    vec![
        feature(
            "Landlock: TCP ports",
            has.handled_access_net & net::BIND_TCP != 0,
            false,
            "Landlock ABI 4, Linux 6.7",
            "a policy with network.listen is refused; connecting is closed by the filter",
        ),
        feature(
            "Landlock: signals",
            has.scoped & scope::SIGNAL != 0,
            true,
            "Landlock ABI 6, Linux 6.12",
            "every run is refused: the program could signal your other processes",
        ),
        feature(
            "Landlock: abstract Unix sockets",
            has.scoped & scope::ABSTRACT_UNIX_SOCKET != 0,
            false,
            "Landlock ABI 6, Linux 6.12",
            "nothing is lost: the filter closes connect(2) altogether",
        ),
        feature(
            "Landlock: UDP",
            has.handled_access_net & net::CONNECT_SEND_UDP != 0,
            false,
            "Landlock ABI 10, Linux 7.2",
            "nothing is lost: UDP is closed by the filter, or mediated by the supervisor where `network` opens some",
        ),
    ]
}

fn for_limits(group: Controllers) -> Vec<Feature> {
    vec![
        feature(
            "cgroup v2: memory",
            group.memory,
            false,
            "a delegated cgroup with the memory controller",
            "limits.memory bounds the address space of each process instead of the whole tree",
        ),
        feature(
            "cgroup v2: processes",
            group.processes,
            false,
            "a delegated cgroup with the pids controller",
            "limits.processes counts all processes of the user, and is refused for root",
        ),
    ]
}
