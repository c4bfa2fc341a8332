//! `nono --generate`: the man page and the completion scripts, from the table of flags.

use crate::cli::Generate;

use super::print;

/// Prints the text that was asked for.
pub(super) fn generate(what: Generate) -> u8 {
    print::document(&what.text())
}
