//! The filter in the running kernel. It is loaded on a thread of its own and ends with that thread.

use std::fs;
use std::io;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::process::Command;
use std::thread;

use nono::enforce::seccomp::{Options, filter};
use syscalls::abi::Arch;

use crate::{CLOSED, OPEN, every_option};

const EPERM: Option<i32> = Some(1);
const EACCES: Option<i32> = Some(13);

/// Runs `work` under the filter of `options`.
fn under<T: Send + 'static>(options: Options, work: impl FnOnce() -> T + Send + 'static) -> T {
    let confined = thread::spawn(move || {
        syscalls::credentials::set_no_new_privs().unwrap();
        syscalls::seccomp::load(&filter(&options, Arch::NATIVE)).unwrap();
        work()
    });
    confined.join().unwrap()
}

fn errno<T>(result: io::Result<T>) -> Option<i32> {
    result.err().and_then(|error| error.raw_os_error())
}

#[test]
fn every_filter_loads_and_programs_run() {
    for options in every_option().into_iter().filter(|options| !options.supervised) {
        assert!(under(options, || Command::new("true").status().unwrap().success()), "{options:?}");
    }
}

#[test]
fn threads_files_and_pipes_work() {
    for options in every_option().into_iter().filter(|options| !options.supervised) {
        let output = under(options, || {
            let inner = thread::spawn(|| Command::new("sh").args(["-c", "echo one | cat; (echo two)"]).output());
            inner.join().unwrap().unwrap()
        });
        assert_eq!(output.stdout, b"one\ntwo\n", "{options:?}");
    }
}

#[test]
fn metadata_changes_only_where_the_option_says() {
    let change = |options| {
        under(options, move || {
            let path = std::env::temp_dir().join(format!("nono-metadata-{}", std::process::id()));
            fs::write(&path, "text").unwrap();
            let result = fs::set_permissions(&path, fs::Permissions::from_mode(0o600));
            fs::remove_file(&path).unwrap();
            errno(result)
        })
    };
    assert_eq!(change(OPEN), None);
    assert_eq!(change(CLOSED), EPERM);
}

#[test]
fn nothing_unseen_goes_out() {
    under(CLOSED, || {
        assert_eq!(errno(UdpSocket::bind("127.0.0.1:0")), EACCES);
        assert_eq!(errno(TcpListener::bind("127.0.0.1:0")), EACCES);
        assert_eq!(errno(TcpStream::connect("127.0.0.1:9")), EACCES);
        assert_eq!(errno(UnixDatagram::unbound()), EACCES);
        assert_eq!(errno(UnixDatagram::pair()), EACCES);
        assert_eq!(errno(UnixStream::connect("/nowhere")), EACCES);
        assert!(UnixStream::pair().is_ok());
    });
    under(OPEN, || {
        assert_eq!(errno(UdpSocket::bind("127.0.0.1:0")), EACCES);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(TcpStream::connect(listener.local_addr().unwrap()).is_ok());
        assert!(UnixDatagram::pair().is_ok());
        let path = std::env::temp_dir().join(format!("nono-socket-{}", std::process::id()));
        let local = UnixListener::bind(&path).unwrap();
        assert!(UnixStream::connect(&path).is_ok());
        drop(local);
        fs::remove_file(&path).unwrap();
    });
}

#[test]
fn a_second_filter_only_narrows() {
    let change = under(OPEN, || {
        let closed = filter(&CLOSED, Arch::NATIVE);
        syscalls::seccomp::load(&closed).unwrap();
        let open = filter(&OPEN, Arch::NATIVE);
        syscalls::seccomp::load(&open).unwrap();
        errno(UnixDatagram::pair())
    });
    assert_eq!(change, EACCES);
}
