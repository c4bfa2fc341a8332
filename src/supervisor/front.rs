//! The process the user started: waits for the keeper, passes signals on, stops and continues with the program.
//!
//! It stays in the shell's process group and never touches the terminal: a key such as Ctrl-C reaches the program from
//! the kernel, as it would without nono.

use std::os::fd::{AsFd, OwnedFd};

use syscalls::process::{self, Change, Pid};
use syscalls::signal::{self, Signal, SignalSet};

use super::account::{self, Refused};
use super::family::Family;
use super::report::Ended;

/// Waits until the run is over and nothing of it is left.
pub(super) fn wait(keeper: Pid, family: &Family, awaited: &SignalSet, report: &OwnedFd) -> (Ended, Vec<Refused>) {
    loop {
        let Ok(arrival) = awaited.wait(None) else { continue };
        if arrival.signal == Signal::CHILD {
            if keeper_ended(keeper) {
                break;
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
                // The program stopped and the keeper with it: the shell is to see its job stopped, by the same signal.
                let _ = signal::stop_by(by);
                let _ = signal::send(keeper, Signal::CONTINUE);
            }
            Ok(Some((pid, Change::Exited(_) | Change::Killed(_)))) if pid == keeper => return true,
            // An orphan of the program's that this process has adopted.
            Ok(Some(_)) => {}
            Ok(None) => return false,
            Err(_) => return true,
        }
    }
}
