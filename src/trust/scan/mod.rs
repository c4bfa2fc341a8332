//! The files beneath a directory that must be signed, each with a verdict: found by one walk, judged on every processor.

mod walk;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use syscalls::file::FileType;

pub use self::walk::{PRUNED, Searched, files};

use super::bundle;
use super::digest::{Digest, Hasher};
use super::evidence::{Evidence, Present, open_here};
use super::policy::{Duty, PROJECT_BUNDLE, Rules, sidecar};
use super::verify::{BundleSource, Failure, Judged, Opened, Verdict};
use crate::profile::abs_path::AbsPath;

/// Files that a thread judges before it looks for others: a file, its bundle and a few more.
const AT_ONCE: usize = 16;

/// A file and what came of it.
#[derive(Debug)]
pub struct Found {
    pub path: AbsPath,
    pub verdict: Verdict,
    /// What the verdict rests on: the file, the link that leads to it, its bundle.
    pub seen: Vec<Seen>,
}

/// A file that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub path: AbsPath,
    /// Device and inode number.
    pub identity: (u64, u64),
}

/// A directory that could not be searched, as a file that fails: what must be signed in it is not known.
pub fn closed(path: AbsPath, error: &io::Error) -> Found {
    Found { path, verdict: Verdict::Failed(Failure::Unsearched { why: error.to_string() }), seen: Vec::new() }
}

/// The verdict on each of `files`, in the same order, but for bundles of files that failed: of those the file says it.
pub fn judge(files: Vec<AbsPath>, rules: &Rules) -> Vec<Found> {
    let judge = Judge { rules, evidence: Evidence::default(), projects: Mutex::default() };
    let next = AtomicUsize::new(0);
    let all: Mutex<BTreeMap<usize, Vec<Judgement>>> = Mutex::default();
    on_every_processor(|| {
        while let Some((start, few)) =
            Some(next.fetch_add(AT_ONCE, Ordering::Relaxed)).and_then(|at| Some((at, files.get(at..)?)))
            && !few.is_empty()
        {
            let judgements = judge.judge_few(few.get(..AT_ONCE).unwrap_or(few));
            all.lock().unwrap_or_else(PoisonError::into_inner).insert(start, judgements);
        }
    });
    let all = all.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().flatten();
    let mut found: Vec<Found> =
        files.into_iter().zip(all).map(|(path, Judgement { verdict, seen })| Found { path, verdict, seen }).collect();
    let is_verified = |found: &Found| matches!(found.verdict, Verdict::Verified(_));
    let failed: BTreeSet<AbsPath> =
        found.iter().filter(|found| !is_verified(found)).filter_map(|found| sidecar(&found.path)).collect();
    found.retain(|found| is_verified(found) || !failed.contains(&found.path));
    found
}

/// Does `work` on as many threads as there are processors, this one among them.
fn on_every_processor(work: impl Fn() + Sync) {
    thread::scope(|scope| {
        for _ in 1..thread::available_parallelism().map_or(1, usize::from) {
            // Whoever could not be started is not needed: this thread goes on to the end.
            let _ = thread::Builder::new().spawn_scoped(scope, &work);
        }
        work();
    });
}

/// Bundles of projects by their places, with what each was when it was read.
type Projects = BTreeMap<AbsPath, Option<Arc<Opened>>>;

struct Judge<'r> {
    rules: &'r Rules,
    evidence: Evidence,
    /// Read once, however many files each speaks for.
    projects: Mutex<Projects>,
}

struct Judgement {
    verdict: Verdict,
    seen: Vec<Seen>,
}

impl Judge<'_> {
    /// The verdicts on files that follow each other. What a verified file's own bundle is is known by then.
    fn judge_few(&self, files: &[AbsPath]) -> Vec<Judgement> {
        let mut known: Option<(AbsPath, Verdict)> = None;
        let mut all = Vec::with_capacity(files.len());
        for path in files {
            if let Some((_, verdict)) = known.take_if(|(bundle, _)| bundle == path) {
                all.push(Judgement { verdict, seen: Vec::new() });
                continue;
            }
            let (judgement, bundle) = self.judge(path);
            let own = bundle.filter(|_| matches!(judgement.verdict, Verdict::Verified(_)) && !self.rules.blocks());
            known = own.map(|bundle| (bundle, judgement.verdict.clone()));
            all.push(judgement);
        }
        all
    }

    /// The verdict on the file at `path`, and the bundle that says it. Behind a link it is that on the file it leads to, or on
    /// the name of the link.
    fn judge(&self, path: &AbsPath) -> (Judgement, Option<AbsPath>) {
        let mut seen = Vec::new();
        let failed = |error: io::Error| {
            let why = format!("it cannot be read: {error}");
            (Judgement { verdict: Verdict::Failed(Failure::Unreadable { why }), seen: Vec::new() }, None)
        };
        let looked = match fs::symlink_metadata(path_of(path)) {
            Ok(found) if found.is_symlink() => {
                seen.push(Seen { path: path.clone(), identity: (found.dev(), found.ino()) });
                behind(path)
            }
            Ok(found) if found.is_file() => look(path, needs_content(path)).map(|looked| (path.clone(), looked)),
            Ok(_) => Err(not_regular()),
            Err(error) => Err(error),
        };
        let (real, looked) = match looked {
            Ok(looked) => looked,
            Err(error) => return failed(error),
        };
        let mut judged = self.judge_at(&real, &looked);
        if real != *path && matches!(judged.verdict, Verdict::Failed(_)) {
            judged = self.judge_at(path, &looked);
        }
        seen.push(Seen { path: real, identity: looked.identity });
        seen.extend(judged.bundle.as_ref().and_then(seen_at));
        (Judgement { verdict: judged.verdict, seen }, judged.bundle)
    }

    fn judge_at(&self, path: &AbsPath, looked: &Looked) -> Judged {
        let mut source =
            Remembered { projects: &self.projects, present: Present { evidence: &self.evidence, rules: self.rules } };
        self.rules.judge_file(path, looked.digest, looked.content.as_deref(), &mut source)
    }
}

/// Bundles as they are, but for those of projects, which are read once.
struct Remembered<'j> {
    projects: &'j Mutex<Projects>,
    present: Present<'j>,
}

impl BundleSource for Remembered<'_> {
    fn of(&mut self, bytes: &[u8]) -> Arc<Opened> {
        self.present.of(bytes)
    }

    fn at(&mut self, place: &AbsPath) -> Option<Arc<Opened>> {
        if place.file_name() != Some(PROJECT_BUNDLE.as_bytes()) {
            return self.present.at(place);
        }
        let lock = || self.projects.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().get(place).cloned();
        known.unwrap_or_else(|| {
            let opened = self.present.at(place);
            lock().insert(place.clone(), opened.clone());
            opened
        })
    }
}

/// A file that was read.
struct Looked {
    identity: (u64, u64),
    digest: Digest,
    /// Its bytes, where they decide by themselves and are not too many.
    content: Option<Vec<u8>>,
}

fn needs_content(path: &AbsPath) -> bool {
    Duty::of(path) != Duty::Content
}

/// The file that the link at `path` leads to.
fn behind(path: &AbsPath) -> io::Result<(AbsPath, Looked)> {
    let real = fs::canonicalize(path_of(path))?;
    if !fs::metadata(&real)?.is_file() {
        return Err(not_regular());
    }
    let real = AbsPath::new(real.as_os_str().as_bytes()).ok_or(io::ErrorKind::NotFound)?;
    let looked = look(&real, needs_content(path) || needs_content(&real))?;
    Ok((real, looked))
}

fn look(path: &AbsPath, wants_content: bool) -> io::Result<Looked> {
    let (opened, status) = open_here(path)?;
    if status.kind != FileType::Regular {
        return Err(not_regular());
    }
    let mut file = File::from(opened);
    if wants_content && status.size <= bundle::LARGEST as u64 {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        return Ok(Looked { identity: status.identity, digest: Digest::of(&bytes), content: Some(bytes) });
    }
    Ok(Looked { identity: status.identity, digest: digest_of(&mut file)?, content: None })
}

/// What lies at `path` now: a link itself.
fn seen_at(path: &AbsPath) -> Option<Seen> {
    let found = fs::symlink_metadata(path_of(path)).ok()?;
    Some(Seen { path: path.clone(), identity: (found.dev(), found.ino()) })
}

/// The digest of a regular file of any size.
///
/// # Errors
/// Those of reading; anything but a regular file.
pub fn digest(path: &Path) -> io::Result<Digest> {
    if !fs::metadata(path)?.is_file() {
        return Err(not_regular());
    }
    digest_of(&mut File::open(path)?)
}

fn digest_of(file: &mut File) -> io::Result<Digest> {
    thread_local! {
        static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    BUFFER.with_borrow_mut(|buffer| {
        buffer.resize(1 << 16, 0);
        let mut hasher = Hasher::default();
        loop {
            match file.read(buffer)? {
                0 => return Ok(hasher.finish()),
                length => hasher.update(buffer.get(..length).unwrap_or_default()),
            }
        }
    })
}

fn not_regular() -> io::Error {
    io::Error::other("it is not a regular file, whose content could be signed")
}

fn path_of(path: &AbsPath) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(path.as_bytes()))
}
