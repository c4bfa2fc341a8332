//! The rows of the verbs that read what was recorded on this host.

use crate::cli::parse::Words;
use crate::cli::table::{Entry, Flag, FlagGroup, Kind, Value, Verb};
use crate::cli::usage::{UsageError, quoted};
use crate::cli::verbs::{UNKNOWN, WRONG};
use crate::cli::{Audit, Command, Prove, VerifyLogs, flags};

const STATE: Entry = ("XDG_STATE_HOME", "logs are in nono beneath it; ~/.local/state when unset");

pub(super) static VERIFY: Verb = Verb {
    name: "verify",
    aliases: &[],
    summary: "check that logs are what was written",
    about: &[
        "SESSION is the id of a session or the beginning of one, or a directory when it has a slash. Every record is read, \
         and the root of their tree compared with the session's signed checkpoint; its key with the host's certificate; and \
         all that with the host's log, which is verified in the same way and names the key and the last checkpoint of each \
         session. With --all, a session that the host's log knows and that is gone is said as well.",
        "Of a session that still runs, or whose supervisor was killed, only the records up to the last checkpoint are \
         proved; how many those are is said.",
        "Whoever has the host's key can write another history. With --policy, the key is the policy's, and its quorum of \
         witnesses must have seen the end of the session (`nono audit witness`).",
    ],
    usage: "SESSION|--all",
    operands: &[Value { name: "SESSION", kind: Kind::Path }],
    groups: &[&FlagGroup { title: "Flags", flags: &[&ALL, &super::POLICY, &flags::JSON, &flags::HELP] }],
    verbs: &[],
    exits: &[
        ("0", "all is what was written, as far as it is signed"),
        ("1", "something is not, or nothing of a session is proved"),
        WRONG,
        UNKNOWN,
    ],
    environment: &[STATE],
    examples: &[
        ("Check everything that was recorded here:", "nono audit verify --all"),
        ("Ask for witnesses as well:", "nono audit verify 20260131T1200 --policy trusted"),
    ],
    build: verify,
};

pub(super) static PROVE: Verb = Verb {
    name: "prove",
    aliases: &[],
    summary: "write files that prove one record",
    about: &[
        "Verifies the session, and writes the record with its way to the session's checkpoint (c2sp.org/tlog-proof). Beside \
         it, in NAME.session.tlog-proof for NAME.tlog-proof, goes the proof that the host's log names that checkpoint. What \
         is printed last is the command that checks both, on any computer.",
        "The record stands in the file: whoever gets it reads it.",
    ],
    usage: "SESSION --event N -o FILE",
    operands: &[Value { name: "SESSION", kind: Kind::Path }],
    groups: &[&FlagGroup { title: "Flags", flags: &[&EVENT, &OUTPUT, &flags::HELP] }],
    verbs: &[],
    exits: &[("0", "the proof is written"), ("1", "the record is not proved"), WRONG, UNKNOWN],
    environment: &[STATE],
    examples: &[("Prove a session's first record:", "nono audit prove 20260131T1200 --event 0 -o e.tlog-proof")],
    build: prove,
};

static EVENT: Flag = Flag::with("event", "N", Kind::Text, "The index of the record, from 0");

static OUTPUT: Flag = Flag {
    short: Some('o'),
    about: "It is not to be there yet.",
    ..Flag::with("output", "FILE", Kind::Path, "Where the proof goes")
};

fn prove(mut words: Words) -> Result<Command, UsageError> {
    let Some(event) = words.one_text(&EVENT)? else { return Err(words.missing("needs `--event N`")) };
    let Ok(event) = event.parse() else {
        return Err(words.fault(format!("`--event` takes the index of a record, and not {}", quoted(event))));
    };
    let Some(output) = words.one(&OUTPUT) else { return Err(words.missing("needs `-o FILE`")) };
    let [session] = words.exactly("needs one SESSION")?;
    Ok(Command::Audit(Audit::Prove(Prove { session, event, output })))
}

static ALL: Flag = Flag::switch("all", "Every session of this host");

fn verify(mut words: Words) -> Result<Command, UsageError> {
    let (all, policy, json) = (words.switch(&ALL), words.one(&super::POLICY), words.switch(&flags::JSON));
    let session = if all {
        words.nothing_more("takes no SESSION with `--all`")?;
        None
    } else {
        let [session] = words.exactly("needs one SESSION, or `--all`")?;
        Some(session)
    };
    Ok(Command::Audit(Audit::Verify(VerifyLogs { session, policy, json })))
}
