//! Signatures of requests and answers: Standard Webhooks 1.0.0, symmetric.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const PREFIX: &str = "whsec_";
/// Bytes of a secret, before its base64.
const SHORTEST: usize = 24;
const LONGEST: usize = 64;
/// One for each secret while they are exchanged; more are a waste of our time.
const MOST_SIGNATURES: usize = 16;

/// What both sides know.
#[derive(Clone)]
pub(super) struct Secret(Vec<u8>);

impl Secret {
    /// Reads the contents of a secret's file: `whsec_` and base64, and a line end.
    ///
    /// # Errors
    /// A sentence without the secret.
    pub(super) fn parse(file: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(file).unwrap_or_default().trim_ascii();
        let Some(encoded) = text.strip_prefix(PREFIX) else {
            return Err(format!("the webhook's secret must be `{PREFIX}` with base64 behind it, on one line"));
        };
        let Ok(secret) = STANDARD.decode(encoded) else {
            return Err(format!("what follows `{PREFIX}` in the webhook's secret is no base64"));
        };
        if !(SHORTEST..=LONGEST).contains(&secret.len()) {
            return Err(format!(
                "the webhook's secret has {} bytes; it needs {SHORTEST} to {LONGEST} before they are written as base64",
                secret.len()
            ));
        }
        Ok(Self(secret))
    }

    /// The field `webhook-signature` for `body`, sent as `id` at `timestamp` (seconds since 1970).
    pub(super) fn sign(&self, id: &str, timestamp: u64, body: &[u8]) -> Option<String> {
        let code = self.code(id, timestamp, body)?.finalize().into_bytes();
        Some(format!("v1,{}", STANDARD.encode(code)))
    }

    /// Whether one of the signatures in the field `written` is of this secret. Signatures of other versions are passed over.
    pub(super) fn signed(&self, written: &str, id: &str, timestamp: u64, body: &[u8]) -> bool {
        written.split_ascii_whitespace().take(MOST_SIGNATURES).any(|signature| {
            let received = signature.strip_prefix("v1,").and_then(|encoded| STANDARD.decode(encoded).ok());
            // `verify_slice` compares lengths first, and the bytes in a time that does not depend on them.
            received
                .zip(self.code(id, timestamp, body))
                .is_some_and(|(received, code)| code.verify_slice(&received).is_ok())
        })
    }

    /// HMAC takes a key of any length, so this is always there.
    fn code(&self, id: &str, timestamp: u64, body: &[u8]) -> Option<Hmac<Sha256>> {
        let mut code = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        code.update(format!("{id}.{timestamp}.").as_bytes());
        code.update(body);
        Some(code)
    }
}

/// Nothing of the secret.
impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
    const TIME: u64 = 1_649_367_553;
    const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
    const SIGNATURE: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";

    fn secret() -> Secret {
        Secret::parse(b"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\n").unwrap()
    }

    #[test]
    fn the_published_vector_holds() {
        assert_eq!(secret().sign(ID, TIME, BODY).as_deref(), Some(SIGNATURE));
        assert!(secret().signed(SIGNATURE, ID, TIME, BODY));
        let several = format!("v1a,AAAA v1,AAAA {SIGNATURE}");
        assert!(secret().signed(&several, ID, TIME, BODY));
    }

    #[test]
    fn hmac_of_another_published_vector_holds() {
        let mut code = Hmac::<Sha256>::new_from_slice(b"It's a Secret to Everybody").unwrap();
        code.update(b"Hello, World!");
        let hex: String = code.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
    }

    #[test]
    fn an_empty_signature_or_a_part_of_the_right_one_is_wrong() {
        let right = STANDARD.decode(&SIGNATURE[3..]).unwrap();
        for length in 0..right.len() {
            let part = format!("v1,{}", STANDARD.encode(&right[..length]));
            assert!(!secret().signed(&part, ID, TIME, BODY), "{length}");
        }
        let longer = format!("v1,{}", STANDARD.encode([right.as_slice(), b"x"].concat()));
        let unpadded = SIGNATURE.trim_end_matches('=');
        let capital = SIGNATURE.replace("v1", "V1");
        let many = format!("{}{SIGNATURE}", "v1,AAAA ".repeat(MOST_SIGNATURES));
        for wrong in ["", " ", "v1", "v1,", "v1,,", "v2,AAAA", &longer, unpadded, &capital, &many] {
            assert!(!secret().signed(wrong, ID, TIME, BODY), "{wrong}");
        }
    }

    #[test]
    fn a_signature_is_of_one_id_one_time_and_one_body() {
        assert!(!secret().signed(SIGNATURE, "msg_", TIME, BODY));
        assert!(!secret().signed(SIGNATURE, ID, TIME + 1, BODY));
        assert!(!secret().signed(SIGNATURE, ID, TIME, b"{}"));
        let other = Secret::parse(format!("whsec_{}", STANDARD.encode([7; 24])).as_bytes()).unwrap();
        assert!(!other.signed(SIGNATURE, ID, TIME, BODY));
    }

    #[test]
    fn a_secret_that_is_short_long_or_unmarked_is_refused_without_being_shown() {
        for bytes in [0, 23, 65] {
            let text = format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
            assert!(Secret::parse(text.as_bytes()).unwrap_err().contains(&bytes.to_string()), "{bytes}");
        }
        for text in [
            "",
            "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "whsec_C2FV sBQI",
            "whsec_!",
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\nx",
        ] {
            let error = Secret::parse(text.as_bytes()).unwrap_err();
            assert!(!error.contains("C2FV"), "{error}");
        }
        assert!(Secret::parse(b"\xff").is_err());
        assert_eq!(format!("{:?}", secret()), "Secret(…)");
    }
}
