//! Files that must be signed, while the program runs: each is verified when it is opened or executed, on the bytes that are
//! handed over, and what was verified once is kept from change.
//!
//! Nobody inside can change a file under its reader: who holds it open for writing is known to the kernel, and such a file is
//! handed over as a copy in sealed memory. A file that nobody can write to is handed over itself.

mod known;
mod look;

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::SystemTime;

use syscalls::Errno;
use syscalls::file::{FileType, Status};

use self::known::{Known, Stamp};
use super::account::Account;
use super::recorder::Recorder;
use crate::audit::log::Lost;
use crate::audit::record::Disposition;
use crate::plan::explain::Explanation;
use crate::profile::abs_path::AbsPath;
use crate::profile::glob::Names;
use crate::trust::evidence::{Evidence, Present, open_here};
use crate::trust::policy::{Duty, Enforcement, Rules, signed_by};
use crate::trust::scan::Seen;
use crate::trust::verify::{Action, Failure, Judged, Verdict};

/// What the run was started with.
#[derive(Clone, Debug)]
pub struct Trust {
    pub rules: Rules,
    /// The user said that what fails is to go on.
    pub overridden: bool,
    /// What verified files rest on, as it was found before the program started.
    pub verified: Vec<Seen>,
    /// What came of each file that was looked at before the program started.
    pub looked_at: Vec<LookedAt>,
}

/// A file that was looked at before the program started.
#[derive(Clone, Debug)]
pub struct LookedAt {
    pub path: AbsPath,
    pub verdict: Verdict,
    pub action: Action,
}

/// Answers for files that must be signed.
#[derive(Debug)]
pub(super) struct Trusted {
    rules: Rules,
    overridden: bool,
    evidence: Evidence,
    known: Known,
    account: Arc<Account>,
    recorder: Arc<Recorder>,
}

/// A file that must be signed, by the names it was reached by.
#[derive(Clone, Debug)]
pub(super) struct Concern {
    /// Without symbolic links.
    real: AbsPath,
    /// As it was asked for, where a link led from a name that must be signed to one that need not.
    typed: Option<AbsPath>,
}

/// How a file may be handed over.
#[derive(Debug)]
pub(super) enum Admission {
    /// As it is.
    Itself,
    /// As this memory, which has its content and cannot be changed.
    Copy(Arc<OwnedFd>),
    Refused,
}

impl Concern {
    /// The name that is to be signed.
    fn path(&self) -> &AbsPath {
        self.typed.as_ref().unwrap_or(&self.real)
    }

    /// Where the file lies.
    pub(super) fn real(&self) -> &AbsPath {
        &self.real
    }

    /// Whether the bytes of the file decide by themselves.
    fn wants_content(&self) -> bool {
        [Some(&self.real), self.typed.as_ref()].into_iter().flatten().any(|path| Duty::of(path) != Duty::Content)
    }
}

impl Trusted {
    pub(super) fn new(trust: Trust, account: Arc<Account>, recorder: Arc<Recorder>) -> Self {
        let Trust { rules, overridden, verified, looked_at } = trust;
        record_all(&recorder, &looked_at);
        let known = Known::default();
        let trusted = Self { rules, overridden, evidence: Evidence::default(), known, account, recorder };
        if trusted.keeps_anything() {
            verified.iter().for_each(|seen| trusted.known.keep_from_change(seen.identity, &seen.path));
        }
        trusted
    }

    /// Whether a file can be refused: then no open is left to the kernel, which knows nothing of signatures.
    pub(super) fn is_strict(&self) -> bool {
        self.rules.enforcement() > Enforcement::Audit || self.rules.blocks()
    }

    /// What must be signed about the object at `real`; `typed` gives the path that led there, where links were followed.
    pub(super) fn concern(&self, real: &AbsPath, typed: impl FnOnce() -> Option<AbsPath>) -> Option<Concern> {
        if self.rules.protects(real) {
            return Some(Concern { real: real.clone(), typed: None });
        }
        let typed = typed().filter(|typed| self.rules.protects(typed))?;
        Some(Concern { real: real.clone(), typed: Some(typed) })
    }

    /// The names that files in `directory` may have which must be signed; perhaps more, never fewer.
    pub(super) fn names_in(&self, directory: &AbsPath) -> Names<'_> {
        self.rules.names_in(directory)
    }

    /// How the file of `status` at `real` goes through, when it is known already; `None` also for what need not be signed.
    pub(super) fn known(&self, real: &AbsPath, status: &Status) -> Option<Admission> {
        self.known.admission(real, &Stamp::of(status))
    }

    /// Verifies the file, which is open without access as `file`.
    ///
    /// # Errors
    /// The file cannot be read by whoever asks for it, which is the caller's error.
    pub(super) fn admit(&self, concern: &Concern, file: &OwnedFd) -> Result<Admission, Errno> {
        let looked = match look::look(file, concern.wants_content()) {
            Ok(looked) => looked,
            Err(look::Unfit::Errno(errno)) => return Err(errno),
            Err(look::Unfit::Because(why)) => {
                let verdict = Verdict::Failed(Failure::Unreadable { why });
                return Ok(if self.allows(concern, &verdict) { Admission::Itself } else { Admission::Refused });
            }
        };
        let judged = self.judge(concern, &looked);
        if !self.allows(concern, &judged.verdict) {
            return Ok(Admission::Refused);
        }
        let verified = matches!(judged.verdict, Verdict::Verified(_));
        if verified {
            self.keep(concern, &looked, judged.bundle.as_ref());
        }
        let admission = match (&looked.copy, verified) {
            (Some(copy), true) => Admission::Copy(Arc::clone(copy)),
            // What is let through although it is not verified is the file itself: nothing was proved about it.
            _ => Admission::Itself,
        };
        // Through a link the name counts as well, and another name may lead here.
        if concern.typed.is_none() {
            self.known.remember(&concern.real, &looked, verified, SystemTime::now());
        }
        Ok(admission)
    }

    /// Whether the program may not change the file of `status` at `real`, open without access as `file`: what is signed
    /// stays as it was signed, and so does its bundle.
    pub(super) fn keeps(&self, real: &AbsPath, status: &Status, file: &OwnedFd) -> bool {
        if !self.keeps_anything() {
            return false;
        }
        if self.known.is_kept(status.identity) {
            return true;
        }
        if status.kind != FileType::Regular || !self.rules.protects(real) {
            return false;
        }
        let concern = Concern { real: real.clone(), typed: None };
        let verified = look::look(file, concern.wants_content()).is_ok_and(|looked| {
            let judged = self.judge(&concern, &looked);
            let verified = matches!(judged.verdict, Verdict::Verified(_));
            if verified {
                self.keep(&concern, &looked, judged.bundle.as_ref());
            }
            verified
        });
        // Whoever changes it now makes another file of it.
        if !verified {
            self.known.forget(status.identity);
        }
        verified
    }

    /// Whether the directory at `real` may not be moved: its name is part of the names of what is signed beneath.
    pub(super) fn keeps_in_place(&self, real: &AbsPath) -> bool {
        self.keeps_anything() && self.known.is_above_kept(real)
    }

    /// Whether nothing may come into being at `path`: a bundle of its own beside a file that another one speaks for could
    /// take the word from that.
    pub(super) fn keeps_free(&self, path: &AbsPath) -> bool {
        self.keeps_anything() && signed_by(path).is_some_and(|file| self.known.is_kept_at(&file))
    }

    fn keeps_anything(&self) -> bool {
        self.is_strict() && self.rules.keeps_from_change()
    }

    /// Keeps a verified file from change, and the bundle that speaks for it.
    fn keep(&self, concern: &Concern, looked: &look::Looked, bundle: Option<&AbsPath>) {
        if !self.keeps_anything() {
            return;
        }
        self.known.keep_from_change(looked.stamp.identity, &concern.real);
        if let Some(bundle) = bundle
            && let Ok((_, status)) = open_here(bundle)
        {
            self.known.keep_from_change(status.identity, bundle);
        }
    }

    /// Whether what must be signed beneath the directory `from` must be signed beneath `to` as well.
    pub(super) fn keeps_tree(&self, from: &AbsPath, to: &AbsPath) -> bool {
        !self.is_strict() || self.rules.keeps(from, to)
    }

    /// Where verifications are recorded.
    pub(super) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Counts a change that was refused.
    pub(super) fn refused_change(&self, real: &AbsPath) {
        self.account.denied(|| Explanation {
            operation: format!("change {}", real),
            path: Some(real.clone()),
            decision: "deny",
            reason: "it is signed, and what is signed stays as it was signed".to_owned(),
            rule: None,
            change: Some("\"protect\": false in the trust policy".to_owned()),
        });
    }

    /// The verdict on the bytes that were looked at.
    fn judge(&self, concern: &Concern, looked: &look::Looked) -> Judged {
        let judge = |path: &AbsPath| {
            let mut present = Present { evidence: &self.evidence, rules: &self.rules };
            self.rules.judge_file(path, looked.digest, looked.content.as_deref(), &mut present)
        };
        let judged = judge(&concern.real);
        match &concern.typed {
            Some(typed) if matches!(judged.verdict, Verdict::Failed(_)) => judge(typed),
            Some(_) | None => judged,
        }
    }

    /// Whether a file with `verdict` goes through. It is recorded first: what cannot be is refused.
    fn allows(&self, concern: &Concern, verdict: &Verdict) -> bool {
        let action = verdict.action(self.rules.enforcement(), self.overridden);
        let path = concern.path();
        let recorded = record(&self.recorder, path, verdict, action);
        if action != Action::Deny {
            return recorded.is_ok();
        }
        self.account.denied(|| Explanation {
            operation: format!("read {path}"),
            path: Some(path.clone()),
            decision: "deny",
            reason: verdict.to_string(),
            rule: None,
            change: match verdict {
                Verdict::Failed(failure) => Some(failure.advice().to_owned()),
                Verdict::Blocked(_) | Verdict::Verified(_) => None,
            },
        });
        false
    }
}

/// Records what came of each file before the start. A log that is lost already is noticed with the first call.
pub(super) fn record_all(recorder: &Recorder, looked_at: &[LookedAt]) {
    for LookedAt { path, verdict, action } in looked_at {
        let _ = record(recorder, path, verdict, *action);
    }
}

/// Records a verification.
fn record(recorder: &Recorder, path: &AbsPath, verdict: &Verdict, action: Action) -> Result<(), Lost> {
    let disposition = if action == Action::Deny { Disposition::Denied } else { Disposition::Allowed };
    recorder.note("verify", path.as_bytes(), disposition, |fields| {
        fields.text("status", verdict.word());
        fields.remark("reason", verdict.to_string().as_bytes());
        if action == Action::Warn {
            fields.text("alert", "it goes on although it is not verified");
        }
    })
}
