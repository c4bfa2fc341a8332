//! The controlling terminal: its modes, its foreground process group, its keys. See `tty(4)`, `termios(3)`.

pub mod modes;

use std::ffi::CStr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

use crate::errno::{Errno, checked, checked_int};
use crate::process::Pid;

pub use self::modes::Modes;

/// An open terminal. Reading and writing never wait; [`Terminal::wait`] does.
#[derive(Debug)]
pub struct Terminal(OwnedFd);

/// How large a terminal is, in characters and in pixels. Zero means that nobody has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub rows: u16,
    pub columns: u16,
    /// The width and the height.
    pub pixels: (u16, u16),
}

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    Input,
    Output,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// The terminal is gone: `POLLHUP` or `POLLERR`.
    Gone,
    NotYet,
    Ready,
}

impl Terminal {
    /// `open(2)` of `/dev/tty`: the terminal that controls the calling process's session, without waiting.
    ///
    /// # Errors
    /// `ENXIO` when there is none; `ENOTTY` when what is at that path is no terminal; those of `open(2)`.
    pub fn controlling() -> Result<Self, Errno> {
        let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_NONBLOCK | libc::O_CLOEXEC;
        // SAFETY: the path is a NUL-terminated literal.
        let fd = checked_int(unsafe { libc::open(c"/dev/tty".as_ptr(), flags) })?;
        // SAFETY: open(2) has just returned this descriptor, so nobody else owns it.
        let terminal = Self(unsafe { OwnedFd::from_raw_fd(fd) });
        if terminal.is_terminal() { Ok(terminal) } else { Err(Errno::NO_TERMINAL) }
    }

    /// Whether `path` leads to the calling process's controlling terminal: `tcgetsid(3)` knows no other.
    pub fn is_controlling(path: &CStr) -> bool {
        let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_NONBLOCK | libc::O_CLOEXEC;
        // SAFETY: the path is NUL-terminated and outlives the call, which takes numbers besides.
        let Ok(fd) = checked_int(unsafe { libc::open(path.as_ptr(), flags) }) else { return false };
        // SAFETY: open(2) has just returned this descriptor, so nobody else owns it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        // SAFETY: the call takes a number only; the descriptor is open for as long as `fd` lives.
        checked_int(unsafe { libc::tcgetsid(fd.as_raw_fd()) }).is_ok()
    }

    /// `isatty(3)`.
    pub fn is_terminal(&self) -> bool {
        // SAFETY: the call takes a number only.
        unsafe { libc::isatty(self.0.as_raw_fd()) == 1 }
    }

    /// `tcgetattr(3)`.
    ///
    /// # Errors
    /// `EIO` when the terminal is gone.
    pub fn modes(&self) -> Result<Modes, Errno> {
        let mut modes = std::mem::MaybeUninit::<libc::termios>::uninit();
        // SAFETY: `modes` is writable memory of the size that tcgetattr(3) fills.
        checked_int(unsafe { libc::tcgetattr(self.0.as_raw_fd(), modes.as_mut_ptr()) })?;
        // SAFETY: tcgetattr(3) succeeded, so it has filled the structure.
        Ok(Modes(unsafe { modes.assume_init() }))
    }

    /// `tcsetattr(3)` with `TCSANOW`: output that waits to be sent is not waited for.
    ///
    /// # Errors
    /// `EIO` when the terminal is gone. From the background the signal `SIGTTOU` comes, unless it is blocked.
    pub fn set_modes(&self, modes: &Modes) -> Result<(), Errno> {
        // SAFETY: `modes` is an initialised structure that outlives the call.
        checked_int(unsafe { libc::tcsetattr(self.0.as_raw_fd(), libc::TCSANOW, &raw const modes.0) }).map(drop)
    }

    /// `tcgetpgrp(3)`: the process group that gets the keys; `None` when it is in another PID namespace.
    ///
    /// # Errors
    /// `ENOTTY` when this terminal does not control the calling process's session.
    pub fn foreground_group(&self) -> Result<Option<Pid>, Errno> {
        // SAFETY: the call takes a number only.
        checked_int(unsafe { libc::tcgetpgrp(self.0.as_raw_fd()) }).map(Pid::new)
    }

    /// `tcsetpgrp(3)`.
    ///
    /// # Errors
    /// `EPERM` when the session has no such group. From the background the signal `SIGTTOU` comes, unless it is blocked.
    pub fn set_foreground_group(&self, group: Pid) -> Result<(), Errno> {
        // SAFETY: the call takes numbers only.
        checked_int(unsafe { libc::tcsetpgrp(self.0.as_raw_fd(), group.number()) }).map(drop)
    }

    /// `tcflush(3)` with `TCIFLUSH`: what was typed and not read is gone.
    ///
    /// # Errors
    /// `EIO` when the terminal is gone.
    pub fn discard_input(&self) -> Result<(), Errno> {
        // SAFETY: the call takes numbers only.
        checked_int(unsafe { libc::tcflush(self.0.as_raw_fd(), libc::TCIFLUSH) }).map(drop)
    }

    /// `tcflow(3)` with `TCOON`: output that somebody suspended goes on.
    ///
    /// # Errors
    /// `EIO` when the terminal is gone.
    pub fn resume_output(&self) -> Result<(), Errno> {
        // SAFETY: the call takes numbers only.
        checked_int(unsafe { libc::tcflow(self.0.as_raw_fd(), libc::TCOON) }).map(drop)
    }

    /// `TIOCGWINSZ` of `ioctl_tty(2)`.
    ///
    /// # Errors
    /// `EIO` when the terminal is gone.
    pub fn size(&self) -> Result<Size, Errno> {
        let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: `size` is writable, of the type this command fills, and lives through the call.
        checked_int(unsafe { libc::ioctl(self.0.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) })?;
        Ok(Size { rows: size.ws_row, columns: size.ws_col, pixels: (size.ws_xpixel, size.ws_ypixel) })
    }

    /// `TIOCSWINSZ` of `ioctl_tty(2)`. A change is a `SIGWINCH` to the foreground process group.
    ///
    /// # Errors
    /// `EIO` when the terminal is gone.
    pub fn set_size(&self, size: Size) -> Result<(), Errno> {
        let (ws_xpixel, ws_ypixel) = size.pixels;
        let size = libc::winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel, ws_ypixel };
        // SAFETY: `size` is initialised, of the type this command reads, and lives through the call.
        checked_int(unsafe { libc::ioctl(self.0.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) }).map(drop)
    }

    /// `poll(2)`: waits until the terminal is ready, at most `longest`. An interrupted wait counts as a short one.
    ///
    /// # Errors
    /// Those of `poll(2)`.
    pub fn wait(&self, interest: Interest, longest: Duration) -> Result<Readiness, Errno> {
        let events = match interest {
            Interest::Input => libc::POLLIN,
            Interest::Output => libc::POLLOUT,
        };
        let mut entry = libc::pollfd { fd: self.0.as_raw_fd(), events, revents: 0 };
        // Rounded up, so that a wait of less than a millisecond is not one of none.
        let timeout = libc::c_int::try_from(longest.as_micros().div_ceil(1000)).unwrap_or(libc::c_int::MAX);
        // SAFETY: `entry` is one initialised entry, as the count says, and lives through the call.
        match checked_int(unsafe { libc::poll(&raw mut entry, 1, timeout) }) {
            Err(Errno::INTERRUPTED) | Ok(0) => Ok(Readiness::NotYet),
            Err(errno) => Err(errno),
            // A terminal that is gone can be read as well: it gives an end of file.
            Ok(_) if entry.revents == events => Ok(Readiness::Ready),
            Ok(_) => Ok(Readiness::Gone),
        }
    }

    /// `read(2)`: what was typed, a line at most where the modes ask for lines. Zero bytes are the end-of-file key.
    ///
    /// # Errors
    /// `EAGAIN` when there is nothing; `EIO` in the background, or when the terminal is gone.
    pub fn read(&self, buffer: &mut [u8]) -> Result<usize, Errno> {
        // SAFETY: `buffer` is writable for the length given with it.
        let got = unsafe { libc::read(self.0.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
        checked(got as libc::c_long).map(|length| usize::try_from(length).unwrap_or(0))
    }

    /// `write(2)`: as much as the terminal takes now.
    ///
    /// # Errors
    /// `EAGAIN` when it takes nothing now; `EIO` when it is gone.
    pub fn write(&self, bytes: &[u8]) -> Result<usize, Errno> {
        // SAFETY: `bytes` is readable for the length given with it.
        let put = unsafe { libc::write(self.0.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) };
        checked(put as libc::c_long).map(|length| usize::try_from(length).unwrap_or(0))
    }
}
