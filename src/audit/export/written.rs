//! Text that stays on its line and shows what it is.

/// A JSON text with every character outside printable ASCII as `\u` (RFC 8259, section 7). In a valid text such characters
/// stand in strings alone, but for spaces between the tokens, which are left out.
pub(super) fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            ' '..='~' => out.push(character),
            '\0'..='\u{1f}' => {}
            hidden => {
                for unit in hidden.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out
}

/// A text with everything that is neither ASCII nor a letter or digit of some script as `\u{…}`.
pub(super) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            ' '..='~' => out.push(character),
            letter if letter.is_alphanumeric() => out.push(letter),
            hidden => out.push_str(&format!("\\u{{{:x}}}", u32::from(hidden))),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_text_means_the_same_without_what_cannot_be_seen() {
        let value = serde_json::json!({ "a\u{202e}": "\u{1f600}\u{7f}\u{9b}\n\0é\\\"" });
        let text = ascii(&format!("{value:#}\r\n"));
        assert!(text.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn letters_stay_and_what_hides_does_not() {
        assert_eq!(visible("aé字\u{202e}\n\u{200b}\u{1b}\u{85}"), "aé字\\u{202e}\\u{a}\\u{200b}\\u{1b}\\u{85}");
    }
}
