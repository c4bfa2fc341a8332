//! `nono trust verify` and `nono trust list`: what came of each file.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::keys::Failure;
use crate::cli::Verify;
use crate::profile::abs_path::AbsPath;
use crate::trust::policy::{Duty, Rules};
use crate::trust::scan::{self, Found, PRUNED, Searched};
use crate::trust::verify::Verdict;
use crate::verbs::gather::{self, Trusting, sentence, shown};
use crate::verbs::{NO, YES, print};

/// Verifies files, and prints each with what came of it.
pub(super) fn verify(wanted: &Verify) -> u8 {
    match judged(wanted) {
        Ok((root, found)) => {
            let all = found.iter().all(is_verified);
            if found.is_empty() {
                let root = shown(&root);
                print::say(&format!("no file beneath {root} matches a policy, and so nothing was verified"));
            }
            let printed = if wanted.json {
                print::json(&document(&root, &found))
            } else {
                let verified = found.iter().filter(|found| is_verified(found));
                let line = |found: &Found| format!("{}: VERIFIED, {}\n", name(&root, found), found.verdict);
                found.iter().filter(|found| !is_verified(found)).for_each(|found| print::say(&sentence(found)));
                print::document(&verified.map(line).collect::<String>())
            };
            printed.max(if all { YES } else { NO })
        }
        Err(failure) => failure.say(),
    }
}

/// Prints every file that matches the policy, and its state.
pub(super) fn list(json: bool) -> u8 {
    match found_all(None) {
        Ok((root, found)) if json => print::json(&document(&root, &found)),
        Ok((root, found)) => {
            let row = |file: &str, status: &str, publisher: &str| {
                format!("  {file:<35}{status:<13}{publisher}").trim_end().to_owned() + "\n"
            };
            let mut text = row("File", "Status", "Publisher");
            text.push_str(&format!("  {}\n", "-".repeat(67)));
            for found in &found {
                text.push_str(&row(
                    &format!("{} ", name(&root, found)),
                    found.verdict.word(),
                    &found.verdict.to_string(),
                ));
            }
            print::document(&text)
        }
        Err(failure) => failure.say(),
    }
}

fn judged(wanted: &Verify) -> Result<(PathBuf, Vec<Found>), Failure> {
    if wanted.all && !wanted.files.is_empty() {
        return Err(Failure::usage("--all verifies every file that matches the policy: leave the files out, or --all"));
    }
    let policy = wanted.policy.as_ref().map(Path::new);
    if wanted.all {
        return found_all(policy);
    }
    let (here, trusting) = trusting(policy)?;
    let mut files = Vec::new();
    for file in &wanted.files {
        let path = Path::new(file);
        let real = fs::canonicalize(path)
            .map_err(|error| Failure::refused(format!("{} cannot be verified: {error}", shown(path))))?;
        files.extend(AbsPath::new(real.as_os_str().as_bytes()));
    }
    Ok((here, scan::judge(files, &trusting.rules)))
}

/// Every file of the project that matches.
fn found_all(policy: Option<&Path>) -> Result<(PathBuf, Vec<Found>), Failure> {
    let (here, trusting) = trusting(policy)?;
    let root = gather::project_root(&here).map_or_else(|| here.clone(), Path::to_path_buf);
    let searched = searched(&root, &trusting.rules)?;
    let mut found = scan::judge(searched.files, &trusting.rules);
    found.extend(searched.closed.into_iter().map(|(path, error)| scan::closed(path, &error)));
    // Bundles and policies are named where they are not what they should be.
    found.retain(|found| !is_verified(found) || Duty::of(&found.path) == Duty::Content);
    Ok((root, found))
}

fn searched(root: &Path, rules: &Rules) -> Result<Searched, Failure> {
    let place = AbsPath::new(root.as_os_str().as_bytes()).unwrap_or_else(AbsPath::root);
    scan::files(&place, rules, &PRUNED)
        .map_err(|error| Failure::refused(format!("{} cannot be searched: {error}", shown(root))))
}

/// The working directory, and the policies that hold there or the one that was named.
fn trusting(policy: Option<&Path>) -> Result<(PathBuf, Trusting), Failure> {
    let workdir = gather::workdir(None).map_err(Failure::refused)?;
    let variables = gather::variables(&workdir);
    let trusting = match policy {
        Some(path) => {
            let here = path_of(&workdir);
            let root = gather::project_root(&here).and_then(|root| AbsPath::new(root.as_os_str().as_bytes()));
            gather::trusting_file(path, root.as_ref().unwrap_or(&workdir))
        }
        None => gather::trusting(&workdir, &variables),
    };
    let trusting = trusting.map_err(Failure::refused)?;
    trusting.warnings.iter().for_each(|warning| print::say(warning));
    Ok((path_of(&workdir), trusting))
}

fn document(root: &Path, found: &[Found]) -> Value {
    let file = |found: &Found| {
        let mut file = json!({ "path": name(root, found), "status": found.verdict.word() });
        let Some(members) = file.as_object_mut() else { return file };
        match &found.verdict {
            Verdict::Verified(publisher) => {
                members.insert("publisher".to_owned(), publisher.name.clone().into());
            }
            Verdict::Failed(failure) => {
                members.insert("check".to_owned(), failure.check().into());
                members.insert("reason".to_owned(), failure.to_string().into());
                members.insert("advice".to_owned(), failure.advice().into());
            }
            Verdict::Blocked(why) => {
                members.insert("check".to_owned(), "blocklist".into());
                members.insert("reason".to_owned(), why.clone().into());
            }
        }
        file
    };
    json!({ "verified": found.iter().all(is_verified), "files": found.iter().map(file).collect::<Vec<Value>>() })
}

fn is_verified(found: &Found) -> bool {
    matches!(found.verdict, Verdict::Verified(_))
}

/// The file as it is seen from `root`.
fn name(root: &Path, found: &Found) -> String {
    let path = path_of(&found.path);
    shown(path.strip_prefix(root).unwrap_or(&path))
}

fn path_of(path: &AbsPath) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(path.as_bytes()))
}
