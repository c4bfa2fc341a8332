//! Facts about this process, its user and the running kernel.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use syscalls::process::kernel_release;
use syscalls::{credentials, landlock, seccomp};

use super::shown;
use crate::enforce::cgroup;
use crate::enforce::gaps::Kernel;
use crate::enforce::limits::Mechanism;
use crate::plan::Facts;
use crate::profile::Limits;
use crate::profile::abs_path::AbsPath;
use crate::profile::variables::Variables;
use crate::trust::keystore::{self, Place, passphrase};

/// The name nono's directories have beneath those of the user.
const OWN_NAME: &[u8] = b"nono";

/// Policies for every user of the host.
pub(in crate::verbs) fn system_directory() -> AbsPath {
    AbsPath::root().join(b"etc/nono")
}

/// Where nono stands, and whose it is. `workdir` is the directory the program is to start in.
pub(in crate::verbs) fn facts(workdir: AbsPath, variables: &Variables) -> Facts {
    let user = [user_directory(variables), state_directory(variables)];
    Facts {
        workdir,
        root: credentials::effective_user() == 0,
        environment: std::env::vars_os().map(|(name, value)| (name.into_vec(), value.into_vec())).collect(),
        own_directories: user.into_iter().flatten().chain([system_directory()]).chain(key_places()).collect(),
        own_binary: std::env::current_exe().ok().as_deref().and_then(absolute),
        own_policies: Vec::new(),
    }
}

/// The directory of the user's key files and the file of their passphrase, where the environment names them.
fn key_places() -> impl Iterator<Item = AbsPath> {
    let keys = match Place::named(std::env::var_os(keystore::VARIABLE).as_deref()) {
        Ok(Place::Directory(path)) => Some(path),
        Ok(Place::Keychain | Place::SecretService) | Err(_) => None,
    };
    let passphrase = std::env::var_os(passphrase::VARIABLE).map(PathBuf::from);
    // What they really are is closed as well: a link may lead elsewhere.
    let places = [keys, passphrase].into_iter().flatten();
    places
        .flat_map(|path| [fs::canonicalize(&path).ok(), Some(path)].into_iter().flatten())
        .filter_map(|path| absolute(&path))
}

/// The user's own policies; the specification has a default beneath the home directory (XDG Base Directory
/// Specification, "Environment variables").
pub(in crate::verbs) fn user_directory(variables: &Variables) -> Option<AbsPath> {
    beneath(variables.xdg_config_home.as_ref(), variables, b".config")
}

/// What nono keeps between runs (the same, `XDG_STATE_HOME`).
pub(in crate::verbs) fn state_directory(variables: &Variables) -> Option<AbsPath> {
    beneath(variables.xdg_state_home.as_ref(), variables, b".local/state")
}

fn beneath(given: Option<&AbsPath>, variables: &Variables, default: &[u8]) -> Option<AbsPath> {
    let base = given.cloned().or_else(|| Some(variables.home.as_ref()?.join(default)))?;
    Some(base.join(OWN_NAME))
}

/// The variables that paths of a policy may mention.
pub(in crate::verbs) fn variables(workdir: &AbsPath) -> Variables {
    Variables::new(workdir.clone(), credentials::real_user(), |name| std::env::var_os(name).map(OsStringExt::into_vec))
}

/// The directory the program starts in, without symbolic links.
///
/// # Errors
/// A sentence, when it cannot be found or is no directory.
pub(in crate::verbs) fn workdir(given: Option<&OsStr>) -> Result<AbsPath, String> {
    let written = PathBuf::from(given.unwrap_or_else(|| OsStr::new(".")));
    let real = fs::canonicalize(&written)
        .map_err(|error| format!("the working directory {} cannot be used: {error}", shown(&written)))?;
    if !real.is_dir() {
        return Err(format!("the working directory {} is not a directory", shown(&real)));
    }
    absolute(&real).ok_or_else(|| format!("the working directory {} has no absolute path", shown(&real)))
}

/// What the running kernel offers to a plan with `limits`.
pub(in crate::verbs) fn kernel(limits: &Limits) -> Kernel {
    Kernel {
        landlock_abi: landlock::abi_version().unwrap_or(0),
        seccomp: seccomp::available(),
        limits: mechanism(limits),
        release: kernel_release(),
    }
}

/// Looked for only when a limit asks for it: it means reading a good part of `/proc`.
fn mechanism(limits: &Limits) -> Mechanism {
    if limits.memory.is_none() && limits.processes.is_none() {
        return Mechanism::default();
    }
    let (_, controllers) = cgroup::delegated().unzip();
    let controllers = controllers.unwrap_or_default();
    let counts_user_processes = credentials::real_user() != 0;
    Mechanism {
        cgroup_memory: controllers.memory,
        cgroup_processes: controllers.processes,
        counts_user_processes,
        user_processes: if limits.processes.is_some() { threads_of(credentials::real_user()) } else { 0 },
    }
}

/// How many threads `user` has now.
fn threads_of(user: u32) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let own = processes.filter(|entry| {
        let numeric = entry.file_name().as_bytes().iter().all(u8::is_ascii_digit);
        numeric && entry.metadata().is_ok_and(|metadata| metadata.uid() == user)
    });
    own.map(|entry| fs::read_dir(entry.path().join("task")).map_or(0, Iterator::count) as u64).sum()
}

/// `path` as bytes in normal form, when it is absolute.
fn absolute(path: &Path) -> Option<AbsPath> {
    AbsPath::new(path.as_os_str().as_bytes())
}
