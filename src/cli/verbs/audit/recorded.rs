//! The rows of the verbs that read what was recorded on this host.

use crate::cli::parse::Words;
use crate::cli::table::{Entry, Flag, FlagGroup, Kind, Value, Verb};
use crate::cli::usage::{UsageError, quoted};
use crate::cli::verbs::{UNKNOWN, WRONG};
use crate::cli::{Audit, Command, Prove, ShowLog, VerifyLogs, flags};

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

pub(super) static LIST: Verb = Verb {
    name: "list",
    aliases: &[],
    summary: "list the sessions that were recorded",
    about: &[
        "The first session comes first. What is listed is what the logs say; whether they are what was written is for \
              `nono audit verify`.",
    ],
    usage: "",
    operands: &[],
    groups: &[&FlagGroup { title: "Flags", flags: &[&SINCE, &flags::JSON, &flags::HELP] }],
    verbs: &[],
    exits: &[("0", "the sessions were listed"), WRONG, UNKNOWN],
    environment: &[STATE],
    examples: &[("List what ran today:", "nono audit list --since 24h")],
    build: list,
};

static SINCE: Flag = Flag {
    about: "A date or a time in UTC, such as 2026-01-31 or 2026-01-31T10:00:00Z, or how long ago: 30m, 12h, 7d.",
    ..Flag::with("since", "TIME", Kind::Text, "Only sessions that began then or later")
};

fn list(mut words: Words) -> Result<Command, UsageError> {
    words.nothing_more("takes no words besides its flags")?;
    Ok(Command::Audit(Audit::List { since: words.one_text(&SINCE)?, json: words.switch(&flags::JSON) }))
}

pub(super) static SHOW: Verb = Verb {
    name: "show",
    aliases: &[],
    summary: "print a session's records, a line each",
    about: &[
        "What a program chose is escaped, so that it cannot move the cursor or hide. The flags choose records together: \
              a record is printed when it fits all of them.",
        "On a terminal the records are shown by `$PAGER`, or by less, and coloured.",
    ],
    usage: "SESSION",
    operands: &[Value { name: "SESSION", kind: Kind::Path }],
    groups: &[&FlagGroup {
        title: "Flags",
        flags: &[&DENIED, &OPERATION, &PATH, &FOLLOW, &NO_PAGER, &flags::JSON, &flags::HELP],
    }],
    verbs: &[],
    exits: &[
        ("0", "the log was read to its end"),
        ("1", "the log is not what was written; nothing behind that is printed"),
        WRONG,
        UNKNOWN,
    ],
    environment: &[
        STATE,
        ("PAGER", "what shows the records on a terminal; less when unset, nothing when empty"),
        ("NO_COLOR", "any content turns colours off"),
    ],
    examples: &[
        ("See what was refused in the home directory:", "nono audit show 20260131T1200 --denied --path ~"),
        ("See what a running session is refused:", "nono audit show 20260131T1200 --denied --follow"),
    ],
    build: show,
};

static DENIED: Flag = Flag::switch("denied", "Only what was refused");

static OPERATION: Flag = Flag {
    about: "Such as fs.read, or fs for all that begin so.",
    ..Flag::with("operation", "NAME", Kind::Text, "Only these operations")
};

static PATH: Flag = Flag::with("path", "PATH", Kind::Path, "Only this file, or what lies beneath it");

static FOLLOW: Flag = Flag {
    about: "Records are printed as they are written, until the session ends; there is no pager.",
    ..Flag::switch("follow", "Go on while the session runs")
};

static NO_PAGER: Flag = Flag::switch("no-pager", "Print everything at once, also on a terminal");

fn show(mut words: Words) -> Result<Command, UsageError> {
    let (denied, operation) = (words.switch(&DENIED), words.one_text(&OPERATION)?);
    let (path, json) = (words.one(&PATH), words.switch(&flags::JSON));
    let (follow, no_pager) = (words.switch(&FOLLOW), words.switch(&NO_PAGER));
    let [session] = words.exactly("needs one SESSION")?;
    Ok(Command::Audit(Audit::Show(ShowLog { session, denied, operation, path, json, follow, no_pager })))
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
