//! Unix sockets of the program's own: by the names that it gave them, and nowhere else.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, symlink};
use std::path::Path;

use crate::answers::{python, same};
use crate::attack::{each, word};
use crate::place::Place;

#[test]
fn a_socket_has_the_name_that_the_program_gave_it() {
    let script = "import os, socket, stat, sys
work = sys.argv[1]
os.makedirs('sub/deep', exist_ok=True)
os.symlink('sub', 'way')
def tried(act, *words):
    try: return act(*words)
    except OSError as error: return error.errno
def shown(name, mode=None):
    server, client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    if mode is not None: os.fchmod(server.fileno(), mode)
    print(len(name), tried(server.bind, name), server.getsockname().replace(work, 'WORK'), end=' ')
    if not server.getsockname(): return print()
    print(oct(os.stat(name).st_mode), oct(os.fstat(server.fileno()).st_mode), end=' ')
    reply = name[:-1] + 'r'
    client.bind(reply); client.connect(name); client.send(b'x')
    print(client.getpeername() == name, server.recvfrom(1)[1] == reply, server.sendto(b'y', reply))
    os.unlink(name); os.unlink(reply)
for mask in (0, 0o27):
    os.umask(mask)
    for name in ('name', './name', 'sub/name', 'way/name', 'sub/../name', 'sub//deep/./name', work + '/name',
                 work + '/way/name', work + '/sub/../way/deep/name'):
        shown(name)
    shown('name', 0o600)
for length in (95, 107, 108, 109, 120): shown('n' * length)
for name in ('sub', 'sub/', 'sub/name/', 'missing/name', 'work', '/', '.'): shown(name)
os.chdir('sub'); shown('../name'); shown('deep/name'); os.chdir('..')
os.unlink('way'); os.rmdir('sub/deep'); os.rmdir('sub')";
    each(|world| same(world, 30, script));
}

#[test]
fn every_socket_of_the_program_s_own_is_reached_however_many_there_are() {
    let script = "import os, socket
held = []
for each in range(300):
    held.append(socket.socket(socket.AF_UNIX)); held[-1].bind('own%d' % each); held[-1].listen(1)
for each in range(300):
    socket.socket(socket.AF_UNIX).connect('own%d' % each); os.unlink('own%d' % each)
print('all')";
    each(|world| same(world, 1, script));
}

#[test]
fn addresses_without_a_name_mean_what_they_mean_without_a_sandbox() {
    let script = "import ctypes, os, socket, struct
library = ctypes.CDLL(None, use_errno=True)
for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
    server, client = socket.socket(socket.AF_UNIX, kind), socket.socket(socket.AF_UNIX, kind)
    server.bind('server')
    if kind == socket.SOCK_STREAM: server.listen(1)
    for family in (0, 1, 2):
        for length in (0, 1, 2, 16, 110, 111, 120):
            address = struct.pack('H', family) + (b'' if family == 0 else b'server') + bytes(128)
            print(kind, family, length, library.connect(client.fileno(), address, length), ctypes.get_errno())
            if length in (16, 110) and family == 1: continue
            print('bind', library.bind(socket.socket(socket.AF_UNIX, kind).fileno(), address, length), ctypes.get_errno())
    os.unlink('server')";
    each(|world| same(world, 70, script));
}

#[test]
fn a_path_that_changes_while_a_socket_is_bound_puts_it_nowhere_else() {
    let script = "import os, socket, sys
open_way, closed_way = sys.argv[1:]
child = os.fork()
if child == 0:
    while not os.path.exists('stop'):
        for target in (closed_way, open_way):
            os.symlink(target, 'next'); os.rename('next', 'way')
    os._exit(0)
bound = 0
for each in range(1500):
    try:
        socket.socket(socket.AF_UNIX).bind('way/s%d' % each); bound += 1
    except OSError: pass
open('stop', 'w').close(); os.waitpid(child, 0); os.unlink('stop')
print(bound)";
    each(|world| {
        let place = Place::by_path(world);
        let (sub, closed) = (world.work().join("sub"), world.work().join("sub/.env"));
        for directory in [&sub, &closed] {
            world.directory(directory);
        }
        let denied = ["--deny", word(&closed)];
        let aims: [(&[&str], &Path); 4] = [
            (&["--deny", "**/.env"], &closed),
            (&denied, &closed),
            (&[], &world.outside()),
            (&["--deny", "**/.env"], &world.outside()),
        ];
        for (flags, aim) in aims {
            let _ = fs::remove_file(world.work().join("way"));
            symlink("sub", world.work().join("way")).expect("a link");
            let Some(outcome) = python(world, Some(flags), script, &["sub", word(aim)]) else { return };
            let bound: u64 = outcome.stdout.trim().parse().unwrap_or_else(|_| panic!("{}", outcome.stderr));
            let sockets = |directory: &Path| {
                let entries = fs::read_dir(directory).expect("the directory").flatten();
                entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_socket())).count()
            };
            assert_eq!(sockets(aim), 0, "{flags:?} {aim:?}");
            assert!(bound > 50 && sockets(&sub) > 0, "{bound} bound: {flags:?}");
        }
        place.is_untouched();
    });
}
