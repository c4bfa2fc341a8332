//! Flags of the command line as entries of a policy: they only add to the profile, or narrow it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::cli::{PathFlag, Sandbox};
use crate::profile::abs_path::AbsPath;
use crate::profile::escape::escaped;
use crate::profile::glob::Glob;
use crate::profile::host::{HostRule, Listen};
use crate::profile::{FilePattern, FileRule, FileRuleKind, Given, Profile, Provenance};

/// Longest value of a flag that is kept for messages, in characters.
const MOST_SHOWN: usize = 4096;

/// Merges the flags into `profile`. Paths are relative to `current`, the directory nono was started in.
///
/// # Errors
/// A sentence for each value that cannot be used.
pub(super) fn merge(
    profile: &mut Profile,
    flags: &Sandbox,
    current: &AbsPath,
    workdir: &AbsPath,
) -> Result<(), Vec<String>> {
    let mut problems = Vec::new();
    if flags.allow_cwd {
        let path = FilePattern::Path(workdir.clone());
        profile.files.push(rule(FileRuleKind::Allow, path, OsStr::from_bytes(workdir.as_bytes()), "--allow-cwd"));
    }
    for (flag, value) in &flags.paths {
        match file_rule(*flag, value, current) {
            Ok(rule) => profile.files.push(rule),
            Err(problem) => problems.push(problem),
        }
    }
    for value in &flags.allow_unix_socket {
        match path(value, current) {
            Some(value) => profile.unix_sockets.push(given(value, "--allow-unix-socket")),
            None => problems.push(unusable("--allow-unix-socket", value, "it is empty or holds a NUL byte")),
        }
    }
    network(profile, flags, &mut problems);
    for value in &flags.env {
        match environment(value) {
            Ok((name, None)) => profile.environment.group_pass.push(given(name, "--env")),
            Ok((name, Some(text))) => profile.environment.set.push(given((name, text), "--env")),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn network(profile: &mut Profile, flags: &Sandbox, problems: &mut Vec<String>) {
    for value in &flags.allow_host {
        match HostRule::parse(value) {
            Ok(rule) => profile.network.get_or_insert_default().allow.push(given(rule, "--allow-host")),
            Err(error) => problems.push(unusable("--allow-host", value.as_ref(), &error.to_string())),
        }
    }
    for value in &flags.listen {
        match Listen::parse(value) {
            Ok(listen) => match profile.webhook_reached_by(&listen) {
                Some((_, kind)) => problems.push(unusable("--listen", value.as_ref(), &kind.to_string())),
                None => profile.network.get_or_insert_default().listen.push(given(listen, "--listen")),
            },
            Err(error) => problems.push(unusable("--listen", value.as_ref(), &error.to_string())),
        }
    }
    if flags.block_net {
        profile.network = None;
    }
}

fn file_rule(flag: PathFlag, value: &OsStr, current: &AbsPath) -> Result<FileRule, String> {
    let (kind, name) = match flag {
        PathFlag::Allow => (FileRuleKind::Allow, "--allow"),
        PathFlag::Deny => (FileRuleKind::Deny, "--deny"),
        PathFlag::Read => (FileRuleKind::Read, "--read"),
        PathFlag::Write => (FileRuleKind::Write, "--write"),
    };
    if kind == FileRuleKind::Deny && is_pattern(value.as_bytes()) {
        let text = value.to_str().ok_or_else(|| unusable(name, value, "a pattern must be UTF-8"))?;
        let glob = Glob::parse(text).map_err(|error| unusable(name, value, &error.to_string()))?;
        return Ok(rule(kind, FilePattern::Glob { glob, except: Vec::new() }, value, name));
    }
    let path = path(value, current).ok_or_else(|| unusable(name, value, "it is empty or holds a NUL byte"))?;
    Ok(rule(kind, FilePattern::Path(path), value, name))
}

/// As in a profile: a relative deny holds at any depth. `./x` is a path of the directory one is in, as for a shell.
fn is_pattern(value: &[u8]) -> bool {
    let here = matches!(value, b"." | b"..") || value.starts_with(b"./") || value.starts_with(b"../");
    let relative = !value.is_empty() && value.first() != Some(&b'/') && !here;
    relative || value.iter().any(|byte| b"*?[{".contains(byte))
}

/// `..` after a symbolic link leads to the link's target's parent, so a path that has one is asked of the system.
fn path(value: &OsStr, current: &AbsPath) -> Option<AbsPath> {
    if value.is_empty() || value.as_bytes().contains(&0) {
        return None;
    }
    if value.as_bytes().split(|&byte| byte == b'/').any(|part| part == b"..") {
        if let Ok(real) = PathBuf::from(value).canonicalize() {
            return AbsPath::new(real.as_os_str().as_bytes());
        }
    }
    Some(current.join_or_absolute(value.as_bytes()))
}

/// `NAME`, or `NAME=VALUE`.
fn environment(value: &OsString) -> Result<(String, Option<String>), String> {
    let text = value.to_str().ok_or_else(|| unusable("--env", value, "names and values given here must be UTF-8"))?;
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    };
    Ok((name.to_owned(), value))
}

fn rule(kind: FileRuleKind, pattern: FilePattern, written: &OsStr, flag: &str) -> FileRule {
    let written = Arc::from(escaped(written.as_bytes(), MOST_SHOWN));
    FileRule { kind, pattern, written, from: Provenance::flag(flag), group: None }
}

fn given<T>(value: T, flag: &str) -> Given<T> {
    Given { value, from: Provenance::flag(flag) }
}

fn unusable(flag: &str, value: &OsStr, why: &str) -> String {
    format!("{flag} {}: {why}", escaped(value.as_bytes(), 200))
}
