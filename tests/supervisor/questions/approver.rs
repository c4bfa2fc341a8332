//! The approver behind a webhook: what of its answers counts, and that the program does not take its place.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::thread;
use std::time::{Duration, Instant};

use super::{LONG, SHORT, answer, asking, outside, run, service, webhook};
use crate::attack::{Report, each, word};
use crate::service::{Asked, Service, allowing, ok, read_request, with_status};

#[test]
fn anything_but_a_proper_answer_is_no_in_time() {
    each(|world| {
        let file = outside(world, "file", "content\n");
        type Script = fn(&Asked, &mut TcpStream);
        let scripts: [(&str, Script); 4] = [
            ("garbage", |_, stream| drop(stream.write_all(b"\x00\xff\r\n\r\nallow"))),
            ("another uid", |_, stream| {
                let body = ok(
                    r#"{"apiVersion":"nono.approval/v1","kind":"ApprovalResponse","response":{"uid":"0","decision":"allow"}}"#,
                );
                drop(stream.write_all(&body));
            }),
            ("silence", |_, _| thread::sleep(Duration::from_millis(SHORT * 2))),
            ("one byte a while", |_, stream| {
                for byte in b"HTTP/1.1 200 OK\r\n" {
                    let _ = stream.write_all(&[*byte]);
                    thread::sleep(Duration::from_millis(100));
                }
            }),
        ];
        for (name, script) in scripts {
            let service = Service::new(script);
            let mut command = asking(world, &webhook(&service.url(), SHORT), &[]);
            let began = Instant::now();
            let outcome = world.finish(command.args(["/bin/cat", &file]));
            assert_eq!((outcome.stdout.as_str(), outcome.code()), ("", 1), "{name}: {}", outcome.stderr);
            assert!(outcome.stderr.contains("Permission denied"), "{name}: {}", outcome.stderr);
            assert!(began.elapsed() < Duration::from_millis(SHORT) + Duration::from_secs(8), "{name}");
        }
        let mut nobody = asking(world, &webhook("http://127.0.0.1:1/", SHORT), &[]);
        assert_eq!(world.finish(nobody.args(["/bin/cat", &file])).code(), 1);
    });
}

#[test]
fn silence_may_count_as_a_yes_and_an_answer_that_does_not_count_never_does() {
    each(|world| {
        let file = outside(world, "file", "content\n");
        let open = r#""default_on_timeout": "allow", "i_accept_fail_open": true"#;
        let tried = |url: &str, timeout: u64| {
            let supervisor = format!("{}, {open}", webhook(url, timeout));
            world.finish(asking(world, &supervisor, &[]).args(["/bin/cat", &file]))
        };
        type Answering = fn(&Asked) -> Vec<u8>;
        let scripts: [(&str, Answering); 8] = [
            ("no", |asked| answer(asked, "deny", "once")),
            ("another uid", |asked| {
                answer(&Asked { head: "webhook-id: 0\r\n".to_owned(), ..asked.clone() }, "allow", "once")
            }),
            ("no uid", |asked| {
                String::from_utf8_lossy(&answer(asked, "allow", "once")).replace("uid", "xid").into_bytes()
            }),
            ("a scope too wide", |asked| answer(asked, "allow", "everything")),
            ("another status", |asked| with_status("500 x", "", &allowing(asked.uid()))),
            ("busy", |asked| with_status("503 x", "retry-after: 0\r\n", &allowing(asked.uid()))),
            ("a redirect", |_| with_status("302 x", "location: /\r\n", "")),
            ("an end", |_| Vec::new()),
        ];
        for (name, script) in scripts {
            let service = Service::answering(script);
            let outcome = tried(&service.url(), LONG);
            assert_eq!((outcome.stdout.as_str(), outcome.code()), ("", 1), "{name}: {}", outcome.stderr);
        }
        // Nobody is there; and somebody, who says nothing.
        let silent = Service::new(|_, _| thread::sleep(Duration::from_millis(SHORT * 2)));
        for url in ["http://127.0.0.1:1/", &silent.url()] {
            let outcome = tried(url, SHORT);
            assert_eq!((outcome.stdout.as_str(), outcome.code()), ("content\n", 0), "{url}: {}", outcome.stderr);
        }
    });
}

#[test]
fn an_answer_without_the_question_s_id_opens_nothing() {
    each(|world| {
        let file = outside(world, "file", "content\n");
        for uid in ["null", "\"\"", "0", "[]"] {
            let service = Service::answering(move |asked| {
                let proper = String::from_utf8_lossy(&answer(asked, "allow", "session")).into_owned();
                let (_, body) = proper.split_once("\r\n\r\n").expect("a body");
                ok(&body.replace(&format!("\"{}\"", asked.uid()), uid))
            });
            let outcome = run(world, &service.url(), &[], &format!("cat {file}"));
            assert_eq!((outcome.stdout.as_str(), outcome.code()), ("", 1), "{uid}: {}", outcome.stderr);
            assert_eq!(service.asked().len(), 1, "{uid}");
        }
        let twin = service(|_| ("allow", "session"));
        assert_eq!(run(world, &twin.url(), &[], &format!("cat {file}")).stdout, "content\n");
    });
}

#[test]
fn an_approver_on_a_unix_socket_is_asked_and_out_of_the_program_s_reach() {
    each(|world| {
        let file = outside(world, "file", "content\n");
        let socket = world.outside().join("approver");
        let listener = UnixListener::bind(&socket).expect("a listener");
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o600)).expect("a mode");
        world.give(&socket);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                if let Some(asked) = read_request(&mut stream, 0) {
                    drop(stream.write_all(&answer(&asked, "allow", "once")));
                }
            }
        });
        let url = format!("unix:{}", word(&socket));
        let outcome = run(world, &url, &[], &format!("cat {file}"));
        assert_eq!((outcome.stdout.as_str(), outcome.code()), ("content\n", 0), "{}", outcome.stderr);
        let attack = [word(crate::attack::program()), "unix-stream", word(&socket)];
        let flags = ["--allow-unix-socket", word(&socket)];
        for flags in [&[][..], &flags] {
            let outcome = world.finish(asking(world, &webhook(&url, LONG), flags).args(attack));
            Report::of(&outcome, format!("{flags:?}: {}", outcome.stderr)).all(&["EACCES", "EPERM"]);
        }
    });
}
