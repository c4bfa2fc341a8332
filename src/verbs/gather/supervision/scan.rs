//! The look at all files that must be signed before a program starts.

use super::newest;
use crate::cli::Sandbox;
use crate::trust::policy::Enforcement;
use crate::trust::scan::{self, Found, Seen};
use crate::trust::verify::{Action, Verdict};
use crate::verbs::gather::{Gathered, path_of, shown};

/// The variable that stands in for `--trust-override`.
const OVERRIDE: &str = "NONO_TRUST_OVERRIDE";

/// Whether the user said that what fails verification is to go on.
pub(in crate::verbs) fn overridden(flags: &Sandbox) -> bool {
    flags.trust_override || std::env::var_os(OVERRIDE).is_some_and(|value| value == "1")
}

/// What came of the look.
#[derive(Debug, Default)]
pub(in crate::verbs) struct Scanned {
    /// What is to be said.
    pub(in crate::verbs) said: Vec<String>,
    /// What verified files rest on.
    pub(in crate::verbs) verified: Vec<Seen>,
}

impl Gathered {
    /// Verifies every file that must be signed beneath the working directory.
    ///
    /// # Errors
    /// One sentence for each file that must not reach the program.
    pub(in crate::verbs) fn scan(&self, flags: &Sandbox) -> Result<Scanned, Vec<String>> {
        let rules = &self.trusting.rules;
        let overridden = overridden(flags);
        let mut said = self.trusting.warnings.clone();
        if overridden {
            said.push("--trust-override: what fails verification goes on, unless it is on a blocklist".to_owned());
        }
        // At `audit` nothing is stopped and nothing is said: a file is looked at when it is opened.
        if rules.enforcement() == Enforcement::Audit && !rules.blocks() {
            said.extend(newest::remember(&self.trusting.newest));
            return Ok(Scanned { said, verified: Vec::new() });
        }
        let profile = self.plan.profile.skipdirs.iter().map(|given| given.value.clone());
        let skipped: Vec<String> = profile.chain(flags.skip_dir.iter().cloned()).collect();
        let root = &self.plan.workdir;
        let files = scan::files(root, rules, &skipped).map_err(|error| {
            vec![format!("{} cannot be searched for files to verify: {error}", shown(&path_of(root)))]
        })?;
        let mut refused = Vec::new();
        for sentence in &self.trusting.refusals {
            match overridden {
                true => said.push(format!("warning: {sentence}")),
                false => refused.push(format!("{sentence}; sign it with `nono trust sign-policy`, or put it back")),
            }
        }
        let mut verified = Vec::new();
        for found in scan::judge(files, rules) {
            match found.verdict.action(rules.enforcement(), overridden) {
                Action::Allow => verified.extend(found.seen),
                Action::Record => {}
                Action::Warn => said.push(format!("warning: {}", sentence(&found))),
                Action::Deny => refused.push(sentence(&found)),
            }
        }
        if refused.is_empty() {
            said.extend(newest::remember(&self.trusting.newest));
        }
        if refused.is_empty() { Ok(Scanned { said, verified }) } else { Err(refused) }
    }
}

/// What failed, with what to do.
pub(in crate::verbs) fn sentence(found: &Found) -> String {
    let advice = match &found.verdict {
        Verdict::Failed(failure) => format!("; {}", failure.advice()),
        Verdict::Blocked(_) | Verdict::Verified(_) => String::new(),
    };
    format!("{}: {}: {}{advice}", shown(&path_of(&found.path)), found.verdict.word(), found.verdict)
}
