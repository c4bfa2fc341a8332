//! The rows of `nono audit` and the verbs beneath it.

mod recorded;

use crate::cli::parse::Words;
use crate::cli::table::{Flag, FlagGroup, Kind, Value, Verb};
use crate::cli::usage::{UsageError, quoted};
use crate::cli::{Audit, Command, Export, ExportFormat, Leaf, VerifyProof, flags};

pub(crate) static AUDIT: Verb = Verb {
    name: "audit",
    aliases: &[],
    summary: "export what was recorded, and check it",
    about: &[
        "A log is a Merkle tree (RFC 6962) over records of what a program did. A signed checkpoint of it commits to every \
         record at once, so no record can be changed, left out or added behind it without a trace.",
    ],
    usage: "VERB [ARG...]",
    operands: &[Value { name: "VERB", kind: Kind::Verb }],
    groups: &[&flags::ONLY_HELP],
    verbs: &[&EXPORT, &recorded::LIST, &recorded::PROVE, &recorded::SHOW, &recorded::VERIFY, &VERIFY_PROOF, &WITNESS],
    exits: &[],
    environment: &[],
    examples: &[
        ("Check everything that was recorded here:", "nono audit verify --all"),
        ("Check that a record is in a log:", "nono audit verify-proof e.tlog-proof --leaf e.json --policy trusted"),
    ],
    build: |words| Err(words.missing("needs a verb")),
};

static EXPORT: Verb = Verb {
    name: "export",
    aliases: &[],
    summary: "print a session's log for another system, a line a record",
    about: &[
        "SESSION is the id of a session or the beginning of one, or a directory when it has a slash. Each row carries the \
         session, the index of the record and its leaf hash, so that what another system has stored can be proved later.",
        "json is the record itself, with the fields `operation`, `target`, `timestamp` and `disposition`; ocsf is OCSF 1.8.0 \
         with its security_control profile; ecs is the Elastic Common Schema 8.17; cef is the Common Event Format. Nothing \
         in a record can end a row or begin another.",
    ],
    usage: "SESSION",
    operands: &[Value { name: "SESSION", kind: Kind::Path }],
    groups: &[&FlagGroup { title: "Flags", flags: &[&FORMAT, &FOLLOW, &flags::HELP] }],
    verbs: &[],
    exits: &[
        ("0", "every record was printed"),
        ("1", "the log is not what was written; nothing behind that is printed"),
        super::WRONG,
        super::UNKNOWN,
    ],
    environment: &[("XDG_STATE_HOME", "sessions are in nono/sessions beneath it; ~/.local/state when unset")],
    examples: &[
        ("Send what happens to a collector:", "nono audit export 20260131T1200 --format ocsf --follow"),
        ("Read a log that was copied from elsewhere:", "nono audit export ./20260131T120000Z-1f2e3d4c"),
    ],
    build: export,
};

static VERIFY_PROOF: Verb = Verb {
    name: "verify-proof",
    aliases: &[],
    summary: "check that a record is in a log, from files alone",
    about: &[
        "PROOF is a file of the form c2sp.org/tlog-proof: the way from one record to the root of a signed checkpoint. \
         Nothing else is looked at: no state of this host, no network, no log.",
        "The record is the content of --leaf, or has the hash of --leaf-hash, or stands in the line `extra` of PROOF. Whose \
         checkpoint counts is said by --key or --policy.",
    ],
    usage: "PROOF",
    operands: &[Value { name: "PROOF", kind: Kind::Path }],
    groups: &[
        &FlagGroup { title: "Flags", flags: &[&KEY, &POLICY, &SESSION, &LEAF, &LEAF_HASH] },
        &FlagGroup { title: "Other flags", flags: &[&flags::JSON, &flags::HELP] },
    ],
    verbs: &[],
    exits: &[("0", "the record is in the log"), ("1", "that is not proved"), super::WRONG, super::UNKNOWN],
    environment: &[],
    examples: &[
        (
            "Check a record against the key of its log:",
            "nono audit verify-proof e.tlog-proof --leaf e.json --key log+530d903a+...",
        ),
        (
            "Ask for witnesses, and keep the record to yourself:",
            "nono audit verify-proof e.tlog-proof --policy trusted --leaf-hash 6e34...",
        ),
    ],
    build: verify_proof,
};

static KEY: Flag = Flag {
    about: "NAME+ID+KEY as in c2sp.org/signed-note. The name is the origin of the log. Excludes --policy.",
    ..Flag::with("key", "VKEY", Kind::Text, "The key of the log")
};

static POLICY: Flag = Flag {
    about: "A file of the form c2sp.org/tlog-policy: logs, witnesses, and the quorum of witnesses who must have cosigned.",
    ..Flag::with("policy", "FILE", Kind::Path, "The logs and witnesses that are trusted")
};

static SESSION: Flag = Flag {
    about: "A proof that the host's log has the end of the session in it. The key or policy is then the host's, and the \
        session's checkpoint counts because that log names it.",
    ..Flag::with("session", "PROOF", Kind::Path, "The proof of the record's whole session")
};

static LEAF: Flag = Flag {
    about: "One line end at the end of FILE may be part of the record or not. Excludes --leaf-hash.",
    ..Flag::with("leaf", "FILE", Kind::Path, "The record itself")
};

static LEAF_HASH: Flag = Flag {
    about: "SHA-256 over a zero byte and the record, as 64 hexadecimal digits.",
    ..Flag::with("leaf-hash", "HEX", Kind::Text, "The hash of the record")
};

static WITNESS: Verb = Verb {
    name: "witness",
    aliases: &[],
    summary: "have others cosign the host's log",
    about: &[
        "Sends the last checkpoint of the host's log to every witness of the policy that has a URL, with a proof that it \
         goes on from what that witness has seen (c2sp.org/tlog-witness). Each cosignature is verified, and kept in \
         the file `cosigned` beside the log. A witness that has seen another history says so, and this verb with it.",
        "Nothing but the checkpoint leaves this host: the name of the log, its size and a hash.",
    ],
    usage: "--policy FILE",
    operands: &[],
    groups: &[&FlagGroup { title: "Flags", flags: &[&POLICY, &LOG, &flags::HELP] }],
    verbs: &[],
    exits: &[
        ("0", "the quorum of the policy has cosigned the checkpoint"),
        ("1", "it has not"),
        super::WRONG,
        super::UNKNOWN,
    ],
    environment: &[
        ("XDG_STATE_HOME", "the log is nono/host-log beneath it; ~/.local/state when unset"),
        ("SSL_CERT_FILE", "certificates to trust instead of the system's"),
    ],
    examples: &[("Have the policy's witnesses cosign:", "nono audit witness --policy trusted")],
    build: witness,
};

static LOG: Flag = Flag {
    about: "It holds `events.jsonl` and `checkpoint`.",
    ..Flag::with("log", "DIR", Kind::Directory, "The log, instead of this host's")
};

fn witness(mut words: Words) -> Result<Command, UsageError> {
    words.nothing_more("takes no words besides its flags")?;
    Ok(Command::Audit(Audit::Witness { policy: words.one(&POLICY), log: words.one(&LOG) }))
}

static FORMAT: Flag = Flag {
    about: "Without this flag it is json.",
    ..Flag::with(
        "format",
        "json|ocsf|ecs|cef",
        Kind::Words(&["json", "ocsf", "ecs", "cef"]),
        "The language of the rows",
    )
};

static FOLLOW: Flag =
    Flag { about: "Goes on until the session ends.", ..Flag::switch("follow", "Print records as they are written") };

fn export(mut words: Words) -> Result<Command, UsageError> {
    let follow = words.switch(&FOLLOW);
    let format = match words.one(&FORMAT) {
        None => None,
        Some(given) => Some(match given.to_str() {
            Some("cef") => ExportFormat::Cef,
            Some("ecs") => ExportFormat::Ecs,
            Some("json") => ExportFormat::Json,
            Some("ocsf") => ExportFormat::Ocsf,
            _ => {
                let given = quoted(given);
                return Err(words.fault(format!("`--format` is json, ocsf, ecs or cef, and not {given}")));
            }
        }),
    };
    let [session] = words.exactly("needs one SESSION")?;
    Ok(Command::Audit(Audit::Export(Export { session, format, follow })))
}

fn verify_proof(mut words: Words) -> Result<Command, UsageError> {
    let (key, policy) = (words.one_text(&KEY)?, words.one(&POLICY));
    if key.is_some() && policy.is_some() {
        return Err(words.fault("`--key` and `--policy` exclude each other; a policy names the keys of logs itself"));
    }
    let leaf = match (words.one(&LEAF), words.one_text(&LEAF_HASH)?) {
        (Some(_), Some(_)) => return Err(words.fault("`--leaf` and `--leaf-hash` exclude each other")),
        (Some(file), None) => Leaf::File(file),
        (None, Some(hash)) => Leaf::Hash(hash),
        (None, None) => Leaf::InProof,
    };
    let json = words.switch(&flags::JSON);
    let [proof] = words.exactly("needs one PROOF")?;
    Ok(Command::Audit(Audit::VerifyProof(VerifyProof { proof, key, policy, session: words.one(&SESSION), leaf, json })))
}
