//! The lines of an answer: its status, its fields, and the sizes of chunks.

use super::super::Failure;

/// What stands before a body.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// HTTP/1.0, which knows no chunks.
    old: bool,
    pub(super) status: u16,
    /// Names in lower case.
    pub(super) fields: Vec<(String, String)>,
}

/// How a body says where it ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Chunked,
    /// Bytes; at most `usize::MAX`.
    Length(usize),
}

impl Head {
    /// `HTTP/1.1 200 OK` (RFC 9112, section 4). The space behind the number is there even without a reason.
    pub(super) fn of_status_line(line: &[u8]) -> Result<Self, Failure> {
        let old = match line.get(..9) {
            Some(b"HTTP/1.1 ") => false,
            Some(b"HTTP/1.0 ") => true,
            _ => return Err(Failure::new("status-line", "it does not answer in HTTP/1.1")),
        };
        let digits = line.get(9..12).unwrap_or_default();
        let status = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
        match status {
            Some(status @ 100..=599)
                if line.get(12) == Some(&b' ') && digits.iter().all(u8::is_ascii_digit) && digits.len() == 3 =>
            {
                Ok(Self { old, status, fields: Vec::new() })
            }
            _ => Err(Failure::new("status-line", "its first line has no status of three digits between spaces")),
        }
    }

    pub(super) fn is_interim(&self) -> bool {
        self.status < 200
    }

    /// Whether the body is of interest: an answer, the word that one will come, or what the request is in conflict with.
    pub(super) fn has_body(&self) -> bool {
        matches!(self.status, 200 | 202 | 409)
    }

    /// RFC 9112, section 6.3, without the end of the connection as an end of the body: that cannot be told from a cut.
    pub(super) fn framing(&self) -> Result<Framing, Failure> {
        let bad = |why: &str| Err(Failure::new("framing", why));
        let coding = single(&self.fields, "transfer-encoding");
        let length = single(&self.fields, "content-length");
        let (Ok(coding), Ok(length)) = (coding, length) else {
            return bad("it says twice where its body ends");
        };
        match (coding, length) {
            (Some(_), Some(_)) => bad("it gives a length and a transfer coding, and they may disagree"),
            (Some(_), None) if self.old => bad("HTTP/1.0 has no transfer codings"),
            (Some(coding), None) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
            (Some(_), None) => bad("its transfer coding is another than `chunked`"),
            (None, Some(length)) => match length_of(length) {
                Some(length) => Ok(Framing::Length(length)),
                None => bad("the length of its body is no number"),
            },
            (None, None) => bad("it does not say where its body ends"),
        }
    }
}

/// `Name: value` (RFC 9112, section 5), with the name in lower case and the spaces around the value dropped.
pub(super) fn field(line: &[u8]) -> Result<(String, String), Failure> {
    let bad = |why: &str| Err(Failure::new("field", why));
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return bad("a field goes on in the next line");
    }
    let Ok(line) = std::str::from_utf8(line) else { return bad("a field is not UTF-8") };
    let Some((name, value)) = line.split_once(':') else { return bad("a field has no colon") };
    if name.is_empty() || !name.bytes().all(is_token) {
        return bad("a field's name is empty, or has a character that no name has");
    }
    Ok((name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()))
}

/// The value of the only field `name`.
pub(super) fn single<'f>(fields: &'f [(String, String)], name: &str) -> Result<Option<&'f str>, Failure> {
    let mut found = fields.iter().filter(|(field, _)| field == name);
    match (found.next(), found.next()) {
        (Some(_), Some(_)) => Err(Failure::new("field", format!("the field {name} is there twice"))),
        (field, _) => Ok(field.map(|(_, value)| value.as_str())),
    }
}

/// The size at the start of a chunk. An extension begins with `;`, and nobody reads it.
pub(super) fn chunk_size(line: &[u8], most_digits: usize) -> Result<usize, Failure> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (size, behind) = line.split_at_checked(digits).unwrap_or_default();
    let size = std::str::from_utf8(size).ok().filter(|_| (1..=most_digits).contains(&digits));
    match (size.and_then(|size| usize::from_str_radix(size, 16).ok()), behind.first()) {
        (Some(size), None | Some(b';')) => Ok(size),
        _ => Err(Failure::new("chunk", format!("a chunk's size is no number of 1 to {most_digits} digits"))),
    }
}

/// Digits alone: no sign, no list (RFC 9110, section 8.6). What overflows is longer than any bound.
fn length_of(text: &str) -> Option<usize> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(usize::MAX))
}

/// RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
