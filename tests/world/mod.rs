//! A throw-away place to run the built program in: a home, a working directory and something outside, all of them owned
//! by whoever runs it, so that only a policy stands between them.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The unprivileged user that root becomes: "nobody" nearly everywhere.
pub(crate) const NOBODY: u32 = 65534;

/// How long a command may take, on a machine that runs much else.
const PATIENCE: Duration = Duration::from_secs(120);

/// Whose processes a test starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Root,
    /// A user without privileges; whoever runs the tests, when that is not root.
    User(u32),
}

/// The directories of one test, removed with it.
pub(crate) struct World {
    pub(crate) who: Who,
    base: PathBuf,
}

/// What a command left behind.
pub(crate) struct Outcome {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl World {
    /// Runs `test` as root and as an unprivileged user, each in a world of its own.
    pub(crate) fn each(test: impl Fn(&Self)) {
        for who in [Who::Root, Who::User(NOBODY)] {
            if let Some(world) = Self::new(who) {
                test(&world);
            }
        }
    }

    /// A fresh world, or nothing when this process cannot become `who`.
    pub(crate) fn new(who: Who) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if who == Who::Root && own_user() != 0 {
            skip("not started by root, so nothing is run as root");
            return None;
        }
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let base = PathBuf::from(format!("/tmp/nono-world-{}-{count}", std::process::id()));
        // Fails when somebody else has made the name: nobody can prepare this place.
        fs::create_dir(&base).expect("a fresh directory under /tmp");
        let world = Self { who, base };
        fs::set_permissions(&world.base, fs::Permissions::from_mode(0o755)).expect("the mode of the world");
        for directory in [world.home(), world.work(), world.outside()] {
            world.directory(&directory);
        }
        Some(world)
    }

    /// The home directory.
    pub(crate) fn home(&self) -> PathBuf {
        self.base.join("home")
    }

    /// The working directory of every command.
    pub(crate) fn work(&self) -> PathBuf {
        self.base.join("work")
    }

    /// A directory that no policy of a test grants.
    pub(crate) fn outside(&self) -> PathBuf {
        self.base.join("outside")
    }

    /// Makes a directory that belongs to the user.
    pub(crate) fn directory(&self, path: &Path) {
        fs::create_dir(path).expect("a directory of the world");
        self.give(path);
    }

    /// Makes a file that belongs to the user and has mode 0600.
    pub(crate) fn file(&self, path: &Path, content: &str) {
        fs::write(path, content).expect("a file of the world");
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("the mode of a file");
        self.give(path);
    }

    /// Makes `path` belong to the user.
    pub(crate) fn give(&self, path: &Path) {
        if let (Who::User(user), 0) = (self.who, own_user()) {
            chown(path, Some(user), Some(user)).expect("the owner of a path");
        }
    }

    /// `program` as the user, in the working directory, with a small environment and nothing on standard input.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env_clear();
        command.env("PATH", "/usr/bin:/bin").env("HOME", self.home()).env("LANG", "C.UTF-8").env("TERM", "dumb");
        command.current_dir(self.work()).stdin(Stdio::null()).process_group(0);
        if let (Who::User(user), 0) = (self.who, own_user()) {
            // The standard library drops the supplementary groups with this.
            command.uid(user).gid(user);
        }
        command
    }

    /// The built program as the user.
    pub(crate) fn nono(&self) -> Command {
        self.command(shared().join("nono"))
    }

    /// Runs a command to its end and collects what it wrote. One that does not end is killed, and fails the test.
    pub(crate) fn finish(&self, command: &mut Command) -> Outcome {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // Files rather than pipes: a process that was left behind cannot hold them up.
        let [out, err] = ["out", "err"].map(|kind| self.base.join(format!("{count}.{kind}")));
        command.stdout(File::create(&out).expect("a file for standard output"));
        command.stderr(File::create(&err).expect("a file for standard error"));
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} did not start: {error}"));
        let start = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().expect("the state of a child") {
                break status;
            }
            if start.elapsed() > PATIENCE {
                let group = format!("-{}", child.id());
                let _ = Command::new("kill").args(["-9", "--", &group]).status();
                let _ = child.wait();
                panic!("{command:?} as {:?} did not end; it wrote {:?}", self.who, (text(&out), text(&err)));
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        Outcome { status, stdout: text(&out), stderr: text(&err) }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.base);
    }
}

impl Outcome {
    /// The exit status as a shell tells it: 128+N for signal N.
    pub(crate) fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| self.status.signal().unwrap_or(0).saturating_add(128))
    }
}

/// Says why a test proves nothing here. Where tests must prove everything, that is a failure.
pub(crate) fn skip(reason: &str) {
    assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "skipped although CI=true: {reason}");
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
}

/// A directory that every user can read, with a copy of the built program: the place it was built in may be closed.
pub(crate) fn shared() -> &'static Path {
    static SHARED: OnceLock<PathBuf> = OnceLock::new();
    SHARED.get_or_init(|| {
        remove_left_behind();
        let directory = PathBuf::from(format!("/tmp/nono-tests-{}", std::process::id()));
        fs::create_dir(&directory).expect("a fresh directory under /tmp");
        let program = directory.join("nono");
        fs::copy(env!("CARGO_BIN_EXE_nono"), &program).expect("a copy of the built program");
        for path in [&directory, &program] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("the mode of the copy");
        }
        directory
    })
}

/// The effective user of this process.
pub(crate) fn own_user() -> u32 {
    let status = fs::read_to_string("/proc/self/status").expect("/proc/self/status");
    let users = status.lines().find_map(|line| line.strip_prefix("Uid:")).expect("a line of users");
    users.split_whitespace().nth(1).and_then(|user| user.parse().ok()).expect("an effective user")
}

/// Removes the shared directories of test processes that are gone: a static is never dropped.
fn remove_left_behind() {
    for entry in fs::read_dir("/tmp").expect("/tmp").flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix("nono-tests-"));
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn text(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).expect("what a command wrote")).into_owned()
}
