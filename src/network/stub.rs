//! The name server that programs talk to, whichever they think it is: datagrams and streams on loopback, on ports that only
//! this process knows.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use syscalls::socket;

use super::dns::Code;
use super::dns::query::{self, Query, Reply};
use super::names::{Names, Said};

/// Queries that may wait for a name server at once, and streams that may be open.
const MOST_WAITING: usize = 32;
const MOST_STREAMS: usize = 16;
/// Queries on one stream, and how long it may be silent.
const MOST_ON_STREAM: usize = 256;
const SILENCE: Duration = Duration::from_secs(10);
/// How long a stream's first query may take to be known as the program's.
const KNOWN_WITHIN: Duration = Duration::from_millis(200);
const LARGEST_QUERY: usize = 4096;

/// The sockets, and who may use them.
#[derive(Debug)]
pub struct Stub {
    names: Arc<Names>,
    datagrams: Vec<(UdpSocket, SocketAddr)>,
    streams: Vec<(TcpListener, SocketAddr)>,
    /// Sockets that nobody can send to: what is sent there gets the answer of a closed port.
    closed: Vec<(UdpSocket, SocketAddr)>,
    datagram_ports: Ports,
    stream_ports: Ports,
    waiting: AtomicUsize,
    open: AtomicUsize,
}

/// Ports that programs of the run have sent from. Other users of the machine get no answer.
#[derive(Debug)]
struct Ports(Vec<AtomicU64>);

impl Stub {
    /// Opens the sockets: of IPv4, and of IPv6 where this machine has it.
    ///
    /// # Errors
    /// When there is no loopback.
    pub fn open(names: Arc<Names>) -> io::Result<Self> {
        let both: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        let (mut datagrams, mut streams, mut closed) = (Vec::new(), Vec::new(), Vec::new());
        for address in both {
            let opened = || -> io::Result<()> {
                let socket = UdpSocket::bind((address, 0))?;
                let listener = TcpListener::bind((address, 0))?;
                socket.set_nonblocking(true)?;
                listener.set_nonblocking(true)?;
                let (udp, tcp) = (socket.local_addr()?, listener.local_addr()?);
                datagrams.push((socket, udp));
                streams.push((listener, tcp));
                // A connected socket takes datagrams from its peer alone, and this one is its own.
                let socket = UdpSocket::bind((address, 0))?;
                let own = socket.local_addr()?;
                socket.connect(own)?;
                closed.push((socket, own));
                Ok(())
            };
            match { opened }() {
                Err(error) if address.is_ipv4() => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        let (waiting, open) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Ok(Self {
            names,
            datagrams,
            streams,
            closed,
            datagram_ports: Ports::new(),
            stream_ports: Ports::new(),
            waiting,
            open,
        })
    }

    /// Where a socket of this family sends its queries; IPv4 is mapped for one of IPv6 (RFC 4291, section 2.5.5.2).
    pub fn address(&self, v6: bool, udp: bool) -> Option<SocketAddr> {
        let of = |address: &SocketAddr| address.is_ipv6() == v6;
        if udp {
            self.datagrams.iter().map(|(_, address)| *address).find(of)
        } else {
            self.streams.iter().map(|(_, address)| *address).find(of)
        }
    }

    /// An address of loopback where nothing answers.
    pub fn closed(&self, v6: bool) -> Option<SocketAddr> {
        self.closed.iter().map(|(_, address)| *address).find(|address| address.is_ipv6() == v6)
    }

    /// Lets whoever sends from `port` ask.
    pub fn know(&self, port: u16, udp: bool) {
        if udp { self.datagram_ports.add(port) } else { self.stream_ports.add(port) }
    }

    /// Starts the thread that answers. It ends with the process.
    ///
    /// # Errors
    /// `EAGAIN` when there can be no more threads.
    pub fn serve(self: &Arc<Self>) -> io::Result<()> {
        let stub = Arc::clone(self);
        let server = thread::Builder::new().name("names".to_owned()).stack_size(256 << 10);
        server.spawn(move || stub.receive()).map(drop)
    }

    fn receive(self: &Arc<Self>) {
        let datagrams = self.datagrams.iter().map(|(socket, _)| socket.as_fd());
        let all: Vec<BorrowedFd<'_>> = datagrams.chain(self.streams.iter().map(|(socket, _)| socket.as_fd())).collect();
        loop {
            if socket::readable(&all, -1).is_err() {
                // A signal, or no memory for a moment.
                thread::sleep(Duration::from_millis(1));
                continue;
            }
            (0..self.datagrams.len()).for_each(|index| self.take_datagrams(index));
            (0..self.streams.len()).for_each(|index| self.take_streams(index));
        }
    }

    fn take_datagrams(self: &Arc<Self>, index: usize) {
        let Some((socket, _)) = self.datagrams.get(index) else { return };
        let mut buffer = [0; LARGEST_QUERY];
        while let Ok((length, sender)) = socket.recv_from(&mut buffer) {
            if !self.datagram_ports.has(sender.port()) {
                continue;
            }
            match query::parse(buffer.get(..length).unwrap_or_default()) {
                Ok(query) => self.answer_datagram(index, query, sender),
                Err(Some(refusal)) => drop(socket.send_to(&refusal, sender)),
                Err(None) => {}
            }
        }
    }

    fn answer_datagram(self: &Arc<Self>, index: usize, query: Query, sender: SocketAddr) {
        let said = self.names.answer(&query);
        let Said::Later(name) = said else { return self.send(index, &query, &said, sender) };
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= MOST_WAITING {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            // The program asks again; by then there may be room.
            return;
        }
        let stub = Arc::clone(self);
        let started = thread::Builder::new().name("look-up".to_owned()).stack_size(256 << 10).spawn(move || {
            let outcome = stub.names.resolver.addresses(&name);
            stub.waiting.fetch_sub(1, Ordering::AcqRel);
            stub.send(index, &query, &stub.names.said(&query, &name, &outcome), sender);
        });
        if started.is_err() {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
        }
    }

    fn send(&self, index: usize, query: &Query, said: &Said, to: SocketAddr) {
        if let (Some((socket, _)), Some(reply)) = (self.datagrams.get(index), said.reply()) {
            // A lost datagram is asked for again.
            let _ = socket.send_to(&query.datagram(&reply), to);
        }
    }

    fn take_streams(self: &Arc<Self>, index: usize) {
        let Some((listener, _)) = self.streams.get(index) else { return };
        while let Ok((stream, peer)) = listener.accept() {
            if self.open.fetch_add(1, Ordering::AcqRel) >= MOST_STREAMS {
                self.open.fetch_sub(1, Ordering::AcqRel);
                continue;
            }
            let stub = Arc::clone(self);
            let started = thread::Builder::new().name("stream".to_owned()).stack_size(256 << 10).spawn(move || {
                // Whatever goes wrong, the program sees the end of its stream.
                let _ = stub.answer_stream(stream, peer);
                stub.open.fetch_sub(1, Ordering::AcqRel);
            });
            if started.is_err() {
                self.open.fetch_sub(1, Ordering::AcqRel);
            }
        }
    }

    fn answer_stream(&self, mut stream: TcpStream, peer: SocketAddr) -> io::Result<()> {
        if !self.stream_ports.has(peer.port()) {
            thread::sleep(KNOWN_WITHIN);
            if !self.stream_ports.has(peer.port()) {
                return Ok(());
            }
        }
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(SILENCE))?;
        stream.set_write_timeout(Some(SILENCE))?;
        for _ in 0..MOST_ON_STREAM {
            let mut length = [0; 2];
            stream.read_exact(&mut length)?;
            let length = usize::from(u16::from_be_bytes(length));
            if length > LARGEST_QUERY {
                return Ok(());
            }
            let mut message = vec![0; length];
            stream.read_exact(&mut message)?;
            let Some(reply) = self.reply(&message) else { return Ok(()) };
            let length = u16::try_from(reply.len()).map_err(|_| io::ErrorKind::InvalidData)?;
            stream.write_all(&[&length.to_be_bytes()[..], &reply].concat())?;
        }
        Ok(())
    }

    /// The whole answer to a query on a stream, which waits for it.
    fn reply(&self, message: &[u8]) -> Option<Vec<u8>> {
        let query = match query::parse(message) {
            Ok(query) => query,
            Err(refusal) => return refusal,
        };
        let said = match self.names.answer(&query) {
            Said::Later(name) => {
                let outcome = self.names.resolver.addresses(&name);
                self.names.said(&query, &name, &outcome)
            }
            now @ Said::Now { .. } => now,
        };
        Some(query.reply(&said.reply().unwrap_or(Reply::Failed(Code::ServerFailure))))
    }
}

impl Ports {
    fn new() -> Self {
        Self((0..1024).map(|_| AtomicU64::new(0)).collect())
    }

    fn add(&self, port: u16) {
        if let Some(word) = self.0.get(usize::from(port) / 64) {
            word.fetch_or(1 << (port % 64), Ordering::AcqRel);
        }
    }

    fn has(&self, port: u16) -> bool {
        self.0.get(usize::from(port) / 64).is_some_and(|word| word.load(Ordering::Acquire) >> (port % 64) & 1 == 1)
    }
}
