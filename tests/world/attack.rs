//! The attack program: built once from `tests/attacks`, run bare or confined, and its report read.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::world::{Outcome, World, shared, skip};

/// The oldest Landlock interface with both scopes, which the floor needs.
const LANDLOCK_WITH_SCOPES: u32 = 6;

/// What the attempts of one run came to, in their order: a name, then `OK`, the name of an errno, or a value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) lines: Vec<(String, String)>,
    /// How the command was called, for the message of a failure.
    context: String,
}

/// A process outside, of the same user, that writes down each signal it gets.
pub(crate) struct Victim {
    child: Child,
    output: PathBuf,
    /// Where its buffer is.
    pub(crate) address: String,
}

/// Runs `test` as root and as an unprivileged user, unless this kernel cannot confine anything.
pub(crate) fn each(test: impl Fn(&World)) {
    if can_confine() {
        World::each(test);
    }
}

/// Whether the kernel has what the sandbox needs; says so when it has not.
pub(crate) fn can_confine() -> bool {
    let answer = Command::new(program()).arg("landlock").output().expect("the attack program").stdout;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let abi = answer.lines().find_map(|line| line.strip_prefix("abi: ")?.parse::<u32>().ok()).unwrap_or(0);
    if abi < LANDLOCK_WITH_SCOPES {
        skip(&format!("the kernel's Landlock interface is {abi}, and {LANDLOCK_WITH_SCOPES} is needed"));
    }
    abi >= LANDLOCK_WITH_SCOPES
}

/// The program, built in the shared directory.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| compiled("tests/attacks", "attack"))
}

/// Builds the C files of a directory of the project as `name` in the shared directory.
pub(crate) fn compiled(directory: &str, name: &str) -> PathBuf {
    let target = shared().join(name);
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    // With the report of attempts, which all such programs share.
    let places = [project.join(directory), project.join("tests/world")];
    let files = places.iter().flat_map(|place| fs::read_dir(place).expect("the sources of a program")).flatten();
    let sources = files.map(|entry| entry.path());
    let mut compiler = Command::new("cc");
    compiler
        .args(["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-I"])
        .arg(&places[1])
        .arg("-o")
        .arg(&target);
    compiler.args(sources.filter(|path| path.extension().is_some_and(|extension| extension == "c")));
    let done = compiler.output().expect("a C compiler named cc");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    target
}

/// The command line of an attack without a sandbox.
pub(crate) fn bare_command(world: &World, attack: &[&str]) -> Command {
    let mut command = world.command(program());
    command.args(attack);
    command
}

/// `nono run` with `flags`, silent, where the attack program may be executed; the program to run is to follow.
pub(crate) fn sandbox(world: &World, flags: &[&str]) -> Command {
    let mut command = world.nono();
    command.args(["run", "-s", "--read"]).arg(shared()).args(flags).arg("--");
    command
}

/// The command line of an attack inside the sandbox.
pub(crate) fn confined_command(world: &World, flags: &[&str], attack: &[&str]) -> Command {
    let mut command = sandbox(world, flags);
    command.arg(program()).args(attack);
    command
}

/// Makes an attack without a sandbox.
pub(crate) fn bare(world: &World, attack: &[&str]) -> Report {
    report(world, &mut bare_command(world, attack))
}

/// Makes an attack inside the sandbox.
pub(crate) fn confined(world: &World, flags: &[&str], attack: &[&str]) -> Report {
    report(world, &mut confined_command(world, flags, attack))
}

/// Runs a command that must succeed and reads its report.
pub(crate) fn report(world: &World, command: &mut Command) -> Report {
    let outcome = world.finish(command);
    let context = format!("{command:?} as {:?}", world.who);
    assert_eq!(outcome.code(), 0, "{context} wrote {:?} and {:?}", outcome.stdout, outcome.stderr);
    Report::of(&outcome, context)
}

/// A path as an argument.
pub(crate) fn word(path: &Path) -> &str {
    path.to_str().expect("paths of the tests are UTF-8")
}

/// Waits for a file that a program makes once it runs.
pub(crate) fn wait_for(mark: &Path) {
    let start = Instant::now();
    while !mark.exists() {
        assert!(start.elapsed() < Duration::from_secs(20), "the program did not start");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Makes a file outside every grant.
pub(crate) fn secret(world: &World) -> PathBuf {
    let path = world.outside().join("secret");
    world.file(&path, "secret\n");
    path
}

impl Report {
    /// Reads the lines that a command printed.
    pub(crate) fn of(outcome: &Outcome, context: String) -> Self {
        let split = |line: &str| {
            let (name, verdict) = line.rsplit_once(": ")?;
            Some((name.to_owned(), verdict.trim_end().to_owned()))
        };
        Self { lines: outcome.stdout.lines().filter_map(split).collect(), context }
    }

    /// What an attempt came to.
    pub(crate) fn verdict(&self, name: &str) -> &str {
        let line = self.lines.iter().find(|(each, _)| each == name);
        &line.unwrap_or_else(|| panic!("no line for {name} in {self:?}")).1
    }

    /// Every attempt must have come to one of `verdicts`.
    #[track_caller]
    pub(crate) fn all(&self, verdicts: &[&str]) {
        self.all_but(&[], verdicts);
    }

    /// Every attempt but those of `names` must have come to one of `verdicts`.
    #[track_caller]
    pub(crate) fn all_but(&self, names: &[&str], verdicts: &[&str]) {
        let counted = || self.lines.iter().filter(|(name, _)| !names.contains(&name.as_str()));
        assert!(counted().next().is_some(), "nothing was attempted by {}", self.context);
        let wrong: Vec<_> = counted().filter(|(_, verdict)| !verdicts.contains(&verdict.as_str())).collect();
        assert!(wrong.is_empty(), "not {verdicts:?} but {wrong:?} from {}", self.context);
    }

    /// The attempts of `names` must have come to `verdict`.
    #[track_caller]
    pub(crate) fn are(&self, names: &[&str], verdict: &str) {
        let wrong: Vec<_> =
            names.iter().map(|name| (name, self.verdict(name))).filter(|(_, each)| *each != verdict).collect();
        assert!(wrong.is_empty(), "not {verdict} but {wrong:?} from {}", self.context);
    }
}

impl Victim {
    /// Starts one, and waits until it listens.
    pub(crate) fn start(world: &World) -> Self {
        let output = world.outside().join("victim");
        world.file(&output, "");
        let file = fs::OpenOptions::new().append(true).open(&output).expect("the victim's output");
        let child = bare_command(world, &["victim"]).stdout(file).stderr(Stdio::null()).spawn().expect("a victim");
        let mut victim = Self { child, output, address: String::new() };
        let start = Instant::now();
        while victim.address.is_empty() {
            assert!(start.elapsed() < Duration::from_secs(20), "the victim is not ready");
            thread::sleep(Duration::from_millis(5));
            let text = victim.text();
            victim.address = text.strip_prefix("ready ").and_then(|rest| rest.strip_suffix('\n')).unwrap_or("").into();
        }
        victim
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> String {
        self.child.id().to_string()
    }

    /// How many signals it has seen.
    pub(crate) fn signals(&self) -> usize {
        self.text().lines().filter(|line| line.starts_with("signal ")).count()
    }

    /// Whether it sees more than `before` signals soon.
    pub(crate) fn gets_more_than(&self, before: usize) -> bool {
        let start = Instant::now();
        while self.signals() <= before {
            if start.elapsed() > Duration::from_secs(5) {
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// Whether it still runs.
    pub(crate) fn lives(&mut self) -> bool {
        self.child.try_wait().expect("the state of the victim").is_none()
    }

    /// A line of its `/proc/PID/NAME`.
    pub(crate) fn proc(&self, name: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{name}", self.child.id())).expect("the victim's entry in /proc")
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.output).expect("the victim's output")
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
