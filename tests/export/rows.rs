//! Rows of any record, hostile ones included. Shared with the fuzzer.

use nono::audit::export::{Format, Row, Session};
use nono::audit::record::parse::Record;
use nono::merkle::leaf_hash;
use serde_json::Value;

/// Exports `line` in every format, when it is a record: each row is one line that says which record it is, and the other
/// formats say what the record says.
///
/// # Errors
/// The first thing that does not hold, in words.
pub(crate) fn agree(line: &[u8]) -> Result<(), String> {
    let Ok(record) = Record::parse(line) else { return Ok(()) };
    let mut session = Session::new("20260131T000000Z-00000000");
    session.learn(&record);
    let leaf = leaf_hash(line);
    let row = Row { session: &session, record: &record, leaf: &leaf };
    let hash: String = leaf.iter().map(|byte| format!("{byte:02x}")).collect();
    for (name, format) in Format::ALL {
        let text = row.text(format);
        let hidden =
            |character: char| character != ' ' && !character.is_alphanumeric() && !character.is_ascii_graphic();
        if text.contains(hidden) || !text.contains(&hash) || !text.contains(&session.id) {
            return Err(format!("{name}: {text:?}"));
        }
        match format {
            Format::Cef => header(&text)?,
            Format::Ecs | Format::Json | Format::Ocsf => json(&text, format, &record)?,
        }
    }
    Ok(())
}

/// Seven parts and the extensions, whatever they hold (CEF implementation standard, "Header information").
fn header(text: &str) -> Result<(), String> {
    let mut escaped = false;
    let bars = text.bytes().filter(|&byte| {
        let is_bar = byte == b'|' && !escaped;
        escaped = byte == b'\\' && !escaped;
        is_bar
    });
    // Extensions may have bars; the header has exactly seven before them.
    let parts = text.splitn(8, '|').count();
    if bars.count() >= 7 && parts == 8 && text.starts_with("CEF:0|nono|nono|") {
        return Ok(());
    }
    Err(format!("no header: {text:?}"))
}

fn json(text: &str, format: Format, record: &Record) -> Result<(), String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("{error}: {text:?}"))?;
    let fields = match format {
        Format::Ecs => &value["nono"],
        Format::Ocsf => &value["unmapped"]["nono"],
        Format::Cef | Format::Json => &value,
    };
    let same = fields["index"] == record.index
        && fields["operation"] == record.operation.as_str()
        && fields["target"] == record.target.as_str()
        && fields["disposition"] == record.disposition.name();
    if same { Ok(()) } else { Err(format!("{format:?} says something else: {text:?}")) }
}
