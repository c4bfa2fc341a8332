//! Records of every kind, as nono writes them.

use nono::audit::export::{Format, Row, Session};
use nono::audit::record::parse::Record;
use nono::merkle::leaf_hash;
use serde_json::{Value, json};

/// The line of a record with these fields besides the ones that each has.
pub(crate) fn line(index: u64, operation: &str, target: &str, disposition: &str, more: &Value) -> Vec<u8> {
    let mut value = json!({
        "index": index, "timestamp": "2026-01-31T23:59:59.123456789Z", "operation": operation, "target": target,
        "disposition": disposition, "salt": "AAAAAAAAAAAAAAAAAAAAAA==",
    });
    let process = json!({ "pid": 77, "parent": 76, "executable": "/usr/bin/agent", "user": 1000 });
    let fields = value.as_object_mut().expect("an object");
    if !operation.starts_with("session") {
        fields.insert("process".into(), process);
    }
    fields.extend(more.as_object().expect("an object").clone());
    value.to_string().into_bytes()
}

/// Operations, each with a target.
const OPERATIONS: [(&str, &str); 22] = [
    ("fs.read", "/home/u/.ssh/id_rsa"),
    ("fs.create", "/srv/new"),
    ("fs.write", "/srv/a b"),
    ("fs.delete", "/srv/old"),
    ("fs.rename", "/srv/old"),
    ("fs.link", "/srv/old"),
    ("fs.chmod", "/srv/old"),
    ("fs.chown", "/srv/old"),
    ("fs.utime", "/srv/old"),
    ("fs.setxattr", "/srv/old"),
    ("process.execute", "/usr/bin/cat"),
    ("net.connect", "api.example.com:443"),
    ("net.connect", "[2001:db8::1]:443"),
    ("net.connect", "192.0.2.1:80"),
    ("net.connect", "/run/service.sock"),
    ("net.bind", "127.0.0.1:8080"),
    ("net.listen", "127.0.0.1:8080"),
    ("dns.query", "api.example.com"),
    ("approval", "/etc/hosts"),
    ("net.connect", "@/tmp/.X11-unix/X0"),
    ("verify", "/srv/CLAUDE.md"),
    ("something.new", "whatever"),
];

/// One of each kind of operation with each way it can end.
pub(crate) fn all() -> Vec<Vec<u8>> {
    let start = json!({ "host": "h", "user": 1000, "nono": "0.1.0", "profile": "agent", "policy_sha256": "00ff" });
    let mut lines = vec![line(0, "session.start", "20260131T000000Z-00000000", "noted", &start)];
    for (operation, target) in OPERATIONS {
        for (disposition, more) in &ends() {
            lines.push(line(lines.len() as u64, operation, target, disposition, more));
        }
    }
    for operation in ["session.opened", "session.closed", "session.recovered", "session.damaged", "log.recovered"] {
        lines.push(line(
            lines.len() as u64,
            operation,
            "20260131T000000Z-00000001",
            "noted",
            &json!({ "reason": "why" }),
        ));
    }
    lines.push(line(
        lines.len() as u64,
        "session.end",
        "20260131T000000Z-00000000",
        "noted",
        &json!({ "exit_status": 3 }),
    ));
    lines
}

/// Ways to end, each with the fields that come with it.
fn ends() -> [(&'static str, Value); 8] {
    [
        ("allowed", json!({ "outcome": "done", "rule": "allow $WORKDIR", "rule_from": "agent.json" })),
        (
            "approved",
            json!({ "outcome": "done", "approver": "u on the terminal", "latency_ms": 1500, "asked": "fs.open" }),
        ),
        (
            "denied",
            json!({ "outcome": "EACCES", "errno": 13, "rule": "deny ~/.ssh", "rule_from": "group deny-credentials" }),
        ),
        (
            "rejected",
            json!({ "outcome": "EACCES", "errno": 13, "reason": "not today", "approver": "u", "asked": "fs.change" }),
        ),
        ("unanswered", json!({ "outcome": "EACCES", "latency_ms": 30000, "asked": "process.execute" })),
        ("failed", json!({ "outcome": "ENOENT", "errno": 2, "resolved": false })),
        (
            "kernel",
            json!({ "outcome": "kernel", "flags": 0o10_000_000, "to": "/srv/to", "transport": "tcp", "repeats": 9 }),
        ),
        ("allowed", json!({ "alert": "nobody answered, and the policy lets that count as a yes" })),
    ]
}

/// The rows of `lines` in `format`, with what they are of.
pub(crate) fn exported(lines: &[Vec<u8>], format: Format) -> Vec<(Record, String)> {
    let mut session = Session::new("20260131T000000Z-00000000");
    let row = |line: &Vec<u8>| {
        let record = Record::parse(line).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(line)));
        session.learn(&record);
        let text = Row { session: &session, record: &record, leaf: &leaf_hash(line) }.text(format);
        (record, text)
    };
    lines.iter().map(row).collect()
}
