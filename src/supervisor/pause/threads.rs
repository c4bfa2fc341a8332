//! What threads do, and how often they have run: a stopped one that was continued for a moment is stopped again, and has run.

use std::collections::BTreeMap;
use std::fs;

use syscalls::process::Pid;

/// Threads by their number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Threads(BTreeMap<i32, Thread>);

/// A thread, as `proc_pid_status(5)` tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Thread {
    /// The letter of its state.
    state: u8,
    /// How often it gave the processor up, of its own accord or not.
    runs: u64,
}

impl Threads {
    /// Those of all `processes`. A thread that ends while this looks is left out.
    pub(super) fn of(processes: impl IntoIterator<Item = i32>) -> Self {
        let threads = processes.into_iter().flat_map(|process| {
            let entries = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
            entries.filter_map(|entry| {
                let thread = entry.file_name().to_str()?.parse().ok()?;
                Some((thread, parse(&fs::read(entry.path().join("status")).ok()?)?))
            })
        });
        Self(threads.collect())
    }

    /// Whether any of them is left.
    pub(super) fn live(&self) -> bool {
        self.states().any(lives)
    }

    /// Whether none that got `SIGSTOP` runs code of the program any more.
    ///
    /// A thread in an uninterruptible wait (`D`) counts: it stops before it returns to the program. One that waits for the
    /// supervisor's answer is in such a wait.
    pub(super) fn are_at_rest(&self) -> bool {
        self.states().all(|state| is_stopped(state) || state == b'D' || !lives(state))
    }

    /// Whether those of one process are stopped, or will be before they return to the program: one is, and that is always
    /// the whole process's stop unless another runs.
    pub(super) fn are_stopped(&self) -> bool {
        self.are_at_rest() && self.states().any(is_stopped)
    }

    /// Those that are not stopped.
    pub(super) fn unstopped(&self) -> impl Iterator<Item = Pid> {
        let unstopped = self.0.iter().filter(|(_, thread)| lives(thread.state) && !is_stopped(thread.state));
        unstopped.filter_map(|(number, _)| Pid::new(*number))
    }

    fn states(&self) -> impl Iterator<Item = u8> {
        self.0.values().map(|thread| thread.state)
    }
}

/// Whether `state` is that of a thread which has not ended.
pub(super) fn lives(state: u8) -> bool {
    !matches!(state, b'Z' | b'X')
}

/// Stopped by a signal, or by its tracer.
fn is_stopped(state: u8) -> bool {
    matches!(state, b'T' | b't')
}

/// Reads the lines `State`, `voluntary_ctxt_switches` and `nonvoluntary_ctxt_switches`. The name before them has its
/// newlines escaped.
fn parse(status: &[u8]) -> Option<Thread> {
    let (mut state, mut runs) = (None, None);
    for line in status.split(|&byte| byte == b'\n') {
        let Some((name, value)) = std::str::from_utf8(line).ok().and_then(|text| text.split_once(':')) else {
            continue;
        };
        match name {
            "State" => state = value.trim_start().bytes().next(),
            "voluntary_ctxt_switches" | "nonvoluntary_ctxt_switches" => {
                let count: u64 = value.trim().parse().ok()?;
                runs = Some(count.saturating_add(runs.unwrap_or(0)));
            }
            _ => {}
        }
    }
    Some(Thread { state: state?, runs: runs? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_counts_are_added_and_a_name_counts_nothing() {
        let status = b"Name:\tvoluntary_ctxt_switches\\n7\nState:\tS (sleeping)\nvoluntary_ctxt_switches:\t3\nnonvoluntary_ctxt_switches:\t4\n";
        assert_eq!(parse(status), Some(Thread { state: b'S', runs: 7 }));
        assert_eq!(parse(b"Name:\ta\xff\nState:\tS\nvoluntary_ctxt_switches:\tx\n"), None);
        assert_eq!(parse(b"Name:\ta\nvoluntary_ctxt_switches:\t1\n"), None);
        assert_eq!(parse(b"State:\tS\n"), None);
    }

    #[test]
    fn a_thread_that_slept_has_run() {
        let own = i32::try_from(std::process::id()).unwrap();
        let before = Threads::of([own]);
        std::thread::sleep(std::time::Duration::from_millis(2));
        assert!(before.0.contains_key(&own));
        assert_ne!(Threads::of([own]), before);
    }

    #[test]
    fn a_process_is_stopped_when_one_thread_is_and_none_runs() {
        let with = |states: &[u8]| {
            let thread = |(number, &state): (i32, &u8)| (number, Thread { state, runs: 1 });
            Threads((1..).zip(states).map(thread).collect())
        };
        for (states, at_rest, stopped) in [
            (&b"TTTZ"[..], true, true),
            (b"TD", true, true),
            (b"D", true, false),
            (b"DS", false, false),
            (b"tR", false, false),
            (b"ZS", false, false),
            (b"Z", true, false),
        ] {
            let threads = with(states);
            assert_eq!((threads.are_at_rest(), threads.are_stopped()), (at_rest, stopped), "{states:?}");
        }
        assert_eq!(with(b"ZTDSXt").unstopped().map(Pid::number).collect::<Vec<_>>(), [3, 4]);
        assert!(with(b"ZS").live() && !with(b"ZX").live());
    }
}
