//! The level that comes with nono: the names under which agents look for instructions.

use super::{Enforcement, Include, Policy};

/// Files that the agents in use take instructions from. A name holds at any depth.
const INCLUDES: [&str; 10] = [
    "AGENT*",
    "CLAUDE*",
    "GEMINI*",
    "SKILL*",
    ".cursorrules",
    ".windsurfrules",
    "**/.claude/**/*.md",
    "**/.cursor/rules/**",
    "**/.github/copilot-instructions.md",
    "**/.github/instructions/**",
];

/// The embedded policy: it trusts nobody and stops nothing; a stricter level does.
pub fn baseline() -> Policy {
    let includes = INCLUDES.iter().filter_map(|written| Include::parse(written).ok()).collect();
    Policy { enforcement: Enforcement::Audit, ..Policy::new(includes, Vec::new()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pattern_of_the_baseline_is_one() {
        assert_eq!(baseline().includes.len(), INCLUDES.len());
    }
}
