//! The record of one call, put together out of what is known of it.

use syscalls::abi::Syscall;

use super::drafts::{Draft, is_typed_so};
use super::{Ending, words};
use crate::audit::record::{Disposition, Fields};
use crate::plan::{Operation, Verdict};

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
