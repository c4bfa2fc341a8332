//! `/etc/resolv.conf`, see `resolv.conf(5)`.

use core::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};

/// Name servers that are asked (`MAXNS`), and the bounds of `timeout` and `attempts` (`RES_MAXRETRANS`, `RES_MAXRETRY`).
const MOST_SERVERS: usize = 3;
const MOST_SECONDS: u64 = 30;
const MOST_ATTEMPTS: u32 = 5;
const PORT: u16 = 53;

/// Whom to ask, and how long to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    pub servers: Vec<SocketAddr>,
    /// Seconds for each server, and how often all of them are asked.
    pub seconds: u64,
    pub attempts: u32,
    /// Suffixes that programs try behind a name, without a dot at their ends.
    pub search: Vec<String>,
}

/// Reads the file. A line that says nothing known is passed over, as the C library does; without a server, the machine's own
/// is meant.
pub fn parse(text: &[u8]) -> Configuration {
    let mut found = Configuration { servers: Vec::new(), seconds: 5, attempts: 2, search: Vec::new() };
    for line in String::from_utf8_lossy(text).lines() {
        let line = line.split(['#', ';']).next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("nameserver") if found.servers.len() < MOST_SERVERS => {
                found.servers.extend(words.next().and_then(server));
            }
            // The last of both lines counts.
            Some("domain" | "search") => {
                let name = |word: &str| word.trim_end_matches('.').to_ascii_lowercase();
                found.search = words.map(name).filter(|name| !name.is_empty()).collect();
            }
            Some("options") => words.for_each(|word| found.option(word)),
            _ => {}
        }
    }
    if found.servers.is_empty() {
        found.servers.push(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT));
    }
    found
}

impl Configuration {
    fn option(&mut self, word: &str) {
        match word.split_once(':') {
            Some(("timeout", value)) => {
                self.seconds = value.parse().map_or(self.seconds, |seconds: u64| seconds.clamp(1, MOST_SECONDS));
            }
            Some(("attempts", value)) => {
                self.attempts = value.parse().map_or(self.attempts, |count: u32| count.clamp(1, MOST_ATTEMPTS));
            }
            _ => {}
        }
    }
}

/// An address, perhaps with the number of its interface behind a `%`. A name of an interface is passed over.
fn server(word: &str) -> Option<SocketAddr> {
    match word.split_once('%') {
        None => word.parse().ok().map(|address| SocketAddr::new(address, PORT)),
        Some((address, zone)) => {
            Some(SocketAddr::V6(SocketAddrV6::new(address.parse().ok()?, PORT, 0, zone.parse().ok()?)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_read_and_the_rest_passed_over() {
        let text = b"# made by hand\nsearch corp.example. Example.ORG\nnameserver 10.0.0.1 # first\nnameserver fe80::1%2\n\
            nameserver nonsense\nnameserver ::1\nnameserver 10.0.0.4\noptions ndots:2 timeout:1 attempts:99 edns0\nsortlist 1\n\xff\n";
        let found = parse(text);
        let servers = ["10.0.0.1:53", "[fe80::1%2]:53", "[::1]:53"].map(|text| text.parse().unwrap());
        assert_eq!(found.servers, servers);
        assert_eq!((found.seconds, found.attempts), (1, 5));
        assert_eq!(found.search, ["corp.example", "example.org"]);
    }

    #[test]
    fn an_empty_file_means_the_machine_itself() {
        let found = parse(b"");
        assert_eq!(found.servers, ["127.0.0.1:53".parse().unwrap()]);
        assert_eq!((found.seconds, found.attempts), (5, 2));
    }
}
