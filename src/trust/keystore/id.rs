//! Names of keys.

use std::fmt;

/// The name of a key, as `--id` and `--key` give it: it is part of a file's name, and of what is signed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(String);

/// The longest name, in bytes.
const LONGEST: usize = 64;

impl KeyId {
    /// The key of whoever names none.
    pub const DEFAULT: &str = "default";

    /// Checks `name`: 1 to 64 letters, digits, `.`, `_`, `-` and `@`, the first a letter or digit.
    ///
    /// # Errors
    /// A sentence that says so.
    pub fn new(name: &str) -> Result<Self, String> {
        let bytes = name.as_bytes();
        let begins = bytes.first().is_some_and(u8::is_ascii_alphanumeric);
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-@".contains(byte);
        if begins && bytes.len() <= LONGEST && bytes.iter().all(plain) {
            return Ok(Self(name.to_owned()));
        }
        let shown = crate::profile::escape::escaped(bytes, 80);
        Err(format!(
            "\"{shown}\" is no name for a key; use 1 to 64 letters, digits, `.`, `_`, `-` and `@`, beginning with a \
             letter or digit"
        ))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for KeyId {
    fn default() -> Self {
        Self(Self::DEFAULT.to_owned())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_within_one_directory_and_one_line() {
        for good in ["default", "my-signing-key", "ci@example.com", "0", "A.b_c"] {
            assert_eq!(KeyId::new(good).unwrap().as_str(), good);
        }
        let long = "x".repeat(65);
        for wrong in ["", ".", "..", "../x", "a/b", "-x", "a b", "a\n", "é", "a\0", &long] {
            assert!(KeyId::new(wrong).is_err(), "{wrong:?}");
        }
    }
}
