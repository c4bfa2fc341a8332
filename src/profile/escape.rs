//! How text that a stranger chose is shown.

use std::fmt;

use super::fold::is_ignored;

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

/// Characters that change how their neighbours look, or that nobody sees: those that Unicode has ignored or calls a
/// separator (`UnicodeData.txt`), but the space; what annotates or arranges others; and letters that are blank.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || is_ignored(character)
        || matches!(character,
            '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
            | '\u{fff9}'..='\u{fffb}' | '\u{13430}'..='\u{1343f}'
            | '\u{2800}' | '\u{16fe4}' | '\u{1d159}')
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
    fn what_nobody_sees_is_shown_and_letters_stay() {
        for hidden in [
            '\u{a0}',
            '\u{115f}',
            '\u{1160}',
            '\u{1680}',
            '\u{2003}',
            '\u{2029}',
            '\u{2064}',
            '\u{2800}',
            '\u{3000}',
            '\u{3164}',
            '\u{ffa0}',
            '\u{fff9}',
            '\u{13437}',
            '\u{16fe4}',
            '\u{1bca0}',
            '\u{1bca3}',
            '\u{1d159}',
            '\u{1d173}',
            '\u{1d17a}',
            '\u{e0100}',
        ] {
            let shown = format!("a\\u{{{:x}}}b", u32::from(hidden));
            assert_eq!(escaped(format!("a{hidden}b").as_bytes(), 100), shown);
            assert_eq!(visible(&format!("a{hidden}b")), shown);
        }
        let plain = "Größe 漢字 ｙ ⠁ 한글 עברית é 🙂";
        assert_eq!(escaped(plain.as_bytes(), 100), plain);
    }

    #[test]
    fn long_text_loses_its_middle() {
        assert_eq!(escaped("x".repeat(50).as_bytes(), 11), "xxxxx…xxxxx");
    }
}
