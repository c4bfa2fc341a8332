//! `nono profiles`: policies as code.

mod diff;
mod entries;
mod init;
mod list;
mod show;
mod test;
mod validate;

use std::ffi::OsStr;
use std::io;

use crate::cli::Profiles;
use crate::profile::Profile;
use crate::profile::read::problem::Problem;
use crate::profile::variables::Variables;

use super::{gather, print};

/// Does what the verb beneath `profiles` asks for.
pub(super) fn profiles(arguments: &Profiles) -> u8 {
    match arguments {
        Profiles::Diff { left, right, json } => diff::diff(left, right, *json),
        Profiles::Init { name, force, extends } => init::init(name, extends.as_deref(), *force),
        Profiles::List { json } => list::list(*json),
        Profiles::Show { name, json } => show::show(name, *json),
        Profiles::Test { files, json } => test::test(files, *json),
        Profiles::Validate { files, strict, json } => validate::validate(files, *strict, *json),
    }
}

/// Writes the resolved policy as `nono profiles show --json` prints it.
///
/// # Errors
/// Those of `out`.
pub(super) fn write(profile: &Profile, out: &mut impl io::Write) -> io::Result<()> {
    show::write(profile, out)
}

/// The values that paths of a policy may mention, here and now.
///
/// # Errors
/// A sentence, when the working directory is gone.
fn variables() -> Result<Variables, String> {
    gather::workdir(None).map(|workdir| gather::variables(&workdir))
}

/// The resolved policy of a name or file, or `None` after saying everything that is wrong with it.
fn resolved(name: &OsStr) -> Option<Profile> {
    let resolved = match variables() {
        Ok(variables) => gather::resolve(name, &variables),
        Err(sentence) => {
            print::say(&sentence);
            return None;
        }
    };
    resolved.map_err(|problems| say_all(&problems)).ok()
}

fn say_all(problems: &[Problem]) {
    problems.iter().for_each(|problem| print::say(&problem.to_string()));
}
