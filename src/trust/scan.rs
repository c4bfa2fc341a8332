//! The files beneath a directory that must be signed, each with a verdict: found by one walk, judged on every processor.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::bundle;
use super::digest::{Digest, Hasher};
use super::policy::Rules;
use super::verify::{Bundles, Failure, Opened, Verdict};
use crate::profile::abs_path::AbsPath;

/// Directories whose content is made again at will, and too much to look at. What must be signed in them is verified when it
/// is opened.
pub const PRUNED: [&str; 8] =
    [".cache", ".git", ".mypy_cache", ".pytest_cache", "__pycache__", "dist", "node_modules", "target"];
/// The bundle for many files, in the root of a project.
pub const PROJECT_BUNDLE: &str = ".nono-trust.bundle";
/// The most directories that are looked into.
const MOST: usize = 4_000_000;

/// A file and what came of it.
#[derive(Debug)]
pub struct Found {
    pub path: AbsPath,
    pub verdict: Verdict,
}

/// The files beneath `root` that must be signed, in the order of their names. What version control ignores counts. A
/// directory that cannot be listed holds nothing that could be named here; symbolic links to directories are not followed.
///
/// # Errors
/// `root` itself cannot be listed, or there is no end to the directories.
pub fn files(root: &AbsPath, rules: &Rules, skipped: &[String]) -> io::Result<Vec<AbsPath>> {
    let mut found = Vec::new();
    let mut directories = vec![path_of(root)];
    let mut looked = 0_usize;
    while let Some(directory) = directories.pop() {
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if looked == 0 => return Err(error),
            Err(_) => continue,
        };
        looked = looked.saturating_add(1);
        if looked > MOST {
            return Err(io::Error::other(format!("there are more than {MOST} directories")));
        }
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            let path = entry.path();
            if kind.is_dir() {
                let name = entry.file_name();
                let is = |other: &str| name.as_bytes() == other.as_bytes();
                if !PRUNED.iter().any(|name| is(name)) && !skipped.iter().any(|name| is(name)) {
                    directories.push(path);
                }
            } else if let Some(named) = AbsPath::new(path.as_os_str().as_bytes()).filter(|named| rules.protects(named))
            {
                // A link that leads nowhere, or to a directory, has no content of its own.
                let leads = !kind.is_symlink() || fs::metadata(&path).is_ok_and(|found| !found.is_dir());
                found.extend(leads.then_some(named));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The verdict on each of `files`, in the same order.
pub fn judge(files: Vec<AbsPath>, rules: &Rules) -> Vec<Found> {
    let evidence = Evidence::default();
    let next = AtomicUsize::new(0);
    let verdicts: Mutex<BTreeMap<usize, Verdict>> = Mutex::default();
    let work = || {
        while let Some((index, path)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, files.get(at)?)))
        {
            let verdict = evidence.judge(rules, path);
            verdicts.lock().unwrap_or_else(PoisonError::into_inner).insert(index, verdict);
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(files.len());
    thread::scope(|scope| {
        for _ in 1..threads {
            // Whoever could not be started is not needed: this thread goes on to the end.
            let _ = thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
    let verdicts = verdicts.into_inner().unwrap_or_else(PoisonError::into_inner);
    files.into_iter().zip(verdicts.into_values()).map(|(path, verdict)| Found { path, verdict }).collect()
}

/// Bundles that were opened, by the digest of their bytes: one for many files is verified once.
#[derive(Default)]
struct Evidence(Mutex<BTreeMap<Digest, Arc<Opened>>>);

impl Evidence {
    /// The verdict on the file at `path`. Behind a link it is that on the file it leads to, or on the name of the link.
    fn judge(&self, rules: &Rules, path: &AbsPath) -> Verdict {
        let unreadable = |why: String| Verdict::Failed(Failure::Unreadable { why });
        let digest = match digest(&path_of(path)) {
            Ok(digest) => digest,
            Err(error) => return unreadable(format!("it cannot be read: {error}")),
        };
        if let Some(blocked) = rules.blocked_content(digest) {
            return blocked;
        }
        let real = fs::canonicalize(path_of(path)).ok().and_then(|real| AbsPath::new(real.as_os_str().as_bytes()));
        match real.filter(|real| real != path) {
            Some(real) => match self.judge_at(rules, &real, digest) {
                Verdict::Failed(_) => self.judge_at(rules, path, digest),
                verdict @ (Verdict::Blocked(_) | Verdict::Verified(_)) => verdict,
            },
            None => self.judge_at(rules, path, digest),
        }
    }

    fn judge_at(&self, rules: &Rules, path: &AbsPath, digest: Digest) -> Verdict {
        let sidecar =
            AbsPath::new(&[path.as_bytes(), b".bundle"].concat()).and_then(|place| self.opened(rules, &place));
        let mut verdict = None;
        for root in rules.roots() {
            let project = self.opened(rules, &root.join(PROJECT_BUNDLE.as_bytes()));
            let project = project.as_deref().map(|opened| (root, opened));
            let judged = rules.judge(path, digest, Bundles { sidecar: sidecar.as_deref(), project });
            if !matches!(judged, Verdict::Failed(_)) {
                return judged;
            }
            // What a bundle says about the file is worth more than that there is none.
            if verdict.is_none() || project.is_some() {
                verdict = Some(judged);
            }
        }
        verdict.unwrap_or_else(|| rules.judge(path, digest, Bundles { sidecar: sidecar.as_deref(), project: None }))
    }

    /// The bundle at `place`; `None` where there is none. What cannot be read is no bundle.
    fn opened(&self, rules: &Rules, place: &AbsPath) -> Option<Arc<Opened>> {
        let bytes = match bytes(&path_of(place)) {
            Ok(bytes) => bytes,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return None,
            Err(_) => Vec::new(),
        };
        let digest = Digest::of(&bytes);
        if let Some(opened) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&digest) {
            return Some(Arc::clone(opened));
        }
        let opened = Arc::new(rules.open(&bytes));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, Arc::clone(&opened));
        Some(opened)
    }
}

/// The digest of a regular file of any size.
///
/// # Errors
/// Those of reading; anything but a regular file.
pub fn digest(path: &Path) -> io::Result<Digest> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file, whose content could be signed"));
    }
    let mut file = File::open(path)?;
    let (mut hasher, mut buffer) = (Hasher::default(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            length => hasher.update(buffer.get(..length).unwrap_or_default()),
        }
    }
}

/// The bytes of a bundle: a regular file, and not a link.
fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(ErrorKind::InvalidInput.into());
    }
    let mut bytes = Vec::new();
    let most = u64::try_from(bundle::LARGEST).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn path_of(path: &AbsPath) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(path.as_bytes()))
}
