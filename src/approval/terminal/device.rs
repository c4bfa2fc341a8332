//! The terminal while it belongs to a question: taken from the program, and given back as it was.

use std::time::{Duration, Instant};

use syscalls::Errno;
use syscalls::process::{self, Pid};
use syscalls::signal::{Signal, SignalSet};
use syscalls::terminal::{Interest, Modes, Readiness, Size, Terminal};

use super::Programs;
use super::turn::Patience;
use super::unanswered::Unanswered;

/// How long no key must have come before a question takes any: nobody reads and answers faster.
const QUIET: Duration = Duration::from_millis(300);
/// When keys never stop coming, the question takes them after this long all the same; a line of them is no answer.
const LONGEST_QUIET: Duration = Duration::from_secs(2);
/// How long a shell may take to make a job the foreground's.
const SETTLING: Duration = Duration::from_millis(500);
/// How long a program gets to notice that its screen has another size.
const REDRAWING: Duration = Duration::from_millis(100);
/// As much as the kernel keeps of a line (`N_TTY_BUF_SIZE`).
const LONGEST_LINE: usize = 4096;

/// The terminal, held for one question. Dropping it gives the terminal back.
pub(super) struct Held<'a> {
    terminal: Terminal,
    programs: &'a dyn Programs,
    own: Pid,
    /// The process group that had the foreground.
    owner: Pid,
    /// The modes the program had set, once they are known.
    modes: Option<Modes>,
    /// What the user's key means for the program, sent when it has the terminal again.
    pub(super) key: Option<Signal>,
    _mask: Unstoppable,
}

impl<'a> Held<'a> {
    /// Opens the terminal, stops the run's processes, and takes the foreground.
    ///
    /// # Errors
    /// Without a terminal, or when it is another job's. What was changed until then is undone.
    pub(super) fn take(programs: &'a dyn Programs, patience: &Patience<'_>) -> Result<Self, Unanswered> {
        let terminal = Terminal::controlling().map_err(Unanswered::NoTerminal)?;
        let mask = Unstoppable::new()?;
        let own = process::process_group(process::own_id()).map_err(failed("getpgid"))?;
        let owner = owner(&terminal, own, programs, patience)?;
        let mut held = Self { terminal, programs, own, owner, modes: None, key: None, _mask: mask };
        if !programs.pause() {
            return Err(Unanswered::NotPaused);
        }
        // Until now somebody could change both; from here on nobody of the run can.
        if held.terminal.foreground_group().map_err(failed("tcgetpgrp"))? != Some(owner) {
            return Err(Unanswered::Background);
        }
        let modes = held.terminal.modes().map_err(failed("tcgetattr"))?;
        if owner != own {
            held.terminal.set_foreground_group(own).map_err(failed("tcsetpgrp"))?;
        }
        let unwanted = modes.for_unwanted_keys();
        held.modes = Some(modes);
        held.terminal.set_modes(&unwanted).map_err(failed("tcsetattr"))?;
        held.terminal.discard_input().map_err(failed("tcflush"))?;
        held.terminal.resume_output().map_err(failed("tcflow"))?;
        Ok(held)
    }

    /// The terminal's width.
    pub(super) fn columns(&self) -> usize {
        match self.terminal.size() {
            Ok(size) if size.columns > 0 => usize::from(size.columns),
            Ok(_) | Err(_) => 80,
        }
    }

    /// Writes all of `text`.
    ///
    /// # Errors
    /// The terminal is gone, or takes no text before patience ends.
    pub(super) fn write(&self, text: &str, patience: &Patience<'_>) -> Result<(), Unanswered> {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            match self.terminal.write(rest) {
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(Errno::INTERRUPTED) => {}
                Err(Errno::TRY_AGAIN) => {
                    self.wait(Interest::Output, patience.step()?)?;
                }
                Err(errno) => return Err(Unanswered::Failed("write", errno)),
            }
        }
        Ok(())
    }

    /// Writes what nobody waits for, as far as the terminal takes it at once.
    pub(super) fn note(&self, text: &str) {
        let _ = self.terminal.write(text.as_bytes());
    }

    /// Throws keys away until none has come for a while, then makes the terminal take lines.
    ///
    /// # Errors
    /// The terminal is gone, or patience ended.
    pub(super) fn settle(&self, patience: &Patience<'_>) -> Result<(), Unanswered> {
        if let Some(modes) = &self.modes {
            self.terminal.set_modes(&modes.for_unwanted_keys()).map_err(failed("tcsetattr"))?;
        }
        let began = Instant::now();
        let mut last = began;
        while last.elapsed() < QUIET && began.elapsed() < LONGEST_QUIET {
            let step = patience.step()?.min(QUIET.saturating_sub(last.elapsed()));
            if self.wait(Interest::Input, step)? {
                self.terminal.discard_input().map_err(failed("tcflush"))?;
                last = Instant::now();
            }
        }
        if let Some(modes) = &self.modes {
            self.terminal.set_modes(&modes.for_a_line()).map_err(failed("tcsetattr"))?;
        }
        self.terminal.discard_input().map_err(failed("tcflush"))
    }

    /// Waits for a line, and returns it with the key that ended it.
    ///
    /// # Errors
    /// The terminal is gone, or patience ended.
    pub(super) fn line(&self, patience: &Patience<'_>) -> Result<Vec<u8>, Unanswered> {
        loop {
            if !self.wait(Interest::Input, patience.step()?)? {
                continue;
            }
            let mut line = vec![0; LONGEST_LINE];
            match self.terminal.read(&mut line) {
                Ok(length) => {
                    line.truncate(length);
                    return Ok(line);
                }
                Err(Errno::INTERRUPTED | Errno::TRY_AGAIN) => {}
                Err(errno) => return Err(Unanswered::Failed("read", errno)),
            }
        }
    }

    /// Makes a program draw its screen again. Many do so only for a size that differs, so the terminal is one line less
    /// for a moment. Whoever changes the size meanwhile has the last word.
    fn have_redrawn(&self) {
        let Ok(size) = self.terminal.size() else { return };
        let smaller = Size { rows: size.rows.saturating_sub(1), ..size };
        if smaller.rows == 0 || self.terminal.set_size(smaller).is_err() {
            self.programs.send(self.owner, Signal::WINDOW_CHANGE);
            return;
        }
        std::thread::sleep(REDRAWING);
        if self.terminal.size() == Ok(smaller) {
            let _ = self.terminal.set_size(size);
        }
    }

    fn wait(&self, interest: Interest, longest: Duration) -> Result<bool, Unanswered> {
        match self.terminal.wait(interest, longest).map_err(failed("poll"))? {
            Readiness::Gone => Err(Unanswered::Gone),
            Readiness::NotYet => Ok(false),
            Readiness::Ready => Ok(true),
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // Each step is worth trying, whatever came of the one before: a terminal that is gone has no state to restore.
        if let Some(modes) = &self.modes {
            // A half-typed answer is nothing for the program.
            let _ = self.terminal.discard_input();
            let _ = self.terminal.set_modes(modes);
        }
        if self.owner != self.own && self.terminal.foreground_group() == Ok(Some(self.own)) {
            let _ = self.terminal.set_foreground_group(self.owner);
        }
        self.programs.resume();
        if self.modes.as_ref().is_some_and(|modes| !modes.takes_lines()) {
            self.have_redrawn();
        }
        if let Some(signal) = self.key {
            self.programs.send(self.owner, signal);
        }
    }
}

/// The process group that has the foreground, when it is nono's own or one of the run's.
fn owner(terminal: &Terminal, own: Pid, programs: &dyn Programs, patience: &Patience<'_>) -> Result<Pid, Unanswered> {
    let began = Instant::now();
    loop {
        if let Some(group) = terminal.foreground_group().map_err(failed("tcgetpgrp"))? {
            if group == own || programs.own_group(group) {
                return Ok(group);
            }
        }
        if began.elapsed() >= SETTLING {
            return Err(Unanswered::Background);
        }
        // For a moment after a job has ended the foreground is a group that nobody is in.
        std::thread::sleep(patience.step()?.min(Duration::from_millis(50)));
    }
}

/// While it lives, job control stops the calling thread neither for reading nor for changing the terminal.
struct Unstoppable(SignalSet);

impl Unstoppable {
    fn new() -> Result<Self, Unanswered> {
        let signals = SignalSet::new(&[Signal::TERMINAL_INPUT, Signal::TERMINAL_OUTPUT, Signal::TERMINAL_STOP]);
        signals.block().map(Self).map_err(failed("sigprocmask"))
    }
}

impl Drop for Unstoppable {
    fn drop(&mut self) {
        let _ = self.0.set_mask();
    }
}

fn failed(doing: &'static str) -> impl Fn(Errno) -> Unanswered {
    move |errno| Unanswered::Failed(doing, errno)
}
