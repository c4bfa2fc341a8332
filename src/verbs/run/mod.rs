//! `nono run`: a program in its sandbox, with somebody waiting beside it.

mod account;

use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use crate::approval::terminal::Style;
use crate::cli::Run;
use crate::enforce::{self, Failure, Program, Stage};
use crate::plan::{Operation, Verdict, decide, explain};
use crate::supervisor::{self, Beginning, Ended, Refused, Supervision, Trust};

use self::account::Document;
use super::gather::{self, Gathered, ProgramError, Purpose, Scanned};
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

/// Why no program was run.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u8,
    sentences: Vec<String>,
}

fn started(arguments: &Run) -> Result<u8, Refusal> {
    let mut gathered =
        gather::gather(&arguments.sandbox, Purpose::Run, arguments.json.as_deref()).map_err(Refusal::because)?;
    check_gaps(&gathered, arguments.sandbox.degraded)?;
    let program = find_program(&arguments.command, &mut gathered)?;
    let scanned = gathered.scan(&arguments.sandbox).map_err(Refusal::because)?;
    if !scanned.refused.is_empty() {
        return Err(refused_by_trust(&gathered, arguments, scanned));
    }
    scanned.said.iter().for_each(|sentence| print::say(sentence));
    if !arguments.silent {
        print::say(&banner::banner(&gathered.plan, &gathered.kernel, arguments.verbose));
    }
    let webhook = gather::webhook(&gathered.plan).map_err(|why| Refusal::because(vec![why]))?;
    let group = gathered.group().map_err(|why| Refusal::because(vec![why]))?;
    let shown = program.path.to_string_lossy().into_owned();
    let prepared = enforce::prepare(&gathered.plan, &gathered.kernel, gathered.objects(), group.as_ref(), program)
        .map_err(|failure| not_started(&shown, failure))?;
    // Where the user stands, as for any word of the command line, whatever --workdir says.
    let document = arguments.json.as_ref().map(|path| Document::begin(Path::new(path).to_owned())).transpose();
    let document = document.map_err(|why| Refusal::because(vec![why]))?;
    let session = prepared.is_supervised().then(|| gather::session(&gathered, &arguments.command, arguments.audit));
    let profile = gathered.plan.profile.name.clone();
    let Gathered { plan, kernel, host, temporary, trusting } = gathered;
    let supervision = session.map(|session| Supervision {
        plan,
        session,
        webhook,
        style: Style::new(variable("TERM").as_deref(), variable("NO_COLOR").as_deref()),
        trust: Some(Trust {
            rules: trusting.rules,
            overridden: gather::overridden(&arguments.sandbox),
            verified: scanned.verified,
            looked_at: scanned.looked_at,
        }),
    });
    let (ended, refusals) = supervisor::run(&prepared, &kernel, supervision)
        .map_err(|errno| Refusal::because(vec![format!("no process could be started: {errno}")]))?;
    if !arguments.silent && !matches!(ended, Ended::LogLost | Ended::NoLog) {
        account::say(&refusals, arguments.verbose);
    }
    if let Some(document) = document {
        let status = account::status(&ended).unwrap_or_else(|| failed(&shown, &ended, &refusals).status);
        document.finish(&profile, &ended, status, &refusals);
    }
    // This process ends next, and the kernel takes all of its memory and descriptors back at once.
    std::mem::forget((host, prepared));
    drop(temporary);
    account::status(&ended).ok_or_else(|| failed(&shown, &ended, &refusals))
}

/// The refusal beside files that do not verify, which is a session of its own in the log, where there is one.
fn refused_by_trust(gathered: &Gathered, arguments: &Run, scanned: Scanned) -> Refusal {
    let Scanned { looked_at, refused: mut sentences, .. } = scanned;
    if gathered.plan.is_supervised() {
        let why = sentences.first().cloned().unwrap_or_default();
        let Beginning(begin) = gather::session(gathered, &arguments.command, arguments.audit);
        let session = begin(&gathered.plan);
        let recorded =
            session.and_then(|session| supervisor::record_refusal(session, &gathered.plan.profile, &looked_at, &why));
        sentences.extend(recorded.err().map(|why| format!("this refusal is not in the audit log: {why}")));
    }
    Refusal::because(sentences)
}

/// The refusal for a program that did not come to an end of its own.
fn failed(program: &str, ended: &Ended, account: &[Refused]) -> Refusal {
    match ended {
        Ended::NotStarted(failure) => not_started(program, *failure),
        Ended::LogLost => log_lost(account),
        Ended::NoLog => Refusal::because(vec![only(account)]),
        Ended::Exited(_) | Ended::Killed(_) | Ended::KeeperLost => {
            Refusal::because(vec!["the process beside the program was killed, so everything was ended".to_owned()])
        }
    }
}

/// What is said when the log could not be written: the account has the reason alone.
fn log_lost(account: &[Refused]) -> Refusal {
    let sentence = format!("the audit log could not be written, so everything was ended: {}", only(account));
    Refusal::because(vec![
        sentence,
        "make room or mend the place, then start again; `nono audit list` has the rest".to_owned(),
    ])
}

/// The one reason that the account has.
fn only(account: &[Refused]) -> String {
    account.first().map_or_else(|| "nobody knows why".to_owned(), |only| only.reason.clone())
}

fn variable(name: &str) -> Option<Vec<u8>> {
    std::env::var_os(name).map(OsStringExt::into_vec)
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
