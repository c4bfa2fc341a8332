//! Policy tests: what was expected of a plan against what it says.

use crate::profile::abs_path::AbsPath;
use crate::profile::read::expectations::{Asked, Expectation, Expected};

use super::explain::{Explanation, explain};
use super::{Found, Handle, Host, Operation, PathKind, Plan, Verdict, decide};

/// An expectation and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub expectation: Expectation,
    /// The verdict in words, with the rule that decided.
    pub explanation: Explanation,
    pub holds: Holds,
}

/// Whether an expectation was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    No,
    Yes,
}

/// Asks `plan` about each expectation, in order. Symbolic links are followed as far as `host` has the paths.
pub fn check(plan: &Plan, expectations: Vec<Expectation>, host: &mut dyn Host) -> Vec<Outcome> {
    let outcome = |expectation: Expectation| {
        let operation = operation(&expectation.asked, host);
        let verdict = decide(plan, &operation);
        let answer = match &verdict {
            Verdict::Allow(_) => Expected::Allow,
            Verdict::Ask(_) => Expected::Ask,
            Verdict::Deny(_) => Expected::Deny,
        };
        let holds = if answer == expectation.expected { Holds::Yes } else { Holds::No };
        Outcome { explanation: explain(plan, &operation, &verdict), expectation, holds }
    };
    expectations.into_iter().map(outcome).collect()
}

fn operation(asked: &Asked, host: &mut dyn Host) -> Operation {
    let mut real = |path: &AbsPath| match host.look_up(path) {
        Found::Present { real, .. } | Found::Missing { real } | Found::Unreachable { real, .. } => real,
    };
    match asked {
        Asked::Connect(endpoint) => {
            Operation::Connect { target: endpoint.target.clone(), port: endpoint.port, udp: endpoint.udp }
        }
        Asked::Execute(path) => Operation::Execute(real(path)),
        Asked::Listen(listen) => Operation::Listen(listen.clone()),
        Asked::Read(path) => Operation::Read(real(path)),
        Asked::UnixConnect(path) => Operation::UnixConnect(real(path)),
        Asked::Write(path) => Operation::Write(real(path)),
    }
}

/// A host on which every path is there. A policy is tested on machines that do not have its files, and its rules have to mean
/// the same as where they are: what is missing is taken at its word.
pub struct AsIfPresent<'h> {
    pub host: &'h mut dyn Host,
}

impl Host for AsIfPresent<'_> {
    fn look_up(&mut self, path: &AbsPath) -> Found {
        match self.host.look_up(path) {
            // No decision depends on the kind; only a socket can stand in any list.
            Found::Missing { real } | Found::Unreachable { real, .. } => {
                Found::Present { real, kind: PathKind::Socket, handle: Handle(u32::MAX) }
            }
            Found::Present { real, handle, .. } => Found::Present { real, kind: PathKind::Socket, handle },
        }
    }

    fn real(&mut self, path: &AbsPath) -> AbsPath {
        self.host.real(path)
    }
}
