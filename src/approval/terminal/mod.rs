//! Asks the person at the terminal.
//!
//! The question goes to `/dev/tty`, whatever the program's standard input is. While it stands, every process of the run
//! is stopped: none can draw over it, read the answer or type one; a yes beside which one ran does not count. Keys typed
//! before the question was on the screen answer nothing. When the program has the foreground it is taken, and given back
//! with the terminal's modes.

pub mod answer;
mod device;
pub mod prompt;
mod screen;
mod turn;
mod unanswered;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use syscalls::process::Pid;
use syscalls::signal::Signal;

use self::answer::Reply;
use self::device::Held;
use self::turn::{Patience, Turns};
use self::unanswered::Unanswered;
use super::{Answer, Approver, Cancelled, Question, Record};

pub use self::screen::Style;

/// Who answers here, as answers name it.
const NAME: &str = "terminal";
/// How often a question is shown that the program runs beside.
const MOST_ROUNDS: usize = 3;

/// The processes of the run, as far as a question on the terminal concerns them.
pub trait Programs: Send + Sync {
    /// Whether the process group has members, and all of them belong to the run.
    fn own_group(&self, group: Pid) -> bool;
    /// Stops every process of the run; `false` when one could not be stopped. Followed by `resume` in either case.
    fn pause(&self) -> bool;
    /// Whether something of the run has run since it was stopped.
    fn has_run(&self) -> bool;
    /// Stops what has gone on since `pause`; `false` as there.
    fn pause_again(&self) -> bool;
    /// Continues what `pause` stopped.
    fn resume(&self);
    /// Sends a signal to the run's processes in a process group.
    fn send(&self, group: Pid, signal: Signal);
}

/// The approver at the controlling terminal of nono's session.
pub struct Terminal {
    programs: Arc<dyn Programs>,
    style: Style,
    turns: Turns,
    closed: AtomicBool,
}

impl fmt::Debug for Terminal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Terminal").field("style", &self.style).field("closed", &self.closed).finish_non_exhaustive()
    }
}

impl Terminal {
    pub fn new(programs: Arc<dyn Programs>, style: Style) -> Self {
        Self { programs, style, turns: Turns::default(), closed: AtomicBool::new(false) }
    }

    /// Withdraws every question, and waits until the terminal is as it was. To be called before the process ends.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.turns.wait_until_free();
    }

    fn put(&self, question: &Question, patience: &Patience<'_>) -> Result<Answer, Unanswered> {
        let _turn = self.turns.take(patience)?;
        let mut held = Held::take(self.programs.as_ref(), patience)?;
        held.write(self.style.begin(), patience)?;
        let answer = self.agree(question, &mut held, patience);
        held.note(&[&outcome(&answer), self.style.end()].concat());
        answer
    }

    /// Asks until the yes is one to what was on the screen: a timer can continue a stopped process, which may have drawn
    /// something else over it.
    fn agree(&self, question: &Question, held: &mut Held<'_>, patience: &Patience<'_>) -> Result<Answer, Unanswered> {
        for _ in 0..MOST_ROUNDS {
            let answer = self.converse(question, held, patience)?;
            if !matches!(answer, Answer::Allow { .. }) || !self.programs.has_run() {
                return Ok(answer);
            }
            if !self.programs.pause_again() {
                return Err(Unanswered::NotPaused);
            }
            held.write(
                "nono: the program ran meanwhile and may have drawn over the question, so here it is again\n",
                patience,
            )?;
        }
        Err(Unanswered::NotPaused)
    }

    /// Shows the question, and asks for an answer twice at most.
    fn converse(
        &self,
        question: &Question,
        held: &mut Held<'_>,
        patience: &Patience<'_>,
    ) -> Result<Answer, Unanswered> {
        let text = prompt::prompt(question, patience.left().as_secs(), held.columns());
        let shown = [self.style.before(), &self.style.heading(&text.heading), &text.facts, &text.choices].concat();
        held.write(&shown, patience)?;
        let offered = question.offered();
        for try_again in [true, false] {
            held.settle(patience)?;
            held.write(&text.request, patience)?;
            match answer::parse(&held.line(patience)?, &offered) {
                Reply::Yes(scope) => return Ok(Answer::Allow { scope, until: None, approver: NAME.to_owned() }),
                Reply::No => break,
                Reply::Interrupt => {
                    held.key = Some(Signal::INTERRUPT);
                    break;
                }
                Reply::Quit => {
                    held.key = Some(Signal::QUIT);
                    break;
                }
                Reply::Unclear if try_again => held.write("That is none of the choices.\n", patience)?,
                Reply::Unclear => return Ok(denied("two answers were none of the choices")),
            }
        }
        Ok(denied("the user said no"))
    }
}

impl Approver for Terminal {
    fn ask(&self, question: &Question, deadline: Instant, cancelled: &Cancelled) -> (Answer, Option<Record>) {
        let patience = Patience { deadline, cancelled, closed: &self.closed };
        let answer = self.put(question, &patience).unwrap_or_else(|why| {
            let avoidable = matches!(why, Unanswered::Background | Unanswered::NoTerminal(_));
            let reason =
                if avoidable { format!("{why}; `supervisor.webhook` asks elsewhere") } else { why.to_string() };
            // What the program can bring about is not somebody's silence.
            match why {
                Unanswered::NotPaused | Unanswered::Failed(..) => Answer::Unusable { reason },
                Unanswered::Background
                | Unanswered::Ended
                | Unanswered::Gone
                | Unanswered::NoTerminal(_)
                | Unanswered::TooLate
                | Unanswered::Withdrawn => Answer::None { reason },
            }
        });
        (answer, None)
    }
}

fn denied(reason: &str) -> Answer {
    Answer::Deny { reason: reason.to_owned(), approver: NAME.to_owned() }
}

/// The line that stays on the screen.
fn outcome(answer: &Result<Answer, Unanswered>) -> String {
    match answer {
        Ok(Answer::Allow { .. }) => "nono: allowed\n".to_owned(),
        Ok(Answer::Deny { reason, .. }) => format!("nono: denied: {reason}\n"),
        Ok(Answer::None { reason } | Answer::Unusable { reason }) => format!("\nnono: no answer: {reason}\n"),
        Err(Unanswered::Withdrawn) => "\nnono: answered elsewhere\n".to_owned(),
        Err(why) => format!("\nnono: no answer: {why}\n"),
    }
}
