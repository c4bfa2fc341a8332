//! The thread whose call is looked at: its memory, directories, mask and identity, read from outside.
//!
//! Everything here is only a claim until the notification is still valid afterwards: a thread that died may have left its
//! number to another.

mod identity;
mod links;
mod memory;

use std::ffi::{CStr, CString};
use std::fs;
use std::io::Read as _;
use std::os::fd::OwnedFd;

use syscalls::at::OpenHow;
use syscalls::credentials::CapabilitySet;
use syscalls::credentials::thread::with_more;
use syscalls::limits::{Resource, limit_of};
use syscalls::notify::{NotifyId, descriptor_of, read_memory};
use syscalls::process::Pid;
use syscalls::signal::{self, Signal};
use syscalls::{Errno, file};

pub(in crate::supervisor) use self::identity::Powers;
pub(super) use self::links::{Links, decimal};
pub(super) use self::memory::Memories;
use crate::approval::Process;
use crate::profile::abs_path::AbsPath;

/// `AT_FDCWD` of `openat(2)`, as the low half of an argument.
const AT_FDCWD: i32 = -100;
/// `PATH_MAX` of `limits.h`, with the NUL byte.
pub(super) const PATH_MAX: usize = 4096;
const PAGE: u64 = 4096;
/// More than `NGROUPS_MAX` groups of eleven characters take.
const LONGEST_STATUS: u64 = 1 << 20;
/// Longer strings are copied a second time, whole.
pub(super) const SHORT: usize = 256;
/// What the kernel puts behind the name of a file that has lost it (`proc_pid_fd(5)`).
pub(super) const DELETED: &[u8] = b" (deleted)";

/// A thread that waits for the answer to its call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) thread: Pid,
    pub(super) id: NotifyId,
    /// Capabilities that it takes to look into it, raised for as long as that takes.
    pub(super) to_look: CapabilitySet,
}

impl Caller {
    /// Runs `look`, which looks into the caller's process and does nothing the caller chose.
    pub(super) fn looking<R>(self, look: impl FnOnce() -> R) -> R {
        with_more(self.to_look, look)
    }

    /// The string at `address`, up to its NUL byte, copied once. It is a private copy: the caller may change its own.
    ///
    /// # Errors
    /// `EFAULT` when the memory ends before the string does, `ENAMETOOLONG` past `PATH_MAX`.
    pub(super) fn string(self, address: u64) -> Result<CString, Errno> {
        // Most strings are short, and do not cross into a page that may not be mapped.
        let mut short = [0_u8; SHORT];
        let part = &mut short[..to_page_end(address).min(SHORT)];
        let copied = self.looking(|| read_memory(self.thread, address, part))?;
        match CStr::from_bytes_until_nul(&part[..copied]) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => self.long_string(address),
        }
    }

    fn long_string(self, address: u64) -> Result<CString, Errno> {
        let mut buffer = [0_u8; PATH_MAX];
        let mut filled = 0_usize;
        while filled < PATH_MAX {
            let from = address.wrapping_add(filled as u64);
            let wanted = to_page_end(from).min(PATH_MAX - filled);
            let copied = self.looking(|| read_memory(self.thread, from, &mut buffer[filled..filled + wanted]))?;
            filled += copied;
            if let Ok(text) = CStr::from_bytes_until_nul(&buffer[..filled]) {
                return Ok(text.to_owned());
            }
            if copied < wanted {
                return Err(Errno::FAULT);
            }
        }
        Err(Errno::NAME_TOO_LONG)
    }

    /// Exactly `length` bytes at `address`, copied once.
    ///
    /// # Errors
    /// `EFAULT` when the memory ends before that.
    pub(super) fn bytes(self, address: u64, length: usize) -> Result<Vec<u8>, Errno> {
        let mut buffer = vec![0_u8; length];
        let copied = if length == 0 { 0 } else { self.looking(|| read_memory(self.thread, address, &mut buffer))? };
        if copied == length { Ok(buffer) } else { Err(Errno::FAULT) }
    }

    /// What descriptor `number` of the caller is, opened without access; its working directory for `AT_FDCWD`.
    ///
    /// # Errors
    /// `EBADF` when it has no such descriptor.
    pub(super) fn directory(self, number: i32) -> Result<OwnedFd, Errno> {
        let link = directory_link(self.thread, number)?;
        self.looking(|| file::open_path(&link)).map_err(|errno| match errno {
            Errno::NOT_FOUND if number != AT_FDCWD => Errno::BAD_DESCRIPTOR,
            other => other,
        })
    }

    /// A descriptor that was opened with `O_PATH` takes no change of its file (`open(2)`).
    ///
    /// # Errors
    /// `EBADF` when descriptor `number` is one.
    pub(super) fn check_not_path_only(self, number: i32) -> Result<(), Errno> {
        let path = format!("/proc/{}/fdinfo/{number}", self.thread.number());
        let text = self.looking(|| fs::read_to_string(path)).map_err(|_| Errno::BAD_DESCRIPTOR)?;
        let flags = text.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("flags:")?.trim(), 8).ok());
        if flags.is_none_or(|flags| flags & OpenHow::PATH != 0) { Err(Errno::BAD_DESCRIPTOR) } else { Ok(()) }
    }

    fn status_field(self, name: &str) -> Option<String> {
        status_field(self.thread, name)
    }

    /// The mask of the caller's new files. Without one nothing is made: a wrong mask would open a file to others.
    ///
    /// # Errors
    /// `ESRCH` when the caller is gone.
    pub(super) fn umask(self) -> Result<u32, Errno> {
        let field = self.status_field("Umask").ok_or(Errno::NO_SUCH_PROCESS)?;
        u32::from_str_radix(&field, 8).map_err(|_| Errno::NO_SUCH_PROCESS)
    }

    /// Whether its table of descriptors takes another. What an open makes or cuts short stays so, also when nobody can have
    /// the descriptor.
    ///
    /// # Errors
    /// `EMFILE` when every number below its limit is taken.
    pub(super) fn check_room(self) -> Result<(), Errno> {
        let path = format!("/proc/{}/fd", self.thread.number());
        self.looking(|| {
            let Ok(limit) = limit_of(self.thread, Resource::OpenFiles) else { return Ok(()) };
            // The size of the directory is how many there are (`proc_pid_fd(5)`, since Linux 6.2).
            if fs::metadata(&path).is_ok_and(|about| about.len() < limit) {
                return Ok(());
            }
            let entries = fs::read_dir(&path).into_iter().flatten().flatten();
            let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u64>().ok());
            let taken = numbers.filter(|number| *number < limit).count();
            if u64::try_from(taken) == Ok(limit) { Err(Errno::TOO_MANY_FILES) } else { Ok(()) }
        })
    }

    /// Whether it may make a file of `now` bytes as long as `length`. Else it gets the signal that it would have had.
    ///
    /// # Errors
    /// `EFBIG` beyond its limit (`truncate(2)`).
    pub(super) fn check_length(self, now: u64, length: u64) -> Result<(), Errno> {
        let limit = self.looking(|| limit_of(self.thread, Resource::FileSize)).unwrap_or(u64::MAX);
        if length <= now || length <= limit {
            return Ok(());
        }
        let process = self.process()?;
        let _ = signal::send(process, Signal::FILE_SIZE);
        Err(Errno::FILE_TOO_BIG)
    }

    /// The process of the thread.
    ///
    /// # Errors
    /// `ESRCH` when the caller is gone.
    pub(super) fn process(self) -> Result<Pid, Errno> {
        process_of(self.thread)
    }

    /// A duplicate of descriptor `number` of the caller.
    ///
    /// # Errors
    /// `EBADF` when it has no such descriptor.
    pub(super) fn duplicate(self, number: i32) -> Result<OwnedFd, Errno> {
        self.looking(|| descriptor_of(self.thread, number))
    }

    /// Whether a signal is there for the caller, or its process, that it neither blocks nor ignores. It waits for the answer
    /// to its call and would not hear of it.
    pub(super) fn has_signal(self) -> bool {
        let Some(status) = status_of(&self.thread.number().to_string()) else { return false };
        let set = |name: &str| {
            let text = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            text.and_then(|text| u64::from_str_radix(text.trim(), 16).ok()).unwrap_or(0)
        };
        (set("SigPnd") | set("ShdPnd")) & !set("SigBlk") & !set("SigIgn") != 0
    }

    /// The terminal that `/dev/tty` means for the caller, where this process has another one: a path and the device
    /// number. `None` where it is this process's too.
    ///
    /// # Errors
    /// `ENXIO` when the caller has none.
    pub(super) fn terminal(self) -> Result<Option<(CString, u64)>, Errno> {
        let terminal_of =
            |whose: &str| fs::read(format!("/proc/{whose}/stat")).ok().as_deref().and_then(terminal_device);
        let device = terminal_of(&self.thread.number().to_string()).ok_or(Errno::NO_DEVICE)?;
        if terminal_of("self") == Some(device) {
            return Ok(None);
        }
        let (major, minor) = (device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xf_ff00);
        // Pseudo-terminals have these numbers (Documentation/admin-guide/devices.txt), and the kernel names the rest.
        let name = if (136..=143).contains(&major) {
            format!("pts/{}", (major - 136) << 8 | minor)
        } else {
            let event = fs::read_to_string(format!("/sys/dev/char/{major}:{minor}/uevent")).unwrap_or_default();
            event.lines().find_map(|line| line.strip_prefix("DEVNAME=")).ok_or(Errno::NO_DEVICE)?.to_owned()
        };
        let path = CString::new(format!("/dev/{name}")).map_err(|_| Errno::INVALID)?;
        Ok(Some((path, device)))
    }

    /// Who asks, for a question.
    pub(super) fn describe(self) -> Process {
        // Read once: the kernel makes the whole text anew for whoever asks.
        let status = status_of(&self.thread.number().to_string()).unwrap_or_default();
        let number = |name| field(&status, name).and_then(|text| text.split_whitespace().next()?.parse().ok());
        let link = |name: &str| {
            let path = format!("/proc/{}/{name}", self.thread.number());
            let target = self.looking(|| fs::read_link(path)).ok()?;
            AbsPath::new(std::os::unix::ffi::OsStrExt::as_bytes(target.as_os_str()))
        };
        Process {
            pid: number("Tgid").unwrap_or_else(|| self.thread.number()),
            parent: number("PPid").unwrap_or(0),
            executable: link("exe"),
            directory: link("cwd"),
            user: field(&status, "Uid").and_then(|ids| ids.split_whitespace().nth(1)?.parse().ok()).unwrap_or(u32::MAX),
        }
    }
}

/// The field `tty_nr` of `proc_pid_stat(5)`; `None` without a terminal. The name before it may hold anything.
fn terminal_device(stat: &[u8]) -> Option<u64> {
    let name_end = stat.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(stat.get(name_end + 1..)?).ok()?;
    let number: u64 = rest.split_ascii_whitespace().nth(4)?.parse().ok()?;
    (number != 0).then_some(number)
}

/// The name of a descriptor of the process of `thread`, or of its working directory (`proc_pid_fd(5)`, `proc_pid_cwd(5)`).
fn directory_link(thread: Pid, number: i32) -> Result<CString, Errno> {
    let link = match number {
        AT_FDCWD => format!("/proc/{}/cwd", thread.number()),
        number if number < 0 => return Err(Errno::BAD_DESCRIPTOR),
        number => format!("/proc/{}/fd/{number}", thread.number()),
    };
    CString::new(link).map_err(|_| Errno::INVALID)
}

/// How many bytes of the page of `address` lie at it or behind it. The next page may not be mapped.
fn to_page_end(address: u64) -> usize {
    usize::try_from(PAGE - address % PAGE).unwrap_or(PATH_MAX)
}

/// The process of `thread`.
///
/// # Errors
/// `ESRCH` when the thread is gone.
pub(super) fn process_of(thread: Pid) -> Result<Pid, Errno> {
    let field = status_field(thread, "Tgid").and_then(|text| text.parse().ok());
    field.and_then(Pid::new).ok_or(Errno::NO_SUCH_PROCESS)
}

/// `/proc/TID/status`, or that of `self` and `thread-self` (`proc_pid_status(5)`).
fn status_of(thread: &str) -> Option<String> {
    // Longer than most. The kernel tells no size before, and makes the text anew for each small piece of it.
    let mut status = Vec::with_capacity(4096);
    let file = fs::File::open(format!("/proc/{thread}/status")).ok()?;
    file.take(LONGEST_STATUS).read_to_end(&mut status).ok()?;
    String::from_utf8(status).ok()
}

/// A field of `/proc/TID/status` (`proc_pid_status(5)`).
fn status_field(thread: Pid, name: &str) -> Option<String> {
    let status = status_of(&thread.number().to_string())?;
    field(&status, name).map(ToOwned::to_owned)
}

/// The field `name` of the text of `proc_pid_status(5)`.
fn field<'s>(status: &'s str, name: &str) -> Option<&'s str> {
    status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}
