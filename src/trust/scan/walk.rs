//! The search for files that must be signed, by as many threads as there are processors: directories that wait to be looked
//! into lie on one pile, and whoever has nothing to do takes the next.

use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::profile::abs_path::AbsPath;
use crate::trust::policy::Rules;

/// Directories whose content is made again at will, and too much to look at. What must be signed in them is verified when it
/// is opened.
pub const PRUNED: [&str; 8] =
    [".cache", ".git", ".mypy_cache", ".pytest_cache", "__pycache__", "dist", "node_modules", "target"];
/// The most directories that are looked into.
const MOST: usize = 4_000_000;

/// What a search came to.
#[derive(Debug, Default)]
pub struct Searched {
    /// The files that must be signed, bundles and policies among them, in the order of their names.
    pub files: Vec<AbsPath>,
    /// Directories whose content is not known, such as one behind a path that is too long, and why.
    pub closed: Vec<(AbsPath, io::Error)>,
}

/// Searches the directories beneath `root`, but for those with a name of `skipped`. What version control ignores counts;
/// symbolic links to directories are not followed.
///
/// # Errors
/// `root` itself cannot be listed, or there is no end to the directories.
pub fn files(root: &AbsPath, rules: &Rules, skipped: &[&str]) -> io::Result<Searched> {
    let walk = Walk { rules, skipped, pile: Mutex::default(), news: Condvar::new() };
    let first = walk.look_into(root)?;
    walk.lock().take_in(first);
    super::on_every_processor(|| walk.work());
    let mut pile = walk.pile.into_inner().unwrap_or_else(PoisonError::into_inner);
    if pile.looked > MOST {
        return Err(io::Error::other(format!("there are more than {MOST} directories")));
    }
    pile.found.sort();
    pile.closed.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(Searched { files: pile.found, closed: pile.closed })
}

struct Walk<'w> {
    rules: &'w Rules,
    skipped: &'w [&'w str],
    pile: Mutex<Pile>,
    /// Directories came, or the last thread that could bring some has none.
    news: Condvar,
}

/// What all threads share.
#[derive(Default)]
struct Pile {
    directories: Vec<AbsPath>,
    found: Vec<AbsPath>,
    closed: Vec<(AbsPath, io::Error)>,
    /// Directories that are being looked into.
    open: usize,
    looked: usize,
}

/// What one directory holds.
#[derive(Default)]
struct Content {
    directories: Vec<AbsPath>,
    found: Vec<AbsPath>,
}

impl Pile {
    fn take_in(&mut self, mut content: Content) {
        self.directories.append(&mut content.directories);
        self.found.append(&mut content.found);
        self.looked = self.looked.saturating_add(1);
    }
}

impl Walk<'_> {
    fn lock(&self) -> MutexGuard<'_, Pile> {
        self.pile.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks into directories until there are none left.
    fn work(&self) {
        let mut pile = self.lock();
        loop {
            if pile.looked > MOST {
                pile.directories.clear();
            }
            let Some(directory) = pile.directories.pop() else {
                if pile.open == 0 {
                    self.news.notify_all();
                    return;
                }
                pile = self.news.wait(pile).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            pile.open = pile.open.saturating_add(1);
            drop(pile);
            let looked = self.look_into(&directory);
            pile = self.lock();
            let mut brings = false;
            match looked {
                Ok(content) => {
                    brings = !content.directories.is_empty();
                    pile.take_in(content);
                }
                // It is gone meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => pile.closed.push((directory, error)),
            }
            pile.open = pile.open.saturating_sub(1);
            if brings {
                self.news.notify_all();
            }
        }
    }

    fn look_into(&self, directory: &AbsPath) -> io::Result<Content> {
        let names = self.rules.names_in(directory);
        let mut content = Content::default();
        for entry in fs::read_dir(Path::new(OsStr::from_bytes(directory.as_bytes())))? {
            let entry = entry?;
            let kind = match entry.file_type() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                kind => kind?,
            };
            let name = entry.file_name().into_vec();
            if kind.is_dir() {
                if !self.skipped.iter().any(|skipped| name == skipped.as_bytes()) {
                    content.directories.push(directory.join(&name));
                }
            } else if names.may_match(&name) {
                let path = directory.join(&name);
                let is_meant = self.rules.protects(&path) && (!kind.is_symlink() || leads_to_a_file(&entry));
                content.found.extend(is_meant.then_some(path));
            }
        }
        Ok(content)
    }
}

/// A link that leads nowhere, or to a directory, has no content of its own.
fn leads_to_a_file(link: &DirEntry) -> bool {
    fs::metadata(link.path()).is_ok_and(|found| !found.is_dir())
}
