//! Control sequences around a question, from ECMA-48, the manual of `xterm`, `console_codes(4)` and the keyboard protocol of
//! `kitty`. A terminal that knows one of them not ignores it.

/// What may be sent to the terminal besides plain text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// The terminal obeys control sequences.
    pub sequences: bool,
    /// The heading may stand out.
    pub bold: bool,
}

/// Takes back what the program may have done to the terminal so that a question cannot be seen or read.
///
/// In this order: leave an unfinished sequence or string (CAN, ST); undo margins, which moves the cursor, so it is saved
/// and restored (DECSLRM off, DECSTBM); the terminal's own colours for plain text, which a question is (OSC 110, 111, and
/// the palette of the Linux console), not those that only other text has; ASCII instead of a graphic character set; no
/// attributes, no inserting, wrap long lines, show the cursor; a line of its own, and nothing beneath it.
const RECOVER: &str = concat!(
    "\x18\x1b\\\x1b7\x1b[?69l\x1b[r\x1b8",
    "\x1b]110\x1b\\\x1b]111\x1b\\\x1b]R\x1b\\",
    "\x0f\x1b(B\x1b[0m\x1b[4l\x1b[?7h\x1b[?25h\r\n\x1b[J",
);

/// Keys as bytes of text while a question stands, whatever the program has asked for, and then as before. The first leaves
/// an unfinished sequence, so that it is never lost without the second.
const PLAIN_KEYS: (&str, &str) = ("\x18\x1b\\\x1b[>0u", "\x1b[<u");

impl Style {
    /// The style for the values of `TERM` and `NO_COLOR`, as nono was started with them.
    pub fn new(term: Option<&[u8]>, no_color: Option<&[u8]>) -> Self {
        let sequences = term.is_some_and(|name| !name.is_empty() && name != b"dumb");
        let bold = sequences && no_color.is_none_or(<[u8]>::is_empty);
        Self { sequences, bold }
    }

    /// What goes before the first showing of a question.
    pub(super) fn begin(self) -> &'static str {
        if self.sequences { PLAIN_KEYS.0 } else { "" }
    }

    /// What goes after it was answered.
    pub(super) fn end(self) -> &'static str {
        if self.sequences { PLAIN_KEYS.1 } else { "" }
    }

    /// What goes before each showing of a question.
    pub(super) fn before(self) -> &'static str {
        if self.sequences { RECOVER } else { "\r\n" }
    }

    pub(super) fn heading(self, text: &str) -> String {
        if self.bold { format!("\x1b[1m{}\x1b[0m\n", text.trim_end()) } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dumb_or_unknown_terminal_gets_plain_text() {
        for term in [None, Some(&b""[..]), Some(&b"dumb"[..])] {
            assert_eq!(Style::new(term, None), Style { sequences: false, bold: false });
        }
        let plain = Style::new(None, None);
        assert!(![plain.begin(), plain.before(), plain.end()].concat().contains('\x1b'));
    }

    #[test]
    fn no_color_leaves_the_heading_plain() {
        assert!(Style::new(Some(b"xterm"), None).bold);
        assert!(Style::new(Some(b"xterm"), Some(b"")).bold);
        assert_eq!(Style::new(Some(b"xterm"), Some(b"1")), Style { sequences: true, bold: false });
    }
}
