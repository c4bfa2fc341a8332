//! Records as other systems read them: a line for each, and the same line for the same record.
//!
//! Every row carries the session, the record's index and its leaf hash, so that what a system has stored can be proved
//! later with `nono audit prove`. Nothing in a record can end a row or begin another.

mod cef;
mod ecs;
mod ocsf;
mod subject;
mod written;

use serde_json::Value;

use super::record::parse::Record;
use crate::merkle::Hash;

/// The languages of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The Common Event Format of ArcSight, version 0 (CEF implementation standard, revision 25).
    Cef,
    /// The Elastic Common Schema, version 8.17.
    Ecs,
    /// The record itself.
    Json,
    /// The Open Cybersecurity Schema Framework, version 1.8.0.
    Ocsf,
}

/// What a session's first record says about all the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    pub id: String,
    pub host: Option<String>,
    /// Numeric id of the user.
    pub user: Option<u64>,
    /// The version of nono that wrote it.
    pub nono: Option<String>,
    pub profile: Option<String>,
    /// In hexadecimal.
    pub policy_sha256: Option<String>,
}

/// One record of one session.
#[derive(Clone, Copy, Debug)]
pub struct Row<'r> {
    pub session: &'r Session,
    pub record: &'r Record,
    /// The hash of its line.
    pub leaf: &'r Hash,
}

impl Format {
    /// Every one, with the name that `--format` takes.
    pub const ALL: [(&'static str, Self); 4] =
        [("json", Self::Json), ("ocsf", Self::Ocsf), ("ecs", Self::Ecs), ("cef", Self::Cef)];
}

impl Session {
    /// A session of which nothing is known yet.
    pub fn new(id: &str) -> Self {
        Self { id: id.to_owned(), ..Self::default() }
    }

    /// Takes in what a record says about the session, when it is the one that does.
    pub fn learn(&mut self, record: &Record) {
        if record.operation != "session.start" {
            return;
        }
        let text = |name: &str| record.text(name).map(ToOwned::to_owned);
        self.host = text("host");
        self.user = record.field("user").and_then(Value::as_u64);
        self.nono = text("nono");
        self.profile = text("profile");
        self.policy_sha256 = text("policy_sha256");
    }
}

impl Row<'_> {
    /// The row, without a line end. Every byte of it is printable.
    pub fn text(&self, format: Format) -> String {
        match format {
            Format::Cef => cef::row(self),
            Format::Ecs => written::ascii(&ecs::row(self).to_string()),
            Format::Json => self.json(),
            Format::Ocsf => written::ascii(&ocsf::row(self).to_string()),
        }
    }

    /// The leaf hash in hexadecimal.
    fn leaf_hash(&self) -> String {
        self.leaf.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The fields of the record in their order, behind the session and the leaf hash.
    fn json(&self) -> String {
        let mut row =
            format!("{{\"session\":{},\"leaf_hash\":\"{}\"", Value::from(self.session.id.as_str()), self.leaf_hash());
        for (name, value) in self.record.fields.iter().filter(|(name, _)| name != "session" && name != "leaf_hash") {
            row.push_str(&format!(",{}:{value}", Value::from(name.as_str())));
        }
        row.push('}');
        written::ascii(&row)
    }
}
