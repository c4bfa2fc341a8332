//! The program's own temporary directory.

use std::fs::{self, DirBuilder};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::shown;
use crate::profile::abs_path::AbsPath;
use crate::profile::{Environment, FilePattern, FileRule, FileRuleKind, Given, Profile, Provenance};

/// A directory that only this user can enter; removed with everything in it when dropped.
#[derive(Debug)]
pub(in crate::verbs) struct Temporary(PathBuf);

/// The variables that programs look for a temporary directory in (`tempfile` of Python, `mktemp(1)`, Node's `os.tmpdir`).
const NAMES: [&str; 3] = ["TMPDIR", "TMP", "TEMP"];

/// Variables that name a cache without which a program does not start, and the name it gets beneath the directory. The
/// cache in the home stays as it is: programs outside would take from it what was put in here. npm: `npm help config`.
const CACHES: [(&str, &str); 1] = [("npm_config_cache", "npm")];

impl Temporary {
    /// Makes the directory beneath `$TMPDIR`, or `/tmp`, and grants it in `profile`.
    ///
    /// # Errors
    /// A sentence, when none can be made.
    pub(super) fn grant(profile: &mut Profile, from: &Provenance, base: Option<&AbsPath>) -> Result<Self, String> {
        let base = base.map_or_else(
            || PathBuf::from("/tmp"),
            |base| Path::new(std::ffi::OsStr::from_bytes(base.as_bytes())).into(),
        );
        let made =
            Self::new(&base).map_err(|error| format!("no private temporary directory in {}: {error}", shown(&base)))?;
        let path = AbsPath::new(made.0.as_os_str().as_bytes()).ok_or("the temporary directory has no absolute path")?;
        let text = made.0.to_str().ok_or("the temporary directory's path is not UTF-8")?.to_owned();
        profile.files.push(FileRule {
            kind: FileRuleKind::Allow,
            pattern: FilePattern::Path(path),
            written: Arc::from("the private temporary directory"),
            from: from.clone(),
            group: None,
        });
        let environment = &mut profile.environment;
        let caches = CACHES.iter().map(|(name, beneath)| (*name, format!("{text}/{beneath}")));
        // A policy that names the variable knows a better place.
        let caches: Vec<_> = caches.filter(|(name, _)| !is_named(environment, name)).collect();
        for (name, value) in NAMES.map(|name| (name, text.clone())).into_iter().chain(caches) {
            environment.set.push(Given { value: (name.to_owned(), value), from: from.clone() });
        }
        Ok(made)
    }

    fn new(base: &Path) -> io::Result<Self> {
        for _ in 0..16 {
            // RandomState is keyed from the system's random numbers. A name that was guessed and taken is an error of
            // mkdir(2), and the next one is tried.
            let path = base.join(format!("nono-{:016x}", RandomState::new().hash_one(0_u8)));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Leaves the directory behind, for a program that nobody waits for.
    pub(in crate::verbs) fn keep(self) -> PathBuf {
        let path = self.0.clone();
        std::mem::forget(self);
        path
    }
}

fn is_named(environment: &Environment, name: &str) -> bool {
    let passed = environment.pass.iter().flatten().chain(&environment.group_pass).any(|given| given.value == name);
    passed || environment.set.iter().any(|given| given.value.0 == name)
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            super::super::print::say(&format!("the temporary directory {} stays behind: {error}", shown(&self.0)));
        }
    }
}
