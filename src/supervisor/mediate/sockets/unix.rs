//! Unix sockets, by the paths of `unix(7)`.

mod binding;
mod bound;

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use syscalls::Errno;
use syscalls::file::{self, FileType};
use syscalls::socket;

use self::binding::Binding;
pub(in crate::supervisor::mediate) use self::bound::Bound;
use super::{UnixAddress, unix_address};
use crate::approval::{AskedOperation, Change};
use crate::plan::explain::explain;
use crate::plan::{Operation, Plan, Reason, Verdict, decide};
use crate::profile::abs_path::AbsPath;
use crate::profile::escape::escaped;
use crate::supervisor::mediate::caller::Caller;
use crate::supervisor::mediate::change::check_new;
use crate::supervisor::mediate::open::own_name;
use crate::supervisor::mediate::resolve::{Held, KEPT, Last, Object, RealPath};
use crate::supervisor::mediate::{Decided, Kind, Mediator, Outcome};

/// `AT_FDCWD` of `openat(2)`.
const CURRENT: i32 = -100;

/// Characters of an abstract name that are shown: all that one has.
const LONGEST_SHOWN: usize = 108;

/// The sockets that the policy names, as they are now, by device and number.
pub(in crate::supervisor::mediate) fn named(plan: &Plan) -> Vec<(u64, u64)> {
    let identity = |path: &AbsPath| {
        let path = CString::new(path.as_bytes()).ok()?;
        let found = syscalls::at::open(None, &path, &KEPT).ok()?;
        file::status(found.as_fd()).ok().map(|status| status.identity)
    };
    plan.unix_sockets.iter().filter_map(|socket| identity(&socket.real)).collect()
}

impl Mediator {
    pub(super) fn connect_unix(&self, caller: Caller, socket: OwnedFd, bytes: &[u8]) -> Result<Outcome, Errno> {
        let path = match unix_address(bytes) {
            UnixAddress::Path(path) => path,
            // The scope of abstract names holds for the program and not for this process, which is outside.
            UnixAddress::Abstract => return Err(self.refuse_abstract(caller, bytes)),
            // One of family AF_UNSPEC ends a connection; any other is refused.
            UnixAddress::Nameless => {
                self.check_still_waits(caller)?;
                return socket::connect(socket.as_fd(), bytes).map(|()| Outcome::Return(0));
            }
        };
        let (object, decided) = self.peer(caller, &path)?;
        let act = move || socket::connect_path(socket.as_fd(), own_name(&object.file).to_bytes());
        match decided {
            // A full backlog makes connect(2) wait.
            Decided::Act => Ok(Outcome::Slow(Box::new(move || match act() {
                Ok(()) => Outcome::Return(0),
                Err(errno) => Outcome::Fail(errno),
            }))),
            other @ (Decided::Ask(_) | Decided::KernelDoes | Decided::Refuse(_)) => self.carry_out(caller, other, act),
        }
    }

    /// Tells of a socket by an abstract name, which begins with a NUL that is shown as `@`. Answers with `EPERM`.
    pub(super) fn refuse_abstract(&self, caller: Caller, bytes: &[u8]) -> Errno {
        let name = [b"@", bytes.get(3..).unwrap_or_default()].concat();
        let shown = escaped(&name, LONGEST_SHOWN);
        let why = "names of Unix sockets in the abstract namespace are refused";
        self.refuse(caller, format!("connect to the socket {shown}"), &name, why);
        Errno::NOT_PERMITTED
    }

    /// The socket that `path` leads to, and whether the program may talk to it.
    ///
    /// # Errors
    /// `ECONNREFUSED` for what is no socket, and those of looking the path up.
    pub(super) fn peer(&self, caller: Caller, path: &CStr) -> Result<(Object, Decided), Errno> {
        self.recorder.looked_at(caller.id, path, None);
        let object = self.resolver.object(caller, CURRENT, path, Last::Follow, 0)?;
        if object.status.kind != FileType::Socket {
            return Err(Errno::CONNECTION_REFUSED);
        }
        let RealPath::Path(real) = &object.real else { return Err(Errno::ACCESS) };
        let decided = if self.bound.has(object.status.identity) {
            self.check_still_waits(caller)?;
            let operation = Operation::UnixConnect(real.clone());
            self.recorder.served(caller.id, &operation, "a socket that the program bound itself");
            Decided::Act
        } else {
            self.decide_on_peer(caller, real, path, &object)
        };
        Ok((object, decided))
    }

    /// A rule is about the socket that was there when the run began, or that somebody has made since where the program cannot.
    fn decide_on_peer(&self, caller: Caller, real: &AbsPath, path: &CStr, object: &Object) -> Decided {
        let operations = [Operation::UnixConnect(real.clone())];
        let is_first = || self.sockets.contains(&object.status.identity);
        let named = self.plan.unix_sockets.iter().find(|socket| socket.real == *real && !is_first());
        let is_writable = || matches!(decide(&self.plan, &Operation::Write(real.clone())), Verdict::Allow(_));
        let Some(socket) = named.filter(|_| is_writable()) else {
            let wish = |_: &AbsPath, _| AskedOperation::ConnectUnix;
            return self.decide(caller, &operations, (path, &wish), &[Held::Object(object)], Kind::Socket);
        };
        let [operation] = &operations;
        let verdict = Verdict::Deny(Reason::Replaced(socket));
        self.recorder.decided(caller.id, &operations, &verdict, false);
        self.account.denied(|| explain(&self.plan, operation, &verdict));
        Decided::Refuse(Errno::ACCESS)
    }

    pub(super) fn bind_unix(&self, caller: Caller, socket: OwnedFd, bytes: &[u8]) -> Result<Outcome, Errno> {
        match unix_address(bytes) {
            UnixAddress::Path(path) => self.bind_path(caller, socket, bytes, &path),
            // Without a name the kernel takes an abstract one.
            UnixAddress::Abstract | UnixAddress::Nameless => {
                self.check_still_waits(caller)?;
                socket::bind(socket.as_fd(), bytes).map(|()| Outcome::Return(0))
            }
        }
    }

    fn bind_path(&self, caller: Caller, socket: OwnedFd, bytes: &[u8], path: &CStr) -> Result<Outcome, Errno> {
        self.recorder.looked_at(caller.id, path, None);
        let entry = self.resolver.entry(caller, CURRENT, path, 0)?;
        let base = if path.to_bytes().starts_with(b"/") { None } else { Some(caller.directory(CURRENT)?) };
        let operations = [Operation::Write(entry.real.clone())];
        self.check_order(&operations, &[Held::Entry(&entry)], || {
            check_new(&entry).map_err(|errno| if errno == Errno::EXISTS { Errno::ADDRESS_IN_USE } else { errno })
        })?;
        let wish = |_: &AbsPath, _| AskedOperation::Change(Change::Socket);
        let decided = self.decide(caller, &operations, (path, &wish), &[Held::Entry(&entry)], Kind::Socket);
        let binding =
            Binding { socket, address: bytes.to_vec(), path: path.to_owned(), base, entry, mask: caller.umask()? };
        let bound = Arc::clone(&self.bound);
        self.carry_out_change(caller, decided, move || bound.add(binding.carry_out()?))
    }
}
