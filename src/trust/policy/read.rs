//! Bytes to a policy. An unknown key is an error: what a policy says and nobody understands protects nothing.

use super::super::digest::Digest;
use super::super::json::{At, Document, Malformed, Object};
use super::super::public_key::PublicKey;
use super::{BlockedDigest, BlockedPublisher, Blocklist, Enforcement, Identity, Include, Policy, Publisher};

/// The largest policy that is read, in bytes.
pub const LARGEST: usize = 4 << 20;
/// The most entries of each list.
pub const MOST_INCLUDES: usize = 1000;
pub const MOST_PUBLISHERS: usize = 1000;
pub const MOST_BLOCKED: usize = 10_000;

/// Reads a policy.
///
/// # Errors
/// The first thing that is missing, unknown, twice there or means nothing.
pub fn read(bytes: &[u8]) -> Result<Policy, Malformed> {
    let document = Document::parse(bytes, LARGEST)?;
    let root = document.object()?;
    root.only(&[
        "version",
        "includes",
        "publishers",
        "blocklist",
        "enforcement",
        "strict_paths",
        "refuse_older_policies",
        "protect",
    ])?;
    let version = root.need("version")?;
    if version.integer()? != 1 {
        return Err(version.malformed("is not 1, the one version that is known"));
    }
    let flag = |key: &str| root.find(key).map(|at| at.flag()).transpose();
    Ok(Policy {
        includes: list(&root, "includes", MOST_INCLUDES, include)?,
        publishers: list(&root, "publishers", MOST_PUBLISHERS, publisher)?,
        blocklist: root.find("blocklist").map(blocklist).transpose()?.unwrap_or_default(),
        enforcement: root.find("enforcement").map_or(Ok(Enforcement::Deny), |at| enforcement(&at))?,
        strict_paths: flag("strict_paths")?.unwrap_or(false),
        refuse_older_policies: flag("refuse_older_policies")?.unwrap_or(false),
        protect: flag("protect")?,
    })
}

fn list<T>(
    object: &Object<'_, '_>,
    key: &str,
    most: usize,
    read: fn(At<'_, '_>) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    let items = object.find(key).map_or(Ok(Vec::new()), |at| at.list(most))?;
    items.into_iter().map(read).collect()
}

fn include(at: At<'_, '_>) -> Result<Include, Malformed> {
    Include::parse(at.text()?).map_err(|error| at.malformed(format!("cannot be used: {error}")))
}

fn enforcement(at: &At<'_, '_>) -> Result<Enforcement, Malformed> {
    let known = [Enforcement::Audit, Enforcement::Deny, Enforcement::Warn];
    let text = at.text()?;
    let found = known.into_iter().find(|known| known.name() == text);
    found.ok_or_else(|| at.malformed("is none of `deny`, `warn` and `audit`"))
}

fn publisher(at: At<'_, '_>) -> Result<Publisher, Malformed> {
    let object = at.clone().object()?;
    object.only(&["name", "key_id", "public_key", "issuer", "repository", "workflow", "ref_pattern"])?;
    let name = filled(&object, "name")?.ok_or_else(|| object.malformed("has no `name`"))?;
    let key = public_key(&object)?;
    let (key_id, issuer) = (filled(&object, "key_id")?, filled(&object, "issuer")?);
    let [repository, workflow, ref_pattern] = ["repository", "workflow", "ref_pattern"].map(|key| filled(&object, key));
    let (repository, workflow, ref_pattern) = (repository?, workflow?, ref_pattern?);
    let of_a_certificate = issuer.is_some() || repository.is_some() || workflow.is_some() || ref_pattern.is_some();
    let identity = match (key_id, key, issuer) {
        (Some(key_id), Some(key), _) if !of_a_certificate => Identity::Keyed { key_id, key },
        (None, None, Some(issuer)) => Identity::Keyless { issuer, repository, workflow, ref_pattern },
        (Some(_), None, None) if !of_a_certificate => {
            return Err(object.malformed("has no `public_key`; `nono trust export-key` prints the one of a key"));
        }
        (None, Some(_), None) if !of_a_certificate => return Err(object.malformed("has no `key_id`")),
        (None, None, None) => {
            return Err(object.malformed("would match nobody: give it `key_id` and `public_key`, or `issuer`"));
        }
        _ => return Err(object.malformed("has both a key and claims of a certificate; make it two publishers")),
    };
    Ok(Publisher { name, identity })
}

fn blocklist(at: At<'_, '_>) -> Result<Blocklist, Malformed> {
    let object = at.object()?;
    object.only(&["digests", "publishers"])?;
    Ok(Blocklist {
        digests: list(&object, "digests", MOST_BLOCKED, blocked_digest)?,
        publishers: list(&object, "publishers", MOST_BLOCKED, blocked_publisher)?,
    })
}

fn blocked_digest(at: At<'_, '_>) -> Result<BlockedDigest, Malformed> {
    let object = at.object()?;
    object.only(&["sha256", "description", "added"])?;
    let sha256 = object.need("sha256")?;
    let digest = Digest::parse_any_case(sha256.text()?);
    Ok(BlockedDigest {
        sha256: digest.ok_or_else(|| sha256.malformed("does not have the 64 hex digits of a SHA-256"))?,
        description: object.optional_text("description")?,
        added: object.optional_text("added")?,
    })
}

fn blocked_publisher(at: At<'_, '_>) -> Result<BlockedPublisher, Malformed> {
    let object = at.object()?;
    object.only(&[
        "name",
        "key_id",
        "public_key",
        "issuer",
        "repository",
        "workflow",
        "ref_pattern",
        "description",
        "added",
    ])?;
    let blocked = BlockedPublisher {
        name: filled(&object, "name")?,
        key_id: filled(&object, "key_id")?,
        public_key: public_key(&object)?,
        issuer: filled(&object, "issuer")?,
        repository: filled(&object, "repository")?,
        workflow: filled(&object, "workflow")?,
        ref_pattern: filled(&object, "ref_pattern")?,
        description: None,
        added: None,
    };
    if blocked == BlockedPublisher::default() {
        return Err(object.malformed("would block nobody: name a `key_id`, a `public_key`, a `name` or an `issuer`"));
    }
    let (description, added) = (object.optional_text("description")?, object.optional_text("added")?);
    Ok(BlockedPublisher { description, added, ..blocked })
}

fn public_key(object: &Object<'_, '_>) -> Result<Option<PublicKey>, Malformed> {
    let Some(at) = object.find("public_key") else { return Ok(None) };
    PublicKey::from_base64(at.text()?).map(Some).map_err(|error| at.malformed(format!("cannot be used: {error}")))
}

/// A text that is not empty, where it is there.
fn filled(object: &Object<'_, '_>, key: &str) -> Result<Option<String>, Malformed> {
    let Some(at) = object.find(key) else { return Ok(None) };
    match at.text()? {
        "" => Err(at.malformed("is empty; leave it out, or say what is meant")),
        text => Ok(Some(text.to_owned())),
    }
}
