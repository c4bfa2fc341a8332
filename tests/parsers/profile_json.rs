//! Any bytes as a profile, as a group and as a policy test. Shared with the fuzzer.

use std::borrow::Cow;
use std::sync::Arc;

use nono::profile::abs_path::AbsPath;
use nono::profile::read::expectations::read_expectations;
use nono::profile::read::problem::Problem;
use nono::profile::resolve::{Library, Source, resolve};
use nono::profile::variables::Variables;
use nono::profile::{FilePattern, Profile};

/// Resolves `bytes`; problems are lines that can be shown, and what resolves keeps its promises.
///
/// # Errors
/// The first thing that does not hold, in words.
pub(crate) fn agree(bytes: &[u8]) -> Result<(), String> {
    let variables = variables();
    let shelf = Shelf(bytes);
    hold(resolve(&source(bytes.to_vec()), &shelf, &variables))?;
    let user = br#"{"name": "user", "extends": ["bytes"], "sandbox": {"groups": ["bytes"]}}"#;
    hold(resolve(&source(user.to_vec()), &shelf, &variables))?;
    match read_expectations(&Arc::from("bytes"), bytes, &variables) {
        Ok(_) => Ok(()),
        Err(problems) => shown(&problems),
    }
}

/// The bytes are the profile and the group that are called `bytes`.
struct Shelf<'b>(&'b [u8]);

impl Library for Shelf<'_> {
    fn group(&self, name: &str) -> Option<Result<Source, String>> {
        self.profile(name)
    }

    fn group_names(&self) -> Vec<String> {
        vec!["bytes".to_owned()]
    }

    fn profile(&self, name: &str) -> Option<Result<Source, String>> {
        (name == "bytes").then(|| Ok(source(self.0.to_vec())))
    }

    fn profile_names(&self) -> Vec<String> {
        vec!["bytes".to_owned()]
    }
}

fn source(text: Vec<u8>) -> Source {
    Source { place: Arc::from("bytes"), text: Cow::Owned(text), built_in: None }
}

fn variables() -> Variables {
    Variables::new(AbsPath::root().join(b"work"), 1000, |name| (name == "HOME").then(|| b"/people/\xff[x]".to_vec()))
}

fn hold(resolved: Result<Profile, Vec<Problem>>) -> Result<(), String> {
    let profile = match resolved {
        Ok(profile) => profile,
        Err(problems) => return shown(&problems),
    };
    for rule in &profile.files {
        let is_whole = match &rule.pattern {
            FilePattern::Path(path) => path.as_bytes().len() < 4096 && rule.pattern.covers(path),
            FilePattern::Glob { glob, .. } => {
                let _ = glob.matches(&AbsPath::root().join(rule.written.as_bytes()));
                matches!(rule.kind, nono::profile::FileRuleKind::Deny)
            }
        };
        if !is_whole || rule.from.line == 0 || rule.from.column == 0 || rule.from.json_path.is_empty() {
            return Err(format!("{rule:?} lost something"));
        }
    }
    Ok(())
}

fn shown(problems: &[Problem]) -> Result<(), String> {
    if problems.is_empty() {
        return Err("refused without a problem".to_owned());
    }
    for line in problems.iter().map(ToString::to_string) {
        if line.chars().any(char::is_control) || line.len() > 20_000 {
            return Err(format!("this is no line to show: {line:?}"));
        }
    }
    Ok(())
}
