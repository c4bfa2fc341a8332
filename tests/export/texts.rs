//! JSON rows and rows in the Common Event Format, and what a program may try in any of them.

use nono::audit::export::Format;
use serde_json::{Value, json};

use crate::records;

/// Takes the extensions of a row apart as a reader does: a key ends before `=`, a value before ` key=`.
fn extensions(row: &str) -> Vec<(String, String)> {
    let mut rest = row.splitn(8, '|').nth(7).expect("extensions");
    let mut all = Vec::new();
    while let Some((key, after)) = rest.split_once('=') {
        let next = after.match_indices('=').find(|(at, _)| !after[..*at].ends_with('\\'));
        let end = next.map_or(after.len(), |(at, _)| after[..at].rfind(' ').expect("a space before a key"));
        all.push((key.to_owned(), after[..end].replace("\\=", "=").replace("\\\\", "\\")));
        rest = after.get(end + 1..).unwrap_or_default();
    }
    all
}

#[test]
fn json_rows_have_the_record_s_fields_at_the_top_and_say_which_one_it_is() {
    let lines = records::all();
    for (line, (record, text)) in lines.iter().zip(records::exported(&lines, Format::Json)) {
        let row: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(
            (&row["operation"], &row["target"]),
            (&record.operation.as_str().into(), &record.target.as_str().into())
        );
        assert_eq!(
            (&row["timestamp"], &row["disposition"]),
            (&"2026-01-31T23:59:59.123456789Z".into(), &record.disposition.name().into())
        );
        assert_eq!((&row["session"], &row["index"]), (&"20260131T000000Z-00000000".into(), &record.index.into()));
        let original: Value = serde_json::from_slice(line).expect("JSON");
        for (name, value) in original.as_object().expect("an object") {
            assert_eq!(&row[name], value, "{name}");
        }
    }
}

#[test]
fn cef_rows_are_read_with_every_field_in_its_place() {
    let lines = [
        records::line(0, "session.start", "s", "noted", &json!({ "host": "h", "nono": "0|1\\" })),
        records::line(
            1,
            "fs.read",
            "/a=b\\c|d e",
            "denied",
            &json!({ "rule": "deny x", "outcome": "EACCES", "reason": "a=b c=d" }),
        ),
        records::line(2, "net.connect", "a.example:443", "allowed", &json!({ "outcome": "done", "transport": "tcp" })),
    ];
    let rows = records::exported(&lines, Format::Cef);
    assert!(rows[0].1.starts_with("CEF:0|nono|nono|0\\|1\\\\|session.start|session.start noted|1|"), "{}", rows[0].1);
    let read = rows[1].1.replacen("0\\|1\\\\", "0", 1);
    assert!(
        read.starts_with("CEF:0|nono|nono|0|fs.read|fs.read denied|5|rt=1769903999123 act=denied cat=file"),
        "{read}"
    );
    let found = extensions(&read);
    let value = |key: &str| found.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    assert_eq!((value("filePath"), value("fname")), (Some("/a=b\\c|d e"), Some("a=b\\c|d e")));
    assert_eq!((value("reason"), value("outcome")), (Some("a=b c=d"), Some("failure")));
    assert_eq!((value("cs1"), value("cn1"), value("spid")), (Some("20260131T000000Z-00000000"), Some("1"), Some("77")));
    assert_eq!((value("dvchost"), value("cs2")), (Some("h"), Some("deny x")));
    let connect = extensions(&rows[2].1.replacen("0\\|1\\\\", "0", 1));
    let value = |key: &str| connect.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    assert_eq!((value("dhost"), value("dpt"), value("proto")), (Some("a.example"), Some("443"), Some("tcp")));
}

#[test]
fn no_name_can_split_a_row_or_forge_a_field() {
    let hostile = [
        "/a\nCEF:0|nono|nono|1|fs.read|x|1|act=allowed",
        "/a act=allowed externalId=0",
        "/a\",\"disposition\":\"allowed\"}\n{\"operation\":\"fs.read\"",
        "/\u{202e}txt.exe\u{200b}\u{2028}\u{85}\u{0}",
        "/a\\",
        "/a\\=b|c\\|d",
        "/\u{1b}[2J\u{1b}]0;title\u{7}",
        &"/long".repeat(800),
    ];
    for name in hostile {
        let more = json!({ "to": name, "reason": name, "rule": name, "typed": name, "approver": name, "host": name });
        for operation in ["fs.read", "net.connect", "process.execute", "session.start", name] {
            let line = records::line(7, operation, name, "denied", &more);
            crate::rows::agree(&line).unwrap_or_else(|problem| panic!("{problem}"));
            let row = &records::exported(&[line], Format::Cef)[0].1;
            let header_end = row
                .match_indices('|')
                .filter(|(at, _)| row[..*at].bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 0);
            let at = header_end.map(|(at, _)| at).nth(6).expect("seven bars");
            let found = extensions(&format!("|||||||{}", &row[at + 1..]));
            assert_eq!(found.iter().filter(|(key, _)| key == "act").count(), 1, "{row}");
            assert_eq!(found.iter().find(|(key, _)| key == "act").expect("it is there").1, "denied", "{row}");
            assert_eq!(found.iter().filter(|(key, _)| key == "externalId").count(), 1, "{row}");
        }
    }
}
