//! The one place that every decision passes on its way to the audit log.
//!
//! A call is put together as it is looked at: [`Recorder::looked_at`] has what the program wrote, [`Recorder::decided`] the
//! object and the rule, [`Recorder::settled`] the answer to a question, and [`Recorder::answered`] the outcome, before the
//! program gets it. What no call waits for goes through [`Recorder::note`]. When one of these fails the log cannot be
//! written, and nothing further may be let through.

mod call;
mod clock;
mod drafts;
mod evidence;
mod part;
mod people;
mod words;

use std::ffi::CStr;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use syscalls::Errno;
use syscalls::abi::Syscall;
use syscalls::notify::{Notification, NotifyId};
use syscalls::process::Pid;

use self::clock::Clock;
use self::drafts::Drafts;
pub(super) use self::people::Life;
use self::people::People;
use super::Ended;
use super::questions::Answered;
use crate::approval::{Process, Question, Subject, webhook};
use crate::audit::log::{Log, LogError, Lost, Opened, Repeats, now};
use crate::audit::record::{Disposition, Fields, Level, When};
use crate::plan::{Operation, Plan, Verdict};
use crate::profile::Profile;

/// The exit status of a run that nono refused.
const REFUSED: u64 = 125;

/// A session that is about to be recorded.
#[derive(Debug)]
pub struct Session {
    pub log: Opened,
    pub level: Level,
    /// The fields that the record of the session's beginning has besides those of every record.
    pub beginning: Vec<u8>,
    /// The digest of a policy. It is of a long text, so the thread that writes makes it.
    pub digest: fn(&Profile) -> String,
}

/// Makes the session under a plan. It takes some calls to the file system, and so is done while the program enters its sandbox;
/// the program executes nothing before.
pub struct Beginning(pub Box<Begin>);

/// Answers with a sentence where there can be no session.
type Begin = dyn FnOnce(&Plan) -> Result<Session, String>;

impl fmt::Debug for Beginning {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Beginning")
    }
}

/// Records what a session does.
#[derive(Debug)]
pub(super) struct Recorder {
    log: Log,
    id: String,
    level: Level,
    began: Instant,
    clock: Clock,
    drafts: Drafts,
    people: People,
    /// How many operations had each disposition, in the order of [`Disposition::ALL`].
    counts: [AtomicU64; Disposition::ALL.len()],
}

/// How a call came out, as far as it is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Done,
    Failed(Errno),
    /// The kernel carries it out, under its own rules.
    Kernel,
}

impl Recorder {
    /// Begins the session's log under the policy whose digest `policy` makes; `lost` is called once when it cannot be written any
    /// more.
    ///
    /// # Errors
    /// There can be no thread that writes.
    pub(super) fn start(
        session: Session,
        policy: impl FnOnce() -> String + Send + 'static,
        lost: impl Fn() + Send + 'static,
    ) -> Result<Self, LogError> {
        let id = session.log.id().to_owned();
        let recorder = Self {
            log: session.log.start(move |fields| fields.text("policy_sha256", &policy()), lost)?,
            id,
            level: session.level,
            began: Instant::now(),
            clock: Clock::default(),
            drafts: Drafts::default(),
            people: People::default(),
            counts: Default::default(),
        };
        let beginning = |fields: &mut Fields<'_>| fields.raw(&session.beginning);
        // A log that is lost already is noticed with the first call.
        let _ = recorder.note("session.start", recorder.id.as_bytes(), Disposition::Noted, beginning);
        Ok(recorder)
    }

    /// What a call was given, before anything was looked up: a path as it was written, and flags.
    pub(super) fn looked_at(&self, call: NotifyId, typed: &CStr, flags: Option<u64>) {
        self.drafts.change(call, |draft| {
            draft.typed.clear();
            draft.typed.extend_from_slice(typed.to_bytes());
            draft.flags = flags;
        });
    }

    /// What `verdict` is about the first of `operations` that decides; the second path, where there is one, is where the
    /// first goes. `creates` says that a file is made.
    pub(super) fn decided(&self, call: NotifyId, operations: &[Operation], verdict: &Verdict<'_>, creates: bool) {
        self.drafts.change(call, |draft| {
            draft.writes = operations.iter().any(|operation| matches!(operation, Operation::Write(_)));
            draft.creates = creates;
            draft.disposition = Some(match verdict {
                Verdict::Allow(_) => Disposition::Allowed,
                // Until somebody answers, and where nobody may be asked, it is refused.
                Verdict::Ask(_) | Verdict::Deny(_) => Disposition::Denied,
            });
            draft.describe_decision(operations, verdict);
        });
    }

    /// An open that makes nothing and is left to the kernel, all at once: what was written and asked for, and what was `found`
    /// there and allowed. `process` describes whoever makes it.
    ///
    /// # Errors
    /// [`Lost`]: it must not go through.
    pub(super) fn left_to_kernel(
        &self,
        (thread, call, now): (Pid, Syscall, Instant),
        (typed, flags): (&CStr, u64),
        found: Option<(&[Operation], &Verdict<'_>)>,
        process: impl FnOnce() -> Option<Process>,
    ) -> Result<(), Lost> {
        let writes = found.is_some_and(|(all, _)| all.iter().any(|one| matches!(one, Operation::Write(_))));
        let operation = words::opening(writes, Some(flags));
        let disposition = if found.is_some() { Disposition::Allowed } else { Disposition::Kernel };
        let Some(when) = self.admit(operation, disposition, now)? else { return Ok(()) };
        let recorded = self.people.describe(thread, now, process, |process| {
            let Some(process) = process else { return Ok(0) };
            self.drafts.write_whole(|draft, plain| {
                let what = (operation, disposition);
                if let Some((operations, verdict)) = found
                    && let Some(parts) = plain.parts(what, (operations, verdict), typed, (call, flags), process)
                {
                    return self.log.append(when, &parts, Repeats::Counted);
                }
                draft.has_target = false;
                draft.flags = Some(flags);
                draft.typed.extend_from_slice(typed.to_bytes());
                if let Some((operations, verdict)) = found {
                    draft.describe_decision(operations, verdict);
                }
                draft.describe_call(what, (Some(call), Ending::Kernel));
                Fields::new(&mut draft.record).json("process", process);
                self.log.append(when, &[&draft.record], Repeats::Counted)
            })
        });
        recorded.map(drop)
    }

    /// A call is refused by something other than the policy's rules about its object, which is `target`: `rule` says what
    /// that is.
    pub(super) fn refused(&self, call: NotifyId, target: &[u8], rule: &str) {
        self.drafts.change(call, |draft| {
            draft.disposition = Some(Disposition::Denied);
            draft.has_target = true;
            draft.fields.clear();
            let mut fields = Fields::new(&mut draft.fields);
            fields.bytes("target", target);
            fields.text("rule", rule);
        });
    }

    /// The same for a call that would change the content of a file.
    pub(super) fn refused_writing(&self, call: NotifyId, target: &[u8], rule: &str) {
        self.refused(call, target, rule);
        self.drafts.change(call, |draft| draft.writes = true);
    }

    /// A call is answered here in the place of what it asked for, and so succeeds whatever the rules say about that: `rule`
    /// says how.
    pub(super) fn served(&self, call: NotifyId, operation: &Operation, rule: &str) {
        self.drafts.change(call, |draft| {
            draft.disposition = Some(Disposition::Allowed);
            draft.fields.clear();
            draft.has_target = words::targets(&mut draft.fields, std::slice::from_ref(operation));
            Fields::new(&mut draft.fields).text("rule", rule);
        });
    }

    /// What came of a question, with what a service left for the log, recorded by itself and on the disk before a yes has any
    /// effect.
    ///
    /// # Errors
    /// [`Lost`]: the yes must have no effect.
    pub(super) fn settled(
        &self,
        call: NotifyId,
        question: &Question,
        (answered, evidence): (&Answered, Option<&webhook::Record>),
        waited: Duration,
    ) -> Result<(), Lost> {
        let (disposition, by) = words::answer(answered);
        let latency = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        let number = self.record("approval", disposition, |fields| {
            match &question.object {
                Subject::File(object) => fields.bytes("target", object.real.as_bytes()),
                Subject::Host(host) => {
                    fields.bytes("target", format!("{}:{}", host.target, host.port).as_bytes());
                    fields.text("transport", if host.udp { "udp" } else { "tcp" });
                }
            }
            fields.text("asked", &question.operation.to_string());
            words::answered(fields, answered, latency);
            if let Some(evidence) = evidence {
                evidence::write(fields, evidence);
            }
            fields.number("pid", u64::try_from(question.process.pid).unwrap_or(0));
        })?;
        self.drafts.change(call, |draft| {
            draft.disposition = Some(disposition);
            let mut fields = Fields::new(&mut draft.fields);
            if let Some(by) = by {
                fields.text("approver", by);
            }
            fields.number("latency_ms", latency);
        });
        // A no has no effect that could come too early.
        if disposition.is_refusal() { Ok(()) } else { self.log.wait(number) }
    }

    /// An earlier yes holds for a call.
    pub(super) fn covered(&self, call: NotifyId) {
        self.drafts.change(call, |draft| draft.disposition = Some(Disposition::Approved));
    }

    /// How a call came out; its answer may be sent once this is done. `process` describes the caller, and `waits` says whether
    /// it still waits. What was read about one that does not may be another's, so nothing is said of a call that ended
    /// before anything was decided or done for it.
    ///
    /// # Errors
    /// [`Lost`]: the call must not go through.
    pub(super) fn answered(
        &self,
        notification: &Notification,
        (call, ending): (Option<Syscall>, Ending),
        waits: impl FnOnce() -> bool,
        process: impl FnOnce() -> Option<Process>,
    ) -> Result<(), Lost> {
        let mut draft = self.drafts.take(notification.id);
        let nothing_done = match ending {
            Ending::Kernel => true,
            Ending::Failed(_) => draft.disposition.is_none(),
            Ending::Done => false,
        };
        let recorded = if nothing_done && !waits() {
            Ok(())
        } else {
            self.append_call(&mut draft, notification.thread, (call, ending), (nothing_done, process))
        };
        self.drafts.give_back(draft);
        recorded
    }

    /// Records something that no call waits for. `more` adds fields besides the time, `operation`, `target` and
    /// `disposition`.
    ///
    /// # Errors
    /// [`Lost`]: what this is about must not happen.
    pub(super) fn note(
        &self,
        operation: &str,
        target: &[u8],
        disposition: Disposition,
        more: impl FnOnce(&mut Fields<'_>),
    ) -> Result<(), Lost> {
        let written = self.record(operation, disposition, |fields| {
            fields.bytes("target", target);
            more(fields);
        });
        written.map(drop)
    }

    /// Why the log cannot be written any more, once that is so.
    pub(super) fn lost(&self) -> Option<String> {
        self.log.lost()
    }

    /// Records the end, signs the whole and waits until all of it is on the disk.
    ///
    /// # Errors
    /// Why it could not be written.
    pub(super) fn end(&self, ended: Ended) -> Result<(), String> {
        self.end_with(|fields| words::ended(fields, ended))
    }

    /// The same for a session in which nothing was started, and why.
    ///
    /// # Errors
    /// Why it could not be written.
    pub(super) fn end_unstarted(&self, why: &str) -> Result<(), String> {
        self.end_with(|fields| {
            fields.number("exit_status", REFUSED);
            fields.text("not_started", why);
        })
    }

    fn end_with(&self, how: impl FnOnce(&mut Fields<'_>)) -> Result<(), String> {
        // What was only counted comes before the end.
        self.log.settle();
        let noted = self.note("session.end", self.id.as_bytes(), Disposition::Noted, |fields| {
            how(fields);
            for (disposition, count) in Disposition::ALL.into_iter().zip(&self.counts) {
                fields.number(disposition.name(), count.load(Ordering::Relaxed));
            }
        });
        let closed = noted.and_then(|()| self.log.end());
        closed.map_err(|Lost| self.log.lost().unwrap_or_else(|| "the thread that writes it is gone".to_owned()))
    }

    /// Adds a record, where the level keeps it.
    fn record(
        &self,
        operation: &str,
        disposition: Disposition,
        rest: impl FnOnce(&mut Fields<'_>),
    ) -> Result<u64, Lost> {
        match self.admit(operation, disposition, Instant::now())? {
            Some(when) => self.add(when, operation, disposition, rest),
            None => Ok(0),
        }
    }

    fn add(
        &self,
        when: When,
        operation: &str,
        disposition: Disposition,
        rest: impl FnOnce(&mut Fields<'_>),
    ) -> Result<u64, Lost> {
        let mut buffer = Vec::new();
        let mut fields = Fields::new(&mut buffer);
        words::begin(&mut fields, operation, disposition);
        rest(&mut fields);
        self.log.append(when, &[&buffer], Repeats::Written)
    }

    /// Counts an operation that happens at `instant`. Answers with the time of its record, where the level keeps one.
    ///
    /// # Errors
    /// [`Lost`]: it must not happen.
    fn admit(&self, operation: &str, disposition: Disposition, instant: Instant) -> Result<Option<When>, Lost> {
        if let Some(count) = self.counts.get(disposition as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        if !self.level.keeps(operation, disposition) {
            return if self.log.is_writable() { Ok(None) } else { Err(Lost) };
        }
        let elapsed = instant.saturating_duration_since(self.began);
        let (moment, expected) = self.clock.time(elapsed, now);
        let when = When { moment, elapsed };
        if let Some(expected) = expected {
            self.add(when, "clock.set", Disposition::Noted, |fields| {
                fields.bytes("target", self.id.as_bytes());
                fields.text("expected", std::str::from_utf8(&expected.text()).unwrap_or_default());
            })?;
        }
        Ok(Some(when))
    }
}
