//! The program's parent: starts it, answers its calls, tells the front how it ended, and ends everything when the front is
//! gone.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use syscalls::Errno;
use syscalls::at::change::set_umask;
use syscalls::process::{self, Change, Pid, Side};
use syscalls::signal::{self, Signal, SignalSet};

use super::Supervision;
use super::account::Account;
use super::family::{Family, reaching};
use super::front;
use super::mediate::{Mediator, Partners, Powers, Relief, Service};
use super::meeting::{self, KeeperSide, ProgramSide};
use super::pause::Pause;
use super::questions::Questions;
use super::recorder::{Beginning, Recorder};
use super::report::Ended;
use super::trusted::Trusted;
use crate::approval::Approver;
use crate::approval::terminal::{Style, Terminal};
use crate::enforce::{Failure, Meeting, Prepared, Stage};
use crate::plan::Plan;
use crate::profile::{Approver as Named, OnTimeout};

/// How long a question stays open where the policy does not say, as in `supervisor.timeout_ms`.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Questions within a second where the policy does not say, as in `supervisor.questions_per_second`: what a person can read.
const DEFAULT_QUESTIONS: u64 = 5;

/// What the keeper has from the front.
pub(super) struct Keeper<'k> {
    pub(super) prepared: &'k Prepared,
    pub(super) family: &'k Family,
    pub(super) front: Pid,
    pub(super) awaited: &'k SignalSet,
    pub(super) mask: &'k SignalSet,
    pub(super) report: &'k OwnedFd,
}

impl Keeper<'_> {
    /// Runs the keeper's whole life in a process of its own. Does not return.
    pub(super) fn keep(&self, supervision: Option<Supervision>) -> ! {
        // The signal comes when the front dies; if it died before this line, nothing has been started yet. This one, since
        // it reaches a stopped process too: somebody outside may have stopped all of the job. Blocked, it is not ignored.
        let signalled = SignalSet::new(&[Signal::CONTINUE]).block().is_ok()
            && process::set_parent_death_signal(Signal::CONTINUE).is_ok();
        if !signalled || process::parent_id() != Some(self.front) {
            process::exit_now(1);
        }
        // Whoever kills by name kills the front, and this process then ends all the others.
        let _ = process::set_name(c"supervisor");
        let account = Arc::new(Account::default());
        let pause = Arc::new(Pause::new(self.front));
        let mut recorder = None;
        let started = match supervision {
            None => self.start(None).map(|(program, _)| Begun::alone(program)).map_err(Unstarted::Failed),
            Some(supervision) => self.start_supervised(supervision, &account, &pause, &mut recorder),
        };
        let run = Running { account, pause, recorder };
        match started {
            Ok(begun) => self.wait(begun, &run),
            Err(Unstarted::Failed(failure)) => self.end(&run, Ended::NotStarted(failure)),
            Err(Unstarted::NoLog(why)) => {
                run.account.only(why);
                self.end(&run, Ended::NoLog)
            }
        }
    }

    /// Starts the program and everything that answers its calls.
    fn start_supervised(
        &self,
        supervision: Supervision,
        account: &Arc<Account>,
        pause: &Arc<Pause>,
        recorder: &mut Option<Arc<Recorder>>,
    ) -> Result<Begun, Unstarted> {
        let failed = |errno| Unstarted::Failed(Failure { stage: Stage::Filter, errno });
        let (program_side, keeper_side) = meeting::pair().map_err(failed)?;
        let (program, keeper_side) = self.start(Some((program_side, keeper_side))).map_err(Unstarted::Failed)?;
        let Some(keeper_side) = keeper_side else { return Err(failed(Errno::INVALID)) };
        // While the program enters its sandbox, and with the power that the run was started with.
        let Beginning(begin) = supervision.session;
        let session = begin(&supervision.plan).map_err(|why| {
            // It has executed nothing, and is not to report that nobody answers it.
            let _ = reaching(|| signal::send(program, Signal::KILL));
            Unstarted::NoLog(why)
        })?;
        // What acts for the program has no more power than the program.
        let powers = Powers::shared_with(self.prepared.kept_capabilities()).map_err(failed)?;
        // A new file has the mode that the caller's mask leaves it, and no other.
        set_umask(0);
        let terminal = asked_terminal(&supervision.plan, pause, supervision.style);
        let questions = questions(&supervision.plan, supervision.webhook.clone(), terminal.clone());
        let (plan, digest) = (Arc::new(supervision.plan), session.digest);
        if let Some(webhook) = &supervision.webhook {
            let policy = Arc::clone(&plan);
            webhook.begin(session.log.id(), Box::new(move || digest(&policy.profile)));
        }
        let policy = Arc::clone(&plan);
        let started = Recorder::start(session, move || digest(&policy.profile), wake_keeper);
        let started = started.map_err(|_| failed(Errno::TRY_AGAIN))?;
        let recorder = Arc::clone(recorder.insert(Arc::new(started)));
        // Nothing to take means that the program failed on its way here, and has reported that.
        let Some(listener) = keeper_side.listener(program).map_err(failed)? else { return Ok(Begun::alone(program)) };
        let around = vec![self.front, process::own_id()];
        let trusting = |trust| Arc::new(Trusted::new(trust, Arc::clone(account), Arc::clone(&recorder)));
        let trusted = supervision.trust.map(trusting);
        let partners = Partners { questions, account: Arc::clone(account), trusted, recorder };
        let mediator = Mediator::new(plan, listener, around, powers, partners);
        let service = Service::start(mediator, wake_keeper).map_err(failed)?;
        keeper_side.go();
        Ok(Begun { program, terminal, relief: Some(service.relief()) })
    }

    /// Forks the program; it waits in the meeting, if there is one.
    fn start(&self, meeting: Option<(ProgramSide, KeeperSide)>) -> Result<(Pid, Option<KeeperSide>), Failure> {
        let keeper = process::own_id();
        match process::fork() {
            Ok(Side::Child) => {
                let side = meeting.map(|(program, _)| program);
                self.become_program(keeper, side.as_ref())
            }
            Ok(Side::Parent(program)) => Ok((program, meeting.map(|(_, keeper)| keeper))),
            Err(errno) => Err(Failure { stage: Stage::Execute, errno }),
        }
    }

    /// The child's way into the sandbox: system calls alone, no allocation.
    fn become_program(&self, keeper: Pid, side: Option<&ProgramSide>) -> ! {
        let alive = process::set_parent_death_signal(Signal::KILL).is_ok() && process::parent_id() == Some(keeper);
        if alive {
            let Err(failure) = self.prepared.enter(Some(self.mask), side.map(|side| side as &dyn Meeting));
            Ended::NotStarted(failure).send(self.report.as_fd());
        }
        process::exit_now(1)
    }

    /// Closes the log and tells the front how the run ended. When this process is gone the front ends what is left.
    fn end(&self, run: &Running, ended: Ended) -> ! {
        let closed = run.recorder.as_ref().map_or(Ok(()), |recorder| recorder.end(ended));
        let ended = match closed {
            Ok(()) => ended,
            Err(why) => {
                run.account.only(why);
                Ended::LogLost
            }
        };
        ended.send(self.report.as_fd());
        run.account.send(self.report.as_fd());
        process::exit_now(0)
    }

    /// Waits for the program's end.
    fn wait(&self, begun: Begun, run: &Running) -> ! {
        let Begun { program, terminal, mut relief } = begun;
        let terminal = terminal.as_deref();
        let mut is_stopped = false;
        loop {
            let arrival = self.awaited.wait(relief.as_mut().and_then(Relief::look));
            if process::parent_id() != Some(self.front) {
                // The terminal is the user's again before anything else ends.
                terminal.inspect(|terminal| terminal.close());
                self.family.end();
                self.end(run, Ended::KeeperLost);
            }
            if run.recorder.as_ref().is_some_and(|recorder| recorder.lost().is_some()) {
                terminal.inspect(|terminal| terminal.close());
                self.end(run, Ended::LogLost);
            }
            match arrival {
                Ok(arrival) if arrival.signal == Signal::CHILD => {
                    if let Some(change) = self.program_ended(program, &run.pause, &mut is_stopped) {
                        terminal.inspect(|terminal| terminal.close());
                        self.end(run, Ended::from(change));
                    }
                }
                // From the front or whoever continues all of the job.
                Ok(arrival) if arrival.signal == Signal::CONTINUE => {
                    if std::mem::take(&mut is_stopped) {
                        go_on(program);
                    }
                }
                // The front has decided that it is for the program; what comes from elsewhere has reached it as well.
                Ok(arrival) if arrival.sender == self.front.number() => {
                    let _ = reaching(|| signal::send(program, arrival.signal));
                }
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// The program's end, once it has come. When it stopped, the front is told, and stops for the shell to see; this
    /// process does not, and ends everything also when the stopped front is killed.
    fn program_ended(&self, program: Pid, pause: &Pause, is_stopped: &mut bool) -> Option<Change> {
        loop {
            let held_before = pause.is_held();
            match process::next_change() {
                // It asked to be traced by its parent (`PTRACE_TRACEME`), which is nobody's tracer: no stop of its own.
                Ok(Some((pid, Change::Stopped(by)))) if process::stop_tracing(pid, by).is_ok() => {}
                Ok(Some((pid, Change::Stopped(by)))) if pid == program => {
                    // Stopped while a question is on the terminal: that is no news for the shell.
                    if held_before || pause.is_held() {
                        continue;
                    }
                    *is_stopped = true;
                    let by = usize::try_from(by.0).unwrap_or_default();
                    let _ = signal::send_with(self.front, front::stopped(), by);
                }
                Ok(Some((pid, change))) if pid == program => return Some(change),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return None,
            }
        }
    }
}

/// Why nothing was started.
enum Unstarted {
    Failed(Failure),
    /// There can be no log; a sentence.
    NoLog(String),
}

/// What was started.
struct Begun {
    program: Pid,
    /// The terminal, where it is asked.
    terminal: Option<Arc<Terminal>>,
    relief: Option<Relief>,
}

impl Begun {
    /// The program, with nobody who answers its calls.
    fn alone(program: Pid) -> Self {
        Self { program, terminal: None, relief: None }
    }
}

/// What goes on while the program runs.
struct Running {
    account: Arc<Account>,
    pause: Arc<Pause>,
    recorder: Option<Arc<Recorder>>,
}

/// The terminal, where the policy names it to be asked.
fn asked_terminal(plan: &Plan, pause: &Arc<Pause>, style: Style) -> Option<Arc<Terminal>> {
    let mut named = plan.profile.supervisor.approval.iter();
    let programs: Arc<Pause> = Arc::clone(pause);
    named.any(|given| given.value == Named::Terminal).then(|| Arc::new(Terminal::new(programs, style)))
}

/// Whoever the policy names to be asked; `None` where it names nobody.
fn questions(
    plan: &Plan,
    webhook: Option<Arc<dyn Approver>>,
    terminal: Option<Arc<Terminal>>,
) -> Option<Arc<Questions>> {
    let policy = &plan.profile.supervisor;
    let mut approvers: Vec<Arc<dyn Approver>> = Vec::new();
    if let Some(terminal) = terminal {
        approvers.push(terminal);
    }
    // A policy with a webhook and no list of approvers means the webhook.
    if policy.approval.is_empty() || policy.approval.iter().any(|given| given.value == Named::Webhook) {
        approvers.extend(webhook);
    }
    let timeout = policy.timeout_ms.as_ref().map_or(DEFAULT_TIMEOUT, |given| Duration::from_millis(given.value));
    let most = policy.questions_per_second.as_ref().map_or(DEFAULT_QUESTIONS, |given| given.value);
    let fail_open = policy.default_on_timeout.as_ref().is_some_and(|given| given.value == OnTimeout::Allow);
    (!approvers.is_empty()).then(|| Arc::new(Questions::new(approvers, timeout, fail_open, most)))
}

/// Continues the program that was stopped.
fn go_on(program: Pid) {
    let _ = reaching(|| signal::send(program, Signal::CONTINUE));
    // A program that leads a process group of its own was stopped with that group.
    if process::process_group(program) == Ok(program) {
        let _ = reaching(|| signal::send_group(program, Signal::CONTINUE));
    }
}

/// Lets the keeper look whether the log is lost, and whether calls wait.
fn wake_keeper() {
    // To oneself, with a signal that is waited for anyway: it cannot fail.
    let _ = signal::send(process::own_id(), Signal::CHILD);
}
