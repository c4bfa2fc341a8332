//! Plans: a profile, the flags and the facts of the host become grants, and `decide` answers for every operation.
//!
//! Pure: the world is seen through [`Host`] alone. The same function answers `nono why`, policy tests and whatever mediates
//! a running program, so what is explained is what is enforced.

pub mod build;
pub mod decide;
pub mod denials;
pub mod environment;
pub mod expect;
pub mod explain;
pub mod network;
pub mod operation;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::profile::abs_path::AbsPath;
use crate::profile::{Capability, FilePattern, FileRuleKind, Given, Profile, Provenance};

pub use self::build::build;
pub use self::decide::{Near, decide, decide_near};
pub use self::denials::Denials;
pub use self::denials::spelled::Spellings;
pub use self::operation::{Operation, Reason, Verdict};

/// What may be done beneath a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Access {
    pub read: bool,
    pub write: bool,
    pub execute: bool,
}

/// What kind of object a path named when it was looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathKind {
    /// A terminal, `/dev/null` and their like.
    CharacterDevice,
    Directory,
    /// A regular file.
    File,
    /// A block device, FIFO or anything else.
    Other,
    Socket,
}

/// An object that the host keeps open, so that the rule is made on what was looked up and not on what its name means later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle(pub u32);

/// What looking a path up found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Present {
        real: AbsPath,
        kind: PathKind,
        handle: Handle,
    },
    /// Nothing there. `real` is where it would appear, with the symbolic links above it followed.
    Missing {
        real: AbsPath,
    },
    /// Something in the way: the system's own words.
    Unreachable {
        real: AbsPath,
        why: String,
    },
}

/// The host as a plan sees it.
pub trait Host {
    /// Looks `path` up, following symbolic links, and keeps what it found open.
    fn look_up(&mut self, path: &AbsPath) -> Found;

    /// Where `path` is, or would be, with symbolic links followed. Nothing is kept open.
    fn real(&mut self, path: &AbsPath) -> AbsPath {
        match self.look_up(path) {
            Found::Present { real, .. } | Found::Missing { real } | Found::Unreachable { real, .. } => real,
        }
    }
}

/// Facts about whoever runs nono, read before anything else.
#[derive(Clone, Debug)]
pub struct Facts {
    pub workdir: AbsPath,
    /// Effective user id 0.
    pub root: bool,
    /// The environment nono itself was started with, as bytes.
    pub environment: Vec<(Vec<u8>, Vec<u8>)>,
    /// nono's state and configuration directories.
    pub own_directories: Vec<AbsPath>,
    /// nono's executable.
    pub own_binary: Option<AbsPath>,
    /// Files that the running policy was read from.
    pub own_policies: Vec<AbsPath>,
}

/// A path the program may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub access: Access,
    /// As the policy names it, and where that really is.
    pub path: AbsPath,
    pub real: AbsPath,
    pub kind: PathKind,
    pub handle: Handle,
    pub rule: FileRuleKind,
    /// The entry as it was written.
    pub written: Arc<str>,
    pub from: Provenance,
    pub group: Option<Arc<str>>,
}

/// A path or pattern the program may not use, whatever else is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    pub pattern: FilePattern,
    /// For a path: where it really is, when that differs.
    pub real: Option<AbsPath>,
    pub written: Arc<str>,
    pub from: Provenance,
    pub group: Option<Arc<str>>,
}

/// A Unix socket the program may connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketGrant {
    /// As the policy names it, and where that really is.
    pub path: AbsPath,
    pub real: AbsPath,
    pub handle: Handle,
    pub from: Provenance,
}

/// A place of nono's own, which no policy opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnPlace {
    pub path: AbsPath,
    pub kind: OwnKind,
}

/// What an [`OwnPlace`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnKind {
    /// The executable: it may be read and run, and never changed.
    Binary,
    /// State, policies and keys: closed altogether.
    Directory,
    /// The policy itself, wherever it lies: it may be read, and the next run must find it as it was reviewed.
    Policy,
    /// The kernel's own settings, `/proc` and `/sys`: what root's user id may write there rules the whole host.
    Kernel,
}

/// Something worth a line to the user that stops nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub text: String,
    pub from: Provenance,
}

/// What the kernel is to enforce, and what every question about it is answered from.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The profile that was resolved, flags merged in.
    pub profile: Profile,
    pub workdir: AbsPath,
    pub root: bool,
    pub grants: Vec<Grant>,
    pub denials: Denials,
    pub unix_sockets: Vec<SocketGrant>,
    pub own: Vec<OwnPlace>,
    /// Paths of groups that this host does not have.
    pub missing: Vec<(AbsPath, Provenance)>,
    /// The program's whole environment.
    pub environment: BTreeMap<Vec<u8>, Vec<u8>>,
    pub warnings: Vec<Warning>,
}

impl Access {
    pub const NONE: Self = Self { read: false, write: false, execute: false };

    /// What a rule of `kind` grants.
    pub fn of(kind: FileRuleKind) -> Self {
        match kind {
            FileRuleKind::Allow => Self { read: true, write: true, execute: true },
            FileRuleKind::Deny => Self::NONE,
            FileRuleKind::Read => Self { read: true, write: false, execute: true },
            FileRuleKind::Write => Self { read: false, write: true, execute: false },
        }
    }

    /// Whether everything that `other` allows is allowed here.
    pub fn includes(self, other: Self) -> bool {
        (self.read || !other.read) && (self.write || !other.write) && (self.execute || !other.execute)
    }
}

impl Plan {
    /// The capabilities that stay with root.
    pub fn capabilities(&self) -> impl Iterator<Item = Capability> + '_ {
        self.profile.capabilities.iter().map(|given: &Given<Capability>| given.value)
    }

    /// Whether somebody beside the program answers its calls: the default, which `supervisor.enabled: false` turns off.
    pub fn is_supervised(&self) -> bool {
        self.profile.supervisor.enabled.as_ref().is_none_or(|given| given.value)
    }

    /// Whether the program may change anything on disk.
    pub fn has_writable_files(&self) -> bool {
        self.grants.iter().any(|grant| grant.access.write && grant.kind != PathKind::CharacterDevice)
    }
}
