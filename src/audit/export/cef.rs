//! Rows in the Common Event Format: a header of eight parts with `|` between them, and extensions `key=value`.

use super::Row;
use super::subject::{self, Endpoint, Subject};
use super::written::visible;
use crate::audit::record::Disposition;

/// The extensions of a row, one after the other.
#[derive(Default)]
struct Extensions(String);

pub(super) fn row(row: &Row<'_>) -> String {
    let record = row.record;
    let version = header(row.session.nono.as_deref().unwrap_or("unknown"));
    let (operation, disposition) = (header(&record.operation), record.disposition);
    let mut out = Extensions::default();
    out.put("rt", &record.timestamp.milliseconds().to_string());
    out.put("act", disposition.name());
    out.put("cat", category(row));
    match record.text("outcome") {
        Some("done") => out.put("outcome", "success"),
        Some("kernel") | None => {}
        Some(_) => out.put("outcome", "failure"),
    }
    target(&mut out, row);
    caller(&mut out, row);
    out.put("externalId", &row.leaf_hash());
    out.labelled("cs1", "session", &row.session.id);
    out.labelled("cn1", "index", &record.index.to_string());
    for (key, label) in [("cs2", "rule"), ("cs3", "target_b64"), ("cs5", "to")] {
        if let Some(value) = record.text(label) {
            out.labelled(key, label, value);
        }
    }
    format!("CEF:0|nono|nono|{version}|{operation}|{operation} {disposition}|{}|{}", severity(row), out.0)
}

impl Extensions {
    fn put(&mut self, key: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        self.0.push_str(&format!("{key}={}", extension(value)));
    }

    /// A field that the format leaves to the vendor, and what it is called here.
    fn labelled(&mut self, key: &str, label: &str, value: &str) {
        self.put(key, value);
        self.put(&format!("{key}Label"), label);
    }
}

fn target(out: &mut Extensions, row: &Row<'_>) {
    let target = &row.record.target;
    match subject::of(row.record) {
        Subject::File(_) => {
            out.put("filePath", target);
            out.put("fname", subject::file_name(target));
        }
        Subject::Network(_) => {
            let port = match subject::endpoint(target) {
                Endpoint::Address { ip, port } if ip.is_ipv6() => {
                    out.labelled("c6a3", "Destination IPv6 Address", &ip.to_string());
                    port
                }
                Endpoint::Address { ip, port } => {
                    out.put("dst", &ip.to_string());
                    port
                }
                Endpoint::Name { name, port } => {
                    out.put("dhost", &name);
                    port
                }
                Endpoint::Path(path) => {
                    out.put("filePath", &path);
                    None
                }
            };
            port.into_iter().for_each(|port| out.put("dpt", &port.to_string()));
        }
        Subject::Process => {
            out.put("dproc", target);
            out.put("filePath", target);
        }
        Subject::Session(_) | Subject::Other => out.put("msg", target),
    }
    row.record.text("transport").into_iter().for_each(|transport| out.put("proto", transport));
}

fn caller(out: &mut Extensions, row: &Row<'_>) {
    let record = row.record;
    let texts = [("process.executable", "sproc"), ("reason", "reason"), ("approver", "duser")];
    for (value, key) in texts.into_iter().filter_map(|(field, key)| Some((record.text(field)?, key))) {
        out.put(key, value);
    }
    let number = |field: &str| record.field(field).and_then(serde_json::Value::as_u64);
    let numbers = [
        ("spid", number("process.pid").or_else(|| number("pid"))),
        ("suid", number("process.user")),
        ("cnt", number("repeats")),
    ];
    for (key, value) in numbers.into_iter().filter_map(|(key, value)| Some((key, value?))) {
        out.put(key, &value.to_string());
    }
    row.session.host.iter().for_each(|host| out.put("dvchost", host));
}

/// From 0 to 10.
fn severity(row: &Row<'_>) -> u8 {
    match row.record.disposition {
        _ if subject::is_alert(row.record) => 9,
        _ if subject::is_about_credentials(row.record) => 8,
        Disposition::Denied | Disposition::Rejected | Disposition::Unanswered => 5,
        Disposition::Approved => 3,
        Disposition::Allowed | Disposition::Failed | Disposition::Kernel | Disposition::Noted => 1,
    }
}

fn category(row: &Row<'_>) -> &'static str {
    match subject::of(row.record) {
        Subject::File(_) => "file",
        Subject::Network(_) => "network",
        Subject::Process => "process",
        Subject::Session(_) => "session",
        Subject::Other => "other",
    }
}

/// A part of the header: `\` and `|` have a `\` before them.
fn header(text: &str) -> String {
    visible(text).replace('\\', "\\\\").replace('|', "\\|")
}

/// A value: `\` and `=` have a `\` before them. Line ends are no characters of a value any more.
fn extension(text: &str) -> String {
    visible(text).replace('\\', "\\\\").replace('=', "\\=")
}
