//! Where a server is: a URL of RFC 3986, of which little is allowed, or the path of a Unix socket.
//!
//! Whoever asks where the webhook is asks here: a second way to read its address would protect another place.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::fmt;

use super::abs_path::AbsPath;
use super::host::{Listen, Target};

/// More than any sensible server needs, and less than a server's limit for its request line.
const LONGEST: usize = 2048;

/// The longest path that `sun_path` of `unix(7)` holds with its NUL.
const LONGEST_SOCKET_PATH: usize = 107;

const HOST_OR_PORT: &str = "its host or port is wrong; write it as in \"https://approvals.example.com:8443/ask\"";
const SOCKET: &str =
    "a socket is named by its whole path, of 107 characters at most, as in \"unix:/run/approver.sock\"";

/// The address of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    pub place: Place,
    /// Begins with `/`.
    path: String,
    /// Without its `?`.
    query: Option<String>,
}

/// What to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `https://`
    Tls { host: Target, port: u16 },
    /// `http://`, on this machine: a literal loopback address or `localhost`.
    Loopback { host: Target, port: u16 },
    /// `unix:/run/approver.sock`, or `unix:/run/approver.sock:/path` for a path other than `/`.
    Unix(AbsPath),
}

impl Url {
    /// Reads the address of a server.
    ///
    /// # Errors
    /// What is wrong, and what to write.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > LONGEST {
            return Err("an address has at most 2048 characters");
        }
        if text.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b'\\') {
            return Err("an address is ASCII without spaces, control characters or backslashes");
        }
        if text.contains('#') {
            return Err("what follows `#` is never sent; leave it out");
        }
        if text.contains(['"', '<', '>', '^', '`', '{', '|', '}']) {
            return Err("a character that no address has is in it; percent-encode it");
        }
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err("write the whole address, as in \"https://approvals.example.com/ask\"");
        };
        match (scheme.to_ascii_lowercase().as_str(), rest.strip_prefix("//")) {
            ("https", Some(rest)) => {
                let (host, port, path, query) = hierarchy(rest)?;
                Ok(Self { place: Place::Tls { host, port: port.unwrap_or(443) }, path, query })
            }
            ("http", Some(rest)) => {
                let (host, port, path, query) = hierarchy(rest)?;
                if !may_be_loopback(&host) {
                    return Err("over http anybody on the way could answer; use https (http only for this machine)");
                }
                Ok(Self { place: Place::Loopback { host, port: port.unwrap_or(80) }, path, query })
            }
            ("unix", None) => unix(rest),
            _ => Err("an address begins with \"https://\" or \"unix:/\""),
        }
    }

    /// The host and the port of a server that is reached over TCP.
    pub fn endpoint(&self) -> Option<(&Target, u16)> {
        match &self.place {
            Place::Tls { host, port } | Place::Loopback { host, port } => Some((host, *port)),
            Place::Unix(_) => None,
        }
    }

    /// Whether whoever listens there may be the one who is reached. Every address of loopback counts as the same, and the
    /// unspecified one includes them.
    pub fn is_reached_by(&self, listen: &Listen) -> bool {
        let Some((host, port)) = self.endpoint() else { return false };
        let at = listen.address.map(|address| address.to_canonical());
        let any_own = at.is_none_or(|address| address.is_loopback() || address.is_unspecified());
        port == listen.port
            && match host {
                Target::Address(host) if is_own(*host) => any_own,
                Target::Address(host) => at == Some(host.to_canonical()),
                // Another name needs TLS, and so a key that the program does not have.
                Target::Name(name) => any_own && name == "localhost",
            }
    }

    /// What the field `Host` says (RFC 9112, section 3.2).
    pub fn host_field(&self) -> String {
        match &self.place {
            Place::Tls { host, port: 443 } | Place::Loopback { host, port: 80 } => host.to_string(),
            Place::Tls { host, port } | Place::Loopback { host, port } => format!("{host}:{port}"),
            Place::Unix(_) => "localhost".to_owned(),
        }
    }

    /// What the request line asks for.
    pub fn request_target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// The same place, with one more part behind the path.
    #[must_use]
    pub fn beneath(&self, part: &str) -> Self {
        let path = format!("{}/{part}", self.path.trim_end_matches('/'));
        Self { place: self.place.clone(), path, query: self.query.clone() }
    }
}

/// The place alone: paths and queries of webhooks hold secrets.
impl fmt::Display for Url {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Tls { .. } => write!(out, "https://{}", self.host_field()),
            Place::Loopback { .. } => write!(out, "http://{}", self.host_field()),
            Place::Unix(path) => write!(out, "unix:{path}"),
        }
    }
}

/// A host, a port if there is one, a path and a query.
type Hierarchy = (Target, Option<u16>, String, Option<String>);

fn hierarchy(rest: &str) -> Result<Hierarchy, &'static str> {
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
    if authority.contains('@') {
        return Err("a name or password does not belong in the address; leave out what stands before the `@`");
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(inside) => {
            let Some((literal, behind)) = inside.split_once(']') else { return Err("a `[` has no `]`") };
            let Ok(v6) = literal.parse::<Ipv6Addr>() else {
                return Err("what stands in brackets is no IPv6 address; a zone such as `%eth0` is not used");
            };
            let port = match behind.strip_prefix(':') {
                Some(port) => Some(port),
                None if behind.is_empty() => None,
                None => return Err("only a port may follow the `]`"),
            };
            (Target::Address(IpAddr::V6(v6)), port)
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (name_or_v4(host)?, Some(port)),
            None => (name_or_v4(authority)?, None),
        },
    };
    let port = port.map(port_number).transpose()?;
    let (path, query) = match tail.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (tail, None),
    };
    Ok((host, port, if path.is_empty() { "/".to_owned() } else { path.to_owned() }, query))
}

fn name_or_v4(text: &str) -> Result<Target, &'static str> {
    if let Ok(v4) = text.parse::<Ipv4Addr>() {
        return Ok(Target::Address(IpAddr::V4(v4)));
    }
    if text.contains(['%', ':', '[', ']', '/']) {
        return Err(HOST_OR_PORT);
    }
    match Target::parse(text) {
        Ok(Target::Name(name)) => Ok(Target::Name(name)),
        Ok(Target::Address(_)) => Err("an address is four decimal numbers, as in `127.0.0.1`, or stands in brackets"),
        Err(_) => Err(HOST_OR_PORT),
    }
}

fn port_number(text: &str) -> Result<u16, &'static str> {
    let digits = !text.is_empty() && text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits && port != 0 => Ok(port),
        _ => Err(HOST_OR_PORT),
    }
}

/// Whether the address is one that every machine has for itself.
pub fn is_own(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || address.is_unspecified()
}

fn may_be_loopback(host: &Target) -> bool {
    match host {
        Target::Address(address) => address.is_loopback(),
        // Whether every address it has is loopback is checked at each connection.
        Target::Name(name) => name == "localhost",
    }
}

fn unix(rest: &str) -> Result<Url, &'static str> {
    let (socket, path) = match rest.split_once(":/") {
        Some((socket, path)) => (socket, format!("/{path}")),
        None => (rest, "/".to_owned()),
    };
    let (path, query) = match path.split_once('?') {
        Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
        None => (path, None),
    };
    // A `?` before the path of the request could be meant to begin a query.
    if socket.starts_with("//") || socket.len() > LONGEST_SOCKET_PATH || socket.contains('?') {
        return Err(SOCKET);
    }
    match AbsPath::new(socket.as_bytes()) {
        Some(place) if place.file_name().is_some() => Ok(Url { place: Place::Unix(place), path, query }),
        _ => Err(SOCKET),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart_and_put_together() {
        for (written, place, host, target) in [
            ("https://a.example/approve", "https://a.example", "a.example", "/approve"),
            ("HTTPS://A.Example.:443", "https://a.example", "a.example", "/"),
            ("https://a.example:8443?x=1", "https://a.example:8443", "a.example:8443", "/?x=1"),
            ("https://[fd00::1]:1/a/?q", "https://[fd00::1]:1", "[fd00::1]:1", "/a/?q"),
            ("https://10.1.2.3", "https://10.1.2.3", "10.1.2.3", "/"),
            ("http://127.9.9.9:80/x", "http://127.9.9.9", "127.9.9.9", "/x"),
            ("http://[::1]:8080", "http://[::1]:8080", "[::1]:8080", "/"),
            ("http://localhost/", "http://localhost", "localhost", "/"),
            ("unix:/run/a.sock", "unix:/run/a.sock", "localhost", "/"),
            ("unix:/run/a:b.sock", "unix:/run/a:b.sock", "localhost", "/"),
            ("unix:/run/a:b.sock:/x:/y", "unix:/run/a:b.sock", "localhost", "/x:/y"),
            ("unix:/run/a.sock:/v1/data/x?pretty", "unix:/run/a.sock", "localhost", "/v1/data/x?pretty"),
        ] {
            let url = Url::parse(written).unwrap_or_else(|why| panic!("{written}: {why}"));
            assert_eq!(
                (url.to_string().as_str(), url.host_field().as_str(), url.request_target().as_str()),
                (place, host, target),
                "{written}"
            );
        }
    }

    #[test]
    fn anything_ambiguous_or_open_to_others_is_refused() {
        let long = format!("https://a.example/{}", "x".repeat(LONGEST));
        let deep = format!("unix:/{}", "x".repeat(LONGEST_SOCKET_PATH));
        for written in [
            "",
            "a.example",
            "https:a.example",
            "https://",
            "https:///x",
            "ftp://a.example",
            "http://a.example/",
            "http://10.0.0.1/",
            "http://0.0.0.0/",
            "http://[::ffff:127.0.0.1]/",
            "http://localhost.evil.example/",
            "http://127.0.0.1.evil.example/",
            "http://127.1/",
            "http://2130706433/",
            "https://0x7f.1/",
            "https://user@a.example/",
            "https://user:word@a.example/",
            "https://a.example@b.example/",
            "https://a.example/#part",
            "https://a.example/a b",
            "https://a.example/\r\nHost: b",
            "https://a.example/\0",
            "https://a.exämple/",
            "https://a.example\\@b.example/",
            "https://a.example:0/",
            "https://a.example:/",
            "https://a.example:65536/",
            "https://a.example:+443/",
            "https://a.example:443:443/",
            "https://[fe80::1%eth0]/",
            "https://[::1/",
            "https://[::1]x/",
            "https://::1/",
            "https://a..example/",
            "https://%61.example/",
            "unix:relative",
            "unix://host/x",
            "unix:/",
            "unix:",
            "unix:/run/a.sock?x",
            "unix:/run/a.sock#x",
            &long,
            &deep,
        ] {
            if let Ok(url) = Url::parse(written) {
                panic!("{written}: {url:?}");
            }
        }
    }

    #[test]
    fn a_part_goes_behind_the_path_and_before_the_query() {
        for (written, expected) in
            [("https://a.example", "/7"), ("https://a.example/x/", "/x/7"), ("https://a.example/x?y=/", "/x/7?y=/")]
        {
            assert_eq!(Url::parse(written).unwrap().beneath("7").request_target(), expected, "{written}");
        }
    }

    #[test]
    fn whoever_listens_where_a_server_is_asked_is_known() {
        for (url, taken, free) in [
            (
                "http://127.0.0.1:18080/",
                "18080 127.0.0.1:18080 127.0.0.7:18080 0.0.0.0:18080 [::]:18080 [::1]:18080",
                "18081 10.0.0.5:18080",
            ),
            ("http://localhost/", "80 127.0.0.1:80 0.0.0.0:80 [::]:80 [::ffff:127.0.0.1]:80", "443 8080"),
            ("http://127.0.0.7:1/x", "1 127.0.0.1:1 [::]:1", "2"),
            ("http://[::1]:9", "9 127.0.0.1:9 0.0.0.0:9", "90"),
            ("https://localhost:8443/", "8443 0.0.0.0:8443", "443"),
            ("https://0.0.0.0:8443/", "8443 0.0.0.0:8443", "443"),
            ("https://10.0.0.5:8443/", "10.0.0.5:8443", "8443 0.0.0.0:8443 10.0.0.6:8443"),
            // TLS tells who answers.
            ("https://a.example/", "", "443 0.0.0.0:443"),
            ("unix:/run/a.sock", "", "80 443"),
        ] {
            let url = Url::parse(url).unwrap();
            let reached = |text: &str| url.is_reached_by(&Listen::parse(text).unwrap());
            assert!(taken.split_whitespace().all(reached), "{url}: {taken}");
            assert!(!free.split_whitespace().any(reached), "{url}: {free}");
        }
    }
}
