//! Trust policies: which files must be signed, by whom, and what happens when they are not.

mod baseline;
mod duty;
mod include;
mod read;
mod rules;
mod write;

use std::fmt;

pub use self::baseline::baseline;
pub use self::duty::{Duty, sidecar, signed_by};
pub use self::include::Include;
pub use self::read::{LARGEST, MOST_BLOCKED, MOST_INCLUDES, MOST_PUBLISHERS, read};
pub use self::rules::{Level, Origin, Rules};

use super::digest::Digest;
use super::public_key::PublicKey;

/// The name of a policy's file, in the root of a project and in the user's configuration directory.
pub const FILE_NAME: &str = "trust-policy.json";

/// The bundle for many files, in the root of a project.
pub const PROJECT_BUNDLE: &str = ".nono-trust.bundle";

/// One policy, as its file says.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub includes: Vec<Include>,
    pub publishers: Vec<Publisher>,
    pub blocklist: Blocklist,
    pub enforcement: Enforcement,
    /// Whether the name in a bundle must be the whole path from the root of the project.
    pub strict_paths: bool,
    /// Whether a project's policy that is older than one that was used before is refused. Otherwise it is said.
    pub refuse_older_policies: bool,
    /// Whether the program may not change what must be signed, even with a rule that lets it write there. Nothing said
    /// means yes, and leaves it to the other levels.
    pub protect: Option<bool>,
}

/// What happens when a file is not verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Enforcement {
    /// It is recorded.
    Audit,
    /// It is said.
    Warn,
    /// The file does not reach the program.
    Deny,
}

/// Somebody whose signatures count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publisher {
    /// For people: matched against nothing.
    pub name: String,
    pub identity: Identity,
}

/// What makes a signature one of a publisher's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    Keyed {
        /// What the signer calls the key.
        key_id: String,
        key: PublicKey,
    },
    /// Claims of a certificate. `repository`, `workflow` and `ref_pattern` may hold `*`; one that is left out is any.
    Keyless { issuer: String, repository: Option<String>, workflow: Option<String>, ref_pattern: Option<String> },
}

/// Files and signers that are refused whatever else is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocklist {
    pub digests: Vec<BlockedDigest>,
    pub publishers: Vec<BlockedPublisher>,
}

/// The content of a file that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedDigest {
    pub sha256: Digest,
    pub description: Option<String>,
    /// A date, as it was written.
    pub added: Option<String>,
}

/// A signer that is refused: one that fits everything that is said here, and something is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockedPublisher {
    /// The name that a policy gives to a publisher.
    pub name: Option<String>,
    pub key_id: Option<String>,
    pub public_key: Option<PublicKey>,
    pub issuer: Option<String>,
    pub repository: Option<String>,
    pub workflow: Option<String>,
    pub ref_pattern: Option<String>,
    pub description: Option<String>,
    pub added: Option<String>,
}

impl Policy {
    /// A policy that trusts `publishers`, protects `includes`, and lets nothing else through.
    pub fn new(includes: Vec<Include>, publishers: Vec<Publisher>) -> Self {
        Self {
            includes,
            publishers,
            blocklist: Blocklist::default(),
            enforcement: Enforcement::Deny,
            strict_paths: false,
            refuse_older_policies: false,
            protect: None,
        }
    }
}

impl Publisher {
    /// A publisher with a key.
    pub fn keyed(name: &str, key_id: &str, key: PublicKey) -> Self {
        Self { name: name.to_owned(), identity: Identity::Keyed { key_id: key_id.to_owned(), key } }
    }
}

impl Enforcement {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Deny => "deny",
            Self::Warn => "warn",
        }
    }
}

/// The name, and how it signs.
impl fmt::Display for Publisher {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::profile::escape::write_escaped(out, self.name.as_bytes())?;
        out.write_str(match &self.identity {
            Identity::Keyed { .. } => " (keyed)",
            Identity::Keyless { .. } => " (keyless)",
        })
    }
}
