//! Files that are written whole or not at all, one or many.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Files that are written and not yet in their places. Dropped, they are gone.
#[derive(Debug, Default)]
pub struct Drafts {
    /// What was written, and what it is to be called.
    written: Vec<(PathBuf, PathBuf)>,
}

impl Drafts {
    /// Writes `text` beside `path`, on the disk and not only in memory.
    ///
    /// # Errors
    /// Those of writing; nothing is left behind then.
    pub fn add(&mut self, path: &Path, text: &[u8], mode: u32) -> io::Result<()> {
        let draft = draft(path)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&draft)?;
        self.written.push((draft, path.to_path_buf()));
        file.write_all(text)?;
        file.sync_all()
    }

    /// Puts every file in its place, over what is there. All are on the disk by now, so that only a directory that changes
    /// meanwhile can stop it.
    ///
    /// # Errors
    /// The first file that could not be put in its place, with why; those before it are.
    pub fn put(mut self) -> Result<(), (PathBuf, io::Error)> {
        for (draft, path) in std::mem::take(&mut self.written) {
            if let Err(error) = fs::rename(&draft, &path).and_then(|()| keep(&path)) {
                self.written.push((draft, path.clone()));
                return Err((path, error));
            }
        }
        Ok(())
    }

    /// Puts every file in its place, unless something is there.
    ///
    /// # Errors
    /// As [`Self::put`]; `AlreadyExists` for what is there.
    pub fn put_new(mut self) -> Result<(), (PathBuf, io::Error)> {
        for (draft, path) in std::mem::take(&mut self.written) {
            // A link fails where something is already.
            let put = fs::hard_link(&draft, &path);
            let removed = fs::remove_file(&draft);
            if let Err(error) = put.and(removed).and_then(|()| keep(&path)) {
                return Err((path, error));
            }
        }
        Ok(())
    }
}

impl Drop for Drafts {
    fn drop(&mut self) {
        self.written.iter().for_each(|(draft, _)| drop(fs::remove_file(draft)));
    }
}

/// A name beside `path` that nobody can foresee.
fn draft(path: &Path) -> io::Result<PathBuf> {
    let mut chance = [0; 8];
    File::open("/dev/urandom")?.read_exact(&mut chance)?;
    let mut name = OsString::from(".");
    name.push(path.file_name().ok_or(io::ErrorKind::InvalidInput)?);
    name.push(format!(".{:016x}", u64::from_le_bytes(chance)));
    Ok(path.with_file_name(name))
}

/// Without it a power cut could take the name back.
fn keep(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    File::open(directory.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("nono-store-{}-{name}", std::process::id()));
        fs::create_dir(&path).unwrap();
        path
    }

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn all_files_appear_or_none_does() {
        let directory = place("all");
        let mut drafts = Drafts::default();
        drafts.add(&directory.join("a"), b"1", 0o644).unwrap();
        drafts.add(&directory.join("b"), b"2", 0o644).unwrap();
        assert!(drafts.add(&directory.join("missing/c"), b"3", 0o644).is_err());
        drop(drafts);
        assert!(names(&directory).is_empty());
        let mut drafts = Drafts::default();
        drafts.add(&directory.join("a"), b"1", 0o644).unwrap();
        drafts.add(&directory.join("b"), b"2", 0o644).unwrap();
        drafts.put().unwrap();
        assert_eq!(names(&directory), ["a", "b"]);
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_file_that_is_there_is_replaced_only_when_that_was_meant() {
        let directory = place("there");
        let path = directory.join("a");
        for (text, replaces) in [("1", false), ("2", false), ("3", true)] {
            let mut drafts = Drafts::default();
            drafts.add(&path, text.as_bytes(), 0o600).unwrap();
            let put = if replaces { drafts.put() } else { drafts.put_new() };
            assert_eq!(put.is_err(), text == "2");
        }
        assert_eq!(fs::read(&path).unwrap(), b"3");
        assert_eq!(names(&directory), ["a"]);
        fs::remove_dir_all(directory).unwrap();
    }
}
