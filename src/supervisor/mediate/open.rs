//! `open(2)` and its kin on the caller's behalf: looked up once, decided about, and opened through what was looked up.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use syscalls::Errno;
use syscalls::at::{self, OpenHow, resolve as how};
use syscalls::file::FileType;

use super::caller::Caller;
use super::resolve::{Entry, Last, Object, RealPath};
use super::{Decided, Mediator, Outcome};
use crate::plan::{Access, Operation};
use crate::profile::abs_path::AbsPath;

/// The arguments of one open, whichever call made it.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) directory: i32,
    pub(super) path: std::ffi::CString,
    pub(super) flags: u64,
    pub(super) mode: u64,
    /// The caller's own `RESOLVE_*` flags.
    pub(super) resolve: u64,
}

/// How often a name may come and go between looking and making before the caller hears of it.
const MOST_RACES: usize = 8;

impl Open {
    fn has(&self, flag: u64) -> bool {
        self.flags & flag == flag
    }

    /// Only asks for the object, not for its content.
    fn is_path(&self) -> bool {
        self.has(OpenHow::PATH)
    }

    fn last(&self) -> Last {
        // With O_EXCL a link at the end is in the way, wherever it leads (open(2)).
        let keep = self.has(OpenHow::NO_FOLLOW) || self.has(OpenHow::CREATE | OpenHow::EXCLUSIVE);
        if keep { Last::Keep } else { Last::Follow }
    }

    /// What of the object's content is asked for.
    pub(super) fn access(&self) -> Access {
        let mode = self.flags & OpenHow::ACCESS_MODE;
        let write = mode != OpenHow::READ_ONLY || self.has(OpenHow::TRUNCATE);
        Access { read: mode != OpenHow::WRITE_ONLY, write, execute: false }
    }

    fn operations(&self, real: &AbsPath) -> Vec<Operation> {
        let access = self.access();
        let mut all = Vec::with_capacity(2);
        if access.read {
            all.push(Operation::Read(real.clone()));
        }
        if access.write {
            all.push(Operation::Write(real.clone()));
        }
        all
    }
}

impl Mediator {
    /// Answers an open.
    pub(super) fn open(&self, caller: Caller, open: &Open) -> Outcome {
        // A descriptor of O_PATH cannot be handed over, and gives no content: whatever is done with it comes here again.
        // `/dev/tty` is the caller's own terminal, which only the caller can open.
        if open.is_path() {
            return Outcome::GoOn;
        }
        for _ in 0..MOST_RACES {
            match self.try_open(caller, open) {
                Err(Errno::EXISTS) if open.has(OpenHow::CREATE) && !open.has(OpenHow::EXCLUSIVE) => {}
                Err(errno) => return Outcome::Fail(errno),
                Ok(outcome) => return outcome,
            }
        }
        Outcome::Fail(Errno::TRY_AGAIN)
    }

    fn try_open(&self, caller: Caller, open: &Open) -> Result<Outcome, Errno> {
        let found = self.resolver.object(caller, open.directory, &open.path, open.last(), open.resolve);
        match found {
            Ok(object) if open.has(OpenHow::TEMPORARY_FILE) => self.open_temporary(caller, open, object),
            Ok(object) => self.open_object(caller, open, object),
            Err(Errno::NOT_FOUND) if open.has(OpenHow::CREATE) => self.open_new(caller, open),
            Err(errno) => self.unresolved(errno),
        }
    }

    fn open_object(&self, caller: Caller, open: &Open, object: Object) -> Result<Outcome, Errno> {
        if open.has(OpenHow::CREATE | OpenHow::EXCLUSIVE) {
            return Err(Errno::EXISTS);
        }
        if object.status.kind == FileType::Symlink {
            return Err(Errno::LOOP);
        }
        if open.has(OpenHow::CREATE) && object.status.kind == FileType::Directory {
            return Err(Errno::IS_DIRECTORY);
        }
        let RealPath::Path(real) = &object.real else { return Ok(reopen(open, object.file, object.status.kind)) };
        if real.as_bytes() == b"/dev/tty" {
            return Ok(Outcome::GoOn);
        }
        match self.decide(caller, &open.operations(real), &open.path, Some(&object), true) {
            Decided::Act => Ok(reopen(open, object.file, object.status.kind)),
            Decided::Ask(question) => {
                let open = open.clone();
                Ok(self.ask(caller, question, move || reopen(&open, object.file, object.status.kind)))
            }
            Decided::KernelDoes => Ok(Outcome::GoOn),
            Decided::Refuse(errno) => Err(errno),
        }
    }

    /// A file that does not exist yet.
    fn open_new(&self, caller: Caller, open: &Open) -> Result<Outcome, Errno> {
        let entry = match self.new_entry(caller, open) {
            Ok(entry) => entry,
            Err(errno) => return self.unresolved(errno),
        };
        if open.path.to_bytes().ends_with(b"/") || open.has(OpenHow::DIRECTORY) {
            return Err(if open.has(OpenHow::DIRECTORY) { Errno::INVALID } else { Errno::IS_DIRECTORY });
        }
        let mode = open.mode & 0o7777 & !u64::from(caller.umask()?);
        let mut operations = open.operations(&entry.real);
        if !open.access().write {
            operations.push(Operation::Write(entry.real.clone()));
        }
        let flags = (open.flags | OpenHow::CREATE | OpenHow::EXCLUSIVE | OpenHow::NO_FOLLOW | OpenHow::CLOSE_ON_EXEC)
            & !OpenHow::TRUNCATE;
        let make = {
            let close_on_exec = open.has(OpenHow::CLOSE_ON_EXEC);
            let wanted = OpenHow { flags, mode, resolve: how::NO_SYMLINKS };
            move |entry: &Entry| -> Result<Outcome, Errno> {
                let file = at::open(Some(entry.directory.as_fd()), &entry.name, &wanted)?;
                Ok(Outcome::HandOver { file, close_on_exec })
            }
        };
        match self.decide(caller, &operations, &open.path, None, true) {
            Decided::Act => make(&entry),
            Decided::Ask(question) => {
                Ok(self.ask(caller, question, move || make(&entry).unwrap_or_else(Outcome::Fail)))
            }
            Decided::KernelDoes => Ok(Outcome::GoOn),
            Decided::Refuse(errno) => Err(errno),
        }
    }

    /// Where a new file goes: a dangling link at the end leads to where it points (`open(2)`, `O_CREAT`).
    fn new_entry(&self, caller: Caller, open: &Open) -> Result<Entry, Errno> {
        let mut entry = self.resolver.entry(caller, open.directory, &open.path, open.resolve)?;
        for _ in 0..40 {
            let mut buffer = [0; super::caller::PATH_MAX];
            let target = match at::read_link(entry.directory.as_fd(), &entry.name, &mut buffer) {
                Ok(target) if open.last() == Last::Follow => {
                    std::ffi::CString::new(target).map_err(|_| Errno::INVALID)?
                }
                Ok(_) | Err(_) => return Ok(entry),
            };
            entry = self.resolver.entry_from(caller, &entry.directory, &target)?;
        }
        Err(Errno::LOOP)
    }

    /// `O_TMPFILE`: a file without a name in a directory.
    fn open_temporary(&self, caller: Caller, open: &Open, object: Object) -> Result<Outcome, Errno> {
        let RealPath::Path(real) = &object.real else { return Err(Errno::NOT_DIRECTORY) };
        if object.status.kind != FileType::Directory {
            return Err(Errno::NOT_DIRECTORY);
        }
        // A name nobody can have stands for the file, so that rules about what lies beneath the directory hold.
        let inside = real.join(b"#");
        let mode = open.mode & 0o7777 & !u64::from(caller.umask()?);
        let operations = [Operation::Write(inside.clone()), Operation::Read(inside)];
        let asked = if open.access().read { &operations[..] } else { &operations[..1] };
        let make = {
            let open = open.clone();
            move |directory: OwnedFd| {
                let wanted = OpenHow { flags: open.flags | OpenHow::CLOSE_ON_EXEC, mode, resolve: 0 };
                let close_on_exec = open.has(OpenHow::CLOSE_ON_EXEC);
                match at::open(None, &own_name(&directory), &wanted) {
                    Ok(file) => Outcome::HandOver { file, close_on_exec },
                    Err(errno) => Outcome::Fail(errno),
                }
            }
        };
        match self.decide(caller, asked, &open.path, Some(&object), true) {
            Decided::Act => Ok(make(object.file)),
            Decided::Ask(question) => Ok(self.ask(caller, question, move || make(object.file))),
            Decided::KernelDoes => Ok(Outcome::GoOn),
            Decided::Refuse(errno) => Err(errno),
        }
    }
}

/// Opens the object itself, by the name this process has for it.
fn reopen(open: &Open, object: OwnedFd, kind: FileType) -> Outcome {
    let left_out = OpenHow::CREATE | OpenHow::EXCLUSIVE | OpenHow::NO_FOLLOW;
    // Nothing of the caller's becomes this process's terminal.
    let flags = (open.flags & !left_out) | OpenHow::CLOSE_ON_EXEC | OpenHow::NO_TERMINAL;
    let wanted = OpenHow { flags, mode: 0, resolve: 0 };
    let close_on_exec = open.has(OpenHow::CLOSE_ON_EXEC);
    let name = own_name(&object);
    let act = move || {
        let opened = at::open(None, &name, &wanted);
        drop(object);
        match opened {
            Ok(file) => Outcome::HandOver { file, close_on_exec },
            Err(errno) => Outcome::Fail(errno),
        }
    };
    // A FIFO waits for its other end, a device may take its time: that is the caller's time, not everybody's.
    match kind {
        FileType::Regular | FileType::Directory => act(),
        FileType::BlockDevice | FileType::CharacterDevice | FileType::Fifo | FileType::Socket | FileType::Symlink => {
            Outcome::Slow(Box::new(act))
        }
    }
}

/// The name that leads to an open object from this process.
pub(super) fn own_name(object: &OwnedFd) -> std::ffi::CString {
    std::ffi::CString::new(format!("/proc/self/fd/{}", object.as_raw_fd())).unwrap_or_default()
}

/// `how` of `openat2(2)`, checked as the kernel checks it.
///
/// # Errors
/// `EINVAL`, `E2BIG` as the kernel would answer.
pub(super) fn parse_how(bytes: &[u8]) -> Result<OpenHow, Errno> {
    let word = |index: usize| -> Result<u64, Errno> {
        let bytes = bytes.get(index * 8..index * 8 + 8).ok_or(Errno::INVALID)?;
        Ok(u64::from_ne_bytes(bytes.try_into().map_err(|_| Errno::INVALID)?))
    };
    let how = OpenHow { flags: word(0)?, mode: word(1)?, resolve: word(2)? };
    if bytes.iter().skip(24).any(|&byte| byte != 0) {
        return Err(Errno::TOO_BIG);
    }
    Ok(how)
}
