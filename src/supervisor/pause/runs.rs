//! How often threads have run: a stopped one that was continued for a moment is stopped again, and has run.

use std::collections::BTreeMap;
use std::fs;

/// By thread, how often it gave the processor up (`proc_pid_status(5)`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Runs(BTreeMap<i32, u64>);

impl Runs {
    /// Those of all threads of `processes`. A thread that ends while this looks is left out.
    pub(super) fn of(processes: impl Iterator<Item = i32>) -> Self {
        let threads = processes.flat_map(|process| {
            let entries = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
            entries.filter_map(|entry| {
                let thread = entry.file_name().to_str()?.parse().ok()?;
                Some((thread, switches(&fs::read(entry.path().join("status")).ok()?)?))
            })
        });
        Self(threads.collect())
    }
}

/// The sum of both counts. The name before them has its newlines escaped.
fn switches(status: &[u8]) -> Option<u64> {
    let counts = status.split(|&byte| byte == b'\n').filter_map(|line| {
        let text = std::str::from_utf8(line).ok()?;
        let (name, count) = text.split_once(':')?;
        name.ends_with("voluntary_ctxt_switches").then(|| count.trim().parse::<u64>().ok())?
    });
    counts.reduce(u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_counts_are_added_and_a_name_counts_nothing() {
        let status = b"Name:\tvoluntary_ctxt_switches\\n7\nState:\tS\nvoluntary_ctxt_switches:\t3\nnonvoluntary_ctxt_switches:\t4\n";
        assert_eq!(switches(status), Some(7));
        assert_eq!(switches(b"Name:\ta\xff\nvoluntary_ctxt_switches:\tx\n"), None);
    }

    #[test]
    fn a_thread_that_slept_has_run() {
        let (own, before) = (std::process::id(), Runs::of(own().into_iter()));
        std::thread::sleep(std::time::Duration::from_millis(2));
        assert!(before.0.contains_key(&i32::try_from(own).unwrap()));
        assert_ne!(Runs::of(self::own().into_iter()), before);
    }

    fn own() -> Option<i32> {
        i32::try_from(std::process::id()).ok()
    }
}
