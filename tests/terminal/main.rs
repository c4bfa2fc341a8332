//! Questions on real terminals: answered, ignored, withdrawn, and in the way of programs that own the screen.
//!
//! The asking process is this binary again (`asker.rs`). Needs `python3`, `bash`, `tmux`, `vim` and `less`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod asker;
mod answers;
mod desk;
mod hostile;
mod replay;
mod screens;
mod takeover;
