//! The record of one call, put together out of what is known of it.

use std::ffi::CStr;
use std::time::Instant;

use syscalls::Errno;
use syscalls::abi::Syscall;
use syscalls::process::Pid;

use super::drafts::{Draft, is_typed_so};
use super::part::Part;
use super::{Ending, Recorder, words};
use crate::approval::Process;
use crate::audit::log::{Lost, Repeats};
use crate::audit::record::text::are_simple;
use crate::audit::record::{Disposition, Fields, LONGEST_REMARK, LONGEST_TEXT};
use crate::plan::{Operation, Verdict};
use crate::profile::abs_path::AbsPath;

/// Records of opens that are left to the kernel, but for their names in parts that were written for others.
#[derive(Debug, Default)]
pub(super) struct Plain {
    begin: Part<(&'static str, Disposition)>,
    rule: Part<usize>,
    end: Part<(Syscall, u64)>,
}

impl Plain {
    /// What [`Draft::describe_decision`] and [`Draft::describe_call`] write, and the process, in parts; `None` where a name does
    /// not stand for itself in a text.
    pub(super) fn parts<'p>(
        &'p mut self,
        what: (&'static str, Disposition),
        (operations, verdict): (&'p [Operation], &Verdict<'_>),
        typed: &'p CStr,
        (call, flags): (Syscall, u64),
        process: &'p [u8],
    ) -> Option<[&'p [u8]; 8]> {
        let target = operations.first()?.path()?.as_bytes();
        let place = words::rule_place(verdict)?;
        let typed = typed.to_bytes();
        let is_simple = target.len() <= LONGEST_TEXT && typed.len() <= LONGEST_REMARK && are_simple(target);
        if !is_simple || !are_simple(typed) {
            return None;
        }
        let begin = self.begin.text(what, |text| {
            words::begin(&mut Fields::new(text), what.0, what.1);
            text.extend_from_slice(b",\"target\":\"");
        });
        let rule = self.rule.text(place, |text| {
            text.extend_from_slice(b"\",");
            words::rule(&mut Fields::new(text), verdict);
        });
        let end = self.end.text((call, flags), |text| {
            text.push(b',');
            end(&mut Fields::new(text), (Some(call), Some(flags), Ending::Kernel));
            text.extend_from_slice(b",\"process\":");
        });
        let another: [&[u8]; 3] =
            if typed.is_empty() || typed == target { [b"", b"", b""] } else { [b",\"typed\":\"", typed, b"\""] };
        let [key, typed, quote] = another;
        Some([begin, target, rule, key, typed, quote, end, process])
    }
}

impl Draft {
    /// What `operations` are about, and the rule that decided.
    pub(super) fn describe_decision(&mut self, operations: &[Operation], verdict: &Verdict<'_>) {
        self.fields.clear();
        self.has_target = words::targets(&mut self.fields, operations);
        let mut fields = Fields::new(&mut self.fields);
        match words::rule_place(verdict) {
            Some(place) => fields.raw(self.parts.rule.saying(place, |fields| words::rule(fields, verdict))),
            None => words::rule(&mut fields, verdict),
        }
    }

    /// All of the record but whose call it was.
    pub(super) fn describe_call(
        &mut self,
        what: (&'static str, Disposition),
        (call, ending): (Option<Syscall>, Ending),
    ) {
        let mut fields = Fields::new(&mut self.record);
        fields.raw(self.parts.disposition.saying(what, |fields| words::begin(fields, what.0, what.1)));
        target(&mut fields, &self.fields, &self.typed, self.has_target);
        let ended = (call, self.flags, ending);
        fields.raw(self.parts.ending.saying(ended, |fields| end(fields, ended)));
    }
}

/// What a call was about: `known` are the fields that are known of it, `typed` is the path as it was written.
fn target(fields: &mut Fields<'_>, known: &[u8], typed: &[u8], has_target: bool) {
    if has_target {
        fields.raw(known);
        if !typed.is_empty() && !is_typed_so(known, typed) {
            fields.remark("typed", typed);
        }
    } else {
        // It led nowhere, or to something that has no path.
        fields.bytes("target", typed);
        fields.json("resolved", b"false");
        fields.raw(known);
    }
}

fn end(fields: &mut Fields<'_>, (call, flags, ending): (Option<Syscall>, Option<u64>, Ending)) {
    fields.text("call", call.map_or("unknown", Syscall::name));
    if let Some(flags) = flags {
        fields.number("flags", flags);
    }
    words::ending(fields, ending);
}

impl Recorder {
    /// The program did not take what was opened for it, and recorded as opened before.
    ///
    /// # Errors
    /// [`Lost`]: nothing further may go through.
    pub(in crate::supervisor) fn not_taken(
        &self,
        target: &AbsPath,
        (call, flags): (Option<Syscall>, Option<u64>),
        errno: Errno,
    ) -> Result<(), Lost> {
        self.note(words::opening(false, flags), target.as_bytes(), Disposition::Failed, |fields| {
            end(fields, (call, None, Ending::Failed(errno)));
        })
    }

    /// Records a call of which nothing more will be known.
    ///
    /// # Errors
    /// [`Lost`]: it must not go through.
    pub(super) fn append_call(
        &self,
        draft: &mut Draft,
        thread: Pid,
        (call, ending): (Option<Syscall>, Ending),
        (nothing_done, process): (bool, impl FnOnce() -> Option<Process>),
    ) -> Result<(), Lost> {
        let operation = words::operation(call, draft);
        let disposition = draft.disposition.unwrap_or(match ending {
            Ending::Failed(_) => Disposition::Failed,
            Ending::Done => Disposition::Allowed,
            Ending::Kernel => Disposition::Kernel,
        });
        let now = Instant::now();
        let Some(when) = self.admit(operation, disposition, now)? else { return Ok(()) };
        draft.describe_call((operation, disposition), (call, ending));
        let is_its_own = self.people.describe(thread, now, process, |known| {
            if let Some(known) = known {
                Fields::new(&mut draft.record).json("process", known);
            }
            known.is_some()
        });
        if nothing_done && !is_its_own {
            return Ok(());
        }
        self.log.append(when, &[&draft.record], Repeats::Counted).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Denial, Reason};
    use crate::profile::{FilePattern, Provenance};

    #[test]
    fn parts_are_what_is_written_otherwise() {
        let mut plain = Plain::default();
        let denial = Denial {
            pattern: FilePattern::Path(AbsPath::root()),
            real: None,
            written: "/".into(),
            from: Provenance::flag("--deny"),
            group: None,
        };
        let names: [(&[u8], &CStr); 6] = [
            (b"/a/b", c"/a/b"),
            (b"/a/b", c"b"),
            (b"/a/b", c"/a//b"),
            (b"/a/\"", c"\""),
            (b"/a/\xff", c"/a/\xff"),
            (b"/a/b", c"\x1b"),
        ];
        for ((real, typed), writes) in names.into_iter().flat_map(|name| [(name, false), (name, true)]) {
            let real = AbsPath::new(real).unwrap();
            let operations = [if writes { Operation::Write(real) } else { Operation::Read(real) }];
            let what = (words::opening(writes, Some(0o100_000)), Disposition::Allowed);
            let verdict = Verdict::Allow(Reason::Denial(&denial));
            let given = (Syscall::openat, 0o100_000);
            let parts = plain.parts(what, (&operations, &verdict), typed, given, b"{\"pid\":1}");
            let mut draft = Draft::default();
            (draft.flags, draft.typed) = (Some(given.1), typed.to_bytes().to_vec());
            draft.describe_decision(&operations, &verdict);
            draft.describe_call(what, (Some(given.0), Ending::Kernel));
            Fields::new(&mut draft.record).json("process", b"{\"pid\":1}");
            match parts {
                Some(parts) => assert_eq!(parts.concat(), draft.record),
                None => assert!(typed.to_bytes().iter().any(|byte| !byte.is_ascii_graphic() || *byte == b'"')),
            }
        }
    }
}
