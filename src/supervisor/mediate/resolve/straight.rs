//! The common path: no symbolic link on it, so that its text says where it leads. One call tells, and nothing is read back.

use std::ffi::{CStr, CString};

use syscalls::Errno;
use syscalls::file;

use super::{Last, Resolver, is_in_proc};
use crate::profile::abs_path::AbsPath;
use crate::supervisor::mediate::caller::Caller;

/// Longer paths are copied to the heap.
const SHORT: usize = 256;

/// Where a path without a symbolic link leads.
#[derive(Debug)]
pub(in crate::supervisor::mediate) struct Straight {
    pub(in crate::supervisor::mediate) real: AbsPath,
    /// Whether something is there, or may be, or a file in the place of a directory on the way. Without, no link is on the
    /// way to the part that is missing either.
    pub(in crate::supervisor::mediate) is_there: bool,
}

impl Resolver {
    /// Where `path` leads from descriptor `directory` of `caller`; `None` when it has to be followed to know that. With
    /// [`Last::Keep`] it need not be known whether something is there, or whether that is a link.
    ///
    /// What was found is not kept open, so the answer is for where the kernel decides about the object again.
    pub(in crate::supervisor::mediate) fn straight(
        &self,
        caller: Caller,
        directory: i32,
        path: &CStr,
        last: Last,
    ) -> Option<Straight> {
        let text = path.to_bytes();
        let real = match text.first() {
            Some(b'/') if is_plain(text) => AbsPath::new(text)?,
            Some(_) if is_plain(text) => self.links.directory_name(caller, directory)?.join(text),
            Some(_) | None => return None,
        };
        if is_in_proc(&real) {
            return None;
        }
        let found = match text.first() {
            Some(b'/') => file::find_directory_without_links(path),
            _ if text.contains(&b'/') => with_nul(&real, file::find_directory_without_links)?,
            // The kernel's name of the directory has no link on it, so only the entry may be one.
            _ if last == Last::Keep => Ok(()),
            _ => match with_nul(&real, file::find_link)? {
                Ok(()) => return None,
                Err(Errno::INVALID) => Ok(()),
                missing => missing,
            },
        };
        match found {
            // Files are what is opened most, and to find one this way is cheaper than to have it.
            Ok(()) | Err(Errno::NOT_DIRECTORY) => Some(Straight { real, is_there: true }),
            Err(Errno::NOT_FOUND) => Some(Straight { real, is_there: false }),
            Err(_) => None,
        }
    }
}

/// Whether the text of a path says where it leads, if no symbolic link is on the way: `..` leads out of whatever directory the
/// one before it really is, and a slash at the end asks for a directory.
pub(in crate::supervisor::mediate) fn is_plain(text: &[u8]) -> bool {
    !text.is_empty() && !text.ends_with(b"/") && text.split(|&byte| byte == b'/').all(|name| name != b"..")
}

/// Makes a call with `path`, which nearly always is short.
fn with_nul<R>(path: &AbsPath, call: impl FnOnce(&CStr) -> R) -> Option<R> {
    let path = path.as_bytes();
    let mut short = [0; SHORT];
    match short.get_mut(..path.len()) {
        Some(place) if path.len() < SHORT => {
            place.copy_from_slice(path);
            CStr::from_bytes_until_nul(&short).ok().map(call)
        }
        _ => CString::new(path).ok().as_deref().map(call),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_any_length_is_handed_over_whole() {
        for length in [1, 2, SHORT - 2, SHORT - 1, SHORT, SHORT + 1, 4000] {
            let path = AbsPath::new(format!("/{}", "a".repeat(length - 1)).as_bytes()).unwrap();
            assert_eq!(with_nul(&path, |text| text.to_bytes().to_vec()).as_deref(), Some(path.as_bytes()));
        }
    }
}
