//! Approvers on Unix sockets.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::service::{Asked, allow, read_request};
use crate::{PATIENCE, allowed, refused, webhook};

const NOBODY: u32 = 65_534;

/// A folder of this test alone, with a short path: a socket's is at most 107 bytes.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("nono-{name}-{}", std::process::id()));
    drop(fs::remove_dir_all(&folder));
    fs::create_dir(&folder).expect("a folder");
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).expect("a mode");
    folder
}

/// An approver at `path` that says yes, and what it was asked.
fn approver(path: &Path) -> Receiver<Asked> {
    let listener = UnixListener::bind(path).expect("a socket");
    fs::set_permissions(path, Permissions::from_mode(0o660)).expect("a mode");
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let Some(asked) = read_request(&mut stream, 0) else { continue };
            drop(stream.write_all(&allow(&asked)));
            drop(sender.send(asked));
        }
    });
    receiver
}

fn url(path: &Path) -> String {
    format!("unix:{}", path.display())
}

#[test]
fn an_approver_of_this_user_is_asked_at_the_path_behind_the_socket() {
    let folder = folder("good");
    let socket = folder.join("a.sock");
    let asked = approver(&socket);
    let record = allowed(&webhook(&url(&socket)));
    assert_eq!(record.peer, Some(socket.display().to_string()));
    let first = asked.recv().expect("a question");
    assert!(first.head.starts_with("POST / HTTP/1.1\r\nhost: localhost\r\n"), "{}", first.head);
    allowed(&webhook(&format!("{}:/v1/data/nono?x", url(&socket))));
    assert!(asked.recv().expect("a question").head.starts_with("POST /v1/data/nono?x HTTP/1.1\r\n"));
    drop(fs::remove_dir_all(folder));
}

#[test]
fn a_socket_that_others_may_use_or_replace_is_refused() {
    let folder = folder("mode");
    let socket = folder.join("a.sock");
    let asked = approver(&socket);
    fs::set_permissions(&socket, Permissions::from_mode(0o666)).expect("a mode");
    refused(&webhook(&url(&socket)), PATIENCE, "unix-mode", "the socket's mode");
    fs::set_permissions(&socket, Permissions::from_mode(0o600)).expect("a mode");
    fs::set_permissions(&folder, Permissions::from_mode(0o777)).expect("a mode");
    refused(&webhook(&url(&socket)), PATIENCE, "unix-mode", "the folder's mode");
    // As in /tmp, where nobody removes what belongs to others.
    fs::set_permissions(&folder, Permissions::from_mode(0o1777)).expect("a mode");
    allowed(&webhook(&url(&socket)));
    assert_eq!(asked.iter().take(1).count(), 1);
    assert!(asked.try_recv().is_err());
    drop(fs::remove_dir_all(folder));
}

#[test]
fn what_is_no_socket_is_refused() {
    let folder = folder("kind");
    let socket = folder.join("a.sock");
    let _asked = approver(&socket);
    let link = folder.join("link");
    std::os::unix::fs::symlink(&socket, &link).expect("a link");
    refused(&webhook(&url(&link)), PATIENCE, "unix-kind", "a link");
    let file = folder.join("file");
    fs::write(&file, "").expect("a file");
    refused(&webhook(&url(&file)), PATIENCE, "unix-kind", "a file");
    refused(&webhook(&url(&folder)), PATIENCE, "unix-kind", "a folder");
    drop(fs::remove_dir_all(folder));
}

#[test]
fn a_socket_without_a_listener_is_tried_again_like_any_connection() {
    let folder = folder("closed");
    let record = refused(&webhook(&url(&folder.join("none"))), PATIENCE, "connect", "nothing there");
    assert_eq!(record.requests, 4);
    let socket = folder.join("a.sock");
    drop(UnixListener::bind(&socket).expect("a socket"));
    fs::set_permissions(&socket, Permissions::from_mode(0o600)).expect("a mode");
    let record = refused(&webhook(&url(&socket)), PATIENCE, "connect", "nobody listens");
    assert_eq!(record.requests, 4);
    drop(fs::remove_dir_all(folder));
}

#[test]
fn a_listener_that_accepts_nothing_is_left_at_the_deadline() {
    let folder = folder("full");
    let socket = folder.join("a.sock");
    let script = "import socket,sys,time\ns=socket.socket(socket.AF_UNIX)\ns.bind(sys.argv[1])\ns.listen(0)\nprint(flush=True)\ntime.sleep(60)";
    let mut child = python(script, &socket);
    fs::set_permissions(&socket, Permissions::from_mode(0o600)).expect("a mode");
    let webhook = webhook(&url(&socket));
    let began = Instant::now();
    // The first fills the queue, and the others cannot even connect. At most sixteen wait for that.
    for round in 0..20 {
        let (answer, record) = crate::ask(&webhook, Duration::from_millis(100));
        let codes = if round < 16 { ["deadline", "deadline"] } else { ["deadline", "busy"] };
        assert!(record.code.is_some_and(|code| codes.contains(&code)), "{round}: {answer:?}");
    }
    refused(&webhook, Duration::from_millis(100), "busy", "too many wait");
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    drop((child.kill(), child.wait()));
    drop(fs::remove_dir_all(folder));
}

#[test]
fn a_socket_of_another_user_is_refused() {
    let folder = folder("owner");
    let socket = folder.join("a.sock");
    let _asked = approver(&socket);
    if chown(&socket, Some(NOBODY), None).is_err() {
        assert!(std::env::var_os("CI").is_none(), "only root can give a file away");
        eprintln!("skipped: only root can give a file away");
        drop(fs::remove_dir_all(folder));
        return;
    }
    refused(&webhook(&url(&socket)), PATIENCE, "unix-owner", "the socket's owner");
    fs::remove_file(&socket).expect("removed");

    // The file is root's, and nobody listens: that is, the user nobody.
    let script = "import os,socket,sys,time\ns=socket.socket(socket.AF_UNIX)\ns.bind(sys.argv[1])\nos.seteuid(65534)\ns.listen(5)\nprint(flush=True)\ntime.sleep(60)";
    let mut child = python(script, &socket);
    fs::set_permissions(&socket, Permissions::from_mode(0o600)).expect("a mode");
    refused(&webhook(&url(&socket)), PATIENCE, "unix-peer", "the listener");
    drop((child.kill(), child.wait()));
    drop(fs::remove_dir_all(folder));
}

/// Runs `script` with the socket's path, and waits for its first line.
fn python(script: &str, socket: &Path) -> std::process::Child {
    let mut child = Command::new("/usr/bin/python3")
        .args(["-c", script])
        .arg(socket)
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3");
    let mut line = String::new();
    let output = child.stdout.take().expect("a pipe");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).expect("a line");
    child
}
