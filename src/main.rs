//! The entry: words in, an exit status out.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use nono::{cli, verbs};

fn main() -> ExitCode {
    match cli::parse(std::env::args_os().skip(1)) {
        Ok(command) => verbs::run(command),
        Err(error) => verbs::usage(&error),
    }
}
