//! Finds the program that is to run, as `execvp(3)` would in the program's own environment.

use std::ffi::{CString, OsString};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

use syscalls::Errno;
use syscalls::file::{self, FileType};

use crate::enforce::Program;
use crate::plan::Plan;
use crate::profile::abs_path::AbsPath;
use crate::profile::escape::escaped;

/// Why there is nothing to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::verbs) enum ProgramError {
    NotExecutable(String),
    NotFound(String),
}

/// Where programs are looked for when the environment has no `PATH`.
const DEFAULT_PATH: &[u8] = b"/usr/local/bin:/usr/bin:/bin";

/// Longest name shown in a message, in characters.
const MOST_SHOWN: usize = 200;

/// The program that `command` names: a path when it has a slash, else the first match in `PATH`.
pub(in crate::verbs) fn find(command: &[OsString], plan: &Plan) -> Result<(Program, AbsPath), ProgramError> {
    let name = command.first().map(|word| word.as_bytes()).unwrap_or_default();
    let shown = escaped(name, MOST_SHOWN);
    let mut refusal = ProgramError::NotFound(format!("{shown} was not found: check the name and PATH"));
    for candidate in candidates(name, plan) {
        match executable(&candidate) {
            Ok(()) => {
                let text = |bytes: &[u8]| CString::new(bytes).map_err(|_| refusal.clone());
                let arguments = command.iter().map(|word| text(word.as_bytes())).collect::<Result<_, _>>()?;
                return Ok((Program { path: text(candidate.as_bytes())?, arguments }, candidate));
            }
            Err(Errno::NOT_FOUND | Errno::NOT_DIRECTORY) => {}
            Err(errno) => {
                refusal = ProgramError::NotExecutable(format!("{candidate} cannot be executed: {errno}"));
            }
        }
    }
    Err(refusal)
}

fn candidates(name: &[u8], plan: &Plan) -> Vec<AbsPath> {
    if name.contains(&b'/') {
        return vec![plan.workdir.join_or_absolute(name)];
    }
    let searched = plan.environment.get(b"PATH".as_slice()).map_or(DEFAULT_PATH, Vec::as_slice);
    let directories = searched.split(|&byte| byte == b':');
    directories.map(|directory| plan.workdir.join_or_absolute(directory).join(name)).collect()
}

/// Whether a regular file is there that the user may execute.
fn executable(path: &AbsPath) -> Result<(), Errno> {
    let name = CString::new(path.as_bytes()).map_err(|_| Errno::NOT_FOUND)?;
    let object = file::open_path(&name)?;
    if file::status(object.as_fd())?.kind != FileType::Regular {
        return Err(Errno::ACCESS);
    }
    file::may_execute(&name)
}
