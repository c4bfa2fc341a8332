//! A terminal with somebody in front of it: a pseudo-terminal driven by a script, or a window of tmux.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::asker;

/// How long to wait for something to be on the screen, on a machine that runs much else.
const PATIENCE: Duration = Duration::from_secs(20);

/// A directory of its own, and what the asking process is told.
pub(crate) struct Desk {
    base: PathBuf,
    variables: Vec<(OsString, OsString)>,
}

/// A window of 80 columns and 24 lines in a tmux server of its own.
pub(crate) struct Window {
    server: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let base = std::env::temp_dir().join(format!("nono-terminal-{}-{number}", std::process::id()));
        fs::create_dir(&base).unwrap();
        let this = std::env::current_exe().unwrap();
        let asks = format!("{} --exact asker::asks_what_its_environment_says --nocapture", this.display());
        let desk = Self { base, variables: Vec::new() };
        let result = desk.path("result");
        desk.with(asker::RESULT, &result).with("ASK", &asks).with("TERM", "xterm")
    }

    /// Sets a variable for the asking process.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// The same, for a value that need not be UTF-8.
    pub(crate) fn with_bytes(mut self, name: &str, value: &[u8]) -> Self {
        self.variables.push((name.into(), OsString::from_vec(value.to_vec())));
        self
    }

    /// A name in this desk's directory.
    pub(crate) fn path(&self, name: &str) -> String {
        self.base.join(name).display().to_string()
    }

    /// Runs a shell script, in which `$ASK` asks, on a pseudo-terminal, and returns what that showed.
    pub(crate) fn script(&self, steps: &[Value], script: &str) -> String {
        let driver = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/terminal/drive.py");
        let output = Command::new("python3")
            .args([driver, &json!(steps).to_string(), "bash", "-c", script])
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("python3 is needed: {error}"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The answers that the asking process got.
    pub(crate) fn answers(&self) -> String {
        let began = Instant::now();
        loop {
            if let Ok(answers) = fs::read_to_string(self.path("result")) {
                return answers;
            }
            assert!(began.elapsed() < PATIENCE, "nothing was answered");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Runs a shell script in a window of tmux.
    pub(crate) fn window(&self, script: &str) -> Window {
        let server = self.path("tmux");
        let mut command = Command::new("tmux");
        command.args(["-S", &server, "-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24"]);
        for (name, value) in self.variables.iter().filter(|(name, _)| name != "TERM") {
            let mut pair = name.clone();
            pair.push("=");
            pair.push(value);
            command.arg("-e").arg(pair);
        }
        let started = command.arg(script).stdin(Stdio::null()).status();
        let started = started.unwrap_or_else(|error| panic!("tmux is needed: {error}"));
        assert!(started.success(), "tmux does not start");
        Window { server }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.base);
    }
}

impl Window {
    /// Types keys, as tmux names them.
    pub(crate) fn send(&self, keys: &[&str]) {
        let typed = self.tmux().arg("send-keys").args(keys).status().unwrap();
        assert!(typed.success());
    }

    /// Waits until the screen is as wanted, and returns it.
    pub(crate) fn expect(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        loop {
            let shown = self.tmux().args(["capture-pane", "-p"]).output().unwrap();
            let screen = String::from_utf8_lossy(&shown.stdout).into_owned();
            if wanted(&screen) {
                return screen;
            }
            assert!(began.elapsed() < PATIENCE, "waited in vain for {what}; the screen:\n{screen}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The window's colours of plain text: the text's and what is behind it.
    pub(crate) fn colours(&self) -> String {
        let told = self.tmux().args(["display-message", "-p", "#{pane_fg} #{pane_bg}"]).output().unwrap();
        String::from_utf8_lossy(&told.stdout).trim_end().to_owned()
    }

    fn tmux(&self) -> Command {
        let mut command = Command::new("tmux");
        command.args(["-S", &self.server]).stdin(Stdio::null());
        command
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let _ = self.tmux().arg("kill-server").stderr(Stdio::null()).status();
    }
}
