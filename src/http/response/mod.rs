//! Answers, read as they arrive (RFC 9112). Every part has a bound, and whatever two readers might read differently is refused.
//!
//! The result does not depend on how the bytes were cut into pieces.

mod fields;
#[cfg(test)]
mod tests;

use self::fields::{Framing, Head};
use super::Failure;

/// Bytes of a status line with its fields, and of the fields behind a chunked body.
pub const LONGEST_HEAD: usize = 16 * 1024;
pub const MOST_FIELDS: usize = 64;
/// Bytes.
pub const LONGEST_BODY: usize = 64 * 1024;
/// Answers with a status of 1xx before the one that counts.
pub const MOST_INTERIM: u8 = 4;
/// Bytes behind a chunk's size, which nobody reads.
const LONGEST_EXTENSION: usize = 256;
/// A chunk's size has at most this many digits (RFC 9112, section 7.1, leaves the bound to the reader).
const MOST_SIZE_DIGITS: usize = 8;
/// Everything that arrives: chunks of one byte each make a small body long.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// An answer. Only a status of 200, 202 or 409 has a body here: that of any other is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Reads one answer.
#[derive(Debug)]
pub struct Parser {
    state: State,
    /// The line that is being read, without its end.
    line: Vec<u8>,
    /// Bytes that this block of lines may still have.
    left: usize,
    received: usize,
    interim: u8,
    head: Head,
    trailers: usize,
    body: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    StatusLine,
    Fields,
    /// With the bytes that are missing.
    Body(usize),
    ChunkSize,
    /// With the bytes that are missing.
    Chunk(usize),
    ChunkEnd,
    Trailers,
    Done,
}

impl Default for Parser {
    fn default() -> Self {
        Self {
            state: State::StatusLine,
            line: Vec::new(),
            left: LONGEST_HEAD,
            received: 0,
            interim: 0,
            head: Head::default(),
            trailers: 0,
            body: Vec::new(),
        }
    }
}

impl Parser {
    /// Takes the next bytes of the connection.
    ///
    /// # Errors
    /// What is wrong with the answer. Nothing more can be read then.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = match self.state {
                State::Done if self.head.has_body() => {
                    return Err(Failure::new("extra-bytes", "something follows the end of its answer"));
                }
                // Nobody reads what comes with a status that is no answer.
                State::Done => return Ok(()),
                State::Body(missing) | State::Chunk(missing) => self.take_body(rest, missing),
                State::StatusLine | State::Fields | State::ChunkSize | State::ChunkEnd | State::Trailers => {
                    self.take_byte(rest.first().copied().unwrap_or_default())?;
                    1
                }
            };
            self.received = self.received.saturating_add(taken);
            if self.received > LONGEST_ANSWER {
                return Err(too_large("its answer, with the marks between the chunks,"));
            }
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// Whether the answer is complete.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// The answer, when the connection ended or nothing more is wanted.
    ///
    /// # Errors
    /// Code `truncated` when it is not complete.
    pub fn finish(self) -> Result<Response, Failure> {
        if self.is_done() {
            return Ok(Response { status: self.head.status, fields: self.head.fields, body: self.body });
        }
        Err(match self.received {
            0 => Failure::new("truncated", "it closed the connection without an answer"),
            _ => Failure::new("truncated", "it closed the connection before the end of its answer"),
        })
    }

    fn take_body(&mut self, bytes: &[u8], missing: usize) -> usize {
        let taken = missing.min(bytes.len());
        self.body.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        let missing = missing - taken;
        let in_chunk = matches!(self.state, State::Chunk(_));
        self.state = match (in_chunk, missing) {
            (true, 0) => {
                self.left = 2;
                State::ChunkEnd
            }
            (true, missing) => State::Chunk(missing),
            (false, 0) => State::Done,
            (false, missing) => State::Body(missing),
        };
        taken
    }

    /// Gathers a line, which ends with CR and LF and has neither inside (RFC 9112, section 2.2).
    fn take_byte(&mut self, byte: u8) -> Result<(), Failure> {
        let Some(left) = self.left.checked_sub(1) else {
            return Err(match self.state {
                State::ChunkSize => Failure::new("chunk", "the line with a chunk's size is too long"),
                State::ChunkEnd => Failure::new("chunk", "a chunk is longer than it says"),
                State::StatusLine
                | State::Fields
                | State::Trailers
                | State::Body(_)
                | State::Chunk(_)
                | State::Done => {
                    Failure::new("head-too-large", format!("its fields have more than {LONGEST_HEAD} bytes"))
                }
            });
        };
        self.left = left;
        let after_return = self.line.last() == Some(&b'\r');
        match byte {
            b'\n' if after_return => {
                self.line.pop();
                let line = std::mem::take(&mut self.line);
                self.take_line(&line)
            }
            b'\n' => Err(Failure::new("line-end", "a line ends without a carriage return")),
            _ if after_return => Err(Failure::new("line-end", "a carriage return stands inside a line")),
            b'\t' | b'\r' => {
                self.line.push(byte);
                Ok(())
            }
            byte if byte.is_ascii_control() => {
                Err(Failure::new("control-character", "a control character stands in a line"))
            }
            byte => {
                self.line.push(byte);
                Ok(())
            }
        }
    }

    fn take_line(&mut self, line: &[u8]) -> Result<(), Failure> {
        match self.state {
            State::StatusLine => {
                self.head = Head::of_status_line(line)?;
                self.state = State::Fields;
            }
            State::Fields if line.is_empty() => return self.end_head(),
            State::Fields => {
                let field = fields::field(line)?;
                self.head.fields.push(field);
                self.check_count(self.head.fields.len())?;
            }
            State::ChunkSize => self.begin_chunk(line)?,
            State::ChunkEnd if line.is_empty() => self.expect_chunk(),
            State::ChunkEnd => return Err(Failure::new("chunk", "a chunk is longer than it says")),
            State::Trailers if line.is_empty() => self.state = State::Done,
            // Read for its form, and dropped (RFC 9112, section 7.1.2).
            State::Trailers => {
                fields::field(line)?;
                self.trailers = self.trailers.saturating_add(1);
                self.check_count(self.trailers)?;
            }
            // These states gather no lines.
            State::Body(_) | State::Chunk(_) | State::Done => {}
        }
        Ok(())
    }

    fn check_count(&self, count: usize) -> Result<(), Failure> {
        if count > MOST_FIELDS {
            return Err(Failure::new("head-too-large", format!("it has more than {MOST_FIELDS} fields")));
        }
        Ok(())
    }

    fn end_head(&mut self) -> Result<(), Failure> {
        if self.head.status == 101 {
            return Err(Failure::new("interim", "it changes the protocol, which nobody asked for"));
        }
        if self.head.is_interim() {
            self.interim = self.interim.saturating_add(1);
            if self.interim > MOST_INTERIM {
                return Err(Failure::new("interim", format!("it sent more than {MOST_INTERIM} interim answers")));
            }
            self.state = State::StatusLine;
            self.left = LONGEST_HEAD;
            return Ok(());
        }
        if !self.head.has_body() {
            self.state = State::Done;
            return Ok(());
        }
        match self.head.framing()? {
            Framing::Length(length) if length > LONGEST_BODY => return Err(too_large("its body")),
            Framing::Length(0) => self.state = State::Done,
            Framing::Length(length) => self.state = State::Body(length),
            Framing::Chunked => self.expect_chunk(),
        }
        Ok(())
    }

    fn expect_chunk(&mut self) {
        self.state = State::ChunkSize;
        self.left = MOST_SIZE_DIGITS + LONGEST_EXTENSION + 2;
    }

    fn begin_chunk(&mut self, line: &[u8]) -> Result<(), Failure> {
        match fields::chunk_size(line, MOST_SIZE_DIGITS)? {
            0 => {
                self.state = State::Trailers;
                self.left = LONGEST_HEAD;
            }
            size if size > LONGEST_BODY.saturating_sub(self.body.len()) => return Err(too_large("its body")),
            size => self.state = State::Chunk(size),
        }
        Ok(())
    }
}

impl Response {
    /// The value of the field `name`, which is in lower case.
    ///
    /// # Errors
    /// Code `field` when it is there twice.
    pub fn field(&self, name: &str) -> Result<Option<&str>, Failure> {
        fields::single(&self.fields, name)
    }

    /// Fails unless the body is what it seems to be: JSON without a coding (RFC 9110, sections 8.3 and 8.4).
    ///
    /// # Errors
    /// Codes `content-type` and `content-encoding`.
    pub fn check_is_json(&self) -> Result<(), Failure> {
        if self.fields.iter().any(|(name, _)| name == "content-encoding") {
            return Err(Failure::new("content-encoding", "its body is compressed or encoded, which nobody asked for"));
        }
        let written = self.field("content-type")?.unwrap_or_default();
        let (media, parameters) = written.split_once(';').unwrap_or((written, ""));
        let utf8 = ["", "charset=utf-8", "charset=\"utf-8\""];
        if media.trim_end().eq_ignore_ascii_case("application/json")
            && utf8.contains(&parameters.trim().to_ascii_lowercase().as_str())
        {
            return Ok(());
        }
        Err(Failure::new("content-type", "its body is not of the type `application/json`"))
    }
}

fn too_large(what: &str) -> Failure {
    Failure::new("too-large", format!("{what} is too long: a body has at most {LONGEST_BODY} bytes"))
}
