//! `nono wrap`: the same sandbox around this very process, which becomes the program. Nobody waits beside it.

use crate::cli::Wrap;
use crate::enforce;
use crate::profile::{Given, Provenance};

use super::gather::{self, Purpose};
use super::run::{Refusal, check_gaps, find_program, not_started};
use super::{banner, print};

/// Becomes the program; answers with an exit status only when that failed.
pub(super) fn wrap(arguments: &Wrap) -> u8 {
    match entered(arguments) {
        Ok(never) => match never {},
        Err(refusal) => refusal.say(),
    }
}

fn entered(arguments: &Wrap) -> Result<std::convert::Infallible, Refusal> {
    let mut gathered = gather::gather(&arguments.sandbox, Purpose::Run, None).map_err(Refusal::because)?;
    // Nobody would remove a cgroup afterwards, so the limits are those that each process inherits.
    gathered.kernel.limits.cgroup_memory = false;
    gathered.kernel.limits.cgroup_processes = false;
    let enabled = &mut gathered.plan.profile.supervisor.enabled;
    if let Some(given) = enabled.as_ref().filter(|given| given.value) {
        let why = format!("supervisor.enabled ({}) needs somebody beside the program: use `nono run`", given.from);
        return Err(Refusal::because(vec![why]));
    }
    *enabled = Some(Given { value: false, from: Provenance::flag("nono wrap") });
    check_gaps(&gathered, arguments.sandbox.degraded)?;
    let program = find_program(&arguments.command, &mut gathered)?;
    let scanned = gathered.scan(&arguments.sandbox).map_err(Refusal::because)?;
    if !scanned.refused.is_empty() {
        return Err(Refusal::because(scanned.refused));
    }
    scanned.said.iter().for_each(|sentence| print::say(sentence));
    if !arguments.silent {
        print::say(&banner::banner(&gathered.plan, &gathered.kernel, arguments.verbose));
    }
    let shown = program.path.to_string_lossy().into_owned();
    let prepared = enforce::prepare(&gathered.plan, &gathered.kernel, gathered.objects(), None, program)
        .map_err(|failure| not_started(&shown, failure))?;
    if let Some(temporary) = gathered.temporary.take() {
        let path = temporary.keep();
        print::say(&format!("the temporary directory {} stays when the program has ended", path.display()));
    }
    let Err(failure) = prepared.enter(None, None);
    Err(not_started(&shown, failure))
}
