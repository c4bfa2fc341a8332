//! ECS 8.17: every value of the categorization fields is one that the schema allows (elastic.co/guide/en/ecs/8.17,
//! "ECS Categorization Fields"), and categories have the types that the schema expects of them.

use nono::audit::export::Format;
use serde_json::Value;

use crate::records;

const KINDS: [&str; 8] = ["alert", "asset", "enrichment", "event", "metric", "pipeline_error", "signal", "state"];

/// Categories with the types that are expected of them.
const CATEGORIES: [(&str, &[&str]); 6] = [
    ("file", &["access", "change", "creation", "deletion", "info"]),
    ("host", &["access", "change", "end", "info", "start"]),
    ("intrusion_detection", &["allowed", "denied", "info"]),
    ("network", &["access", "allowed", "connection", "denied", "end", "info", "protocol", "start"]),
    ("process", &["access", "change", "end", "info", "start"]),
    ("session", &["start", "end", "info"]),
];

/// Whether something was let through may be said of every category, and that it failed.
const OF_ALL: [&str; 3] = ["allowed", "denied", "error"];

#[test]
fn every_row_has_the_fields_of_the_schema_with_values_that_it_allows() {
    for (record, text) in records::exported(&records::all(), Format::Ecs) {
        let row: Value = serde_json::from_str(&text).expect("JSON");
        let event = &row["event"];
        let list = |name: &str| -> Vec<String> {
            let values = event[name].as_array().expect("a list").iter();
            values.map(|value| value.as_str().expect("a text").to_owned()).collect()
        };
        assert_eq!(row["@timestamp"], "2026-01-31T23:59:59.123456789Z");
        assert!(KINDS.contains(&event["kind"].as_str().expect("a kind")), "{row:#}");
        assert!(["success", "failure", "unknown"].contains(&event["outcome"].as_str().expect("an outcome")), "{row:#}");
        assert_eq!((&event["module"], &event["dataset"]), (&"nono".into(), &"nono.audit".into()));
        assert_eq!((&event["sequence"], &row["nono"]["leaf_hash"]), (&record.index.into(), &event["id"]));
        let categories = list("category");
        assert!(!categories.is_empty());
        for kind in list("type").iter().map(String::as_str).filter(|kind| !OF_ALL.contains(kind)) {
            let expected = CATEGORIES.iter().filter(|(name, _)| categories.iter().any(|category| category == name));
            assert!(expected.clone().count() == categories.len(), "{categories:?}");
            assert!(expected.clone().any(|(_, kinds)| kinds.contains(&kind)), "{categories:?} and {kind}");
        }
        let says = (list("type").contains(&"denied".to_owned()), record.disposition.is_refusal());
        assert_eq!(says.0, says.1, "{row:#}");
    }
}

#[test]
fn fields_are_where_a_search_looks_for_them() {
    let rows = records::exported(&records::all(), Format::Ecs);
    let row = |operation: &str, target: &str, disposition: &str| -> Value {
        let is_it = |(record, _): &&(nono::audit::record::parse::Record, String)| {
            record.operation == operation && record.target == target && record.disposition.name() == disposition
        };
        serde_json::from_str(&rows.iter().find(is_it).expect("a row").1).expect("JSON")
    };
    let read = row("fs.read", "/home/u/.ssh/id_rsa", "denied");
    assert_eq!((&read["file"]["path"], &read["file"]["name"]), (&"/home/u/.ssh/id_rsa".into(), &"id_rsa".into()));
    assert_eq!((&read["event"]["action"], &read["event"]["outcome"]), (&"fs-read".into(), &"success".into()));
    assert_eq!((&read["process"]["executable"], &read["process"]["pid"]), (&"/usr/bin/agent".into(), &77.into()));
    assert_eq!((&read["rule"]["ruleset"], &read["user"]["id"]), (&"group deny-credentials".into(), &"1000".into()));
    let connect = row("net.connect", "[2001:db8::1]:443", "kernel");
    let end = &connect["destination"];
    assert_eq!((&end["ip"], &end["port"]), (&"2001:db8::1".into(), &443.into()));
    assert_eq!(connect["network"]["transport"], "tcp");
    let named = row("net.connect", "api.example.com:443", "allowed");
    assert_eq!(named["destination"]["domain"], "api.example.com");
    let started = row("process.execute", "/usr/bin/cat", "allowed");
    assert_eq!(
        (&started["process"]["executable"], &started["event"]["type"][0]),
        (&"/usr/bin/cat".into(), &"start".into())
    );
    let asked = row("approval", "/etc/hosts", "unanswered");
    assert_eq!(
        (&asked["event"]["action"], &asked["event"]["duration"]),
        (&"approval-timeout".into(), &30_000_000_000_u64.into())
    );
    let verified = row("verify", "/srv/CLAUDE.md", "denied");
    let place = (&verified["file"]["path"], &verified["event"]["category"][0], &verified["event"]["type"][0]);
    assert_eq!(place, (&"/srv/CLAUDE.md".into(), &"file".into(), &"access".into()));
    let alert = row("session.damaged", "20260131T000000Z-00000001", "noted");
    assert_eq!(alert["event"]["kind"], "alert");
}
