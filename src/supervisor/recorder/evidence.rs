//! What a service that was asked leaves in the log, so that its own log can be held against this one.

use crate::approval::webhook::Record;
use crate::audit::log::host::hex;
use crate::audit::record::Fields;

/// Bytes that the annotations of an answer take up, about; a record has a longest line.
const MOST_ANNOTATIONS: usize = 16 * 1024;

/// Writes the object `webhook`: the id of the question, what was sent and what came back as digests, and who answered.
pub(super) fn write(fields: &mut Fields<'_>, record: &Record) {
    let mut out = vec![b'{'];
    let mut own = Fields::new(&mut out);
    own.text("uid", &record.uid);
    own.number("requests", u64::from(record.requests));
    own.number("took_ms", u64::try_from(record.took.as_millis()).unwrap_or(u64::MAX));
    if let Some(status) = record.status {
        own.number("status", u64::from(status));
    }
    if let Some(code) = record.code {
        own.text("code", code);
    }
    if let Some(peer) = &record.peer {
        own.remark("peer", peer.as_bytes());
    }
    let digests = [
        ("key_sha256", record.key_sha256),
        ("request_sha256", record.request_sha256),
        ("response_sha256", record.response_sha256),
    ];
    for (name, digest) in digests {
        if let Some(digest) = digest {
            own.text(name, &hex(&digest));
        }
    }
    if !record.annotations.is_empty() {
        let (listed, left_out) = annotations(record);
        own.json("annotations", &listed);
        if left_out > 0 {
            own.number("annotations_left_out", left_out);
        }
    }
    out.push(b'}');
    fields.json("webhook", &out);
}

/// A list, since a key of the service's could mean something to who reads an object; and how many had no room.
fn annotations(record: &Record) -> (Vec<u8>, u64) {
    let (mut out, mut left_out) = (vec![b'['], 0_u64);
    for (key, value) in &record.annotations {
        if out.len() > MOST_ANNOTATIONS {
            left_out = left_out.saturating_add(1);
            continue;
        }
        if out.len() > 1 {
            out.push(b',');
        }
        out.push(b'{');
        let mut pair = Fields::new(&mut out);
        pair.text("key", key);
        pair.text("value", value);
        out.push(b'}');
    }
    out.push(b']');
    (out, left_out)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;

    fn written(record: &Record) -> Value {
        let mut out = vec![b'{'];
        write(&mut Fields::new(&mut out), record);
        out.push(b'}');
        assert!(out.len() < 24 * 1024, "{}", out.len());
        serde_json::from_slice::<Value>(&out).expect("JSON")["webhook"].clone()
    }

    #[test]
    fn what_was_sent_and_what_came_back_is_told() {
        let record = Record {
            uid: "0f".to_owned(),
            requests: 2,
            request_sha256: Some([1; 32]),
            response_sha256: Some([2; 32]),
            status: Some(200),
            peer: Some("127.0.0.1:1".to_owned()),
            key_sha256: Some([3; 32]),
            took: Duration::from_millis(7),
            annotations: [("ticket".to_owned(), "X-1\"".to_owned())].into(),
            code: None,
        };
        let expected = json!({
            "uid": "0f", "requests": 2, "took_ms": 7, "status": 200, "peer": "127.0.0.1:1", "key_sha256": "03".repeat(32),
            "request_sha256": "01".repeat(32), "response_sha256": "02".repeat(32),
            "annotations": [{ "key": "ticket", "value": "X-1\"" }],
        });
        assert_eq!(written(&record), expected);
        let silence = Record { uid: "0f".to_owned(), code: Some("deadline"), ..Record::default() };
        assert_eq!(written(&silence), json!({ "uid": "0f", "requests": 0, "took_ms": 0, "code": "deadline" }));
    }

    #[test]
    fn a_service_cannot_fill_a_record() {
        let long = |key: u32| (format!("{key:04}{}", "\\".repeat(508)), "\"".repeat(512));
        let record = Record { annotations: (0..32).map(long).collect(), ..Record::default() };
        let written = written(&record);
        let kept = written["annotations"].as_array().expect("a list").len();
        assert!(kept > 0, "{written}");
        assert_eq!(written["annotations_left_out"], 32 - kept);
    }
}
