//! Any bytes as the payload of an envelope. Shared with the fuzzer.

use nono::trust::statement::{Predicate, Statement, is_subject_name};

/// Reads `bytes` as a statement: what is read is the same after it was written, names each file once and by a path that
/// stays inside of its project.
///
/// # Errors
/// The first thing that does not hold, in words.
pub(crate) fn agree(bytes: &[u8]) -> Result<(), String> {
    let Ok(statement) = Statement::read(bytes) else { return Ok(()) };
    let text = statement.to_json();
    if Statement::read(text.as_bytes()).as_ref() != Ok(&statement) {
        return Err(format!("written and read again it is another statement: {text}"));
    }
    if statement.subjects.is_empty() || (statement.predicate != Predicate::Files && statement.subjects.len() != 1) {
        return Err(format!("it is about {} files", statement.subjects.len()));
    }
    for subject in &statement.subjects {
        let name = &subject.name;
        if !is_subject_name(name) || name.starts_with('/') || name.split('/').any(|part| part == "..") {
            return Err(format!("it names {name:?}"));
        }
        if statement.subject(name) != Some(subject) {
            return Err(format!("it names {name:?} twice"));
        }
    }
    Ok(())
}
