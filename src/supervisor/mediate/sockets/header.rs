//! `struct msghdr` of `sendmsg(2)`, copied once from the caller's memory.

use syscalls::Errno;
use syscalls::notify::write_memory;

use super::LONGEST_ADDRESS;
use crate::supervisor::mediate::caller::Caller;

/// `sizeof(struct msghdr)` and `sizeof(struct mmsghdr)` on 64-bit machines.
const SIZE: usize = 56;
pub(super) const SIZE_WITH_LENGTH: u64 = 64;
/// `UIO_MAXIOV` of `linux/uio.h`.
const MOST_PIECES: usize = 1024;
/// Control data is at most what `net.core.optmem_max` usually is.
const LARGEST_CONTROL: usize = 128 << 10;

/// A message as the caller describes it.
#[derive(Clone, Debug, Default)]
pub(super) struct Header {
    /// Where the structure itself is.
    pub(super) at: u64,
    pub(super) name: u64,
    pub(super) name_length: u32,
    pub(super) pieces: Vec<Piece>,
    pub(super) control: u64,
    pub(super) control_length: usize,
}

/// `struct iovec`: memory of the caller.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) address: u64,
    pub(super) length: usize,
}

impl Header {
    /// Reads the structure at `at`, and the list of its pieces.
    ///
    /// # Errors
    /// `EFAULT`, `EINVAL`, `EMSGSIZE` and `ENOBUFS` as the kernel would answer.
    pub(super) fn read(caller: Caller, at: u64) -> Result<Self, Errno> {
        let bytes = caller.bytes(at, SIZE)?;
        let name = word(&bytes, 0)?;
        // The kernel reads a signed length, refuses a negative one, and takes a longer one for the longest.
        let name_length = low_half(word(&bytes, 8)?);
        if name_length > i32::MAX.unsigned_abs() {
            return Err(Errno::INVALID);
        }
        let name_length = if name == 0 { 0 } else { name_length.min(LONGEST_ADDRESS) };
        let (list, count) = (word(&bytes, 16)?, usize::try_from(word(&bytes, 24)?).unwrap_or(usize::MAX));
        if count > MOST_PIECES {
            return Err(Errno::MESSAGE_TOO_LONG);
        }
        let control_length = usize::try_from(word(&bytes, 40)?).unwrap_or(usize::MAX);
        let control = word(&bytes, 32)?;
        let list = caller.bytes(list, count.saturating_mul(16))?;
        let mut total = 0_usize;
        let mut pieces = Vec::with_capacity(count);
        for piece in list.chunks_exact(16) {
            let length = usize::try_from(word(piece, 8)?).map_err(|_| Errno::INVALID)?;
            total = total.checked_add(length).filter(|total| isize::try_from(*total).is_ok()).ok_or(Errno::INVALID)?;
            pieces.push(Piece { address: word(piece, 0)?, length });
        }
        Ok(Self { at, name, name_length, pieces, control, control_length })
    }

    /// The control data.
    ///
    /// # Errors
    /// `ENOBUFS` when it is too much, `EFAULT`.
    pub(super) fn control(&self, caller: Caller) -> Result<Vec<u8>, Errno> {
        match self.control_length {
            0 => Ok(Vec::new()),
            length if length > LARGEST_CONTROL => Err(Errno::NO_BUFFERS),
            length => caller.bytes(self.control, length),
        }
    }

    /// Tells the caller how long the sender's address and the control data were, and what happened to the message.
    ///
    /// # Errors
    /// `EFAULT`.
    pub(super) fn write_back(
        &self,
        caller: Caller,
        name_length: usize,
        control_length: usize,
        flags: i32,
    ) -> Result<(), Errno> {
        let name_length = u32::try_from(name_length).map_err(|_| Errno::INVALID)?;
        write(caller, self.at.wrapping_add(8), &name_length.to_ne_bytes())?;
        write(caller, self.at.wrapping_add(40), &(control_length as u64).to_ne_bytes())?;
        write(caller, self.at.wrapping_add(48), &flags.to_ne_bytes())
    }
}

/// Tells the length of a message in its `struct mmsghdr`, which begins at `at`.
///
/// # Errors
/// `EFAULT`.
pub(super) fn write_length(caller: Caller, at: u64, length: usize) -> Result<(), Errno> {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    write(caller, at.wrapping_add(SIZE as u64), &length.to_ne_bytes())
}

/// What all of `pieces` hold together.
pub(super) fn total(pieces: &[Piece]) -> usize {
    pieces.iter().fold(0, |sum, piece| sum.saturating_add(piece.length))
}

/// Up to `most` bytes of `pieces` after the first `skipped`.
///
/// # Errors
/// `EFAULT`.
pub(super) fn gather(caller: Caller, pieces: &[Piece], skipped: usize, most: usize) -> Result<Vec<u8>, Errno> {
    let mut bytes = Vec::new();
    let mut skipped = skipped;
    for piece in pieces {
        let passed = skipped.min(piece.length);
        skipped = skipped.saturating_sub(passed);
        let wanted = piece.length.saturating_sub(passed).min(most.saturating_sub(bytes.len()));
        if wanted > 0 {
            bytes.extend(caller.bytes(piece.address.wrapping_add(passed as u64), wanted)?);
        }
    }
    Ok(bytes)
}

/// Spreads `bytes` over `pieces`.
///
/// # Errors
/// `EFAULT`.
pub(super) fn scatter(caller: Caller, pieces: &[Piece], bytes: &[u8]) -> Result<(), Errno> {
    let mut rest = bytes;
    for piece in pieces {
        let (now, later) = rest.split_at(piece.length.min(rest.len()));
        write(caller, piece.address, now)?;
        rest = later;
    }
    Ok(())
}

/// Writes all of `bytes` into the caller's memory.
///
/// # Errors
/// `EFAULT`.
pub(super) fn write(caller: Caller, address: u64, bytes: &[u8]) -> Result<(), Errno> {
    let written = if bytes.is_empty() { 0 } else { write_memory(caller.thread, address, bytes)? };
    if written == bytes.len() { Ok(()) } else { Err(Errno::FAULT) }
}

fn word(bytes: &[u8], at: usize) -> Result<u64, Errno> {
    let word = bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or(Errno::FAULT)?;
    Ok(u64::from_ne_bytes(*word))
}

/// The `int` that lies first in a word.
fn low_half(word: u64) -> u32 {
    let [a, b, c, d, ..] = word.to_ne_bytes();
    u32::from_ne_bytes([a, b, c, d])
}
