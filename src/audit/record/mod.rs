//! One record: a JSON object on a line of its own, written field by field into a buffer that is used again.
//!
//! What a program chose (paths, names) cannot end a line or a string, cannot move a cursor, and cannot make a record
//! longer than [`LONGEST`]. The exact bytes of the line are the leaf of the log's tree.

pub mod parse;
pub mod shape;
pub mod text;
pub mod time;

use std::fmt;
use std::time::Duration;

/// The longest line in bytes, without its line end: what a bundle of entries can hold (C2SP `tlog-tiles`).
pub const LONGEST: usize = 65_535;
/// Bytes of a path or another text that are kept (`PATH_MAX` of `limits.h`).
pub const LONGEST_TEXT: usize = 4096;
/// The same for texts that only explain.
pub const LONGEST_REMARK: usize = 1024;

/// What became of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// A rule allows it.
    Allowed,
    /// Somebody was asked and said yes.
    Approved,
    /// A rule refuses it, or none allows it.
    Denied,
    /// There was nothing to decide: it led nowhere, or was no proper call.
    Failed,
    /// It led nowhere when it was looked at, and the kernel has the last word, under the same rules.
    Kernel,
    /// It is not about a rule: the session itself, or its log.
    Noted,
    /// Somebody was asked and said no.
    Rejected,
    /// Somebody was asked, and nobody answered.
    Unanswered,
}

/// What of a session is recorded; the first records most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Every operation.
    All,
    /// What changes something, starts something or reaches the network, and every refusal.
    Changes,
    /// Refusals, answers to questions and verifications.
    Decisions,
}

/// When something happened: the time of day, which may be set back, and how long the session had lasted, which only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct When {
    pub moment: time::Moment,
    pub elapsed: Duration,
}

/// The fields of a record, one after the other. A key is given once.
#[derive(Debug)]
pub struct Fields<'b>(&'b mut Vec<u8>);

impl Disposition {
    /// Every one, as records name them.
    pub const ALL: [Self; 8] = [
        Self::Allowed,
        Self::Approved,
        Self::Denied,
        Self::Failed,
        Self::Kernel,
        Self::Noted,
        Self::Rejected,
        Self::Unanswered,
    ];

    /// As records name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Kernel => "kernel",
            Self::Noted => "noted",
            Self::Rejected => "rejected",
            Self::Unanswered => "unanswered",
        }
    }

    /// Whether it was stopped by a rule or an answer.
    pub fn is_refusal(self) -> bool {
        match self {
            Self::Denied | Self::Rejected | Self::Unanswered => true,
            Self::Allowed | Self::Approved | Self::Failed | Self::Kernel | Self::Noted => false,
        }
    }
}

impl Level {
    /// Whether `operation` with this end is recorded.
    pub fn keeps(self, operation: &str, disposition: Disposition) -> bool {
        let plain = matches!(disposition, Disposition::Allowed | Disposition::Failed | Disposition::Kernel);
        match self {
            Self::All => true,
            Self::Changes => !(plain && operation == "fs.read"),
            Self::Decisions => !plain || operation == "verify",
        }
    }

    /// As profiles and flags name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Changes => "changes",
            Self::Decisions => "decisions",
        }
    }
}

impl<'b> Fields<'b> {
    /// Fields at the end of `buffer`.
    pub fn new(buffer: &'b mut Vec<u8>) -> Self {
        Self(buffer)
    }

    /// A text of nono's own, or one that only explains; its end is left out when it is long.
    pub fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        text::quote(self.0, text::beginning(value.as_bytes(), LONGEST_REMARK));
    }

    /// A text of nono's own, whole.
    pub fn exact(&mut self, key: &str, value: &str) {
        self.key(key);
        text::quote(self.0, value.as_bytes());
    }

    /// What a program chose. Bytes that are not UTF-8, or that nobody can see, stand in `KEY_b64` exactly as they were.
    pub fn bytes(&mut self, key: &str, value: &[u8]) {
        self.bytes_to(key, value, LONGEST_TEXT);
    }

    /// The same for something that only explains.
    pub fn remark(&mut self, key: &str, value: &[u8]) {
        self.bytes_to(key, value, LONGEST_REMARK);
    }

    /// A text in parts.
    pub fn words(&mut self, key: &str, parts: &[&str]) {
        self.key(key);
        self.0.push(b'"');
        let mut left = LONGEST_REMARK;
        for part in parts {
            let kept = text::beginning(part.as_bytes(), left);
            text::inside(self.0, kept);
            left = left.saturating_sub(kept.len());
        }
        self.0.push(b'"');
    }

    /// Whole fields that were written before.
    pub fn raw(&mut self, fields: &[u8]) {
        if !fields.is_empty() {
            self.separate();
            self.0.extend_from_slice(fields);
        }
    }

    /// When it happened.
    pub fn time(&mut self, moment: time::Moment, elapsed: Duration) {
        self.key("timestamp");
        self.0.push(b'"');
        self.0.extend_from_slice(&moment.text());
        self.0.push(b'"');
        self.number("elapsed_us", u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX));
    }

    pub fn number(&mut self, key: &str, value: u64) {
        self.key(key);
        text::decimal(self.0, value);
    }

    /// A JSON value that was written before.
    pub fn json(&mut self, key: &str, value: &[u8]) {
        self.key(key);
        self.0.extend_from_slice(value);
    }

    fn bytes_to(&mut self, key: &str, value: &[u8], most: usize) {
        let kept = value.get(..most.min(value.len())).unwrap_or_default();
        let plain = kept.len() == value.len() && text::is_plain(kept);
        self.key(key);
        text::quote(self.0, if plain { kept } else { text::beginning(kept, most / 2) });
        if !plain {
            self.0.extend_from_slice(b",\"");
            self.0.extend_from_slice(key.as_bytes());
            self.0.extend_from_slice(b"_b64\":\"");
            text::base64(self.0, kept);
            self.0.push(b'"');
        }
        if kept.len() < value.len() {
            self.0.extend_from_slice(b",\"");
            self.0.extend_from_slice(key.as_bytes());
            self.0.extend_from_slice(b"_bytes\":");
            text::decimal(self.0, value.len() as u64);
        }
    }

    fn key(&mut self, key: &str) {
        self.separate();
        self.0.push(b'"');
        self.0.extend_from_slice(key.as_bytes());
        self.0.extend_from_slice(b"\":");
    }

    fn separate(&mut self) {
        if self.0.last().is_some_and(|&last| !matches!(last, b'{' | b',')) {
            self.0.push(b',');
        }
    }
}

/// Puts the line around the fields of record `index`: its number in front, and behind them `salt`, which keeps what stands
/// in it from being guessed by its hash. Without a line end.
pub fn line(out: &mut Vec<u8>, index: u64, fields: &[u8], salt: &[u8; 16]) {
    begin(out, index);
    out.extend_from_slice(fields);
    end(out, salt);
}

/// The same for `fields` without the time, which is `when`.
pub fn timed_line(out: &mut Vec<u8>, index: u64, when: When, fields: &[u8], salt: &[u8; 16]) {
    begin(out, index);
    let mut all = Fields::new(out);
    all.time(when.moment, when.elapsed);
    all.raw(fields);
    end(out, salt);
}

fn begin(out: &mut Vec<u8>, index: u64) {
    out.extend_from_slice(b"{\"index\":");
    text::decimal(out, index);
    out.push(b',');
}

fn end(out: &mut Vec<u8>, salt: &[u8; 16]) {
    out.extend_from_slice(b",\"salt\":\"");
    text::base64(out, salt);
    out.extend_from_slice(b"\"}");
}

impl fmt::Display for Disposition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(fill: impl FnOnce(&mut Fields<'_>)) -> (Vec<u8>, serde_json::Value) {
        let (mut buffer, mut out) = (Vec::new(), Vec::new());
        fill(&mut Fields::new(&mut buffer));
        line(&mut out, 7, &buffer, &[0; 16]);
        let value = serde_json::from_slice(&out).unwrap();
        (out, value)
    }

    #[test]
    fn hostile_paths_stay_inside_their_string_and_can_be_had_back() {
        let hostile: [&[u8]; 6] = [
            b"/a\n{\"index\":8}",
            b"/\x1b[2J\r",
            b"/\xff\xfe",
            "/\u{202e}txt.exe".as_bytes(),
            b"/\"\\",
            b"/\x00\x7f\xc2\x9b",
        ];
        for path in hostile {
            let (line, value) = record(|fields| fields.bytes("target", path));
            assert!(line.iter().all(|byte| (0x20..0x7f).contains(byte)), "{}", String::from_utf8_lossy(&line));
            let exact = value.get("target_b64").map(|text| text::from_base64(text.as_str().unwrap()).unwrap());
            assert_eq!(exact.unwrap_or_else(|| value["target"].as_str().unwrap().into()), path);
        }
    }

    #[test]
    fn no_record_of_a_call_is_too_long() {
        let worst = [b'\x01', b'\xff'].repeat(4096);
        let remark = "\u{7f}".repeat(4096);
        let (line, value) = record(|fields| {
            ["target", "to"].iter().for_each(|key| fields.bytes(key, &worst[..4096]));
            ["typed", "executable"].iter().for_each(|key| fields.remark(key, &worst[..4096]));
            ["rule", "reason", "approver"].iter().for_each(|key| fields.text(key, &remark));
        });
        assert!(line.len() < LONGEST - 1024, "{}", line.len());
        assert_eq!(value["typed_bytes"], 4096);
    }

    #[test]
    fn each_level_keeps_refusals() {
        for level in [Level::All, Level::Changes, Level::Decisions] {
            for refused in Disposition::ALL.into_iter().filter(|end| end.is_refusal()) {
                assert!(level.keeps("fs.read", refused));
            }
        }
        assert!(Level::Changes.keeps("fs.write", Disposition::Allowed));
        assert!(!Level::Changes.keeps("fs.read", Disposition::Allowed));
        assert!(!Level::Decisions.keeps("fs.write", Disposition::Allowed));
        assert!(Level::Decisions.keeps("verify", Disposition::Allowed));
    }
}
