//! The smallest supervisor of `openat(2)`, to measure nono against: it checks nothing and is no sandbox.

use std::ffi::{CStr, CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::thread;

use syscalls::abi::filter::{answer, code, data};
use syscalls::abi::{Arch, SockFilter, Syscall};
use syscalls::at::{self, OpenHow};
use syscalls::notify::{Listener, Notification, descriptor_of, load_with_listener, read_memory};
use syscalls::process::{self, Change, Pid, Side, StringList};
use syscalls::{Errno, credentials, file};

/// How the supervisor receives calls, and what it does with each, after it has read the path.
#[derive(Clone, Copy)]
pub(crate) struct Mode {
    /// It opens the file itself and hands the descriptor over, instead of letting the kernel go on.
    injects: bool,
    /// Caller and receiver take turns on one processor, where the kernel knows how.
    takes_turns: bool,
    receivers: usize,
}

impl Mode {
    pub(crate) fn named(name: &str) -> Option<Self> {
        let plain = Self { injects: false, takes_turns: true, receivers: 1 };
        match name {
            "continue" => Some(plain),
            "inject" => Some(Self { injects: true, ..plain }),
            "anywhere" => Some(Self { takes_turns: false, ..plain }),
            "two" => Some(Self { receivers: 2, ..plain }),
            _ => None,
        }
    }
}

/// Runs a program under the supervisor, and ends with its exit status after `ended` was called.
pub(crate) fn supervise(mode: Mode, words: Vec<OsString>, ended: impl Fn() + Sync) -> io::Result<u8> {
    let words: Vec<CString> = words.into_iter().map(|word| CString::new(word.into_vec())).collect::<Result<_, _>>()?;
    let program = found(words.first().ok_or_else(|| io::Error::other("no program"))?)?;
    let (arguments, environment) = (StringList::new(words), StringList::new(inherited()?));
    let (number_out, number_in) = file::pipe()?;
    let (go_out, go_in) = file::pipe()?;
    match process::fork()? {
        Side::Child => {
            let _ = become_program(&number_in, &go_out, || process::execute(&program, &arguments, &environment));
            process::exit_now(127)
        }
        Side::Parent(child) => {
            let mut number = [0; 4];
            file::read(number_out.as_fd(), &mut number)?;
            let listener = Listener::new(descriptor_of(child, i32::from_ne_bytes(number))?);
            if mode.takes_turns {
                let _ = listener.wake_up_synchronously();
            }
            file::write(go_in.as_fd(), &[1])?;
            // Whichever receiver learns of the end ends them all.
            let serve = || {
                let status = serve(&listener, mode, child);
                ended();
                process::exit_now(status)
            };
            thread::scope(|scope| {
                for _ in 1..mode.receivers {
                    scope.spawn(serve);
                }
                serve()
            })
        }
    }
}

/// Where a program is, as `execvp(3)` finds it.
fn found(name: &CStr) -> io::Result<CString> {
    if name.to_bytes().contains(&b'/') {
        return Ok(name.to_owned());
    }
    let searched = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::env::split_paths(&searched).map(|directory| directory.join(OsStr::from_bytes(name.to_bytes())));
    let mut paths = paths.filter_map(|path| CString::new(path.into_os_string().into_vec()).ok());
    paths.find(|path| file::may_execute(path).is_ok()).ok_or_else(|| io::Error::other("no such program"))
}

fn inherited() -> io::Result<Vec<CString>> {
    let pairs = std::env::vars_os().map(|(name, value)| [name.into_vec(), b"=".to_vec(), value.into_vec()].concat());
    Ok(pairs.map(CString::new).collect::<Result<_, _>>()?)
}

fn become_program(number: &OwnedFd, go: &OwnedFd, execute: impl FnOnce() -> Errno) -> Result<(), Errno> {
    credentials::set_no_new_privs()?;
    let openat = Syscall::openat.number(Arch::NATIVE).map_or(u32::MAX, u32::from);
    let instruction = |code, jt, jf, k| SockFilter { code, jt, jf, k };
    let listener = load_with_listener(&[
        instruction(code::LOAD, 0, 0, data::NUMBER),
        instruction(code::JUMP_EQUAL, 0, 1, openat),
        instruction(code::RETURN, 0, 0, answer::USER_NOTIF),
        instruction(code::RETURN, 0, 0, answer::ALLOW),
    ])?;
    file::write(number.as_fd(), &listener.to_ne_bytes())?;
    file::read(go.as_fd(), &mut [0])?;
    file::close_on_exec_from(3)?;
    Err(execute())
}

fn serve(listener: &Listener, mode: Mode, child: Pid) -> u8 {
    loop {
        match listener.receive() {
            Ok(notification) => answer_one(listener, &notification, mode),
            Err(_) => {
                if let Ok(Some((pid, Change::Exited(status)))) = process::next_change() {
                    if pid == child {
                        return status;
                    }
                }
            }
        }
    }
}

fn answer_one(listener: &Listener, call: &Notification, mode: Mode) {
    let [directory, address, flags, permissions, ..] = call.arguments;
    let mut buffer = [0; 4096];
    let to_page_end = usize::try_from(4096 - address % 4096).unwrap_or(4096);
    let copied = read_memory(call.thread, address, buffer.get_mut(..to_page_end).unwrap_or_default());
    if !mode.injects {
        let _ = listener.go_on(call.id);
        return;
    }
    let text = |copied, buffer: &[u8]| CStr::from_bytes_until_nul(buffer.get(..copied)?).ok().map(ToOwned::to_owned);
    let mut path = copied.ok().and_then(|copied| text(copied, &buffer));
    if path.is_none() {
        // It goes on in the next page.
        path = read_memory(call.thread, address, &mut buffer).ok().and_then(|copied| text(copied, &buffer));
    }
    let opened = match &path {
        Some(path) => open(call.thread, directory, path, flags & OpenHow::VALID, permissions & 0o7777),
        None => Err(Errno::FAULT),
    };
    let close_on_exec = flags & OpenHow::CLOSE_ON_EXEC != 0;
    let handed = opened.and_then(|file| listener.hand_over(call.id, file.as_fd(), close_on_exec));
    if let Err(errno) = handed {
        let _ = listener.answer(call.id, Err(errno));
    }
}

fn open(caller: Pid, directory: u64, path: &CStr, flags: u64, permissions: u64) -> Result<OwnedFd, Errno> {
    let base = if path.to_bytes().first() == Some(&b'/') {
        None
    } else {
        let caller = caller.number();
        #[expect(clippy::cast_possible_truncation, reason = "a descriptor is the low half of its argument")]
        let link = match directory as u32 as i32 {
            number if number < 0 => format!("/proc/{caller}/cwd"),
            number => format!("/proc/{caller}/fd/{number}"),
        };
        Some(file::open_path(&CString::new(link).map_err(|_| Errno::INVALID)?)?)
    };
    let mode = if flags & (OpenHow::CREATE | OpenHow::TEMPORARY_FILE) == 0 { 0 } else { permissions };
    let how = OpenHow { flags: flags | OpenHow::CLOSE_ON_EXEC, mode, resolve: 0 };
    at::open(base.as_ref().map(AsFd::as_fd), path, &how)
}
