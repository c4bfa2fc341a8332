//! `sendto(2)`, `sendmsg(2)` and `sendmmsg(2)`: the address, the data and what goes with it are copied once, the address is
//! decided about, and the message is sent from the caller's own socket.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use syscalls::Errno;
use syscalls::process::own_id;
use syscalls::signal::{self, Signal};
use syscalls::socket::message::{self, flag};
use syscalls::socket::{self, Family, Type, address, unix_address};

use super::control::{Control, Sender, translated};
use super::header::{Header, Piece, SIZE_WITH_LENGTH, gather, total, write_length};
use super::inet::shaped;
use super::network::{Settled, Wanted};
use super::{UnixAddress, copied};
use crate::supervisor::mediate::caller::Caller;
use crate::supervisor::mediate::open::own_name;
use crate::supervisor::mediate::resolve::Object;
use crate::supervisor::mediate::{Decided, Mediator, Outcome};

/// The longest datagram, and the part of a stream that is copied at once.
const LARGEST_DATAGRAM: usize = 1 << 20;
const PART: usize = 256 << 10;
/// Messages of one `sendmmsg(2)` (`UIO_MAXIOV`).
pub(super) const MOST_MESSAGES: u32 = 1024;

/// A message on its way.
struct Sending {
    caller: Caller,
    socket: OwnedFd,
    kind: Type,
    pieces: Vec<Piece>,
    control: Control,
    flags: i32,
    /// Where `struct mmsghdr` takes the length.
    report: Option<u64>,
}

/// Whom a message is for.
enum Receiver {
    /// Whoever the socket is connected to, or an address that only the kernel reads.
    Address(Vec<u8>),
    /// The Unix socket that was looked up.
    Socket(Object),
    Asked(Object, Decided),
    Internet(Family, Wanted, Settled),
}

impl Mediator {
    /// Answers `sendto(2)` with an address.
    pub(in crate::supervisor::mediate) fn send_to(
        &self,
        caller: Caller,
        number: i32,
        piece: (u64, u64),
        flags: i32,
        name: (u64, u32),
    ) -> Outcome {
        let Ok(length) = usize::try_from(piece.1) else { return Outcome::Fail(Errno::INVALID) };
        // The kernel itself takes what is longer than any file for that long.
        let pieces = vec![Piece { address: piece.0, length: length.min(0x7fff_f000) }];
        let header = Header { name: name.0, name_length: name.1, pieces, ..Header::default() };
        self.transmit(caller, number, &header, flags, None).unwrap_or_else(Outcome::Fail)
    }

    /// Answers `sendmsg(2)`.
    pub(in crate::supervisor::mediate) fn send_message(
        &self,
        caller: Caller,
        number: i32,
        at: u64,
        flags: i32,
    ) -> Outcome {
        let sent = Header::read(caller, at).and_then(|header| self.transmit(caller, number, &header, flags, None));
        sent.unwrap_or_else(Outcome::Fail)
    }

    /// Answers `sendmmsg(2)`. Only the first message may wait: after it, what cannot be sent at once is left to the next call.
    pub(in crate::supervisor::mediate) fn send_messages(
        &self,
        caller: Caller,
        number: i32,
        at: u64,
        count: u32,
        flags: i32,
    ) -> Outcome {
        let mut sent = 0;
        for index in 0..count.min(MOST_MESSAGES) {
            let at = at.wrapping_add(u64::from(index).wrapping_mul(SIZE_WITH_LENGTH));
            let this =
                Header::read(caller, at).and_then(|header| self.transmit(caller, number, &header, flags, Some(at)));
            match this {
                Ok(Outcome::Return(_)) => sent += 1,
                Ok(first @ Outcome::Slow(_)) if index == 0 => return first,
                Ok(Outcome::Fail(errno)) | Err(errno) if index == 0 => return Outcome::Fail(errno),
                Ok(_) | Err(_) => break,
            }
        }
        Outcome::Return(sent)
    }

    fn transmit(
        &self,
        caller: Caller,
        number: i32,
        header: &Header,
        flags: i32,
        report: Option<u64>,
    ) -> Result<Outcome, Errno> {
        // What it promises holds for the caller's memory alone, and this is a copy. Programs fall back on this error.
        if flags & flag::ZEROCOPY != 0 {
            return Err(Errno::NO_BUFFERS);
        }
        let process = caller.process()?;
        let socket = caller.duplicate(number)?;
        let (family, kind) = (socket::family(socket.as_fd())?, socket::kind(socket.as_fd())?);
        let name = if header.name == 0 { Vec::new() } else { copied(caller, header.name, header.name_length)? };
        let descriptor = |number| caller.duplicate(number);
        let sender = Sender { process: process.number(), own: own_id().number(), descriptor: &descriptor };
        let control = translated(&header.control(caller)?, family, &sender)?;
        let pieces = header.pieces.clone();
        let receiver = self.receiver(caller, family, kind, name)?;
        let sending = Sending { caller, socket, kind, pieces, control, flags, report };
        self.deliver(sending, receiver)
    }

    fn receiver(&self, caller: Caller, family: Family, kind: Type, name: Vec<u8>) -> Result<Receiver, Errno> {
        let unaddressed = Ok(Receiver::Address(Vec::new()));
        match (family, kind) {
            _ if name.is_empty() => unaddressed,
            // The address of a stream counts only for opening it while sending (MSG_FASTOPEN), which the filter refuses.
            (Family::Inet | Family::Inet6, Type::Stream) => unaddressed,
            (Family::Inet | Family::Inet6, Type::Datagram) => {
                let address = match (family, address::family(&name).ok_or(Errno::INVALID)?) {
                    // udp(7) takes no family for its own.
                    (Family::Inet, address::AF_INET | address::AF_UNSPEC) => address::decode_v4(&name).map(Into::into),
                    (Family::Inet6, address::AF_INET | address::AF_INET6) => address::decode(&name),
                    (Family::Inet6, address::AF_UNSPEC) => return unaddressed,
                    _ => return Err(Errno::FAMILY),
                };
                let address = address.ok_or(Errno::INVALID)?;
                let wanted = Wanted { address, udp: true, probe: false };
                Ok(Receiver::Internet(family, wanted, self.network.settle(caller, wanted)?))
            }
            // A stream or packets go to the peer: the kernel ignores the address, or says that there is a peer already.
            (Family::Unix, Type::Stream | Type::Packets) | (Family::Netlink, _) => Ok(Receiver::Address(name)),
            (Family::Unix, _) => match super::unix_address(&name) {
                UnixAddress::Path(path) => match self.peer(caller, &path)? {
                    (object, Decided::Act) => Ok(Receiver::Socket(object)),
                    (object, decided) => Ok(Receiver::Asked(object, decided)),
                },
                UnixAddress::Abstract => Err(self.refuse_abstract(caller, &name)),
                UnixAddress::Nameless => Err(Errno::INVALID),
            },
            (Family::Inet | Family::Inet6 | Family::Other, _) => Err(Errno::ACCESS),
        }
    }

    fn deliver(&self, sending: Sending, receiver: Receiver) -> Result<Outcome, Errno> {
        self.check_still_waits(sending.caller)?;
        match receiver {
            Receiver::Address(name) => Ok(sending.go(name, None)),
            Receiver::Socket(object) => {
                let name = unix_address(own_name(&object.file).to_bytes())?;
                Ok(sending.go(name, Some(object)))
            }
            Receiver::Asked(object, Decided::Ask(questions)) => {
                let name = unix_address(own_name(&object.file).to_bytes())?;
                Ok(self.ask(sending.caller, questions, move || sending.go(name, Some(object))))
            }
            Receiver::Asked(_, Decided::Refuse(errno)) => Err(errno),
            Receiver::Asked(..) => Err(Errno::ACCESS),
            Receiver::Internet(family, wanted, settled) => {
                let network = Arc::clone(&self.network);
                let send = move |sending: Sending, real| {
                    if real != wanted.address {
                        network.senders.show(&sending.socket, real, wanted.address)?;
                    }
                    Ok(sending.go(address::encode(&shaped(family, real)?), None))
                };
                match settled {
                    Settled::At(real) => send(sending, real),
                    Settled::Closed(_) => Err(Errno::ACCESS),
                    Settled::NameServer(own) => {
                        self.network.know(&sending.socket, family == Family::Inet6, true)?;
                        send(sending, own)
                    }
                    Settled::Asked(ask) => Ok(Outcome::Asked(Box::new(move || match ask() {
                        Ok(real) => Outcome::Slow(Box::new(move || send(sending, real).unwrap_or_else(Outcome::Fail))),
                        Err(errno) => Outcome::Fail(errno),
                    }))),
                    Settled::Later(find) => Ok(Outcome::Slow(Box::new(move || {
                        find().and_then(|real| send(sending, real)).unwrap_or_else(Outcome::Fail)
                    }))),
                }
            }
        }
    }
}

impl Sending {
    /// Sends without waiting, and leaves what is to wait to a thread of its own. `held` is what `name` leads to.
    fn go(self, name: Vec<u8>, held: Option<Object>) -> Outcome {
        let mut sent = 0;
        match self.progress(&name, &mut sent, flag::DONTWAIT) {
            Err(Errno::TRY_AGAIN) if self.may_wait() => Outcome::Slow(Box::new(move || {
                let _held = held;
                let mut sent = sent;
                let outcome = self.progress(&name, &mut sent, 0);
                self.ended(outcome, sent)
            })),
            outcome => self.ended(outcome, sent),
        }
    }

    /// Sends the rest after `sent` bytes.
    fn progress(&self, name: &[u8], sent: &mut usize, more: i32) -> Result<(), Errno> {
        let whole = total(&self.pieces);
        let is_stream = self.kind == Type::Stream;
        if !is_stream && whole > LARGEST_DATAGRAM {
            return Err(Errno::MESSAGE_TOO_LONG);
        }
        loop {
            let part = gather(self.caller, &self.pieces, *sent, if is_stream { PART } else { LARGEST_DATAGRAM })?;
            // What goes along goes with the first byte.
            let control = if *sent == 0 { &self.control.bytes[..] } else { &[] };
            let flags = self.flags | more | flag::NOSIGNAL;
            let count = message::send(self.socket.as_fd(), name, &part, control, flags)?;
            *sent = sent.saturating_add(count);
            if !is_stream || *sent >= whole || count == 0 {
                return Ok(());
            }
        }
    }

    fn may_wait(&self) -> bool {
        self.flags & flag::DONTWAIT == 0 && socket::is_non_blocking(self.socket.as_fd()) == Ok(false)
    }

    /// What the caller hears: as `send(2)` does, of an error only when nothing was sent.
    fn ended(&self, outcome: Result<(), Errno>, sent: usize) -> Outcome {
        if let (Err(errno), 0) = (outcome, sent) {
            let wants_signal = self.kind == Type::Stream && self.flags & flag::NOSIGNAL == 0;
            if let (Errno::BROKEN_PIPE, true, Ok(process)) = (errno, wants_signal, self.caller.process()) {
                // It is gone, or gets the signal that it would have had.
                let _ = signal::send(process, Signal::PIPE);
            }
            return Outcome::Fail(errno);
        }
        match self.report {
            None => Outcome::Return(i64::try_from(sent).unwrap_or(i64::MAX)),
            Some(at) => match write_length(self.caller, at, sent) {
                Ok(()) => Outcome::Return(1),
                Err(errno) => Outcome::Fail(errno),
            },
        }
    }
}
