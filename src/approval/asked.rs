//! What is asked about, in words: of an object's content, of its entry in a directory, and of what it has beside both.

use std::collections::BTreeSet;
use std::fmt;

use crate::plan::Access;
use crate::profile::abs_path::AbsPath;
use crate::profile::escape::escaped;

/// Characters of a name or path in the words for a change.
const LONGEST_NAME: usize = 300;
/// `S_IFMT` and the kinds of `mknod(2)` (`inode(7)`).
const KIND: u32 = 0o170_000;
const FIFO: u32 = 0o010_000;
const CHARACTER_DEVICE: u32 = 0o020_000;
const BLOCK_DEVICE: u32 = 0o060_000;
const SOCKET: u32 = 0o140_000;
/// An owner or group that stays what it is (`chown(2)`).
const SAME: u32 = u32::MAX;

/// What is about to happen to the object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AskedOperation {
    Change(Change),
    /// `connect(2)` or a datagram to a host of the network.
    Connect,
    /// `connect(2)` or a message to a Unix socket.
    ConnectUnix,
    /// With the access that `open(2)` asks for.
    Open(Access),
}

/// A change, as its call has it. Of two paths each has a question, which names the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// An extended attribute is set.
    Attribute {
        name: Vec<u8>,
    },
    AttributeRemoved {
        name: Vec<u8>,
    },
    /// A directory is made.
    Directory,
    /// It and this other one change places.
    Exchange(AbsPath),
    /// A file is made by `open(2)`, which asks for this access to it.
    File(Access),
    /// In bytes.
    Length(i64),
    /// It is to be another name of what is there.
    LinkFrom(AbsPath),
    /// What it names gets this name as well.
    LinkTo(AbsPath),
    Mode(u32),
    /// `mknod(2)` with this mode.
    Node(u32),
    /// `u32::MAX` is no change.
    Owner {
        user: u32,
        group: u32,
    },
    Remove,
    /// It is to be the name of what is there.
    RenameFrom(AbsPath),
    RenameTo(AbsPath),
    /// A Unix socket gets its path (`bind(2)`).
    Socket,
    Symlink {
        target: Vec<u8>,
    },
    Times,
}

/// A kind of operation that questions tell apart: a yes is to the kinds that it was asked for, and to no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    Attribute,
    Connect,
    Create,
    Directory,
    Link,
    Mode,
    Node,
    Owner,
    Read,
    Remove,
    Rename,
    Socket,
    Symlink,
    Times,
    Write,
}

impl AskedOperation {
    /// The kinds of operation that it is; at least one.
    pub fn acts(&self) -> BTreeSet<Act> {
        match self {
            Self::Change(change) => change.acts(),
            Self::Connect | Self::ConnectUnix => BTreeSet::from([Act::Connect]),
            Self::Open(access) if access.write && !access.read => BTreeSet::from([Act::Write]),
            Self::Open(access) if access.write => BTreeSet::from([Act::Read, Act::Write]),
            Self::Open(_) => BTreeSet::from([Act::Read]),
        }
    }

    /// Whether it makes something that is not there yet.
    pub fn makes(&self) -> bool {
        use Change::{Directory, File, Node, Socket, Symlink};
        matches!(self, Self::Change(Directory | File(_) | Node(_) | Socket | Symlink { .. }))
    }

    /// What the account calls it, before the object's name.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Change(change) => change.verb(),
            Self::Connect => "connect",
            Self::ConnectUnix => "connect to the socket",
            Self::Open(access) if access.write && !access.read => "write",
            Self::Open(access) if access.write => "read and write",
            Self::Open(_) => "read",
        }
    }
}

impl Change {
    /// The access that allows it without a question.
    pub fn access(&self) -> Access {
        let read = matches!(self, Self::File(Access { read: true, .. }));
        Access { read, write: true, execute: false }
    }

    /// Whether an entry of a directory changes, which takes a grant of the directory.
    pub fn is_of_entry(&self) -> bool {
        match self {
            Self::Attribute { .. }
            | Self::AttributeRemoved { .. }
            | Self::Length(_)
            | Self::Mode(_)
            | Self::Owner { .. }
            | Self::Times => false,
            Self::Directory
            | Self::Exchange(_)
            | Self::File(_)
            | Self::LinkFrom(_)
            | Self::LinkTo(_)
            | Self::Node(_)
            | Self::Remove
            | Self::RenameFrom(_)
            | Self::RenameTo(_)
            | Self::Socket
            | Self::Symlink { .. } => true,
        }
    }

    fn acts(&self) -> BTreeSet<Act> {
        let act = match self {
            Self::Attribute { .. } | Self::AttributeRemoved { .. } => Act::Attribute,
            Self::Directory => Act::Directory,
            Self::Exchange(_) | Self::RenameFrom(_) | Self::RenameTo(_) => Act::Rename,
            // What it is opened for is its own, empty as it is. Whatever is there the next time may be another's.
            Self::File(_) => Act::Create,
            Self::Length(_) => Act::Write,
            Self::LinkFrom(_) | Self::LinkTo(_) => Act::Link,
            Self::Mode(_) => Act::Mode,
            Self::Node(_) => Act::Node,
            Self::Owner { .. } => Act::Owner,
            Self::Remove => Act::Remove,
            Self::Socket => Act::Socket,
            Self::Symlink { .. } => Act::Symlink,
            Self::Times => Act::Times,
        };
        BTreeSet::from([act])
    }

    fn verb(&self) -> &'static str {
        match self {
            Self::Attribute { .. } | Self::AttributeRemoved { .. } => "change an attribute of",
            Self::Directory => "make the directory",
            Self::Exchange(_) | Self::RenameFrom(_) | Self::RenameTo(_) => "rename",
            Self::File(_) => "create",
            Self::Length(_) => "change the length of",
            Self::LinkFrom(_) | Self::LinkTo(_) => "link",
            Self::Mode(_) => "change the mode of",
            Self::Node(_) => "make",
            Self::Owner { .. } => "change the owner of",
            Self::Remove => "remove",
            Self::Socket => "make the socket",
            Self::Symlink { .. } => "make the symbolic link",
            Self::Times => "change the times of",
        }
    }
}

/// What is to be done, safe to show: `set its mode to 0600`, `rename it to /b`.
impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |bytes: &[u8]| escaped(bytes, LONGEST_NAME);
        let path = |path: &AbsPath| escaped(path.as_bytes(), LONGEST_NAME);
        match self {
            Self::Attribute { name } => write!(out, "set its attribute {}", shown(name)),
            Self::AttributeRemoved { name } => write!(out, "remove its attribute {}", shown(name)),
            Self::Directory => out.write_str("make a directory"),
            Self::Exchange(other) => write!(out, "exchange it with {}", path(other)),
            Self::File(access) => out.write_str(match (access.read, access.write) {
                (true, true) => "create, read and write",
                (true, false) => "create and read",
                (false, true) => "create and write",
                (false, false) => "create",
            }),
            Self::Length(length) => write!(out, "set its length to {length} bytes"),
            Self::LinkFrom(from) => write!(out, "make a hard link to {}", path(from)),
            Self::LinkTo(to) => write!(out, "give it another name, {}", path(to)),
            Self::Mode(mode) => write!(out, "set its mode to {:04o}", mode & 0o7777),
            Self::Node(mode) => out.write_str(match mode & KIND {
                FIFO => "make a FIFO",
                SOCKET => "make a socket",
                CHARACTER_DEVICE | BLOCK_DEVICE => "make a device",
                _ => "create",
            }),
            Self::Owner { user: SAME, group: SAME } => out.write_str("set its owner to the one it has"),
            Self::Owner { user, group: SAME } => write!(out, "set its owner to {user}"),
            Self::Owner { user: SAME, group } => write!(out, "set its group to {group}"),
            Self::Owner { user, group } => write!(out, "set its owner to {user} and its group to {group}"),
            Self::Remove => out.write_str("remove"),
            Self::RenameFrom(from) => write!(out, "give this name to {}", path(from)),
            Self::RenameTo(to) => write!(out, "rename it to {}", path(to)),
            Self::Socket => out.write_str("make a socket"),
            Self::Symlink { target } => write!(out, "make a symbolic link to {}", shown(target)),
            Self::Times => out.write_str("set its times"),
        }
    }
}

/// Such as `fs.open`, as answers and logs name it.
impl fmt::Display for AskedOperation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Change(_) => "fs.change",
            Self::Connect => "net.connect",
            Self::ConnectUnix => "unix.connect",
            Self::Open(_) => "fs.open",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITE: Access = Access { read: false, write: true, execute: false };

    fn at(path: &[u8]) -> AbsPath {
        AbsPath::new(path).unwrap()
    }

    #[test]
    fn a_change_is_named_with_nothing_that_a_terminal_obeys() {
        for (change, words) in [
            (Change::Mode(0o100_600), "set its mode to 0600"),
            (Change::Owner { user: 0, group: SAME }, "set its owner to 0"),
            (Change::Owner { user: SAME, group: 5 }, "set its group to 5"),
            (Change::Owner { user: 1, group: 5 }, "set its owner to 1 and its group to 5"),
            (Change::Attribute { name: b"user.\n".to_vec() }, "set its attribute user.\\n"),
            (Change::Symlink { target: b"\xff".to_vec() }, "make a symbolic link to \\xff"),
            (Change::Node(FIFO | 0o600), "make a FIFO"),
            (Change::File(WRITE), "create and write"),
            (Change::RenameTo(at(b"/a\x1b[2J")), "rename it to /a\\u{1b}[2J"),
            (Change::LinkFrom(at("/b\u{202e}".as_bytes())), "make a hard link to /b\\u{202e}"),
        ] {
            assert_eq!(change.to_string(), words);
        }
    }

    #[test]
    fn no_two_kinds_of_operation_are_one() {
        let read = Access { read: true, ..Access::NONE };
        let all = [
            AskedOperation::Open(read),
            AskedOperation::Open(WRITE),
            AskedOperation::Change(Change::File(Access { read: true, ..WRITE })),
            AskedOperation::ConnectUnix,
            AskedOperation::Change(Change::Remove),
            AskedOperation::Change(Change::Mode(0)),
            AskedOperation::Change(Change::Owner { user: 0, group: 0 }),
            AskedOperation::Change(Change::Times),
            AskedOperation::Change(Change::Attribute { name: Vec::new() }),
            AskedOperation::Change(Change::Directory),
            AskedOperation::Change(Change::Symlink { target: Vec::new() }),
            AskedOperation::Change(Change::Node(FIFO)),
            AskedOperation::Change(Change::Socket),
            AskedOperation::Change(Change::RenameTo(at(b"/b"))),
            AskedOperation::Change(Change::LinkTo(at(b"/b"))),
        ];
        for (index, one) in all.iter().enumerate() {
            for other in all.iter().skip(index + 1) {
                assert!(one.acts().is_disjoint(&other.acts()), "{one:?} {other:?}");
            }
        }
    }
}
