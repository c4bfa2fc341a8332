//! The comparison: the same work three times in the same directory, and everything about the files it left.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::world::{NOBODY, Who, World, skip};

/// What a run left: its status, what it printed, and its files by name.
type Left = (i32, String, BTreeMap<PathBuf, String>);

/// Work that is done three times.
pub(crate) struct Work<'w> {
    pub(crate) world: &'w World,
    /// The built-in profile.
    pub(crate) profile: &'w str,
    /// What the shell does.
    pub(crate) script: &'w str,
    /// Parts of names of files whose content is about the run itself, such as the inode numbers in the index of git.
    pub(crate) own: &'w [&'w str],
}

/// A world, unless one of `programs` is missing.
pub(crate) fn desk(programs: &[&str]) -> Option<World> {
    if let Some(missing) = programs.iter().find(|path| !Path::new(path).exists()) {
        skip(&format!("{missing} is not there"));
        return None;
    }
    World::new(Who::User(NOBODY))
}

impl Work<'_> {
    /// Does the work each way; `furnish` prepares the directory. Hands out the bare run's status, output and files.
    #[track_caller]
    pub(crate) fn is_alike(&self, furnish: impl Fn(&Path)) -> Left {
        let bare = self.left(&furnish, None);
        assert_eq!(bare.0, 0, "{}", bare.1);
        for flags in [&[][..], &["--deny", "**/.nothing-is-called-so"]] {
            let inside = self.left(&furnish, Some(flags));
            assert_eq!((bare.0, &bare.1), (inside.0, &inside.1), "{flags:?}");
            let differ: Vec<_> = bare.2.iter().filter(|(path, about)| inside.2.get(*path) != Some(*about)).collect();
            let others = differ.iter().map(|(path, about)| (path, about, inside.2.get(*path)));
            let others: Vec<_> = others.take(10).collect();
            assert!(differ.is_empty(), "{} files differ with {flags:?}: {others:#?}", differ.len());
            let more: Vec<_> = inside.2.keys().filter(|path| !bare.2.contains_key(*path)).take(10).collect();
            assert!(more.is_empty(), "more files with {flags:?}: {more:?}");
        }
        bare
    }

    fn left(&self, furnish: &impl Fn(&Path), flags: Option<&[&str]>) -> Left {
        let directory = self.world.work().join("run");
        if directory.exists() {
            fs::remove_dir_all(&directory).expect("what the last run left");
        }
        self.world.directory(&directory);
        furnish(&directory);
        let mut command = match flags {
            None => self.world.command("/bin/sh"),
            Some(flags) => {
                let mut nono = self.world.nono();
                nono.args(["run", "-s", "--profile", self.profile, "--allow"]).arg(&directory).args(flags);
                nono.args(["--", "/bin/sh"]);
                nono
            }
        };
        let started = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
        let outcome = self.world.finish(command.args(["-e", "-u", "-c", self.script]).current_dir(&directory));
        assert!(outcome.code() == 0 || flags.is_some(), "{}", outcome.stderr);
        let text = format!("{}{}", outcome.stdout, if outcome.code() == 0 { "" } else { &outcome.stderr });
        (outcome.code(), text, files(&directory, i64::try_from(started).expect("a time"), self.own))
    }
}

/// Everything beneath a directory, each with all that can be told about it. A time after `started` is the run's own.
fn files(directory: &Path, started: i64, own: &[&str]) -> BTreeMap<PathBuf, String> {
    let (mut found, mut rest) = (BTreeMap::new(), vec![directory.to_owned()]);
    let mut first: BTreeMap<u64, PathBuf> = BTreeMap::new();
    while let Some(above) = rest.pop() {
        let mut paths: Vec<_> = fs::read_dir(&above).expect("a directory").flatten().map(|each| each.path()).collect();
        paths.sort();
        for path in paths {
            let about = fs::symlink_metadata(&path).expect("a file");
            let name = path.strip_prefix(directory).expect("it lies beneath").to_owned();
            let is_own = own.iter().any(|part| name.to_string_lossy().contains(part));
            let content = if about.is_dir() {
                rest.push(path.clone());
                String::new()
            } else if about.is_symlink() {
                format!("{:?}", fs::read_link(&path).expect("a link"))
            } else if about.is_file() && !is_own {
                format!("{} bytes, {:x}", about.size(), hash(&fs::read(&path).expect("a file")))
            } else {
                String::new()
            };
            let time = if about.mtime() < started - 2 {
                format!("{}.{}", about.mtime(), about.mtime_nsec())
            } else {
                "now".into()
            };
            let links = first.entry(about.ino()).or_insert_with(|| name.clone()).clone();
            let (mode, owner, group) = (about.mode(), about.uid(), about.gid());
            let time = if is_own { String::new() } else { time };
            found.insert(name, format!("{mode:o} {owner}:{group} {time} {content} {links:?}"));
        }
    }
    found
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// Copies a directory, for the user of the world.
pub(crate) fn copy(world: &World, from: &Path, to: &Path) {
    let mut command = Command::new("/bin/cp");
    assert!(command.arg("-rT").args([from, to]).status().expect("cp").success());
    give(world, to);
}

/// Makes a directory and all beneath it belong to the user of the world.
pub(crate) fn give(world: &World, path: &Path) {
    world.give(path);
    if fs::symlink_metadata(path).expect("a file").is_dir() {
        for entry in fs::read_dir(path).expect("a directory").flatten() {
            give(world, &entry.path());
        }
    }
}
