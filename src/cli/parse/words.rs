//! The words given to one verb, and how its row asks for them.

use std::ffi::{OsStr, OsString};

use crate::cli::table::{Flag, Verb};
use crate::cli::usage::{UsageError, quoted};

/// The words given to one verb, sorted by what they are.
#[derive(Debug)]
pub(crate) struct Words {
    pub(super) verb: &'static Verb,
    pub(super) path: String,
    /// Switches, and flags that count once: each at most once.
    pub(super) singles: Vec<Given>,
    /// Flags of which each value counts, in their order.
    pub(super) repeated: Vec<Given>,
    pub(super) operands: Vec<OsString>,
}

/// A flag as it was given.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) flag: &'static Flag,
    /// With its dashes, as the user spelt it.
    pub(super) spelt: String,
    /// Empty for a switch.
    pub(super) value: OsString,
}

impl Words {
    /// No words yet, for the verb at `path`.
    pub(super) fn new(verb: &'static Verb, path: String) -> Self {
        Self { verb, path, singles: Vec::new(), repeated: Vec::new(), operands: Vec::new() }
    }

    /// The verb with `nono` before it, such as `nono run`.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The error that `sentence`, without a full stop, is about this verb.
    pub(crate) fn fault(&self, sentence: impl Into<String>) -> UsageError {
        UsageError::new(&self.path, sentence)
    }

    /// The error that something is missing; the usage line follows `sentence`.
    pub(crate) fn missing(&self, sentence: &str) -> UsageError {
        self.fault(format!("`{}` {sentence}: {}", self.path, self.verb.usage_line(&self.path)))
    }

    /// Whether the switch `flag` was given.
    pub(crate) fn switch(&self, flag: &'static Flag) -> bool {
        self.single(flag).is_some()
    }

    /// The value of `flag`, which counts once.
    pub(crate) fn one(&self, flag: &'static Flag) -> Option<OsString> {
        self.single(flag).map(|given| given.value.clone())
    }

    /// [`Self::one`] as text.
    ///
    /// # Errors
    /// The value is not UTF-8.
    pub(crate) fn one_text(&self, flag: &'static Flag) -> Result<Option<String>, UsageError> {
        self.single(flag).map(|given| self.text(&given.spelt, &given.value)).transpose()
    }

    /// Every value of `flag`, in order.
    pub(crate) fn all(&self, flag: &'static Flag) -> Vec<OsString> {
        self.of(flag).map(|given| given.value.clone()).collect()
    }

    /// [`Self::all`] as text.
    ///
    /// # Errors
    /// A value is not UTF-8.
    pub(crate) fn all_text(&self, flag: &'static Flag) -> Result<Vec<String>, UsageError> {
        self.of(flag).map(|given| self.text(&given.spelt, &given.value)).collect()
    }

    /// The flags of which each value counts, with their values, in order.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = (&'static Flag, &OsStr)> {
        self.repeated.iter().map(|given| (given.flag, given.value.as_os_str()))
    }

    /// Gives the operands away.
    pub(crate) fn operands(&mut self) -> Vec<OsString> {
        std::mem::take(&mut self.operands)
    }

    /// Exactly as many operands as the caller names; `needs` says which.
    ///
    /// # Errors
    /// Fewer, more, or an empty word.
    pub(crate) fn exactly<const N: usize>(&mut self, needs: &str) -> Result<[OsString; N], UsageError> {
        let given = self.operands();
        if let Some(extra) = given.get(N) {
            return Err(self.missing(&format!("{needs}, and {} is one word too many", quoted(extra))));
        }
        self.none_empty(&given)?;
        given.try_into().map_err(|_| self.missing(needs))
    }

    /// One operand or more; `needs` says what they are.
    ///
    /// # Errors
    /// None, or an empty word.
    pub(crate) fn some(&mut self, needs: &str) -> Result<Vec<OsString>, UsageError> {
        let given = self.operands();
        if given.is_empty() {
            return Err(self.missing(needs));
        }
        self.none_empty(&given)?;
        Ok(given)
    }

    /// That there is no operand; `why` says what the verb does instead.
    ///
    /// # Errors
    /// There is one.
    pub(crate) fn nothing_more(&mut self, why: &str) -> Result<(), UsageError> {
        let given = self.operands();
        let extra = given
            .first()
            .map(|word| self.fault(format!("{} is one word too many: `{}` {why}", quoted(word), self.path)));
        extra.map_or(Ok(()), Err)
    }

    /// `value`, given for `what`, as text.
    ///
    /// # Errors
    /// It is not UTF-8.
    pub(crate) fn text(&self, what: &str, value: &OsStr) -> Result<String, UsageError> {
        let text = value.to_str().map(str::to_owned);
        text.ok_or_else(|| self.fault(format!("{}, given for `{what}`, is not UTF-8 text", quoted(value))))
    }

    fn none_empty(&self, given: &[OsString]) -> Result<(), UsageError> {
        let empty = given.iter().any(|word| word.is_empty());
        if empty { Err(self.missing("was given an empty word")) } else { Ok(()) }
    }

    /// The one time that `flag` was given.
    pub(super) fn single(&self, flag: &'static Flag) -> Option<&Given> {
        self.singles.iter().find(|given| std::ptr::eq(given.flag, flag))
    }

    fn of(&self, flag: &'static Flag) -> impl Iterator<Item = &Given> {
        self.repeated.iter().filter(move |given| std::ptr::eq(given.flag, flag))
    }
}
