//! Where the records go: standard output, or a pager in front of whoever sits at the terminal.

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::{Child, Command, Stdio};

use syscalls::signal::{Signal, SignalSet};

use crate::profile::escape::escaped;
use crate::verbs::{REFUSED, YES, print};

/// What `less` does where `LESS` says nothing: nothing for what fits on the screen, colours, no clearing at the end.
const LESS: &str = "FRX";
/// The statuses of `sh -c` for a command that is not there or cannot be executed (POSIX XCU 2.8.2).
const NOT_RUN: [Option<i32>; 2] = [Some(126), Some(127)];

/// Takes what is printed.
pub(super) enum Paper {
    Output,
    Pager(Child),
}

impl Paper {
    /// A pager where standard output is a terminal and `wanted` says so: `$PAGER`, or `less` where that is there.
    pub(super) fn new(wanted: bool) -> Self {
        if !wanted || !io::stdout().is_terminal() {
            return Self::Output;
        }
        let mut command = match env::var_os("PAGER") {
            Some(asked) if asked.is_empty() || asked == "cat" => return Self::Output,
            Some(asked) => {
                let mut shell = Command::new("/bin/sh");
                shell.args([OsString::from("-c"), asked]);
                shell
            }
            None => Command::new("less"),
        };
        if env::var_os("LESS").is_none() {
            command.env("LESS", LESS);
        }
        match command.stdin(Stdio::piped()).spawn() {
            Ok(pager) => {
                // Ctrl-C is for the pager; when that ends by it, there is nothing more to write.
                let _ = SignalSet::new(&[Signal::INTERRUPT]).block();
                Self::Pager(pager)
            }
            Err(_) => Self::Output,
        }
    }

    /// Prints a part of the document.
    ///
    /// # Errors
    /// The verb's exit status, when nobody reads on or it could not be written.
    pub(super) fn write(&mut self, text: &str) -> Result<(), u8> {
        let Self::Pager(pager) = self else { return print::part(text) };
        let Some(input) = &mut pager.stdin else { return Err(YES) };
        input.write_all(text.as_bytes()).map_err(|error| {
            if error.kind() == io::ErrorKind::BrokenPipe {
                return YES;
            }
            print::say(&format!("the records could not be given to the pager: {error}"));
            REFUSED
        })
    }

    /// Ends the document, and waits until it was read.
    ///
    /// # Errors
    /// The verb's exit status, when there was no pager to read it.
    pub(super) fn end(self) -> Result<(), u8> {
        let Self::Pager(mut pager) = self else { return Ok(()) };
        drop(pager.stdin.take());
        match pager.wait() {
            Ok(status) if !NOT_RUN.contains(&status.code()) => Ok(()),
            _ => {
                let asked = escaped(env::var_os("PAGER").unwrap_or_default().as_encoded_bytes(), 200);
                print::say(&format!("the pager `{asked}` that PAGER names does not run; --no-pager does without"));
                Err(REFUSED)
            }
        }
    }
}

/// Whether to colour: on a terminal that can, unless `NO_COLOR` has any content (no-color.org).
pub(super) fn may_colour() -> bool {
    let is_off = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
    !is_off && !is_dumb && io::stdout().is_terminal()
}
