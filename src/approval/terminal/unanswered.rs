//! Why nobody answered on the terminal.

use std::fmt;

use syscalls::Errno;

/// A reason that is neither yes nor no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// The terminal's foreground belongs to a job that is none of the run's.
    Background,
    /// The run is over.
    Ended,
    /// The terminal was closed.
    Gone,
    NoTerminal(Errno),
    /// A process of the run could not be stopped, and might write over the question.
    NotPaused,
    /// A system call on the terminal failed; the words name what was being done.
    Failed(&'static str, Errno),
    TooLate,
    /// Somebody else answered, or nobody waits for the answer any more.
    Withdrawn,
}

/// A clause, to follow what was asked.
impl fmt::Display for Unanswered {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Background => out.write_str("nono runs in the background, where it cannot ask"),
            Self::Ended => out.write_str("the run is over"),
            Self::Gone => out.write_str("the terminal was closed"),
            Self::NoTerminal(errno) => write!(out, "there is no terminal to ask on (/dev/tty: {errno})"),
            Self::NotPaused => out.write_str("a process of the run could not be kept stopped while asking"),
            Self::Failed(doing, errno) => write!(out, "{doing} failed on the terminal: {errno}"),
            Self::TooLate => out.write_str("nobody answered on the terminal in time"),
            Self::Withdrawn => out.write_str("the question was answered elsewhere, or is no longer asked"),
        }
    }
}
