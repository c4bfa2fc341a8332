//! A path walked name by name, where the kernel would take it for this process's own.

use std::collections::VecDeque;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};

use syscalls::Errno;
use syscalls::at::{self, OpenHow, resolve as how};
use syscalls::file::{self, FileType};
use syscalls::process::Pid;

use super::{Last, RealPath, Resolver, real_path, root};
use crate::supervisor::mediate::caller::{Caller, PATH_MAX};

/// Symbolic links that one path may go through (`path_resolution(7)`).
const MOST_LINKS: u32 = 40;

/// A walk that honours the caller's `RESOLVE_*` flags.
pub(super) struct Walk<'r> {
    resolver: &'r Resolver,
    caller: Caller,
    /// Where the path starts.
    start: OwnedFd,
    at: OwnedFd,
    /// The names to come; an empty one stands for a slash at the end.
    rest: VecDeque<Vec<u8>>,
    links: u32,
    resolve: u64,
    /// The last step went through a link of `/proc/PID/fd` or its like.
    reached_by_link: bool,
}

impl<'r> Walk<'r> {
    pub(super) fn new(resolver: &'r Resolver, caller: Caller, start: OwnedFd, resolve: u64) -> Result<Self, Errno> {
        let at = start.try_clone().map_err(|_| Errno::TRY_AGAIN)?;
        Ok(Self { resolver, caller, start, at, rest: VecDeque::new(), links: 0, resolve, reached_by_link: false })
    }

    /// Walks `path`. Also answers whether the last step went through a link of `/proc/PID/fd` or its like.
    ///
    /// # Errors
    /// Those the kernel would give the caller.
    pub(super) fn run(mut self, path: &[u8], last: Last) -> Result<(OwnedFd, bool), Errno> {
        self.enter(path)?;
        while let Some(name) = self.rest.pop_front() {
            let is_last = self.rest.is_empty();
            self.step(&name, is_last && last == Last::Keep)?;
        }
        Ok((self.at, self.reached_by_link))
    }

    /// Puts the names of `text` before the rest. An absolute one starts at the root.
    fn enter(&mut self, text: &[u8]) -> Result<(), Errno> {
        if text.first() == Some(&b'/') {
            if self.resolve & how::BENEATH != 0 {
                return Err(Errno::OTHER_FILESYSTEM);
            }
            self.at = if self.resolve & how::IN_ROOT != 0 { self.start_again()? } else { root()? };
        }
        let ends_open = text.last() == Some(&b'/');
        let parts: Vec<&[u8]> = text.split(|&byte| byte == b'/').filter(|part| !part.is_empty()).collect();
        if ends_open {
            self.rest.push_front(Vec::new());
        }
        for part in parts.into_iter().rev() {
            self.rest.push_front(part.to_vec());
        }
        Ok(())
    }

    fn start_again(&self) -> Result<OwnedFd, Errno> {
        self.start.try_clone().map_err(|_| Errno::TRY_AGAIN)
    }

    fn step(&mut self, name: &[u8], keep_link: bool) -> Result<(), Errno> {
        if name.is_empty() {
            // The slash at the end asks for a directory, and for no permission to enter it.
            let kind = file::status(self.at.as_fd())?.kind;
            return if kind == FileType::Directory { Ok(()) } else { Err(Errno::NOT_DIRECTORY) };
        }
        let here = real_path(&self.at)?;
        let place = match &here {
            RealPath::Path(real) => real.as_bytes(),
            RealPath::Nameless => b"",
        };
        if name == b".." && self.resolve & how::SCOPED != 0 && self.is_at_start()? {
            return if self.resolve & how::IN_ROOT != 0 { Ok(()) } else { Err(Errno::OTHER_FILESYSTEM) };
        }
        if place == b"/proc" && !keep_link && (name == b"self" || name == b"thread-self") {
            self.count_link()?;
            let own = self.own_name(name == b"thread-self")?;
            return self.enter(own.as_bytes());
        }
        let in_process = process_directory(place);
        if let Some(pid) = in_process.or_else(|| if place == b"/proc" { number(name) } else { None }) {
            self.resolver.check_inside(self.caller, pid)?;
        }
        let text = CString::new(name).map_err(|_| Errno::INVALID)?;
        let next = self.open(in_process, &text, OpenHow::NO_FOLLOW)?;
        self.reached_by_link = false;
        if file::status(next.as_fd())?.kind != FileType::Symlink || keep_link {
            self.at = next;
            return Ok(());
        }
        self.count_link()?;
        if in_process.is_some() {
            if self.resolve & how::SCOPED != 0 {
                return Err(Errno::OTHER_FILESYSTEM);
            }
            if self.resolve & how::NO_MAGICLINKS != 0 {
                return Err(Errno::LOOP);
            }
            // Not text but the object itself: the kernel follows it, for the process it belongs to.
            self.at = self.open(in_process, &text, 0)?;
            self.reached_by_link = true;
            return Ok(());
        }
        let mut buffer = [0; PATH_MAX];
        let target = at::read_link(next.as_fd(), c"", &mut buffer)?.to_vec();
        self.enter(&target)
    }

    /// Opens a name of where the walk is. `/proc/PID` of a process that changed its user is root's (`proc(5)`), and the
    /// process itself goes through it all the same.
    fn open(&self, in_process: Option<Pid>, name: &CStr, flags: u64) -> Result<OwnedFd, Errno> {
        let open = || at::open(Some(self.at.as_fd()), name, &self.how(flags));
        let is_own = in_process.is_some_and(|pid| self.caller.process() == Ok(pid) || self.caller.thread == pid);
        if is_own { self.caller.looking(open) } else { open() }
    }

    fn how(&self, flags: u64) -> OpenHow {
        let flags = OpenHow::PATH | OpenHow::CLOSE_ON_EXEC | flags;
        OpenHow { flags, mode: 0, resolve: self.resolve & how::NO_XDEV }
    }

    fn is_at_start(&self) -> Result<bool, Errno> {
        Ok(file::status(self.at.as_fd())?.identity == file::status(self.start.as_fd())?.identity)
    }

    fn count_link(&mut self) -> Result<(), Errno> {
        self.links += 1;
        let refused = self.resolve & how::NO_SYMLINKS != 0;
        if refused || self.links > MOST_LINKS { Err(Errno::LOOP) } else { Ok(()) }
    }

    /// What `/proc/self` and `/proc/thread-self` are for the caller.
    fn own_name(&self, thread: bool) -> Result<String, Errno> {
        let process = self.caller.process()?.number();
        Ok(if thread { format!("{process}/task/{}", self.caller.thread.number()) } else { process.to_string() })
    }
}

/// The process whose directory `place` is, or lies beneath.
fn process_directory(place: &[u8]) -> Option<Pid> {
    let rest = place.strip_prefix(b"/proc/")?;
    number(rest.split(|&byte| byte == b'/').next()?)
}

fn number(text: &[u8]) -> Option<Pid> {
    std::str::from_utf8(text).ok()?.parse().ok().and_then(Pid::new)
}
