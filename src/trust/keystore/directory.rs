//! Key files beneath a directory, for servers, CI and whoever has no keyring: `NAME.key`, PKCS#8 in PEM.

use std::fs::{self, DirBuilder, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::key::{self, KeyFile, PrivateKey, Salt};
use super::passphrase::{Passphrases, Purpose};
use crate::trust::store::Drafts;

use super::{KeyId, KeyStore, Problem, Protection, random, read_some, shown};

/// A directory that only its owner enters.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    passphrases: Passphrases,
    protection: Protection,
}

impl Directory {
    pub(super) fn new(path: PathBuf, passphrases: Passphrases, protection: Protection) -> Self {
        Self { path, passphrases, protection }
    }

    fn file(&self, id: &KeyId) -> PathBuf {
        self.path.join(format!("{id}.key"))
    }

    fn text(&self, key: &PrivateKey) -> Result<impl AsRef<[u8]>, Problem> {
        let faulty = |fault| Problem::Faulty { what: "the new key".to_owned(), fault };
        match self.protection {
            Protection::None => key.to_plain_pem().map_err(faulty),
            Protection::Passphrase => {
                let passphrase = self.passphrases.passphrase(Purpose::New)?;
                let mut salt = Salt { salt: [0; 16], vector: [0; 16] };
                random(&mut salt.salt)?;
                random(&mut salt.vector)?;
                key.to_encrypted_pem(&passphrase, &salt).map_err(faulty)
            }
        }
    }
}

impl KeyStore for Directory {
    fn describe(&self) -> String {
        format!("the directory {}", shown(&self.path))
    }

    fn load(&self, id: &KeyId) -> Result<PrivateKey, Problem> {
        let path = self.file(id);
        match fs::metadata(&self.path) {
            Ok(found) => check_closed(&self.path, &found, "0700")?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Problem::Missing { id: id.clone(), place: self.describe() });
            }
            Err(error) => return Err(failed("read", &self.path)(error)),
        }
        let file = match open_to_read(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Problem::Missing { id: id.clone(), place: self.describe() });
            }
            Err(error) => return Err(failed("read", &path)(error)),
        };
        check_closed(&path, &file.metadata().map_err(failed("read", &path))?, "0600")?;
        let text = read_some(file, key::LARGEST).map_err(failed("read", &path))?;
        let faulty = |fault| Problem::Faulty { what: format!("the key file {}", shown(&path)), fault };
        match KeyFile::parse(&text).map_err(faulty)? {
            KeyFile::Plain(key) => Ok(key),
            KeyFile::Encrypted(closed) => {
                let passphrase = self.passphrases.passphrase(Purpose::Open(&path))?;
                closed.open(&passphrase).map_err(faulty)
            }
        }
    }

    fn store(&self, id: &KeyId, key: &PrivateKey) -> Result<(), Problem> {
        let path = self.file(id);
        DirBuilder::new().recursive(true).mode(0o700).create(&self.path).map_err(failed("made", &self.path))?;
        check_closed(&self.path, &fs::metadata(&self.path).map_err(failed("read", &self.path))?, "0700")?;
        let exists = || Problem::Exists { id: id.clone(), place: self.describe() };
        // Before a passphrase is asked for; whoever comes in between is noticed below.
        if fs::symlink_metadata(&path).is_ok() {
            return Err(exists());
        }
        let text = self.text(key)?;
        put(&path, text.as_ref()).map_err(|error| match error.kind() == ErrorKind::AlreadyExists {
            true => exists(),
            false => failed("written", &path)(error),
        })
    }
}

/// Writes a file of mode 0600 whole or not at all, and never over one that is there.
pub(super) fn put(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut drafts = Drafts::default();
    drafts.add(path, text, 0o600)?;
    drafts.put_new().map_err(|(_, error)| error)
}

/// Opens what must be a regular file, without waiting for anybody.
pub(super) fn open_to_read(path: &Path) -> io::Result<File> {
    use std::os::unix::ffi::OsStrExt;
    let name = std::ffi::CString::new(path.as_os_str().as_bytes())?;
    let file = File::from(syscalls::file::open_read(&name)?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
}

/// Whether nobody but its owner, who is this user or root, can use what was found at `path`.
pub(super) fn check_closed(path: &Path, found: &Metadata, mode: &str) -> Result<(), Problem> {
    let exposed = |why| Err(Problem::Exposed { path: path.to_path_buf(), why });
    let user = syscalls::credentials::effective_user();
    if found.uid() != user && found.uid() != 0 {
        return exposed(format!(
            "belongs to user {} and not to you ({user}), who could read the keys or put others in their place; take it \
             over with chown, or name another directory",
            found.uid()
        ));
    }
    if found.mode() & 0o077 != 0 {
        let now = found.mode() & 0o777;
        return exposed(format!(
            "is open to others (mode {now:04o}), and what it holds is secret; close it with `chmod {mode}`"
        ));
    }
    Ok(())
}

fn failed(doing: &str, path: &Path) -> impl Fn(io::Error) -> Problem {
    let doing = format!("{} cannot be {doing}", shown(path));
    move |error| Problem::Failed { doing: doing.clone(), error }
}
