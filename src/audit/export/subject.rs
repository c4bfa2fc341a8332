//! What a record is about, in the terms that the formats share.

use core::net::IpAddr;

use crate::audit::record::parse::Record;

/// The kind of thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    File(FileAct),
    Network(NetworkAct),
    Process,
    /// A session or its log.
    Session(SessionAct),
    /// Something that this table does not know.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileAct {
    Change,
    Create,
    Delete,
    Link,
    /// Opened for no data (`O_PATH`), or for what was asked.
    Open,
    Read,
    Rename,
    SetAttributes,
    SetOwner,
    Write,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NetworkAct {
    Connect,
    Listen,
    /// A name was looked up.
    Resolve,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SessionAct {
    /// The log is not what was written.
    Damaged,
    End,
    Recovered,
    Start,
}

/// One end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Address {
        ip: IpAddr,
        port: Option<u16>,
    },
    Name {
        name: String,
        port: Option<u16>,
    },
    /// A Unix socket.
    Path(String),
}

/// `O_PATH` of `asm-generic/fcntl.h`.
const O_PATH: u64 = 0o10_000_000;

/// What `record` is about. An approval is about what was asked for.
pub(super) fn of(record: &Record) -> Subject {
    let operation = match record.operation.as_str() {
        "approval" => record.text("asked").unwrap_or("approval"),
        operation => operation,
    };
    let opened_without_data = || record.field("flags").and_then(serde_json::Value::as_u64).unwrap_or(0) & O_PATH != 0;
    match operation {
        "fs.read" if opened_without_data() => Subject::File(FileAct::Open),
        "fs.change" => Subject::File(FileAct::Change),
        "fs.chmod" | "fs.utime" | "fs.setxattr" => Subject::File(FileAct::SetAttributes),
        "fs.chown" => Subject::File(FileAct::SetOwner),
        "fs.create" => Subject::File(FileAct::Create),
        "fs.delete" => Subject::File(FileAct::Delete),
        "fs.link" => Subject::File(FileAct::Link),
        // A signed file that is looked at, whoever then gets it.
        "fs.open" | "verify" => Subject::File(FileAct::Open),
        "fs.read" => Subject::File(FileAct::Read),
        "fs.rename" => Subject::File(FileAct::Rename),
        "fs.write" => Subject::File(FileAct::Write),
        "process.execute" => Subject::Process,
        "net.connect" | "unix.connect" => Subject::Network(NetworkAct::Connect),
        "net.bind" | "net.listen" => Subject::Network(NetworkAct::Listen),
        "dns.query" => Subject::Network(NetworkAct::Resolve),
        "session.start" | "session.opened" => Subject::Session(SessionAct::Start),
        "session.end" | "session.closed" => Subject::Session(SessionAct::End),
        "session.recovered" | "log.recovered" => Subject::Session(SessionAct::Recovered),
        "session.damaged" => Subject::Session(SessionAct::Damaged),
        _ => Subject::Other,
    }
}

/// The other end, as records of connections write it: `host:port`, or a socket's path.
pub(super) fn endpoint(target: &str) -> Endpoint {
    // The second is an abstract name (unix(7)).
    if target.starts_with(['/', '@']) {
        return Endpoint::Path(target.to_owned());
    }
    // A port of loopback, as older records have it.
    if let Ok(port) = target.parse() {
        return Endpoint::Name { name: "localhost".to_owned(), port: Some(port) };
    }
    let with_port = target.rsplit_once(':').and_then(|(host, port)| Some((host, Some(port.parse::<u16>().ok()?))));
    let (host, port) = with_port.unwrap_or((target, None));
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match (bare.parse(), target.parse()) {
        (Ok(ip), _) => Endpoint::Address { ip, port },
        // An IPv6 address without brackets has colons of its own.
        (_, Ok(ip)) => Endpoint::Address { ip, port: None },
        _ => Endpoint::Name { name: host.to_owned(), port },
    }
}

/// The last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(path)
}

/// Whether a denial protects something that is worth an alarm, or a record says itself that it is one.
pub(super) fn is_alert(record: &Record) -> bool {
    record.operation == "session.damaged" || record.text("alert").is_some()
}

/// Whether a group that protects credentials refused it.
pub(super) fn is_about_credentials(record: &Record) -> bool {
    let group = record.text("rule_from").and_then(|from| from.strip_prefix("group "));
    record.disposition.is_refusal() && group.is_some_and(|group| group.starts_with("deny-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_of_connections_are_taken_apart() {
        let name = |name: &str, port| Endpoint::Name { name: name.into(), port };
        let address = |ip: &str, port| Endpoint::Address { ip: ip.parse().unwrap(), port };
        for (target, expected) in [
            ("a.example:443", name("a.example", Some(443))),
            ("10.1.2.3:80", address("10.1.2.3", Some(80))),
            ("[fd00::1]:1", address("fd00::1", Some(1))),
            ("fd00::1", address("fd00::1", None)),
            ("a.example", name("a.example", None)),
            ("8080", name("localhost", Some(8080))),
            ("a:99999", name("a:99999", None)),
            ("", name("", None)),
            ("/run/a.sock", Endpoint::Path("/run/a.sock".into())),
            ("@/tmp/a:1", Endpoint::Path("@/tmp/a:1".into())),
        ] {
            assert_eq!(endpoint(target), expected, "{target}");
        }
        assert_eq!(["/a/b", "/a/b/", "/", "", "b"].map(file_name), ["b", "b", "/", "", "b"]);
    }
}
