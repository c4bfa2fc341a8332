//! The only printer. What nono says goes to standard error behind `nono:`; a document that was asked for goes to
//! standard output. A reader that went away is no error worth dying of.

use std::io::Write;

use crate::profile::escape::visible;

use super::{REFUSED, YES};

/// One message on standard error; each line of it stands behind `nono: `. No character of it moves the cursor or hides.
pub(super) fn say(message: &str) {
    let message = visible(message);
    let mut text = String::with_capacity(message.len().saturating_add(16));
    for line in message.lines() {
        text.push_str("nono: ");
        text.push_str(line);
        text.push('\n');
    }
    // Nobody is left to tell when standard error is closed.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// A whole document on standard output. Answers with the verb's exit status: 125 when it could not be written.
pub(super) fn document(text: &str) -> u8 {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => YES,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => YES,
        Err(error) => {
            say(&format!("the answer could not be written to standard output: {error}"));
            REFUSED
        }
    }
}

/// A part of a longer document on standard output.
///
/// # Errors
/// The verb's exit status, when nobody reads on or it could not be written.
pub(super) fn part(text: &str) -> Result<(), u8> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return YES;
        }
        say(&format!("the answer could not be written to standard output: {error}"));
        REFUSED
    })
}

/// A JSON document on standard output, readable, with a line end.
pub(super) fn json(value: &serde_json::Value) -> u8 {
    document(&format!("{value:#}\n"))
}
