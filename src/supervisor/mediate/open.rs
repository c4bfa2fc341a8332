//! `open(2)` and its kin on the caller's behalf: looked up once, decided about, and opened through what was looked up.

mod quick;
mod terminal;

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::OnceLock;

use syscalls::Errno;
use syscalls::at::{self, OpenHow, resolve as how};
use syscalls::file::{FileType, Status, set_status_flags};

pub(super) use self::quick::Mounts;
use super::caller::{Caller, PATH_MAX};
use super::resolve::{Entry, Held, Last, Object, RealPath};
use super::signed::{Needed, reopen_as};
use super::{Decided, Kind, Mediator, Outcome};
use crate::approval::{AskedOperation, Change};
use crate::plan::{Access, Operation};
use crate::profile::abs_path::AbsPath;

/// The arguments of one open, whichever call made it.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) directory: i32,
    pub(super) path: CString,
    pub(super) flags: u64,
    pub(super) mode: u64,
    /// The caller's own `RESOLVE_*` flags.
    pub(super) resolve: u64,
    /// The flags were in memory (`openat2(2)`), where the caller can change them after they were looked at.
    pub(super) from_memory: bool,
}

/// `S_ISUID` and `S_ISGID` of `inode(7)`.
pub(super) const SET_ID: u64 = 0o6000;

/// How often a name may come and go between looking and making before the caller hears of it.
const MOST_RACES: usize = 8;

impl Open {
    pub(super) fn has(&self, flag: u64) -> bool {
        self.flags & flag == flag
    }

    /// What the kernel refuses before it looks at the path (`build_open_flags`).
    pub(super) fn check(&self) -> Result<(), Errno> {
        let temporary = self.has(OpenHow::TEMPORARY_FILE);
        let half_temporary = self.flags & OpenHow::TEMPORARY_FILE & !OpenHow::DIRECTORY != 0 && !temporary;
        let read_only = self.flags & OpenHow::ACCESS_MODE == OpenHow::READ_ONLY;
        let refused = half_temporary
            || (temporary && read_only)
            || self.has(OpenHow::CREATE | OpenHow::DIRECTORY)
            || self.flags & !OpenHow::VALID != 0
            || self.mode & !0o7777 != 0
            || self.resolve & !how::VALID != 0
            || self.resolve & how::SCOPED == how::SCOPED
            || (self.from_memory && self.mode != 0 && !temporary && !self.has(OpenHow::CREATE));
        let creates = temporary || self.has(OpenHow::CREATE);
        let changes = creates || self.has(OpenHow::TRUNCATE);
        if refused {
            Err(Errno::INVALID)
        } else if creates && self.mode & SET_ID != 0 {
            Err(Errno::NOT_PERMITTED)
        } else if changes && self.resolve & how::CACHED != 0 {
            Err(Errno::TRY_AGAIN)
        } else {
            Ok(())
        }
    }

    /// Only asks for the object, not for its content.
    fn is_path(&self) -> bool {
        self.has(OpenHow::PATH)
    }

    fn kind(&self) -> Kind {
        if self.from_memory { Kind::OpenHow } else { Kind::Open }
    }

    fn last(&self) -> Last {
        // With O_EXCL a link at the end is in the way, wherever it leads (open(2)).
        let keep = self.has(OpenHow::NO_FOLLOW) || self.has(OpenHow::CREATE | OpenHow::EXCLUSIVE);
        if keep { Last::Keep } else { Last::Follow }
    }

    /// What of the object's content is asked for.
    pub(super) fn access(&self) -> Access {
        access(self.flags)
    }

    /// What making a file is, of whose content the rules leave this access open.
    fn made(&self) -> impl Fn(&AbsPath, Access) -> AskedOperation {
        let writes = self.access().write;
        move |_, open| AskedOperation::Change(Change::File(Access { write: open.write && writes, ..open }))
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
        self.recorder.looked_at(caller.id, &open.path, Some(open.flags));
        // A descriptor of O_PATH cannot be handed over, and gives no content: whatever is done with it comes here again.
        if open.is_path() {
            // Flags in memory may be others by the time the kernel reads them. Programs know this error, from older
            // kernels, and use openat(2).
            return if open.from_memory { Outcome::Fail(Errno::NO_SYSCALL) } else { Outcome::GoOn };
        }
        if open.from_memory && self.only_kernel_knows {
            return Outcome::Fail(Errno::NO_SYSCALL);
        }
        if let Err(errno) = open.check() {
            return Outcome::Fail(errno);
        }
        if self.kernel_complete {
            if self.is_plainly_allowed(caller, open) {
                return Outcome::GoOn;
            }
        } else if let Some(outcome) = self.read_plainly(caller, open) {
            return outcome;
        }
        let changes =
            [OpenHow::CREATE, OpenHow::TRUNCATE, OpenHow::TEMPORARY_FILE].into_iter().any(|flag| open.has(flag));
        if let Err(errno) = if changes { caller.check_room() } else { Ok(()) } {
            return Outcome::Fail(errno);
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
        if open.has(OpenHow::CREATE) && open.path.to_bytes().ends_with(b"/") {
            let entry = self.resolver.entry(caller, open.directory, &open.path, open.resolve)?;
            let name = entry.name.to_bytes();
            let is_there_always = matches!(name.strip_suffix(b"/").unwrap_or(name), b"." | b"..");
            let exclusive = is_there_always && open.has(OpenHow::EXCLUSIVE);
            return Err(if exclusive { Errno::EXISTS } else { Errno::IS_DIRECTORY });
        }
        let found = self.resolver.object(caller, open.directory, &open.path, open.last(), open.resolve);
        match found {
            Ok(object) if open.has(OpenHow::TEMPORARY_FILE) => self.open_temporary(caller, open, object),
            Ok(object) => self.open_object(caller, open, object),
            Err(Errno::NOT_FOUND) if open.has(OpenHow::CREATE) => self.open_new(caller, open),
            Err(errno) if open.from_memory => Err(errno),
            Err(errno) => self.unresolved(errno),
        }
    }

    fn open_object(&self, caller: Caller, open: &Open, object: Object) -> Result<Outcome, Errno> {
        if open.has(OpenHow::CREATE | OpenHow::EXCLUSIVE) {
            return Err(Errno::EXISTS);
        }
        // In the kernel's order, which asks for permission after these.
        let access = open.access();
        match object.status.kind {
            FileType::Directory if access.write || open.has(OpenHow::CREATE) => return Err(Errno::IS_DIRECTORY),
            FileType::Directory => {}
            _ if open.has(OpenHow::DIRECTORY) => return Err(Errno::NOT_DIRECTORY),
            FileType::Symlink => return Err(Errno::LOOP),
            FileType::BlockDevice | FileType::CharacterDevice | FileType::Fifo => {}
            FileType::Regular | FileType::Socket => {}
        }
        let RealPath::Path(real) = &object.real else { return Ok(reopen(open, object.file, &object.status)) };
        let is_own_terminal = real.as_bytes() == b"/dev/tty";
        if access.write {
            self.check_unsigned(caller, real, &object)?;
        }
        let needed =
            if access.read { self.needed(caller, open.directory, &open.path, &object) } else { Needed::Nothing(None) };
        let act = move |open: &Open, object: Object, needed: Needed| match needed {
            Needed::Nothing(_) if is_own_terminal => own_terminal(caller, open, object),
            Needed::Nothing(copy) => reopen_as(open, object, copy),
            Needed::Signature(signed) => {
                let open = open.clone();
                signed.admit(object, move |object, copy| reopen_as(&open, object, copy))
            }
        };
        let instead = if open.access().write { None } else { self.network.instead_of(real) };
        let wish = |_: &AbsPath, access| AskedOperation::Open(access);
        let held = [Held::Object(&object)];
        let terminal = self.terminal_itself(caller, open, real, &object);
        let operations = open.operations(terminal.as_ref().unwrap_or(real));
        match (self.decide(caller, &operations, (&open.path, &wish), &held, open.kind()), instead) {
            (Decided::Act | Decided::KernelDoes, Some(file)) => {
                let file = file.try_clone_to_owned().map_err(|_| Errno::TRY_AGAIN)?;
                Ok(reopen(open, file, &object.status))
            }
            (Decided::Act, None) => Ok(act(open, object, needed)),
            // The kernel's rules know the other name alone.
            (Decided::KernelDoes, None) if terminal.is_some() => Ok(act(open, object, needed)),
            (Decided::Ask(questions), _) => {
                let open = open.clone();
                Ok(self.ask(caller, questions, move || act(&open, object, needed)))
            }
            // What is not strict lets every file through, and looks at it all the same.
            (Decided::KernelDoes, None) => Ok(match needed {
                Needed::Nothing(_) => Outcome::GoOn,
                Needed::Signature(signed) => signed.admit(object, |_, _| Outcome::GoOn),
            }),
            (Decided::Refuse(errno), _) => Err(errno),
        }
    }

    /// A file that does not exist yet.
    fn open_new(&self, caller: Caller, open: &Open) -> Result<Outcome, Errno> {
        let entry = match self.new_entry(caller, open) {
            Ok(entry) => entry,
            Err(errno) if open.from_memory => return Err(errno),
            Err(errno) => return self.unresolved(errno),
        };
        self.check_free(caller, &entry.real)?;
        let mode = open.mode & 0o7777 & !u64::from(caller.umask()?);
        let mut operations = open.operations(&entry.real);
        if !open.access().write {
            operations.push(Operation::Write(entry.real.clone()));
        }
        let flags = (open.flags | OpenHow::CREATE | OpenHow::EXCLUSIVE | OpenHow::CLOSE_ON_EXEC) & !OpenHow::TRUNCATE;
        let make = {
            let close_on_exec = open.has(OpenHow::CLOSE_ON_EXEC);
            let wanted = OpenHow { flags, mode, resolve: how::NO_SYMLINKS };
            move |entry: &Entry| -> Result<Outcome, Errno> {
                let file = at::open(Some(entry.directory.as_fd()), &entry.name, &wanted)?;
                Ok(Outcome::HandOver { file, close_on_exec, alone: true })
            }
        };
        let wish = open.made();
        match self.decide(caller, &operations, (&open.path, &wish), &[Held::Entry(&entry)], open.kind()) {
            Decided::Act => make(&entry),
            Decided::Ask(questions) => {
                Ok(self.ask(caller, questions, move || make(&entry).unwrap_or_else(Outcome::Fail)))
            }
            Decided::KernelDoes => Ok(Outcome::GoOn),
            Decided::Refuse(errno) => Err(errno),
        }
    }

    /// Where a new file goes: a dangling link at the end leads to where it points (`open(2)`, `O_CREAT`).
    fn new_entry(&self, caller: Caller, open: &Open) -> Result<Entry, Errno> {
        let mut entry = self.resolver.entry(caller, open.directory, &open.path, open.resolve)?;
        let mut path = open.path.clone();
        for _ in 0..40 {
            let mut buffer = [0; PATH_MAX];
            let target = match at::read_link(entry.directory.as_fd(), &entry.name, &mut buffer) {
                Ok(target) if open.last() == Last::Follow => CString::new(target).map_err(|_| Errno::INVALID)?,
                Ok(_) | Err(_) => return Ok(entry),
            };
            entry = if open.resolve & how::SCOPED == 0 {
                self.resolver.entry_from(caller, &entry.directory, &target)?
            } else {
                path = behind(&path, &target)?;
                self.resolver.entry(caller, open.directory, &path, open.resolve)?
            };
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
                match at::open(Some(directory.as_fd()), c".", &wanted) {
                    Ok(file) => Outcome::HandOver { file, close_on_exec, alone: true },
                    Err(errno) => Outcome::Fail(errno),
                }
            }
        };
        let wish = open.made();
        match self.decide(caller, asked, (&open.path, &wish), &[Held::Object(&object)], open.kind()) {
            Decided::Act => Ok(make(object.file)),
            Decided::Ask(questions) => Ok(self.ask(caller, questions, move || make(object.file))),
            Decided::KernelDoes => Ok(Outcome::GoOn),
            Decided::Refuse(errno) => Err(errno),
        }
    }
}

/// What of the content an open with `flags` asks for.
fn access(flags: u64) -> Access {
    let mode = flags & OpenHow::ACCESS_MODE;
    let write = mode != OpenHow::READ_ONLY || flags & OpenHow::TRUNCATE != 0;
    Access { read: mode != OpenHow::WRITE_ONLY, write, execute: false }
}

/// The path that `target` is, as the text of the link `path`: what must stay beneath its start is looked up from there.
fn behind(path: &CStr, target: &CStr) -> Result<CString, Errno> {
    let (path, target) = (path.to_bytes(), target.to_bytes());
    let absolute = target.first() == Some(&b'/');
    let above = if absolute { 0 } else { path.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1) };
    let whole = [path.get(..above).unwrap_or_default(), target].concat();
    if whole.len() < PATH_MAX { CString::new(whole).map_err(|_| Errno::INVALID) } else { Err(Errno::NAME_TOO_LONG) }
}

/// Opens the object itself, by the name this process has for it.
pub(super) fn reopen(open: &Open, object: OwnedFd, status: &Status) -> Outcome {
    let left_out = OpenHow::CREATE | OpenHow::EXCLUSIVE | OpenHow::NO_FOLLOW;
    // Nothing of the caller's becomes this process's terminal.
    let flags = (open.flags & !left_out) | OpenHow::CLOSE_ON_EXEC | OpenHow::NO_TERMINAL;
    let wanted = OpenHow { flags, mode: 0, resolve: 0 };
    let close_on_exec = open.has(OpenHow::CLOSE_ON_EXEC);
    let alone = open.access().write || status.kind == FileType::Fifo;
    let name = own_name(&object);
    let hand_over = move |opened: Result<OwnedFd, Errno>| match opened {
        Ok(file) => Outcome::HandOver { file, close_on_exec, alone },
        Err(errno) => Outcome::Fail(errno),
    };
    let regular = status.kind == FileType::Regular;
    // A FIFO whose opener is both ends waits for none (fifo(7)).
    let both_ends = status.kind == FileType::Fifo && open.access().read && open.access().write;
    let at_once = both_ends || status.kind == FileType::Fifo && open.has(OpenHow::NON_BLOCKING);
    if regular && !open.has(OpenHow::NON_BLOCKING) {
        // Whoever holds a lease on the file (fcntl(2)) may take his time to give it back.
        let at_once = OpenHow { flags: flags | OpenHow::NON_BLOCKING, ..wanted };
        match at::open(None, &name, &at_once) {
            Err(Errno::TRY_AGAIN) => {}
            Ok(file) => return hand_over(set_status_flags(file.as_fd(), flags & !OpenHow::ASYNC).map(|()| file)),
            Err(errno) => return Outcome::Fail(errno),
        }
    } else if regular || at_once || status.kind == FileType::Directory || is_prompt(status) {
        return hand_over(at::open(None, &name, &wanted));
    }
    // A FIFO waits for its other end, a device may take its time: that is the caller's time, not everybody's.
    Outcome::Slow(Box::new(move || {
        let opened = at::open(None, &name, &wanted);
        drop(object);
        hand_over(opened)
    }))
}

/// `/dev/null` and its like (`mem(4)`, `null(4)`, `random(4)`), which open at once.
fn is_prompt(status: &Status) -> bool {
    const MEMORY: u64 = 1;
    const NULL_ZERO_FULL_RANDOM_URANDOM: [u64; 5] = [3, 5, 7, 8, 9];
    let (major, minor) = (status.device >> 8, status.device & 0xff);
    status.kind == FileType::CharacterDevice && major == MEMORY && NULL_ZERO_FULL_RANDOM_URANDOM.contains(&minor)
}

/// `/dev/tty` means the terminal of whoever opens it (`tty(4)`), so the caller's is opened by its own name.
fn own_terminal(caller: Caller, open: &Open, object: Object) -> Outcome {
    let terminal = || {
        let Some((path, device)) = caller.terminal()? else { return Ok((object.file, object.status)) };
        let file = syscalls::file::open_path(&path).map_err(|_| Errno::NO_DEVICE)?;
        let status = syscalls::file::status(file.as_fd())?;
        let is_it = status.kind == FileType::CharacterDevice && status.device == device;
        if is_it { Ok((file, status)) } else { Err(Errno::NO_DEVICE) }
    };
    match terminal() {
        Ok((file, status)) => reopen(open, file, &status),
        Err(errno) => Outcome::Fail(errno),
    }
}

/// The name that leads to an open object from this process.
pub(in crate::supervisor) fn own_name(object: &OwnedFd) -> CString {
    // `/proc/self` is a symbolic link, which costs more to follow than all the rest.
    static OWN: OnceLock<String> = OnceLock::new();
    let own = || std::fs::read_link("/proc/self").ok().and_then(|own| Some(own.to_str()?.to_owned()));
    let own = OWN.get_or_init(|| own().unwrap_or_else(|| "self".to_owned()));
    CString::new(format!("/proc/{own}/fd/{}", object.as_raw_fd())).unwrap_or_default()
}
