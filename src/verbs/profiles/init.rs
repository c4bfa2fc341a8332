//! `nono profiles init`: a new profile to start from.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::profile::escape::escaped;
use crate::profile::resolve::is_name;
use crate::profile::variables::Variables;
use crate::verbs::{REFUSED, USAGE, YES, gather, print};

/// Writes the profile among the user's own, and prints where. A profile that is there stays, unless `force` replaces it.
pub(super) fn init(name: &str, extends: Option<&str>, force: bool) -> u8 {
    for name in [Some(name), extends].into_iter().flatten() {
        if !is_name(name) {
            let shown = escaped(name.as_bytes(), 80);
            let rule = "use 1 to 64 letters, digits, `.`, `_` and `-`, beginning with a letter or digit";
            print::say(&format!("\"{shown}\" is no name for a profile; {rule}"));
            return USAGE;
        }
    }
    match written(name, extends.unwrap_or("default"), force) {
        Ok(path) if print::document(&format!("{}\n", escaped(path.as_os_str().as_bytes(), usize::MAX))) != YES => {
            REFUSED
        }
        Ok(_) => YES,
        Err(sentences) => {
            sentences.iter().for_each(|sentence| print::say(sentence));
            REFUSED
        }
    }
}

fn written(name: &str, extends: &str, force: bool) -> Result<PathBuf, Vec<String>> {
    let variables = super::variables().map_err(|sentence| vec![sentence])?;
    if name == extends {
        return Err(vec![format!("the profile {name} cannot extend itself; give the new one another name")]);
    }
    // A new profile that did not resolve would be a poor start.
    gather::resolve(OsStr::new(extends), &variables)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let path = place(name, &variables).map_err(|sentence| vec![sentence])?;
    store(&path, &text(name, extends), force).map_err(|error| {
        let shown = escaped(path.as_os_str().as_bytes(), 4096);
        vec![if error.kind() == ErrorKind::AlreadyExists {
            format!("{shown} is there already; replace it with --force, or give another name")
        } else {
            format!("{shown} cannot be written: {error}")
        }]
    })?;
    Ok(path)
}

fn place(name: &str, variables: &Variables) -> Result<PathBuf, String> {
    let directory = gather::user_directory(variables)
        .ok_or("there is no place for your profiles: set HOME or XDG_CONFIG_HOME to an absolute path")?;
    // What is read from there must not be anybody else's.
    gather::shelves(variables)?;
    let directory = Path::new(OsStr::from_bytes(directory.as_bytes())).join("profiles");
    Ok(directory.join(format!("{name}.json")))
}

/// Beside it first, so that a reader sees the old file or the new one and nothing between.
fn store(path: &Path, text: &str, force: bool) -> io::Result<()> {
    let directory = path.parent().unwrap_or(path);
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    if !force && fs::symlink_metadata(path).is_ok() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    let draft = path.with_extension(format!("json.{}", std::process::id()));
    let stored = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        // A link fails where something is already; a rename replaces it.
        if force { fs::rename(&draft, path) } else { fs::hard_link(&draft, path) }
    });
    // After a rename nothing is left to remove.
    let _ = fs::remove_file(&draft);
    stored
}

fn text(name: &str, extends: &str) -> String {
    let quoted = |text: &str| json!(text).to_string();
    format!(
        r#"{{
  "name": {},
  "version": "0.1.0",
  "description": "",
  "extends": [{}],
  "sandbox": {{
    "allow": ["$WORKDIR"],
    "read": [],
    "write": [],
    "deny": [],
    "groups": []
  }}
}}
"#,
        quoted(name),
        quoted(extends)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_profile_is_one_that_can_be_read() {
        let value: serde_json::Value = serde_json::from_str(&text("a.b-c", "rust-dev")).unwrap();
        assert_eq!((&value["name"], &value["extends"][0]), (&json!("a.b-c"), &json!("rust-dev")));
    }
}
