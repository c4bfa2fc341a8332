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
    let includes = INCLUDES.iter().map(|written| Include::known(written)).collect();
    Policy { enforcement: Enforcement::Audit, ..Policy::new(includes, Vec::new()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pattern_of_the_baseline_is_one() {
        let parsed: Result<Vec<Include>, _> = INCLUDES.iter().map(|written| Include::parse(written)).collect();
        assert_eq!(parsed.as_ref(), Ok(&baseline().includes));
        let paths = ["a/AGENTS.md", "x.md", "b/.claude/c/d.md", ".github/instructions/e", "CLAUDE.md/f"];
        for path in paths.map(|path| crate::profile::abs_path::AbsPath::root().join(path.as_bytes())) {
            let known: Vec<bool> = baseline().includes.iter().map(|include| include.matches(&path)).collect();
            let parsed: Vec<bool> = parsed.iter().flatten().map(|include| include.matches(&path)).collect();
            assert_eq!(known, parsed, "{path}");
        }
    }
}
