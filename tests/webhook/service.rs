//! A server that does to each connection what its script says.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// How many connections there were before.
    pub(crate) earlier: usize,
}

/// The server, and everything it was asked.
pub(crate) struct Service {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Service {
    /// Serves on 127.0.0.1 until the tests end, one connection after the other.
    pub(crate) fn new(script: impl Fn(&Asked, &mut TcpStream) + Send + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").expect("a port"), script)
    }

    pub(crate) fn on(listener: TcpListener, script: impl Fn(&Asked, &mut TcpStream) + Send + 'static) -> Self {
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                stream.set_nodelay(true).expect("an option");
                let earlier = seen.lock().expect("a lock").len();
                let Some(request) = read_request(&mut stream, earlier) else { continue };
                seen.lock().expect("a lock").push(request.clone());
                script(&request, &mut stream);
            }
        });
        Self { port, asked }
    }

    /// Answers every request with what `answer` makes of it.
    pub(crate) fn answering(answer: impl Fn(&Asked) -> Vec<u8> + Send + 'static) -> Self {
        // The client may have left in the middle, which is its right.
        Self::new(move |asked, stream| drop(stream.write_all(&answer(asked))))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/approve", self.port)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("a lock").clone()
    }
}

impl Asked {
    /// The value of the field `name`, which is in lower case.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The id that the answer must repeat.
    pub(crate) fn uid(&self) -> &str {
        self.field("webhook-id").expect("an id")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

/// The proper answer.
pub(crate) fn allow(asked: &Asked) -> Vec<u8> {
    ok(&allowing(asked.uid()))
}

/// The body of the proper answer.
pub(crate) fn allowing(uid: &str) -> String {
    format!(
        r#"{{"apiVersion":"nono.approval/v1","kind":"ApprovalResponse","response":{{"uid":"{uid}","decision":"allow"}}}}"#
    )
}

/// An answer with this body.
pub(crate) fn ok(body: &str) -> Vec<u8> {
    with_status("200 OK", "", body)
}

/// An answer with this status, these fields (each with its line end), and this body.
pub(crate) fn with_status(status: &str, fields: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{fields}\r\n{body}")
        .into_bytes()
}

/// Reads a request with its body; `None` when the client sent something else or left.
pub(crate) fn read_request(stream: &mut impl Read, earlier: usize) -> Option<Asked> {
    let mut bytes = Vec::new();
    let end = loop {
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut asked = Asked { head, body: bytes.split_off(end), earlier };
    let length: usize = asked.field("content-length").map_or(0, |length| length.parse().expect("a length"));
    let have = asked.body.len();
    asked.body.resize(length, 0);
    stream.read_exact(asked.body.get_mut(have..)?).ok()?;
    Some(asked)
}
