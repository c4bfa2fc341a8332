//! What the kernel tells of a socket: `sock_diag(7)`.

use std::os::fd::BorrowedFd;

use super::netlink::{self, HEADER, REQUEST};
use crate::errno::Errno;
use crate::file;

/// A message type of `include/uapi/linux/sock_diag.h`.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// `UDIAG_SHOW_VFS` and `UNIX_DIAG_VFS` of `include/uapi/linux/unix_diag.h`.
const SHOW_FILE: u32 = 2;
const FILE: u16 = 1;
/// The sizes of `struct unix_diag_req`, `struct unix_diag_msg` and `struct nlattr`.
const QUESTION: usize = 24;
const ANSWER: usize = 16;
const ATTRIBUTE: usize = 4;

/// The number of the file that a Unix socket is bound to, its low 32 bits: the file itself, whatever has its name by now.
///
/// # Errors
/// `ENOENT` when it is bound to no file, or in another network namespace; `EPROTONOSUPPORT` on a kernel without
/// `CONFIG_UNIX_DIAG`.
pub fn bound_file(socket: BorrowedFd<'_>) -> Result<u32, Errno> {
    let (_, number) = file::status(socket)?.identity;
    // Socket files have numbers of 32 bits.
    let number = u32::try_from(number).map_err(|_| Errno::NOT_FOUND)?;
    let mut answer = [0; 256];
    let length = netlink::ask(libc::NETLINK_SOCK_DIAG, &question(number), &mut answer)?;
    file_of(answer.get(..length).unwrap_or_default()).ok_or(Errno::NOT_FOUND)
}

/// `struct nlmsghdr` and `struct unix_diag_req` for the file of the socket with this number.
fn question(number: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + QUESTION);
    bytes.extend(u32::try_from(HEADER + QUESTION).unwrap_or(0).to_ne_bytes());
    bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes.extend(REQUEST.to_ne_bytes());
    // Sequence and port: there is one answer, to this socket.
    bytes.extend([0; 8]);
    // The family, and every state.
    bytes.extend([1, 0, 0, 0]);
    bytes.extend(u32::MAX.to_ne_bytes());
    bytes.extend(number.to_ne_bytes());
    bytes.extend(SHOW_FILE.to_ne_bytes());
    // No cookie.
    bytes.extend([0xff; 8]);
    bytes
}

/// The attribute with the file of a `struct unix_diag_msg`.
fn file_of(message: &[u8]) -> Option<u32> {
    let kind = u16::from_ne_bytes(*message.get(4..)?.first_chunk()?);
    let mut rest = message.get(HEADER + ANSWER..).filter(|_| kind == SOCK_DIAG_BY_FAMILY)?;
    loop {
        let length = usize::from(u16::from_ne_bytes(*rest.first_chunk()?));
        let attribute = u16::from_ne_bytes(*rest.get(2..)?.first_chunk()?);
        if attribute == FILE {
            return rest.get(ATTRIBUTE..length)?.first_chunk().copied().map(u32::from_ne_bytes);
        }
        rest = rest.get(length.max(ATTRIBUTE).next_multiple_of(ATTRIBUTE)..)?;
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::MetadataExt as _;
    use std::os::unix::net::{UnixDatagram, UnixListener};

    use super::*;

    #[test]
    fn a_socket_is_bound_to_the_file_it_made_whatever_has_the_name_now() {
        let directory = std::env::temp_dir().join(format!("nono-diagnosis-{}", std::process::id()));
        std::fs::create_dir(&directory).unwrap();
        let (path, other) = (directory.join("socket"), directory.join("other"));
        let socket = UnixListener::bind(&path).unwrap();
        let made = std::fs::symlink_metadata(&path).unwrap().ino();
        let _other = UnixListener::bind(&other).unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert_eq!(bound_file(socket.as_fd()).map(u64::from), Ok(made & u64::from(u32::MAX)));
        std::fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_socket_without_a_file_has_none() {
        assert_eq!(bound_file(UnixDatagram::unbound().unwrap().as_fd()), Err(Errno::NOT_FOUND));
        assert!(bound_file(std::fs::File::open("/dev/null").unwrap().as_fd()).is_err());
    }

    #[test]
    fn torn_answers_have_no_file() {
        let mut whole = vec![0_u8; HEADER + ANSWER];
        whole[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        whole.extend([5, 0, 9, 0, 7, 0, 0, 0]);
        whole.extend([12, 0, 1, 0, 42, 0, 0, 0, 8, 0, 0, 0]);
        assert_eq!(file_of(&whole), Some(42));
        for length in 0..HEADER + ANSWER + 8 + ATTRIBUTE {
            assert_eq!(file_of(&whole[..length]), None, "{length}");
        }
        whole[HEADER + ANSWER..][..2].copy_from_slice(&[0, 0]);
        assert_eq!(file_of(&whole), None);
    }
}
