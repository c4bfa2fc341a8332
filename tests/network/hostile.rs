//! Name servers that answer wrongly, and programs that ask too much.

use std::process::Child;

use crate::lab::{API, HOSTILE, Lab, PRIVATE, each, ready};
use crate::questions::asking;

/// The server, until the value is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(lab: &Lab) -> Server {
    let mut server = lab.inside("/usr/bin/python3");
    server.args(["-c", include_str!("hostile.py"), HOSTILE, API, PRIVATE]);
    let server = Server(ready(&mut server));
    lab.write("resolv.conf", &format!("nameserver {HOSTILE}\noptions timeout:1 attempts:1\n"));
    server
}

/// Gets a page of each host: `hello`, or the number of the error. Then the time that this took at the most.
const GET: &str = "
import socket, sys, threading, time
def get(name):
    began = time.monotonic()
    try:
        with socket.create_connection((name, 80), 9) as s:
            s.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')
            whole = b''
            while part := s.recv(999): whole += part
            end = whole.split()[-1].decode()
    except OSError as error: end = type(error).__name__
    print(name.split('.')[0], end, 'late' if time.monotonic() - began > 20 else 'in time')
for name in sys.argv[1:]: get(name)
";

#[test]
fn wrong_answers_lead_nowhere_and_right_ones_still_count() {
    each(|lab| {
        let _server = serve(lab);
        let wrong = [
            "numbers", "question", "loop", "forward", "counts", "short", "noise", "query", "several", "class", "owner",
            "long", "endless", "hung", "cut", "lies", "failed", "silent",
        ];
        let right = ["aliases", "later", "huge", "api"];
        let names: Vec<String> =
            wrong.iter().chain(&["inward"]).chain(&right).map(|how| format!("{how}.example.com")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let outcome = lab.python(&["--allow-host", "*.example.com"], GET, &names);
        let mut expected: Vec<String> = wrong.iter().map(|how| format!("{how} gaierror in time")).collect();
        expected.push("inward PermissionError in time".to_owned());
        expected.extend(right.iter().map(|how| format!("{how} hello in time")));
        let lines: Vec<&str> = outcome.stdout.lines().collect();
        assert_eq!(lines, expected, "{}", outcome.stderr);
        assert!(outcome.stderr.contains("connect inward.example.com:80: it leads to 10.0.0.5"), "{}", outcome.stderr);
        let requests = lab.taken("requests");
        assert!(requests.len() == right.len() && requests.iter().all(|line| line.contains(API)), "{requests:?}");
    });
}

/// Looks up as many names as it is told, one after the other, and counts the answers by their codes (RFC 1035, 4.1.1).
const FLOOD: &str = "
import collections, socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(9)
s.connect(('9.9.9.9', 53))
codes = collections.Counter()
for number in range(int(sys.argv[1])):
    query = struct.pack('>6H', number % 65536, 0x100, 1, 0, 0, 0)
    query += b''.join(bytes([len(label)]) + label.encode() for label in (f'n{number}', 'evil', 'example')) + b'\\0\\0\\1\\0\\1'
    s.send(query)
    codes[s.recv(999)[3] & 15] += 1
print(*sorted(codes.items()))
sys.argv[1:] = ['api.example.com']
";

#[test]
fn many_names_take_no_address_from_those_of_the_policy() {
    each(|lab| {
        let flags = asking(lab, "");
        let outcome = lab.python(&[&flags[0], &flags[1]], &[FLOOD, GET].concat(), &["4200"]);
        assert_eq!(outcome.stdout, "(0, 4096) (2, 104)\napi hello in time\n", "{}", outcome.stderr);
        assert!(outcome.stderr.contains("refused 104 times: look up more than 4096 names"), "{}", outcome.stderr);
        assert!(lab.taken("queries").iter().all(|line| line.starts_with("api.example.com ")));
    });
}

#[test]
fn look_ups_that_nobody_answers_end_and_leave_room_for_others() {
    each(|lab| {
        let _server = serve(lab);
        let program = [
            "import socket, threading
socket.setdefaulttimeout(9)
def ask(n):
    try: socket.getaddrinfo(f'silent.n{n}.example.com', 80)
    except OSError: pass
threads = [threading.Thread(target=ask, args=(n,)) for n in range(200)]
for thread in threads: thread.start()
for thread in threads: thread.join()
import sys
sys.argv[1:] = ['api.example.com']
",
            GET,
        ];
        let outcome = lab.python(&["--allow-host", "*.example.com"], &program.concat(), &[]);
        assert_eq!(outcome.stdout, "api hello in time\n", "{}", outcome.stderr);
    });
}
