//! Tests of the decision core against worlds that are made of text.

mod building;
mod explaining;
mod exhaustive;
mod expecting;
mod files;
mod network;
mod variables;

use std::sync::Arc;

use crate::profile::abs_path::AbsPath;
use crate::profile::glob::Glob;
use crate::profile::{FilePattern, FileRule, FileRuleKind, Given, JsonPath, Profile, Provenance};

use super::{Facts, Found, Handle, Host, PathKind};

/// A host on which every path is a directory, apart from those that are listed.
#[derive(Default)]
struct World {
    links: Vec<(&'static str, &'static str)>,
    missing: Vec<&'static str>,
    sockets: Vec<&'static str>,
    unreachable: Vec<&'static str>,
    asked: Vec<AbsPath>,
}

impl Host for World {
    fn look_up(&mut self, path: &AbsPath) -> Found {
        self.asked.push(path.clone());
        let link = self.links.iter().find(|(link, _)| path.is_within(&at(link)));
        let real = link.map_or_else(
            || path.clone(),
            |(link, to)| at(to).join(path.as_bytes().get(link.len()..).unwrap_or_default()),
        );
        let among = |names: &[&str]| names.iter().any(|name| real == at(name));
        if among(&self.missing) {
            return Found::Missing { real };
        }
        if among(&self.unreachable) {
            return Found::Unreachable { real, why: "Permission denied".into() };
        }
        let kind = if among(&self.sockets) { PathKind::Socket } else { PathKind::Directory };
        Found::Present { real, kind, handle: Handle(u32::try_from(self.asked.len()).unwrap()) }
    }
}

fn at(text: &str) -> AbsPath {
    AbsPath::new(text.as_bytes()).unwrap()
}

fn facts() -> Facts {
    Facts {
        workdir: at("/srv/dir"),
        root: false,
        environment: Vec::new(),
        own_directories: vec![at("/own/state")],
        own_binary: Some(at("/usr/bin/nono")),
        own_policies: Vec::new(),
    }
}

fn from_line(line: u32) -> Provenance {
    Provenance {
        place: Arc::from("p.json"),
        line,
        column: 5,
        json_path: JsonPath { keys: Arc::from("sandbox.x"), index: Some(line as usize) },
    }
}

fn given<T>(value: T) -> Given<T> {
    Given { value, from: from_line(1) }
}

/// A rule of a profile: a pattern if `text` does not begin with `/` or holds a `*`.
fn rule(kind: FileRuleKind, text: &str) -> FileRule {
    let pattern = match text.starts_with('/') && !text.contains('*') {
        true => FilePattern::Path(at(text)),
        false => FilePattern::Glob { glob: Glob::parse(text).unwrap(), except: Vec::new() },
    };
    FileRule { kind, pattern, written: Arc::from(text), from: from_line(7), group: None }
}

fn except(mut rule: FileRule, exceptions: &[&str]) -> FileRule {
    if let FilePattern::Glob { except, .. } = &mut rule.pattern {
        *except = exceptions.iter().map(|text| Glob::parse(text).unwrap()).collect();
    }
    rule
}

fn in_group(mut rule: FileRule, group: &str) -> FileRule {
    rule.group = Some(Arc::from(group));
    rule
}

fn profile(files: Vec<FileRule>) -> Profile {
    Profile { name: "p".into(), files, ..Profile::default() }
}
