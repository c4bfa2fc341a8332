//! The keys of a profile and of a group.

use std::sync::Arc;

use super::json::{Node, Text};
use super::problem::{Problem, ProblemKind};
use super::reader::{At, Members, Path, Reader};
use crate::profile::variables::Variables;
use crate::profile::{Capability, Given, Profile};

/// What one file says by itself, and the names of what it builds on.
pub(crate) struct Layer {
    pub(crate) own: Profile,
    pub(crate) extends: Vec<Given<String>>,
    /// A profile's `groups`, a group's `includes`.
    pub(crate) groups: Vec<Given<String>>,
}

/// Reads a profile. What is wrong is left out of the layer and added to `problems`.
pub(crate) fn read_profile(
    text: &Text<'_>,
    variables: &Variables,
    built_in: bool,
    problems: &mut Vec<Problem>,
) -> Layer {
    read(text, variables, built_in, None, problems, Reader::profile)
}

/// Reads the group that is called `name`; otherwise as [`read_profile`].
pub(crate) fn read_group(
    text: &Text<'_>,
    variables: &Variables,
    built_in: bool,
    name: Arc<str>,
    problems: &mut Vec<Problem>,
) -> Layer {
    read(text, variables, built_in, Some(name), problems, Reader::group)
}

fn read<'t>(
    text: &'t Text<'t>,
    variables: &'t Variables,
    built_in: bool,
    group: Option<Arc<str>>,
    problems: &mut Vec<Problem>,
    schema: impl FnOnce(&mut Reader<'t>, &Node<'t>) -> Layer,
) -> Layer {
    let root = match text.parse() {
        Ok(root) => root,
        Err(problem) => {
            problems.push(problem);
            return Layer::empty();
        }
    };
    let mut reader = Reader::new(text, variables, built_in, group);
    let layer = schema(&mut reader, &root);
    problems.append(&mut reader.problems);
    layer
}

impl Layer {
    fn empty() -> Self {
        Self { own: Profile::default(), extends: Vec::new(), groups: Vec::new() }
    }
}

impl<'t> Reader<'t> {
    fn profile(&mut self, root: &Node<'t>) -> Layer {
        const KEYS: [&str; 13] = [
            "name",
            "version",
            "description",
            "extends",
            "sandbox",
            "network",
            "supervisor",
            "audit",
            "undo",
            "environment",
            "limits",
            "trust",
            "skipdirs",
        ];
        let mut layer = Layer::empty();
        let at = At { node: root, path: Path::Root };
        let Some(members) = self.object(&at, &KEYS) else { return layer };
        self.identity(at, &members, &mut layer.own);
        self.names(&members, "extends", &mut layer.extends);
        if let Some(at) = members.find("sandbox") {
            self.sandbox(at, &mut layer);
        }
        let own = &mut layer.own;
        own.network = members.find("network").map(|at| self.network(at));
        if let Some(at) = members.find("supervisor") {
            own.supervisor = self.supervisor(at);
        }
        own.audit_level = members.find("audit").and_then(|at| self.audit_level(at));
        own.undo = members.find("undo").and_then(|at| self.undo(at));
        if let Some(at) = members.find("environment") {
            own.environment = self.environment(at);
        }
        if let Some(at) = members.find("limits") {
            own.limits = self.limits(at);
        }
        if let Some(at) = members.find("trust") {
            own.trust = self.trust(at);
        }
        self.list(&members, "skipdirs", &mut own.skipdirs, |reader, at| {
            let name = reader.text(at, directory_fault)?;
            Some(reader.given(at, name))
        });
        layer
    }

    fn group(&mut self, root: &Node<'t>) -> Layer {
        const KEYS: [&str; 9] =
            ["name", "description", "includes", "allow", "read", "write", "deny", "environment", "private_temp"];
        let mut layer = Layer::empty();
        let at = At { node: root, path: Path::Root };
        let Some(members) = self.object(&at, &KEYS) else { return layer };
        self.identity(at, &members, &mut layer.own);
        self.names(&members, "includes", &mut layer.groups);
        self.file_rules(&members, &mut layer.own.files);
        if let Some(at) = members.find("environment") {
            layer.own.environment = self.environment(at);
        }
        let private_temp = self.flag(&members, "private_temp").filter(|given| given.value);
        layer.own.private_temp = private_temp.map(|given| given.from);
        layer
    }

    /// `name`, which every file has, `version` and `description`.
    fn identity(&mut self, root: At<'_, 't>, members: &Members<'_, 't>, own: &mut Profile) {
        match members.find("name") {
            Some(at) => own.name = self.name(at).unwrap_or_default(),
            None => self.problem(root, ProblemKind::MissingKey { key: "name" }),
        }
        let is_shown = |text: &str| text.chars().any(char::is_control).then_some("it holds a control character");
        own.version = members.find("version").and_then(|at| self.text(at, is_shown));
        own.description = members.find("description").and_then(|at| self.text(at, is_shown));
    }

    fn sandbox(&mut self, at: At<'_, 't>, layer: &mut Layer) {
        const KEYS: [&str; 7] = ["allow", "read", "write", "deny", "groups", "unix_sockets", "capabilities"];
        let Some(members) = self.object(&at, &KEYS) else { return };
        self.file_rules(&members, &mut layer.own.files);
        self.names(&members, "groups", &mut layer.groups);
        self.list(&members, "unix_sockets", &mut layer.own.unix_sockets, |reader, at| {
            let path = reader.path(at)?;
            Some(reader.given(at, path))
        });
        self.list(&members, "capabilities", &mut layer.own.capabilities, |reader, at| {
            let capability = reader.choice(at, &Capability::NAMES, &Capability::ALL)?;
            Some(reader.given(at, capability))
        });
    }

    /// A list of names of profiles or groups.
    fn names(&mut self, members: &Members<'_, 't>, key: &str, into: &mut Vec<Given<String>>) {
        self.list(members, key, into, |reader, at| {
            let name = reader.name(at)?;
            Some(reader.given(at, name))
        });
    }
}

fn directory_fault(name: &str) -> Option<&'static str> {
    match name {
        "" | "." | ".." => Some("write the name of a directory, as in \"third_party\""),
        _ if name.contains(['/', '\0', '*', '?', '[', '{']) => {
            Some("a directory's name alone, without `/` or patterns")
        }
        _ => None,
    }
}
