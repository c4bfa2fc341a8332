//! The rows of `nono trust` and the verbs beneath it.

use crate::cli::parse::Words;
use crate::cli::table::{Entry, Flag, FlagGroup, Kind, Value, Verb};
use crate::cli::usage::UsageError;
use crate::cli::{Command, Trust, flags};

pub(crate) static TRUST: Verb = Verb {
    name: "trust",
    aliases: &[],
    summary: "sign files and policies, and verify who signed them",
    about: &[
        "Instruction files, scripts and configuration can be signed with a key. Signatures are Sigstore bundles beside the \
         files. They prove who signed a file and that it is unchanged, not that it is harmless.",
    ],
    usage: "VERB [ARG...]",
    operands: &[Value { name: "VERB", kind: Kind::Verb }],
    groups: &[&flags::ONLY_HELP],
    verbs: &[&KEYGEN, &EXPORT_KEY],
    exits: &[],
    environment: &[],
    examples: &[("Make a key of your own:", "nono trust keygen")],
    build: |words| Err(words.missing("needs a verb")),
};

static KEYGEN: Verb = Verb {
    summary: "make a signing key",
    about: &[
        "Makes an ECDSA P-256 key and keeps it in the key store. The public half is noted in keys/ beneath nono's \
         configuration: what the key signs is trusted by your own runs. A key that is there already is never replaced.",
    ],
    groups: &[&FlagGroup { title: "Flags", flags: &[&ID, &NO_PASSPHRASE, &flags::HELP] }],
    exits: &[("0", "the key was made"), super::WRONG, ("125", "it could not be made, or is there already")],
    environment: &[KEYSTORE, PASSPHRASE, CONFIG],
    examples: &[("Make a key for one project:", "nono trust keygen --id my-signing-key")],
    ..beneath("keygen", "", &[], keygen)
};

static EXPORT_KEY: Verb = Verb {
    summary: "print the public half of a signing key",
    about: &["Prints the base64 DER that `public_key` of a trust policy takes, on one line, or PEM."],
    groups: &[&FlagGroup { title: "Flags", flags: &[&ID, &PEM, &flags::HELP] }],
    environment: &[KEYSTORE, PASSPHRASE],
    examples: &[("Give somebody your public key:", "nono trust export-key --id my-signing-key --pem")],
    ..beneath("export-key", "", &[], export_key)
};

static ID: Flag = Flag {
    about: "1 to 64 letters, digits, `.`, `_`, `-` and `@`. Without this flag the key is called `default`.",
    ..Flag::with("id", "NAME", Kind::Text, "What the key is called")
};
static PEM: Flag = Flag::switch("pem", "Print PEM instead of base64 DER");
static NO_PASSPHRASE: Flag = Flag {
    about: "Only for keys in files (NONO_KEYSTORE=file:DIR): whoever reads the file has the key.",
    ..Flag::switch("no-passphrase", "Keep the key file without a passphrase")
};

/// Where keys are.
const KEYSTORE: Entry = (
    "NONO_KEYSTORE",
    "`secret-service`, the keyring of a Linux desktop; `keychain`, that of macOS; or `file:DIR`, key files in a directory",
);
const PASSPHRASE: Entry =
    ("NONO_KEY_PASSPHRASE_FILE", "a file with the passphrase of key files; without it the terminal is asked");
const CONFIG: Entry = ("XDG_CONFIG_HOME", "nono/keys beneath it notes public keys; ~/.config when unset");
const EXITS: &[Entry] = &[("0", "it was printed"), super::WRONG, super::UNKNOWN];
const ONLY_HELP: &[&FlagGroup] = &[&flags::ONLY_HELP];

type Build = fn(Words) -> Result<Command, UsageError>;

/// A verb beneath `trust`, which the rows above fill in.
const fn beneath(name: &'static str, usage: &'static str, operands: &'static [Value], build: Build) -> Verb {
    Verb {
        name,
        aliases: &[],
        summary: "",
        about: &[],
        usage,
        operands,
        groups: ONLY_HELP,
        verbs: &[],
        exits: EXITS,
        environment: &[],
        examples: &[],
        build,
    }
}

fn keygen(mut words: Words) -> Result<Command, UsageError> {
    words.nothing_more("takes its name from --id")?;
    let (id, plain) = (words.one_text(&ID)?, words.switch(&NO_PASSPHRASE));
    Ok(Command::Trust(Trust::Keygen { id, no_passphrase: plain }))
}

fn export_key(mut words: Words) -> Result<Command, UsageError> {
    words.nothing_more("takes its name from --id")?;
    Ok(Command::Trust(Trust::ExportKey { id: words.one_text(&ID)?, pem: words.switch(&PEM) }))
}
