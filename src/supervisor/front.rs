//! The process the user started: waits for the keeper, passes signals on, stops and continues with the program.
//!
//! The keeper does not stop with them, so that it ends everything also when a stopped front is killed.
//!
//! It stays in the shell's process group and never touches the terminal: a key such as Ctrl-C reaches the program from
//! the kernel, as it would without nono.

use std::os::fd::{AsFd, OwnedFd};

use syscalls::process::{self, Change, Pid};
use syscalls::signal::{self, Signal, SignalSet};

use super::account::{self, Refused};
use super::family::Family;
use super::report::Ended;

/// Signals that stop (`signal(7)`).
const STOPS: [Signal; 4] = [Signal::STOP, Signal::TERMINAL_STOP, Signal::TERMINAL_INPUT, Signal::TERMINAL_OUTPUT];

/// By which the keeper tells that the program was stopped; its value is the signal that did.
pub(super) fn stopped() -> Signal {
    Signal::first_real_time()
}

/// Waits until the run is over and nothing of it is left.
pub(super) fn wait(keeper: Pid, family: &Family, awaited: &SignalSet, report: &OwnedFd) -> (Ended, Vec<Refused>) {
    loop {
        let Ok(arrival) = awaited.wait(None) else { continue };
        if arrival.signal == Signal::CHILD {
            if keeper_ended(keeper) {
                break;
            }
        } else if arrival.signal == stopped() {
            let by = STOPS.into_iter().find(|stop| usize::try_from(stop.0) == Ok(arrival.value));
            if let (true, Some(by)) = (arrival.sender == keeper.number(), by) {
                stop(by, keeper);
            }
        } else if arrival.from_process {
            // From the kernel it is a key on the terminal, which the program has got as well.
            let _ = signal::send(keeper, arrival.signal);
        }
    }
    family.end_adopted();
    let ended = Ended::receive(report.as_fd());
    (ended, account::receive(report.as_fd()))
}

/// Takes note of every child that changed; several changes may come with one signal.
fn keeper_ended(keeper: Pid) -> bool {
    loop {
        match process::next_change() {
            Ok(Some((pid, Change::Stopped(by)))) if pid == keeper => {
                // By somebody outside: without it nothing of the run is answered.
                stop(by, keeper);
            }
            Ok(Some((pid, Change::Exited(_) | Change::Killed(_)))) if pid == keeper => return true,
            // An orphan of the program's that this process has adopted.
            Ok(Some(_)) => {}
            Ok(None) => return false,
            Err(_) => return true,
        }
    }
}

/// Lets the shell see its job stopped, by the same signal, and has the keeper go on with the program when the job does.
fn stop(by: Signal, keeper: Pid) {
    let _ = signal::stop_by(by);
    let _ = signal::send(keeper, Signal::CONTINUE);
}
