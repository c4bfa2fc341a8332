//! What allows an operation: a flag, and the entry of a profile that says the same.

use std::fmt::Write as _;

use crate::plan::Access;
use crate::profile::abs_path::AbsPath;
use crate::profile::escape::escaped;
use crate::profile::host::Target;

/// Characters that make a pattern of a profile's path: no entry names a path that has one.
const PATTERN: [char; 4] = ['*', '?', '[', '{'];

/// For `access` to what is at `path` and beneath.
pub fn grant(access: Access, path: &AbsPath) -> String {
    let (flag, key) = match (access.read || access.execute, access.write) {
        (true, true) => ("--allow", "allow"),
        (false, true) => ("--write", "write"),
        (_, false) => ("--read", "read"),
    };
    entry(flag, &["sandbox", key], path.as_bytes())
}

/// For a connection to the socket at `path`.
pub fn unix_socket(path: &AbsPath) -> String {
    entry("--allow-unix-socket", &["sandbox", "unix_sockets"], path.as_bytes())
}

/// For a connection.
pub fn host(target: &Target, port: u16, udp: bool) -> String {
    let host = format!("{target}:{port}{}", if udp { "/udp" } else { "" });
    entry("--allow-host", &["network", "allow"], host.as_bytes())
}

/// The flag, and the entry of a profile that says the same.
pub(super) fn entry(flag: &str, keys: &[&str; 2], value: &[u8]) -> String {
    let [section, key] = keys;
    let flag = format!("{flag} {}", shell_word(value));
    match std::str::from_utf8(value) {
        Ok(text) if is_plain(value) && !text.contains(PATTERN) && !has_variable(text) => {
            let value = serde_json::Value::from(text);
            format!("{flag}, or in the profile \"{section}\": {{ \"{key}\": [{value}] }}")
        }
        _ => flag,
    }
}

/// Whether a profile would take something in `text` for a variable.
fn has_variable(text: &str) -> bool {
    let is_name = |rest: &str| rest.starts_with(|first: char| first.is_alphanumeric() || first == '_');
    text.split('$').skip(1).any(is_name)
}

/// One word for a POSIX shell; bytes that do not show as themselves need the `$'…'` of bash, ksh and zsh.
fn shell_word(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    if !is_plain(bytes) {
        let mut word = String::from("$'");
        for &byte in bytes {
            match byte {
                b'\'' | b'\\' => word.extend(['\\', char::from(byte)]),
                b' '..=b'~' => word.push(char::from(byte)),
                // Writing to a String cannot fail.
                _ => drop(write!(word, "\\x{byte:02x}")),
            }
        }
        return word + "'";
    }
    let harmless = |character: char| character.is_alphanumeric() || "_@%+=:,./-".contains(character);
    match !text.is_empty() && text.chars().all(harmless) {
        true => text.into_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// Whether the bytes are text that shows as itself.
fn is_plain(bytes: &[u8]) -> bool {
    let shown = escaped(bytes, usize::MAX);
    // A backslash is only doubled by the escaping: it hides nothing.
    shown.replace("\\\\", "\\").as_bytes() == bytes
}
