//! `nono shell`: `nono run` around the user's shell.

use std::ffi::OsString;

use crate::cli::{Run, Shell};

use super::run;

/// Runs `$SHELL`, or `/bin/sh` where that is not set.
pub(super) fn shell(arguments: Shell) -> u8 {
    let shell = std::env::var_os("SHELL").filter(|shell| !shell.is_empty());
    let command = vec![shell.unwrap_or_else(|| OsString::from("/bin/sh"))];
    let Shell { sandbox, audit, silent, verbose, json } = arguments;
    run::run(&Run { sandbox, audit, silent, verbose, json, command })
}
