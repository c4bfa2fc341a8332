//! `nono audit export`, as a collector runs it.

use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use nono::merkle::checkpoint::Checkpoint;
use nono::merkle::frontier::Frontier;
use nono::merkle::key::Signer;
use nono::merkle::leaf_hash;
use nono::merkle::note::Note;
use serde_json::{Value, json};

use crate::records;

/// A state directory with sessions in it, gone with the test.
struct State(PathBuf);

impl State {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("nono-export-{name}-{}", std::process::id()));
        fs::create_dir_all(path.join("nono/sessions")).expect("a directory");
        Self(path)
    }

    /// A session with these lines, of which a checkpoint covers all.
    fn session(&self, id: &str, lines: &[Vec<u8>]) -> PathBuf {
        let directory = self.0.join("nono/sessions").join(id);
        fs::create_dir_all(&directory).expect("a directory");
        let mut tree = Frontier::default();
        lines.iter().for_each(|line| tree.push(leaf_hash(line)));
        let checkpoint = Checkpoint { origin: format!("host/{id}"), size: tree.size(), root: tree.root() };
        let signer = Signer::new(&format!("host/{id}"), &[1; 32]).expect("a name");
        fs::write(directory.join("checkpoint"), Note::signed(checkpoint.to_string(), &signer).to_string())
            .expect("a file");
        fs::write(directory.join("events.jsonl"), text(lines)).expect("a file");
        directory
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nono"));
        command.args(["audit", "export"]).args(arguments).env_clear().env("XDG_STATE_HOME", &self.0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("nono runs")
    }

    /// The status, the rows and what was said.
    fn export(&self, arguments: &[&str]) -> (i32, Vec<String>, String) {
        let Output { status, stdout, stderr } = self.start(arguments).wait_with_output().expect("it ends");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (status.code().expect("an exit"), text(stdout).lines().map(str::to_owned).collect(), text(stderr))
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // What cannot be removed is left to the next start of the machine.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn text(lines: &[Vec<u8>]) -> Vec<u8> {
    lines.iter().flat_map(|line| [line.as_slice(), b"\n"].concat()).collect()
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// [`records::all`], as the writer begins each line.
fn lines() -> Vec<Vec<u8>> {
    let all = records::all();
    all.iter().enumerate().map(|(index, line)| indexed(index, line)).collect()
}

fn indexed(index: usize, line: &[u8]) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(line).expect("JSON");
    value.as_object_mut().expect("an object").remove("index");
    let rest = value.to_string();
    format!("{{\"index\":{index},{}", &rest[1..]).into_bytes()
}

#[test]
fn a_session_is_found_by_its_id_a_beginning_of_it_or_its_directory() {
    let state = State::new("found");
    let lines = lines();
    let directory = state.session("20260131T000000Z-00000001", &lines);
    state.session("20260131T000000Z-00000002", &lines[..3]);
    let whole = state.export(&["20260131T000000Z-00000001"]);
    assert_eq!((whole.0, whole.1.len(), whole.2.as_str()), (0, lines.len(), ""));
    assert_eq!(state.export(&[path(&directory)]), whole);
    assert_eq!(state.export(&["20260131T000000Z-00000002"]).1.len(), 3);
    let (status, _, said) = state.export(&["20260131"]);
    assert!(status == 125 && said.contains("2 sessions have an id that begins with `20260131`"), "{said}");
    let (status, _, said) = state.export(&["2027"]);
    assert!(status == 125 && said.contains("no session"), "{said}");
    for (line, row) in lines.iter().zip(&whole.1) {
        let row: Value = serde_json::from_str(row).expect("JSON");
        let hash: String = leaf_hash(line).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((&row["session"], &row["leaf_hash"]), (&"20260131T000000Z-00000001".into(), &hash.into()));
    }
}

#[test]
fn each_format_has_a_row_for_each_record_and_the_same_one_each_time() {
    let state = State::new("formats");
    let lines = lines();
    state.session("s", &lines);
    for (format, begins) in
        [("json", "{\"session\":\"s\""), ("ocsf", "{\""), ("ecs", "{\""), ("cef", "CEF:0|nono|nono|0.1.0|")]
    {
        let (status, rows, said) = state.export(&["s", "--format", format]);
        assert_eq!((status, rows.len(), said.as_str()), (0, lines.len(), ""), "{format}");
        assert!(rows.iter().all(|row| row.starts_with(begins)), "{format}: {}", rows[0]);
        assert_eq!(state.export(&["s", "--format", format]).1, rows);
    }
}

#[test]
fn a_log_that_is_not_what_was_written_is_not_exported_as_if_it_were() {
    let state = State::new("changed");
    let lines = lines();
    let events = state.session("s", &lines).join("events.jsonl");
    let whole = text(&lines);
    let changed = String::from_utf8(whole.clone()).expect("UTF-8").replacen("denied", "allowed", 1);
    fs::write(&events, changed).expect("a file");
    let (status, _, said) = state.export(&["s"]);
    assert!(status == 1 && said.contains("not what was written"), "{said}");
    fs::write(&events, text(&lines[..7])).expect("a file");
    let (status, rows, said) = state.export(&["s"]);
    assert!(status == 1 && rows.len() == 7 && said.contains("7 are there"), "{said}");
    fs::write(&events, [text(&lines[..7]), b"{\"index\":7,\"x\":1}\n".to_vec(), text(&lines[8..])].concat())
        .expect("a file");
    let (status, rows, said) = state.export(&["s"]);
    assert!(status == 1 && rows.len() == 7 && said.contains("line 7 is no record"), "{said}");
    fs::write(&events, [whole.as_slice(), b"{\"index\":"].concat()).expect("a file");
    let (status, rows, said) = state.export(&["s"]);
    assert!(status == 0 && rows.len() == lines.len() && said.contains("the last 9 bytes"), "{said}");
}

#[test]
fn following_prints_each_record_when_it_is_written_and_ends_with_the_session() {
    let state = State::new("follow");
    let lines = lines();
    let directory = state.session("s", &lines[..1]);
    let mut events = OpenOptions::new().append(true).open(directory.join("events.jsonl")).expect("a file");
    // As whoever writes it does until the session ends.
    syscalls::file::lock(events.as_fd(), false).expect("a lock");
    let mut child = state.start(&["s", "--follow", "--format", "ecs"]);
    let mut rows = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut next = || -> Value { serde_json::from_str(&rows.next().expect("a row").expect("UTF-8")).expect("JSON") };
    assert_eq!(next()["event"]["sequence"], 0);
    let mut write = |bytes: &[u8]| events.write_all(bytes).expect("it is written");
    // A line in two writes is one row.
    let (half, rest) = lines[1].split_at(20);
    write(half);
    std::thread::sleep(std::time::Duration::from_millis(300));
    write(rest);
    write(b"\n");
    assert_eq!(next()["event"]["sequence"], 1);
    let end = indexed(2, &records::line(2, "session.end", "s", "noted", &json!({ "exit_status": 0 })));
    write(&[end.as_slice(), b"\n"].concat());
    assert_eq!(next()["event"]["action"], "session-end");
    assert!(child.wait().expect("it ends").success());
}
