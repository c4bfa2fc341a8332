//! The program's system calls, one by one: looked at on a private copy, decided about, and answered.
//!
//! Where the kernel's own rules say what the policy says, a call is left to the kernel; nothing the program changes
//! meanwhile can then win it more. Everything else is carried out here, on the object that was decided about.

mod asking;
mod attributes;
mod caller;
mod calls;
mod change;
mod nearby;
mod open;
mod receive;
mod resolve;
mod signed;
mod sockets;
mod waiting;

use std::ffi::CStr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use syscalls::Errno;
use syscalls::abi::Syscall;
use syscalls::notify::{Listener, Notification};
use syscalls::process::Pid;

use self::asking::Wish;
pub(super) use self::caller::Powers;
use self::caller::{Caller, Memories};
use self::change::{At, Moves, granted_paths_may_move};
use self::nearby::Nearby;
use self::open::Mounts;
use self::resolve::{Held, Last, RealPath, Resolver};
use self::signed::Needed;
use self::sockets::Bound;
use self::sockets::network::Network;
use super::account::Account;
use super::questions::Questions;
use super::recorder::{Ending, Recorder};
use super::trusted::Trusted;
use crate::approval::{Process, Question};
use crate::enforce::gaps;
use crate::plan::explain::explain;
use crate::plan::{Operation, Plan, Spellings, Verdict};
use crate::profile::abs_path::AbsPath;

pub(super) use self::open::own_name;
pub(super) use self::receive::{Relief, Service};

/// Everything that answers the program's calls.
#[derive(Debug)]
pub(super) struct Mediator {
    plan: Arc<Plan>,
    listener: Arc<Listener>,
    resolver: Resolver,
    memories: Memories,
    nearby: Nearby,
    spellings: Spellings,
    mounts: Mounts,
    moves: Arc<Moves>,
    powers: Powers,
    /// No denial lies inside a grant, so that Landlock refuses by itself all that the plan refuses.
    kernel_complete: bool,
    /// What the kernel grants is not always what the path says, so that only the kernel can decide.
    only_kernel_knows: bool,
    /// Whoever changes entries of directories.
    /// Sockets that the program bound.
    bound: Arc<Bound>,
    /// Those outside that the policy names, as they were when the run began.
    sockets: Vec<(u64, u64)>,
    network: Arc<Network>,
    questions: Option<Arc<Questions>>,
    account: Arc<Account>,
    trusted: Option<Arc<Trusted>>,
    recorder: Arc<Recorder>,
}

/// Whom a mediator asks, and whom it tells.
pub(super) struct Partners {
    pub(super) questions: Option<Arc<Questions>>,
    pub(super) account: Arc<Account>,
    pub(super) trusted: Option<Arc<Trusted>>,
    pub(super) recorder: Arc<Recorder>,
}

/// How a call is answered.
pub(super) enum Outcome {
    Fail(Errno),
    /// The kernel carries it out.
    GoOn,
    /// The same for what is recorded already.
    GoOnRecorded,
    HandOver {
        file: OwnedFd,
        close_on_exec: bool,
        /// Whether it can be noticed that this process has it too.
        alone: bool,
    },
    Return(i64),
    /// Somebody is to be asked first, which this process does as itself.
    Asked(Box<dyn FnOnce() -> Self + Send>),
    /// It may take long, and only its caller is to wait. Done as the caller.
    Slow(Box<dyn FnOnce() -> Self + Send>),
}

/// What kind of call is decided about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A mode, owner, time or extended attribute: Landlock has no right for it.
    Attribute,
    /// A name for an open file. The kernel looks at who opened it (`open(2)`, `AT_EMPTY_PATH`), which this process may have
    /// done: so it is never left to the kernel.
    Descriptor,
    /// An entry of a directory, or a file's length.
    Entry,
    /// An open whose arguments are in registers, where nobody changes them.
    Open,
    /// `openat2(2)`: its flags and mode are in memory. Landlock has no right for a set-user-id bit in that mode, so it is
    /// never left to the kernel.
    OpenHow,
    Socket,
}

/// What is to happen with a call that was looked at.
#[derive(Debug)]
enum Decided {
    Act,
    /// One question for each object, all of which need a yes.
    Ask(Vec<Question>),
    KernelDoes,
    Refuse(Errno),
}

impl Mediator {
    /// A mediator for `plan`; `around` are the processes around the program.
    pub(super) fn new(
        plan: Arc<Plan>,
        listener: Listener,
        around: Vec<Pid>,
        powers: Powers,
        partners: Partners,
    ) -> Self {
        let Partners { questions, account, trusted, recorder } = partners;
        if powers.may_differ() {
            recorder.users_may_change();
        }
        // The kernel knows nothing of signatures.
        let signed = trusted.as_ref().is_some_and(|trusted| trusted.is_strict());
        let kernel_complete = gaps::kernel_keeps_files(&plan) && !signed;
        let only_kernel_knows = kernel_complete && granted_paths_may_move(&plan);
        let resolver = Resolver::new(around);
        let (bound, sockets) = (Arc::new(Bound::default()), sockets::named(&plan));
        let listener = Arc::new(listener);
        let network = Network::new(&plan, &listener, &account, questions.as_ref(), &recorder);
        Self {
            plan,
            listener,
            resolver,
            memories: Memories::default(),
            nearby: Nearby::default(),
            spellings: Spellings::default(),
            mounts: Mounts::default(),
            moves: Arc::default(),
            powers,
            kernel_complete,
            only_kernel_knows,
            bound,
            sockets,
            network,
            questions,
            account,
            trusted,
            recorder,
        }
    }

    /// Decides about one call that does `operations`. A question about it shows what was `typed`, and its `wish`.
    fn decide(
        &self,
        caller: Caller,
        operations: &[Operation],
        (typed, wish): (&CStr, Wish<'_>),
        held: &[Held<'_>],
        kind: Kind,
    ) -> Decided {
        if let Err(errno) = self.check_still_waits(caller) {
            return Decided::Refuse(errno);
        }
        let left_to_kernel = matches!(kind, Kind::Entry | Kind::Open) && self.kernel_complete;
        let object = held.iter().find_map(Held::object);
        let creates = matches!(kind, Kind::Open | Kind::OpenHow) && object.is_none();
        let mut asked = Vec::new();
        for operation in operations {
            match self.verdict_in_call(operation, held) {
                verdict @ Verdict::Allow(_) if asked.is_empty() => {
                    self.recorder.decided(caller.id, operations, &verdict, creates);
                }
                Verdict::Allow(_) => {}
                verdict @ Verdict::Ask(_) => {
                    self.recorder.decided(caller.id, operations, &verdict, creates);
                    asked.push((operation, verdict));
                }
                verdict @ Verdict::Deny(_) => {
                    self.recorder.decided(caller.id, operations, &verdict, creates);
                    self.tell(operations, held);
                    return if left_to_kernel { Decided::KernelDoes } else { Decided::Refuse(Errno::ACCESS) };
                }
            }
        }
        if let (false, Some(questions)) = (asked.is_empty(), &self.questions) {
            let open = self.questions_about(caller, questions, &asked, (typed, wish), object);
            if open.is_empty() {
                self.recorder.covered(caller.id);
                return Decided::Act;
            }
            return Decided::Ask(open);
        }
        if !asked.is_empty() {
            self.tell(operations, held);
            return if left_to_kernel { Decided::KernelDoes } else { Decided::Refuse(Errno::ACCESS) };
        }
        if left_to_kernel { Decided::KernelDoes } else { Decided::Act }
    }

    /// Tells of a call that something other than the rules about its object refuses: `target` is what the log names, and
    /// `operation` what the account does.
    fn refuse(&self, caller: Caller, operation: String, target: &[u8], why: &str) {
        self.recorder.refused(caller.id, target, why);
        self.account.kept_back(operation, AbsPath::new(target), why);
    }

    /// Whoever made the call.
    fn caller(&self, notification: &Notification) -> Caller {
        Caller { thread: notification.thread, id: notification.id, to_look: self.powers.to_look() }
    }

    /// Records how a call came out. Without a record it does not go through.
    fn recorded(&self, notification: &Notification, outcome: Outcome) -> Outcome {
        let ending = match &outcome {
            Outcome::Fail(errno) => Ending::Failed(*errno),
            Outcome::GoOnRecorded => return outcome,
            Outcome::GoOn => Ending::Kernel,
            Outcome::HandOver { .. } | Outcome::Return(_) => Ending::Done,
            // Slow calls were unwound before they came here.
            Outcome::Asked(_) | Outcome::Slow(_) => Ending::Failed(Errno::TRY_AGAIN),
        };
        let call = Syscall::numbered(notification.number);
        let waits = || self.listener.still_waits(notification.id).is_ok();
        let describe = || self.describe(self.caller(notification));
        let recorded = self.recorder.answered(notification, (call, ending), waits, describe);
        if matches!(call, Some(Syscall::execve | Syscall::execveat)) {
            let thread = notification.thread;
            self.recorder.becomes_another(thread, || caller::process_of(thread).ok());
            self.memories.forget();
        }
        if recorded.is_ok() { outcome } else { Outcome::Fail(Errno::IO) }
    }

    /// Who makes a call; nothing when that does not wait any more, and what was read may be about another.
    fn describe(&self, caller: Caller) -> Option<Process> {
        let process = caller.describe();
        self.check_still_waits(caller).is_ok().then_some(process)
    }

    /// Runs `act` as `caller`, with its users and powers.
    fn as_caller(&self, caller: Caller, act: impl FnOnce() -> Outcome) -> Outcome {
        self.powers.as_caller(caller, &self.listener, act).unwrap_or_else(Outcome::Fail)
    }

    /// Answers `execve(2)`. It cannot be carried out for another process: what starts is what Landlock lets start, and
    /// what the policy closes inside a grant is refused here before.
    fn execute(&self, caller: Caller, at: &At, flags: i32) -> Outcome {
        self.recorder.looked_at(caller.id, &at.path, None);
        let found = if at.path.is_empty() && flags & attributes::EMPTY_PATH != 0 {
            self.descriptor(caller, at.directory)
        } else {
            let last = if flags & attributes::NO_FOLLOW != 0 { Last::Keep } else { Last::Follow };
            self.resolver.object(caller, at.directory, &at.path, last, 0)
        };
        // The kernel's own answer for what is not there, or may not be looked at.
        let Ok(object) = found else { return Outcome::GoOn };
        let RealPath::Path(real) = &object.real else { return Outcome::GoOn };
        let operation = Operation::Execute(real.clone());
        let verdict = self.verdict_on(&operation, &[Held::Object(&object)]);
        self.recorder.decided(caller.id, std::slice::from_ref(&operation), &verdict, false);
        match verdict {
            Verdict::Allow(_) => match self.needed(caller, at.directory, &at.path, &object) {
                Needed::Nothing(_) => Outcome::GoOn,
                Needed::Signature(signed) => signed.admit(object, |_, _| Outcome::GoOn),
            },
            verdict @ (Verdict::Ask(_) | Verdict::Deny(_)) => {
                self.account.denied(|| explain(&self.plan, &operation, &verdict));
                Outcome::Fail(Errno::ACCESS)
            }
        }
    }

    /// The answer to a call whose path leads nowhere this process can follow. The kernel gives the right error by itself
    /// where its rules are all there is.
    fn unresolved(&self, errno: Errno) -> Result<Outcome, Errno> {
        if self.kernel_complete { Ok(Outcome::GoOn) } else { Err(errno) }
    }

    /// Whether the notification is still of the thread that everything was read from: what was read before is its own.
    fn check_still_waits(&self, caller: Caller) -> Result<(), Errno> {
        self.listener.still_waits(caller.id).map_err(|_| Errno::NO_SUCH_PROCESS)
    }
}
