//! Connections: names become addresses, several addresses race, and a deadline holds for both.

pub(super) mod unix;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::Failure;
use super::deadline::Deadline;
use crate::profile::host::Target;

/// Between the starts of two connections (RFC 8305, section 5, "Connection Attempt Delay").
const STAGGER: Duration = Duration::from_millis(250);
const MOST_ADDRESSES: usize = 4;
/// Threads that may wait at once for a resolver or a connection, those included whose question is over: neither
/// `getaddrinfo(3)` nor `connect(2)` on a Unix socket can be told when to stop.
const MOST_WAITING: usize = 16;

/// Runs calls that block without a deadline, in threads, and counts them.
#[derive(Debug, Default)]
pub(super) struct Waiters(Arc<AtomicUsize>);

/// One of the threads; uncounted when it ends.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Waiters {
    /// Starts `call` in a thread that sends its result, if anybody still listens.
    fn start<T: Send + 'static>(
        &self,
        sender: &Sender<T>,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(), Failure> {
        let counted = Counted(Arc::clone(&self.0));
        if self.0.fetch_add(1, Ordering::AcqRel) >= MOST_WAITING {
            return Err(Failure::new("busy", "too many earlier questions still wait for a connection"));
        }
        let sender = sender.clone();
        let thread = thread::Builder::new().name("http".to_owned()).spawn(move || {
            let _counted = counted;
            // The receiver may have given up, and then the result is of no use.
            let _ = sender.send(call());
        });
        thread.map(drop).map_err(|error| Failure::new("busy", format!("no thread could be started: {error}")))
    }

    /// The result of `call`, or the end of the time.
    fn wait_for<T: Send + 'static>(
        &self,
        deadline: Deadline<'_>,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let (sender, receiver) = channel();
        self.start(&sender, call)?;
        loop {
            if let Some(result) = next(&receiver, deadline.step()?)? {
                return Ok(result);
            }
        }
    }
}

/// A connection to `host`. With `loopback_only`, every address it has must be one of this machine's own.
pub(super) fn tcp(
    waiters: &Waiters,
    host: &Target,
    port: u16,
    loopback_only: bool,
    deadline: Deadline<'_>,
) -> Result<TcpStream, Failure> {
    let addresses = match host {
        Target::Address(address) => vec![SocketAddr::new(*address, port)],
        Target::Name(name) => resolve(waiters, name, port, deadline)?,
    };
    if loopback_only && !addresses.iter().all(|address| address.ip().is_loopback()) {
        return Err(Failure::new("loopback", format!("`{host}` has an address outside this machine")));
    }
    race(waiters, in_turns(addresses), deadline)
}

fn resolve(waiters: &Waiters, name: &str, port: u16, deadline: Deadline<'_>) -> Result<Vec<SocketAddr>, Failure> {
    let question = (name.to_owned(), port);
    let found = waiters.wait_for(deadline, move || question.to_socket_addrs().map(Iterator::collect))?;
    match found {
        Ok(addresses) if Vec::is_empty(&addresses) => Err(Failure::new("dns", format!("`{name}` has no address"))),
        Ok(addresses) => Ok(addresses),
        Err(error) => Err(Failure::new("dns", format!("`{name}` has no address that can be found: {error}"))),
    }
}

/// The two families by turns, in the resolver's order otherwise (RFC 8305, section 4).
fn in_turns(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut ordered = VecDeque::new();
    loop {
        let pair = [first.next(), second.next()];
        if pair == [None, None] {
            return ordered;
        }
        ordered.extend(pair.into_iter().flatten().take(MOST_ADDRESSES.saturating_sub(ordered.len())));
    }
}

/// The first connection that comes about. The next address is tried when one failed, or after a while.
fn race(waiters: &Waiters, mut addresses: VecDeque<SocketAddr>, deadline: Deadline<'_>) -> Result<TcpStream, Failure> {
    let (sender, receiver) = channel();
    let mut running = 0_usize;
    let mut next_start = Instant::now();
    let mut last = Failure::new("dns", "it has no address");
    loop {
        let left = deadline.left()?;
        if Instant::now() >= next_start {
            match addresses.pop_front() {
                Some(address) => {
                    waiters.start(&sender, move || (address, TcpStream::connect_timeout(&address, left)))?;
                    running += 1;
                    next_start = Instant::now() + STAGGER;
                }
                None if running == 0 => return Err(last),
                None => {}
            }
        }
        match next(&receiver, deadline.step()?)? {
            Some((_, Ok(stream))) => {
                stream.set_nodelay(true).map_err(|error| Failure::unsent("connect", error.to_string()))?;
                return Ok(stream);
            }
            Some((address, Err(error))) => {
                last = Failure::unsent("connect", format!("{} cannot be reached: {error}", shown(address.ip())));
                running = running.saturating_sub(1);
                next_start = Instant::now();
            }
            None => {}
        }
    }
}

fn shown(address: IpAddr) -> String {
    Target::Address(address).to_string()
}

/// What came within `time`, if anything did.
fn next<T>(receiver: &Receiver<T>, time: Duration) -> Result<Option<T>, Failure> {
    match receiver.recv_timeout(time) {
        Ok(result) => Ok(Some(result)),
        Err(RecvTimeoutError::Timeout) => Ok(None),
        // The thread ended without a word.
        Err(RecvTimeoutError::Disconnected) => Err(Failure::new("busy", "the thread that waited was lost")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns_and_four_addresses_are_tried() {
        let parse = |text: &str| text.parse::<SocketAddr>().unwrap();
        let all = ["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "1.1.1.2:1"].map(parse);
        let expected = ["[::1]:1", "1.1.1.1:1", "[::2]:1", "1.1.1.2:1"].map(parse);
        assert_eq!(in_turns(all.to_vec()), expected);
        assert_eq!(in_turns(vec![all[3], all[4]]), [all[3], all[4]]);
    }
}
