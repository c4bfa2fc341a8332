//! The rows of `nono audit` and the verbs beneath it.

use crate::cli::parse::Words;
use crate::cli::table::{Flag, FlagGroup, Kind, Value, Verb};
use crate::cli::usage::UsageError;
use crate::cli::{Audit, Command, Leaf, VerifyProof, flags};

pub(crate) static AUDIT: Verb = Verb {
    name: "audit",
    aliases: &[],
    summary: "check what was recorded",
    about: &[
        "A log is a Merkle tree (RFC 6962) over records of what a program did. A signed checkpoint of it commits to every \
         record at once, so no record can be changed, left out or added behind it without a trace.",
    ],
    usage: "VERB [ARG...]",
    operands: &[Value { name: "VERB", kind: Kind::Verb }],
    groups: &[&flags::ONLY_HELP],
    verbs: &[&VERIFY_PROOF],
    exits: &[],
    environment: &[],
    examples: &[(
        "Check that a record is in a log:",
        "nono audit verify-proof e.tlog-proof --leaf e.json --policy trusted",
    )],
    build: |words| Err(words.missing("needs a verb")),
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
        &FlagGroup { title: "Flags", flags: &[&KEY, &POLICY, &LEAF, &LEAF_HASH] },
        &FlagGroup { title: "Other flags", flags: &[&flags::JSON, &flags::HELP] },
    ],
    verbs: &[],
    exits: &[("0", "the record is in the log"), ("1", "that is not proved"), super::WRONG, super::UNKNOWN],
    environment: &[],
    examples: &[
        (
            "Check a record against the key of its log:",
            "nono audit verify-proof e.tlog-proof --leaf e.json --key log+530d903a+Aek...",
        ),
        (
            "Ask for witnesses, and keep the record to yourself:",
            "nono audit verify-proof e.tlog-proof --policy trusted --leaf-hash 6e34...a01d",
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

static LEAF: Flag = Flag {
    about: "One line end at the end of FILE may be part of the record or not. Excludes --leaf-hash.",
    ..Flag::with("leaf", "FILE", Kind::Path, "The record itself")
};

static LEAF_HASH: Flag = Flag {
    about: "SHA-256 over a zero byte and the record, as 64 hexadecimal digits.",
    ..Flag::with("leaf-hash", "HEX", Kind::Text, "The hash of the record")
};

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
    Ok(Command::Audit(Audit::VerifyProof(VerifyProof { proof, key, policy, leaf, json })))
}
