//! What names really are: from `/etc/hosts`, else from the name servers of `/etc/resolv.conf`. Each name is looked up once at
//! a time and kept for a while, so that the same answer serves whoever asked and the connection that follows.

mod exchange;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, fs};

use super::{dns, hosts};

/// Names that are kept at once.
const MOST_KEPT: usize = 2048;
/// How long an answer is kept: what the name server says, within these bounds.
const SHORTEST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(300);
/// A failure may be over soon.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

const HOSTS: &str = "/etc/hosts";
const CONFIGURATION: &str = "/etc/resolv.conf";
/// The most of either file that is read, in bytes.
const LARGEST_FILE: usize = 4 << 20;

/// Looks names up.
#[derive(Debug, Default)]
pub struct Resolver {
    state: Mutex<State>,
    ended: Condvar,
}

/// The addresses of a name, in the order of the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub v4: Vec<IpAddr>,
    pub v6: Vec<IpAddr>,
    /// Seconds for which they hold.
    pub seconds: u32,
}

/// Why a name has no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    NoSuchName,
    /// No name server could say; the sentence says why.
    Unknown(String),
}

/// What a look-up came to.
pub type Outcome = Result<Arc<Found>, Failure>;

#[derive(Debug, Default)]
struct State {
    kept: BTreeMap<String, (Outcome, Instant)>,
    busy: BTreeSet<String>,
}

impl Resolver {
    /// What is known about `name` without asking anybody.
    pub fn known(&self, name: &str) -> Option<Outcome> {
        self.locked().known(name)
    }

    /// Looks `name` up, which is in lower case without a dot at its end. Waits, at the most for what
    /// `/etc/resolv.conf` allows, and half a minute.
    pub fn addresses(&self, name: &str) -> Outcome {
        {
            let busy = |state: &mut State| state.busy.contains(name);
            let state = self.ended.wait_while(self.locked(), busy);
            let mut state = state.unwrap_or_else(PoisonError::into_inner);
            if let Some(outcome) = state.known(name) {
                return outcome;
            }
            state.busy.insert(name.to_owned());
        }
        let outcome = look_up(name);
        let mut state = self.locked();
        state.keep(name, &outcome);
        state.busy.remove(name);
        drop(state);
        self.ended.notify_all();
        outcome
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        // Every change of the state is whole, so a panic elsewhere leaves it usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn known(&self, name: &str) -> Option<Outcome> {
        let (outcome, until) = self.kept.get(name)?;
        (Instant::now() < *until).then(|| outcome.clone())
    }

    fn keep(&mut self, name: &str, outcome: &Outcome) {
        let now = Instant::now();
        let holds = match outcome {
            Ok(found) => Duration::from_secs(found.seconds.into()).clamp(SHORTEST, LONGEST),
            Err(Failure::NoSuchName) => SHORTEST,
            Err(Failure::Unknown(_)) => AFTER_FAILURE,
        };
        if self.kept.len() >= MOST_KEPT {
            self.kept.retain(|_, (_, until)| now < *until);
        }
        if self.kept.len() >= MOST_KEPT {
            self.kept.pop_first();
        }
        self.kept.insert(name.to_owned(), (outcome.clone(), now + holds));
    }
}

fn look_up(name: &str) -> Outcome {
    let written = hosts::addresses(&String::from_utf8_lossy(&read(HOSTS)), name);
    if !written.is_empty() {
        let (v4, v6) = written.into_iter().partition(IpAddr::is_ipv4);
        return Ok(Arc::new(Found { v4, v6, seconds: 0 }));
    }
    let configuration = dns::configuration::parse(&read(CONFIGURATION));
    exchange::ask(&configuration, name).map(Arc::new)
}

/// What the system's `/etc/hosts` says now.
pub fn hosts_file() -> String {
    String::from_utf8_lossy(&read(HOSTS)).into_owned()
}

/// Where `/etc/hosts` really is.
pub fn hosts_path() -> Option<PathBuf> {
    fs::canonicalize(HOSTS).ok()
}

/// The suffixes that programs try behind a name.
pub fn search() -> Vec<String> {
    dns::configuration::parse(&read(CONFIGURATION)).search
}

/// The beginning of a file; nothing of one that cannot be read, as for the C library.
fn read(path: &str) -> Vec<u8> {
    let mut bytes = fs::read(path).unwrap_or_default();
    bytes.truncate(LARGEST_FILE);
    bytes
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchName => out.write_str("there is no such name"),
            Self::Unknown(why) => out.write_str(why),
        }
    }
}
