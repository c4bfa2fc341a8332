//! The program's parent: starts it, tells the front how it ended, and ends everything when the front is gone.

use std::os::fd::{AsFd, OwnedFd};

use syscalls::process::{self, Change, Pid, Side};
use syscalls::signal::{self, Signal, SignalSet};

use super::family::Family;
use super::report::Ended;
use crate::enforce::{Failure, Prepared, Stage};

/// Runs the keeper's whole life in a process of its own. Does not return.
pub(super) fn keep(
    prepared: &Prepared,
    family: &Family,
    front: Pid,
    awaited: &SignalSet,
    mask: &SignalSet,
    report: &OwnedFd,
) -> ! {
    // The signal comes when the front dies; if it died before this line, nothing has been started yet.
    if process::set_parent_death_signal(Signal::TERMINATE).is_err() || process::parent_id() != Some(front) {
        process::exit_now(1);
    }
    let keeper = process::own_id();
    let program = match process::fork() {
        Ok(Side::Child) => start(prepared, keeper, mask, report),
        Ok(Side::Parent(program)) => program,
        Err(errno) => {
            Ended::NotStarted(Failure { stage: Stage::Execute, errno }).send(report.as_fd());
            process::exit_now(1);
        }
    };
    loop {
        let arrival = awaited.wait();
        if process::parent_id() != Some(front) {
            family.end();
            process::exit_now(1);
        }
        match arrival {
            Ok(arrival) if arrival.signal == Signal::CHILD => {
                if let Some(change) = program_ended(program) {
                    Ended::from(change).send(report.as_fd());
                    process::exit_now(0);
                }
            }
            // The front has decided that it is for the program; what comes from elsewhere has reached it as well.
            Ok(arrival) if arrival.sender == front.number() => {
                let _ = signal::send(program, arrival.signal);
            }
            Ok(_) | Err(_) => {}
        }
    }
}

/// The child's way into the sandbox: system calls alone, no allocation.
fn start(prepared: &Prepared, keeper: Pid, mask: &SignalSet, report: &OwnedFd) -> ! {
    let alive = process::set_parent_death_signal(Signal::KILL).is_ok() && process::parent_id() == Some(keeper);
    if alive {
        let Err(failure) = prepared.enter(Some(mask));
        Ended::NotStarted(failure).send(report.as_fd());
    }
    process::exit_now(1)
}

/// The program's end, once it has come; when it stopped, the keeper stops too, and both go on together.
fn program_ended(program: Pid) -> Option<Change> {
    loop {
        match process::next_change() {
            Ok(Some((pid, Change::Stopped(_)))) if pid == program => {
                let _ = signal::raise(Signal::STOP);
                let _ = signal::send(program, Signal::CONTINUE);
                // A program that leads a process group of its own was stopped with that group.
                if process::process_group(program) == Ok(program) {
                    let _ = signal::send_group(program, Signal::CONTINUE);
                }
            }
            Ok(Some((pid, change))) if pid == program => return Some(change),
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return None,
        }
    }
}
