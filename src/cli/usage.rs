//! What is said about a command line that cannot be read.

use std::error::Error;
use std::ffi::OsStr;
use std::fmt;

/// Why a command line means nothing: a sentence, and the help to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageError {
    sentence: String,
    /// The words before `--help`, such as `nono run`.
    path: String,
}

impl UsageError {
    /// Whether it is about a verb that answers with a program's exit status, so that a 2 would be taken for the program's.
    pub fn is_about_a_program(&self) -> bool {
        matches!(self.path.as_str(), "nono run" | "nono shell" | "nono wrap")
    }

    /// `sentence` says what is wrong, without a full stop (a question keeps its mark); `path` is the verb it is about, with `nono` before it.
    pub(crate) fn new(path: &str, sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), path: path.to_owned() }
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stop = if self.sentence.ends_with('?') { "" } else { "." };
        write!(out, "{}{stop} Try `{} --help`.", self.sentence, self.path)
    }
}

impl Error for UsageError {}

/// A word of the user in quotes, on one line and at most 60 characters long: what a terminal would act on or not show
/// comes out as an escape, and so do bytes that are not UTF-8.
pub(crate) fn quoted(word: impl AsRef<OsStr>) -> String {
    const MOST: usize = 60;
    let text = format!("{:?}", word.as_ref());
    if text.chars().count() <= MOST {
        return text;
    }
    let head: String = text.chars().take(MOST).collect();
    format!("{head}…\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_words_are_shown_as_escapes_and_cut() {
        assert_eq!(quoted("a\u{1b}[2J\n\u{202e}b\u{200b}"), r#""a\u{1b}[2J\n\u{202e}b\u{200b}""#);
        assert_eq!(quoted("x".repeat(100_000)).chars().count(), 62);
    }
}
