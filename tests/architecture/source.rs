//! Rust read as text: literals and comments are blanked, and every line stays where it was.

use std::ops::Range;

/// A source file in three views of the same length and the same lines.
pub(crate) struct Source {
    /// Relative to the root of the tree, with `/`.
    pub(crate) name: String,
    /// As it is on disk.
    pub(crate) text: String,
    /// Without comments.
    pub(crate) literals: String,
    /// Without comments and without the contents of literals.
    pub(crate) code: String,
}

/// A word or a sign of the code, and the line it stands in, counted from one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    pub(crate) line: usize,
}

/// A function with a body: its name, its first line, and how many lines it has from `fn` to its closing brace.
#[derive(Debug, PartialEq)]
pub(crate) struct Function<'a> {
    pub(crate) name: &'a str,
    pub(crate) line: usize,
    pub(crate) lines: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Comment,
    Literal,
}

impl Source {
    /// The three views of `text`.
    pub(crate) fn new(name: String, text: String) -> Self {
        let blanks = blanks(text.as_bytes());
        let comments = blanks.iter().filter(|(kind, _)| *kind == Kind::Comment).map(|(_, range)| range);
        let literals = blanked(&text, comments);
        let code = blanked(&text, blanks.iter().map(|(_, range)| range));
        Self { name, text, literals, code }
    }

    /// The words and signs of the code, in order; `::` is one sign.
    pub(crate) fn tokens(&self) -> Vec<Token<'_>> {
        let (mut tokens, mut line, mut at) = (Vec::new(), 1, 0);
        let bytes = self.code.as_bytes();
        while let Some(&byte) = bytes.get(at) {
            let length = match byte {
                b':' if bytes.get(at + 1) == Some(&b':') => 2,
                byte if is_word(byte) => bytes[at..].iter().take_while(|byte| is_word(**byte)).count(),
                _ => 1,
            };
            if byte == b'\n' {
                line += 1;
            } else if !byte.is_ascii_whitespace() {
                tokens.push(Token { text: &self.code[at..at + length], line });
            }
            at += length;
        }
        tokens
    }

    /// Every function that has a body.
    pub(crate) fn functions(&self) -> Vec<Function<'_>> {
        let tokens = self.tokens();
        let starts = (1..tokens.len()).filter(|&at| tokens[at - 1].text == "fn" && is_name(tokens[at].text));
        starts
            .filter_map(|at| {
                let (name, line) = (tokens[at].text, tokens[at - 1].line);
                let last = body_end(&tokens[at..])?;
                Some(Function { name, line, lines: last - line + 1 })
            })
            .collect()
    }

    /// The line of the first `#[cfg(test)]`; by the rules of the tree, tests come last.
    pub(crate) fn first_test_line(&self) -> usize {
        let position = self.code.lines().position(|line| line.trim_start().starts_with("#[cfg(test)]"));
        position.map_or(usize::MAX, |index| index + 1)
    }
}

/// Whether `text` is an identifier or a keyword.
pub(crate) fn is_name(text: &str) -> bool {
    text.bytes().next().is_some_and(|byte| is_word(byte) && !byte.is_ascii_digit())
}

fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

/// The line of the brace that closes the first body in `tokens`; `None` for a declaration that ends in `;`.
fn body_end(tokens: &[Token<'_>]) -> Option<usize> {
    let (mut brackets, mut braces) = (0_i32, 0_i32);
    for token in tokens {
        match token.text {
            "(" | "[" => brackets += 1,
            ")" | "]" => brackets -= 1,
            "{" => braces += 1,
            ";" if brackets == 0 && braces == 0 => return None,
            "}" => {
                braces -= 1;
                if braces == 0 {
                    return Some(token.line);
                }
            }
            _ => {}
        }
    }
    None
}

/// `text` with spaces in `ranges`, apart from line ends.
fn blanked<'a>(text: &str, ranges: impl Iterator<Item = &'a Range<usize>>) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for range in ranges {
        bytes[range.clone()].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
    }
    String::from_utf8(bytes).expect("a literal or comment begins and ends between characters")
}

fn blanks(bytes: &[u8]) -> Vec<(Kind, Range<usize>)> {
    let (mut blanks, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let rest = &bytes[at..];
        let after_word = at > 0 && is_word(bytes[at - 1]);
        let found = comment(rest)
            .map(|length| (Kind::Comment, length))
            .or_else(|| literal(rest, after_word).map(|length| (Kind::Literal, length)));
        match found {
            Some((kind, length)) => {
                let end = (at + length).min(bytes.len());
                blanks.push((kind, at..end));
                at = end;
            }
            None => at += 1,
        }
    }
    blanks
}

/// The length of the comment at the start of `rest`; block comments nest.
fn comment(rest: &[u8]) -> Option<usize> {
    if rest.starts_with(b"//") {
        return Some(rest.iter().take_while(|byte| **byte != b'\n').count());
    }
    if !rest.starts_with(b"/*") {
        return None;
    }
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += 1;
        }
    }
    Some(rest.len())
}

/// The length of the string or character literal at the start of `rest`. A lifetime is none.
fn literal(rest: &[u8], after_word: bool) -> Option<usize> {
    match *rest.first()? {
        b'"' => Some(quoted(rest, b'"')),
        b'\'' => match *rest.get(1)? {
            b'\\' => Some(quoted(rest, b'\'')),
            first => {
                let width = 1 + rest[2..].iter().take_while(|byte| first >= 0x80 && **byte & 0xC0 == 0x80).count();
                (rest.get(1 + width) == Some(&b'\'')).then_some(width + 2)
            }
        },
        b'r' | b'b' | b'c' if !after_word => raw(rest),
        _ => None,
    }
}

/// The length of a literal between two `quote`s, in which a backslash escapes the next byte.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of a raw string such as `r#"…"#`, `br"…"` or `cr"…"`.
fn raw(rest: &[u8]) -> Option<usize> {
    let prefix = [&b"br"[..], b"cr", b"r"].into_iter().find(|prefix| rest.starts_with(prefix))?.len();
    let hashes = rest[prefix..].iter().take_while(|byte| **byte == b'#').count();
    let start = prefix + hashes;
    if rest.get(start) != Some(&b'"') {
        return None;
    }
    let end = [&b"\""[..], &vec![b'#'; hashes]].concat();
    let body = &rest[start + 1..];
    let length = body.windows(end.len()).position(|window| window == end).map_or(body.len(), |at| at + end.len());
    Some(start + 1 + length)
}

mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::new("x.rs".into(), text.into())
    }

    #[test]
    fn comments_and_literals_are_blanked_and_code_stays() {
        let text =
            "a /* b /* c */ d */ e // f\n\"g\\\" h\" i r#\"j\" k\"# l 'm' n '\\'' o 'p: q<'r> br\"s\\\" t b\"u\" é";
        let words: Vec<&str> = text.split(' ').collect();
        assert!(words.len() > 10);
        let code = source(text);
        let names: Vec<&str> = code.tokens().iter().map(|token| token.text).filter(|text| is_name(text)).collect();
        assert_eq!(names, ["a", "e", "i", "l", "n", "o", "p", "q", "r", "t", "b", "é"]);
        assert_eq!(code.code.len(), text.len());
        assert!(code.literals.contains("r#\"j\" k\"#") && !code.literals.contains('f'));
    }

    #[test]
    fn a_function_is_measured_from_its_first_word_to_its_closing_brace() {
        let code = source("trait T { fn a(&self); }\nfn b(x: [u8; 2]) -> fn() {\n let c = \"}\";\n { }\n}\n");
        assert_eq!(code.functions(), [Function { name: "b", line: 2, lines: 4 }]);
    }
}
