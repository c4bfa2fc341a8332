//! Questions while they are open: asked once, of everybody who may answer, for a limited time; and the answers that hold on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::approval::{Act, Answer, Approver, AskedOperation, Cancelled, Host, Question, Record, Scope, Subject};
use crate::profile::abs_path::AbsPath;

/// How often it is looked whether the call still waits.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// Refusals that are kept; past these one is forgotten, and asked about again.
const MOST_KEPT: usize = 4096;
const TOO_MANY: &str = "too many questions were asked shortly before";
const GONE: &str = "the program that asked is gone";

/// Device and inode of an object; `None` for one that does not exist yet, and for a host.
type Identity = Option<(u64, u64)>;

/// Puts questions to the approvers of a policy.
pub(super) struct Questions {
    approvers: Vec<Arc<dyn Approver>>,
    timeout: Duration,
    /// The policy's `default_on_timeout` is `allow`, and says that it knows.
    fail_open: bool,
    /// Questions that may be asked within a second: a program cannot bury whoever answers.
    most_a_second: u64,
    state: Mutex<State>,
}

/// A question while it is open, for whoever asks the same.
#[derive(Debug, Default)]
struct Pending {
    progress: Mutex<Progress>,
    ended: Condvar,
}

/// What a service that was asked left for the log.
type Evidence = Option<Arc<Record>>;

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    /// Nobody answered; why, as a clause.
    Nobody {
        reason: String,
    },
    No {
        approver: String,
        reason: String,
    },
    Yes {
        approver: String,
        /// Nobody said so: the policy lets silence count as a yes.
        fail_open: bool,
    },
}

#[derive(Clone, Debug, Default)]
enum Progress {
    Answered(Answered, Evidence),
    #[default]
    Open,
    /// Whoever asked is gone, or the yes was to his call alone: what was answered to him is nobody else's answer.
    Withdrawn,
}

/// What makes two questions one: all that is shown, apart from the process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    operation: AskedOperation,
    topic: Topic,
    identity: Identity,
}

/// What a no is about: every operation of these kinds, so that another mode or another new name is no way to ask again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Topic {
    /// The path's bytes, or the host with its port.
    object: Vec<u8>,
    acts: BTreeSet<Act>,
    executable: Option<AbsPath>,
}

#[derive(Debug)]
struct State {
    /// Open questions.
    open: BTreeMap<Key, Arc<Pending>>,
    /// Why what was answered with no is not asked again.
    refused: BTreeMap<Topic, Answered>,
    allowed: Vec<Allowed>,
    /// Hosts with their ports, and until when.
    hosts: BTreeMap<String, Option<SystemTime>>,
    asked: Bucket,
    looked_up: Bucket,
}

/// What may happen so many times within a second.
#[derive(Debug)]
struct Bucket {
    tokens: u64,
    refilled: Instant,
}

/// A yes that reaches beyond its call.
#[derive(Clone, Debug)]
struct Allowed {
    path: AbsPath,
    /// The object that was shown, where the yes is to one that was there.
    identity: Identity,
    beneath: bool,
    /// What was shown.
    acts: BTreeSet<Act>,
    until: Option<SystemTime>,
}

impl std::fmt::Debug for Questions {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Questions").field("approvers", &self.approvers.len()).finish_non_exhaustive()
    }
}

impl Questions {
    /// Questions to `approvers`, each open for `timeout`.
    pub(super) fn new(
        approvers: Vec<Arc<dyn Approver>>,
        timeout: Duration,
        fail_open: bool,
        most_a_second: u64,
    ) -> Self {
        let state = State {
            open: BTreeMap::new(),
            refused: BTreeMap::new(),
            allowed: Vec::new(),
            hosts: BTreeMap::new(),
            asked: Bucket { tokens: most_a_second, refilled: Instant::now() },
            looked_up: Bucket { tokens: most_a_second, refilled: Instant::now() },
        };
        Self { approvers, timeout, fail_open, most_a_second, state: Mutex::new(state) }
    }

    /// Whether an earlier yes holds for `acts` on the object `identity` at `path`.
    pub(super) fn covers(&self, path: &AbsPath, identity: Identity, acts: &BTreeSet<Act>) -> bool {
        self.holds(path, acts, |allowed| allowed.identity.is_none() || allowed.identity == identity)
    }

    /// Whether an earlier yes holds for `act` on an object at `path`, whichever that is.
    pub(super) fn covers_name(&self, path: &AbsPath, act: Act) -> bool {
        self.holds(path, &BTreeSet::from([act]), |_| true)
    }

    fn holds(&self, path: &AbsPath, acts: &BTreeSet<Act>, is_it: impl Fn(&Allowed) -> bool) -> bool {
        let now = SystemTime::now();
        self.locked().allowed.iter().any(|allowed| {
            let reaches = if allowed.beneath { path.is_within(&allowed.path) } else { *path == allowed.path };
            reaches && is_it(allowed) && allowed.acts.is_superset(acts) && allowed.until.is_none_or(|until| now < until)
        })
    }

    /// Whether an earlier yes is about something beneath the directory `path`.
    pub(super) fn is_any_beneath(&self, path: &AbsPath) -> bool {
        self.locked().allowed.iter().any(|allowed| allowed.path != *path && allowed.path.is_within(path))
    }

    /// Whether an earlier yes holds for connections to `host`, wherever its name leads by now.
    pub(super) fn covers_host(&self, host: &Host) -> bool {
        let until = self.locked().hosts.get(&host.to_string()).copied();
        until.is_some_and(|until| until.is_none_or(|until| SystemTime::now() < until))
    }

    /// Whether one more name may be looked up so that somebody can be asked about it: a look-up tells a name server the
    /// name, so there are no more of them than there may be questions.
    pub(super) fn may_look_up(&self) -> bool {
        self.locked().looked_up.take(self.most_a_second)
    }

    /// Asks, unless the same is being asked or was answered with no. `waits` says whether the call still waits: nobody is
    /// asked about one that is gone. Beside the answer stands what a service leaves for the log, where one was asked.
    pub(super) fn ask(&self, question: &Question, waits: &(dyn Fn() -> bool + Sync)) -> (Answered, Evidence) {
        let key = Key::of(question);
        loop {
            let deadline = Instant::now() + self.timeout;
            let (pending, is_own) = match self.locked().enter(&key, self.most_a_second) {
                Ok(entered) => entered,
                Err(answered) => return (answered, None),
            };
            if is_own {
                let (answer, record) = self.put(question, deadline, waits);
                let is_once = matches!(answer, Answer::Allow { scope: Scope::Once, .. });
                let told = (self.settle(question, &key, answer), record.map(Arc::new));
                pending.end((!is_once && waits()).then(|| told.clone()));
                return told;
            }
            if let Some(told) = pending.answer(deadline) {
                return told;
            }
            // Whoever asked is gone, and the question with it.
            if !waits() {
                return (Answered::nobody(GONE), None);
            }
        }
    }

    /// Asks every approver at once; the first yes or no counts.
    fn put(
        &self,
        question: &Question,
        deadline: Instant,
        waits: &(dyn Fn() -> bool + Sync),
    ) -> (Answer, Option<Record>) {
        let cancelled = Cancelled::default();
        thread::scope(|scope| {
            let (sender, answers) = mpsc::channel();
            for approver in &self.approvers {
                let (sender, cancelled) = (sender.clone(), &cancelled);
                scope.spawn(move || {
                    // The receiver is gone once somebody else has answered.
                    let _ = sender.send(approver.ask(question, deadline, cancelled));
                });
            }
            drop(sender);
            let mut nobody = Answer::None { reason: "the policy names nobody to ask".to_owned() };
            let mut unanswered = None;
            loop {
                match answers.recv_timeout(LOOK_AGAIN) {
                    Ok(told @ (Answer::Allow { .. } | Answer::Deny { .. }, _)) => {
                        cancelled.cancel();
                        return told;
                    }
                    // What came and does not count is no silence, whoever else says nothing.
                    Ok((answer @ (Answer::None { .. } | Answer::Unusable { .. }), record)) => {
                        if !matches!(nobody, Answer::Unusable { .. }) {
                            nobody = answer;
                        }
                        unanswered = record.or(unanswered);
                    }
                    Err(RecvTimeoutError::Timeout) if waits() => {}
                    Err(RecvTimeoutError::Timeout) => cancelled.cancel(),
                    Err(RecvTimeoutError::Disconnected) => return (nobody, unanswered),
                }
            }
        })
    }

    /// Keeps what the answer says beyond this call, and closes the question.
    fn settle(&self, question: &Question, key: &Key, answer: Answer) -> Answered {
        let mut state = self.locked();
        state.open.remove(key);
        match answer {
            Answer::Allow { scope, until, approver } => {
                state.allow(question, scope, until);
                Answered::Yes { approver, fail_open: false }
            }
            Answer::Deny { reason, approver } => {
                if state.refused.len() >= MOST_KEPT {
                    state.refused.pop_first();
                }
                let answered = Answered::No { approver, reason };
                state.refused.insert(key.topic.clone(), answered.clone());
                answered
            }
            // Silence is not kept as a no: the next time somebody may be there.
            Answer::None { .. } if self.fail_open => Answered::Yes { approver: "nobody".to_owned(), fail_open: true },
            Answer::None { reason } | Answer::Unusable { reason } => Answered::Nobody { reason },
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        // Every change of the state is whole, so a panic elsewhere leaves it usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answered {
    fn nobody(reason: &str) -> Self {
        Self::Nobody { reason: reason.to_owned() }
    }

    /// Why there was no yes, as a clause; `None` when there was one.
    pub(super) fn refusal(&self) -> Option<String> {
        match self {
            Self::Nobody { reason } => Some(reason.clone()),
            Self::No { approver, reason } => Some(format!("{approver} was asked: {reason}")),
            Self::Yes { .. } => None,
        }
    }
}

impl Pending {
    /// Ends the question with an answer, or without one that counts.
    fn end(&self, told: Option<(Answered, Evidence)>) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        *progress = told.map_or(Progress::Withdrawn, |(answered, evidence)| Progress::Answered(answered, evidence));
        drop(progress);
        self.ended.notify_all();
    }

    /// Waits for the answer; `None` when the question was withdrawn.
    fn answer(&self, deadline: Instant) -> Option<(Answered, Evidence)> {
        // Whoever asks was first, so his deadline comes first; a second more lets him settle.
        let longest = deadline.saturating_duration_since(Instant::now()) + Duration::from_secs(1);
        let progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let is_open = |progress: &mut Progress| matches!(progress, Progress::Open);
        let waited = self.ended.wait_timeout_while(progress, longest, is_open);
        let (progress, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match &*progress {
            Progress::Answered(answered, evidence) => Some((answered.clone(), evidence.clone())),
            Progress::Open => Some((Answered::nobody("nobody answered in time"), None)),
            Progress::Withdrawn => None,
        }
    }
}

impl Key {
    fn of(question: &Question) -> Self {
        let topic = Topic {
            object: match &question.object {
                Subject::File(object) => object.real.as_bytes().to_vec(),
                Subject::Host(host) => host.to_string().into_bytes(),
            },
            acts: question.operation.acts(),
            executable: question.process.executable.clone(),
        };
        Self { operation: question.operation.clone(), topic, identity: identity_of(question) }
    }
}

impl Bucket {
    fn take(&mut self, most_a_second: u64) -> bool {
        if self.refilled.elapsed() >= Duration::from_secs(1) {
            self.tokens = most_a_second;
            self.refilled = Instant::now();
        }
        let free = self.tokens > 0;
        self.tokens = self.tokens.saturating_sub(1);
        free
    }
}

impl State {
    /// The question of `key` while it is open, and whether this call has opened it.
    fn enter(&mut self, key: &Key, most_a_second: u64) -> Result<(Arc<Pending>, bool), Answered> {
        // A no is about the path: whoever may put another file there is not heard again.
        if let Some(why) = self.refused.get(&key.topic) {
            return Err(why.clone());
        }
        if let Some(pending) = self.open.get(key) {
            return Ok((Arc::clone(pending), false));
        }
        if !self.asked.take(most_a_second) {
            return Err(Answered::nobody(TOO_MANY));
        }
        let pending = Arc::new(Pending::default());
        self.open.insert(key.clone(), Arc::clone(&pending));
        Ok((pending, true))
    }

    fn allow(&mut self, question: &Question, scope: Scope, until: Option<SystemTime>) {
        let real = match &question.object {
            Subject::File(object) => &object.real,
            Subject::Host(host) => {
                if scope != Scope::Once && self.hosts.len() < MOST_KEPT {
                    self.hosts.insert(host.to_string(), until);
                }
                return;
            }
        };
        let (path, identity, beneath) = match (scope, real.parent()) {
            (Scope::Once, _) => return,
            (Scope::Directory, Some(directory)) if question.offered().contains(&Scope::Directory) => {
                (directory, None, true)
            }
            (Scope::Directory | Scope::Object, _) => (real.clone(), identity_of(question), false),
        };
        self.allowed.push(Allowed { path, identity, beneath, acts: question.operation.acts(), until });
    }
}

fn identity_of(question: &Question) -> Identity {
    match &question.object {
        Subject::File(object) => object.identity,
        Subject::Host(_) => None,
    }
}
