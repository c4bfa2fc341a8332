//! `nono run`: a program in its sandbox, with somebody waiting beside it.

use std::os::unix::ffi::OsStringExt;

use crate::approval::terminal::Style;
use crate::cli::Run;
use crate::enforce::{self, Failure, Program, Stage};
use crate::plan::{Operation, Verdict, decide, explain};
use crate::supervisor::{self, Ended, Refused, Supervision};

use super::gather::{self, Gathered, ProgramError, Purpose};
use super::{NOT_EXECUTABLE, NOT_FOUND, REFUSED, banner, print};

/// Added to the number of the signal that ended the program (`sh(1)`, "Exit Status").
const SIGNALLED: u8 = 128;

/// Runs the program to its end, and answers with its exit status.
pub(super) fn run(arguments: &Run) -> u8 {
    match started(arguments) {
        Ok(status) => status,
        Err(refusal) => refusal.say(),
    }
}

/// Refusals that are listed at the end of a run.
const MOST_ACCOUNTED: usize = 5;

/// Why no program was run.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u8,
    sentences: Vec<String>,
}

fn started(arguments: &Run) -> Result<u8, Refusal> {
    let mut gathered = gather::gather(&arguments.sandbox, Purpose::Run).map_err(Refusal::because)?;
    check_gaps(&gathered, arguments.sandbox.degraded)?;
    let program = find_program(&arguments.command, &mut gathered)?;
    if !arguments.silent {
        print::say(&banner::banner(&gathered.plan, &gathered.kernel, arguments.verbose));
    }
    let webhook = gather::webhook(&gathered.plan).map_err(|why| Refusal::because(vec![why]))?;
    let group = gathered.group().map_err(|why| Refusal::because(vec![why]))?;
    let shown = program.path.to_string_lossy().into_owned();
    let prepared = enforce::prepare(&gathered.plan, &gathered.kernel, gathered.objects(), group.as_ref(), program)
        .map_err(|failure| not_started(&shown, failure))?;
    let supervision = prepared.is_supervised().then(|| Supervision {
        plan: gathered.plan.clone(),
        webhook,
        style: Style::new(variable("TERM").as_deref(), variable("NO_COLOR").as_deref()),
    });
    let (ended, refusals) = supervisor::run(&prepared, &gathered.kernel, supervision)
        .map_err(|errno| Refusal::because(vec![format!("no process could be started: {errno}")]))?;
    if !arguments.silent {
        say_account(&refusals, arguments.verbose);
    }
    let temporary = gathered.temporary.take();
    // This process ends next, and the kernel takes all of its memory and descriptors back at once.
    std::mem::forget((gathered, prepared));
    drop(temporary);
    match ended {
        Ended::Exited(status) => Ok(status),
        Ended::Killed(signal) => Ok(SIGNALLED.saturating_add(u8::try_from(signal.0).unwrap_or(0))),
        Ended::KeeperLost => {
            Err(Refusal::because(vec!["the process beside the program was killed, so everything was ended".to_owned()]))
        }
        Ended::NotStarted(failure) => Err(not_started(&shown, failure)),
    }
}

fn variable(name: &str) -> Option<Vec<u8>> {
    std::env::var_os(name).map(OsStringExt::into_vec)
}

/// Says what was refused, the most frequent first.
fn say_account(refusals: &[Refused], verbose: bool) {
    let most = if verbose { usize::MAX } else { MOST_ACCOUNTED };
    refusals.iter().take(most).for_each(|refused| print::say(&account(refused)));
    let more = refusals.len().saturating_sub(most);
    if more > 0 {
        print::say(&format!("refused as well: {more} other things (-v lists them)"));
    }
}

/// One line of the account at the end of a run.
fn account(refused: &Refused) -> String {
    let times = if refused.times == 1 { String::new() } else { format!(" {} times", refused.times) };
    let change = match &refused.change {
        Some(change) => format!("; to allow it: {change}"),
        None => String::new(),
    };
    format!("refused{times}: {}: {}{change}", refused.operation, refused.reason)
}

/// Refuses when something the plan asks for would not be kept, unless the user accepted that.
pub(super) fn check_gaps(gathered: &Gathered, degraded: bool) -> Result<(), Refusal> {
    let gaps = enforce::gaps::gaps(&gathered.plan, &gathered.kernel);
    if degraded && gaps.iter().all(|gap| gap.degradable) {
        gaps.iter().for_each(|gap| print::say(&format!("NOT ENFORCED (--degraded): {gap}")));
        return Ok(());
    }
    if gaps.is_empty() {
        return Ok(());
    }
    let any_degradable = gaps.iter().any(|gap| gap.degradable);
    let mut sentences: Vec<String> = gaps.iter().map(|gap| format!("refused: {gap}")).collect();
    if any_degradable && gaps.iter().all(|gap| gap.degradable) {
        sentences.push("change the policy as said, or accept each of these with --degraded".to_owned());
    }
    Err(Refusal::because(sentences))
}

/// Finds the program, and says beforehand when the policy would not let it be executed.
pub(super) fn find_program(command: &[std::ffi::OsString], gathered: &mut Gathered) -> Result<Program, Refusal> {
    let (program, path) = gather::find(command, &gathered.plan).map_err(|error| match error {
        ProgramError::NotExecutable(why) => Refusal { status: NOT_EXECUTABLE, sentences: vec![why] },
        ProgramError::NotFound(why) => Refusal { status: NOT_FOUND, sentences: vec![why] },
    })?;
    let operation = Operation::Execute(gathered.real(&path));
    let verdict = decide(&gathered.plan, &operation);
    match &verdict {
        Verdict::Allow(_) => Ok(program),
        Verdict::Ask(_) | Verdict::Deny(_) => {
            let explanation = explain::explain(&gathered.plan, &operation, &verdict);
            Err(Refusal { status: NOT_EXECUTABLE, sentences: vec![explanation.to_string()] })
        }
    }
}

/// The refusal for a program that could not be started.
pub(super) fn not_started(program: &str, failure: Failure) -> Refusal {
    let shown = crate::profile::escape::escaped(program.as_bytes(), 200);
    if failure.stage != Stage::Execute {
        return Refusal::because(vec![format!("{}: {}", failure.stage.describe(), failure.errno)]);
    }
    if failure.is_missing() {
        let sentence = format!("{shown} was not found, or the interpreter that its first line names");
        return Refusal { status: NOT_FOUND, sentences: vec![sentence] };
    }
    let sentence = format!(
        "{shown} could not be executed: {}; a script needs its interpreter granted as well (`nono why exec PATH`)",
        failure.errno
    );
    Refusal { status: NOT_EXECUTABLE, sentences: vec![sentence] }
}

impl Refusal {
    pub(super) fn because(sentences: Vec<String>) -> Self {
        Self { status: REFUSED, sentences }
    }

    /// Says why, and answers with the exit status.
    pub(super) fn say(&self) -> u8 {
        self.sentences.iter().for_each(|sentence| print::say(sentence));
        self.status
    }
}
