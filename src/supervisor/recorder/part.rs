//! Parts of records that are the same from call to call, written once.

use crate::audit::record::Fields;

/// A part, and what it says.
#[derive(Debug)]
pub(super) struct Part<K> {
    says: Option<K>,
    text: Vec<u8>,
}

impl<K: PartialEq> Part<K> {
    /// The fields that say `what`, which alone decides about what `write` writes.
    pub(super) fn saying(&mut self, what: K, write: impl FnOnce(&mut Fields<'_>)) -> &[u8] {
        self.text(what, |text| write(&mut Fields::new(text)))
    }

    /// The same for a text that is no whole field at its beginning or its end.
    pub(super) fn text(&mut self, what: K, write: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        if self.says.as_ref() != Some(&what) {
            self.text.clear();
            write(&mut self.text);
            self.says = Some(what);
        }
        &self.text
    }
}

impl<K> Default for Part<K> {
    fn default() -> Self {
        Self { says: None, text: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_written_anew_when_it_is_to_say_something_else() {
        let (mut part, mut written) = (Part::default(), 0);
        for what in [1, 1, 2, 2, 1] {
            let text = part.saying(what, |fields| {
                written += 1;
                fields.number("what", what);
            });
            assert_eq!(text, format!("\"what\":{what}").as_bytes());
        }
        assert_eq!(written, 3);
    }
}
