//! One file per verb, each reads like a paragraph: gather, ask the pure core, act, print.

mod audit;
mod banner;
mod doctor;
mod gather;
mod generate;
mod print;
mod profiles;
mod run;
mod shell;
mod trust;
mod why;
mod wrap;

use std::process::ExitCode;

use crate::cli::Command;

/// Every answer is yes, verified, valid.
const YES: u8 = 0;
/// No, denied, invalid.
const NO: u8 = 1;
/// The words on the command line were wrong.
const USAGE: u8 = 2;
/// nono itself refused, failed, or could not tell.
const REFUSED: u8 = 125;
/// The program is there and could not be executed.
const NOT_EXECUTABLE: u8 = 126;
/// The program was not found.
const NOT_FOUND: u8 = 127;

/// Does what the command asks for.
pub fn run(command: Command) -> ExitCode {
    let status = match command {
        Command::Audit(arguments) => audit::audit(&arguments),
        Command::Doctor(arguments) => doctor::doctor(arguments),
        Command::Generate(what) => generate::generate(what),
        Command::Help(text) => print::document(&text.to_string()),
        Command::Run(arguments) => run::run(&arguments),
        Command::Shell(arguments) => shell::shell(arguments),
        Command::Trust(arguments) => trust::trust(&arguments),
        Command::Version => print::document(&format!("nono {}\n", crate::cli::VERSION)),
        Command::Profiles(arguments) => profiles::profiles(&arguments),
        Command::Why(arguments) => why::why(&arguments),
        Command::Wrap(arguments) => wrap::wrap(&arguments),
    };
    ExitCode::from(status)
}

/// Says what is wrong with the words on the command line.
pub fn usage(error: &crate::cli::UsageError) -> ExitCode {
    print::say(&error.to_string());
    ExitCode::from(if error.is_about_a_program() { REFUSED } else { USAGE })
}
