//! The keyring of the desktop, over D-Bus: Secret Service API 0.2. GNOME Keyring, KWallet and `KeePassXC` speak it.

use std::collections::HashMap;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use secret_service::blocking::{Collection, SecretService};
use secret_service::{EncryptionType, Error};
use zeroize::Zeroizing;

use super::key::{KeyFile, PrivateKey};
use super::{KeyId, KeyStore, Problem, VARIABLE};

/// How long the user may take to unlock the keyring.
const PATIENCE: Duration = Duration::from_secs(120);

/// The keyring behind the session bus.
#[derive(Debug)]
pub(super) struct Keyring;

impl KeyStore for Keyring {
    fn describe(&self) -> String {
        "the keyring".to_owned()
    }

    fn load(&self, id: &KeyId) -> Result<PrivateKey, Problem> {
        let asked = id.clone();
        let text = in_time(move || {
            let service = SecretService::connect(EncryptionType::Dh)?;
            let found = service.search_items(attributes(asked.as_str()))?;
            let item = match found.unlocked.into_iter().next() {
                Some(item) => item,
                None => match found.locked.into_iter().next() {
                    Some(item) => {
                        item.unlock()?;
                        item
                    }
                    None => return Err(Error::NoResult),
                },
            };
            item.get_secret().map(Zeroizing::new)
        });
        let text = text.map_err(|why| match why {
            Refused::Missing => Problem::Missing { id: id.clone(), place: self.describe() },
            Refused::Because(sentence) => Problem::Service(sentence),
        })?;
        let faulty = |fault| Problem::Faulty { what: format!("the key \"{id}\" of the keyring"), fault };
        match KeyFile::parse(&text).map_err(faulty)? {
            KeyFile::Plain(key) => Ok(key),
            KeyFile::Encrypted(_) => Err(faulty(super::key::KeyFault::OtherLabel)),
        }
    }

    fn store(&self, id: &KeyId, key: &PrivateKey) -> Result<(), Problem> {
        let faulty = |fault| Problem::Faulty { what: "the new key".to_owned(), fault };
        let (id, text, place) = (id.clone(), key.to_plain_pem().map_err(faulty)?, self.describe());
        let asked = id.clone();
        let stored = in_time(move || {
            let service = SecretService::connect(EncryptionType::Dh)?;
            let there = service.search_items(attributes(asked.as_str()))?;
            if !there.unlocked.is_empty() || !there.locked.is_empty() {
                return Ok(false);
            }
            let collection = collection(&service)?;
            let label = format!("nono signing key {asked}");
            collection.create_item(
                &label,
                attributes(asked.as_str()),
                text.as_bytes(),
                false,
                "application/x-pem-file",
            )?;
            Ok(true)
        });
        match stored {
            Ok(true) => Ok(()),
            Ok(false) => Err(Problem::Exists { id, place }),
            Err(Refused::Because(sentence)) => Err(Problem::Service(sentence)),
            Err(Refused::Missing) => Err(Problem::Service(advice("it has no collection to keep a key in"))),
        }
    }
}

/// What the keyring finds an item by.
fn attributes(id: &str) -> HashMap<&str, &str> {
    HashMap::from([("application", "nono"), ("key-id", id), ("purpose", "signing")])
}

/// The collection that passwords go to, unlocked.
fn collection<'s>(service: &'s SecretService<'s>) -> Result<Collection<'s>, Error> {
    let collection = service.get_default_collection()?;
    collection.ensure_unlocked()?;
    Ok(collection)
}

/// Why the keyring did not do it.
enum Refused {
    Because(String),
    Missing,
}

/// Does `work` on a thread of its own, which is left behind when nobody answers the keyring's question.
fn in_time<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Refused> {
    let (sender, receiver) = mpsc::channel();
    let asked = std::thread::Builder::new().name("keyring".to_owned()).spawn(move || {
        // Nobody is left to hear it when patience ended.
        let _ = sender.send(work());
    });
    if asked.is_err() {
        return Err(Refused::Because(
            "no thread could be started to ask the keyring; end other programs first".to_owned(),
        ));
    }
    match receiver.recv_timeout(PATIENCE) {
        Ok(done) => done.map_err(|error| refused(&error)),
        Err(RecvTimeoutError::Timeout) => Err(Refused::Because(advice("it did not answer within two minutes"))),
        Err(RecvTimeoutError::Disconnected) => Err(Refused::Because(advice("it broke the connection off"))),
    }
}

fn refused(error: &Error) -> Refused {
    Refused::Because(match error {
        Error::Locked => advice("it is locked"),
        Error::NoResult => return Refused::Missing,
        Error::Prompt => advice("it was not unlocked"),
        Error::Unavailable => advice("none runs on this session's D-Bus"),
        Error::Crypto(_) | Error::PromptDisconnected | Error::Zbus(_) | Error::ZbusFdo(_) | Error::Zvariant(_) | _ => {
            advice(&error.to_string())
        }
    })
}

fn advice(why: &str) -> String {
    let why = crate::profile::escape::escaped(why.as_bytes(), 400);
    format!(
        "the keyring (Secret Service) cannot be used: {why}; start and unlock one, or keep keys in files with \
         {VARIABLE}=file:DIR"
    )
}
