//! Reading a message from its start to its end; compressed names look back (RFC 1035, section 4.1.4).

use super::Broken;

/// Bytes of a name on the wire (RFC 1035, section 2.3.4).
const LONGEST_NAME: usize = 255;

/// A place in a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'m> {
    message: &'m [u8],
    at: usize,
}

impl<'m> Reader<'m> {
    pub(super) fn new(message: &'m [u8]) -> Self {
        Self { message, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn bytes(&mut self, length: usize) -> Result<&'m [u8], Broken> {
        let end = self.at.checked_add(length).ok_or(Broken::Short)?;
        let bytes = self.message.get(self.at..end).ok_or(Broken::Short)?;
        self.at = end;
        Ok(bytes)
    }

    pub(super) fn number(&mut self) -> Result<u16, Broken> {
        let bytes = self.bytes(2)?.try_into().map_err(|_| Broken::Short)?;
        Ok(u16::from_be_bytes(bytes))
    }

    pub(super) fn long(&mut self) -> Result<u32, Broken> {
        let bytes = self.bytes(4)?.try_into().map_err(|_| Broken::Short)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn byte(&mut self) -> Result<u8, Broken> {
        self.bytes(1)?.first().copied().ok_or(Broken::Short)
    }

    /// A name as its labels. Each pointer leads further back, so that following them ends.
    pub(super) fn name(&mut self) -> Result<Vec<&'m [u8]>, Broken> {
        let mut labels = Vec::new();
        let mut length = 1_usize;
        let mut cursor = *self;
        let mut behind = None;
        loop {
            let start = cursor.at;
            let first = cursor.byte()?;
            match first >> 6 {
                0 if first == 0 => break,
                0 => {
                    length = length.saturating_add(usize::from(first)).saturating_add(1);
                    if length > LONGEST_NAME {
                        return Err(Broken::Name);
                    }
                    labels.push(cursor.bytes(usize::from(first))?);
                }
                0b11 => {
                    let target = usize::from(first & 0x3f) << 8 | usize::from(cursor.byte()?);
                    behind.get_or_insert(cursor.at);
                    if target >= start || target >= self.at {
                        return Err(Broken::Name);
                    }
                    cursor.at = target;
                }
                _ => return Err(Broken::Name),
            }
            if behind.is_some() && labels.len() > LONGEST_NAME {
                return Err(Broken::Name);
            }
        }
        self.at = behind.unwrap_or(cursor.at);
        Ok(labels)
    }
}

/// The name in lower case with dots between its labels; `None` where a byte is none of a host name, so that the text would
/// not be the name.
pub(super) fn host_name(labels: &[&[u8]]) -> Option<String> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if labels.is_empty() || !labels.iter().all(|label| label.iter().all(is_plain)) {
        return None;
    }
    let text = labels.join(&b'.');
    String::from_utf8(text).ok().map(|text| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(message: &[u8], at: usize) -> Result<(Vec<&[u8]>, usize), Broken> {
        let mut reader = Reader { message, at };
        reader.name().map(|labels| (labels, reader.at))
    }

    #[test]
    fn names_are_read_with_and_without_pointers() {
        let message = b"\x01a\x02bc\x00\x01x\xc0\x02\xc0\x06";
        assert_eq!(name(message, 0), Ok((vec![&b"a"[..], b"bc"], 6)));
        assert_eq!(name(message, 6), Ok((vec![&b"x"[..], b"bc"], 10)));
        assert_eq!(name(message, 10), Ok((vec![&b"x"[..], b"bc"], 12)));
        assert_eq!(name(b"\x00", 0), Ok((vec![], 1)));
    }

    #[test]
    fn pointers_that_do_not_lead_back_are_refused() {
        for message in [&b"\xc0\x00"[..], b"\x01a\xc0\x00", b"\xc0\x02\x00", b"\x40a\x00", b"\x80a\x00"] {
            assert_eq!(name(message, 0), Err(Broken::Name), "{message:?}");
        }
        for message in [&b""[..], b"\x01", b"\x03ab", b"\x01a", b"\xc0"] {
            assert_eq!(name(message, 0), Err(Broken::Short), "{message:?}");
        }
        let long = [&[63][..], &[b'a'; 63]].concat().repeat(4);
        assert_eq!(name(&[&long[..], b"\x00"].concat(), 0), Err(Broken::Name));
    }

    #[test]
    fn only_names_of_hosts_become_text() {
        assert_eq!(host_name(&[b"API", b"Example", b"com"]).as_deref(), Some("api.example.com"));
        for labels in [&[&b"a.b"[..], b"com"][..], &[b"a\0", b"com"], &[b"\xff"], &[b"a b"], &[]] {
            assert_eq!(host_name(labels), None);
        }
    }
}
