//! Variables that paths of a policy may begin with.

use std::borrow::Cow;

use super::abs_path::{AbsPath, Look};

/// What a path may use; `~` is short for `$HOME`.
pub const KNOWN: [&str; 10] = [
    "~",
    "$HOME",
    "$WORKDIR",
    "$TMPDIR",
    "$UID",
    "$XDG_CACHE_HOME",
    "$XDG_CONFIG_HOME",
    "$XDG_DATA_HOME",
    "$XDG_RUNTIME_DIR",
    "$XDG_STATE_HOME",
];

/// The values of the variables. A value that is no absolute path counts as unset, as the XDG Base Directory Specification
/// asks for its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variables {
    pub home: Option<AbsPath>,
    pub workdir: AbsPath,
    pub tmpdir: Option<AbsPath>,
    pub uid: u32,
    /// Unset, the four `HOME`s are beneath `home`, where the specification puts them.
    pub xdg_cache_home: Option<AbsPath>,
    pub xdg_config_home: Option<AbsPath>,
    pub xdg_data_home: Option<AbsPath>,
    pub xdg_runtime_dir: Option<AbsPath>,
    pub xdg_state_home: Option<AbsPath>,
}

/// A text with its variables replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expanded<'t> {
    /// The path that the text begins with, when that was a variable.
    pub(super) base: Option<Cow<'t, AbsPath>>,
    /// What follows; with a base it is empty or begins with `/`.
    pub(super) rest: Cow<'t, str>,
    /// What stands in the rest.
    pub(super) look: Look,
}

/// Why a text could not be expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum VariableError {
    /// A path variable that is not at the beginning, or has more than `/…` behind it.
    Inside,
    /// `~name`
    OtherHome,
    Unknown(String),
    Unset(&'static str),
}

impl Variables {
    /// The variables of an environment, which `value` looks up by name.
    pub fn new(workdir: AbsPath, uid: u32, value: impl Fn(&str) -> Option<Vec<u8>>) -> Self {
        let path = |name: &str| AbsPath::new(&value(name)?);
        Self {
            home: path("HOME"),
            workdir,
            tmpdir: path("TMPDIR"),
            uid,
            xdg_cache_home: path("XDG_CACHE_HOME"),
            xdg_config_home: path("XDG_CONFIG_HOME"),
            xdg_data_home: path("XDG_DATA_HOME"),
            xdg_runtime_dir: path("XDG_RUNTIME_DIR"),
            xdg_state_home: path("XDG_STATE_HOME"),
        }
    }

    /// Replaces `~` or a path variable at the beginning, and `$UID` anywhere. A `$` that no name follows stays.
    pub(super) fn expand<'t>(&'t self, text: &'t str) -> Result<Expanded<'t>, VariableError> {
        let (base, rest) = match text.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => (Some(self.path("$HOME")?), rest),
            Some(_) => return Err(VariableError::OtherHome),
            None => match leading_name(text) {
                Some((name, rest)) if name != "$UID" => (Some(self.path(name)?), rest),
                _ => (None, text),
            },
        };
        if base.is_some() && !rest.is_empty() && !rest.starts_with('/') {
            return Err(VariableError::Inside);
        }
        let look = Look::at(rest.as_bytes());
        if !look.has_dollar() {
            return Ok(Expanded { base, rest: Cow::Borrowed(rest), look });
        }
        let rest = self.expand_inside(rest)?;
        let look = Look::at(rest.as_bytes());
        Ok(Expanded { base, rest: Cow::Owned(rest), look })
    }

    fn expand_inside(&self, text: &str) -> Result<String, VariableError> {
        let mut whole = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            let (before, from) = rest.split_at(at);
            whole.push_str(before);
            match leading_name(from) {
                Some(("$UID", behind)) => {
                    whole.push_str(&self.uid.to_string());
                    rest = behind;
                }
                Some((name, _)) if KNOWN.contains(&name) => return Err(VariableError::Inside),
                Some((name, _)) => return Err(VariableError::Unknown(name.to_owned())),
                None => {
                    whole.push('$');
                    rest = from.get(1..).unwrap_or_default();
                }
            }
        }
        whole.push_str(rest);
        Ok(whole)
    }

    /// The value of a path variable.
    fn path(&self, name: &str) -> Result<Cow<'_, AbsPath>, VariableError> {
        let (name, value, default) = match name {
            "$HOME" => ("HOME", &self.home, None),
            "$WORKDIR" => return Ok(Cow::Borrowed(&self.workdir)),
            "$TMPDIR" => ("TMPDIR", &self.tmpdir, None),
            "$XDG_CACHE_HOME" => ("XDG_CACHE_HOME", &self.xdg_cache_home, Some(".cache")),
            "$XDG_CONFIG_HOME" => ("XDG_CONFIG_HOME", &self.xdg_config_home, Some(".config")),
            "$XDG_DATA_HOME" => ("XDG_DATA_HOME", &self.xdg_data_home, Some(".local/share")),
            "$XDG_RUNTIME_DIR" => ("XDG_RUNTIME_DIR", &self.xdg_runtime_dir, None),
            "$XDG_STATE_HOME" => ("XDG_STATE_HOME", &self.xdg_state_home, Some(".local/state")),
            other => return Err(VariableError::Unknown(other.to_owned())),
        };
        match (value, &self.home, default) {
            (Some(value), _, _) => Ok(Cow::Borrowed(value)),
            (None, Some(home), Some(beneath)) => Ok(Cow::Owned(home.join(beneath.as_bytes()))),
            (None, _, _) => Err(VariableError::Unset(name)),
        }
    }
}

/// `$NAME` or the start of `${NAME}` that a text begins with, and what follows. Braces are no spelling of ours, so their name
/// comes out as it stands and nobody knows it.
fn leading_name(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('$')?;
    let end = match inside.as_bytes().first()? {
        b'{' => inside.find('}').map_or(inside.len(), |end| end.saturating_add(1)),
        first if first.is_ascii_alphabetic() || *first == b'_' => {
            inside.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
        }
        _ => return None,
    };
    text.split_at_checked(end.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(environment: &'static [(&str, &str)]) -> Variables {
        Variables::new(AbsPath::new(b"/work").unwrap(), 1000, |name| {
            environment.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_bytes().to_vec())
        })
    }

    fn shown(variables: &Variables, text: &str) -> String {
        match variables.expand(text) {
            Ok(Expanded { base, rest, .. }) => {
                format!("{}|{rest}", base.map_or_else(String::new, |base| base.to_string()))
            }
            Err(error) => format!("{error:?}"),
        }
    }

    #[test]
    fn variables_at_the_beginning_and_uid_anywhere_are_replaced() {
        let variables = variables(&[("HOME", "/home/u"), ("XDG_DATA_HOME", "/data")]);
        for (text, expected) in [
            ("~", "/home/u|"),
            ("~/a", "/home/u|/a"),
            ("$HOME/a~$b", "Unknown(\"$b\")"),
            ("$HOME/a~", "/home/u|/a~"),
            ("$WORKDIR/**", "/work|/**"),
            ("$XDG_CONFIG_HOME/x", "/home/u/.config|/x"),
            ("$XDG_CACHE_HOME", "/home/u/.cache|"),
            ("$XDG_STATE_HOME", "/home/u/.local/state|"),
            ("$XDG_DATA_HOME", "/data|"),
            ("/run/user/$UID/bus", "|/run/user/1000/bus"),
            ("$UID", "|1000"),
            ("/a$/b$1", "|/a$/b$1"),
            ("**/.env", "|**/.env"),
        ] {
            assert_eq!(shown(&variables, text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_unset_unknown_or_misplaced_is_an_error() {
        let variables = variables(&[("HOME", "relative"), ("TMPDIR", "")]);
        for (text, expected) in [
            ("~/a", "Unset(\"HOME\")"),
            ("$XDG_CONFIG_HOME", "Unset(\"XDG_CONFIG_HOME\")"),
            ("$TMPDIR/x", "Unset(\"TMPDIR\")"),
            ("$XDG_RUNTIME_DIR/bus", "Unset(\"XDG_RUNTIME_DIR\")"),
            ("$HOMES/a", "Unknown(\"$HOMES\")"),
            ("${HOME}/a", "Unknown(\"${HOME}\")"),
            ("${HOME", "Unknown(\"${HOME\")"),
            ("~other/a", "OtherHome"),
            ("$WORKDIR.bak", "Inside"),
            ("/x/$WORKDIR", "Inside"),
        ] {
            assert_eq!(shown(&variables, text), expected, "{text}");
        }
    }
}
