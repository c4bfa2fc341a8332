//! `recvfrom(2)`, `recvmsg(2)` and `recvmmsg(2)` of sockets that have written to an address that stands for another. What
//! answers is shown under the address that was written to: resolvers and others compare the two. Nothing is decided here,
//! and every other socket's calls are the kernel's.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use syscalls::Errno;
use syscalls::socket::message::{self, Received, flag};
use syscalls::socket::{self, Family, address};

use super::header::{Header, Piece, SIZE_WITH_LENGTH, scatter, total, write, write_length};
use super::inet::shaped;
use super::network::Network;
use super::send::MOST_MESSAGES;
use crate::supervisor::mediate::caller::Caller;
use crate::supervisor::mediate::{Mediator, Outcome};

/// A datagram of the Internet is no longer.
const LARGEST_DATAGRAM: usize = 65_535;
const LARGEST_CONTROL: usize = 4096;

/// Where a datagram is to go.
enum Target {
    /// `recvfrom(2)`: the sender's address, and where its length is.
    Plain {
        piece: Piece,
        name: u64,
        name_length: u64,
    },
    Message(Header),
    /// The structures of `recvmmsg(2)`, one after the other.
    Messages {
        at: u64,
        count: u32,
    },
}

/// A datagram that came.
struct Datagram {
    data: Vec<u8>,
    /// Who is shown as its sender.
    sender: Vec<u8>,
    control: Vec<u8>,
    received: Received,
}

/// One call.
struct Receiving {
    network: Arc<Network>,
    caller: Caller,
    socket: OwnedFd,
    family: Family,
    flags: i32,
}

impl Mediator {
    /// Answers `recvfrom(2)` that asks for the sender.
    pub(in crate::supervisor::mediate) fn receive_from(
        &self,
        caller: Caller,
        number: i32,
        piece: (u64, u64),
        flags: i32,
        name: (u64, u64),
    ) -> Outcome {
        let length = usize::try_from(piece.1).unwrap_or(usize::MAX);
        let piece = Piece { address: piece.0, length };
        self.take_in(caller, number, flags, || Ok(Target::Plain { piece, name: name.0, name_length: name.1 }))
    }

    /// Answers `recvmsg(2)`.
    pub(in crate::supervisor::mediate) fn receive_message(
        &self,
        caller: Caller,
        number: i32,
        at: u64,
        flags: i32,
    ) -> Outcome {
        self.take_in(caller, number, flags, || Header::read(caller, at).map(Target::Message))
    }

    /// Answers `recvmmsg(2)`: with what is there once something is.
    pub(in crate::supervisor::mediate) fn receive_messages(
        &self,
        caller: Caller,
        number: i32,
        at: u64,
        count: u32,
        flags: i32,
    ) -> Outcome {
        self.take_in(caller, number, flags, || Ok(Target::Messages { at, count: count.min(MOST_MESSAGES) }))
    }

    fn take_in(
        &self,
        caller: Caller,
        number: i32,
        flags: i32,
        target: impl FnOnce() -> Result<Target, Errno>,
    ) -> Outcome {
        // The kernel's own errors come from the kernel; so does what is no datagram.
        if !self.network.senders.is_used() || flags & flag::ERROR_QUEUE != 0 {
            return Outcome::GoOn;
        }
        let Ok(socket) = caller.duplicate(number) else { return Outcome::GoOn };
        let Ok(family) = socket::family(socket.as_fd()) else { return Outcome::GoOn };
        let has_senders = matches!(family, Family::Inet | Family::Inet6) && self.network.senders.has(&socket);
        if !has_senders {
            return Outcome::GoOn;
        }
        let target = match self.check_still_waits(caller).and_then(|()| target()) {
            Ok(target) => target,
            Err(errno) => return Outcome::Fail(errno),
        };
        let receiving = Receiving { network: Arc::clone(&self.network), caller, socket, family, flags };
        match receiving.take(&target, flag::DONTWAIT) {
            Err(Errno::TRY_AGAIN) if receiving.may_wait() => {
                Outcome::Slow(Box::new(move || receiving.take(&target, 0).map_or_else(Outcome::Fail, Outcome::Return)))
            }
            taken => taken.map_or_else(Outcome::Fail, Outcome::Return),
        }
    }
}

impl Receiving {
    fn may_wait(&self) -> bool {
        self.flags & flag::DONTWAIT == 0 && socket::is_non_blocking(self.socket.as_fd()) == Ok(false)
    }

    /// Takes one datagram, or several, and hands them over. Answers with what the call returns.
    fn take(&self, target: &Target, more: i32) -> Result<i64, Errno> {
        let flags = (self.flags | more) & !flag::WAIT_FOR_ONE;
        match target {
            Target::Plain { piece, name, name_length } => {
                let Datagram { data, sender, received, .. } = self.one(piece.length, 0, flags)?;
                let room = self.caller.bytes(*name_length, 4)?;
                let room = room.first_chunk().map_or(0, |room| u32::from_ne_bytes(*room));
                scatter(self.caller, &[*piece], kept(&data, &received))?;
                write(self.caller, *name, cut(&sender, room))?;
                let length = u32::try_from(sender.len()).map_err(|_| Errno::INVALID)?;
                write(self.caller, *name_length, &length.to_ne_bytes())?;
                returned(&received)
            }
            Target::Message(header) => {
                let received = self.message(header, flags)?;
                returned(&received)
            }
            Target::Messages { at, count } => {
                let mut taken = 0;
                for index in 0..*count {
                    let at = at.wrapping_add(u64::from(index).wrapping_mul(SIZE_WITH_LENGTH));
                    let flags = if index == 0 { flags } else { flags | flag::DONTWAIT };
                    let this = Header::read(self.caller, at).and_then(|header| self.message(&header, flags));
                    match this.and_then(|received| write_length(self.caller, at, received.length)) {
                        Ok(()) => taken += 1,
                        Err(errno) if index == 0 => return Err(errno),
                        Err(_) => break,
                    }
                }
                Ok(taken)
            }
        }
    }

    fn message(&self, header: &Header, flags: i32) -> Result<Received, Errno> {
        let Datagram { data, sender, control, received } =
            self.one(total(&header.pieces), header.control_length, flags)?;
        scatter(self.caller, &header.pieces, kept(&data, &received))?;
        let mut named = 0;
        if header.name != 0 {
            write(self.caller, header.name, cut(&sender, header.name_length))?;
            named = sender.len();
        }
        write(self.caller, header.control, &control)?;
        header.write_back(self.caller, named, control.len(), received.flags)?;
        Ok(received)
    }

    fn one(&self, room: usize, control: usize, flags: i32) -> Result<Datagram, Errno> {
        let mut data = vec![0; room.min(LARGEST_DATAGRAM)];
        let mut control = vec![0; control.min(LARGEST_CONTROL)];
        let mut sender = [0; 128];
        let received = message::receive(self.socket.as_fd(), &mut sender, &mut data, &mut control, flags)?;
        control.truncate(received.control);
        let real = sender.get(..received.address).unwrap_or_default();
        let shown = match address::decode(real) {
            Some(real) => {
                let shown = self.network.senders.shown(&self.socket, real);
                address::encode(&shaped(self.family, shown).unwrap_or(real))
            }
            None => real.to_vec(),
        };
        Ok(Datagram { data, sender: shown, control, received })
    }
}

/// The part of the buffer that holds data: `MSG_TRUNC` makes the length that of the whole datagram.
fn kept<'d>(data: &'d [u8], received: &Received) -> &'d [u8] {
    data.get(..received.length).unwrap_or(data)
}

fn cut(bytes: &[u8], room: u32) -> &[u8] {
    bytes.get(..usize::try_from(room).unwrap_or(0)).unwrap_or(bytes)
}

fn returned(received: &Received) -> Result<i64, Errno> {
    i64::try_from(received.length).map_err(|_| Errno::INVALID)
}
