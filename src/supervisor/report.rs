//! How a run ended, and the record in which the keeper tells the front.

use std::os::fd::BorrowedFd;

use syscalls::process::Change;
use syscalls::signal::Signal;
use syscalls::{Errno, file};

use crate::enforce::{Failure, Stage};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Exited(u8),
    /// The keeper was killed, and the front has ended everything.
    KeeperLost,
    Killed(Signal),
    /// The log could not be written any more, and everything was ended; the account says why.
    LogLost,
    /// The program never ran, because there can be no log; the account says why.
    NoLog,
    /// The program never ran.
    NotStarted(Failure),
}

const EXITED: u8 = 0;
const KILLED: u8 = 1;
const LOG_LOST: u8 = u8::MAX;
const NO_LOG: u8 = u8::MAX - 1;
/// Numbers from here on are the stages of a failure.
const FAILED: u8 = 2;

/// One record: what kind, and a status, signal or error number in four bytes.
pub(super) const SIZE: usize = 5;

impl Ended {
    /// The record of this end. Does not allocate.
    pub(super) fn encode(self) -> [u8; SIZE] {
        let (kind, value) = match self {
            Self::Exited(status) => (EXITED, i32::from(status)),
            Self::Killed(signal) => (KILLED, signal.0),
            Self::KeeperLost => (FAILED, 0),
            Self::LogLost => (LOG_LOST, 0),
            Self::NoLog => (NO_LOG, 0),
            Self::NotStarted(failure) => {
                let stage = Stage::ALL.iter().position(|&stage| stage == failure.stage).unwrap_or(0);
                (FAILED.saturating_add(u8::try_from(stage).unwrap_or(0)), failure.errno.0)
            }
        };
        let [a, b, c, d] = value.to_ne_bytes();
        [kind, a, b, c, d]
    }

    pub(super) fn decode([kind, a, b, c, d]: [u8; SIZE]) -> Self {
        let value = i32::from_ne_bytes([a, b, c, d]);
        match kind {
            EXITED => Self::Exited(u8::try_from(value).unwrap_or(u8::MAX)),
            KILLED => Self::Killed(Signal(value)),
            LOG_LOST => Self::LogLost,
            NO_LOG => Self::NoLog,
            failed => match Stage::ALL.get(usize::from(failed.saturating_sub(FAILED))) {
                Some(&stage) => Self::NotStarted(Failure { stage, errno: Errno(value) }),
                None => Self::KeeperLost,
            },
        }
    }

    /// Writes the record. Does not allocate.
    pub(super) fn send(self, to: BorrowedFd<'_>) {
        // Whoever reads is gone when this fails, and then there is nobody to tell.
        let _ = file::write(to, &self.encode());
    }

    /// Reads the first record; a pipe that ends without one means that its writer was killed.
    pub(super) fn receive(from: BorrowedFd<'_>) -> Self {
        let mut record = [0; SIZE];
        match file::read(from, &mut record) {
            Ok(SIZE) => Self::decode(record),
            Ok(_) | Err(_) => Self::KeeperLost,
        }
    }
}

impl From<Change> for Ended {
    fn from(change: Change) -> Self {
        match change {
            Change::Exited(status) => Self::Exited(status),
            Change::Killed(signal) | Change::Stopped(signal) => Self::Killed(signal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_comes_back_as_it_was_sent() {
        let mut ends =
            vec![Ended::LogLost, Ended::NoLog, Ended::Exited(0), Ended::Exited(255), Ended::Killed(Signal::KILL)];
        ends.extend(Stage::ALL.map(|stage| Ended::NotStarted(Failure { stage, errno: Errno::ACCESS })));
        for end in ends {
            assert_eq!(Ended::decode(end.encode()), end);
        }
    }

    #[test]
    fn a_record_of_no_known_kind_counts_as_a_lost_keeper() {
        assert_eq!(Ended::decode([200, 0, 0, 0, 0]), Ended::KeeperLost);
    }
}
