//! Where a server is: a URL of RFC 3986, of which little is allowed, or the path of a Unix socket.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::fmt;

use super::Failure;
use crate::profile::abs_path::AbsPath;
use crate::profile::host::Target;

/// More than any sensible server needs, and less than a server's limit for its request line.
const LONGEST: usize = 2048;

/// The longest path that `sun_path` of `unix(7)` holds with its NUL.
const LONGEST_SOCKET_PATH: usize = 107;

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
    /// Code `url`, with what is wrong.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        if text.len() > LONGEST {
            return refuse(format!("it is longer than {LONGEST} characters"));
        }
        if text.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return refuse("a space, a control character or a letter outside ASCII must be percent-encoded");
        }
        if text.contains(['#', '\\', '"', '<', '>', '^', '`', '{', '|', '}']) {
            return refuse("a fragment, or a character that no URL has, is in it");
        }
        let Some((scheme, rest)) = text.split_once(':') else { return refuse("it has no scheme such as `https://`") };
        match (scheme.to_ascii_lowercase().as_str(), rest.strip_prefix("//")) {
            ("https", Some(rest)) => {
                let (host, port, path, query) = hierarchy(rest)?;
                Ok(Self { place: Place::Tls { host, port: port.unwrap_or(443) }, path, query })
            }
            ("http", Some(rest)) => {
                let (host, port, path, query) = hierarchy(rest)?;
                if !may_be_loopback(&host) {
                    return refuse("without TLS only this machine can be asked; write `https://`");
                }
                Ok(Self { place: Place::Loopback { host, port: port.unwrap_or(80) }, path, query })
            }
            ("unix", None) => unix(rest),
            _ => refuse("it begins with none of `https://`, `http://` and `unix:/`"),
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

fn hierarchy(rest: &str) -> Result<Hierarchy, Failure> {
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
    if authority.contains('@') {
        return refuse("a name and password in a URL are not used; leave out what stands before the `@`");
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(inside) => {
            let Some((literal, behind)) = inside.split_once(']') else { return refuse("a `[` has no `]`") };
            let Ok(v6) = literal.parse::<Ipv6Addr>() else {
                return refuse("what stands in brackets is no IPv6 address; a zone such as `%eth0` is not used");
            };
            let port = match behind.strip_prefix(':') {
                Some(port) => Some(port),
                None if behind.is_empty() => None,
                None => return refuse("only a port may follow the `]`"),
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

fn name_or_v4(text: &str) -> Result<Target, Failure> {
    if let Ok(v4) = text.parse::<Ipv4Addr>() {
        return Ok(Target::Address(IpAddr::V4(v4)));
    }
    if text.contains(['%', ':', '[', ']', '/']) {
        return refuse("the host is neither a name nor an address");
    }
    match Target::parse(text) {
        Ok(Target::Name(name)) => Ok(Target::Name(name)),
        Ok(Target::Address(_)) => refuse("an address has four decimal numbers, or stands in brackets"),
        Err(error) => refuse(format!("the host cannot be read: {error}")),
    }
}

fn port_number(text: &str) -> Result<u16, Failure> {
    let digits = !text.is_empty() && text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits && port != 0 => Ok(port),
        _ => refuse("a port is a number from 1 to 65535"),
    }
}

fn may_be_loopback(host: &Target) -> bool {
    match host {
        Target::Address(address) => address.is_loopback(),
        // Whether every address it has is loopback is checked at each connection.
        Target::Name(name) => name == "localhost",
    }
}

fn unix(rest: &str) -> Result<Url, Failure> {
    let (socket, path) = match rest.split_once(":/") {
        Some((socket, path)) => (socket, format!("/{path}")),
        None => (rest, "/".to_owned()),
    };
    let (path, query) = match path.split_once('?') {
        Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
        None => (path, None),
    };
    if socket.starts_with("//") || socket.len() > LONGEST_SOCKET_PATH {
        return refuse(format!("a socket's path begins with one `/` and has at most {LONGEST_SOCKET_PATH} characters"));
    }
    match AbsPath::new(socket.as_bytes()) {
        Some(place) if place.file_name().is_some() => Ok(Url { place: Place::Unix(place), path, query }),
        _ => refuse("`unix:` takes an absolute path, as in `unix:/run/approver.sock`"),
    }
}

fn refuse<T>(why: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::new("url", why))
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
            ("unix:/run/a.sock:/v1/data/x?pretty", "unix:/run/a.sock", "localhost", "/v1/data/x?pretty"),
        ] {
            let url = Url::parse(written).unwrap_or_else(|failure| panic!("{written}: {failure}"));
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
            &long,
            &deep,
        ] {
            match Url::parse(written) {
                Err(failure) => assert_eq!(failure.code, "url", "{written}"),
                Ok(url) => panic!("{written}: {url:?}"),
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
}
