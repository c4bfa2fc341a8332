//! JSON strings (RFC 8259, section 7) of printable ASCII and plain letters alone, numbers and base64, without allocation.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// Writes `bytes` as a JSON string. What cannot be seen, or changes how its neighbours look, is written as `\u`; bytes
/// that are not UTF-8 become U+FFFD.
pub(super) fn quote(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    inside(out, bytes);
    out.push(b'"');
}

/// The same without the quotation marks.
pub(super) fn inside(out: &mut Vec<u8>, bytes: &[u8]) {
    if are_simple(bytes) {
        out.extend_from_slice(bytes);
    } else {
        for chunk in bytes.utf8_chunks() {
            chunk.valid().chars().for_each(|character| escape(out, character));
            if !chunk.invalid().is_empty() {
                escape(out, char::REPLACEMENT_CHARACTER);
            }
        }
    }
}

/// Whether a text of [`quote`] shows exactly these bytes to whoever reads it.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    let visible = |text: &str| text.chars().all(|character| !is_hidden(character));
    are_simple(bytes) || std::str::from_utf8(bytes).is_ok_and(visible)
}

/// At most `most` bytes of the beginning, without half a character at the end.
pub(super) fn beginning(bytes: &[u8], most: usize) -> &[u8] {
    let Some(kept) = bytes.get(..most) else { return bytes };
    match kept.utf8_chunks().last() {
        // Such as the first two bytes of three.
        Some(last) if (1..4).contains(&last.invalid().len()) && std::str::from_utf8(bytes).is_ok() => {
            kept.get(..kept.len().saturating_sub(last.invalid().len())).unwrap_or_default()
        }
        _ => kept,
    }
}

/// Writes a number.
pub(super) fn decimal(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0_u8; 20];
    let mut rest = number;
    let mut first = digits.len();
    for place in digits.iter_mut().rev() {
        *place = b'0'.saturating_add(u8::try_from(rest % 10).unwrap_or(0));
        rest /= 10;
        first = first.saturating_sub(1);
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(first..).unwrap_or_default());
}

/// Writes `bytes` in base64 (RFC 4648, section 4).
pub(super) fn base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut part = [0_u8; 1024];
    // 768 bytes are 1024 characters, and only the last chunk is padded.
    for chunk in bytes.chunks(768) {
        let length = BASE64.encode_slice(chunk, &mut part).unwrap_or(0);
        out.extend_from_slice(part.get(..length).unwrap_or_default());
    }
}

/// What [`base64()`] wrote.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

/// Whether all of them stand for themselves in a string.
pub fn are_simple(bytes: &[u8]) -> bool {
    let is_simple = |byte: u8| matches!(byte, b' '..=b'~') & (byte != b'"') & (byte != b'\\');
    // Without a way out of the loop it is done many bytes at a time.
    bytes.iter().fold(true, |all, &byte| all & is_simple(byte))
}

fn escape(out: &mut Vec<u8>, character: char) {
    match character {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        hidden if is_hidden(hidden) => {
            let mut units = [0; 2];
            for unit in hidden.encode_utf16(&mut units) {
                let digit =
                    |shift: u32| b"0123456789abcdef".get(usize::from(*unit >> shift & 15)).copied().unwrap_or(b'0');
                out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
            }
        }
        plain => out.extend_from_slice(plain.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// Characters that change how their neighbours look, or that nobody sees (Unicode Technical Report 36, section 2.11).
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffd}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_read_as_it_was_written() {
        for character in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let mut out = Vec::new();
            quote(&mut out, character.to_string().as_bytes());
            let read: String = serde_json::from_slice(&out).unwrap();
            assert_eq!(read, character.to_string());
        }
    }

    #[test]
    fn numbers_and_base64_are_as_others_write_them() {
        for number in [0, 1, 9, 10, 99, 65_535, u64::MAX] {
            let mut out = Vec::new();
            decimal(&mut out, number);
            assert_eq!(out, number.to_string().as_bytes());
        }
        for length in [0, 1, 767, 768, 769, 4096] {
            let (bytes, mut out) = (vec![0xa5; length], Vec::new());
            base64(&mut out, &bytes);
            assert_eq!(out, BASE64.encode(&bytes).as_bytes());
        }
    }

    #[test]
    fn a_beginning_ends_with_a_whole_character() {
        assert_eq!(beginning("aä".as_bytes(), 2), b"a");
        assert_eq!(beginning("aä".as_bytes(), 3), "aä".as_bytes());
        assert_eq!(beginning(b"\xff\xff\xff", 2), b"\xff\xff");
    }
}
