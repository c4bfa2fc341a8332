//! Runs the program and stays beside it until everything it started is gone.
//!
//! Two processes stand around the program, so that killing one of them frees nothing: the *front* is what the user
//! started and waits; the *keeper* is the program's parent. When the front dies the keeper ends the whole tree, when the
//! keeper dies the front does. Both are held by a Landlock domain that handles nothing but signals: in it, `kill(-1)`
//! reaches this run's processes, all of them at one moment, and no other.
//!
//! ```text
//! shell ── front ── keeper ── program ── …
//! ```

pub mod account;
mod family;
mod front;
mod keeper;
mod mediate;
mod meeting;
mod questions;
pub mod pause;
mod recorder;
pub mod report;
pub mod trusted;

use syscalls::process::{self, Side};
use syscalls::signal::{self, Signal, SignalSet};
use syscalls::terminal::{Modes, Terminal};
use syscalls::{Errno, credentials, file};

use std::sync::Arc;

use crate::approval::Approver;
use crate::approval::terminal::Style;
use crate::enforce::Prepared;
use crate::enforce::gaps::Kernel;
use crate::plan::Plan;
use crate::profile::{Approver as Named, Profile};

pub use self::account::Refused;
use self::recorder::Recorder;
pub use self::recorder::{Beginning, Session};
pub use self::report::Ended;
pub use self::trusted::{LookedAt, Trust};

/// Signals that a user sends to nono and means for the program.
const FORWARDED: [Signal; 9] = [
    Signal::HANGUP,
    Signal::INTERRUPT,
    Signal::QUIT,
    Signal::TERMINAL_INPUT,
    Signal::TERMINAL_OUTPUT,
    Signal::TERMINAL_STOP,
    Signal::TERMINATE,
    Signal::USER_1,
    Signal::USER_2,
];

/// What the keeper needs to answer the program's calls.
#[derive(Debug)]
pub struct Supervision {
    pub plan: Plan,
    /// The log of everything that is decided.
    pub session: Beginning,
    /// The approver behind the policy's webhook, where it has one.
    pub webhook: Option<Arc<dyn Approver>>,
    /// How questions on the terminal look.
    pub style: Style,
    /// Which files must be signed.
    pub trust: Option<Trust>,
}

/// Starts the program in its sandbox, waits for its end, and ends everything it left behind. Without `supervision` the
/// sandbox is the kernel's alone.
///
/// # Errors
/// A system call that failed before anything was started.
pub fn run(
    prepared: &Prepared,
    kernel: &Kernel,
    supervision: Option<Supervision>,
) -> Result<(Ended, Vec<Refused>), Errno> {
    let (reading, writing) = file::pipe()?;
    let awaited = SignalSet::new(&[&[Signal::CHILD, front::stopped()], FORWARDED.as_slice()].concat());
    process::set_dumpable(false)?;
    // Once for all processes of the run.
    credentials::limit_bounding_set(prepared.kept_capabilities());
    process::adopt_orphans()?;
    let family = family::Family::found(kernel.landlock_abi)?;
    let mask = awaited.block()?;
    let front = process::own_id();
    let modes = terminal_modes(supervision.as_ref());
    match process::fork()? {
        Side::Child => {
            drop(reading);
            let awaited = SignalSet::new(&[&[Signal::CHILD, Signal::CONTINUE], FORWARDED.as_slice()].concat());
            let keeper =
                keeper::Keeper { prepared, family: &family, front, awaited: &awaited, mask: &mask, report: &writing };
            keeper.keep(supervision)
        }
        Side::Parent(keeper) => {
            drop(writing);
            // The keeper has it all: to free it here as well would copy each page it lies on.
            std::mem::forget(supervision);
            let (ended, refusals) = front::wait(keeper, &family, &awaited, &reading);
            if let (Ended::KeeperLost, Some(modes)) = (&ended, modes) {
                give_back(&modes);
            }
            Ok((ended, refusals))
        }
    }
}

/// Records a session under `policy` in which nothing is started: what came of the files that were looked at, and `why`.
///
/// # Errors
/// Why it could not be written.
pub fn record_refusal(session: Session, policy: &Profile, looked_at: &[LookedAt], why: &str) -> Result<(), String> {
    let digest = (session.digest)(policy);
    let recorder = Recorder::start(session, || digest, || {}).map_err(|error| error.to_string())?;
    trusted::record_all(&recorder, looked_at);
    recorder.end_unstarted(why)
}

/// The modes of the terminal, where the keeper may change them to ask.
fn terminal_modes(supervision: Option<&Supervision>) -> Option<Modes> {
    let mut named = supervision?.plan.profile.supervisor.approval.iter();
    named.any(|given| given.value == Named::Terminal).then(|| Terminal::controlling().ok()?.modes().ok()).flatten()
}

/// Gives the terminal the modes it had before the run, since whoever changed them last is gone. Not while it belongs to
/// another job.
fn give_back(modes: &Modes) {
    let Ok(terminal) = Terminal::controlling() else { return };
    let Ok(Some(group)) = terminal.foreground_group() else { return };
    let is_own = process::process_group(process::own_id()) == Ok(group);
    if is_own || signal::send_group(group, Signal(0)) == Err(Errno::NO_SUCH_PROCESS) {
        let _ = terminal.set_modes(modes);
    }
}
