//! How text that a stranger chose is shown.

use std::fmt;

/// Writes `bytes` on one line: control, bidirectional, zero-width and other invisible characters, and bytes that are not
/// UTF-8, come out as `\u{…}` or `\x…` (Unicode Technical Report 36, section 2.11).
///
/// # Errors
/// Those of `out`.
pub fn write_escaped(out: &mut impl fmt::Write, bytes: &[u8]) -> fmt::Result {
    // Most texts are printable ASCII and nothing else.
    if bytes.iter().all(|&byte| matches!(byte, b' '..=b'~') && byte != b'\\') {
        return std::str::from_utf8(bytes).map_or(Err(fmt::Error), |text| out.write_str(text));
    }
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => out.write_str("\\\\")?,
                '\n' => out.write_str("\\n")?,
                '\r' => out.write_str("\\r")?,
                '\t' => out.write_str("\\t")?,
                hidden if is_hidden(hidden) => write!(out, "\\u{{{:x}}}", u32::from(hidden))?,
                plain => out.write_char(plain)?,
            }
        }
        for byte in chunk.invalid() {
            write!(out, "\\x{byte:02x}")?;
        }
    }
    Ok(())
}

/// The text of [`write_escaped`], with its middle left out beyond `most` characters.
pub fn escaped(bytes: &[u8], most: usize) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_escaped(&mut text, bytes);
    let length = text.chars().count();
    if length <= most {
        return text;
    }
    let half = most.saturating_sub(1) / 2;
    let head: String = text.chars().take(half).collect();
    let tail: String = text.chars().skip(length.saturating_sub(half)).collect();
    format!("{head}…{tail}")
}

/// A message with everything hidden in it made visible. Lines and backslashes stay: what it quotes was escaped before.
pub fn visible(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    for character in message.chars() {
        if character != '\n' && is_hidden(character) {
            text.push_str(&format!("\\u{{{:x}}}", u32::from(character)));
        } else {
            text.push(character);
        }
    }
    text
}

/// Characters that change how their neighbours look, or that nobody sees.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_sequences_bidi_and_invalid_bytes_become_plain_text() {
        let hostile = b"a\x1b[2J\r\n\xff\xe2\x80\xaeb\xe2\x80\x8b\\";
        assert_eq!(escaped(hostile, 100), "a\\u{1b}[2J\\r\\n\\xff\\u{202e}b\\u{200b}\\\\");
    }

    #[test]
    fn long_text_loses_its_middle() {
        assert_eq!(escaped("x".repeat(50).as_bytes(), 11), "xxxxx…xxxxx");
    }
}
