//! `nono audit list`: the sessions that were recorded.

use std::fs;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use serde_json::{Value, json};

use crate::audit::log;
use crate::audit::log::session::is_running;
use crate::audit::record::LONGEST;
use crate::audit::record::parse::Record;
use crate::audit::record::time::Moment;
use crate::profile::escape::escaped;
use crate::verbs::{REFUSED, USAGE, gather, print};

use super::{place, shown, verify};

/// Bytes in which a whole record is found at either end of a log: two of the longest, one of them cut.
const AT_AN_END: usize = 2 * (LONGEST + 1);

/// Prints a line for each session since `since`. Answers 0, 2 when that is no time, and 125 when they cannot be read.
pub(super) fn list(since: Option<&str>, as_json: bool) -> u8 {
    let since = match since.map(|text| moment(text).ok_or(text)).transpose() {
        Ok(since) => since.unwrap_or_default(),
        Err(text) => {
            let given = escaped(text.as_bytes(), 100);
            print::say(&format!(
                "`--since` takes a time such as 2026-01-31, 2026-01-31T10:00:00Z, 30m, 12h or 7d, and not {given}"
            ));
            return USAGE;
        }
    };
    match sessions() {
        Err(sentence) => {
            print::say(&sentence);
            REFUSED
        }
        Ok(all) => {
            let kept = all.iter().filter(|listed| listed.began.is_none_or(|began| began >= since));
            if as_json {
                print::json(&kept.map(Listed::json).collect())
            } else {
                print::document(&kept.map(Listed::line).collect::<String>())
            }
        }
    }
}

/// What the two ends of a session's log say. Nothing of it is verified.
struct Listed {
    id: String,
    began: Option<Moment>,
    start: Option<Record>,
    last: Option<Record>,
    running: bool,
}

/// Every session, the first first.
fn sessions() -> Result<Vec<Listed>, String> {
    let directory = place::sessions(&place::state()?);
    let failed = |error: io::Error| format!("{} cannot be read: {error}", shown(directory.as_os_str()));
    let entries = match fs::read_dir(&directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut all = Vec::new();
    for entry in entries {
        all.push(Listed::read(&entry.map_err(failed)?.path()));
    }
    all.sort_by(|one, other| (one.began, &one.id).cmp(&(other.began, &other.id)));
    Ok(all)
}

impl Listed {
    /// A log that cannot be read has neither beginning nor end.
    fn read(directory: &Path) -> Self {
        let (start, last) = ends(directory).unwrap_or_default();
        let start = start.filter(|record| record.operation == "session.start");
        let began = start.as_ref().map(|record| record.timestamp);
        Self { id: verify::id(directory), began, start, last, running: is_running(directory) }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.start.as_ref()?.text(name)
    }

    /// The record that ends it.
    fn end(&self) -> Option<&Record> {
        self.last.as_ref().filter(|record| record.operation == "session.end")
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.end()?.field(name).and_then(Value::as_u64)
    }

    fn standing(&self) -> &'static str {
        match self.last.as_ref().map(|record| record.operation.as_str()) {
            _ if self.running => "running",
            Some("session.end") => "ended",
            Some("log.recovered") => "recovered",
            Some(_) => "killed",
            None => "unreadable",
        }
    }

    fn line(&self) -> String {
        let mut out = format!("{}  ", escaped(self.id.as_bytes(), 255));
        match self.number("exit_status") {
            Some(status) => out += &format!("exit {status:<5}"),
            None => out += &format!("{:<10}", self.standing()),
        }
        if let Some(denied) = self.number("denied") {
            out += &format!("  {denied} denied");
        }
        for name in ["profile", "command"] {
            out += "  ";
            out += &escaped(self.text(name).unwrap_or("-").as_bytes(), 200);
        }
        out.push('\n');
        out
    }

    fn json(&self) -> Value {
        let began = self.began.map(|began| String::from_utf8_lossy(&began.text()).into_owned());
        json!({
            "session": self.id,
            "began": began,
            "standing": self.standing(),
            "exit_status": self.number("exit_status"),
            "denied": self.number("denied"),
            "records": self.last.as_ref().map(|record| record.index.saturating_add(1)),
            "profile": self.text("profile"),
            "command": self.text("command"),
            "directory": self.text("directory"),
        })
    }
}

/// The first and the last whole record of a log.
fn ends(directory: &Path) -> io::Result<(Option<Record>, Option<Record>)> {
    let mut events = gather::open_regular(&directory.join(place::EVENTS))?;
    let length = events.metadata()?.len();
    let mut part = Vec::new();
    events.by_ref().take(AT_AN_END as u64).read_to_end(&mut part)?;
    let first = part.split_inclusive(|&byte| byte == b'\n').next().and_then(|line| line.strip_suffix(b"\n"));
    let first = first.and_then(|line| Record::parse(line).ok());
    part.clear();
    events.seek(SeekFrom::Start(length.saturating_sub(AT_AN_END as u64)))?;
    events.take(AT_AN_END as u64).read_to_end(&mut part)?;
    let last = part.split_inclusive(|&byte| byte == b'\n').filter_map(|line| line.strip_suffix(b"\n")).next_back();
    Ok((first, last.and_then(|line| Record::parse(line).ok())))
}

/// A time of day as records have it, a date, or how long ago.
fn moment(text: &str) -> Option<Moment> {
    if let Some(moment) = Moment::parse(text) {
        return Some(moment);
    }
    let unit = match text.bytes().next_back()? {
        b'm' => 60,
        b'h' => 3600,
        b'd' => 86_400,
        _ => return None,
    };
    let number = text.get(..text.len().checked_sub(1)?)?;
    let number: u64 = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok()).flatten()?;
    let ago = number.checked_mul(unit)?;
    Some(Moment { seconds: log::now().seconds.saturating_sub(ago), nanoseconds: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_moments_dates_or_how_long_ago() {
        for good in ["2026-01-31", "2026-01-31T10:00:00Z", "30m", "0h", "7d"] {
            assert!(moment(good).is_some(), "{good}");
        }
        for bad in ["", "d", "-1d", "7w", "yesterday", "99999999999999999999d", "2026-13-01", "+1d", "1\u{fc}"] {
            assert_eq!(moment(bad), None, "{bad}");
        }
    }
}
