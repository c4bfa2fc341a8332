//! OCSF 1.8.0: what the schema requires of each class is there, and every number is one that it defines
//! (schema.ocsf.io/1.8.0, the classes named below, the profiles `host` and `security_control`).

use nono::audit::export::Format;
use serde_json::Value;

use crate::records;

/// Required attributes of every class that is used here, from the Base Event.
const OF_ALL: [&str; 7] = ["activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"];

/// A class: its category, the activities it defines, and what it requires besides.
const CLASSES: [(u64, u64, &[u64], &[&str]); 7] = [
    (0, 0, &[0, 99], &[]),
    (1001, 1, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 99], &["actor", "device", "file"]),
    (1007, 1, &[0, 1, 2, 3, 4, 5, 99], &["actor", "device", "process"]),
    (2004, 2, &[0, 1, 2, 3, 99], &["finding_info"]),
    (4001, 4, &[0, 1, 2, 3, 4, 5, 6, 7, 99], &[]),
    (4003, 4, &[0, 1, 2, 6, 99], &[]),
    (6002, 6, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 99], &["app"]),
];

/// Attributes of objects that are required where the object is there.
const OF_OBJECTS: [(&str, &[&str]); 5] = [
    ("metadata", &["product", "version"]),
    ("device", &["type_id"]),
    ("file", &["name", "type_id"]),
    ("file_result", &["name", "type_id"]),
    ("finding_info", &["title", "uid"]),
];

/// Objects of which one of these attributes is required where they are there (constraint `at_least_one`).
const ONE_OF: [(&str, &[&str]); 8] = [
    ("/process", &["pid", "uid", "cpid"]),
    ("/actor", &["process", "user", "invoked_by", "session", "app_name", "app_uid"]),
    ("/actor/process", &["pid", "uid", "cpid"]),
    ("/actor/user", &["account", "name", "uid"]),
    ("/device", &["ip", "uid", "name", "hostname", "instance_uid", "interface_uid", "interface_name"]),
    ("/dst_endpoint", &["ip", "uid", "name", "hostname", "svc_name", "instance_uid", "interface_name", "domain"]),
    ("/metadata/product", &["name", "uid"]),
    ("/policy", &["name", "type", "uid"]),
];

fn check(row: &Value) -> Result<(), String> {
    let number = |name: &str| row[name].as_u64().ok_or_else(|| format!("{name} is no number"));
    let missing = OF_ALL.iter().find(|name| row[**name].is_null());
    missing.map_or(Ok(()), |name| Err(format!("{name} is missing")))?;
    let (class, activity) = (number("class_uid")?, number("activity_id")?);
    let known = CLASSES.iter().find(|known| known.0 == class).ok_or_else(|| format!("no class {class}"))?;
    let (_, category, activities, required) = known;
    if number("category_uid")? != *category || !activities.contains(&activity) {
        return Err(format!("class {class}, activity {activity}"));
    }
    if number("type_uid")? != class * 100 + activity || (activity == 99 && row["activity_name"].is_null()) {
        return Err("the type is not that of the class and the activity".to_owned());
    }
    let missing = required.iter().find(|name| !row[**name].is_object());
    missing.map_or(Ok(()), |name| Err(format!("{name} is missing in {class}")))?;
    for (object, required) in OF_OBJECTS.iter().filter(|(object, _)| row[*object].is_object()) {
        if let Some(name) = required.iter().find(|name| row[*object][**name].is_null()) {
            return Err(format!("{object}.{name} is missing"));
        }
    }
    for (place, wanted) in ONE_OF {
        let object = row.pointer(place).and_then(Value::as_object);
        if object.is_some_and(|object| !wanted.iter().any(|name| object.contains_key(*name))) {
            return Err(format!("{place} has none of {wanted:?}"));
        }
    }
    let ends = [&row["dst_endpoint"], &row["src_endpoint"]];
    if class == 4001 && !ends.iter().any(|end| end.as_object().is_some_and(|end| !end.is_empty())) {
        return Err("neither end of the connection is there".to_owned());
    }
    let within = |name: &str, range: std::ops::RangeInclusive<u64>| {
        number(name)
            .is_ok_and(|value| range.contains(&value))
            .then_some(())
            .ok_or_else(|| format!("{name} is out of range"))
    };
    within("severity_id", 0..=6)?;
    within("status_id", 0..=2)?;
    within("action_id", 0..=4)?;
    within("disposition_id", 0..=27)
}

#[test]
fn every_row_has_what_its_class_requires() {
    let mut classes = std::collections::BTreeSet::new();
    for (record, text) in records::exported(&records::all(), Format::Ocsf) {
        let row: Value = serde_json::from_str(&text).expect("JSON");
        check(&row).unwrap_or_else(|problem| panic!("{}: {problem}: {row:#}", record.operation));
        assert_eq!(row["metadata"]["version"], "1.8.0");
        assert_eq!(row["metadata"]["sequence"], record.index);
        classes.insert(row["class_uid"].as_u64());
    }
    assert_eq!(classes.len(), CLASSES.len(), "every class is used");
}

#[test]
fn operations_and_decisions_have_the_numbers_of_the_schema() {
    let lines = records::all();
    let rows: Vec<(String, Value)> = records::exported(&lines, Format::Ocsf)
        .into_iter()
        .map(|(record, text)| {
            let row = serde_json::from_str(&text).expect("JSON");
            (format!("{} {}", record.operation, record.disposition), row)
        })
        .collect();
    let expected = [
        ("session.start noted", 600_203, 3, 17, 1),
        ("session.end noted", 600_204, 3, 17, 1),
        ("fs.read allowed", 100_102, 1, 1, 1),
        ("fs.create approved", 100_101, 1, 8, 1),
        ("fs.write denied", 100_103, 2, 2, 2),
        ("fs.delete rejected", 100_104, 2, 25, 2),
        ("fs.rename unanswered", 100_105, 2, 2, 2),
        ("fs.chmod allowed", 100_106, 1, 1, 1),
        ("fs.chown allowed", 100_107, 1, 1, 1),
        ("fs.read kernel", 100_114, 3, 17, 0),
        ("process.execute allowed", 100_701, 1, 1, 1),
        ("net.connect allowed", 400_101, 1, 1, 1),
        ("net.connect denied", 400_105, 2, 2, 2),
        ("net.listen allowed", 400_107, 1, 1, 1),
        ("dns.query allowed", 400_301, 1, 1, 1),
        ("session.damaged noted", 200_401, 3, 17, 1),
        ("verify denied", 100_114, 2, 2, 2),
        ("approval approved", 100_114, 1, 8, 1),
        ("approval rejected", 100_103, 2, 25, 2),
        ("approval unanswered", 100_701, 2, 2, 2),
    ];
    for (what, kind, action, disposition, status) in expected {
        let row = &rows.iter().find(|(name, _)| name == what).unwrap_or_else(|| panic!("no {what}")).1;
        let numbers = ["type_uid", "action_id", "disposition_id", "status_id"].map(|name| row[name].as_u64());
        assert_eq!(numbers, [kind, action, disposition, status].map(Some), "{what}");
    }
    let timeout = &rows.iter().find(|(name, _)| name == "fs.rename unanswered").expect("a row").1;
    assert_eq!(timeout["status_detail"], "timeout");
    let secret = &rows.iter().find(|(name, _)| name == "fs.read denied").expect("a row").1;
    assert_eq!((&secret["severity_id"], &secret["device"]["hostname"]), (&4.into(), &"h".into()));
    assert_eq!(secret["actor"]["process"]["file"]["path"], "/usr/bin/agent");
}
