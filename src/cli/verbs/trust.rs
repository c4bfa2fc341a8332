//! The rows of `nono trust` and the verbs beneath it.

use crate::cli::parse::Words;
use crate::cli::table::{Entry, Flag, FlagGroup, Kind, Value, Verb};
use crate::cli::usage::UsageError;
use crate::cli::{Command, Sign, Trust, Verify, flags};

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
    verbs: &[&INIT, &KEYGEN, &EXPORT_KEY, &SIGN, &SIGN_POLICY, &VERIFY, &LIST],
    exits: &[],
    environment: &[],
    examples: &[("Sign a file with your key:", "nono trust sign SKILLS.md")],
    build: |words| Err(words.missing("needs a verb")),
};

static INIT: Verb = Verb {
    summary: "write a trust policy",
    about: &[
        "Writes trust-policy.json in the current directory, with the patterns of files that must be signed and your key as \
         a publisher. A policy counts when it is signed by somebody whom your own policy or key trusts; see \
         `nono trust sign-policy`.",
        "A pattern without a slash holds at any depth, one with a slash begins at the policy's directory.",
    ],
    groups: &[&FlagGroup { title: "Flags", flags: &[&INCLUDE, &KEY, &USER, &FORCE, &flags::HELP] }],
    exits: &[("0", "the policy was written"), super::WRONG, ("125", "it could not be written, or is there already")],
    environment: &[KEYSTORE, PASSPHRASE, CONFIG],
    examples: &[
        ("Have two files signed from now on:", "nono trust init --include SKILLS.md --include CLAUDE.md"),
        ("Begin your own policy, which says whom you trust:", "nono trust init --user"),
    ],
    ..beneath("init", "", &[], init)
};

static SIGN: Verb = Verb {
    summary: "sign files",
    about: &[
        "Signs each FILE, and writes FILE.bundle beside it. All of them are signed or none is. The signature names the file \
         from the root of its project: the nearest directory above with a trust policy, or the repository's.",
        "With --all, every file of the project that matches the policy is meant; files that version control ignores count \
         too, and directories such as .git, node_modules, target and caches do not.",
    ],
    groups: &[&FlagGroup { title: "Flags", flags: &[&ALL, &MULTI_SUBJECT, &KEY, &KEYLESS, &flags::HELP] }],
    exits: &[("0", "every file was signed"), super::WRONG, ("125", "one could not be signed, and none was")],
    environment: &[KEYSTORE, PASSPHRASE],
    examples: &[
        ("Sign two files:", "nono trust sign SKILLS.md CLAUDE.md --key my-key"),
        ("Sign all files that the policy wants signed, in one bundle:", "nono trust sign --all --multi-subject"),
    ],
    ..beneath("sign", "FILE...|--all", &[Value { name: "FILE", kind: Kind::Path }], sign)
};

static SIGN_POLICY: Verb = Verb {
    summary: "sign a trust policy",
    about: &["Signs trust-policy.json in the current directory, or your own. Needed after every change of the policy."],
    groups: &[&FlagGroup { title: "Flags", flags: &[&KEY, &USER, &flags::HELP] }],
    exits: &[("0", "the policy was signed"), super::WRONG, ("125", "it is no policy, or could not be signed")],
    environment: &[KEYSTORE, PASSPHRASE, CONFIG],
    examples: &[("Sign the policy of a project:", "nono trust sign-policy")],
    ..beneath("sign-policy", "", &[], sign_policy)
};

static VERIFY: Verb = Verb {
    summary: "verify who signed files",
    about: &[
        "Prints each FILE with its publisher, or with the check that failed and what to do. With --all, every file of the \
         project that matches the policies is meant.",
    ],
    groups: &[&FlagGroup { title: "Flags", flags: &[&ALL, &POLICY, &flags::JSON, &flags::HELP] }],
    exits: &[("0", "every file is verified"), ("1", "one is not"), super::WRONG, super::UNKNOWN],
    environment: &[CONFIG],
    examples: &[("Verify all that the policy wants signed:", "nono trust verify --all")],
    ..beneath("verify", "FILE...|--all", &[Value { name: "FILE", kind: Kind::Path }], verify)
};

static LIST: Verb = Verb {
    summary: "list the files that the policy wants signed",
    about: &["Prints each file that matches the policies, whether it is verified, and by whom or why not."],
    groups: &[&flags::ANSWER],
    environment: &[CONFIG],
    examples: &[("See what is signed:", "nono trust list")],
    ..beneath("list", "", &[], list)
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
static KEY: Flag = Flag {
    about: "Without this flag it is the key `default`.",
    ..Flag::with("key", "NAME", Kind::Text, "The key to sign with, or to trust")
};
static ALL: Flag = Flag::switch("all", "Every file that matches the policy");
static MULTI_SUBJECT: Flag = Flag {
    about: "It is .nono-trust.bundle, in the directory of the policy. Only with --all.",
    ..Flag::switch("multi-subject", "One bundle for all files")
};
static POLICY: Flag = Flag {
    about: "In place of yours and the project's. Its publishers are believed, signed or not.",
    ..Flag::with("policy", "FILE", Kind::Path, "The trust policy that holds")
};
static INCLUDE: Flag = Flag { many: true, ..Flag::with("include", "PATTERN", Kind::Text, "Files that must be signed") };
static USER: Flag = Flag {
    about: "The policy among your settings, in nono/ beneath $XDG_CONFIG_HOME: it says whom you trust.",
    ..Flag::switch("user", "Your own policy, not the project's")
};
static FORCE: Flag = Flag::switch("force", "Replace a policy that is there already");
static KEYLESS: Flag =
    Flag { about: "Comes with the next release.", ..Flag::switch("keyless", "Sign with the identity of a CI job") };
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

fn init(mut words: Words) -> Result<Command, UsageError> {
    words.nothing_more("takes its patterns from --include")?;
    let (include, key) = (words.all_text(&INCLUDE)?, words.one_text(&KEY)?);
    Ok(Command::Trust(Trust::Init { include, key, user: words.switch(&USER), force: words.switch(&FORCE) }))
}

fn sign(mut words: Words) -> Result<Command, UsageError> {
    let (key, keyless) = (words.one_text(&KEY)?, words.switch(&KEYLESS));
    let (all, multi_subject) = (words.switch(&ALL), words.switch(&MULTI_SUBJECT));
    let files = if all { words.operands() } else { words.some("needs a FILE, or --all")? };
    Ok(Command::Trust(Trust::Sign(Sign { files, all, multi_subject, key, keyless })))
}

fn verify(mut words: Words) -> Result<Command, UsageError> {
    let (all, json) = (words.switch(&ALL), words.switch(&flags::JSON));
    let files = if all { words.operands() } else { words.some("needs a FILE, or --all")? };
    Ok(Command::Trust(Trust::Verify(Verify { files, all, policy: words.one(&POLICY), json })))
}

fn list(mut words: Words) -> Result<Command, UsageError> {
    words.nothing_more("takes no names")?;
    Ok(Command::Trust(Trust::List { json: words.switch(&flags::JSON) }))
}

fn sign_policy(mut words: Words) -> Result<Command, UsageError> {
    words.nothing_more("signs the policy of the current directory")?;
    Ok(Command::Trust(Trust::SignPolicy { key: words.one_text(&KEY)?, user: words.switch(&USER) }))
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
