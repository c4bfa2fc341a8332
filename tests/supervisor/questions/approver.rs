//! The approver behind a webhook: what of its answers counts, and that the program does not take its place.

use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{LONG, SHORT, answer, asking, outside, path, run, service, webhook};
use crate::attack::{Report, each, word};
use crate::service::{Asked, Service, allowing, ok, read_request, with_status};
use crate::world::World;

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

/// Listens at each place that leads to a port, also without a port of its own, and answers what comes; says what it got.
const TAKES_THE_PORT: &str = r#"
import errno, socket, sys
port, places = int(sys.argv[1]), sys.argv[2:]
for place in places:
    for number in port, 0:
        family = socket.AF_INET6 if ":" in place else socket.AF_INET
        server = socket.socket(family, socket.SOCK_STREAM)
        for option in socket.SO_REUSEADDR, socket.SO_REUSEPORT:
            server.setsockopt(socket.SOL_SOCKET, option, 1)
        try:
            server.bind((place, number))
            server.listen()
            print("got", place, number)
        except OSError as error:
            print(errno.errorcode[error.errno])
"#;

#[test]
fn no_port_of_the_webhook_is_the_program_s_to_listen_on() {
    each(|world| {
        // Nobody is there: whoever listens first is asked. The other port is one that may be taken.
        let down =
            || TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port().to_string();
        let (port, other) = (down(), down());
        let places = ["127.0.0.1", "127.0.0.7", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1"];
        for host in ["127.0.0.1", "localhost", "127.0.0.7", "[::1]"] {
            let supervisor = webhook(&format!("http://{host}:{port}/"), SHORT);
            let tried = |listen: &[&str], wanted: &str, places: &[&str]| {
                let flags = [&["--allow-host", "127.0.0.1:1"], listen].concat();
                let mut command = asking(world, &supervisor, &flags);
                command.args(["/usr/bin/python3", "-c", TAKES_THE_PORT, wanted]).args(places);
                world.finish(&mut command)
            };
            for listen in [port.clone(), format!("0.0.0.0:{port}"), format!("[::]:{port}"), format!("127.0.0.9:{port}")]
            {
                let outcome = tried(&["--listen", &listen], &port, &places);
                assert_eq!((outcome.stdout.as_str(), outcome.code()), ("", 125), "{host} {listen}: {}", outcome.stderr);
                let said = format!("--listen {listen}: whoever listens at ");
                let webhook = format!("is asked in the place of the webhook http://{host}:{port} (");
                assert!(outcome.stderr.contains(&said) && outcome.stderr.contains(&webhook), "{}", outcome.stderr);
            }
            let refused = tried(&["--listen", &other], &port, &places);
            assert!(!refused.stdout.contains("got") && refused.stdout.contains("EACCES"), "{host}: {}", refused.stdout);
            let twin = tried(&["--listen", &other], &other, &places[..1]);
            assert_eq!(twin.stdout, format!("got 127.0.0.1 {other}\nEACCES\n"), "{host}: {}", twin.stderr);
        }
    });
}

#[test]
fn a_socket_whose_name_has_a_colon_is_as_much_the_approver_s_place() {
    each(|world| {
        for (name, path) in [("a:b.sock", ""), ("a:b.sock", ":/x"), ("c.sock", "")] {
            let socket = world.work().join(name);
            let url = format!("unix:{}{path}", word(&socket));
            let script =
                "import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); print('got')";
            let tried = |place: &str| {
                let mut command = asking(world, &webhook(&url, SHORT), &["--allow", word(&world.work())]);
                world.finish(command.args(["/usr/bin/python3", "-c", script, place]))
            };
            let outcome = tried(word(&socket));
            assert_eq!((outcome.stdout.as_str(), socket.exists()), ("", false), "{url}: {}", outcome.stderr);
            let twin = world.work().join("a");
            assert_eq!(tried(word(&twin)).stdout, "got\n", "{url}");
            fs::remove_file(&twin).expect("the twin's socket");
        }
    });
}

/// The records of the session that the first question names.
fn log(world: &World, service: &Service) -> Vec<Value> {
    let request = service.asked().first().expect("a question").json()["request"].clone();
    let session = request["session"].as_str().expect("a session");
    let log = world.home().join(".local/state/nono/sessions").join(session).join("events.jsonl");
    let text = fs::read_to_string(log).expect("a log");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_log_and_the_service_can_be_held_against_each_other() {
    each(|world| {
        let (yes, no) = (outside(world, "yes", "good\n"), outside(world, "no", "bad\n"));
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let sent = Arc::clone(&bodies);
        let service = Service::answering(move |asked| {
            let decision = if path(asked).ends_with("yes") { "allow" } else { "deny" };
            let more = r#""approver":"alice\u001b[2J","annotations":{"$ticket\"":"X-1\n","b":"\u202e"}"#;
            let proper = String::from_utf8_lossy(&answer(asked, decision, "once")).replace(r#""scope":"once""#, more);
            let (_, body) = proper.split_once("\r\n\r\n").expect("a body");
            sent.lock().expect("a lock").push(sha256(body.as_bytes()));
            ok(body)
        });
        let outcome = run(world, &service.url(), &[], &format!("cat {yes}; cat {no}; exit 0"));
        assert_eq!(outcome.stdout, "good\n", "{}", outcome.stderr);
        let records = log(world, &service);
        let answers: Vec<&Value> = records.iter().filter(|record| record["operation"] == "approval").collect();
        let asked = service.asked();
        assert_eq!((answers.len(), asked.len()), (2, 2), "{answers:?}");
        let policy = records.iter().find_map(|record| record["policy_sha256"].as_str()).expect("a digest");
        for (number, (record, asked)) in answers.into_iter().zip(&asked).enumerate() {
            let request = &asked.json()["request"];
            assert_eq!(request["policy_sha256"], policy);
            let webhook = &record["webhook"];
            assert_eq!((&webhook["uid"], &webhook["status"]), (&json!(asked.uid()), &json!(200)), "{record}");
            assert_eq!(webhook["request_sha256"], sha256(&asked.body), "{record}");
            assert_eq!(webhook["response_sha256"], bodies.lock().expect("a lock")[number], "{record}");
            assert_eq!(webhook["peer"], format!("127.0.0.1:{}", service.port));
            let annotations = json!([{ "key": "$ticket\"", "value": "X-1\\n" }, { "key": "b", "value": "\\u{202e}" }]);
            assert_eq!(webhook["annotations"], annotations, "{record}");
            assert!(record["approver"].as_str().is_some_and(|name| name.starts_with("alice\\u{1b}[2J (")), "{record}");
        }
        // What does not count is told too.
        let service = Service::answering(|_| ok("{}"));
        run(world, &service.url(), &[], &format!("cat {yes}; exit 0"));
        let records = log(world, &service);
        let record = records.iter().find(|record| record["operation"] == "approval").expect("a record");
        assert_eq!((&record["disposition"], &record["webhook"]["code"]), (&json!("unanswered"), &json!("version")));
        assert_eq!(record["webhook"]["response_sha256"], sha256(b"{}"), "{record}");
        let verified = world.finish(world.nono().args(["audit", "verify", "--all"]));
        assert_eq!(verified.code(), 0, "{}{}", verified.stdout, verified.stderr);
    });
}
