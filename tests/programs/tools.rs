//! Small tools, and the pipes between them and nono.

use std::io::Write as _;
use std::process::Stdio;

use crate::{SECRET, desk, fails, inside, key, works};

#[test]
fn tar_packs_and_unpacks_and_does_neither_outside() {
    let Some(world) = desk(&["/usr/bin/tar"]) else { return };
    world.directory(&world.work().join("one"));
    world.file(&world.work().join("one/file"), "content\n");
    works(&inside(&world, "default", &["tar", "-czf", "one.tar.gz", "one"]));
    works(&inside(&world, "default", &["tar", "-xzf", "one.tar.gz", "--transform", "s/^one/two/"]));
    assert_eq!(works(&inside(&world, "default", &["cat", "two/file"])), "content\n");
    let (ssh, outside) = (world.home().join(".ssh"), world.outside());
    works(&world.finish(world.command("tar").args(["-cf", "key.tar", "-C"]).arg(&ssh).arg(".")));
    fails(&inside(&world, "default", &["tar", "-cf", "stolen.tar", "-C", &ssh.display().to_string(), "id_rsa"]));
    fails(&inside(&world, "default", &["tar", "-xzf", "one.tar.gz", "-C", &outside.display().to_string()]));
    assert!(!outside.join("one").exists());
}

#[test]
fn tar_unpacks_set_id_bits_of_directories_and_not_of_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(world) = desk(&["/usr/bin/tar"]) else { return };
    world.directory(&world.work().join("shared"));
    world.file(&world.work().join("shared/file"), "content\n");
    let pack = "chmod 2775 shared; tar -cf shared.tar shared; chmod 4755 shared/file; tar -cf lends.tar shared";
    works(&world.finish(world.command("sh").args(["-c", pack])));
    let mode = |name: &str| std::fs::metadata(world.work().join(name)).expect(name).permissions().mode() & 0o7777;
    works(&inside(&world, "default", &["sh", "-c", "mkdir one && tar -C one -xpf shared.tar"]));
    assert_eq!([mode("one/shared"), mode("one/shared/file")], [0o2775, 0o600]);
    let outcome = inside(&world, "default", &["sh", "-c", "mkdir two && tar -C two -xpf lends.tar"]);
    fails(&outcome);
    assert!(outcome.stderr.contains("Operation not permitted"), "{}", outcome.stderr);
    assert_eq!([mode("two/shared"), mode("two/shared/file") & 0o6000], [0o2775, 0]);
}

#[test]
fn sqlite_keeps_a_database_and_opens_none_outside() {
    let Some(world) = desk(&["/usr/bin/sqlite3"]) else { return };
    let make = "PRAGMA journal_mode=WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1), (2), (3);";
    works(&inside(&world, "default", &["sqlite3", "data.db", make]));
    assert_eq!(works(&inside(&world, "default", &["sqlite3", "data.db", "SELECT sum(x) FROM t;"])), "6\n");
    let outside = world.outside().join("data.db");
    fails(&inside(&world, "default", &["sqlite3", &outside.display().to_string(), make]));
    assert!(!outside.exists());
}

#[test]
fn find_grep_and_sed_work_on_the_directory_and_not_on_the_home() {
    let Some(world) = desk(&["/usr/bin/find", "/usr/bin/grep", "/usr/bin/sed"]) else { return };
    world.directory(&world.work().join("one"));
    world.file(&world.work().join("one/file"), "a line\nanother line\n");
    let run = |words: &[&str]| inside(&world, "default", words);
    assert_eq!(works(&run(&["find", ".", "-name", "f*", "-newermt", "2000-01-01"])), "./one/file\n");
    assert_eq!(works(&run(&["grep", "-rn", "another", "."])), "./one/file:2:another line\n");
    works(&run(&["sed", "-i", "s/line/word/", "one/file"]));
    assert_eq!(works(&run(&["cat", "one/file"])), "a word\nanother word\n");
    let (home, key) = (world.home().display().to_string(), key(&world).display().to_string());
    fails(&run(&["find", &home, "-name", "id_rsa"]));
    fails(&run(&["grep", "-r", "secret", &home]));
    fails(&run(&["sed", "-i", "s/secret/lie/", &key]));
    assert_eq!(std::fs::read_to_string(key).expect("the key is there"), SECRET);
}

#[test]
fn what_is_piped_in_comes_out_whole_and_nothing_else_does() {
    let Some(world) = desk(&["/usr/bin/sort"]) else { return };
    let lines: Vec<String> = (0..50_000).rev().map(|number| format!("{number:06}\n")).collect();
    let mut command = world.nono();
    command.args(["run", "--", "sort"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("nono starts");
    let mut input = child.stdin.take().expect("standard input is a pipe");
    let text = lines.concat();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().expect("nono ends");
    writer.join().expect("the writer ends").expect("everything is taken");
    assert!(output.status.success());
    let sorted: Vec<String> = lines.into_iter().rev().collect();
    assert!(output.stdout == sorted.concat().as_bytes(), "{} bytes came out", output.stdout.len());
}

#[test]
fn a_reader_that_leaves_ends_the_program_that_writes() {
    let Some(world) = desk(&["/usr/bin/yes", "/usr/bin/head"]) else { return };
    let nono = world.nono().get_program().to_string_lossy().into_owned();
    let script = format!("set -o pipefail; {nono} run -s -- yes | head -n 2; echo ${{PIPESTATUS[0]}}");
    let outcome = world.finish(world.command("bash").args(["-c", &script]));
    assert_eq!(works(&outcome), "y\ny\n141\n", "{}", outcome.stderr);
}

#[test]
fn the_exit_status_is_the_program_s_own() {
    let Some(world) = desk(&["/bin/sh"]) else { return };
    for (script, expected) in [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143), ("kill -KILL $$", 137)] {
        let outcome = inside(&world, "default", &["sh", "-c", script]);
        assert_eq!(outcome.code(), expected, "{script}: {}", outcome.stderr);
    }
    assert_eq!(inside(&world, "default", &["no-such-program"]).code(), 127);
    world.file(&world.work().join("data"), "x");
    assert_eq!(inside(&world, "default", &["./data"]).code(), 126);
}
