//! Questions to name servers and their answers, within a time.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use super::{Failure, Found};
use crate::network::dns::answer::{self, Answer};
use crate::network::dns::configuration::Configuration;
use crate::network::dns::{A, AAAA};

/// The longest that one name is asked about, whatever the configuration says.
const PATIENCE: Duration = Duration::from_secs(30);
/// Once one family's addresses are there, the other's get this long: some servers never answer about one of them.
const GRACE: Duration = Duration::from_secs(2);
/// The most that a datagram or a stream carries.
const LARGEST: usize = 65_535;

/// Asks for the addresses of `name`, one server after the other.
///
/// # Errors
/// As [`Failure`].
pub(super) fn ask(configuration: &Configuration, name: &str) -> Result<Found, Failure> {
    let end = Instant::now() + PATIENCE;
    let mut last = format!("no name server knows `{name}`");
    for _ in 0..configuration.attempts {
        for server in &configuration.servers {
            let until = end.min(Instant::now() + Duration::from_secs(configuration.seconds));
            match exchange(*server, name, until) {
                Ok(answers) => match gathered(answers) {
                    Ok(found) => return Ok(found),
                    Err(Failure::NoSuchName) => return Err(Failure::NoSuchName),
                    Err(Failure::Unknown(why)) => last = format!("the name server {} {why}", server.ip()),
                },
                Err(error) => last = format!("the name server {} did not answer: {error}", server.ip()),
            }
            if Instant::now() >= end {
                return Err(Failure::Unknown(last));
            }
        }
    }
    Err(Failure::Unknown(last))
}

/// Both answers as one. A name exists for both families or for none (RFC 8020).
fn gathered(answers: [Option<Answer>; 2]) -> Result<Found, Failure> {
    let mut found = Found { seconds: u32::MAX, ..Found::default() };
    let mut failure = None;
    for answer in answers {
        match answer {
            Some(Answer::Addresses { addresses, seconds }) => {
                if !addresses.is_empty() {
                    found.seconds = found.seconds.min(seconds);
                }
                let (v4, v6): (Vec<IpAddr>, Vec<IpAddr>) = addresses.into_iter().partition(IpAddr::is_ipv4);
                found.v4.extend(v4);
                found.v6.extend(v6);
            }
            Some(Answer::NoSuchName) => return Err(Failure::NoSuchName),
            Some(Answer::Failed(code)) => failure = Some(format!("failed (RCODE {code})")),
            Some(Answer::Truncated) => failure = Some("cut its answer short".to_owned()),
            None => failure = Some("did not answer in time".to_owned()),
        }
    }
    match failure {
        Some(why) if found.v4.is_empty() && found.v6.is_empty() => Err(Failure::Unknown(why)),
        Some(_) | None => Ok(found),
    }
}

/// Asks one server for both families at once; what it leaves unanswered is `None`.
fn exchange(server: SocketAddr, name: &str, until: Instant) -> io::Result<[Option<Answer>; 2]> {
    let mut ids = [0_u8; 4];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut ids)?;
    let [a, b, c, d] = ids;
    let asked = [(u16::from_be_bytes([a, b]), A), (u16::from_be_bytes([c, d]), AAAA)];
    let local: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    // A connected socket takes datagrams of this server's port alone, and gets a port of its own by chance.
    let socket = UdpSocket::bind((local, 0))?;
    socket.connect(server)?;
    for (id, kind) in asked {
        socket.send(&question(id, name, kind)?)?;
    }
    let mut answers = [None, None];
    let mut until = until;
    let mut buffer = vec![0; LARGEST];
    while answers.iter().any(Option::is_none) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        socket.set_read_timeout(Some(left))?;
        let length = match socket.recv(&mut buffer) {
            Ok(length) => length,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let message = buffer.get(..length).unwrap_or_default();
        for (place, (id, kind)) in answers.iter_mut().zip(asked).filter(|(place, _)| place.is_none()) {
            match answer::parse(message, id, name, kind) {
                Ok(Answer::Truncated) => *place = Some(by_stream(server, name, kind, until)?),
                Ok(answer) => *place = Some(answer),
                // An answer to something else: the right one may still come.
                Err(_) => continue,
            }
            until = until.min(Instant::now() + GRACE);
        }
    }
    Ok(answers)
}

/// The same question over TCP (RFC 7766), for an answer that no datagram holds.
fn by_stream(server: SocketAddr, name: &str, kind: u16, until: Instant) -> io::Result<Answer> {
    let left = || {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::Error::from(ErrorKind::TimedOut)) } else { Ok(left) }
    };
    let mut stream = TcpStream::connect_timeout(&server, left()?)?;
    let mut id = [0; 2];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut id)?;
    let id = u16::from_be_bytes(id);
    let asked = question(id, name, kind)?;
    let length = u16::try_from(asked.len()).map_err(|_| ErrorKind::InvalidInput)?;
    stream.set_write_timeout(Some(left()?))?;
    stream.write_all(&[&length.to_be_bytes()[..], &asked].concat())?;
    let mut fill = |buffer: &mut [u8]| -> io::Result<()> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            stream.set_read_timeout(Some(left()?))?;
            match stream.read(rest) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    };
    let mut length = [0; 2];
    fill(&mut length)?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    fill(&mut message)?;
    answer::parse(&message, id, name, kind).map_err(|_| ErrorKind::InvalidData.into())
}

fn question(id: u16, name: &str, kind: u16) -> io::Result<Vec<u8>> {
    answer::question(id, name, kind).map_err(|_| ErrorKind::InvalidInput.into())
}
