//! Statements: what a signature says about which files (in-toto attestation framework, `statement.md` v1).

use serde_json::{Value, json};

use super::digest::Digest;
use super::json::{At, Document, Malformed, Object};

/// The `_type` of a statement.
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// What `predicate.names` says of whole paths.
const WHOLE_PATHS: &str = "project-relative";
/// The most files that one statement speaks of.
pub const MOST_SUBJECTS: usize = 10_000;

/// What a statement is about. None of them stands in for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predicate {
    /// One file, in the bundle beside it.
    File,
    /// Any number of files, in the bundle at the root of a project.
    Files,
    /// A trust policy.
    Policy,
}

/// A statement about files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub predicate: Predicate,
    /// At least one, each name once, in the order of their names; exactly one unless the predicate is [`Predicate::Files`].
    pub subjects: Vec<Subject>,
    /// Whether each name is the whole path from the root of the project. A statement that does not say so may mean the name
    /// within the directory of its bundle.
    pub whole_paths: bool,
    /// The id of the key that the signer says it used; none where the signer is said to be none with a key.
    pub key_id: Option<String>,
    /// When it was signed, as the signer says: seconds since 1970. Only that of a policy counts for anything.
    pub signed_at: Option<u64>,
}

/// A file and the digest of its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Relative to the root of its project, with `/` between its parts.
    pub name: String,
    pub digest: Digest,
}

impl Predicate {
    /// The type as it is written.
    pub fn uri(self) -> &'static str {
        match self {
            Self::File => "https://nono.sh/attestation/instruction-file/v1",
            Self::Files => "https://nono.sh/attestation/multi-file/v1",
            Self::Policy => "https://nono.sh/attestation/trust-policy/v1",
        }
    }

    /// In a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::File => "one file",
            Self::Files => "a set of files",
            Self::Policy => "a trust policy",
        }
    }
}

impl Statement {
    /// A statement by the key `key_id` about `subjects`, whose names are whole paths from the root of the project.
    pub fn keyed(predicate: Predicate, mut subjects: Vec<Subject>, key_id: &str) -> Self {
        subjects.sort_by(|one, other| one.name.cmp(&other.name));
        Self { predicate, subjects, whole_paths: true, key_id: Some(key_id.to_owned()), signed_at: None }
    }

    /// Reads the payload of an envelope. Members that the framework does not name are ignored, as it says.
    ///
    /// # Errors
    /// What is no statement of these three kinds, a name that is no relative path, a subject without a SHA-256.
    pub fn read(payload: &[u8]) -> Result<Self, Malformed> {
        let document = Document::parse(payload, super::bundle::LARGEST)?;
        let root = document.object()?;
        let kind = root.need("_type")?;
        if kind.text()? != STATEMENT_TYPE {
            return Err(kind.malformed(format!("is not {STATEMENT_TYPE}")));
        }
        let predicate_type = root.need("predicateType")?;
        let known = [Predicate::File, Predicate::Files, Predicate::Policy];
        let text = predicate_type.text()?;
        let predicate = known.into_iter().find(|known| known.uri() == text);
        let predicate = predicate.ok_or_else(|| predicate_type.malformed("is no statement about files or a policy"))?;
        let (whole_paths, key_id) = claims(&root)?;
        Ok(Self { predicate, subjects: subjects(&root, predicate)?, whole_paths, key_id, signed_at: signed_at(&root)? })
    }

    /// The payload of an envelope. Read again, it is the same statement.
    pub fn to_json(&self) -> String {
        let subject =
            |subject: &Subject| json!({ "name": subject.name, "digest": { "sha256": subject.digest.to_string() } });
        let signer = self.key_id.as_ref().map_or(Value::Null, |key_id| json!({ "kind": "keyed", "key_id": key_id }));
        let mut predicate = json!({ "version": 1, "signer": signer });
        if let (true, Some(members)) = (self.whole_paths, predicate.as_object_mut()) {
            members.insert("names".to_owned(), WHOLE_PATHS.into());
        }
        if let (Some(time), Some(members)) = (self.signed_at, predicate.as_object_mut()) {
            members.insert("signed_at".to_owned(), time.into());
        }
        let statement = json!({
            "_type": STATEMENT_TYPE,
            "subject": self.subjects.iter().map(subject).collect::<Vec<Value>>(),
            "predicateType": self.predicate.uri(),
            "predicate": predicate,
        });
        statement.to_string()
    }

    /// What is said about the file `name`.
    pub fn subject(&self, name: &str) -> Option<&Subject> {
        let index = self.subjects.binary_search_by(|subject| subject.name.as_str().cmp(name)).ok()?;
        self.subjects.get(index)
    }
}

/// Whether `name` is a relative path in normal form, as the name of a subject has to be.
pub fn is_subject_name(name: &str) -> bool {
    !name.contains('\0') && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

fn subjects(root: &Object<'_, '_>, predicate: Predicate) -> Result<Vec<Subject>, Malformed> {
    let list = root.need("subject")?;
    let mut subjects: Vec<Subject> =
        list.list(MOST_SUBJECTS)?.into_iter().map(|at| subject(&at.object()?)).collect::<Result<_, _>>()?;
    if subjects.is_empty() {
        return Err(list.malformed("names no file"));
    }
    if predicate != Predicate::Files && subjects.len() != 1 {
        return Err(
            list.malformed(format!("names {} files, and a statement of this kind is about one", subjects.len()))
        );
    }
    subjects.sort_by(|one, other| one.name.cmp(&other.name));
    if subjects.iter().zip(subjects.iter().skip(1)).any(|(one, other)| one.name == other.name) {
        return Err(list.malformed("names a file twice"));
    }
    Ok(subjects)
}

fn subject(subject: &Object<'_, '_>) -> Result<Subject, Malformed> {
    let name = subject.need("name")?;
    let text = name.text()?;
    if !is_subject_name(text) {
        return Err(name.malformed("is no relative path in its shortest form"));
    }
    let digest = subject.need("digest")?.object()?.need("sha256")?;
    let value =
        Digest::parse(digest.text()?).ok_or_else(|| digest.malformed("does not have 64 lower-case hex digits"))?;
    Ok(Subject { name: text.to_owned(), digest: value })
}

/// What the predicate says: whether names are whole paths, and the id of the signer's key. Only the key that verifies the
/// signature says who the signer was.
fn claims(root: &Object<'_, '_>) -> Result<(bool, Option<String>), Malformed> {
    let Some(predicate) = root.find("predicate").map(At::object).transpose()? else { return Ok((false, None)) };
    let whole_paths = predicate.optional_text("names")?.as_deref() == Some(WHOLE_PATHS);
    let Some(signer) = predicate.find("signer").map(At::object).transpose()? else { return Ok((whole_paths, None)) };
    match signer.optional_text("kind")?.as_deref() {
        Some("keyed") => Ok((whole_paths, signer.optional_text("key_id")?)),
        _ => Ok((whole_paths, None)),
    }
}

fn signed_at(root: &Object<'_, '_>) -> Result<Option<u64>, Malformed> {
    let Some(predicate) = root.find("predicate").map(At::object).transpose()? else { return Ok(None) };
    predicate.find("signed_at").map(|at| at.integer()).transpose()
}
