//! A record for people.

use serde_json::Value;

use crate::audit::record::Disposition;
use crate::audit::record::parse::Record;
use crate::profile::escape::escaped;

/// Bytes of a path or a reason that are shown.
const SHOWN: usize = 1024;

/// A record on one line, whatever is in it.
pub(super) fn sentence(record: &Record, colours: bool) -> String {
    let time = record.timestamp.text();
    let time = String::from_utf8_lossy(time.get(11..23).unwrap_or_default()).into_owned();
    let shown = |name: &str| record.bytes(name).map(|bytes| escaped(&bytes, SHOWN));
    let (operation, target) = (escaped(record.operation.as_bytes(), SHOWN), shown("target").unwrap_or_default());
    let (on, off) = if colours { colour(record.disposition) } else { ("", "") };
    let disposition = record.disposition.name();
    let mut out = format!("{:>6} {time} {on}{disposition:<10}{off} {operation} {target}", record.index);
    for (name, before) in [
        ("to", " -> "),
        ("command", ": "),
        ("rule", "  ["),
        ("reason", "  ("),
        ("not_started", "  (not started: "),
        ("alert", "  ALERT: "),
        ("approver", "  by "),
    ] {
        let Some(value) = shown(name) else { continue };
        out += before;
        out += &value;
        out += match name {
            "rule" => "]",
            "reason" | "not_started" => ")",
            _ => "",
        };
    }
    if let Some(executable) = record.text("process.executable") {
        let pid = record.field("process.pid").and_then(Value::as_u64).unwrap_or(0);
        out += &format!("  {}[{pid}]", escaped(executable.as_bytes(), SHOWN));
    }
    if let Some(status) = record.field("exit_status").and_then(Value::as_u64) {
        out += &format!("  exit {status}");
    }
    if let Some(expected) = shown("expected") {
        out += &format!("  instead of {expected}");
    }
    if record.count() > 1 {
        out += &format!("  {} times", record.count());
    }
    out.push('\n');
    out
}

/// The colour of a disposition (ECMA-48, SGR), and what ends it.
fn colour(disposition: Disposition) -> (&'static str, &'static str) {
    match disposition {
        Disposition::Denied | Disposition::Rejected | Disposition::Unanswered => ("\x1b[31m", "\x1b[0m"),
        Disposition::Approved => ("\x1b[32m", "\x1b[0m"),
        Disposition::Noted => ("\x1b[36m", "\x1b[0m"),
        Disposition::Allowed | Disposition::Failed | Disposition::Kernel => ("", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_one_line_whatever_is_in_it() {
        let line = br#"{"index":1,"timestamp":"2026-01-31T10:11:12.5Z","operation":"fs.read","target":"/a\n\u001b[2J\u202e","disposition":"denied","process":{"pid":7,"executable":"/x\ny"},"repeats":3}"#;
        let record = Record::parse(line).unwrap();
        let text = sentence(&record, false);
        assert_eq!(text.matches('\n').count(), 1);
        assert!(text.bytes().all(|byte| byte == b'\n' || (0x20..0x7f).contains(&byte)), "{text}");
        assert!(text.starts_with("     1 10:11:12.500 denied ") && text.ends_with("  3 times\n"), "{text}");
        // Colours are the only thing that a terminal obeys.
        let coloured = sentence(&record, true);
        assert_eq!(coloured.matches('\u{1b}').count(), 2);
        assert_eq!(coloured.replace("\u{1b}[31m", "").replace("\u{1b}[0m", ""), text);
    }

    #[test]
    fn a_clock_that_was_set_shows_both_times() {
        let line = br#"{"index":1,"timestamp":"2026-01-31T10:11:12.5Z","operation":"clock.set","target":"s","disposition":"noted","expected":"2026-01-31T11:11:12.5Z"}"#;
        let text = sentence(&Record::parse(line).unwrap(), false);
        assert!(text.contains("clock.set s  instead of 2026-01-31T11:11:12.5Z"), "{text}");
    }
}
