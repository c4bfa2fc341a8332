//! A policy to text, in the order in which people read one.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{BlockedDigest, BlockedPublisher, Identity, Policy, Publisher};

impl Policy {
    /// The policy as indented JSON, with a line end. Read again, it is the same policy.
    pub fn to_json(&self) -> String {
        let includes: Vec<Value> = self.includes.iter().map(|include| include.as_str().into()).collect();
        let publishers: Vec<Value> = self.publishers.iter().map(publisher).collect();
        let digests: Vec<Value> = self.blocklist.digests.iter().map(blocked_digest).collect();
        let blocked: Vec<Value> = self.blocklist.publishers.iter().map(blocked_publisher).collect();
        let mut members = vec![
            ("version", json!(1)),
            ("includes", includes.into()),
            ("publishers", publishers.into()),
            ("blocklist", json!({ "digests": digests, "publishers": blocked })),
            ("enforcement", self.enforcement.name().into()),
        ];
        if self.strict_paths {
            members.push(("strict_paths", true.into()));
        }
        if self.refuse_older_policies {
            members.push(("refuse_older_policies", true.into()));
        }
        if let Some(protect) = self.protect {
            members.push(("protect", protect.into()));
        }
        let mut text = String::from("{");
        for (index, (key, value)) in members.iter().enumerate() {
            let value = format!("{value:#}").replace('\n', "\n  ");
            let comma = if index == 0 { "" } else { "," };
            // Writing to a string cannot fail.
            let _ = write!(text, "{comma}\n  \"{key}\": {value}");
        }
        text.push_str("\n}\n");
        text
    }
}

fn publisher(publisher: &Publisher) -> Value {
    let mut object = Map::new();
    object.insert("name".to_owned(), publisher.name.clone().into());
    match &publisher.identity {
        Identity::Keyed { key_id, key } => {
            object.insert("key_id".to_owned(), key_id.clone().into());
            object.insert("public_key".to_owned(), key.to_base64().into());
        }
        Identity::Keyless { issuer, repository, workflow, ref_pattern } => {
            object.insert("issuer".to_owned(), issuer.clone().into());
            put(&mut object, &[("repository", repository), ("workflow", workflow), ("ref_pattern", ref_pattern)]);
        }
    }
    object.into()
}

fn blocked_digest(blocked: &BlockedDigest) -> Value {
    let mut object = Map::new();
    object.insert("sha256".to_owned(), blocked.sha256.to_string().into());
    put(&mut object, &[("description", &blocked.description), ("added", &blocked.added)]);
    object.into()
}

fn blocked_publisher(blocked: &BlockedPublisher) -> Value {
    let mut object = Map::new();
    let key = blocked.public_key.as_ref().map(super::PublicKey::to_base64);
    put(&mut object, &[("name", &blocked.name), ("key_id", &blocked.key_id), ("public_key", &key)]);
    let claims = [
        ("issuer", &blocked.issuer),
        ("repository", &blocked.repository),
        ("workflow", &blocked.workflow),
        ("ref_pattern", &blocked.ref_pattern),
    ];
    put(&mut object, &claims);
    put(&mut object, &[("description", &blocked.description), ("added", &blocked.added)]);
    object.into()
}

fn put(object: &mut Map<String, Value>, members: &[(&str, &Option<String>)]) {
    for (key, value) in members {
        if let Some(value) = value {
            object.insert((*key).to_owned(), value.clone().into());
        }
    }
}
