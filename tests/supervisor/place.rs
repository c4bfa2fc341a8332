//! A world with denials inside of its one grant, and the probe: a program of `tests/supervisor/probe`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::attack::{Report, each, report, word};
use crate::world::World;

/// What both closed files say; it must appear nowhere.
pub(crate) const SECRET: &str = "the closed content\n";

/// The world of one test. `work` may be used but for what the flags deny.
pub(crate) struct Place<'w> {
    pub(crate) world: &'w World,
    /// `--deny` and its operand.
    pub(crate) denial: [String; 2],
    /// What the denial closes.
    pub(crate) closed: PathBuf,
}

impl<'w> Place<'w> {
    /// Runs `test` for each user, with a denial by pattern and with one by path.
    pub(crate) fn each(test: impl Fn(&Place<'_>)) {
        each(|world| {
            test(&Place::by_pattern(world));
        });
        each(|world| {
            test(&Place::by_path(world));
        });
    }

    /// `work/.env` is closed by the pattern `**/.env`.
    pub(crate) fn by_pattern(world: &'w World) -> Self {
        let closed = world.work().join(".env");
        Self::furnished(world, "**/.env".into(), closed)
    }

    /// `work/secret` is closed by its path, and holds `file`.
    pub(crate) fn by_path(world: &'w World) -> Self {
        let directory = world.work().join("secret");
        world.directory(&directory);
        let closed = directory.join("file");
        Self::furnished(world, word(&directory).into(), closed)
    }

    fn furnished(world: &'w World, denied: String, closed: PathBuf) -> Self {
        world.file(&closed, SECRET);
        world.file(&world.work().join("open"), "open\n");
        Self { world, denial: ["--deny".into(), denied], closed }
    }

    /// A path in the working directory.
    pub(crate) fn path(&self, name: &str) -> String {
        word(&self.world.work().join(name)).into()
    }

    /// The closed file, as a word.
    pub(crate) fn closed(&self) -> &str {
        word(&self.closed)
    }

    /// The flags of the sandbox.
    pub(crate) fn flags(&self) -> Vec<String> {
        let mut flags = vec!["--allow".into(), word(&self.world.work()).into()];
        flags.extend(self.denial.clone());
        flags
    }

    /// `nono run` in this place, silent; the program is to follow.
    pub(crate) fn sandbox(&self) -> Command {
        let flags = self.flags();
        crate::attack::sandbox(self.world, &flags.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// An attack of `tests/attacks` inside.
    pub(crate) fn confined(&self, attack: &[&str]) -> Report {
        let mut command = self.sandbox();
        report(self.world, command.arg(crate::attack::program()).args(attack))
    }

    /// A probe inside.
    pub(crate) fn probe(&self, words: &[&str]) -> Report {
        let mut command = self.sandbox();
        report(self.world, command.arg(probe()).args(words))
    }

    /// What is closed is as it was.
    #[track_caller]
    pub(crate) fn is_untouched(&self) {
        assert_eq!(fs::read_to_string(&self.closed).expect("the closed file"), SECRET);
    }
}

/// The probe, built in the shared directory.
pub(crate) fn probe() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| crate::attack::compiled("tests/supervisor/probe", "probe"))
}

/// The command line of a probe without a sandbox.
pub(crate) fn bare(world: &World, words: &[&str]) -> Report {
    report(world, world.command(probe()).args(words))
}

/// A finding that is a number.
pub(crate) fn number(report: &Report, name: &str) -> u64 {
    report.verdict(name).parse().expect("a number")
}
