//! From a notification to what it asks for: which argument means what in each call.
#![expect(clippy::wildcard_enum_match_arm, reason = "each handler knows a few of the four hundred calls")]

use std::ffi::CString;
use std::time::Instant;

use syscalls::Errno;
use syscalls::abi::Syscall;
use syscalls::at::OpenHow;
use syscalls::at::attributes::Time;
use syscalls::notify::Notification;

use super::attributes::{Attribute, Subject};
use super::caller::{Caller, SHORT};
use super::change::{At, Change};
use super::open::Open;
use super::{Mediator, Outcome, resolve::Last};

/// `AT_FDCWD` of `openat(2)`.
const CURRENT: i32 = -100;
/// `AT_REMOVEDIR` of `unlinkat(2)`.
const REMOVE_DIRECTORY: i32 = 0x200;
/// The most of `open_how` or `xattr_args` that is read, as the kernel does: a page.
const LARGEST_STRUCTURE: usize = 4096;
/// `XATTR_SIZE_MAX` and `XATTR_NAME_MAX` of `linux/limits.h`.
const LARGEST_ATTRIBUTE: usize = 65_536;

/// A notification's arguments, as the kernel reads them.
struct Arguments {
    caller: Caller,
    raw: [u64; 6],
}

impl Arguments {
    fn long(&self, index: usize) -> u64 {
        self.raw.get(index).copied().unwrap_or(0)
    }

    /// The kernel drops the high half of an `int`.
    #[expect(clippy::cast_possible_truncation, reason = "as the kernel's own calling convention")]
    fn int(&self, index: usize) -> i32 {
        self.long(index) as i32
    }

    #[expect(clippy::cast_possible_truncation, reason = "as the kernel's own calling convention")]
    fn unsigned(&self, index: usize) -> u32 {
        self.long(index) as u32
    }

    fn path(&self, index: usize) -> Result<CString, Errno> {
        self.caller.string(self.long(index))
    }

    /// A path from the working directory.
    fn here(&self, index: usize) -> Result<At, Errno> {
        Ok(At { directory: CURRENT, path: self.path(index)? })
    }

    /// A descriptor and, after it, a path.
    fn at(&self, index: usize) -> Result<At, Errno> {
        Ok(At { directory: self.int(index), path: self.path(index + 1)? })
    }

    fn following(&self, index: usize, last: Last) -> Result<Subject, Errno> {
        Ok(Subject::Path { at: self.here(index)?, last })
    }

    fn extended(&self, name: usize, value: usize, size: usize, flags: usize) -> Result<Attribute, Errno> {
        let length = usize::try_from(self.long(size)).unwrap_or(usize::MAX);
        if length > LARGEST_ATTRIBUTE {
            return Err(Errno::TOO_BIG);
        }
        let value = self.caller.bytes(self.long(value), length)?;
        Ok(Attribute::Extended { name: self.path(name)?, value, flags: self.int(flags) })
    }

    /// Two times, each as two words; a word of microseconds counts a thousand.
    fn times(&self, index: usize, unit: i64) -> Result<Option<[Time; 2]>, Errno> {
        if self.long(index) == 0 {
            return Ok(None);
        }
        let words = self.words::<4>(index)?;
        if unit != 1 && [words[1], words[3]].iter().any(|part| !(0..1_000_000).contains(part)) {
            return Err(Errno::INVALID);
        }
        let time = |seconds, part: i64| Time { seconds, nanoseconds: part.saturating_mul(unit) };
        Ok(Some([time(words[0], words[1]), time(words[2], words[3])]))
    }

    fn words<const COUNT: usize>(&self, index: usize) -> Result<[i64; COUNT], Errno> {
        let bytes = self.caller.bytes(self.long(index), COUNT * 8)?;
        let mut words = [0; COUNT];
        for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = i64::from_ne_bytes(bytes.try_into().map_err(|_| Errno::INVALID)?);
        }
        Ok(words)
    }

    fn open(&self, directory: i32, path: CString, flags: u64, mode: u64) -> Open {
        let flags = flags & OpenHow::VALID | OpenHow::LARGE_FILE;
        Open { directory, path, flags, mode: mode & 0o7777, resolve: 0, from_memory: false }
    }

    fn open_how(&self) -> Result<Open, Errno> {
        let size = usize::try_from(self.long(3)).unwrap_or(usize::MAX);
        if size < 24 {
            return Err(Errno::INVALID);
        }
        if size > LARGEST_STRUCTURE {
            return Err(Errno::TOO_BIG);
        }
        let how = parse_how(&self.caller.bytes(self.long(2), size)?)?;
        let OpenHow { flags, mode, resolve } = how;
        let mut open =
            Open { directory: self.int(0), path: CString::default(), flags, mode, resolve, from_memory: true };
        open.check()?;
        open.path = self.path(1)?;
        Ok(open)
    }
}

impl Mediator {
    /// Answers a notification, but for what takes time.
    pub(super) fn answer(&self, notification: &Notification) -> Outcome {
        let caller = self.caller(notification);
        self.as_caller(caller, || self.answer_as(caller, notification))
    }

    fn answer_as(&self, caller: Caller, notification: &Notification) -> Outcome {
        let arguments = Arguments { caller, raw: notification.arguments };
        // A call that no handler knows was notified by mistake: it is refused, never let through.
        let Some(call) = Syscall::numbered(notification.number) else { return Outcome::Fail(Errno::NO_SYSCALL) };
        if let Some(outcome) = self.go_on_plainly(&arguments, call) {
            return outcome;
        }
        let answered = self
            .opens(call, &arguments)
            .or_else(|| self.changes(call, &arguments))
            .or_else(|| self.attributes(call, &arguments))
            .or_else(|| self.extended_attributes(call, &arguments))
            .or_else(|| self.others(call, &arguments));
        match answered {
            Some(Ok(outcome)) => outcome,
            Some(Err(errno)) => Outcome::Fail(errno),
            None => Outcome::Fail(Errno::NO_SYSCALL),
        }
    }

    /// The common case of an open, where it is left to the kernel; `None` for every other call.
    fn go_on_plainly(&self, a: &Arguments, call: Syscall) -> Option<Outcome> {
        let (directory, path, flags) = match call {
            Syscall::openat => (a.int(0), a.long(1), a.long(2)),
            Syscall::open => (CURRENT, a.long(0), a.long(1)),
            _ => return None,
        };
        let mut buffer = [0; SHORT];
        let flags = flags & OpenHow::VALID | OpenHow::LARGE_FILE;
        if !self.may_go_on_plainly(flags) {
            return None;
        }
        let now = Instant::now();
        let path = self.memories.string((a.caller, now), (&self.listener, &self.recorder), path, &mut buffer)?;
        self.open_by_kernel((a.caller, now), call, (directory, path), flags)
    }

    fn opens(&self, call: Syscall, a: &Arguments) -> Option<Result<Outcome, Errno>> {
        let open = match call {
            Syscall::open => a.path(0).map(|path| a.open(CURRENT, path, a.long(1), a.long(2))),
            Syscall::creat => a.path(0).map(|path| {
                let flags = OpenHow::CREATE | OpenHow::WRITE_ONLY | OpenHow::TRUNCATE;
                a.open(CURRENT, path, flags, a.long(1))
            }),
            Syscall::openat => a.path(1).map(|path| a.open(a.int(0), path, a.long(2), a.long(3))),
            Syscall::openat2 => a.open_how(),
            _ => return None,
        };
        Some(open.map(|open| self.open(a.caller, &open)))
    }

    fn changes(&self, call: Syscall, a: &Arguments) -> Option<Result<Outcome, Errno>> {
        let remove = |at: At, flags| self.change(a.caller, &at, &Change::Remove { flags });
        let directory = |at: At, mode| self.change(a.caller, &at, &Change::MakeDirectory { mode });
        let node = |at: At, mode, device| self.change(a.caller, &at, &Change::MakeNode { mode, device });
        let pair = |from: Result<At, Errno>, to: Result<At, Errno>| Ok::<_, Errno>((from?, to?));
        Some(match call {
            Syscall::unlink => a.here(0).map(|at| remove(at, 0)),
            Syscall::rmdir => a.here(0).map(|at| remove(at, REMOVE_DIRECTORY)),
            Syscall::unlinkat if a.int(2) & !REMOVE_DIRECTORY != 0 => Err(Errno::INVALID),
            Syscall::unlinkat => a.at(0).map(|at| remove(at, a.int(2))),
            Syscall::mkdir => a.here(0).map(|at| directory(at, a.unsigned(1))),
            Syscall::mkdirat => a.at(0).map(|at| directory(at, a.unsigned(2))),
            Syscall::mknod => a.here(0).map(|at| node(at, a.unsigned(1), a.long(2))),
            Syscall::mknodat => a.at(0).map(|at| node(at, a.unsigned(2), a.long(3))),
            Syscall::symlink => self.symlink(a, a.here(1)),
            Syscall::symlinkat => self.symlink(a, a.at(1)),
            Syscall::rename => pair(a.here(0), a.here(1)).map(|(from, to)| self.rename(a.caller, &from, &to, 0)),
            Syscall::renameat => pair(a.at(0), a.at(2)).map(|(from, to)| self.rename(a.caller, &from, &to, 0)),
            Syscall::renameat2 => {
                pair(a.at(0), a.at(2)).map(|(from, to)| self.rename(a.caller, &from, &to, a.unsigned(4)))
            }
            Syscall::link => pair(a.here(0), a.here(1)).map(|(from, to)| self.link(a.caller, &from, &to, 0)),
            Syscall::linkat => pair(a.at(0), a.at(2)).map(|(from, to)| self.link(a.caller, &from, &to, a.int(4))),
            _ => return None,
        })
    }

    fn symlink(&self, a: &Arguments, at: Result<At, Errno>) -> Result<Outcome, Errno> {
        let what = Change::Symlink { target: a.path(0)? };
        Ok(self.change(a.caller, &at?, &what))
    }

    fn attributes(&self, call: Syscall, a: &Arguments) -> Option<Result<Outcome, Errno>> {
        let set = |subject: Result<Subject, Errno>, attribute: Result<Attribute, Errno>| {
            Ok(self.attribute(a.caller, &subject?, attribute?))
        };
        let subject = |index, flags| Subject::new(a.at(index)?, flags);
        let owner = |index| Ok(Attribute::Owner { user: a.unsigned(index), group: a.unsigned(index + 1) });
        let mode = |index| Ok(Attribute::Mode(a.unsigned(index)));
        Some(match call {
            Syscall::chmod => set(a.following(0, Last::Follow), mode(1)),
            Syscall::fchmod => set(Ok(Subject::Descriptor(a.int(0))), mode(1)),
            Syscall::fchmodat => set(subject(0, 0), mode(2)),
            Syscall::fchmodat2 => set(subject(0, a.int(3)), mode(2)),
            Syscall::chown => set(a.following(0, Last::Follow), owner(1)),
            Syscall::lchown => set(a.following(0, Last::Keep), owner(1)),
            Syscall::fchown => set(Ok(Subject::Descriptor(a.int(0))), owner(1)),
            Syscall::fchownat => set(subject(0, a.int(4)), owner(2)),
            Syscall::truncate if a.long(1) > i64::MAX.unsigned_abs() => Err(Errno::INVALID),
            Syscall::truncate => set(a.following(0, Last::Follow), Ok(Attribute::Length(signed(a.long(1))))),
            Syscall::utime => set(a.following(0, Last::Follow), self.seconds(a)),
            Syscall::utimes => set(a.following(0, Last::Follow), a.times(1, 1000).map(Attribute::Times)),
            Syscall::futimesat => set(self.by_path_or_descriptor(a, 0), a.times(2, 1000).map(Attribute::Times)),
            Syscall::utimensat => set(self.by_path_or_descriptor(a, a.int(3)), a.times(2, 1).map(Attribute::Times)),
            _ => return None,
        })
    }

    /// `utime(2)`: whole seconds.
    fn seconds(&self, a: &Arguments) -> Result<Attribute, Errno> {
        if a.long(1) == 0 {
            return Ok(Attribute::Times(None));
        }
        let [access, modification] = a.words::<2>(1)?;
        let time = |seconds| Time { seconds, nanoseconds: 0 };
        Ok(Attribute::Times(Some([time(access), time(modification)])))
    }

    /// Without a path the descriptor itself is meant (`utimensat(2)`, "C library/kernel differences").
    fn by_path_or_descriptor(&self, a: &Arguments, flags: i32) -> Result<Subject, Errno> {
        match (a.long(1), flags) {
            (0, 0) if a.int(0) == CURRENT => Err(Errno::FAULT),
            (0, 0) => Ok(Subject::Descriptor(a.int(0))),
            (0, _) => Err(Errno::INVALID),
            _ => Subject::new(a.at(0)?, flags),
        }
    }

    fn extended_attributes(&self, call: Syscall, a: &Arguments) -> Option<Result<Outcome, Errno>> {
        let set = |subject: Result<Subject, Errno>, attribute: Result<Attribute, Errno>| {
            Ok(self.attribute(a.caller, &subject?, attribute?))
        };
        let removed = |index| a.path(index).map(|name| Attribute::ExtendedRemoved { name });
        Some(match call {
            Syscall::setxattr => set(a.following(0, Last::Follow), a.extended(1, 2, 3, 4)),
            Syscall::lsetxattr => set(a.following(0, Last::Keep), a.extended(1, 2, 3, 4)),
            Syscall::fsetxattr => set(Ok(Subject::Descriptor(a.int(0))), a.extended(1, 2, 3, 4)),
            Syscall::setxattrat => set(a.at(0).and_then(|at| Subject::new(at, a.int(2))), self.extended_at(a)),
            Syscall::removexattr => set(a.following(0, Last::Follow), removed(1)),
            Syscall::lremovexattr => set(a.following(0, Last::Keep), removed(1)),
            Syscall::fremovexattr => set(Ok(Subject::Descriptor(a.int(0))), removed(1)),
            Syscall::removexattrat => set(a.at(0).and_then(|at| Subject::new(at, a.int(2))), removed(3)),
            _ => return None,
        })
    }

    /// `struct xattr_args` of `setxattrat(2)`: an address, then a size and flags of four bytes each.
    fn extended_at(&self, a: &Arguments) -> Result<Attribute, Errno> {
        let size = usize::try_from(a.long(5)).unwrap_or(usize::MAX);
        if size < 16 {
            return Err(Errno::INVALID);
        }
        if size > LARGEST_STRUCTURE {
            return Err(Errno::TOO_BIG);
        }
        // What a later version adds to it has to be zero.
        if a.caller.bytes(a.long(4), size)?.iter().skip(16).any(|&byte| byte != 0) {
            return Err(Errno::TOO_BIG);
        }
        let [value, size_and_flags] = a.words::<2>(4)?;
        let packed = unsigned(size_and_flags);
        let raw = [0, unsigned(value), packed & u64::from(u32::MAX), packed >> 32, 0, a.long(3)];
        Arguments { caller: a.caller, raw }.extended(5, 1, 2, 3)
    }

    fn others(&self, call: Syscall, a: &Arguments) -> Option<Result<Outcome, Errno>> {
        Some(match call {
            Syscall::execve => a.here(0).map(|at| self.execute(a.caller, &at, 0)),
            Syscall::execveat => a.at(0).map(|at| self.execute(a.caller, &at, a.int(4))),
            Syscall::connect => Ok(self.connect(a.caller, a.int(0), a.long(1), a.unsigned(2))),
            Syscall::bind => Ok(self.bind(a.caller, a.int(0), a.long(1), a.unsigned(2))),
            Syscall::listen => Ok(self.listen(a.caller, a.int(0), a.int(1))),
            Syscall::sendto => {
                let name = (a.long(4), a.unsigned(5));
                Ok(self.send_to(a.caller, a.int(0), (a.long(1), a.long(2)), a.int(3), name))
            }
            Syscall::sendmsg => Ok(self.send_message(a.caller, a.int(0), a.long(1), a.int(2))),
            Syscall::sendmmsg => Ok(self.send_messages(a.caller, a.int(0), a.long(1), a.unsigned(2), a.int(3))),
            Syscall::recvfrom => {
                let name = (a.long(4), a.long(5));
                Ok(self.receive_from(a.caller, a.int(0), (a.long(1), a.long(2)), a.int(3), name))
            }
            Syscall::recvmsg => Ok(self.receive_message(a.caller, a.int(0), a.long(1), a.int(2))),
            Syscall::recvmmsg => Ok(self.receive_messages(a.caller, a.int(0), a.long(1), a.unsigned(2), a.int(3))),
            _ => return None,
        })
    }
}

/// The same bits, as the kernel's `long`.
fn signed(bits: u64) -> i64 {
    i64::from_ne_bytes(bits.to_ne_bytes())
}

/// The same bits, without a sign.
fn unsigned(bits: i64) -> u64 {
    u64::from_ne_bytes(bits.to_ne_bytes())
}

/// `how` of `openat2(2)`, checked as the kernel checks it.
///
/// # Errors
/// `EINVAL`, `E2BIG` as the kernel would answer.
fn parse_how(bytes: &[u8]) -> Result<OpenHow, Errno> {
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
