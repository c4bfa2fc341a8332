//! A witness on loopback that keeps to C2SP `tlog-witness`: it cosigns nothing that does not go on from what it has seen.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use nono::merkle::Hash;
use nono::merkle::checkpoint::Checkpoint;
use nono::merkle::key::{Signer, Verifier};
use nono::merkle::note::Note;
use nono::merkle::proof::verify_consistency;

/// What else than the specification it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Nothing.
    Honest,
    /// It signs another text.
    OtherText,
    /// It signs with a key that nobody knows.
    OtherKey,
    /// It says each time that it has seen one record more than it is offered a proof from.
    Restless,
    /// It answers with words.
    Words,
}

/// The witness, until the end of the test.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) key: Verifier,
    seen: Arc<Mutex<Seen>>,
}

struct Seen {
    log: Verifier,
    manner: Manner,
    last: Option<(u64, Hash)>,
    requests: usize,
}

impl Server {
    pub(crate) fn start(seed: u8, log: Verifier, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/submit", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(Seen { log, manner, last: None, requests: 0 }));
        let shared = Arc::clone(&seen);
        // It ends with the process: nobody joins a thread that waits for connections.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut seen = shared.lock().expect("no thread has panicked");
                seen.requests += 1;
                answer(stream, &mut seen, seed);
            }
        });
        Self { url, key: signer(seed).cosign("\n", 0).0, seen }
    }

    /// How many records it has cosigned.
    pub(crate) fn size(&self) -> u64 {
        self.seen.lock().expect("no thread has panicked").last.map_or(0, |(size, _)| size)
    }

    /// Counts the requests since the last time.
    pub(crate) fn requests(&self) -> usize {
        std::mem::take(&mut self.seen.lock().expect("no thread has panicked").requests)
    }
}

fn signer(seed: u8) -> Signer {
    Signer::new(&format!("witness.example/{seed}"), &[seed; 32]).expect("a name")
}

fn answer(mut stream: TcpStream, seen: &mut Seen, seed: u8) {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let (mut line, mut length, mut is_right) = (String::new(), 0, false);
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        is_right |= line.starts_with("POST /submit/add-checkpoint HTTP/1.1");
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    let (status, kind, text) = if is_right { judged(&body, seen, seed) } else { (405, "text/plain", String::new()) };
    let head = format!(
        "HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        text.len()
    );
    // Whoever asked may be gone.
    let _ = stream.write_all(format!("{head}{text}").as_bytes());
}

/// The steps of "add-checkpoint", in the order of the specification.
fn judged(body: &[u8], seen: &mut Seen, seed: u8) -> (u16, &'static str, String) {
    let refused = |status| (status, "text/plain", "no\n".to_owned());
    let Some((old, proof, note)) = parsed(body) else { return refused(400) };
    let Some(claimed) = Checkpoint::parse(note.unverified_text()) else { return refused(400) };
    if claimed.origin != seen.log.name() {
        return refused(404);
    }
    if note.verify(std::slice::from_ref(&seen.log)).is_err() {
        return refused(403);
    }
    if old > claimed.size {
        return refused(400);
    }
    let (size, root) = seen.last.unwrap_or_else(|| (0, nono::merkle::empty_root()));
    let conflict = |size: u64| (409, "text/x.tlog.size", format!("{size}\n"));
    if seen.manner == Manner::Restless {
        return conflict(old + 1);
    }
    if old != size || (size == claimed.size && root != claimed.root) {
        return conflict(size);
    }
    let holds = if size == 0 {
        proof.is_empty()
    } else {
        verify_consistency((size, &root), (claimed.size, &claimed.root), &proof).is_ok()
    };
    if !holds {
        return refused(422);
    }
    seen.last = Some((claimed.size, claimed.root));
    let text = note.unverified_text();
    let line = match seen.manner {
        Manner::Honest | Manner::Restless => signer(seed).cosign(text, 1_700_000_000).1,
        Manner::OtherText => signer(seed).cosign("another\n", 1_700_000_000).1,
        Manner::OtherKey => signer(seed + 100).cosign(text, 1_700_000_000).1,
        Manner::Words => return (200, "text/plain", "cosigned, thank you\n".to_owned()),
    };
    (200, "text/plain", line.to_string())
}

fn parsed(body: &[u8]) -> Option<(u64, Vec<Hash>, Note)> {
    let (head, note) = std::str::from_utf8(body).ok()?.split_once("\n\n")?;
    let mut lines = head.split('\n');
    let old = lines.next()?.strip_prefix("old ")?.parse().ok()?;
    let hash = |line: &str| BASE64.decode(line).ok()?.try_into().ok();
    Some((old, lines.map(hash).collect::<Option<_>>()?, Note::parse(note.as_bytes()).ok()?))
}
