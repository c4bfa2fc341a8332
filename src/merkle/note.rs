//! Signed notes: a text, and lines that say who signed it (C2SP `signed-note`).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::key::{Signer, Verifier, check_name};

/// The longest note that is read, in bytes.
const LONGEST: usize = 1_000_000;
/// Signatures that are read; the specification asks for sixteen at least.
const MOST_SIGNATURES: usize = 100;
/// What a signature line begins with: an em dash and a space.
const DASH: &str = "\u{2014} ";

/// A note whose form is right. Nothing of it has been verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<SignatureLine>,
}

/// One signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureLine {
    pub name: String,
    /// The number of the key, see [`Verifier::id`].
    pub id: u32,
    pub signature: Vec<u8>,
}

/// Why a note says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoteError {
    /// Not of the form of a signed note.
    Malformed,
    /// No signature is by a key that is known.
    Unsigned,
    /// A known key, named here, and a signature that is not its own.
    WrongSignature(String),
}

impl Note {
    /// Takes a note apart.
    ///
    /// # Errors
    /// [`NoteError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        let whole = std::str::from_utf8(bytes).map_err(|_| NoteError::Malformed)?;
        let has_control = whole.bytes().any(|byte| byte < 0x20 && byte != b'\n');
        if whole.len() > LONGEST || has_control {
            return Err(NoteError::Malformed);
        }
        let blank = whole.rfind("\n\n").ok_or(NoteError::Malformed)?;
        let (text, lines) = whole.split_at_checked(blank.saturating_add(1)).ok_or(NoteError::Malformed)?;
        let lines = lines.strip_prefix('\n').ok_or(NoteError::Malformed)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        let signatures: Vec<_> = lines
            .split('\n')
            .take(MOST_SIGNATURES.saturating_add(1))
            .map(SignatureLine::parse)
            .collect::<Result<_, _>>()?;
        if signatures.len() > MOST_SIGNATURES {
            return Err(NoteError::Malformed);
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The note with `text`, which ends with a line end, signed by `signer`.
    pub fn signed(text: String, signer: &Signer) -> Self {
        let line = signer.sign(&text);
        Self { text, signatures: vec![line] }
    }

    /// The text once somebody of `known` has signed it, and who has. Signatures by others say nothing.
    ///
    /// # Errors
    /// No known key has signed, or a signature of a known key is wrong.
    pub fn verify<'k>(&self, known: &'k [Verifier]) -> Result<(&str, Vec<&'k Verifier>), NoteError> {
        let mut by: Vec<&Verifier> = Vec::new();
        for line in &self.signatures {
            let Some(key) = known.iter().find(|key| key.name() == line.name && key.id() == line.id) else { continue };
            if !key.signed(&self.text, &line.signature) {
                return Err(NoteError::WrongSignature(line.name.clone()));
            }
            if !by.contains(&key) {
                by.push(key);
            }
        }
        if by.is_empty() { Err(NoteError::Unsigned) } else { Ok((&self.text, by)) }
    }

    /// The text, which nobody may have signed.
    pub fn unverified_text(&self) -> &str {
        &self.text
    }

    /// The signature lines, which may be wrong.
    pub fn signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }

    /// Adds a signature line, unless one by the same key is there.
    pub fn add(&mut self, line: SignatureLine) {
        if !self.signatures.iter().any(|there| there.name == line.name && there.id == line.id) {
            self.signatures.push(line);
        }
    }
}

impl SignatureLine {
    /// Takes a line without its line end apart.
    ///
    /// # Errors
    /// [`NoteError::Malformed`].
    pub fn parse(line: &str) -> Result<Self, NoteError> {
        let rest = line.strip_prefix(DASH).ok_or(NoteError::Malformed)?;
        let (name, encoded) = rest.split_once(' ').ok_or(NoteError::Malformed)?;
        check_name(name).map_err(|_| NoteError::Malformed)?;
        let bytes = BASE64.decode(encoded).map_err(|_| NoteError::Malformed)?;
        let (id, signature) = bytes.split_first_chunk::<4>().ok_or(NoteError::Malformed)?;
        if signature.is_empty() {
            return Err(NoteError::Malformed);
        }
        Ok(Self { name: name.to_owned(), id: u32::from_be_bytes(*id), signature: signature.to_vec() })
    }
}

impl fmt::Display for SignatureLine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.id.to_be_bytes().as_slice(), &self.signature].concat();
        writeln!(out, "{DASH}{} {}", self.name, BASE64.encode(bytes))
    }
}

/// The note as it is stored and sent.
impl fmt::Display for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| line.fmt(out))
    }
}

impl fmt::Display for NoteError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => out.write_str("it is not a signed note"),
            Self::Unsigned => out.write_str("no known key has signed it"),
            Self::WrongSignature(name) => write!(out, "the signature of {name} is wrong"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of C2SP `signed-note`.
    const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
        Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    #[test]
    fn the_example_of_the_specification_verifies() {
        let note = Note::parse(NOTE.as_bytes()).unwrap();
        let key = Verifier::parse(KEY).unwrap();
        assert_eq!(note.verify(std::slice::from_ref(&key)), Ok(("This is an example message.\n", vec![&key])));
        assert_eq!(note.to_string(), NOTE);
        assert_eq!(note.verify(&[]), Err(NoteError::Unsigned));
    }

    #[test]
    fn no_bit_of_a_note_can_be_changed() {
        let key = [Verifier::parse(KEY).unwrap()];
        for at in 0..NOTE.len() * 8 {
            let mut bytes = NOTE.as_bytes().to_vec();
            bytes[at / 8] ^= 1 << (at % 8);
            let verified = Note::parse(&bytes).and_then(|note| note.verify(&key).map(drop));
            assert!(verified.is_err(), "bit {at}");
        }
    }

    #[test]
    fn a_wrong_signature_of_a_known_key_counts_and_one_of_a_stranger_does_not() {
        let [one, two] = [1, 2].map(|seed| Signer::new("log", &[seed; 32]).unwrap());
        let mut note = Note::signed("text\n".into(), &one);
        note.add(two.sign("another\n"));
        assert!(note.verify(&[one.verifier()]).is_ok());
        let both = [one.verifier(), two.verifier()];
        let wrong = note.verify(&both);
        assert_eq!(wrong, Err(NoteError::WrongSignature("log".into())));
    }

    #[test]
    fn texts_that_are_no_note_are_refused() {
        let line = "\u{2014} a AAAAAAA=\n";
        let many = format!("a\n\n{}", line.repeat(101));
        let forms = ["", "\n\n", "a\n\n", "a\n\nb\n", "a\n\u{2014} a AAAAAAA=\n", "a\u{7}\n\n\u{2014} a AAAAAAA=\n"];
        for text in
            forms.into_iter().chain([many.as_str(), "a\n\n\u{2014} a AAAAAA==\n", "a\n\n\u{2014} a+b AAAAAAA=\n"])
        {
            assert_eq!(Note::parse(text.as_bytes()), Err(NoteError::Malformed), "{text:?}");
        }
        assert!(Note::parse(format!("a\n\n{}", line.repeat(100)).as_bytes()).is_ok());
        assert_eq!(Note::parse(b"\xff\n\n"), Err(NoteError::Malformed));
    }
}
