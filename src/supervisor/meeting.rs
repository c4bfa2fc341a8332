//! The program's last steps before it starts, and the keeper's before it answers: two pipes and one number.

use std::os::fd::{AsFd, OwnedFd};

use syscalls::notify::{Listener, descriptor_of};
use syscalls::process::Pid;
use syscalls::{Errno, file};

use crate::enforce::Meeting;

/// The program's side.
#[derive(Debug)]
pub(super) struct ProgramSide {
    number: OwnedFd,
    go: OwnedFd,
}

/// The keeper's side.
#[derive(Debug)]
pub(super) struct KeeperSide {
    number: OwnedFd,
    go: OwnedFd,
}

/// Both sides, before the fork between them.
///
/// # Errors
/// Those of `pipe2(2)`.
pub(super) fn pair() -> Result<(ProgramSide, KeeperSide), Errno> {
    let (number_out, number_in) = file::pipe()?;
    let (go_out, go_in) = file::pipe()?;
    Ok((ProgramSide { number: number_in, go: go_out }, KeeperSide { number: number_out, go: go_in }))
}

impl Meeting for ProgramSide {
    fn hand_over_listener(&self, number: i32) -> Result<(), Errno> {
        file::write(self.number.as_fd(), &number.to_ne_bytes())?;
        let mut go = [0];
        // The end of the pipe means that the keeper is gone or could not take the listener: nothing may run then.
        if file::read(self.go.as_fd(), &mut go)? == 1 { Ok(()) } else { Err(Errno::BROKEN_PIPE) }
    }
}

impl KeeperSide {
    /// Takes the listener of `program`; `None` when it failed before it had one, and has reported that itself.
    ///
    /// # Errors
    /// Those of `pidfd_getfd(2)`.
    pub(super) fn listener(&self, program: Pid) -> Result<Option<Listener>, Errno> {
        let mut number = [0; 4];
        match file::read(self.number.as_fd(), &mut number)? {
            4 => descriptor_of(program, i32::from_ne_bytes(number)).map(|fd| Some(Listener::new(fd))),
            _ => Ok(None),
        }
    }

    /// Lets the program go on.
    pub(super) fn go(self) {
        // A program that died meanwhile is noticed by its end.
        let _ = file::write(self.go.as_fd(), &[1]);
    }
}
