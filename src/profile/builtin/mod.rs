//! The profiles and groups that come with nono, as JSON files in this folder.

use std::borrow::Cow;
use std::sync::Arc;

use super::read::json::apart::{Apart, apart};
use super::resolve::{Library, Source};

/// The text of a built-in profile.
pub fn profile(name: &str) -> Option<&'static str> {
    find(&PROFILES, name).map(|apart| apart.text)
}

/// The text of a built-in group.
pub fn group(name: &str) -> Option<&'static str> {
    find(&GROUPS, name).map(|apart| apart.text)
}

/// The names of the built-in profiles, sorted.
pub fn profile_names() -> impl Iterator<Item = &'static str> {
    PROFILES.iter().map(|(name, _)| *name)
}

/// The names of the built-in groups, sorted.
pub fn group_names() -> impl Iterator<Item = &'static str> {
    GROUPS.iter().map(|(name, _)| *name)
}

/// A built-in profile, to be resolved.
pub fn profile_source(name: &str) -> Option<Source> {
    Some(source(format!("built-in profile {name}"), find(&PROFILES, name)?))
}

/// A built-in group, to be resolved.
pub fn group_source(name: &str) -> Option<Source> {
    Some(source(format!("built-in group {name}"), find(&GROUPS, name)?))
}

/// The library of nobody: only what is built in can be found.
#[derive(Clone, Copy, Debug, Default)]
pub struct NothingElse;

impl Library for NothingElse {
    fn group(&self, _: &str) -> Option<Result<Source, String>> {
        None
    }

    fn group_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn profile(&self, _: &str) -> Option<Result<Source, String>> {
        None
    }

    fn profile_names(&self) -> Vec<String> {
        Vec::new()
    }
}

type Texts<const COUNT: usize> = [(&'static str, Apart); COUNT];

static PROFILES: Texts<7> = [
    ("claude-code", apart!("profiles/claude-code.json")),
    ("codex", apart!("profiles/codex.json")),
    ("default", apart!("profiles/default.json")),
    ("node-dev", apart!("profiles/node-dev.json")),
    ("production-agent", apart!("profiles/production-agent.json")),
    ("python-dev", apart!("profiles/python-dev.json")),
    ("rust-dev", apart!("profiles/rust-dev.json")),
];

static GROUPS: Texts<12> = [
    ("deny-credentials", apart!("groups/deny-credentials.json")),
    ("deny-dotenv", apart!("groups/deny-dotenv.json")),
    ("deny-sockets", apart!("groups/deny-sockets.json")),
    ("git", apart!("groups/git.json")),
    ("go", apart!("groups/go.json")),
    ("java", apart!("groups/java.json")),
    ("nodejs-20", apart!("groups/nodejs-20.json")),
    ("python-3.12", apart!("groups/python-3.12.json")),
    ("rust", apart!("groups/rust.json")),
    ("system-runtime", apart!("groups/system-runtime.json")),
    ("system-tools", apart!("groups/system-tools.json")),
    ("temp-private", apart!("groups/temp-private.json")),
];

fn find(texts: &'static [(&'static str, Apart)], name: &str) -> Option<&'static Apart> {
    texts.iter().find(|(known, _)| *known == name).map(|(_, apart)| apart)
}

fn source(place: String, apart: &'static Apart) -> Source {
    Source { place: Arc::from(place), text: Cow::Borrowed(apart.text.as_bytes()), built_in: Some(apart) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::abs_path::AbsPath;
    use crate::profile::read::json::Text;
    use crate::profile::resolve::{resolve, resolve_name};
    use crate::profile::variables::Variables;
    use crate::profile::{FilePattern, FileRuleKind, Profile};

    fn variables() -> Variables {
        let path = |text: &str| AbsPath::new(text.as_bytes());
        let home = path("/home/u");
        let mut variables = Variables::new(path("/home/u/project").unwrap(), 1000, |_| None);
        variables.home = home;
        variables.xdg_runtime_dir = path("/run/user/1000");
        variables.tmpdir = path("/tmp");
        variables
    }

    fn with_groups(groups: &[&str]) -> Profile {
        let text = format!(r#"{{"name": "x", "sandbox": {{"groups": {groups:?}}}}}"#);
        let source = Source { place: Arc::from("x"), text: Cow::Owned(text.into_bytes()), built_in: None };
        resolve(&source, &NothingElse, &variables()).unwrap()
    }

    /// A denial that something granted would need is a promise that the static sandbox cannot keep.
    fn assert_denials_are_outside_of_grants(profile: &Profile) {
        for denial in profile.files.iter().filter(|rule| rule.kind == FileRuleKind::Deny) {
            for grant in profile.files.iter().filter(|rule| rule.kind != FileRuleKind::Deny) {
                let (FilePattern::Path(denied), FilePattern::Path(granted)) = (&denial.pattern, &grant.pattern) else {
                    panic!("{}: {} is a pattern", profile.name, denial.written);
                };
                assert!(!denied.is_within(granted), "{}: {denied} is within {granted}", profile.name);
                assert!(!granted.is_within(denied), "{}: {granted} is within {denied}", profile.name);
            }
        }
    }

    #[test]
    fn every_text_resolves_and_is_called_what_its_file_is() {
        for name in profile_names() {
            assert_eq!(resolve_name(name, &NothingElse, &variables()).map(|profile| profile.name), Ok(name.to_owned()));
        }
        for name in group_names() {
            assert!(with_groups(&[name]).groups.iter().any(|group| &**group == name));
            assert!(group(name).unwrap().contains(&format!("\"name\": \"{name}\"")), "{name}");
        }
        assert!(profile_names().is_sorted() && group_names().is_sorted());
    }

    #[test]
    fn every_text_was_taken_apart_as_it_would_be_parsed() {
        for (name, apart) in PROFILES.iter().chain(&GROUPS) {
            let parsed = Text::new(Arc::from(*name), apart.text.as_bytes()).unwrap();
            let known = Text::taken_apart(Arc::from(*name), apart);
            assert_eq!(known.parse().unwrap(), parsed.parse().unwrap(), "{name}");
            for offset in 0..apart.text.len() {
                assert_eq!(known.position(offset), parsed.position(offset), "{name}");
            }
        }
    }

    #[test]
    fn no_denial_lies_within_a_grant_of_the_same_profile_or_of_all_groups_together() {
        for name in profile_names() {
            assert_denials_are_outside_of_grants(&resolve_name(name, &NothingElse, &variables()).unwrap());
        }
        let all: Vec<&str> = group_names().filter(|name| *name != "deny-dotenv").collect();
        assert_denials_are_outside_of_grants(&with_groups(&all));
    }

    #[test]
    fn the_example_file_of_secrets_stays_readable() {
        let profile = with_groups(&["deny-dotenv"]);
        let denied = |file: &str| {
            let path = AbsPath::new(file.as_bytes()).unwrap();
            profile.files.iter().any(|rule| rule.pattern.covers(&path))
        };
        assert!(denied("/w/.env") && denied("/w/a/.env.local") && denied("/w/.env/x"));
        assert!(!denied("/w/.env.example") && !denied("/w/.envrc"));
    }

    #[test]
    fn the_working_directory_is_all_that_a_development_profile_may_change() {
        for name in ["python-dev", "node-dev", "rust-dev"] {
            let profile = resolve_name(name, &NothingElse, &variables()).unwrap();
            let writable =
                profile.files.iter().filter(|rule| matches!(rule.kind, FileRuleKind::Allow | FileRuleKind::Write));
            let outside: Vec<&str> =
                writable.map(|rule| &*rule.written).filter(|path| !path.starts_with("/dev/")).collect();
            assert_eq!(outside, ["$WORKDIR"], "{name}");
            assert!(profile.network.is_none() && profile.private_temp.is_some());
        }
    }
}
