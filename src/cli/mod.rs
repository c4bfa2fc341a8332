//! Words to commands, and every text that describes them, from one table of verbs and flags.
//!
//! Pure: arguments in, a typed [`Command`] or a [`UsageError`] out. Values are not interpreted here: a path may be
//! missing, a host misspelt, and whoever acts on the command says so.

mod completions;
mod flags;
mod help;
mod man;
mod nearest;
mod parse;
mod table;
#[cfg(test)]
mod tests;
mod usage;
mod verbs;

use std::ffi::OsString;
use std::fmt;

pub use self::usage::UsageError;

/// The version of this program, as `nono --version` prints it after the name.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the words of a command line ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Audit(Audit),
    Doctor(Doctor),
    Generate(Generate),
    Help(HelpText),
    Profiles(Profiles),
    Run(Run),
    Shell(Shell),
    Trust(Trust),
    Version,
    Why(Why),
    Wrap(Wrap),
}

/// Which of the four flags that say something about a path was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathFlag {
    Allow,
    Deny,
    Read,
    Write,
}

/// The flags that choose a profile, add to it and narrow it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// `--profile`: a name, or a file when it has a `/` or ends in `.json`.
    pub profile: Option<OsString>,
    /// `--allow`, `--deny`, `--read` and `--write`, in the order they were given.
    pub paths: Vec<(PathFlag, OsString)>,
    pub allow_cwd: bool,
    pub workdir: Option<OsString>,
    /// `HOST[:PORT]`, as written.
    pub allow_host: Vec<String>,
    /// `PORT`, as written.
    pub listen: Vec<String>,
    pub block_net: bool,
    pub allow_unix_socket: Vec<OsString>,
    /// `NAME` or `NAME=VALUE`; the name is never empty.
    pub env: Vec<OsString>,
    pub degraded: bool,
    /// Names of directories that are not searched for files to verify.
    pub skip_dir: Vec<String>,
    pub trust_override: bool,
}

/// What `--audit` asks to be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    All,
    Changes,
    Decisions,
}

/// `nono run`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub sandbox: Sandbox,
    pub audit: Option<Recorded>,
    pub silent: bool,
    pub verbose: bool,
    /// Where the account of the run goes.
    pub json: Option<OsString>,
    /// The program and its arguments; the program is there and is not the empty word.
    pub command: Vec<OsString>,
}

/// `nono shell`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shell {
    pub sandbox: Sandbox,
    pub audit: Option<Recorded>,
    pub silent: bool,
    pub verbose: bool,
    /// Where the account of the run goes.
    pub json: Option<OsString>,
}

/// `nono wrap`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrap {
    pub sandbox: Sandbox,
    pub silent: bool,
    pub verbose: bool,
    /// The program and its arguments; the program is there and is not the empty word.
    pub command: Vec<OsString>,
}

/// What `nono why` asks about its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    Connect,
    Exec,
    Listen,
    Read,
    Unix,
    Write,
}

/// `nono why`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    pub sandbox: Sandbox,
    pub json: bool,
    pub question: Question,
    /// A path, `HOST[:PORT]` or a port, as the question needs; never empty.
    pub target: OsString,
}

/// `nono profiles`. Lists of files are never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Profiles {
    Diff { left: OsString, right: OsString, json: bool },
    Init { name: String, force: bool, extends: Option<String> },
    List { json: bool },
    Show { name: OsString, json: bool },
    Test { files: Vec<OsString>, json: bool },
    Validate { files: Vec<OsString>, strict: bool, json: bool },
}

/// `nono trust`. Names of keys are as they were given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    ExportKey { id: Option<String>, pem: bool },
    Init { include: Vec<String>, key: Option<String>, user: bool, force: bool },
    Keygen { id: Option<String>, no_passphrase: bool },
    List { json: bool },
    Sign(Sign),
    Verify(Verify),
    SignPolicy { key: Option<String>, user: bool },
}

/// `nono audit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audit {
    Export(Export),
    List { since: Option<String>, json: bool },
    Prove(Prove),
    Show(ShowLog),
    Verify(VerifyLogs),
    VerifyProof(VerifyProof),
    Witness { policy: Option<OsString>, log: Option<OsString> },
}

/// `nono audit export`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// A session's id or the beginning of it, or a directory when it has a `/`.
    pub session: OsString,
    pub format: Option<ExportFormat>,
    pub follow: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    Cef,
    Ecs,
    Json,
    Ocsf,
}

/// `nono audit prove`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prove {
    pub session: OsString,
    /// The index of the record.
    pub event: u64,
    pub output: OsString,
}

/// `nono audit show`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShowLog {
    pub session: OsString,
    pub denied: bool,
    /// An operation, or the part of its name before a dot.
    pub operation: Option<String>,
    pub path: Option<OsString>,
    pub json: bool,
    /// Go on until the session ends.
    pub follow: bool,
    pub no_pager: bool,
}

/// `nono audit verify`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyLogs {
    /// Every session when `None`.
    pub session: Option<OsString>,
    pub policy: Option<OsString>,
    pub json: bool,
}

/// `nono audit verify-proof`. Not both of `key` and `policy` are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyProof {
    pub proof: OsString,
    /// As written.
    pub key: Option<String>,
    pub policy: Option<OsString>,
    /// The proof that the record's session is in the host's log.
    pub session: Option<OsString>,
    pub leaf: Leaf,
    pub json: bool,
}

/// Where `nono audit verify-proof` finds the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaf {
    File(OsString),
    /// As written.
    Hash(String),
    InProof,
}

/// `nono trust sign`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign {
    pub files: Vec<OsString>,
    /// Every file that matches the policy, in place of `files`.
    pub all: bool,
    /// One bundle for all of them.
    pub multi_subject: bool,
    pub key: Option<String>,
    pub keyless: bool,
}

/// `nono trust verify`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verify {
    pub files: Vec<OsString>,
    /// Every file that matches the policy, in place of `files`.
    pub all: bool,
    /// The policy that holds in place of all others.
    pub policy: Option<OsString>,
    pub json: bool,
}

/// `nono doctor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doctor {
    pub json: bool,
}

/// What `nono --generate` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generate {
    Bash,
    Fish,
    Man,
    Zsh,
}

/// A help text: plain lines of at most 80 columns, with a line end after the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelpText(String);

/// Reads the words that follow the program's own name.
///
/// # Errors
/// [`UsageError`] for a word that is unknown, missing, repeated or one too many; nothing was done then.
pub fn parse(args: impl Iterator<Item = OsString>) -> Result<Command, UsageError> {
    parse::command(args.collect())
}

impl PathFlag {
    /// The flag as it is written on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "--allow",
            Self::Deny => "--deny",
            Self::Read => "--read",
            Self::Write => "--write",
        }
    }
}

impl Generate {
    /// The man page or the completion script, whole.
    pub fn text(self) -> String {
        match self {
            Self::Bash => completions::bash::script(),
            Self::Fish => completions::fish::script(),
            Self::Man => man::page(),
            Self::Zsh => completions::zsh::script(),
        }
    }
}

impl fmt::Display for HelpText {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
