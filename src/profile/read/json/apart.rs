//! JSON that is taken apart while the program is compiled: texts that come with it need not be parsed at every start.
//!
//! These functions know less than a parser: a text with an escape in a string does not compile, and a text that is no JSON
//! means nothing good. The tests hold every text that is taken apart against the parser.

use std::borrow::Cow;

use super::{Member, Node, Value};

/// A text and what it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Apart {
    pub text: &'static str,
    /// In the order of the text; what a list or an object holds comes behind it.
    pub tokens: &'static [Token],
    /// Where each line begins, as an offset in bytes.
    pub lines: &'static [usize],
}

/// The beginning of a value, or of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its first byte.
    from: usize,
    /// The byte behind it, or behind the opening bracket of a list or an object.
    to: usize,
    /// How many values a list holds, or keys and values an object.
    holds: usize,
}

/// Takes apart the JSON file at a path.
macro_rules! apart {
    ($path:literal) => {{
        const TEXT: &str = include_str!($path);
        const TOKENS: [$crate::profile::read::json::apart::Token; $crate::profile::read::json::apart::count(TEXT)] =
            $crate::profile::read::json::apart::tokens(TEXT);
        const LINES: [usize; $crate::profile::read::json::apart::line_count(TEXT)] =
            $crate::profile::read::json::apart::lines(TEXT);
        $crate::profile::read::json::apart::Apart { text: TEXT, tokens: &TOKENS, lines: &LINES }
    }};
}
pub(crate) use apart;

/// How many tokens `text` has.
pub const fn count(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut count, mut at) = (0, 0);
    while at < bytes.len() {
        let end = end_of(bytes, at);
        if end > at {
            count += 1;
        }
        at = if end > at { end } else { at + 1 };
    }
    count
}

/// The tokens of `text`, of which there are `COUNT`.
pub const fn tokens<const COUNT: usize>(text: &str) -> [Token; COUNT] {
    let bytes = text.as_bytes();
    let mut all = [Token { from: 0, to: 0, holds: 0 }; COUNT];
    // The lists and objects that are open, by the places of their tokens.
    let (mut open, mut depth) = ([0; super::DEEPEST], 0);
    let (mut count, mut at) = (0, 0);
    while at < bytes.len() {
        let end = end_of(bytes, at);
        if end > at {
            if depth > 0 {
                all[open[depth - 1]].holds += 1;
            }
            if matches!(bytes[at], b'[' | b'{') {
                open[depth] = count;
                depth += 1;
            }
            all[count] = Token { from: at, to: end, holds: 0 };
            count += 1;
            at = end;
        } else {
            if matches!(bytes[at], b']' | b'}') {
                depth -= 1;
            }
            at += 1;
        }
    }
    all
}

/// How many lines `text` has; one more than ends of lines.
pub const fn line_count(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut count, mut at) = (1, 0);
    while at < bytes.len() {
        if bytes[at] == b'\n' {
            count += 1;
        }
        at += 1;
    }
    count
}

/// Where the lines of `text` begin, of which there are `COUNT`.
pub const fn lines<const COUNT: usize>(text: &str) -> [usize; COUNT] {
    let bytes = text.as_bytes();
    let mut all = [0; COUNT];
    let (mut count, mut at) = (1, 0);
    while at < bytes.len() {
        if bytes[at] == b'\n' {
            all[count] = at + 1;
            count += 1;
        }
        at += 1;
    }
    all
}

/// The byte behind the token that begins at `at`; `at` where none begins.
const fn end_of(bytes: &[u8], at: usize) -> usize {
    match bytes[at] {
        b'[' | b'{' => at + 1,
        b'"' => {
            let mut end = at + 1;
            while bytes[end] != b'"' {
                assert!(bytes[end] != b'\\' && bytes[end] >= b' ', "a string is written as it is");
                end += 1;
            }
            end + 1
        }
        b'a'..=b'z' | b'0'..=b'9' | b'-' => {
            let mut end = at;
            while matches!(bytes[end], b'a'..=b'z' | b'0'..=b'9' | b'-' | b'+' | b'.' | b'E') {
                end += 1;
            }
            end
        }
        _ => at,
    }
}

impl Apart {
    /// The value that the text holds; `None` when the tokens are not those of the text.
    pub(super) fn value(&self) -> Option<Node<'static>> {
        self.node(&mut self.tokens.iter())
    }

    fn node(&self, tokens: &mut std::slice::Iter<'static, Token>) -> Option<Node<'static>> {
        let token = tokens.next()?;
        let value = match self.text.as_bytes().get(token.from)? {
            b'{' => {
                let mut members = Vec::with_capacity(token.holds / 2);
                for _ in 0..token.holds / 2 {
                    let key = tokens.next()?;
                    let member = Member {
                        key: Cow::Borrowed(self.inside(key)?),
                        key_offset: key.from,
                        value: self.node(tokens)?,
                    };
                    members.push(member);
                }
                Value::Object(members)
            }
            b'[' => {
                let mut items = Vec::with_capacity(token.holds);
                for _ in 0..token.holds {
                    items.push(self.node(tokens)?);
                }
                Value::Array(items)
            }
            b'"' => Value::String(Cow::Borrowed(self.inside(token)?)),
            b't' => Value::Bool(true),
            b'f' => Value::Bool(false),
            b'n' => Value::Null,
            _ => Value::Number(self.text.get(token.from..token.to)?),
        };
        Some(Node { offset: token.from, value })
    }

    /// What stands between the quotes of a string.
    fn inside(&self, token: &Token) -> Option<&'static str> {
        self.text.get(token.from.saturating_add(1)..token.to.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::Text;
    use super::*;

    #[test]
    fn what_is_taken_apart_is_what_the_parser_finds() {
        const WRITTEN: &str =
            "{\n \"a\": [1, -2.5E+7, true, false, null, [], {}],\n\"é\": {\"b\": [[\"x\", \"\"]]}\n}\n";
        const TOKENS: [Token; count(WRITTEN)] = tokens(WRITTEN);
        const LINES: [usize; line_count(WRITTEN)] = lines(WRITTEN);
        static APART: Apart = Apart { text: WRITTEN, tokens: &TOKENS, lines: &LINES };
        let parsed = Text::new(Arc::from("x"), WRITTEN.as_bytes()).unwrap();
        assert_eq!(APART.value(), Some(parsed.parse().unwrap()));
        let known = Text::taken_apart(Arc::from("x"), &APART);
        for offset in 0..WRITTEN.len() {
            assert_eq!(known.position(offset), parsed.position(offset));
        }
    }
}
