//! What `run` says before the program starts: everything it grants, in a dozen lines at most.

use crate::enforce::gaps::Kernel;
use crate::enforce::limits::{GroupLimits, ProcessLimit, limits};
use crate::plan::{Grant, Plan};
use crate::profile::escape::escaped;

/// Grants of the user's own that are listed one by one.
const MOST_GRANTS: usize = 4;
/// Characters of a path that are shown.
const MOST_SHOWN: usize = 160;

/// The lines for `plan`; with `verbose` every grant, denial and variable, each with the place that gave it.
pub(super) fn banner(plan: &Plan, kernel: &Kernel, verbose: bool) -> String {
    let mut lines = vec![headline(plan)];
    lines.extend(if verbose { every_rule(plan) } else { own_grants(plan) });
    lines.push(denials(plan));
    lines.push(network(plan));
    lines.extend(limited(plan, kernel));
    lines.push(metadata(plan));
    lines.extend(warnings(plan, verbose));
    lines.join("\n")
}

fn headline(plan: &Plan) -> String {
    let name = escaped(plan.profile.name.as_bytes(), MOST_SHOWN);
    let capabilities: Vec<String> = plan.capabilities().map(|capability| capability.to_string()).collect();
    let kept =
        if capabilities.is_empty() { String::new() } else { format!(", root keeps {}", capabilities.join(", ")) };
    format!(
        "profile {name}: {} paths by groups{kept}",
        plan.grants.iter().filter(|grant| grant.group.is_some()).count()
    )
}

fn own_grants(plan: &Plan) -> Vec<String> {
    let own: Vec<&Grant> = plan.grants.iter().filter(|grant| grant.group.is_none()).collect();
    let mut lines: Vec<String> = own.iter().take(MOST_GRANTS).map(|grant| line(grant)).collect();
    let more = own.len().saturating_sub(MOST_GRANTS);
    if more > 0 {
        lines.push(format!("… and {more} more (-v lists them)"));
    }
    lines
}

fn line(grant: &Grant) -> String {
    let real = if grant.real == grant.path { String::new() } else { format!(" → {}", shown(grant.real.as_bytes())) };
    format!("{:<5} {}{real} ({})", grant.rule.to_string(), shown(grant.path.as_bytes()), grant.from)
}

fn every_rule(plan: &Plan) -> Vec<String> {
    let mut lines: Vec<String> = plan.grants.iter().map(line).collect();
    lines.extend(
        plan.denials.iter().map(|denial| format!("deny  {} ({})", shown(denial.written.as_bytes()), denial.from)),
    );
    lines.extend(
        plan.missing.iter().map(|(path, from)| format!("not on this host: {} ({from})", shown(path.as_bytes()))),
    );
    let names: Vec<String> = plan.environment.keys().map(|name| escaped(name, MOST_SHOWN)).collect();
    lines.push(format!("environment: {}", names.join(" ")));
    lines
}

fn denials(plan: &Plan) -> String {
    let own = plan.denials.iter().filter(|denial| denial.group.is_none());
    let written: Vec<String> = own.take(MOST_GRANTS).map(|denial| shown(denial.written.as_bytes())).collect();
    let by_groups = plan.denials.iter().filter(|denial| denial.group.is_some()).count();
    let listed = if written.is_empty() { String::new() } else { format!("{} and ", written.join(" ")) };
    format!("deny  {listed}{by_groups} paths by groups, and nono's own files")
}

fn network(plan: &Plan) -> String {
    let Some(network) = &plan.profile.network else { return "network none".to_owned() };
    let hosts = network.allow.iter().map(|given| match given.value.port {
        Some(_) => given.value.to_string(),
        None => format!("{} (any port)", given.value),
    });
    let ports = network.listen.iter().map(|given| format!("listen {}", given.value));
    let all: Vec<String> = hosts.chain(ports).collect();
    if all.is_empty() { "network none".to_owned() } else { format!("network {}", shown(all.join(", ").as_bytes())) }
}

fn limited(plan: &Plan, kernel: &Kernel) -> Option<String> {
    let (GroupLimits { memory, processes }, each) = limits(plan, kernel.limits);
    let mut parts = Vec::new();
    parts.extend(memory.map(|bytes| format!("memory {bytes} bytes in all")));
    parts.extend(processes.map(|count| format!("{count} processes in all")));
    parts.extend(each.into_iter().map(|limit| match limit {
        ProcessLimit::AddressSpace(bytes) => format!("{bytes} bytes of address space each process"),
        ProcessLimit::CpuSeconds(seconds) => format!("{seconds} seconds of processor each process"),
        ProcessLimit::OpenFiles(count) => format!("{count} open files each process"),
        ProcessLimit::UserProcesses(count) => format!("{count} processes of this user"),
    }));
    (!parts.is_empty()).then(|| format!("limits {}", parts.join(", ")))
}

/// Landlock has no rule about modes, owners, times and extended attributes. A supervisor has; without one what happens to
/// them is said each time.
fn metadata(plan: &Plan) -> String {
    let text = if plan.is_supervised() {
        "chmod, chown, utime and setxattr work where it may write"
    } else if plan.root {
        "chmod, chown, utime and setxattr are refused for root"
    } else if plan.has_writable_files() {
        "chmod, chown, utime and setxattr work on every file you own, granted or not"
    } else {
        "chmod, chown, utime and setxattr are refused, since nothing is writable"
    };
    text.to_owned()
}

fn warnings(plan: &Plan, verbose: bool) -> Vec<String> {
    let most = if verbose { usize::MAX } else { 2 };
    let mut lines: Vec<String> = plan
        .warnings
        .iter()
        .take(most)
        .map(|warning| format!("warning: {} ({})", warning.text, warning.from))
        .collect();
    let more = plan.warnings.len().saturating_sub(most);
    if more > 0 {
        // One line for the rest keeps the whole within its dozen.
        if let Some(last) = lines.last_mut() {
            last.push_str(&format!("; and {more} more (-v lists them)"));
        }
    }
    lines
}

fn shown(text: &[u8]) -> String {
    escaped(text, MOST_SHOWN)
}
