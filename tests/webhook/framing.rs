//! Answers that are no HTTP, no JSON, too long, too slow, or more than one.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::service::{Asked, Service, allow, allowing, ok, with_status};
use crate::{PATIENCE, allowed, refused, webhook};

const MOMENT: Duration = Duration::from_millis(20);

/// What makes an answer out of the body of a proper one.
type Spoil = fn(&str) -> Vec<u8>;

#[test]
fn an_answer_that_two_readers_could_read_differently_does_not_count() {
    let cases: &[(&str, &str, Spoil)] = &[
        ("line-end", "bare line feeds", |body| String::from_utf8_lossy(&ok(body)).replace("\r\n", "\n").into_bytes()),
        ("control-character", "a NUL in a field", |body| with_status("200 OK", "X: \0\r\n", body)),
        ("field", "a folded field", |body| with_status("200 OK", "X: 1\r\n 2\r\n", body)),
        ("field", "a space before the colon", |body| with_status("200 OK", "X : 1\r\n", body)),
        ("field", "the type twice", |body| with_status("200 OK", "Content-Type: application/json\r\n", body)),
        ("framing", "the length twice", |body| {
            with_status("200 OK", &format!("Content-Length: {}\r\n", body.len()), body)
        }),
        ("framing", "a length and chunks", |body| with_status("200 OK", "Transfer-Encoding: chunked\r\n", body)),
        ("framing", "a length with a sign", |body| framed(&format!("Content-Length: +{}", body.len()), body)),
        ("framing", "a negative length", |body| framed("Content-Length: -1", body)),
        ("framing", "a list of lengths", |body| framed(&format!("Content-Length: {0}, {0}", body.len()), body)),
        ("framing", "no length", |body| framed("X: 1", body)),
        ("framing", "another coding", |body| framed("Transfer-Encoding: gzip, chunked", body)),
        ("chunk", "a size that overflows", |body| {
            framed("Transfer-Encoding: chunked", &format!("fffffffffffffffff\r\n{body}"))
        }),
        ("chunk", "a chunk that is too long", |body| {
            framed("Transfer-Encoding: chunked", &format!("1\r\n{body}\r\n0\r\n\r\n"))
        }),
        ("field", "trailers that are none", |body| {
            framed("Transfer-Encoding: chunked", &format!("{:x}\r\n{body}\r\n0\r\n???\r\n\r\n", body.len()))
        }),
        ("truncated", "half a body", |body| ok(body)[..ok(body).len() - 5].to_vec()),
        ("truncated", "no last chunk", |body| {
            framed("Transfer-Encoding: chunked", &format!("{:x}\r\n{body}\r\n", body.len()))
        }),
        ("truncated", "half a head", |body| ok(body)[..30].to_vec()),
        ("truncated", "nothing", |_| Vec::new()),
        ("extra-bytes", "two answers", |body| ok(body).repeat(2)),
        ("extra-bytes", "a line end too many", |body| [ok(body), b"\r\n".to_vec()].concat()),
        ("status-line", "HTTP/2", |body| String::from_utf8_lossy(&ok(body)).replace("HTTP/1.1", "HTTP/2").into_bytes()),
        ("truncated", "HTTP/0.9", |body| body.as_bytes().to_vec()),
        ("status-line", "another protocol", |_| b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
        ("interim", "a change of protocol", |body| [b"HTTP/1.1 101 x\r\n\r\n".to_vec(), ok(body)].concat()),
        ("interim", "five interim answers", |body| [b"HTTP/1.1 100 x\r\n\r\n".repeat(5), ok(body)].concat()),
        ("content-encoding", "a compressed body", |body| with_status("200 OK", "Content-Encoding: gzip\r\n", body)),
        ("content-type", "another type", |body| {
            String::from_utf8_lossy(&ok(body)).replace("application/json", "text/plain").into_bytes()
        }),
    ];
    for (code, case, spoil) in cases {
        let spoil = *spoil;
        let service = Service::answering(move |asked| spoil(&allowing(asked.uid())));
        let record = refused(&webhook(&service.url()), PATIENCE, code, case);
        assert_eq!(record.requests, 1, "{case} is no reason to ask again");
    }
}

#[test]
fn an_answer_that_is_not_exactly_the_json_that_was_asked_for_does_not_count() {
    let cases: &[(&str, &str, Spoil)] = &[
        ("json", "no JSON", |_| ok("<html>")),
        ("json", "nothing", |_| ok("")),
        ("json", "NaN", |body| ok(&body.replace("\"allow\"", "NaN"))),
        ("json-trailing", "two values", |body| ok(&body.repeat(2))),
        ("json-duplicate", "a key twice", |body| {
            ok(&body.replace("\"decision\"", "\"decision\":\"deny\",\"decision\""))
        }),
        ("json-depth", "deep nesting", |body| ok(&body.replace("\"allow\"", &"[".repeat(30_000)))),
        ("json-utf8", "no UTF-8", |body| {
            let mut bytes = ok(body);
            let length = bytes.len();
            bytes[length - 5] = 0xff;
            bytes
        }),
        ("decision", "capital letters", |body| ok(&body.replace("allow", "ALLOW"))),
        ("decision", "another word", |body| ok(&body.replace("allow", "yes"))),
        ("wrong-type", "true", |body| ok(&body.replace("\"allow\"", "true"))),
        ("uid-missing", "no id", |body| ok(&body.replace("\"uid\"", "\"id\""))),
        ("uid-mismatch", "another id", |body| ok(&body.replace("\"uid\":\"", "\"uid\":\"0"))),
        ("version", "another version", |body| ok(&body.replace("/v1", "/v2"))),
        ("scope-too-wide", "a wide scope", |body| {
            ok(&body.replace("\"decision\"", "\"scope\":\"directory\",\"decision\""))
        }),
        ("access-too-wide", "more access", |body| {
            ok(&body.replace("\"decision\"", "\"access\":[\"read\",\"write\"],\"decision\""))
        }),
        ("expired", "the past", |body| {
            ok(&body.replace("\"decision\"", "\"expires_at\":\"2020-01-01T00:00:00Z\",\"decision\""))
        }),
        ("unknown-key", "a key that may narrow it", |body| {
            ok(&body.replace("\"decision\"", "\"if\":\"x\",\"decision\""))
        }),
    ];
    for (code, case, spoil) in cases {
        let spoil = *spoil;
        let service = Service::answering(move |asked| spoil(&allowing(asked.uid())));
        refused(&webhook(&service.url()), PATIENCE, code, case);
    }
}

#[test]
fn only_the_status_200_is_an_answer_and_no_redirect_is_followed() {
    let elsewhere = Service::answering(allow);
    for (status, code) in [
        (301, "redirect"),
        (302, "redirect"),
        (303, "redirect"),
        (304, "redirect"),
        (307, "redirect"),
        (308, "redirect"),
        (201, "status"),
        (203, "status"),
        (204, "status"),
        (206, "status"),
        (400, "status"),
        (401, "status"),
        (403, "status"),
        (404, "status"),
        (407, "status"),
        (410, "status"),
        (500, "status"),
        (501, "status"),
    ] {
        let location = format!("Location: {}\r\n", elsewhere.url());
        let service =
            Service::answering(move |asked| with_status(&format!("{status} x"), &location, &allowing(asked.uid())));
        let record = refused(&webhook(&service.url()), PATIENCE, code, &status.to_string());
        assert_eq!((record.status, record.requests), (Some(status), 1));
    }
    assert!(elsewhere.asked().is_empty());
}

#[test]
fn an_answer_without_end_is_cut_off() {
    let endless: [(&str, &str, &[u8], &[u8]); 5] = [
        ("too-large", "a gigabyte", b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", &[b'x'; 4096]),
        ("too-large", "chunks", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"4\r\nxxxx\r\n"),
        ("head-too-large", "a line", b"HTTP/1.1 200 OK\r\nX: ", &[b'x'; 4096]),
        ("head-too-large", "fields", b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        ("interim", "interim answers", b"", b"HTTP/1.1 102 x\r\n\r\n"),
    ];
    for (code, case, head, more) in endless {
        let service = Service::new(move |_, stream| {
            let mut working = stream.write_all(head);
            while working.is_ok() {
                working = stream.write_all(more);
            }
        });
        refused(&webhook(&service.url()), PATIENCE, code, case);
    }
}

#[test]
fn a_server_that_sends_a_byte_now_and_then_gains_no_time() {
    for text in [
        "HTTP/1.1 200 OK\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nxxxx",
    ] {
        let service = Service::new(move |_, stream| {
            for byte in text.bytes().chain(std::iter::repeat_n(b'x', 100)) {
                if stream.write_all(&[byte]).is_err() {
                    return;
                }
                thread::sleep(MOMENT * 2);
            }
        });
        let began = Instant::now();
        refused(&webhook(&service.url()), Duration::from_millis(700), "deadline", text);
        assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
    }
}

#[test]
fn a_server_that_says_nothing_is_left_at_the_deadline() {
    let service = Service::new(|_, _| thread::sleep(Duration::from_secs(3)));
    let began = Instant::now();
    refused(&webhook(&service.url()), Duration::from_millis(300), "deadline", "silence");
    assert!((300..1300).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
}

#[test]
fn a_proper_answer_counts_however_it_is_cut() {
    let chunked = |asked: &Asked| {
        let body = allowing(asked.uid());
        let (first, second) = body.split_at(7);
        let text = format!("{:x};a=b\r\n{first}\r\n{:X}\r\n{second}\r\n0\r\nX: y\r\n\r\n", first.len(), second.len());
        framed("Content-Type: application/json\r\nTransfer-Encoding: chunked", &text)
    };
    let whole: [fn(&Asked) -> Vec<u8>; 2] = [allow, chunked];
    for answer in whole {
        let service = Service::new(move |asked, stream| {
            let bytes = answer(asked);
            let (first, second) = bytes.split_at(asked.earlier.min(bytes.len()));
            send(stream, first);
            thread::sleep(Duration::from_millis(1));
            send(stream, second);
        });
        let webhook = webhook(&service.url());
        for _ in 0..300 {
            allowed(&webhook);
        }
    }
    let service = Service::new(|asked, stream| allow(asked).chunks(1).for_each(|byte| send(stream, byte)));
    allowed(&webhook(&service.url()));
}

#[test]
fn bytes_that_come_a_moment_after_the_answer_spoil_it() {
    let service = Service::new(|asked, stream| {
        send(stream, &allow(asked));
        thread::sleep(MOMENT);
        send(stream, b"HTTP/1.1 200 OK\r\n");
    });
    refused(&webhook(&service.url()), PATIENCE, "extra-bytes", "later bytes");
}

#[test]
fn a_server_that_keeps_the_connection_costs_a_moment() {
    let service = Service::new(|asked, stream| {
        send(stream, &allow(asked));
        thread::sleep(Duration::from_secs(2));
    });
    let began = Instant::now();
    allowed(&webhook(&service.url()));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[test]
fn a_connection_that_is_reset_after_half_an_answer_is_no_answer() {
    let service = Service::new(|asked, stream| {
        let bytes = allow(asked);
        send(stream, &bytes[..bytes.len() / 2]);
        stream.shutdown(Shutdown::Both).expect("an end");
    });
    refused(&webhook(&service.url()), PATIENCE, "truncated", "half");
}

#[test]
fn four_interim_answers_are_passed_over() {
    let service =
        Service::answering(|asked| [b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n".repeat(4), allow(asked)].concat());
    allowed(&webhook(&service.url()));
}

/// An answer with this line of framing instead of a length.
fn framed(line: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{line}\r\n\r\n{body}")
        .replace("Content-Type: application/json\r\nContent-Type", "Content-Type")
        .into_bytes()
}

fn send(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).expect("the client listens");
}
