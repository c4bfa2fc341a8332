//! Signals: blocked, waited for, sent. See `signal(7)`.

use std::time::Duration;

use crate::errno::{Errno, checked, checked_int};
use crate::process::Pid;

/// A signal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal(pub i32);

impl Signal {
    pub const CHILD: Self = Self(libc::SIGCHLD);
    pub const CONTINUE: Self = Self(libc::SIGCONT);
    pub const FILE_SIZE: Self = Self(libc::SIGXFSZ);
    pub const HANGUP: Self = Self(libc::SIGHUP);
    pub const INTERRUPT: Self = Self(libc::SIGINT);
    pub const KILL: Self = Self(libc::SIGKILL);
    pub const PIPE: Self = Self(libc::SIGPIPE);
    pub const QUIT: Self = Self(libc::SIGQUIT);
    pub const STOP: Self = Self(libc::SIGSTOP);
    pub const TERMINAL_STOP: Self = Self(libc::SIGTSTP);
    pub const TERMINAL_INPUT: Self = Self(libc::SIGTTIN);
    pub const TERMINAL_OUTPUT: Self = Self(libc::SIGTTOU);
    pub const TERMINATE: Self = Self(libc::SIGTERM);
    /// Ignored by whoever does not ask for it.
    pub const URGENT: Self = Self(libc::SIGURG);
    pub const USER_1: Self = Self(libc::SIGUSR1);
    pub const USER_2: Self = Self(libc::SIGUSR2);
    pub const WINDOW_CHANGE: Self = Self(libc::SIGWINCH);
}

/// A set of signals, as `sigsetops(3)` makes it.
#[derive(Clone, Copy)]
pub struct SignalSet(libc::sigset_t);

/// A signal that arrived.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    pub signal: Signal,
    /// A process sent it (`SI_USER`, `SI_QUEUE`, `SI_TKILL`); otherwise the kernel did, such as for a key on the terminal.
    pub from_process: bool,
    /// The sender, where a process sent it.
    pub sender: i32,
    /// What came with it (`sigqueue(3)`), where a process sent it.
    pub value: usize,
}

impl Signal {
    /// `SIGRTMIN`: a signal without a meaning of its own, of which none is lost while others of it are pending
    /// (`signal(7)`).
    pub fn first_real_time() -> Self {
        Self(libc::SIGRTMIN())
    }
}

impl std::fmt::Debug for SignalSet {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("SignalSet")
    }
}

impl SignalSet {
    /// The set of `signals`.
    pub fn new(signals: &[Signal]) -> Self {
        let mut set = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: `set` is memory of the right size, which sigemptyset(3) fills.
        unsafe { libc::sigemptyset(set.as_mut_ptr()) };
        // SAFETY: sigemptyset(3) has initialised the whole set.
        let mut set = unsafe { set.assume_init() };
        for signal in signals {
            // SAFETY: `set` is an initialised set; a number that is no signal is refused without effect.
            unsafe { libc::sigaddset(&raw mut set, signal.0) };
        }
        Self(set)
    }

    /// `sigprocmask(2)` with `SIG_BLOCK`; returns what was blocked before.
    ///
    /// # Errors
    /// Those of `sigprocmask(2)`.
    pub fn block(&self) -> Result<Self, Errno> {
        let mut before = Self::new(&[]);
        // SAFETY: both sets are initialised and outlive the call.
        checked_int(unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const self.0, &raw mut before.0) })?;
        Ok(before)
    }

    /// `sigprocmask(2)` with `SIG_SETMASK`: exactly these are blocked. Does not allocate.
    ///
    /// # Errors
    /// Those of `sigprocmask(2)`.
    pub fn set_mask(&self) -> Result<(), Errno> {
        // SAFETY: the set is initialised and outlives the call; a null pointer means that the old mask is not wanted.
        checked_int(unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut()) }).map(drop)
    }

    /// `sigtimedwait(2)`: waits for one of these, which must be blocked; for as long as `most`, else for good.
    ///
    /// # Errors
    /// `EAGAIN` when none came in time, `EINTR` when another signal was handled first, or the process was stopped and continued.
    pub fn wait(&self, most: Option<Duration>) -> Result<Arrival, Errno> {
        let mut info = std::mem::MaybeUninit::<libc::siginfo_t>::uninit();
        let most = most.map(|most| libc::timespec {
            tv_sec: most.as_secs().try_into().unwrap_or(libc::time_t::MAX),
            tv_nsec: most.subsec_nanos().into(),
        });
        let until = most.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: the set is initialised, `info` is memory of the size the kernel fills, and `until` is null or points to `most`.
        let number = checked_int(unsafe { libc::sigtimedwait(&raw const self.0, info.as_mut_ptr(), until) })?;
        // SAFETY: sigtimedwait(2) succeeded, so it has filled the structure.
        let info = unsafe { info.assume_init() };
        // SI_USER is 0, SI_QUEUE, SI_TKILL and the rest that processes cause are negative; the kernel's are positive.
        let from_process = info.si_code <= 0;
        // SAFETY: for a signal that a process sent, the kernel has filled the sender's process id.
        let sender = if from_process { unsafe { info.si_pid() } } else { 0 };
        // SAFETY: as above; where the sender gave no value the structure was zero before.
        let value = if from_process { unsafe { info.si_value() }.sival_ptr.addr() } else { 0 };
        Ok(Arrival { signal: Signal(number), from_process, sender, value })
    }
}

/// `signal(2)` with `SIG_DFL`. Does not allocate.
///
/// # Errors
/// Those of `sigaction(2)`.
pub fn set_default(signal: Signal) -> Result<(), Errno> {
    // SAFETY: SIG_DFL runs no code of ours.
    let before = unsafe { libc::signal(signal.0, libc::SIG_DFL) };
    if before == libc::SIG_ERR { Err(Errno::last()) } else { Ok(()) }
}

/// `sigaction(2)` with a handler that does nothing and without `SA_RESTART`: from now on the signal ends a call that waits
/// in this process, with `EINTR`, and does nothing else.
///
/// # Errors
/// Those of `sigaction(2)`.
pub fn let_interrupt(signal: Signal) -> Result<(), Errno> {
    extern "C" fn nothing(_: libc::c_int) {}
    let handler: extern "C" fn(libc::c_int) = nothing;
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: `action` is memory of the right size; zero is no flags, no restorer and an empty mask.
    unsafe { (*action.as_mut_ptr()).sa_sigaction = handler as libc::sighandler_t };
    // SAFETY: `action` is initialised and outlives the call, its handler is a function that touches nothing; a null
    // pointer means that the old action is not wanted.
    checked_int(unsafe { libc::sigaction(signal.0, action.as_ptr(), std::ptr::null_mut()) }).map(drop)
}

/// `tgkill(2)`: to one thread of this process.
///
/// # Errors
/// `ESRCH` when the thread has ended.
pub fn send_to_own_thread(thread: Pid, signal: Signal) -> Result<(), Errno> {
    send_to_thread(crate::process::own_id(), thread, signal)
}

/// `tgkill(2)`: to one thread of a process.
///
/// # Errors
/// `ESRCH` when the process has no such thread, `EPERM` when the caller may not signal it.
pub fn send_to_thread(process: Pid, thread: Pid, signal: Signal) -> Result<(), Errno> {
    // SAFETY: the call takes numbers only.
    checked(unsafe { libc::syscall(libc::SYS_tgkill, process.number(), thread.number(), signal.0) }).map(drop)
}

/// `kill(2)`, to one process.
///
/// # Errors
/// Those of `kill(2)`.
pub fn send(pid: Pid, signal: Signal) -> Result<(), Errno> {
    // SAFETY: the call takes numbers only.
    checked_int(unsafe { libc::kill(pid.number(), signal.0) }).map(drop)
}

/// `sigqueue(3)`, to one process, with a value.
///
/// # Errors
/// Those of `sigqueue(3)`.
pub fn send_with(pid: Pid, signal: Signal, value: usize) -> Result<(), Errno> {
    let value = libc::sigval { sival_ptr: std::ptr::without_provenance_mut(value) };
    // SAFETY: the value is passed on as a number, which nobody takes for an address.
    checked_int(unsafe { libc::sigqueue(pid.number(), signal.0, value) }).map(drop)
}

/// `kill(2)`, to every process of the process group that `leader` leads.
///
/// # Errors
/// Those of `kill(2)`.
pub fn send_group(leader: Pid, signal: Signal) -> Result<(), Errno> {
    // SAFETY: the call takes numbers only.
    checked_int(unsafe { libc::kill(-leader.number(), signal.0) }).map(drop)
}

/// `kill(2)` with signal 0: whether a signal to the process would be let through.
///
/// # Errors
/// `EPERM` when it would not, `ESRCH` when there is no such process.
pub fn may_signal(pid: Pid) -> Result<(), Errno> {
    send(pid, Signal(0))
}

/// `kill(2)` with process id -1: sends to every process that the caller may signal, apart from itself.
///
/// The caller makes sure that a Landlock domain with `LANDLOCK_SCOPE_SIGNAL` holds it: then these are the processes of
/// that domain and of those nested in it, all of them at one moment, however fast they fork.
///
/// # Errors
/// `ESRCH` when there is none.
pub fn send_to_whole_domain(signal: Signal) -> Result<(), Errno> {
    // SAFETY: the call takes numbers only.
    checked_int(unsafe { libc::kill(-1, signal.0) }).map(drop)
}

/// Stops this process by `signal`, as its parent is told, and returns when it goes on. The signal, which may be blocked, is
/// let through for that.
///
/// In an orphaned process group every signal but `SIGSTOP` is discarded (`setpgid(2)`), and this returns at once.
///
/// # Errors
/// Those of `sigprocmask(2)` and `tgkill(2)`.
pub fn stop_by(signal: Signal) -> Result<(), Errno> {
    if signal == Signal::STOP {
        return raise(signal);
    }
    let set = SignalSet::new(&[signal]);
    let before = set.block()?;
    // While it is blocked: one that the terminal sent may be pending as well, and what makes the process go on takes both.
    let raised = raise(signal);
    // SAFETY: the set is initialised and outlives the call; a null pointer means that the old mask is not wanted.
    checked_int(unsafe { libc::sigprocmask(libc::SIG_UNBLOCK, &raw const set.0, std::ptr::null_mut()) })?;
    before.set_mask()?;
    raised
}

/// `raise(3)`.
///
/// # Errors
/// Those of `tgkill(2)`.
pub fn raise(signal: Signal) -> Result<(), Errno> {
    // SAFETY: the call takes a number only.
    if unsafe { libc::raise(signal.0) } == 0 { Ok(()) } else { Err(Errno::last()) }
}
