//! From text to rules and targets.

use core::net::{IpAddr, Ipv6Addr};

use super::numeric::{Numeric, numeric};
use super::{Endpoint, Host, HostError, HostRule, Listen, Target, address};

/// RFC 1035, section 2.3.4, without the dot at the end.
const LONGEST_NAME: usize = 253;

/// Second-level labels that registries of two-letter domains sell names beneath.
const REGISTRY_LABELS: [&str; 8] = ["ac", "co", "com", "edu", "gov", "mil", "net", "org"];

impl HostRule {
    /// Parses an entry of `network.allow`: `api.example.com`, `*.example.com`, `10.1.0.0/16`, `fd00::/8`, each with a port
    /// where wanted (`example.com:443`, `[fd00::/8]:443`, `example.com:53/udp`).
    ///
    /// # Errors
    /// Why the entry is refused, with what to write.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let parts = split(text)?;
        let host = match parts.host.strip_prefix("*.") {
            Some(suffix) => Host::Suffix(wildcard(suffix)?),
            None if parts.host == "*" => return Err(HostError::BareWildcard),
            None if parts.is_address => network(parts.host)?,
            None => match numeric(parts.host) {
                Numeric::Address(_) => network(parts.host)?,
                Numeric::Odd(_) | Numeric::Broken => return Err(HostError::OddAddress),
                Numeric::No => Host::Name(name(parts.host)?),
            },
        };
        Ok(Self { host, port: parts.port, udp: parts.udp })
    }
}

impl Target {
    /// Parses a name or an address as a program would write it, without a port. Any spelling that `inet_aton(3)` takes for an
    /// address becomes that address, an IPv4-mapped address becomes IPv4, and a zone (`%eth0`) is dropped.
    ///
    /// # Errors
    /// Why the text is neither.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        refuse_odd_characters(text)?;
        let inside =
            text.strip_prefix('[').map(|rest| rest.strip_suffix(']').ok_or(HostError::BadAddress)).transpose()?;
        if inside.is_some() || text.contains(':') {
            let literal = inside.unwrap_or(text);
            let literal = literal.split_once('%').map_or(literal, |(address, _)| address);
            let v6: Ipv6Addr = literal.parse().map_err(|_| HostError::BadAddress)?;
            return Ok(Self::Address(IpAddr::V6(v6).to_canonical()));
        }
        match numeric(text) {
            Numeric::Address(v4) | Numeric::Odd(v4) => Ok(Self::Address(IpAddr::V4(v4))),
            Numeric::Broken => Err(HostError::BadAddress),
            Numeric::No => name(text).map(Self::Name),
        }
    }
}

impl Endpoint {
    /// Parses a target with its port: `example.com:443`, `127.0.0.1:53/udp`, `[fd00::1]:443`.
    ///
    /// # Errors
    /// Why the text is no such thing; a missing port is [`HostError::BadPort`].
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let parts = split(text)?;
        let port = parts.port.ok_or(HostError::BadPort)?;
        Ok(Self { target: Target::parse(parts.host)?, port, udp: parts.udp })
    }
}

impl Listen {
    /// Parses an entry of `network.listen`: a port on loopback (`8080`), or an address with a port (`0.0.0.0:8080`, `[::]:8080`).
    ///
    /// # Errors
    /// Why the entry is refused, with what to write.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self { address: None, port: port(text)? });
        }
        let parts = split(text)?;
        let port = parts.port.ok_or(HostError::BadPort)?;
        if parts.udp {
            return Err(HostError::BadPort);
        }
        let address: IpAddr = parts.host.parse().map_err(|_| match numeric(parts.host) {
            Numeric::Odd(_) | Numeric::Broken => HostError::OddAddress,
            Numeric::Address(_) | Numeric::No => HostError::BadAddress,
        })?;
        Ok(Self { address: Some(address.to_canonical()), port })
    }
}

/// A host and what follows it.
struct Parts<'t> {
    host: &'t str,
    port: Option<u16>,
    udp: bool,
    /// It stood in brackets or has more than one colon, so it can only be an address.
    is_address: bool,
}

fn split(text: &str) -> Result<Parts<'_>, HostError> {
    refuse_odd_characters(text)?;
    let (rest, udp) = match text.strip_suffix("/udp") {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let (host, port_text, is_address) = if let Some(inside) = rest.strip_prefix('[') {
        let (host, behind) = inside.split_once(']').ok_or(HostError::BadAddress)?;
        let port = match behind {
            "" => None,
            port => Some(port.strip_prefix(':').ok_or(HostError::BadAddress)?),
        };
        // Brackets are for IPv6 alone (RFC 3986, section 3.2.2).
        if !host.contains(':') {
            return Err(HostError::BadAddress);
        }
        (host, port, true)
    } else {
        match rest.split_once(':') {
            Some((_, behind)) if behind.contains(':') => (rest, None, true),
            Some((host, port)) => (host, Some(port), false),
            None => (rest, None, false),
        }
    };
    let port = port_text.map(port).transpose()?;
    // A whole host for UDP would be every service it has.
    if udp && port.is_none() {
        return Err(HostError::BadPort);
    }
    if host.is_empty() {
        return Err(HostError::Empty);
    }
    Ok(Parts { host, port, udp, is_address })
}

fn refuse_odd_characters(text: &str) -> Result<(), HostError> {
    match text {
        "" => Err(HostError::Empty),
        _ if text.len() > LONGEST_NAME.saturating_add(16) => Err(HostError::TooLong),
        _ if text.contains('@') => Err(HostError::User),
        _ if text.contains("://") || text.chars().any(|c| c.is_whitespace() || c.is_control()) => Err(HostError::Url),
        _ if !text.is_ascii() => Err(HostError::NotAscii),
        _ => Ok(()),
    }
}

fn port(text: &str) -> Result<u16, HostError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) || text.starts_with('0') {
        return Err(HostError::BadPort);
    }
    text.parse().map_err(|_| HostError::BadPort)
}

/// `address` or `address/prefix`, in the usual spelling.
fn network(text: &str) -> Result<Host, HostError> {
    if text.contains('%') {
        return Err(HostError::Zone);
    }
    let (literal, prefix) = match text.split_once('/') {
        Some((literal, prefix)) => (literal, Some(prefix)),
        None => (text, None),
    };
    let written: IpAddr = literal.parse().map_err(|_| match numeric(literal) {
        Numeric::Odd(_) | Numeric::Broken => HostError::OddAddress,
        Numeric::Address(_) | Numeric::No => HostError::BadAddress,
    })?;
    let most = address::width(written);
    let mut length = match prefix {
        None => most,
        Some("0") => return Err(HostError::Everything),
        Some(digits) if digits.starts_with(['0', '+']) => return Err(HostError::BadPrefix),
        Some(digits) => digits.parse().ok().filter(|&bits: &u8| bits <= most).ok_or(HostError::BadPrefix)?,
    };
    // A rule about IPv4-mapped addresses is one about IPv4, as targets are unmapped before they are compared.
    let address = written.to_canonical();
    if address != written {
        length = length.checked_sub(96).filter(|&bits| bits > 0).ok_or(HostError::Everything)?;
    }
    let has_host_bits = match address {
        IpAddr::V4(v4) => length < 32 && v4.to_bits() << length != 0,
        IpAddr::V6(v6) => length < 128 && v6.to_bits() << length != 0,
    };
    if has_host_bits {
        return Err(HostError::HostBits);
    }
    Ok(Host::Network { address, prefix: length })
}

/// What follows `*.`.
fn wildcard(suffix: &str) -> Result<String, HostError> {
    let suffix = match numeric(suffix.split('/').next().unwrap_or(suffix)) {
        Numeric::No => name(suffix)?,
        Numeric::Address(_) | Numeric::Odd(_) | Numeric::Broken => return Err(HostError::BadName),
    };
    let mut labels = suffix.rsplit('.');
    let (top, second, third) = (labels.next(), labels.next(), labels.next());
    match (top, second, third) {
        (_, None, _) => Err(HostError::PublicSuffix),
        (Some(top), Some(second), None) if top.len() == 2 && REGISTRY_LABELS.contains(&second) => {
            Err(HostError::PublicSuffix)
        }
        _ => Ok(suffix),
    }
}

/// A host name in lower case without a dot at the end (RFC 1123, section 2.1; `_` as names in use have it).
fn name(text: &str) -> Result<String, HostError> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.is_empty() {
        return Err(HostError::Empty);
    }
    if text.contains('/') {
        return Err(HostError::Url);
    }
    if text.len() > LONGEST_NAME {
        return Err(HostError::TooLong);
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if text.split('.').all(is_label) { Ok(text.to_ascii_lowercase()) } else { Err(HostError::BadName) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> HostRule {
        HostRule::parse(text).unwrap()
    }

    fn target(text: &str) -> Target {
        Target::parse(text).unwrap()
    }

    #[test]
    fn a_rule_is_displayed_as_it_can_be_written() {
        for (written, shown) in [
            ("API.Example.com.", "api.example.com"),
            ("example.com:443", "example.com:443"),
            ("*.Example.org:443", "*.example.org:443"),
            ("example.com:53/udp", "example.com:53/udp"),
            ("10.1.0.0/16:5432", "10.1.0.0/16:5432"),
            ("10.1.2.3", "10.1.2.3"),
            ("10.1.2.3/32:53/udp", "10.1.2.3:53/udp"),
            ("fd00::/8", "fd00::/8"),
            ("[fd00::/8]:443", "[fd00::/8]:443"),
            ("[FD00::1]:443", "[fd00::1]:443"),
            ("fd00::1", "fd00::1"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("[::ffff:1.2.3.4]:1", "1.2.3.4:1"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("localhost:80", "localhost:80"),
            ("a_b.example", "a_b.example"),
        ] {
            assert_eq!(rule(written).to_string(), shown);
            assert_eq!(rule(shown), rule(written), "{shown}");
        }
    }

    #[test]
    fn a_rule_that_is_wrong_or_too_wide_is_refused() {
        use HostError as E;
        for (text, error) in [
            ("", E::Empty),
            (":443", E::Empty),
            ("*", E::BareWildcard),
            ("*:443", E::BareWildcard),
            ("*.com", E::PublicSuffix),
            ("*.co.uk", E::PublicSuffix),
            ("*.com.", E::PublicSuffix),
            ("*.", E::Empty),
            ("a.*.com", E::BadName),
            ("api*.example.com", E::BadName),
            ("*.*.example.com", E::BadName),
            ("*.10.0.0.1", E::BadName),
            ("2130706433", E::OddAddress),
            ("0177.0.0.1", E::OddAddress),
            ("0x7f.1", E::OddAddress),
            ("127.1:80", E::OddAddress),
            ("1.2.3.4.5", E::OddAddress),
            ("256.1.1.1", E::OddAddress),
            ("127.1/16", E::OddAddress),
            ("127.1.", E::OddAddress),
            ("127.0.0.1.", E::BadAddress),
            ("10.1.2.0/16", E::HostBits),
            ("10.0.0.0/33", E::BadPrefix),
            ("10.0.0.0/08", E::BadPrefix),
            ("10.0.0.0/", E::BadPrefix),
            ("0.0.0.0/0", E::Everything),
            ("::/0", E::Everything),
            ("::ffff:0:0/96", E::Everything),
            ("fe80::1%eth0", E::Zone),
            ("[10.0.0.1]:80", E::BadAddress),
            ("[fd00::1", E::BadAddress),
            ("[fd00::1]443", E::BadAddress),
            ("fd00:::1", E::BadAddress),
            ("example.com:0", E::BadPort),
            ("example.com:65536", E::BadPort),
            ("example.com:+80", E::BadPort),
            ("example.com:", E::BadPort),
            ("example.com/udp", E::BadPort),
            ("example.com:80/tcp", E::BadPort),
            ("https://example.com", E::Url),
            ("example.com/x", E::Url),
            ("exa mple.com", E::Url),
            ("example.com\n", E::Url),
            ("user@example.com", E::User),
            ("bücher.example", E::NotAscii),
            ("-a.example", E::BadName),
            ("a..example", E::BadName),
        ] {
            assert_eq!(HostRule::parse(text), Err(error), "{text}");
        }
        assert_eq!(HostRule::parse(&"a.".repeat(200)), Err(E::TooLong));
        assert_eq!(HostRule::parse(&"a".repeat(64)), Err(E::BadName));
    }

    #[test]
    fn a_wildcard_matches_whole_labels_beneath_and_not_the_name_itself() {
        let wildcard = rule("*.example.com");
        for (name, expected) in [
            ("a.example.com", true),
            ("a.b.example.com", true),
            ("A.EXAMPLE.COM.", true),
            ("example.com", false),
            ("evil-example.com", false),
            ("evilexample.com", false),
            ("example.com.evil.tld", false),
        ] {
            assert_eq!(wildcard.matches(&target(name), 443, false), expected, "{name}");
        }
    }

    #[test]
    fn port_protocol_and_kind_of_target_must_agree() {
        assert!(rule("x.example:443").matches(&target("x.example"), 443, false));
        assert!(!rule("x.example:443").matches(&target("x.example"), 80, false));
        assert!(!rule("x.example:443").matches(&target("x.example"), 443, true));
        assert!(rule("x.example:53/udp").matches(&target("x.example"), 53, true));
        assert!(rule("x.example").matches(&target("x.example"), 1, false));
        assert!(!rule("x.example").matches(&target("x.example"), 1, true));
        assert!(rule("10.1.0.0/16:5432").matches(&target("::ffff:10.1.2.3"), 5432, false));
        assert!(rule("10.1.0.0/16").matches(&Target::Address("::ffff:10.1.2.3".parse().unwrap()), 1, false));
        assert!(!rule("10.1.0.0/16").matches(&target("x.example"), 5432, false));
        assert!(rule("10.1.2.3").is_literal_address());
        assert!(!rule("10.1.2.0/24").is_literal_address());
    }

    #[test]
    fn every_spelling_of_an_address_becomes_that_address() {
        for text in
            ["2130706433", "0177.0.0.1", "0x7f.1", "127.1", "0x7f000001", "127.0.1", "[::ffff:7f00:1]", "127.0.0.1."]
        {
            assert_eq!(target(text), Target::Address("127.0.0.1".parse().unwrap()), "{text}");
        }
        assert_eq!(target("fe80::1%eth0"), Target::Address("fe80::1".parse().unwrap()));
        assert_eq!(target("[FD00::1]"), Target::Address("fd00::1".parse().unwrap()));
        assert_eq!(target("0"), Target::Address("0.0.0.0".parse().unwrap()));
    }

    #[test]
    fn a_name_that_ends_in_a_number_and_is_no_address_is_refused() {
        for text in [
            "1.2.3.4.5",
            "256.256.256.256",
            "4294967296",
            "a.1",
            "127.0.0.08",
            "a.0x7f",
            "1..2",
            "99999999999999999999",
        ] {
            assert!(Target::parse(text).is_err(), "{text}");
        }
        assert_eq!(target("0xcafe.example"), Target::Name("0xcafe.example".to_owned()));
        assert_eq!(Target::parse("user@127.0.0.1"), Err(HostError::User));
        assert_eq!(Target::parse("example.com:443"), Err(HostError::BadAddress));
    }

    #[test]
    fn endpoints_and_listeners_need_a_port() {
        assert_eq!(Endpoint::parse("[fd00::1]:53/udp").unwrap().to_string(), "[fd00::1]:53/udp");
        assert_eq!(Endpoint::parse("2130706433:80").unwrap().to_string(), "127.0.0.1:80");
        assert_eq!(Endpoint::parse("example.com"), Err(HostError::BadPort));
        for (text, shown) in [("8080", "8080"), ("0.0.0.0:8080", "0.0.0.0:8080"), ("[::]:1", "[::]:1")] {
            assert_eq!(Listen::parse(text).unwrap().to_string(), shown);
        }
        for text in ["", "0", "65536", "localhost:80", "127.1:80", "0.0.0.0", "0.0.0.0:0", "0.0.0.0:1/udp", ":80"] {
            assert!(Listen::parse(text).is_err(), "{text}");
        }
    }
}
