//! Stops every process of the run while a question is on the terminal, and continues them.
//!
//! All of them and not only those on the terminal: one in a session of its own can still open the terminal by its path
//! and draw another question over the real one. Parents are stopped before their children, and continued after them: a
//! shell that sees its job stop would take the terminal and say so.

mod threads;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use syscalls::process::{self, Pid};
use syscalls::signal::{self, Signal};

use self::threads::Threads;
use super::family::reaching;
use crate::approval::terminal::Programs;

/// How long stopping may take: as long as a busy machine needs to give each process a turn.
const LONGEST: Duration = Duration::from_secs(2);
/// How long nothing of a stopped run must have run: what the kernel finishes for it takes less.
const QUIET: Duration = Duration::from_millis(5);

/// The run's processes: those that descend from the front, apart from the keeper, whose threads ask.
#[derive(Debug)]
pub struct Pause {
    front: Pid,
    keeper: Pid,
    held: AtomicBool,
    /// Whom this has stopped, in that order.
    stopped: Mutex<Vec<Pid>>,
    /// The run's threads, as they were once it was stopped.
    threads: Mutex<Threads>,
}

/// A process, as `proc_pid_stat(5)` tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    /// Whether a thread of it is left; the first one, which has the process's number, may end before others.
    lives: bool,
    parent: i32,
    group: i32,
}

impl Pause {
    /// For the calling process as the keeper, and its parent or another ancestor as the front.
    pub fn new(front: Pid) -> Self {
        let (stopped, threads) = (Mutex::new(Vec::new()), Mutex::new(Threads::default()));
        Self { front, keeper: process::own_id(), held: AtomicBool::new(false), stopped, threads }
    }

    /// Whether the run is stopped by this. Then the program's stop is no news: the keeper and the front go on.
    ///
    /// To be asked before and after the wait for the program's state: a stop may be reported on either side of a change.
    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::SeqCst)
    }

    /// The run's processes that still run or sleep, parents first.
    fn members(&self, all: &BTreeMap<i32, Entry>) -> Vec<(i32, Entry)> {
        let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
        for (&pid, entry) in all {
            children.entry(entry.parent).or_default().push(pid);
        }
        let mut found = Vec::new();
        // A process that is found once has one parent; the set keeps a torn listing from going in circles.
        let mut seen = BTreeSet::from([self.front.number()]);
        let mut level = vec![self.front.number()];
        while !level.is_empty() {
            let below = level.iter().filter_map(|pid| children.get(pid)).flatten();
            level = below.copied().filter(|pid| seen.insert(*pid)).collect();
            let members = level.iter().filter(|pid| **pid != self.keeper.number());
            found.extend(members.filter_map(|pid| Some((*pid, *all.get(pid)?))));
        }
        found.retain(|(_, entry)| entry.lives);
        found
    }

    /// One round: stops whoever's parent is at rest, and tells whether all are.
    fn round(&self, stopped: &mut Vec<Pid>) -> bool {
        let mut moving = BTreeSet::new();
        for (number, entry) in self.members(&listing()) {
            let Some(pid) = Pid::new(number) else { continue };
            let (threads, ours) = (Threads::of([number]), stopped.contains(&pid));
            if !ours && threads.are_stopped() {
                // Somebody else stopped it, and will continue it.
                continue;
            }
            if moving.contains(&entry.parent) {
                moving.insert(number);
                continue;
            }
            if !threads.are_at_rest() {
                moving.insert(number);
            }
            // Also to one that is ours already: a timer of its own can continue it.
            if reaching(|| stop(pid, &threads)) && !ours {
                stopped.push(pid);
            }
        }
        moving.is_empty()
    }

    /// Stops everything, and waits until nothing of it runs any more.
    fn stop_all(&self) -> bool {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let began = Instant::now();
        let mut rest = Duration::from_micros(200);
        loop {
            if self.round(&mut stopped) {
                let before = self.present_threads();
                std::thread::sleep(QUIET);
                *threads = self.present_threads();
                if before == *threads && threads.are_at_rest() {
                    return true;
                }
            }
            if began.elapsed() >= LONGEST {
                return false;
            }
            std::thread::sleep(rest);
            rest = (rest * 2).min(Duration::from_millis(20));
        }
    }

    fn present_threads(&self) -> Threads {
        Threads::of(self.members(&listing()).into_iter().map(|(process, _)| process))
    }
}

/// Has every thread of `threads` that could go on stop the process `pid`; whether there was one.
///
/// Each by itself: the kernel hands a signal to the process to any thread, and it may choose one that waits for the
/// supervisor's answer. That one cannot be woken, and the others would run on.
fn stop(pid: Pid, threads: &Threads) -> bool {
    // One that fails has ended meanwhile, or may not be signalled: the next round finds out.
    let signalled = threads.unstopped().filter(|thread| signal::send_to_thread(pid, *thread, Signal::STOP).is_ok());
    signalled.count() > 0
}

impl Programs for Pause {
    fn own_group(&self, group: Pid) -> bool {
        let all = listing();
        let members: BTreeSet<i32> = self.members(&all).into_iter().map(|(pid, _)| pid).collect();
        let mut of_group = all.iter().filter(|(_, entry)| entry.group == group.number() && entry.lives).peekable();
        of_group.peek().is_some() && of_group.all(|(pid, _)| members.contains(pid))
    }

    fn pause(&self) -> bool {
        self.held.store(true, Ordering::SeqCst);
        self.stop_all()
    }

    fn has_run(&self) -> bool {
        let now = self.present_threads();
        // One that still runs may have been counted as often as before.
        !now.are_at_rest() || now != *self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pause_again(&self) -> bool {
        self.stop_all()
    }

    fn resume(&self) {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        for pid in stopped.drain(..).rev() {
            // One that was killed while it was stopped needs no signal.
            let _ = reaching(|| signal::send(pid, Signal::CONTINUE));
        }
        self.held.store(false, Ordering::SeqCst);
    }

    fn send(&self, group: Pid, signal: Signal) {
        for (number, _) in self.members(&listing()).iter().filter(|(_, entry)| entry.group == group.number()) {
            if let Some(pid) = Pid::new(*number) {
                let _ = reaching(|| signal::send(pid, signal));
            }
        }
    }
}

/// Every process that `/proc` shows. One that ends while this looks is left out.
fn listing() -> BTreeMap<i32, Entry> {
    let Ok(entries) = fs::read_dir("/proc") else { return BTreeMap::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(|pid| {
        let entry = parse(&fs::read(format!("/proc/{pid}/stat")).ok()?)?;
        Some((pid, Entry { lives: entry.lives || Threads::of([pid]).live(), ..entry }))
    })
    .collect()
}

/// Reads `PID (NAME) STATE PARENT GROUP …`; the name may hold anything, also parentheses and newlines. The state is that
/// of the first thread.
fn parse(stat: &[u8]) -> Option<Entry> {
    let name_end = stat.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(stat.get(name_end.checked_add(1)?..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let lives = threads::lives(*fields.next()?.as_bytes().first()?);
    Some(Entry { lives, parent: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(state: u8, parent: i32, group: i32) -> Entry {
        Entry { lives: threads::lives(state), parent, group }
    }

    #[test]
    fn a_name_with_parentheses_and_newlines_is_skipped() {
        let stat = b"42 (a) R 1 1\n) S 7 9 9 34816 9 0 0\n";
        assert_eq!(parse(stat), Some(entry(b'S', 7, 9)));
        for torn in [&b""[..], b"42 (a", b"42 (a)", b"42 (a) S", b"42 (a) S x 1", b"42 (a) S 1"] {
            assert_eq!(parse(torn), None);
        }
    }

    #[test]
    fn members_are_the_front_s_descendants_without_the_keeper_and_the_dead() {
        let mut pause = Pause::new(Pid::new(10).unwrap());
        pause.keeper = Pid::new(11).unwrap();
        let all = BTreeMap::from([
            (1, entry(b'S', 0, 1)),
            (5, entry(b'S', 14, 5)),
            (10, entry(b'S', 1, 10)),
            (11, entry(b'S', 10, 10)),
            (12, entry(b'S', 10, 12)),
            (13, entry(b'S', 11, 10)),
            (14, entry(b'S', 13, 14)),
            (15, entry(b'Z', 13, 14)),
            (16, entry(b'S', 1, 14)),
        ]);
        let members: Vec<i32> = pause.members(&all).into_iter().map(|(pid, _)| pid).collect();
        assert_eq!(members, [12, 13, 14, 5]);
    }

    #[test]
    fn a_listing_in_circles_ends() {
        let pause = Pause::new(Pid::new(10).unwrap());
        let all = BTreeMap::from([(10, entry(b'S', 12, 1)), (11, entry(b'S', 10, 1)), (12, entry(b'S', 11, 1))]);
        assert_eq!(pause.members(&all).len(), 2);
    }

    #[test]
    fn the_listing_has_the_calling_process() {
        let own = listing().get(&process::own_id().number()).copied().unwrap();
        assert_eq!(Some(own.parent), process::parent_id().map(Pid::number));
        assert_eq!(Some(own.group), process::process_group(process::own_id()).ok().map(Pid::number));
    }

    #[test]
    fn a_process_whose_first_thread_has_ended_lives() {
        const SCRIPT: &str = "\
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(20,)).start()
ctypes.CDLL(None).pthread_exit(None)";
        let mut child = std::process::Command::new("python3").args(["-c", SCRIPT]).spawn().unwrap();
        let pid = Pid::new(i32::try_from(child.id()).unwrap()).unwrap();
        let state = || fs::read(format!("/proc/{}/stat", child.id())).ok().and_then(|stat| parse(&stat));
        let began = Instant::now();
        while state().unwrap().lives {
            assert!(began.elapsed() < Duration::from_secs(20), "the first thread does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(listing().get(&pid.number()).unwrap().lives);
        let pause = Pause { keeper: Pid::new(1).unwrap(), ..Pause::new(process::own_id()) };
        assert!(pause.members(&listing()).iter().any(|(member, _)| *member == pid.number()));
        assert!(stop(pid, &Threads::of([pid.number()])));
        while !Threads::of([pid.number()]).are_stopped() {
            assert!(began.elapsed() < Duration::from_secs(20), "it does not stop");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(listing().get(&pid.number()).is_none_or(|entry| !entry.lives));
    }
}
