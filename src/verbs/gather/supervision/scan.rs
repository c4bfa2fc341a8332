//! The look at all files that must be signed before a program starts.

use std::io::ErrorKind;

use super::newest;
use crate::cli::Sandbox;
use crate::supervisor::LookedAt;
use crate::trust::policy::Enforcement;
use crate::trust::scan::{self, Found, PRUNED, Searched, Seen};
use crate::trust::verify::{Action, Verdict};
use crate::verbs::gather::{Gathered, path_of, shown};

/// The variable that stands in for `--trust-override`.
const OVERRIDE: &str = "NONO_TRUST_OVERRIDE";

/// What is said where nobody verifies files when they are opened.
const LOOKED_AT_ONCE: &str = "what must be signed is verified now, beneath the working directory: what comes later, or lies \
                              elsewhere, is not; `nono run` verifies each file when it is opened";

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
    /// Every file, for the log.
    pub(in crate::verbs) looked_at: Vec<LookedAt>,
    /// One sentence for each file or policy for which nothing may be started.
    pub(in crate::verbs) refused: Vec<String>,
}

impl Gathered {
    /// Verifies every file that must be signed beneath the working directory.
    ///
    /// # Errors
    /// A sentence: there could be no search.
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
            return Ok(Scanned { said, ..Scanned::default() });
        }
        let profile = self.plan.profile.skipdirs.iter().map(|given| given.value.as_str());
        let mut skipped: Vec<&str> = profile.chain(flags.skip_dir.iter().map(String::as_str)).collect();
        if self.plan.is_supervised() {
            skipped.extend(PRUNED);
        } else {
            said.push(LOOKED_AT_ONCE.to_owned());
        }
        let root = &self.plan.workdir;
        let Searched { files, closed } = scan::files(root, rules, &skipped).map_err(|error| {
            vec![format!("{} cannot be searched for files to verify: {error}", shown(&path_of(root)))]
        })?;
        let mut refused = Vec::new();
        for sentence in &self.trusting.refusals {
            match overridden {
                true => said.push(format!("warning: {sentence}")),
                false => refused.push(format!("{sentence}; sign it with `nono trust sign-policy`, or put it back")),
            }
        }
        let (mut verified, mut looked_at) = (Vec::new(), Vec::new());
        let mut found = scan::judge(files, rules);
        for (path, error) in closed {
            // Beside the program, a file is verified when it is opened; without a supervisor this is the only look.
            let closed = scan::closed(path, &error);
            match self.plan.is_supervised() {
                false if rules.blocks() => refused.push(sentence(&closed)),
                false => found.push(closed),
                true if error.kind() == ErrorKind::PermissionDenied => {}
                true => said.push(format!("warning: {}: {}", shown(&path_of(&closed.path)), closed.verdict)),
            }
        }
        for found in found {
            let action = found.verdict.action(rules.enforcement(), overridden);
            match action {
                Action::Allow | Action::Record => {}
                Action::Warn => said.push(format!("warning: {}", sentence(&found))),
                Action::Deny => refused.push(sentence(&found)),
            }
            let Found { path, verdict, seen } = found;
            if action == Action::Allow {
                verified.extend(seen);
            }
            looked_at.push(LookedAt { path, verdict, action });
        }
        if refused.is_empty() {
            said.extend(newest::remember(&self.trusting.newest));
        }
        Ok(Scanned { said, verified, looked_at, refused })
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
