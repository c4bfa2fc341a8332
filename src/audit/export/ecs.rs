//! Rows in the Elastic Common Schema. Whether something was allowed is in `event.type`; `event.outcome` is whether what the
//! event is about succeeded, and a block that blocks has (ECS, "Using the categorization fields").

use serde_json::{Map, Value, json};

use super::Row;
use super::subject::{self, Endpoint, FileAct, NetworkAct, SessionAct, Subject};
use crate::audit::record::Disposition;

/// The version of the schema that the fields are of.
const VERSION: &str = "8.17.0";

pub(super) fn row(row: &Row<'_>) -> Value {
    let record = row.record;
    let subject = subject::of(record);
    let mut out = Map::new();
    out.insert("@timestamp".into(), text_of(record.timestamp));
    out.insert("ecs".into(), json!({ "version": VERSION }));
    out.insert("event".into(), event(row, subject));
    out.insert("nono".into(), own(row));
    match subject {
        Subject::File(_) => {
            let name = subject::file_name(&record.target);
            out.insert("file".into(), json!({ "path": record.target, "name": name }));
        }
        Subject::Network(act) => network(&mut out, row, act),
        Subject::Process | Subject::Session(_) | Subject::Other => {}
    }
    if let Some(process) = process(row, subject) {
        out.insert("process".into(), process);
    }
    if let Some(host) = &row.session.host {
        out.insert("host".into(), json!({ "name": host, "hostname": host }));
    }
    let user = record.field("process.user").and_then(Value::as_u64).or(row.session.user);
    if let Some(user) = user {
        out.insert("user".into(), json!({ "id": user.to_string() }));
    }
    if let Some(rule) = record.text("rule") {
        let mut fields = json!({ "name": rule });
        if let (Value::Object(fields), Some(from)) = (&mut fields, record.text("rule_from")) {
            fields.insert("ruleset".into(), from.into());
        }
        out.insert("rule".into(), fields);
    }
    Value::Object(out)
}

fn event(row: &Row<'_>, subject: Subject) -> Value {
    let record = row.record;
    let mut event = Map::new();
    let mut put = |key: &str, value: Value| event.insert(key.to_owned(), value);
    put("kind", if subject::is_alert(record) { "alert" } else { "event" }.into());
    put("module", "nono".into());
    put("dataset", "nono.audit".into());
    put("category", category(subject).into());
    put("type", types(subject, record.disposition).into());
    put("action", action(row).into());
    put("outcome", outcome(row).into());
    put("id", row.leaf_hash().into());
    put("sequence", record.index.into());
    put("created", text_of(record.timestamp));
    if let Some(reason) = record.text("reason").or_else(|| record.text("alert")) {
        put("reason", reason.into());
    }
    if let Some(waited) = record.field("latency_ms").and_then(Value::as_u64) {
        put("duration", waited.saturating_mul(1_000_000).into());
    }
    Value::Object(event)
}

/// The allowed values of `event.category`.
fn category(subject: Subject) -> Vec<&'static str> {
    match subject {
        Subject::File(_) => vec!["file"],
        Subject::Network(_) => vec!["network"],
        Subject::Process => vec!["process"],
        Subject::Session(SessionAct::Damaged) => vec!["intrusion_detection"],
        Subject::Session(_) => vec!["session", "process"],
        Subject::Other => vec!["host"],
    }
}

/// The allowed values of `event.type`.
fn types(subject: Subject, disposition: Disposition) -> Vec<&'static str> {
    let of_subject = match subject {
        Subject::File(FileAct::Open | FileAct::Read) => "access",
        Subject::File(FileAct::Create | FileAct::Link) => "creation",
        Subject::File(FileAct::Delete) => "deletion",
        Subject::File(
            FileAct::Change | FileAct::Rename | FileAct::SetAttributes | FileAct::SetOwner | FileAct::Write,
        ) => "change",
        Subject::Network(NetworkAct::Connect) => "connection",
        Subject::Network(NetworkAct::Listen) => "start",
        Subject::Network(NetworkAct::Resolve) => "protocol",
        Subject::Process | Subject::Session(SessionAct::Start) => "start",
        Subject::Session(SessionAct::End) => "end",
        Subject::Session(SessionAct::Damaged | SessionAct::Recovered) | Subject::Other => "info",
    };
    let decided = match disposition {
        Disposition::Allowed | Disposition::Approved => Some("allowed"),
        Disposition::Denied | Disposition::Rejected | Disposition::Unanswered => Some("denied"),
        Disposition::Failed => Some("error"),
        Disposition::Kernel | Disposition::Noted => None,
    };
    // A process that never was has not started.
    let is_start = of_subject == "start" && disposition.is_refusal() && subject == Subject::Process;
    std::iter::once(if is_start { "info" } else { of_subject }).chain(decided).collect()
}

fn action(row: &Row<'_>) -> String {
    let record = row.record;
    match (record.operation.as_str(), record.disposition) {
        ("approval", Disposition::Approved) => "approval-granted".to_owned(),
        ("approval", Disposition::Unanswered) => "approval-timeout".to_owned(),
        ("approval", _) => "approval-denied".to_owned(),
        (operation, _) => operation.replace('.', "-"),
    }
}

/// What is known of the end: the kernel's own word, or that of the block.
fn outcome(row: &Row<'_>) -> &'static str {
    let record = row.record;
    match (record.disposition, record.text("outcome")) {
        (disposition, _) if disposition.is_refusal() => "success",
        (_, Some("done")) | (Disposition::Noted, None) => "success",
        (_, Some("kernel") | None) => "unknown",
        (_, Some(_)) => "failure",
    }
}

fn process(row: &Row<'_>, subject: Subject) -> Option<Value> {
    let record = row.record;
    let number = |name: &str| record.field(name).and_then(Value::as_u64);
    let mut caller = Map::new();
    if let Some(pid) = number("process.pid").or_else(|| number("pid")) {
        caller.insert("pid".into(), pid.into());
        caller.insert("entity_id".into(), format!("{}/{pid}", row.session.id).into());
    }
    if let Some(parent) = number("process.parent") {
        caller.insert("parent".into(), json!({ "pid": parent }));
    }
    if let Some(executable) = record.text("process.executable") {
        caller.insert("executable".into(), executable.into());
        caller.insert("name".into(), subject::file_name(executable).into());
    }
    if subject == Subject::Process {
        // What is started takes the place of who starts it.
        let before = caller.remove("executable");
        caller.insert("executable".into(), record.target.as_str().into());
        caller.insert("name".into(), subject::file_name(&record.target).into());
        before.and_then(|before| caller.insert("previous".into(), json!([{ "executable": before }])));
    }
    if let Some(status) = number("exit_status") {
        caller.insert("exit_code".into(), status.into());
    }
    (!caller.is_empty()).then_some(Value::Object(caller))
}

fn network(out: &mut Map<String, Value>, row: &Row<'_>, act: NetworkAct) {
    let mut end = Map::new();
    let mut related = Map::new();
    match subject::endpoint(&row.record.target) {
        Endpoint::Address { ip, port } => {
            end.insert("ip".into(), ip.to_string().into());
            end.insert("address".into(), ip.to_string().into());
            port.and_then(|port| end.insert("port".into(), port.into()));
            related.insert("ip".into(), json!([ip.to_string()]));
        }
        Endpoint::Name { name, port } => {
            end.insert("domain".into(), name.as_str().into());
            end.insert("address".into(), name.as_str().into());
            port.and_then(|port| end.insert("port".into(), port.into()));
            related.insert("hosts".into(), json!([name]));
        }
        Endpoint::Path(path) => {
            end.insert("address".into(), path.into());
        }
    }
    match act {
        NetworkAct::Connect => out.insert("destination".into(), Value::Object(end)),
        NetworkAct::Listen => out.insert("source".into(), Value::Object(end)),
        NetworkAct::Resolve => {
            let name = end.remove("domain").unwrap_or_else(|| row.record.target.as_str().into());
            out.insert("dns".into(), json!({ "question": { "name": name } }))
        }
    };
    if let Some(transport) = row.record.text("transport") {
        out.insert("network".into(), json!({ "transport": transport }));
    }
    if !related.is_empty() {
        out.insert("related".into(), Value::Object(related));
    }
}

/// What no field of the schema is for.
fn own(row: &Row<'_>) -> Value {
    let record = row.record;
    let mut own = json!({
        "session": row.session.id, "index": record.index, "leaf_hash": row.leaf_hash(),
        "operation": record.operation, "target": record.target, "disposition": record.disposition.name(),
        "count": record.count(),
    });
    if let Value::Object(own) = &mut own {
        for name in ["to", "call", "approver", "asked", "typed", "status", "target_b64", "to_b64", "typed_b64"] {
            record.text(name).and_then(|value| own.insert(name.to_owned(), value.into()));
        }
        let of_session = [("profile", &row.session.profile), ("policy_sha256", &row.session.policy_sha256)];
        for (name, value) in of_session {
            value.as_deref().and_then(|value| own.insert(name.to_owned(), value.into()));
        }
    }
    own
}

fn text_of(moment: crate::audit::record::time::Moment) -> Value {
    String::from_utf8_lossy(&moment.text()).into()
}
