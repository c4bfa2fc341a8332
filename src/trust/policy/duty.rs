//! What a file has to be so that it may be read, by its name.

use super::FILE_NAME;
use crate::profile::abs_path::AbsPath;

/// What stands behind a file's name in that of the bundle beside it.
const BUNDLE: &[u8] = b".bundle";

/// What is asked of a file that matches a pattern. A signature of a signature would be asked for without end, so what is
/// named as one has to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// It is a bundle that somebody made who is trusted.
    Bundle,
    /// A bundle speaks for its content.
    Content,
    /// It is a trust policy, and its bundle that of a policy.
    Policy,
}

impl Duty {
    /// What the name of the file asks for.
    pub fn of(path: &AbsPath) -> Self {
        match path.file_name() {
            Some(name) if name == FILE_NAME.as_bytes() => Self::Policy,
            Some(name) if name.ends_with(BUNDLE) => Self::Bundle,
            Some(_) | None => Self::Content,
        }
    }
}

/// The place of the bundle that speaks for the file at `path` alone.
pub fn sidecar(path: &AbsPath) -> Option<AbsPath> {
    AbsPath::new(&[path.as_bytes(), BUNDLE].concat())
}

/// The file that the bundle at `path` is beside, if it is one.
pub fn signed_by(path: &AbsPath) -> Option<AbsPath> {
    path.as_bytes().strip_suffix(BUNDLE).and_then(AbsPath::new)
}
