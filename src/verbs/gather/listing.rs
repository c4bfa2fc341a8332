//! What a directory holds, read at once instead of asked about name by name.

use std::collections::BTreeMap;
use std::ffi::{CString, OsStr};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use syscalls::file;

use super::host::Way;

/// Entries of a directory that are read; of a larger one nothing is kept.
const MOST_ENTRIES: usize = 1024;

/// The names in a directory, and which of them are symbolic links.
///
/// It answers only what the kernel would answer. Some file systems take `.SSH` for `.ssh`, so a name counts as missing
/// only where no entry differs from it in case alone, and nothing is said in the presence of a letter that may stand for another.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// By the name in small letters; `None` for one that is written otherwise.
    entries: BTreeMap<Vec<u8>, Option<Way>>,
    /// What is not among the entries is not there.
    complete: bool,
}

impl Listing {
    /// Reads `directory`, the empty path being `/`. One that cannot be read, or is very large, says nothing.
    pub(super) fn of(directory: &[u8]) -> Self {
        let directory = if directory.is_empty() { b"/" } else { directory };
        let shows_all = CString::new(directory).is_ok_and(|path| file::shows_every_name(&path) == Ok(true));
        if !shows_all {
            return Self::default();
        }
        let Ok(found) = fs::read_dir(Path::new(OsStr::from_bytes(directory))) else { return Self::default() };
        let mut listing = Self { entries: BTreeMap::new(), complete: true };
        for entry in found {
            let Ok(entry) = entry else { return Self::default() };
            let (name, kind) = (entry.file_name(), entry.file_type());
            if listing.entries.len() >= MOST_ENTRIES {
                return Self::default();
            }
            listing.complete &= name.as_bytes().is_ascii();
            let way = match kind {
                Ok(kind) if !kind.is_symlink() => Some(Way::Straight),
                Ok(_) => Some(Way::Unclear),
                Err(_) => None,
            };
            let small = name.as_bytes().to_ascii_lowercase();
            let is_small = small == name.as_bytes();
            listing.entries.entry(small).and_modify(|known| *known = None).or_insert_with(|| way.filter(|_| is_small));
        }
        listing
    }

    /// What `name` is in the directory; `None` when the kernel has to be asked.
    pub(super) fn way(&self, name: &[u8]) -> Option<Way> {
        let small = name.to_ascii_lowercase();
        match self.entries.get(&small) {
            Some(way) => way.filter(|_| small == name),
            None => (self.complete && name.is_ascii()).then_some(Way::Ends),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_there_missing_or_to_be_asked_about() {
        let folder = std::env::temp_dir().join(format!("nono-listing-{}", std::process::id()));
        fs::create_dir_all(folder.join("plain")).unwrap();
        fs::write(folder.join("Mixed"), "").unwrap();
        fs::write(folder.join("twice"), "").unwrap();
        fs::write(folder.join("Twice"), "").unwrap();
        let _ = std::os::unix::fs::symlink("nowhere", folder.join("link"));
        let listing = Listing::of(folder.as_os_str().as_bytes());
        assert_eq!(listing.way(b"plain"), Some(Way::Straight));
        assert_eq!(listing.way(b"link"), Some(Way::Unclear));
        assert_eq!(listing.way(b"missing"), Some(Way::Ends));
        assert_eq!(listing.way(b"Missing"), Some(Way::Ends));
        // A file system may take these for one another.
        for name in ["PLAIN", "Link", "mixed", "Mixed", "twice", "Twice"] {
            assert_eq!(listing.way(name.as_bytes()), None, "{name}");
        }
        assert_eq!(listing.way("s\u{17f}h".as_bytes()), None);
        fs::write(folder.join("\u{212a}"), "").unwrap();
        let listing = Listing::of(folder.as_os_str().as_bytes());
        assert_eq!(listing.way(b"missing"), None, "the sign for kelvin is a k for some");
        assert_eq!(listing.way(b"plain"), Some(Way::Straight));
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(Listing::of(folder.as_os_str().as_bytes()).way(b"plain"), None);
        assert_eq!(Listing::of(b"/proc").way(b"self"), None, "not all of it is shown");
    }

    #[test]
    fn a_very_large_directory_says_nothing() {
        let folder = std::env::temp_dir().join(format!("nono-listing-large-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for number in 0..=MOST_ENTRIES {
            fs::write(folder.join(number.to_string()), "").unwrap();
        }
        assert_eq!(Listing::of(folder.as_os_str().as_bytes()).way(b"1"), None);
        fs::remove_dir_all(&folder).unwrap();
    }
}
