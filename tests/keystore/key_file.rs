//! Any text as a key file: a key or a reason, never a panic, and a key that is read can be written and read again.

use nono::trust::keystore::key::{KeyFault, KeyFile, PrivateKey};

/// Reads `bytes` as a key file, and as the DER inside of one.
pub(crate) fn agree(bytes: &[u8]) -> Result<(), String> {
    let both = [KeyFile::parse(bytes), PrivateKey::from_der(bytes).map(KeyFile::Plain)];
    for read in both {
        match read {
            // Undoing a passphrase takes long on purpose, and the file has said already what it costs.
            Ok(KeyFile::Encrypted(_)) | Err(_) => {}
            Ok(KeyFile::Plain(key)) => written_and_read(&key).map_err(|fault| fault.to_string())?,
        }
    }
    Ok(())
}

fn written_and_read(key: &PrivateKey) -> Result<(), KeyFault> {
    let text = key.to_plain_pem()?;
    match KeyFile::parse(text.as_bytes())? {
        KeyFile::Plain(again) if again.public()? == key.public()? => Ok(()),
        KeyFile::Plain(_) | KeyFile::Encrypted(_) => Err(KeyFault::NotP256),
    }
}
