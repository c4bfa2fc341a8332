//! The flags that several verbs share, and the part of a command they make.

use std::ffi::OsStr;

use super::parse::Words;
use super::table::{Flag, FlagGroup, Kind};
use super::usage::{UsageError, quoted};
use super::{PathFlag, Recorded, Sandbox};

/// `--help`, which every verb has.
pub(crate) static HELP: Flag =
    Flag { short: Some('h'), about: "-h is short, --help is long.", ..Flag::switch("help", "Print help") };

/// `--json`, where there is something to read by a program.
pub(crate) static JSON: Flag = Flag::switch("json", "Print one JSON document on standard output");

/// `--json` of a verb whose standard output belongs to the program it runs.
pub(crate) static ACCOUNT: Flag = Flag {
    about: "What was refused, how often, what would allow it, and how the program ended. FILE is made before the program \
        starts and written when everything it started is gone; nothing inside can change it.",
    ..Flag::with("json", "FILE", Kind::Path, "Write an account of the run to FILE")
};

pub(crate) static SILENT: Flag = Flag {
    short: Some('s'),
    about: "Errors are still printed. Excludes --verbose.",
    ..Flag::switch("silent", "Print neither grants nor refusals")
};

pub(crate) static VERBOSE: Flag = Flag {
    short: Some('v'),
    about: "Excludes --silent.",
    ..Flag::switch("verbose", "Print every grant and what gave it")
};

pub(crate) static PROFILE: Flag = Flag {
    short: Some('p'),
    about: "A value with a slash, or one that ends in .json, is a file. A name is looked up as \
        $XDG_CONFIG_HOME/nono/profiles/NAME.json, as /etc/nono/profiles/NAME.json, and among the built-in profiles \
        that `nono profiles list` prints. Without this flag NONO_PROFILE gives it, and without that it is `default`.",
    ..Flag::with("profile", "NAME|FILE", Kind::Profile, "The profile to start from")
};

pub(crate) static ALLOW: Flag = Flag {
    short: Some('a'),
    many: true,
    about: "A file, or a directory and everything beneath it.",
    aliases: &["allow-file"],
    ..Flag::with("allow", "PATH", Kind::Path, "Let it read, write and execute PATH")
};

pub(crate) static READ: Flag = Flag {
    short: Some('r'),
    many: true,
    about: "A file, or a directory and everything beneath it.",
    aliases: &["read-file"],
    ..Flag::with("read", "PATH", Kind::Path, "Let it read and execute PATH")
};

pub(crate) static WRITE: Flag = Flag {
    short: Some('w'),
    many: true,
    about: "A file, or a directory and everything beneath it. What is there cannot be read by this alone.",
    aliases: &["write-file"],
    ..Flag::with("write", "PATH", Kind::Path, "Let it create, change and remove PATH")
};

pub(crate) static DENY: Flag = Flag {
    many: true,
    about: "A deny beats every allow, whoever wrote it. A relative PATH, and one with *, ?, [ or {, is a pattern that \
        holds at any depth; ./PATH is a path. One that cannot be enforced is an error, never left out.",
    ..Flag::with("deny", "PATH", Kind::Path, "Refuse PATH, whatever grants it")
};

pub(crate) static ALLOW_CWD: Flag = Flag {
    about: "As --allow with the current directory, or with that of --workdir.",
    ..Flag::switch("allow-cwd", "Allow the working directory")
};

pub(crate) static WORKDIR: Flag = Flag {
    about: "$WORKDIR in a profile means this directory. Without this flag it is the current one.",
    ..Flag::with("workdir", "DIR", Kind::Directory, "The directory to start in")
};

pub(crate) static ALLOW_HOST: Flag = Flag {
    many: true,
    about: "A name, a wildcard such as *.example.com, an address, or a block such as 10.1.0.0/16; without a port, every \
        port. One that cannot be enforced is an error, never left out.",
    aliases: &["allow-domain"],
    ..Flag::with("allow-host", "HOST[:PORT]", Kind::Text, "Let it connect to HOST")
};

pub(crate) static LISTEN: Flag = Flag {
    many: true,
    about: "A port of loopback, or ADDRESS:PORT.",
    ..Flag::with("listen", "PORT", Kind::Text, "Let it accept connections on PORT")
};

pub(crate) static BLOCK_NET: Flag = Flag {
    about: "Excludes --allow-host and --listen.",
    ..Flag::switch("block-net", "No network, whatever the profile says")
};

pub(crate) static ALLOW_UNIX_SOCKET: Flag = Flag {
    many: true,
    about: "One that cannot be enforced is an error, never left out.",
    ..Flag::with("allow-unix-socket", "PATH", Kind::Path, "Let it connect to the socket PATH")
};

pub(crate) static ENV: Flag = Flag {
    many: true,
    about: "The program gets only the variables that its profile and these flags name. VALUE may be empty.",
    ..Flag::with("env", "NAME[=VALUE]", Kind::Text, "Pass the variable NAME on, or set it")
};

pub(crate) static DEGRADED: Flag = Flag {
    about: "Each gap is printed. Without this flag a kernel that lacks what the policy needs is an error.",
    ..Flag::switch("degraded", "Run even where the kernel enforces less")
};

pub(crate) static AUDIT: Flag = Flag {
    about: "`all` is every operation, and the default; `changes` leaves out what is only read; `decisions` is what was \
        refused or asked about, and each verification of a signed file. What the profile asks for is always recorded.",
    ..Flag::with("audit", "all|changes|decisions", Kind::Words(LEVELS), "How much the audit log records")
};

const LEVELS: &[&str] = &["all", "changes", "decisions"];

/// What is recorded.
pub(crate) static RECORD: FlagGroup = FlagGroup { title: "Audit flags", flags: &[&AUDIT] };

pub(crate) static SKIP_DIR: Flag = Flag {
    many: true,
    about: "Beside .git, node_modules, target, dist and caches. A file in there that must be signed is verified when it is \
        opened; `nono wrap`, where nobody does that, searches all but NAME.",
    ..Flag::with("skip-dir", "NAME", Kind::Text, "Do not search NAME for files to verify")
};

pub(crate) static TRUST_OVERRIDE: Flag = Flag {
    about: "For development. Each such file is named; one on a blocklist is refused all the same. NONO_TRUST_OVERRIDE=1 is \
        the same.",
    ..Flag::switch("trust-override", "Let files through that fail verification")
};

/// What a program may use.
pub(crate) static POLICY: FlagGroup = FlagGroup {
    title: "Policy flags",
    flags: &[
        &PROFILE,
        &ALLOW,
        &READ,
        &WRITE,
        &DENY,
        &ALLOW_CWD,
        &WORKDIR,
        &ALLOW_HOST,
        &LISTEN,
        &BLOCK_NET,
        &ALLOW_UNIX_SOCKET,
        &ENV,
        &SKIP_DIR,
        &TRUST_OVERRIDE,
        &DEGRADED,
    ],
};

/// How much is said before a program starts.
pub(crate) static OUTPUT: FlagGroup = FlagGroup { title: "Other flags", flags: &[&SILENT, &VERBOSE, &HELP] };

/// The same of a verb that waits for the program's end.
pub(crate) static ACCOUNTED: FlagGroup =
    FlagGroup { title: "Other flags", flags: &[&SILENT, &VERBOSE, &ACCOUNT, &HELP] };

/// The flags of a verb that prints an answer.
pub(crate) static ANSWER: FlagGroup = FlagGroup { title: "Other flags", flags: &[&JSON, &HELP] };

/// The flags of a verb that has no others.
pub(crate) static ONLY_HELP: FlagGroup = FlagGroup { title: "Other flags", flags: &[&HELP] };

/// What the flags of [`POLICY`] say.
///
/// # Errors
/// Flags that exclude each other, text that is not UTF-8, a variable without a name.
pub(crate) fn sandbox(words: &Words) -> Result<Sandbox, UsageError> {
    let path_flag = |flag: &'static Flag| {
        let known =
            [(&ALLOW, PathFlag::Allow), (&DENY, PathFlag::Deny), (&READ, PathFlag::Read), (&WRITE, PathFlag::Write)];
        known.into_iter().find_map(|(row, meaning)| std::ptr::eq(row, flag).then_some(meaning))
    };
    let sandbox = Sandbox {
        profile: words.one(&PROFILE),
        paths: words.in_order().filter_map(|(flag, path)| Some((path_flag(flag)?, path.to_owned()))).collect(),
        allow_cwd: words.switch(&ALLOW_CWD),
        workdir: words.one(&WORKDIR),
        allow_host: words.all_text(&ALLOW_HOST)?,
        listen: words.all_text(&LISTEN)?,
        block_net: words.switch(&BLOCK_NET),
        allow_unix_socket: words.all(&ALLOW_UNIX_SOCKET),
        env: words.all(&ENV),
        degraded: words.switch(&DEGRADED),
        skip_dir: words.all_text(&SKIP_DIR)?,
        trust_override: words.switch(&TRUST_OVERRIDE),
    };
    if sandbox.block_net && !sandbox.allow_host.is_empty() {
        return Err(words.fault("`--block-net` and `--allow-host` exclude each other"));
    }
    if sandbox.block_net && !sandbox.listen.is_empty() {
        return Err(words.fault("`--block-net` and `--listen` exclude each other"));
    }
    let nameless = |entry: &&OsStr| entry.as_encoded_bytes().starts_with(b"=");
    if let Some(entry) = sandbox.env.iter().map(|entry| entry.as_os_str()).find(nameless) {
        return Err(words.fault(format!("`--env` needs NAME or NAME=VALUE, and {} has no name", quoted(entry))));
    }
    Ok(sandbox)
}

/// What `--audit` says.
///
/// # Errors
/// Another word than those it takes.
pub(crate) fn recorded(words: &Words) -> Result<Option<Recorded>, UsageError> {
    let Some(given) = words.one(&AUDIT) else { return Ok(None) };
    match given.to_str() {
        Some("all") => Ok(Some(Recorded::All)),
        Some("changes") => Ok(Some(Recorded::Changes)),
        Some("decisions") => Ok(Some(Recorded::Decisions)),
        _ => Err(words.fault(format!("`--audit` is all, changes or decisions, and not {}", quoted(&given)))),
    }
}

/// Whether the output is silent, and whether it is verbose.
///
/// # Errors
/// Both at once.
pub(crate) fn loudness(words: &Words) -> Result<(bool, bool), UsageError> {
    match (words.switch(&SILENT), words.switch(&VERBOSE)) {
        (true, true) => Err(words.fault("`--silent` and `--verbose` exclude each other")),
        other => Ok(other),
    }
}
