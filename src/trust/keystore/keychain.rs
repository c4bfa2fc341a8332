//! The Keychain of macOS: a generic password for each key, in the user's default keychain.

use security_framework::base::Error;
use security_framework::passwords::{get_generic_password, set_generic_password};
use zeroize::Zeroizing;

use super::key::{KeyFault, KeyFile, PrivateKey};
use super::{KeyId, KeyStore, Problem, VARIABLE};

/// What the item is found by, with the name of the key as its account.
const SERVICE: &str = "nono signing key";

/// `errSecItemNotFound` of `SecBase.h`.
const NOT_FOUND: i32 = -25300;

/// The keychain of the user.
#[derive(Debug)]
pub(super) struct Keychain;

impl KeyStore for Keychain {
    fn describe(&self) -> String {
        "the Keychain".to_owned()
    }

    fn load(&self, id: &KeyId) -> Result<PrivateKey, Problem> {
        let text = match get_generic_password(SERVICE, id.as_str()) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.code() == NOT_FOUND => {
                return Err(Problem::Missing { id: id.clone(), place: self.describe() });
            }
            Err(error) => return Err(refused(&error)),
        };
        let faulty = |fault| Problem::Faulty { what: format!("the key \"{id}\" of the Keychain"), fault };
        match KeyFile::parse(&text).map_err(faulty)? {
            KeyFile::Plain(key) => Ok(key),
            KeyFile::Encrypted(_) => Err(faulty(KeyFault::OtherLabel)),
        }
    }

    fn store(&self, id: &KeyId, key: &PrivateKey) -> Result<(), Problem> {
        let faulty = |fault| Problem::Faulty { what: "the new key".to_owned(), fault };
        let text = key.to_plain_pem().map_err(faulty)?;
        // The call below would replace what is there.
        match get_generic_password(SERVICE, id.as_str()).map(Zeroizing::new) {
            Ok(_) => return Err(Problem::Exists { id: id.clone(), place: self.describe() }),
            Err(error) if error.code() == NOT_FOUND => {}
            Err(error) => return Err(refused(&error)),
        }
        set_generic_password(SERVICE, id.as_str(), text.as_bytes()).map_err(|error| refused(&error))
    }
}

fn refused(error: &Error) -> Problem {
    Problem::Service(format!(
        "the Keychain cannot be used: {error}; unlock it, or keep keys in files with {VARIABLE}=file:DIR"
    ))
}
