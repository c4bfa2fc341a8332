//! Where a path of the caller's leads: one resolution, to an object or to an entry of a directory.
//!
//! The kernel walks a path in one call wherever it means the same for both processes. `/proc/self` and the links of
//! `/proc/PID/fd` mean whoever walks them (`proc(5)`), so a path that comes near them is walked here, name by name.

use std::collections::VecDeque;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};

use syscalls::Errno;
use syscalls::at::{self, OpenHow, resolve as how};
use syscalls::file::{self, FileType, Status};
use syscalls::process::Pid;
use syscalls::signal;

use super::caller::{Caller, PATH_MAX};
use crate::profile::abs_path::AbsPath;

/// Symbolic links that one path may go through (`path_resolution(7)`).
const MOST_LINKS: u32 = 40;

/// The object a name has, a symbolic link itself included.
pub(super) const KEPT: OpenHow =
    OpenHow { flags: OpenHow::PATH | OpenHow::CLOSE_ON_EXEC | OpenHow::NO_FOLLOW, mode: 0, resolve: 0 };

const FOLLOWED: OpenHow = OpenHow { flags: OpenHow::PATH | OpenHow::CLOSE_ON_EXEC, mode: 0, resolve: 0 };

/// Something that exists, open without access.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) file: OwnedFd,
    pub(super) status: Status,
    pub(super) real: RealPath,
}

/// A name in a directory, whether or not something has it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) directory: OwnedFd,
    /// The last component as the caller wrote it, slashes at its end included: they mean something to `rename(2)`.
    pub(super) name: CString,
    pub(super) real: AbsPath,
}

/// What the kernel calls an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RealPath {
    /// A pipe, a socket or memory: nothing that a path leads to, so nothing a policy names.
    Nameless,
    Path(AbsPath),
}

/// Whether the last component is followed when it is a symbolic link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    Follow,
    Keep,
}

/// Walks paths for callers.
#[derive(Debug)]
pub(super) struct Resolver {
    /// The processes around the program, whose `/proc` is nobody's business.
    outside: Vec<Pid>,
}

impl Resolver {
    pub(super) fn new(outside: Vec<Pid>) -> Self {
        Self { outside }
    }

    /// The object that `path` leads to from descriptor `directory` of `caller`. `resolve` are the caller's own
    /// `RESOLVE_*` flags.
    ///
    /// # Errors
    /// Those the kernel would give the caller.
    pub(super) fn object(
        &self,
        caller: Caller,
        directory: i32,
        path: &CStr,
        last: Last,
        resolve: u64,
    ) -> Result<Object, Errno> {
        self.object_from(caller, base(caller, directory, path)?, path, last, resolve)
    }

    /// The same from a directory that is open already; `None` stands for the root of an absolute path.
    fn object_from(
        &self,
        caller: Caller,
        base: Option<OwnedFd>,
        path: &CStr,
        last: Last,
        resolve: u64,
    ) -> Result<Object, Errno> {
        let no_follow = if last == Last::Keep { OpenHow::NO_FOLLOW } else { 0 };
        let flags = OpenHow::PATH | OpenHow::CLOSE_ON_EXEC | no_follow;
        let wanted = OpenHow { flags, mode: 0, resolve: resolve | how::NO_MAGICLINKS };
        match at::open(base.as_ref().map(AsFd::as_fd), path, &wanted) {
            Ok(found) => {
                let object = Object::new(found)?;
                let near_proc = matches!(&object.real, RealPath::Path(real) if is_in_proc(real));
                if near_proc && resolve == 0 { self.walk_object(caller, base, path, last) } else { Ok(object) }
            }
            Err(Errno::LOOP) if resolve == 0 => self.walk_object(caller, base, path, last),
            Err(errno) => {
                // A missing name beneath /proc/self is missing for this process, and perhaps not for the caller.
                let text = path.to_bytes();
                let may_be_proc = text.windows(4).any(|part| part == b"self" || part == b"/fd/");
                if may_be_proc && resolve == 0 { self.walk_object(caller, base, path, last) } else { Err(errno) }
            }
        }
    }

    /// The entry that `path` names from descriptor `directory` of `caller`; everything before the last component is
    /// followed.
    ///
    /// # Errors
    /// Those the kernel would give the caller.
    pub(super) fn entry(&self, caller: Caller, directory: i32, path: &CStr, resolve: u64) -> Result<Entry, Errno> {
        self.entry_of(caller, base(caller, directory, path)?, path, resolve)
    }

    /// The entry that the text of a symbolic link in `directory` names.
    ///
    /// # Errors
    /// As [`Self::entry`].
    pub(super) fn entry_from(&self, caller: Caller, directory: &OwnedFd, target: &CStr) -> Result<Entry, Errno> {
        let absolute = target.to_bytes().first() == Some(&b'/');
        let base = if absolute { None } else { Some(directory.try_clone().map_err(|_| Errno::TRY_AGAIN)?) };
        self.entry_of(caller, base, target, 0)
    }

    fn entry_of(&self, caller: Caller, base: Option<OwnedFd>, path: &CStr, resolve: u64) -> Result<Entry, Errno> {
        let text = path.to_bytes();
        if text.is_empty() {
            return Err(Errno::NOT_FOUND);
        }
        let trimmed = text.len() - text.iter().rev().take_while(|&&byte| byte == b'/').count();
        let start = text[..trimmed].iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
        let (above, name) = if trimmed == 0 { (&b"/"[..], &b"."[..]) } else { (&text[..start], &text[start..]) };
        let above = if above.is_empty() { b"." } else { above };
        let above = CString::new(above).map_err(|_| Errno::INVALID)?;
        let parent = self.object_from(caller, base, &above, Last::Follow, resolve)?;
        if parent.status.kind != FileType::Directory {
            return Err(Errno::NOT_DIRECTORY);
        }
        let RealPath::Path(real) = parent.real else { return Err(Errno::NOT_FOUND) };
        let plain = name.strip_suffix(b"/").unwrap_or(name);
        let real = real.join(plain);
        Ok(Entry { directory: parent.file, name: CString::new(name).map_err(|_| Errno::INVALID)?, real })
    }

    fn walk_object(&self, caller: Caller, base: Option<OwnedFd>, path: &CStr, last: Last) -> Result<Object, Errno> {
        let start = match base {
            Some(base) => base,
            None => root()?,
        };
        let mut walk =
            Walk { resolver: self, caller, at: start, rest: VecDeque::new(), links: 0, reached_by_link: false };
        walk.push(path.to_bytes());
        let found = walk.run(last)?;
        // Memory files and files without a name have a text that looks like a path.
        if walk.reached_by_link { Object::open_as(found) } else { Object::new(found) }
    }
}

/// A walk, name by name.
struct Walk<'r> {
    resolver: &'r Resolver,
    caller: Caller,
    at: OwnedFd,
    rest: VecDeque<Vec<u8>>,
    links: u32,
    /// The last step went through a link of `/proc/PID/fd` or its like.
    reached_by_link: bool,
}

impl Walk<'_> {
    /// Puts the components of `text` before what is left.
    fn push(&mut self, text: &[u8]) {
        // A slash at the end asks for a directory, which a dot does as well.
        let ends_open = text.ends_with(b"/");
        let parts: Vec<&[u8]> = text.split(|&byte| byte == b'/').filter(|part| !part.is_empty()).collect();
        if ends_open {
            self.rest.push_front(b".".to_vec());
        }
        for part in parts.into_iter().rev() {
            self.rest.push_front(part.to_vec());
        }
    }

    fn run(&mut self, last: Last) -> Result<OwnedFd, Errno> {
        while let Some(name) = self.rest.pop_front() {
            let is_last = self.rest.is_empty();
            self.step(&name, is_last && last == Last::Keep)?;
        }
        self.at.try_clone().map_err(|_| Errno::TRY_AGAIN)
    }

    fn step(&mut self, name: &[u8], keep_link: bool) -> Result<(), Errno> {
        let here = real_path(&self.at)?;
        let place = match &here {
            RealPath::Path(real) => real.as_bytes(),
            RealPath::Nameless => b"",
        };
        if place == b"/proc" && !keep_link && (name == b"self" || name == b"thread-self") {
            let own = self.own_name(name == b"thread-self")?;
            self.push(own.as_bytes());
            return Ok(());
        }
        let in_process = process_directory(place);
        if let Some(pid) = in_process.or_else(|| if place == b"/proc" { number(name) } else { None }) {
            self.resolver.check_inside(pid)?;
        }
        let text = CString::new(name).map_err(|_| Errno::INVALID)?;
        let next = at::open(Some(self.at.as_fd()), &text, &KEPT)?;
        self.reached_by_link = false;
        if file::status(next.as_fd())?.kind != FileType::Symlink || keep_link {
            self.at = next;
            return Ok(());
        }
        self.links += 1;
        if self.links > MOST_LINKS {
            return Err(Errno::LOOP);
        }
        if in_process.is_some() {
            // Not text but the object itself: the kernel follows it, for the process it belongs to.
            self.at = at::open(Some(self.at.as_fd()), &text, &FOLLOWED)?;
            self.reached_by_link = true;
            return Ok(());
        }
        let mut buffer = [0; PATH_MAX];
        let target = at::read_link(next.as_fd(), c"", &mut buffer)?.to_vec();
        if target.first() == Some(&b'/') {
            self.at = root()?;
        }
        self.push(&target);
        Ok(())
    }

    /// What `/proc/self` and `/proc/thread-self` are for the caller.
    fn own_name(&self, thread: bool) -> Result<String, Errno> {
        let process = self.caller.process()?.number();
        Ok(if thread { format!("{process}/task/{}", self.caller.thread.number()) } else { process.to_string() })
    }
}

impl Resolver {
    /// Only processes of the run: a signal of this process reaches them and, but for the two around them, no other.
    fn check_inside(&self, pid: Pid) -> Result<(), Errno> {
        if self.outside.contains(&pid) {
            return Err(Errno::ACCESS);
        }
        signal::may_signal(pid).map_err(|errno| match errno {
            Errno::NO_SUCH_PROCESS => Errno::NOT_FOUND,
            _ => Errno::ACCESS,
        })
    }
}

impl Object {
    /// What is open as `file`: a descriptor of the caller's.
    pub(super) fn open_as(file: OwnedFd) -> Result<Self, Errno> {
        let mut object = Self::new(file)?;
        if let (true, RealPath::Path(real)) = (object.status.is_unlinked, &object.real) {
            object.real = undeleted(real).map_or(RealPath::Nameless, RealPath::Path);
        }
        Ok(object)
    }

    fn new(file: OwnedFd) -> Result<Self, Errno> {
        let status = file::status(file.as_fd())?;
        let real = real_path(&file)?;
        Ok(Self { file, status, real })
    }
}

fn root() -> Result<OwnedFd, Errno> {
    file::open_path(c"/")
}

/// What a path starts from; an absolute one starts nowhere but at the root, which is the same for both.
fn base(caller: Caller, directory: i32, path: &CStr) -> Result<Option<OwnedFd>, Errno> {
    if path.to_bytes().first() == Some(&b'/') { Ok(None) } else { caller.directory(directory).map(Some) }
}

fn real_path(file: &OwnedFd) -> Result<RealPath, Errno> {
    let mut buffer = [0; PATH_MAX];
    let text = file::real_path(file.as_fd(), &mut buffer)?;
    Ok(AbsPath::new(text).map_or(RealPath::Nameless, RealPath::Path))
}

fn is_in_proc(path: &AbsPath) -> bool {
    let path = path.as_bytes();
    path == b"/proc" || path.starts_with(b"/proc/")
}

/// The process whose directory `place` is, or lies beneath.
fn process_directory(place: &[u8]) -> Option<Pid> {
    let rest = place.strip_prefix(b"/proc/")?;
    number(rest.split(|&byte| byte == b'/').next()?)
}

fn number(text: &[u8]) -> Option<Pid> {
    std::str::from_utf8(text).ok()?.parse().ok().and_then(Pid::new)
}

/// The path that an unlinked file had; `None` for memory, which never had one.
fn undeleted(real: &AbsPath) -> Option<AbsPath> {
    let path = real.as_bytes().strip_suffix(b" (deleted)")?;
    if path.starts_with(b"/memfd:") || path.starts_with(b"/dev/zero") || path.starts_with(b"/SYSV") {
        None
    } else {
        AbsPath::new(path)
    }
}
