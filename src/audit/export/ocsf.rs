//! Rows in the Open Cybersecurity Schema Framework 1.8.0: a class for each kind of operation, with the profile
//! `security_control` for the decision. What has no attribute there is in `unmapped.nono`.

use serde_json::{Map, Value, json};

use super::Row;
use super::subject::{self, Endpoint, FileAct, NetworkAct, SessionAct, Subject};
use crate::audit::record::Disposition;

const VERSION: &str = "1.8.0";

/// A class with the activity in it; `type_uid` is the class times a hundred and the activity.
struct Class {
    category: u32,
    uid: u32,
    activity: u32,
    /// Named where the activity is "Other" (99).
    name: Option<&'static str>,
}

pub(super) fn row(row: &Row<'_>) -> Value {
    let record = row.record;
    let subject = subject::of(record);
    let class = class(subject, record.disposition);
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| out.insert(key.to_owned(), value);
    put("activity_id", class.activity.into());
    put("category_uid", class.category.into());
    put("class_uid", class.uid.into());
    put("type_uid", class.uid.saturating_mul(100).saturating_add(class.activity).into());
    if let Some(name) = class.name {
        put("activity_name", name.into());
    }
    put("severity_id", severity(row).into());
    put("time", record.timestamp.milliseconds().into());
    put("count", record.count().into());
    put("metadata", metadata(row));
    put("actor", actor(row));
    put("device", device(row));
    put("unmapped", json!({ "nono": own(row) }));
    decision(&mut out, row);
    status(&mut out, row);
    match subject {
        Subject::File(_) => file(&mut out, row),
        Subject::Network(act) => network(&mut out, row, act),
        Subject::Process => {
            out.insert("process".into(), started(row));
            out.insert("launch_type_id".into(), 3.into());
        }
        Subject::Session(SessionAct::Damaged) => {
            let title = "The log of a session is not what was written";
            out.insert("finding_info".into(), json!({ "title": title, "uid": row.leaf_hash() }));
            out.insert("is_alert".into(), true.into());
        }
        Subject::Session(_) => {
            out.insert("app".into(), product(row));
        }
        Subject::Other => {}
    }
    Value::Object(out)
}

/// The classes of the schema: File System Activity (1001), Process Activity (1007), Network Activity (4001), DNS Activity
/// (4003), Application Lifecycle (6002), Detection Finding (2004), and the Base Event for what is none of these.
fn class(subject: Subject, disposition: Disposition) -> Class {
    let class = |category, uid, activity| Class { category, uid, activity, name: None };
    let other = |category, uid, name| Class { category, uid, activity: 99, name: Some(name) };
    match subject {
        Subject::File(act) => match act {
            FileAct::Create => class(1, 1001, 1),
            FileAct::Read => class(1, 1001, 2),
            FileAct::Change | FileAct::Write => class(1, 1001, 3),
            FileAct::Delete => class(1, 1001, 4),
            FileAct::Rename => class(1, 1001, 5),
            FileAct::SetAttributes => class(1, 1001, 6),
            FileAct::SetOwner => class(1, 1001, 7),
            FileAct::Open => class(1, 1001, 14),
            FileAct::Link => other(1, 1001, "Link"),
        },
        Subject::Process => class(1, 1007, 1),
        Subject::Network(NetworkAct::Connect) if disposition.is_refusal() => class(4, 4001, 5),
        Subject::Network(NetworkAct::Connect) => class(4, 4001, 1),
        Subject::Network(NetworkAct::Listen) => class(4, 4001, 7),
        Subject::Network(NetworkAct::Resolve) => class(4, 4003, 1),
        Subject::Session(SessionAct::Start) => class(6, 6002, 3),
        Subject::Session(SessionAct::End) => class(6, 6002, 4),
        Subject::Session(SessionAct::Recovered) => other(6, 6002, "Recover"),
        Subject::Session(SessionAct::Damaged) => class(2, 2004, 1),
        Subject::Other => other(0, 0, "Other"),
    }
}

fn metadata(row: &Row<'_>) -> Value {
    json!({
        "version": VERSION,
        "product": product(row),
        "profiles": ["host", "security_control"],
        "uid": row.leaf_hash(),
        "sequence": row.record.index,
        "correlation_uid": row.session.id,
        "original_time": String::from_utf8_lossy(&row.record.timestamp.text()),
        "log_name": "nono.audit",
    })
}

fn product(row: &Row<'_>) -> Value {
    let mut product = json!({ "name": "nono", "vendor_name": "nono" });
    if let (Value::Object(product), Some(version)) = (&mut product, &row.session.nono) {
        product.insert("version".into(), version.as_str().into());
    }
    product
}

fn actor(row: &Row<'_>) -> Value {
    let record = row.record;
    let number = |name: &str| record.field(name).and_then(Value::as_u64);
    let mut actor = Map::new();
    actor.insert("app_name".into(), "nono".into());
    actor.insert("session".into(), json!({ "uid": row.session.id }));
    let mut process = Map::new();
    if let Some(pid) = number("process.pid").or_else(|| number("pid")) {
        process.insert("pid".into(), pid.into());
    }
    if let Some(parent) = number("process.parent") {
        process.insert("parent_process".into(), json!({ "pid": parent }));
    }
    if let Some(executable) = record.text("process.executable") {
        process.insert("name".into(), subject::file_name(executable).into());
        process.insert("file".into(), file_of(executable));
    }
    if !process.is_empty() {
        actor.insert("process".into(), Value::Object(process));
    }
    if let Some(user) = number("process.user").or(row.session.user) {
        actor.insert("user".into(), json!({ "uid": user.to_string() }));
    }
    Value::Object(actor)
}

/// What the host is used for is not known here.
fn device(row: &Row<'_>) -> Value {
    match &row.session.host {
        Some(host) => json!({ "type_id": 0, "hostname": host }),
        None => json!({ "type_id": 0, "uid": row.session.id }),
    }
}

/// The profile `security_control`: `action_id`, `disposition_id`, and the rule.
fn decision(out: &mut Map<String, Value>, row: &Row<'_>) {
    let record = row.record;
    let (action, disposition) = match record.disposition {
        Disposition::Allowed => (1, 1),
        Disposition::Approved => (1, 8),
        Disposition::Denied | Disposition::Unanswered => (2, 2),
        Disposition::Rejected => (2, 25),
        Disposition::Failed | Disposition::Kernel | Disposition::Noted => (3, 17),
    };
    out.insert("action_id".into(), action.into());
    out.insert("disposition_id".into(), disposition.into());
    if subject::is_alert(record) {
        out.insert("is_alert".into(), true.into());
    }
    if let Some(rule) = record.text("rule") {
        let mut policy = json!({ "name": rule });
        if let (Value::Object(policy), Some(from)) = (&mut policy, record.text("rule_from")) {
            policy.insert("desc".into(), from.into());
        }
        out.insert("authorizations".into(), json!([{ "decision": record.disposition.name(), "policy": policy }]));
    }
    if let Some(profile) = &row.session.profile {
        let mut policy = json!({ "name": profile });
        if let (Value::Object(policy), Some(digest)) = (&mut policy, &row.session.policy_sha256) {
            policy.insert("uid".into(), digest.as_str().into());
        }
        out.insert("policy".into(), policy);
    }
}

/// Whether the operation itself succeeded.
fn status(out: &mut Map<String, Value>, row: &Row<'_>) {
    let record = row.record;
    let id = match (record.disposition, record.text("outcome")) {
        (disposition, _) if disposition.is_refusal() => 2,
        (Disposition::Noted, None) | (_, Some("done")) => 1,
        (_, Some("kernel") | None) => 0,
        (_, Some(_)) => 2,
    };
    out.insert("status_id".into(), id.into());
    if let Some(errno) = record.text("outcome").filter(|outcome| !matches!(*outcome, "done" | "kernel")) {
        out.insert("status_code".into(), errno.into());
    }
    let detail = match record.disposition {
        Disposition::Unanswered => Some("timeout"),
        Disposition::Allowed
        | Disposition::Approved
        | Disposition::Denied
        | Disposition::Failed
        | Disposition::Kernel
        | Disposition::Noted
        | Disposition::Rejected => None,
    };
    if let Some(detail) = record.text("reason").or(detail) {
        out.insert("status_detail".into(), detail.into());
    }
}

/// 1 is informational, 3 medium, 4 high.
fn severity(row: &Row<'_>) -> u32 {
    match row.record.disposition {
        _ if subject::is_alert(row.record) || subject::is_about_credentials(row.record) => 4,
        Disposition::Denied | Disposition::Rejected | Disposition::Unanswered => 3,
        Disposition::Allowed
        | Disposition::Approved
        | Disposition::Failed
        | Disposition::Kernel
        | Disposition::Noted => 1,
    }
}

/// The process as it is from then on: `execve(2)` leaves it its number. The schema wants that, or an identifier of it.
fn started(row: &Row<'_>) -> Value {
    let record = row.record;
    let mut process = json!({ "file": file_of(&record.target), "name": subject::file_name(&record.target) });
    let pid = record.field("process.pid").or_else(|| record.field("pid")).filter(|pid| pid.is_u64());
    match (pid, process.as_object_mut()) {
        (Some(pid), Some(process)) => process.insert("pid".into(), pid.clone()),
        (None, Some(process)) => process.insert("uid".into(), row.leaf_hash().into()),
        (_, None) => None,
    };
    process
}

fn file(out: &mut Map<String, Value>, row: &Row<'_>) {
    let name = subject::file_name(&row.record.target);
    out.insert("file".into(), file_of(&row.record.target));
    out.insert("observables".into(), json!([{ "name": "file.name", "type_id": 7, "value": name }]));
    if let Some(to) = row.record.text("to") {
        out.insert("file_result".into(), file_of(to));
    }
}

/// Of what type a file is was not recorded.
fn file_of(path: &str) -> Value {
    json!({ "path": path, "name": subject::file_name(path), "type_id": 0 })
}

fn network(out: &mut Map<String, Value>, row: &Row<'_>, act: NetworkAct) {
    let mut end = Map::new();
    let observed = match subject::endpoint(&row.record.target) {
        Endpoint::Address { ip, port } => {
            end.insert("ip".into(), ip.to_string().into());
            port.and_then(|port| end.insert("port".into(), port.into()));
            Some((2, "ip", ip.to_string()))
        }
        Endpoint::Name { name, port } => {
            end.insert("hostname".into(), name.as_str().into());
            port.and_then(|port| end.insert("port".into(), port.into()));
            Some((1, "hostname", name))
        }
        Endpoint::Path(path) => {
            end.insert("name".into(), path.into());
            None
        }
    };
    let place = if act == NetworkAct::Listen { "src_endpoint" } else { "dst_endpoint" };
    if act == NetworkAct::Resolve {
        let name = end.remove("hostname").unwrap_or_else(|| row.record.target.as_str().into());
        out.insert("query".into(), json!({ "hostname": name }));
        end = Map::from_iter([("name".to_owned(), Value::from("nono"))]);
    } else if let Some((kind, name, value)) = observed {
        let seen = json!([{ "name": format!("{place}.{name}"), "type_id": kind, "value": value }]);
        out.insert("observables".into(), seen);
    }
    out.insert(place.into(), Value::Object(end));
    let protocol = match row.record.text("transport") {
        None if row.record.target.starts_with('/') => Some("unix"),
        transport => transport,
    };
    if let Some(protocol) = protocol {
        out.insert("connection_info".into(), json!({ "protocol_name": protocol, "direction_id": 2 }));
    }
}

/// What the schema has no attribute for.
fn own(row: &Row<'_>) -> Value {
    let record = row.record;
    let mut own = json!({
        "session": row.session.id, "index": record.index, "leaf_hash": row.leaf_hash(),
        "operation": record.operation, "target": record.target, "disposition": record.disposition.name(),
    });
    if let Value::Object(own) = &mut own {
        for name in ["to", "call", "rule_from", "asked", "typed", "status", "target_b64", "to_b64", "typed_b64"] {
            record.text(name).and_then(|value| own.insert(name.to_owned(), value.into()));
        }
        let waited = record.field("latency_ms").and_then(Value::as_u64);
        if let Some(waited) = waited {
            let by = record.text("approver").map_or(Value::Null, Value::from);
            let uid = record.text("webhook.uid").map_or(Value::Null, Value::from);
            own.insert("approval".into(), json!({ "approver": by, "latency_ms": waited, "uid": uid }));
        }
        record.field("exit_status").and_then(|status| own.insert("exit_status".into(), status.clone()));
    }
    own
}
