//! Names as filesystems that ignore case compare them: spellings that one of them may take for the same become the same here.
//!
//! What differs here is different on all of them, but for two things: no letter is taken apart into letter and accent, and
//! nothing is known of the short second names that FAT makes up (`SECRET~1`).

use std::borrow::Cow;

use super::abs_path::AbsPath;

/// What most paths have in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Every name is its own folded form.
    Plain,
    /// So it is in lower case.
    UpperCase,
    Other,
}

/// Whether every name of the path is its own folded form, so that [`path`] has nothing to do. Quick, and perhaps no where it
/// is.
pub fn is_plain(path: &AbsPath) -> bool {
    kind(path.as_bytes()) == Kind::Plain
}

fn kind(path: &[u8]) -> Kind {
    let mut before = 0;
    // Without a way out of the loop it is done many bytes at a time.
    let (other, upper) = path.iter().fold((false, false), |(other, upper), &byte| {
        let ends_oddly = byte == b'/' && (before == b'.' || before == b' ');
        before = byte;
        (other | ends_oddly | !byte.is_ascii() | (byte == b':'), upper | byte.is_ascii_uppercase())
    });
    match (other || matches!(path.last(), Some(b'.' | b' ')), upper) {
        (true, _) => Kind::Other,
        (false, true) => Kind::UpperCase,
        (false, false) => Kind::Plain,
    }
}

/// The path with every name folded.
pub fn path(path: &AbsPath) -> Cow<'_, AbsPath> {
    match kind(path.as_bytes()) {
        Kind::Plain => return Cow::Borrowed(path),
        Kind::UpperCase => {
            let folded = AbsPath::new(&path.as_bytes().to_ascii_lowercase());
            return folded.map_or(Cow::Borrowed(path), Cow::Owned);
        }
        Kind::Other => {}
    }
    let names: Vec<Vec<u8>> = path.as_bytes().split(|&byte| byte == b'/').map(name).collect();
    AbsPath::new(&names.join(&b'/')).map_or(Cow::Borrowed(path), Cow::Owned)
}

/// One name: in lower case, without what nobody sees, and without the end that Windows and its filesystems leave away (dots,
/// spaces, and a stream behind a colon). A name that comes to nothing stays as it is.
pub fn name(name: &[u8]) -> Vec<u8> {
    let mut folded = if name.is_ascii() { name.to_ascii_lowercase() } else { letters(name) };
    if let Some(colon) = folded.iter().position(|&byte| byte == b':') {
        folded.truncate(colon);
    }
    let kept = folded.iter().rposition(|byte| !matches!(byte, b'.' | b' ')).map_or(0, |last| last.saturating_add(1));
    folded.truncate(kept);
    if folded.is_empty() { name.to_vec() } else { folded }
}

/// Every character of a name folded; what is no text stays as it is.
fn letters(name: &[u8]) -> Vec<u8> {
    let mut folded = Vec::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        let mut bytes = [0; 4];
        for character in chunk.valid().chars().flat_map(character) {
            folded.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
        }
        folded.extend_from_slice(chunk.invalid());
    }
    folded
}

/// Full case folding (Unicode, section 5.18), by way of both cases: `ſ` and `S` become `s`, and `ß` becomes `ss`.
pub fn character(character: char) -> impl Iterator<Item = char> {
    let kept = (!is_ignored(character)).then_some(character);
    kept.into_iter().flat_map(char::to_lowercase).flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

/// `Default_Ignorable_Code_Point` of Unicode (`DerivedCoreProperties.txt`), which nobody sees, and which casefold directories
/// of Linux leave out (`fs/unicode`).
pub fn is_ignored(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        let text = AbsPath::new(text.as_bytes()).unwrap();
        String::from_utf8(path(&text).as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn spellings_of_one_name_come_to_the_same() {
        for other in ["/A/.ENV", "/a/.e\u{200d}nv", "/A./.Env ", "/a/.env::$DATA", "/\u{feff}a/.env. ."] {
            assert_eq!(folded(other), "/a/.env", "{other:?}");
        }
        assert_eq!(folded("/\u{17f}E\u{212a}"), "/sek");
        assert_eq!(folded("/STRASSE"), folded("/straße"));
        assert_eq!(folded("/ΣΣ"), folded("/σς"));
    }

    #[test]
    fn ascii_is_folded_as_every_other_text() {
        for byte in 0..=0x7f_u8 {
            assert_eq!(letters(&[byte]), [byte.to_ascii_lowercase()]);
        }
    }

    #[test]
    fn different_names_stay_different_and_nothing_moves_up() {
        assert_ne!(folded("/.env"), folded("/env"));
        assert_eq!(folded("/A/.\u{200d}./b"), "/a/.\u{200d}./b");
        assert_eq!(folded("/A/\u{200d}/b"), "/a/\u{200d}/b");
        assert_eq!(folded("/a/.../b"), "/a/.../b");
        assert_eq!(name(b"\xffA"), b"\xffa");
    }

    #[test]
    fn what_is_told_at_once_is_what_folding_each_name_gives() {
        for text in [
            "/A/bC.D", "/A/B", "/a.B/.C", "/", "/a/b.c", "/x/.env", "/A", "/a./b", "/a ", "/é", "/a:b", "/...",
            "/a..b/c",
        ] {
            let text = AbsPath::new(text.as_bytes()).unwrap();
            let names: Vec<Vec<u8>> = text.as_bytes().split(|&byte| byte == b'/').map(name).collect();
            assert_eq!(path(&text).as_bytes(), names.join(&b'/'), "{text}");
        }
    }
}
