//! Absolute paths as bytes, without `.`, `..` or doubled slashes.

use std::fmt;
use std::sync::Arc;

/// An absolute path in normal form. Linux paths are bytes (`path_resolution(7)`), so this need not be UTF-8.
///
/// Normal form is lexical: `..` was removed as text, so a path that went through a symbolic link may name another file.
/// The host's facts carry the real path.
///
/// Copies share their bytes: a path of a policy is in its rule, in the plan and in what was looked up.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AbsPath(Arc<[u8]>);

impl AbsPath {
    /// The normal form of `bytes`, or `None` when they are not an absolute path, or hold a NUL.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        Self::looked_at(bytes, Look::at(bytes))
    }

    /// [`Self::new`] of what `look` was at.
    pub(super) fn looked_at(bytes: &[u8], look: Look) -> Option<Self> {
        let is_absolute = bytes.first() == Some(&b'/') && !look.has_nul();
        is_absolute.then(|| Self::normal(b"/", bytes, look))
    }

    /// The directory `/`.
    pub fn root() -> Self {
        Self(Arc::from(*b"/"))
    }

    /// `relative` beneath this path, as text: `..` removes a component and stops at the root.
    #[must_use]
    pub fn join(&self, relative: &[u8]) -> Self {
        self.join_looked_at(relative, Look::at(relative))
    }

    /// [`Self::join`] of what `look` was at.
    pub(super) fn join_looked_at(&self, relative: &[u8], look: Look) -> Self {
        Self::normal(&self.0, relative, look)
    }

    /// `path` itself when it is absolute, else `path` beneath this one.
    #[must_use]
    pub fn join_or_absolute(&self, path: &[u8]) -> Self {
        if path.first() == Some(&b'/') { Self::root().join(path) } else { self.join(path) }
    }

    /// The path's bytes, without a NUL at the end.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The last component; `/` has none.
    pub fn file_name(&self) -> Option<&[u8]> {
        let name = self.0.rsplit(|&byte| byte == b'/').next()?;
        (!name.is_empty()).then_some(name)
    }

    /// The directory above; `/` has none.
    pub fn parent(&self) -> Option<Self> {
        let name = self.file_name()?;
        let slash = self.0.len().saturating_sub(name.len()).saturating_sub(1);
        Some(Self(self.0.get(..slash.max(1)).unwrap_or_default().into()))
    }

    /// Whether this is `ancestor`, or lies beneath it.
    #[inline]
    pub fn is_within(&self, ancestor: &Self) -> bool {
        // The byte behind the prefix tells almost every pair of paths apart before any other is compared.
        match self.0.get(ancestor.0.len()) {
            None => self == ancestor,
            Some(b'/') => self.0.starts_with(&ancestor.0),
            Some(_) => ancestor.0.len() == 1,
        }
    }

    /// The parts one after the other. What is short is put together on the stack, so that it is allocated once.
    fn of_parts(parts: &[&[u8]]) -> Self {
        let mut short = [0; 128];
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let Some(whole) = short.get_mut(..length) else { return Self(parts.concat().into()) };
        let mut rest = &mut *whole;
        for part in parts {
            let Some((here, behind)) = rest.split_at_mut_checked(part.len()) else { break };
            here.copy_from_slice(part);
            rest = behind;
        }
        Self(Arc::from(&*whole))
    }

    /// `relative` beneath the normal form `base`.
    fn normal(base: &[u8], relative: &[u8], look: Look) -> Self {
        if look.is_normal() {
            let relative = relative.strip_prefix(b"/").unwrap_or(relative);
            let slash: &[u8] = if base.len() > 1 { b"/" } else { b"" };
            return Self::of_parts(&[base, slash, relative]);
        }
        let mut path = Vec::with_capacity(base.len().saturating_add(relative.len()).saturating_add(1));
        path.extend_from_slice(base);
        for part in relative.split(|&byte| byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => {
                    let parent = path.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
                    path.truncate(parent.max(1));
                }
                name => {
                    if path.len() > 1 {
                        path.push(b'/');
                    }
                    path.extend_from_slice(name);
                }
            }
        }
        Self(path.into())
    }
}

/// What stands in a text that is to become a path, found in one pass over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    found: u8,
    /// What stands twice in a row, or a slash behind a dot.
    pairs: u8,
    /// The last byte is one that ends no name, or there is none.
    open: bool,
}

const NUL: u8 = 1;
const DOT: u8 = 2;
const SLASH: u8 = 4;
const PATTERN: u8 = 8;
const DOLLAR: u8 = 16;

/// What each byte is.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    classes[0] = NUL;
    classes[b'.' as usize] = DOT;
    classes[b'/' as usize] = SLASH;
    classes[b'$' as usize] = DOLLAR;
    classes[b'*' as usize] = PATTERN;
    classes[b'?' as usize] = PATTERN;
    classes[b'[' as usize] = PATTERN;
    classes[b'{' as usize] = PATTERN;
    classes
};

impl Look {
    pub(super) fn at(text: &[u8]) -> Self {
        let (mut found, mut pairs, mut before) = (0, 0, 0);
        for byte in text {
            let class = CLASSES[usize::from(*byte)];
            found |= class;
            pairs |= class & before;
            // A slash that follows a dot counts like one that follows a slash.
            before = class | (class & DOT) << 1;
        }
        Self { found, pairs, open: matches!(text.last(), None | Some(b'/' | b'.')) }
    }

    pub(super) fn has_nul(self) -> bool {
        self.found & NUL != 0
    }

    /// A variable may stand in it.
    pub(super) fn has_dollar(self) -> bool {
        self.found & DOLLAR != 0
    }

    /// It has a character that makes a pattern of a path.
    pub(super) fn is_pattern(self) -> bool {
        self.found & PATTERN != 0
    }

    /// Two dots stand side by side, as they do in few paths.
    pub(super) fn has_two_dots(self) -> bool {
        self.pairs & DOT != 0
    }

    /// Every part between slashes is a name. A name with a dot at its end counts as none, which costs only time.
    fn is_normal(self) -> bool {
        self.pairs & SLASH == 0 && !self.open
    }
}

impl fmt::Debug for AbsPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}")
    }
}

/// Escaped, on one line: a hostile name cannot colour, move or forge what is printed around it.
impl fmt::Display for AbsPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::profile::escape::write_escaped(out, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> AbsPath {
        AbsPath::new(text.as_bytes()).unwrap()
    }

    #[test]
    fn normal_form_has_no_dots_and_no_doubled_slashes() {
        for (written, normal) in
            [("/", "/"), ("//a//b/", "/a/b"), ("/a/./b/../c", "/a/c"), ("/../..", "/"), ("/a/..", "/")]
        {
            assert_eq!(path(written).as_bytes(), normal.as_bytes(), "{written}");
        }
    }

    #[test]
    fn a_relative_path_or_one_with_a_nul_is_none() {
        assert_eq!(AbsPath::new(b"a/b"), None);
        assert_eq!(AbsPath::new(b""), None);
        assert_eq!(AbsPath::new(b"/a\0b"), None);
    }

    #[test]
    fn within_compares_whole_components() {
        assert!(path("/a/b").is_within(&path("/a")));
        assert!(path("/a").is_within(&path("/a")));
        assert!(path("/a").is_within(&path("/")));
        assert!(!path("/ab").is_within(&path("/a")));
        assert!(!path("/a").is_within(&path("/a/b")));
    }

    #[test]
    fn parent_and_name_take_a_path_apart() {
        assert_eq!(path("/a/b").parent(), Some(path("/a")));
        assert_eq!(path("/a").parent(), Some(path("/")));
        assert_eq!(path("/").parent(), None);
        assert_eq!(path("/a/b").file_name(), Some(&b"b"[..]));
    }
}
