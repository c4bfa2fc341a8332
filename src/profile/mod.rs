//! Profiles: policies as JSON. Text in, a resolved [`Profile`] or every [`read::problem::Problem`] out.
//!
//! Nothing here reads a file: the caller brings a [`resolve::Library`] that finds texts by name and the [`variables::Variables`] that paths
//! may mention. What comes out is flat: `extends` and `groups` are followed, variables are replaced, and each value
//! knows the place that gave it.

pub mod abs_path;
pub mod builtin;
pub mod escape;
pub mod fold;
pub mod glob;
pub mod host;
pub mod read;
pub mod repeated;
pub mod resolve;
pub mod url;
pub mod variables;

use std::fmt;
use std::sync::Arc;

use self::abs_path::AbsPath;
use self::glob::Glob;
use self::host::{HostRule, Listen};
use self::read::problem::ProblemKind;
use self::url::Url;

/// Where a value of a policy was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// A file's path, `built-in group git`, or the flag that gave it (`--allow`).
    pub place: Arc<str>,
    /// Line and column, counted from one; zero where there is no text, as for a flag.
    pub line: u32,
    pub column: u32,
    pub json_path: JsonPath,
}

/// The way to a value in a JSON text, such as `sandbox.allow[2]`; empty for a flag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonPath {
    /// Keys from the root. All items of a list share them.
    pub keys: Arc<str>,
    /// Of an item of a list.
    pub index: Option<usize>,
}

/// A value together with the place that gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given<T> {
    pub value: T,
    pub from: Provenance,
}

/// What a file rule says about its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileRuleKind {
    /// Read, write and execute.
    Allow,
    /// Nothing, whatever any other rule says.
    Deny,
    /// Read and execute.
    Read,
    /// Create, modify and remove, without reading.
    Write,
}

/// The files a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FilePattern {
    /// One file, or a directory and everything beneath it.
    Path(AbsPath),
    /// Every file whose path matches (only in `deny`), apart from those that match an exception.
    Glob { glob: Glob, except: Vec<Glob> },
}

/// One entry of `allow`, `read`, `write` or `deny`, of a profile, a group or a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRule {
    pub kind: FileRuleKind,
    pub pattern: FilePattern,
    /// The entry as it was written, before variables were replaced.
    pub written: Arc<str>,
    pub from: Provenance,
    /// The group that gave it: a path of a group that is missing on this host is no news.
    pub group: Option<Arc<str>>,
}

/// A capability of `capabilities(7)` that root may leave to the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capability {
    Chown,
    DacOverride,
    Fowner,
    Fsetid,
    Kill,
    NetBindService,
    Setgid,
    Setuid,
}

/// Who may be asked for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Approver {
    /// Nobody: the answer is no.
    Deny,
    Terminal,
    Webhook,
}

/// How questions to a webhook, and its answers, are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WebhookFormat {
    #[default]
    Nono,
    /// As the data API of an Open Policy Agent reads and writes them.
    Opa,
}

/// What happens when nobody answers in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnTimeout {
    Allow,
    Deny,
}

/// How much the log keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditLevel {
    All,
    Changes,
    Decisions,
}

/// The key `network`; without it there is no network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    pub allow: Vec<Given<HostRule>>,
    /// Whether private, loopback and link-local addresses stay refused; not given means they do.
    pub deny_private: Option<Given<bool>>,
    pub listen: Vec<Given<Listen>>,
}

/// The key `supervisor`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Supervisor {
    pub enabled: Option<Given<bool>>,
    pub approval: Vec<Given<Approver>>,
    pub webhook: Option<Given<String>>,
    pub webhook_secret: Option<Given<AbsPath>>,
    pub format: Option<Given<WebhookFormat>>,
    pub ca_file: Option<Given<AbsPath>>,
    /// Milliseconds.
    pub timeout_ms: Option<Given<u64>>,
    /// Questions that may be asked within a second.
    pub questions_per_second: Option<Given<u64>>,
    pub default_on_timeout: Option<Given<OnTimeout>>,
}

/// The key `environment`: which variables the program is started with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Names, or prefixes that end in `*`. `None` when no file had the key: then the documented list holds.
    pub pass: Option<Vec<Given<String>>>,
    /// Names and prefixes that groups add to whichever list holds.
    pub group_pass: Vec<Given<String>>,
    /// Patterns with `*` that a wildcard of `pass` never covers (credential-looking names); an exact name still does.
    pub deny: Vec<Given<String>>,
    /// Variables that are set to a value.
    pub set: Vec<Given<(String, String)>>,
}

/// The key `limits`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes.
    pub memory: Option<Given<u64>>,
    pub processes: Option<Given<u64>>,
    pub open_files: Option<Given<u64>>,
    pub cpu_seconds: Option<Given<u64>>,
}

/// The key `trust`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    pub signers: Vec<Given<String>>,
    pub require_signed_instructions: Option<Given<bool>>,
    pub protect: Option<Given<bool>>,
}

/// A policy with everything it builds on followed and every variable replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    pub name: String,
    pub version: Option<String>,
    pub description: Option<String>,
    /// The profiles it extends and the groups it includes, in the order they were followed, each once.
    pub extends: Vec<Arc<str>>,
    pub groups: Vec<Arc<str>>,
    pub files: Vec<FileRule>,
    pub unix_sockets: Vec<Given<AbsPath>>,
    pub capabilities: Vec<Given<Capability>>,
    /// Set by a group: the program gets a temporary directory of its own.
    pub private_temp: Option<Provenance>,
    pub network: Option<Network>,
    pub supervisor: Supervisor,
    pub audit_level: Option<Given<AuditLevel>>,
    pub undo: Option<Given<bool>>,
    pub environment: Environment,
    pub limits: Limits,
    pub trust: Trust,
    pub skipdirs: Vec<Given<String>>,
}

impl Profile {
    /// The webhook, where whoever listens at `listen` may be asked in its place, and the problem with that.
    pub fn webhook_reached_by(&self, listen: &Listen) -> Option<(&Given<String>, ProblemKind)> {
        let webhook = self.supervisor.webhook.as_ref()?;
        let url = Url::parse(&webhook.value).ok().filter(|url| url.is_reached_by(listen))?;
        let place = format!("{url} ({})", webhook.from);
        Some((webhook, ProblemKind::WebhookReplaced { listen: listen.to_string(), webhook: place }))
    }
}

impl Capability {
    /// Every one, in the order of [`Self::NAMES`].
    pub const ALL: [Self; 8] = [
        Self::Chown,
        Self::DacOverride,
        Self::Fowner,
        Self::Fsetid,
        Self::Kill,
        Self::NetBindService,
        Self::Setgid,
        Self::Setuid,
    ];

    /// As a policy writes them: `CAP_CHOWN` of `capabilities(7)` is `chown`.
    pub const NAMES: [&'static str; 8] =
        ["chown", "dac_override", "fowner", "fsetid", "kill", "net_bind_service", "setgid", "setuid"];
}

impl FilePattern {
    /// Whether the rule is about `path`: it, or a directory above it, is named and not excepted.
    #[inline]
    pub fn covers(&self, path: &AbsPath) -> bool {
        match self {
            Self::Path(named) => path.is_within(named),
            Self::Glob { glob, except } => glob.matches(path) && !except.iter().any(|except| except.matches(path)),
        }
    }

    /// Whether the rule would be about all that it is about beneath the directory `from` if that became `to`. No where it
    /// cannot be told.
    pub fn keeps(&self, from: &AbsPath, to: &AbsPath) -> bool {
        match self {
            Self::Path(named) => !named.is_within(from),
            Self::Glob { glob, except } => glob.keeps(from, to) && except.iter().all(|except| except.keeps(to, from)),
        }
    }

    /// Whether the rule may be about something beneath the directory `path` because of where that is.
    pub fn is_about_place(&self, path: &AbsPath) -> bool {
        match self {
            Self::Path(named) => named != path && named.is_within(path),
            Self::Glob { glob, .. } => glob.is_about_place(path),
        }
    }
}

/// As text: an escaped path, or the pattern.
impl fmt::Display for FilePattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(out, "{path}"),
            Self::Glob { glob, .. } => write!(out, "{glob}"),
        }
    }
}

impl Provenance {
    /// A value that a flag of the command line gave.
    pub fn flag(name: &str) -> Self {
        Self { place: Arc::from(name), line: 0, column: 0, json_path: JsonPath::default() }
    }
}

impl JsonPath {
    /// Whether there is no text that the value stands in, or the value is the whole text.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.index.is_none()
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.keys)?;
        self.index.map_or(Ok(()), |index| write!(out, "[{index}]"))
    }
}

impl fmt::Display for Provenance {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(out, "{}", self.place),
            line => write!(out, "{}:{line}:{}", self.place, self.column),
        }
    }
}

/// The key of the profile that the rule stands under.
impl fmt::Display for FileRuleKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Read => "read",
            Self::Write => "write",
        })
    }
}

/// The name it has in a profile.
impl fmt::Display for Capability {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Chown => "chown",
            Self::DacOverride => "dac_override",
            Self::Fowner => "fowner",
            Self::Fsetid => "fsetid",
            Self::Kill => "kill",
            Self::NetBindService => "net_bind_service",
            Self::Setgid => "setgid",
            Self::Setuid => "setuid",
        })
    }
}
