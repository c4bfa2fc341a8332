//! A terminal that a test can type into and look at.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crate::world::World;

const PATIENCE: Duration = Duration::from_secs(60);

/// A tmux server of its own with one window of 80 by 24.
pub(crate) struct Terminal<'w> {
    world: &'w World,
    socket: PathBuf,
}

impl<'w> Terminal<'w> {
    /// Starts `bash` in a terminal, as the world's user, and waits for its prompt, `outer> `.
    pub(crate) fn new(world: &'w World) -> Self {
        let terminal = Self { world, socket: world.home().join("tmux.socket") };
        let shell = "exec env PS1='outer> ' bash --norc --noprofile -i";
        terminal.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", shell]);
        terminal.until("outer>");
        terminal
    }

    /// Types `text` and the key Enter.
    pub(crate) fn line(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
        self.key("Enter");
    }

    /// Presses one key, by tmux's name for it.
    pub(crate) fn key(&self, name: &str) {
        self.tmux(&["send-keys", name]);
    }

    /// Gives the window another size.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        self.tmux(&["resize-window", "-x", &columns.to_string(), "-y", &rows.to_string()]);
    }

    /// Waits until the screen shows `text`; hands out the screen.
    #[track_caller]
    pub(crate) fn until(&self, text: &str) -> String {
        self.wait(&format!("`{text}` to appear"), |screen| screen.contains(text))
    }

    /// Waits until a line of the screen is `text` and nothing else.
    #[track_caller]
    pub(crate) fn until_line(&self, text: &str) -> String {
        self.wait(&format!("the line `{text}`"), |screen| screen.lines().any(|line| line.trim_end() == text))
    }

    /// Waits until the first line of the screen begins with `text`.
    #[track_caller]
    pub(crate) fn until_top(&self, text: &str) -> String {
        self.wait(&format!("`{text}` at the top"), |screen| screen.starts_with(text))
    }

    #[track_caller]
    fn wait(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let screen = self.tmux(&["capture-pane", "-p"]);
            if holds(&screen) {
                return screen;
            }
            assert!(start.elapsed() < PATIENCE, "waited for {what}; the screen is:\n{screen}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn tmux(&self, words: &[&str]) -> String {
        let mut command = self.world.command("tmux");
        command.env("SHELL", "/bin/bash").arg("-S").arg(&self.socket).args(words);
        let outcome = self.world.finish(&mut command);
        assert_eq!(outcome.code(), 0, "tmux {words:?}: {}{}", outcome.stdout, outcome.stderr);
        outcome.stdout
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        let mut command = self.world.command("tmux");
        self.world.finish(command.arg("-S").arg(&self.socket).arg("kill-server"));
    }
}
