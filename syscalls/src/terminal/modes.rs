//! How a terminal treats keys and text: `termios(3)`.

/// The byte Ctrl-C types in [`Modes::for_a_line`].
pub const INTERRUPT_KEY: u8 = 0x03;
/// The byte Ctrl-\ types in [`Modes::for_a_line`].
pub const QUIT_KEY: u8 = 0x1c;

const END_OF_FILE_KEY: u8 = 0x04;
const ERASE_KEY: u8 = 0x7f;
const ERASE_LINE_KEY: u8 = 0x15;
const ERASE_WORD_KEY: u8 = 0x17;

/// A terminal's modes.
#[derive(Clone)]
pub struct Modes(pub(super) libc::termios);

impl std::fmt::Debug for Modes {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Modes")
    }
}

impl Modes {
    /// Whether the kernel collects lines. A program that draws its own screen or edits its own lines has turned that off.
    pub fn takes_lines(&self) -> bool {
        self.0.c_lflag & libc::ICANON != 0
    }

    /// Modes in which a person types a line and sees it. No key makes a signal: Ctrl-C and Ctrl-\ end the line and stand
    /// in it, as [`INTERRUPT_KEY`] and [`QUIT_KEY`]. Of the old modes only those of the line itself stay, such as speed.
    #[must_use]
    pub fn for_a_line(&self) -> Self {
        let mut modes = self.0;
        modes.c_iflag = libc::ICRNL | libc::IUTF8;
        modes.c_oflag = libc::OPOST | libc::ONLCR;
        modes.c_lflag = libc::ICANON
            | libc::ECHO
            | libc::ECHOCTL
            | libc::ECHOE
            | libc::ECHOK
            | libc::ECHOKE
            // Without it the kernel looks at neither VEOL2 nor VWERASE.
            | libc::IEXTEN;
        let keys = [
            (libc::VEOF, END_OF_FILE_KEY),
            (libc::VEOL, INTERRUPT_KEY),
            (libc::VEOL2, QUIT_KEY),
            (libc::VERASE, ERASE_KEY),
            (libc::VKILL, ERASE_LINE_KEY),
            (libc::VWERASE, ERASE_WORD_KEY),
        ];
        modes.c_cc = [libc::_POSIX_VDISABLE; libc::NCCS];
        for (place, key) in keys {
            modes.c_cc[place] = key;
        }
        Self(modes)
    }

    /// [`Self::for_a_line`] in which nothing of what is typed is shown.
    #[must_use]
    pub fn for_a_secret_line(&self) -> Self {
        let mut modes = self.for_a_line().0;
        modes.c_lflag = libc::ICANON | libc::IEXTEN;
        Self(modes)
    }

    /// Modes in which each key can be read at once, is not shown, and makes no signal.
    #[must_use]
    pub fn for_unwanted_keys(&self) -> Self {
        let mut modes = self.for_a_line().0;
        modes.c_lflag = 0;
        modes.c_cc[libc::VMIN] = 1;
        modes.c_cc[libc::VTIME] = 0;
        Self(modes)
    }
}
