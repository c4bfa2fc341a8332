//! What a line typed under a question means.

use crate::approval::Scope;

/// The bytes Ctrl-C and Ctrl-\ leave at the end of a line.
const INTERRUPT: u8 = 0x03;
const QUIT: u8 = 0x1c;

/// A line's meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Ctrl-C: no, and the program is to get the key as well.
    Interrupt,
    No,
    /// Ctrl-\: the same as for Ctrl-C.
    Quit,
    Unclear,
    Yes(Scope),
}

/// Reads a line as the terminal gave it, with the key that ended it. No byte at all is the end-of-file key.
pub fn parse(line: &[u8], offered: &[Scope]) -> Reply {
    match line.last() {
        None => return Reply::No,
        Some(&INTERRUPT) => return Reply::Interrupt,
        Some(&QUIT) => return Reply::Quit,
        Some(_) => {}
    }
    let scope = match without_reports(line).trim_ascii() {
        b"" | b"n" | b"N" => return Reply::No,
        b"y" | b"Y" => Scope::Once,
        b"o" | b"O" => Scope::Object,
        b"d" | b"D" => Scope::Directory,
        _ => return Reply::Unclear,
    };
    if offered.contains(&scope) { Reply::Yes(scope) } else { Reply::Unclear }
}

/// The line without what a terminal reports on its own when a full-screen program has asked for it: that its window was
/// chosen or left (`ESC [ I`, `ESC [ O`) and where the mouse is (`ESC [ < … M` or `m`).
fn without_reports(line: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((&byte, after)) = rest.split_first() {
        if let Some(length) = report(rest) {
            rest = rest.get(length..).unwrap_or_default();
        } else {
            kept.push(byte);
            rest = after;
        }
    }
    kept
}

/// The length of the report that `bytes` begin with.
fn report(bytes: &[u8]) -> Option<usize> {
    match bytes.strip_prefix(b"\x1b[")? {
        [b'I' | b'O', ..] => Some(3),
        [b'<', place @ ..] => {
            let end = place.iter().position(|byte| !byte.is_ascii_digit() && *byte != b';')?;
            matches!(place.get(end), Some(b'M' | b'm')).then_some(end.saturating_add(4))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Scope; 3] = [Scope::Once, Scope::Object, Scope::Directory];

    #[test]
    fn a_letter_and_enter_is_an_answer() {
        for (line, reply) in [
            ("y\n", Reply::Yes(Scope::Once)),
            (" Y \n", Reply::Yes(Scope::Once)),
            ("o\n", Reply::Yes(Scope::Object)),
            ("d\n", Reply::Yes(Scope::Directory)),
            ("n\n", Reply::No),
            ("\n", Reply::No),
            ("", Reply::No),
        ] {
            assert_eq!(parse(line.as_bytes(), &ALL), reply, "{line:?}");
        }
    }

    #[test]
    fn anything_else_is_unclear() {
        for line in ["yy\n", "yes please\n", "y\0\n", "\x1b[200~y\x1b[201~\n", "ｙ\n", "\u{202e}y\n", "1\n"] {
            assert_eq!(parse(line.as_bytes(), &ALL), Reply::Unclear, "{line:?}");
        }
        assert_eq!(parse(b"\xffy\n", &ALL), Reply::Unclear);
    }

    #[test]
    fn a_scope_that_was_not_offered_is_unclear() {
        assert_eq!(parse(b"d\n", &[Scope::Once, Scope::Object]), Reply::Unclear);
    }

    #[test]
    fn a_key_that_would_end_the_program_is_no_whatever_was_typed_before() {
        assert_eq!(parse(b"y\x03", &ALL), Reply::Interrupt);
        assert_eq!(parse(b"\x1c", &ALL), Reply::Quit);
    }

    #[test]
    fn reports_of_the_terminal_are_no_part_of_an_answer() {
        assert_eq!(parse(b"\x1b[O\x1b[Iy\x1b[<35;12;7M\x1b[<0;1;1m\n", &ALL), Reply::Yes(Scope::Once));
        assert_eq!(parse(b"\x1b[<35;12;7", &ALL), Reply::Unclear);
        assert_eq!(parse(b"\x1b[<y\n", &ALL), Reply::Unclear);
    }
}
