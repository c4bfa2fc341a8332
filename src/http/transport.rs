//! One request out, one answer in.

use std::io;
use std::net::TcpStream;
use std::time::Duration;

use super::Failure;
use super::connect::{self, Waiters, unix};
use super::deadline::{Deadline, Hurries, Timed};
use super::response::{Parser, Response};
use super::tls::Tls;
use crate::profile::url::{Place, Url};

/// How long to look for bytes behind the answer. A server that closes the connection, as it is asked to, ends the wait.
const LAST_LOOK: Duration = Duration::from_millis(50);

/// What connections need that outlives one of them.
#[derive(Debug)]
pub struct Transport {
    waiters: Waiters,
    tls: Option<Tls>,
}

/// An answer, and who gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    pub response: Response,
    /// The address that answered; for a Unix socket its path.
    pub peer: String,
    /// SHA-256 of the server's public key, with TLS.
    pub key: Option<[u8; 32]>,
}

impl Transport {
    /// Prepares for the server at `url`. `certificates` (PEM) replace those that the system trusts.
    ///
    /// # Errors
    /// A sentence that says why that place cannot be asked.
    pub fn new(url: &Url, certificates: Option<&[u8]>) -> Result<Self, String> {
        let tls = match url.place {
            Place::Tls { .. } => Some(Tls::new(certificates)?),
            Place::Loopback { .. } | Place::Unix(_) => None,
        };
        Ok(Self { waiters: Waiters::default(), tls })
    }

    /// Sends `request` to the place of `url` and reads the answer, all of it before the deadline.
    ///
    /// # Errors
    /// Why there is no answer. [`unsent`](field@Failure::unsent) tells whether the request may have arrived.
    pub fn exchange(&self, url: &Url, request: &[u8], deadline: Deadline<'_>) -> Result<Exchange, Failure> {
        match (&url.place, &self.tls) {
            (Place::Unix(path), _) => {
                let stream = unix::connect(&self.waiters, path, deadline)?;
                let response = converse(Timed::new(stream, deadline), request)?;
                Ok(Exchange { response, peer: path.to_string(), key: None })
            }
            (Place::Loopback { host, port }, _) => {
                let stream = connect::tcp(&self.waiters, host, *port, true, deadline)?;
                let peer = peer_of(&stream);
                let response = converse(Timed::new(stream, deadline), request)?;
                Ok(Exchange { response, peer, key: None })
            }
            (Place::Tls { host, port }, Some(tls)) => {
                let stream = connect::tcp(&self.waiters, host, *port, false, deadline)?;
                let peer = peer_of(&stream);
                let (stream, key) = tls.shake_hands(host, Timed::new(stream, deadline))?;
                let response = converse(stream, request)?;
                Ok(Exchange { response, peer, key: Some(key) })
            }
            (Place::Tls { .. }, None) => Err(Failure::new("tls", "this connection was made for a place without TLS")),
        }
    }
}

/// The failure that `error` is or brings; `code` and `doing` for one that the system tells of.
pub(super) fn failure_of(error: io::Error, code: &'static str, doing: &str) -> Failure {
    match error.downcast::<Failure>() {
        Ok(failure) => failure,
        Err(error) => Failure::new(code, format!("{doing}: {error}")),
    }
}

fn converse(mut stream: impl Hurries, request: &[u8]) -> Result<Response, Failure> {
    let written = stream.write_all(request).and_then(|()| stream.flush());
    written.map_err(|error| failure_of(error, "write", "the request could not be sent"))?;
    let mut parser = Parser::default();
    let mut buffer = [0; 8 * 1024];
    while !parser.is_done() {
        let count = match stream.read(&mut buffer) {
            // An end without a farewell is how TLS tells of a cut; the parser knows whether something is missing.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            other => other.map_err(|error| failure_of(error, "read", "the answer could not be read"))?,
        };
        if count == 0 {
            return parser.finish();
        }
        parser.take(buffer.get(..count).unwrap_or_default())?;
    }
    // Whatever happens to the connection now, the answer is complete; more bytes make it another one.
    stream.hurry(LAST_LOOK);
    if let Ok(count) = stream.read(&mut buffer) {
        parser.take(buffer.get(..count).unwrap_or_default())?;
    }
    parser.finish()
}

fn peer_of(stream: &TcpStream) -> String {
    stream.peer_addr().map_or_else(|_| "unknown".to_owned(), |address| address.to_string())
}
