//! Scripts whose every call gives inside what it gives bare: with nothing denied, and with a denial inside the grant.

use std::path::Path;

use crate::attack::{each, sandbox, word};
use crate::world::{Outcome, World, skip};

const PYTHON: &str = "/usr/bin/python3";

/// Flags beside the grant of the working directory: none, a denial by path and one by pattern.
const DENIALS: [&[&str]; 3] = [&[], &["--deny", "closed"], &["--deny", "**/.env"]];

/// Runs `script` in the working directory, where one is installed.
pub(crate) fn python(world: &World, flags: Option<&[&str]>, script: &str, words: &[&str]) -> Option<Outcome> {
    if !Path::new(PYTHON).exists() {
        skip(&format!("{PYTHON} is not installed"));
        return None;
    }
    let work = world.work();
    let mut command = match flags {
        None => world.command(PYTHON),
        Some(flags) => sandbox(world, &[&["--allow", word(&work)], flags].concat()),
    };
    if flags.is_some() {
        command.arg(PYTHON);
    }
    Some(world.finish(command.args(["-u", "-c", script]).args(words)))
}

/// A script gives inside what it gives bare.
#[track_caller]
pub(crate) fn same(world: &World, least: usize, script: &str) {
    let work = world.work();
    let Some(bare) = python(world, None, script, &[word(&work)]) else { return };
    assert!(bare.stdout.lines().count() >= least, "{}{}", bare.stdout, bare.stderr);
    for denial in DENIALS {
        let Some(inside) = python(world, Some(denial), script, &[word(&work)]) else { return };
        assert_eq!(inside.stdout, bare.stdout, "{denial:?} {}", inside.stderr);
    }
}

#[test]
fn what_fails_for_everybody_fails_with_the_same_error_outside_of_the_grant() {
    // Nothing of this can come about, whoever tries.
    let script = "import os, socket, stat, sys
def tried(act, *words, **named):
    try: print(act.__name__, words, act(*words, **named))
    except OSError as error: print(act.__name__, words, error.errno)
for there in ('/usr', '/usr/lib', '/', '/usr/', '/usr/bin/env', '/proc', '/dev/null'):
    for act in (os.mkdir, os.mkfifo, socket.socket(socket.AF_UNIX).bind): tried(act, there)
    tried(os.symlink, 'x', there); tried(os.open, there, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
for missing in ('/usr/nope', '/nope', '/usr/nope/x', '/usr/bin/env/x', '/usr/nope/'):
    for act in (os.unlink, os.rmdir, os.listdir, os.readlink): tried(act, missing)
    tried(os.rename, missing, '/usr/nope2'); tried(os.rename, missing, 'here'); tried(os.rename, 'missing', missing)
    tried(os.link, missing, 'here'); tried(os.link, missing, '/usr/lib'); tried(os.link, 'missing', missing)
    tried(os.truncate, missing, 0); tried(os.chmod, missing, 0o600); tried(os.open, missing, os.O_RDWR)
for flags in (os.O_RDWR, os.O_WRONLY, os.O_RDONLY | os.O_TRUNC, os.O_RDWR | os.O_DIRECTORY, os.O_RDONLY | os.O_CREAT):
    tried(os.open, '/usr/lib', flags)
tried(os.open, '/usr/bin/env', os.O_RDWR | os.O_DIRECTORY); tried(os.truncate, '/usr/lib', 0)
tried(os.unlink, '/usr/nope/'); tried(os.mkfifo, '/usr/nope/'); tried(os.symlink, 'x', '/usr/nope/')
open('file', 'w').close()
tried(os.link, 'missing', 'file/x'); tried(os.rename, 'missing', '/usr'); tried(os.link, 'file', '/usr/lib')
os.unlink('file')";
    each(|world| same(world, 110, script));
}

#[test]
fn what_fails_for_everybody_is_not_told_as_refused() {
    each(|world| {
        let work = world.work();
        for denial in DENIALS {
            let script = "rm -f /usr/nope && ! mkdir /usr 2>/dev/null && mkdir -p /usr/lib && echo all";
            let flags = [&["run", "--allow", word(&work)], denial, &["--", "/bin/sh", "-c", script]].concat();
            let told = world.finish(world.nono().args(&flags));
            assert_eq!(told.stdout, "all\n", "{denial:?} {}", told.stderr);
            assert!(!told.stderr.contains("/usr"), "{denial:?} {}", told.stderr);
            // What could have come about is refused, and told.
            let made = world.outside().join("made");
            let flags = [&["run", "--allow", word(&work)], denial, &["--", "/bin/mkdir", word(&made)]].concat();
            let told = world.finish(world.nono().args(&flags));
            assert_ne!(told.code(), 0, "{denial:?}");
            assert!(told.stderr.contains(word(&made)) && !made.exists(), "{denial:?} {}", told.stderr);
        }
    });
}

#[test]
fn a_link_to_what_each_process_has_for_itself_means_the_caller() {
    let script = "import os, sys, threading
held = os.open('data', os.O_RDWR | os.O_CREAT); os.write(held, b'hello'); os.dup2(held, 57)
def read(path, flags=os.O_RDONLY):
    try:
        got = os.open(path, flags); print(path, os.pread(got, 5, 0)); os.close(got)
    except OSError as error: print(path, error.errno)
task = '/proc/self/task/%d/' % os.getpid()
targets = ('/proc/self/fd/57', '/dev/fd/57', task + 'comm', 'l0', '/proc/thread-self/comm', '/proc/self/fdinfo/57',
           task + 'fd/57', '/proc/self/fd/58', '/dev/fd/58', '/proc/self/missing', 'missing', '/dev/stdin/x')
for each, target in enumerate(targets):
    link = 'l%d' % each
    os.symlink(target, link)
    for flags in (os.O_RDONLY, os.O_RDONLY | os.O_NOFOLLOW): read(link, flags)
    if each in (0, 1, 3, 6, 7): read(link, os.O_RDWR)
for each, target in enumerate(('/proc/self/fd', '/proc/self', '/proc', '/proc/self/cwd')): os.symlink(target, 'd%d' % each)
for path in ('d0/57', 'd0/58', 'd1/fd/57', 'd1/comm', 'd2/self/fd/57', 'd2/self/fd/58', 'd3/data', 'd3/d0/57', 'd3/missing'): read(path)
os.truncate('l0', 3); os.chmod('l3', 0o640); print(os.stat('data').st_size, oct(os.stat('data').st_mode))
os.mkdir('closed-to-me'); os.chmod('closed-to-me', 0); os.chmod('/proc/self/cwd/closed-to-me/', 0o700); os.rmdir('d3/closed-to-me')
for name in os.listdir('.'): os.path.islink(name) and os.unlink(name)
os.unlink('data')";
    each(|world| same(world, 38, script));
}

#[test]
fn flags_sizes_and_waiting_opens_are_what_they_are_without_a_sandbox() {
    let script = "import collections, ctypes, errno, fcntl, os, struct, threading, time
library = ctypes.CDLL(None, use_errno=True)
def called(*words):
    got = library.syscall(*words); print(words[0], got if got < 0 else 'done', ctypes.get_errno() if got < 0 else 0); return got
def flags(of): print(oct(fcntl.fcntl(of, fcntl.F_GETFL) & ~os.O_LARGEFILE))
for each, more in enumerate((0, os.O_EXCL, os.O_NOFOLLOW, os.O_EXCL | os.O_NOFOLLOW, os.O_TRUNC, os.O_APPEND | os.O_NONBLOCK)):
    flags(os.open('made%d' % each, os.O_CREAT | os.O_RDWR | more)); os.unlink('made%d' % each)
for more in (0, os.O_NOFOLLOW, os.O_EXCL): os.close(os.open('.', os.O_TMPFILE | os.O_RDWR | more)); print('temporary')
called(437, -100, b'.', struct.pack('QQQ', os.O_TMPFILE | os.O_RDWR | os.O_NOFOLLOW, 0o600, 0), 24)
how = struct.pack('QQQ', os.O_CREAT | os.O_RDWR, 0o600, 0)
made = called(437, -100, b'how', how, 24)
called(265, made, b'', -100, b'linked', 0x1000)
print(os.stat('how').st_nlink, os.path.exists('linked'))
value = ctypes.create_string_buffer(b'value')
for size, tail in ((16, 0), (24, 0), (24, 1), (4096, 0), (4097, 0), (15, 0)):
    packed = ctypes.create_string_buffer(struct.pack('QII', ctypes.addressof(value), 5, 0) + bytes([tail]), 8192)
    called(463, -100, b'how', 0, b'user.name', packed, ctypes.c_long(size))
os.unlink('how')
if os.path.exists('linked'): os.unlink('linked')
os.mkfifo('fifo')
came = []
def wait():
    try: os.close(os.open('fifo', os.O_RDONLY)); came.append(0)
    except OSError as error: came.append(error.errno)
threading.stack_size(131072)
waiting = [threading.Thread(target=wait, daemon=True) for _ in range(300)]
for one in waiting: one.start()
time.sleep(.5)
both = os.open('fifo', os.O_RDWR)
for one in waiting: one.join()
print(collections.Counter(came)); os.unlink('fifo')";
    // The numbers of calls are this architecture's.
    if cfg!(target_arch = "x86_64") {
        each(|world| same(world, 19, script));
    }
}

#[test]
fn beneath_a_path_that_is_too_long_to_be_told_only_the_kernel_changes_anything() {
    let script = "import os
def tried(act, *words):
    try: return act(*words)
    except OSError as error: return error.errno
for each in range(22):
    tried(os.mkdir, 'd' * 200); tried(os.chdir, 'd' * 200)
print(tried(lambda: open('file', 'w').close()), tried(os.truncate, 'file', 3), tried(os.mkdir, 'sub'), tried(os.listdir, '.'))";
    each(|world| {
        for denial in DENIALS {
            let Some(inside) = python(world, Some(denial), script, &[]) else { return };
            let expected = if denial.is_empty() { "None None None ['" } else { "36 2 36 36\n" };
            assert!(inside.stdout.starts_with(expected), "{denial:?} {} {}", inside.stdout, inside.stderr);
            std::fs::remove_dir_all(world.work().join("d".repeat(200))).expect("the directories");
        }
    });
}
