//! What a program may ask for, and the answers.

use std::fmt;

use crate::profile::abs_path::AbsPath;
use crate::profile::host::Target;
use crate::profile::{Given, host::HostRule, host::Listen};

use super::{Denial, Grant, OwnPlace, SocketGrant};

/// One thing a program does to one object. Paths are real paths: symbolic links were followed before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    Connect { target: Target, port: u16, udp: bool },
    Execute(AbsPath),
    Listen(Listen),
    Read(AbsPath),
    UnixConnect(AbsPath),
    Write(AbsPath),
}

impl Operation {
    /// The path it is about, where it is about one.
    pub fn path(&self) -> Option<&AbsPath> {
        match self {
            Self::Execute(path) | Self::Read(path) | Self::UnixConnect(path) | Self::Write(path) => Some(path),
            Self::Connect { .. } | Self::Listen(_) => None,
        }
    }
}

/// The answer to an [`Operation`], with the reason that decided it.
#[must_use]
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict<'p> {
    Allow(Reason<'p>),
    /// No rule decides, and the policy names somebody who may.
    Ask(Reason<'p>),
    Deny(Reason<'p>),
}

/// What decided.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason<'p> {
    /// The webhook that answers questions about this very program.
    Approver(&'p Given<String>),
    /// A `deny` of the policy.
    Denial(&'p Denial),
    Grant(&'p Grant),
    Host(&'p Given<HostRule>),
    Listen(&'p Given<Listen>),
    /// An address of a metadata service: only its literal address opens it.
    Metadata,
    /// The policy has no key `network`.
    NoNetwork,
    /// No rule covers it.
    NoRule,
    /// A rule covers it, for other access than this.
    OtherAccess(&'p Grant),
    /// nono's own files.
    Own(&'p OwnPlace),
    /// `deny_private` holds and the address is private; the words name its kind.
    Private(&'static str),
    /// A rule names the socket, but another is there than when the run began, where the program may write.
    Replaced(&'p SocketGrant),
    UnixSocket(&'p SocketGrant),
}

impl fmt::Display for Operation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect { target, port, udp } => {
                write!(out, "connect {target}:{port}{}", if *udp { "/udp" } else { "" })
            }
            Self::Execute(path) => write!(out, "execute {path}"),
            Self::Listen(listen) => write!(out, "listen {listen}"),
            Self::Read(path) => write!(out, "read {path}"),
            Self::UnixConnect(path) => write!(out, "connect to the socket {path}"),
            Self::Write(path) => write!(out, "write {path}"),
        }
    }
}
