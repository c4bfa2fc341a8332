//! `nono trust sign-policy`: a signature over a trust policy.

use std::time::{SystemTime, UNIX_EPOCH};

use super::project;
use crate::trust::digest::Digest;
use crate::trust::keystore::Protection;
use crate::trust::policy::{self, FILE_NAME, Identity};
use crate::trust::sign::sign;
use crate::trust::statement::{Predicate, Statement, Subject};
use crate::trust::store::Drafts;
use crate::verbs::gather::{read_up_to, shown};
use crate::verbs::print;
use crate::verbs::trust::init;
use crate::verbs::trust::keys::{self, Failure};

/// Signs the policy of the current directory, or the user's, and prints where the bundle is.
pub(in crate::verbs::trust) fn sign_policy(key: Option<&str>, user: bool) -> u8 {
    match signed(key, user) {
        Ok(text) => print::document(&text),
        Err(failure) => failure.say(),
    }
}

fn signed(key: Option<&str>, user: bool) -> Result<String, Failure> {
    let id = keys::id(key)?;
    let path = init::place(user)?;
    let bytes = read_up_to(&path, policy::LARGEST).map_err(|error| {
        let init = if user { "nono trust init --user" } else { "nono trust init" };
        Failure::refused(format!("{} cannot be read: {error}; write one with `{init}`", shown(&path)))
    })?;
    // What is no policy would be refused by everybody, signed or not.
    let policy = policy::read(&bytes).map_err(|why| Failure::refused(format!("{}: {why}", shown(&path))))?;
    let key = keys::open(keys::place()?, Protection::Passphrase)?.load(&id)?;
    let public = keys::public(&key)?;
    let subject = Subject { name: FILE_NAME.to_owned(), digest: Digest::of(&bytes) };
    let mut statement = Statement::keyed(Predicate::Policy, vec![subject], id.as_str());
    statement.signed_at = SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs());
    let bundle = sign(&statement, &key).map_err(|fault| Failure::refused(fault.to_string()))?;
    let place = project::sidecar(&path);
    let mut drafts = Drafts::default();
    let written = drafts.add(&place, bundle.to_json().as_bytes(), if user { 0o600 } else { 0o666 });
    let put = written.and_then(|()| drafts.put().map_err(|(_, error)| error));
    put.map_err(|error| Failure::refused(format!("{} cannot be written: {error}", shown(&place))))?;
    let is_own = |identity: &Identity| matches!(identity, Identity::Keyed { key, .. } if *key == public);
    if !policy.publishers.iter().any(|publisher| is_own(&publisher.identity)) {
        print::say(&format!("the key \"{id}\" is not among the publishers of {}", shown(&path)));
    }
    Ok(format!("Signed {} with the key \"{id}\": {}\n", shown(&path), shown(&place)))
}
