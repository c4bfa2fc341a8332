//! Contents and names of files (rows 5, 6, 10, 18, 19, 26, 27).

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::attack::{bare, bare_command, confined, confined_command, each, program, report, sandbox, secret, word};
use crate::world::{Who, World};

#[test]
fn no_call_opens_a_file_outside_the_policy() {
    each(|world| {
        let secret = secret(world);
        bare(world, &["read", word(&secret)]).all(&["OK"]);
        for flags in [&[][..], &["--allow", word(&world.work())], &["--allow-cwd"]] {
            confined(world, flags, &["read", word(&secret)]).all(&["EACCES"]);
            confined(world, flags, &["write", word(&secret)]).all(&["EACCES"]);
        }
        assert_eq!(content(&secret), "secret\n");
        let twin = confined(world, &["--read", word(&secret)], &["read", word(&secret)]);
        twin.all_but(&["read-write"], &["OK"]);
        twin.are(&["read-write"], "EACCES");
        confined(world, &["--read", word(&secret)], &["write", word(&secret)]).all(&["EACCES"]);
        assert_eq!(content(&secret), "secret\n");
        let written = confined(world, &["--write", word(&secret)], &["write", word(&secret)]);
        written.all_but(&["open-truncate"], &["OK"]);
        assert_eq!(content(&secret), "");
        confined(world, &["--write", word(&secret)], &["read", word(&secret)]).all(&["EACCES"]);
        confined(world, &["--allow", word(&secret)], &["read", word(&secret)]).all(&["OK"]);
    });
}

#[test]
fn each_refused_open_is_one_record_whichever_call_it_was() {
    each(|world| {
        let secret = secret(world);
        for denial in [&[][..], &["--deny", "**/.env"]] {
            let refused = confined(world, denial, &["read", word(&secret)]);
            let list = world.finish(world.nono().args(["audit", "list"])).stdout;
            let session = list.lines().last().and_then(|line| line.split(' ').next()).expect("a session");
            let shown = world.finish(world.nono().args(["audit", "show", session, "--denied"])).stdout;
            let records = shown.lines().filter(|line| line.contains(word(&secret))).count();
            assert_eq!(records, refused.lines.len(), "{denial:?}: {shown}");
        }
    });
}

#[test]
fn a_working_directory_or_a_descriptor_of_a_directory_opens_nothing_more() {
    each(|world| {
        let secret = secret(world);
        let outside = world.outside();
        let attack = ["chdir-open", word(&outside), "secret"];
        bare(world, &attack).all(&["OK"]);
        confined(world, &[], &attack).are(&["relative", "list", "beneath-o-path"], "EACCES");
        confined(world, &["--read", word(&secret)], &attack).are(&["relative", "beneath-o-path"], "OK");
    });
}

#[test]
fn no_name_appears_or_disappears_outside_the_policy() {
    each(|world| {
        let (secret, outside, work) = (secret(world), world.outside(), world.work());
        let allow = ["--allow", word(&work)];
        let empty = outside.join("empty");
        world.directory(&empty);
        confined(world, &allow, &["make", word(&empty)]).all(&["EACCES"]);
        confined(world, &allow, &["unlink", word(&secret)]).all(&["EACCES"]);
        confined(world, &allow, &["rmdir", word(&empty)]).all(&["EACCES"]);
        assert_eq!(fs::read_dir(&empty).expect("the directory").count(), 0);
        let own = work.join("own");
        world.file(&own, "own\n");
        for (from, to) in [(&secret, &work.join("taken")), (&own, &outside.join("given"))] {
            for name in ["rename", "link"] {
                confined(world, &allow, &[name, word(from), word(to)]).all(&["EACCES", "EXDEV", "EPERM"]);
                assert!(!to.exists() && from.exists(), "{name} {from:?} {to:?}");
            }
        }
        confined(world, &allow, &["exchange", word(&own), word(&secret)]).all(&["EACCES", "EXDEV", "EPERM"]);
        confined(world, &allow, &["link-descriptor", word(&secret), word(&work.join("taken"))])
            .all(&["EACCES", "EXDEV", "EPERM", "ENOENT"]);
        assert_eq!((content(&own), content(&secret)), ("own\n".into(), "secret\n".into()));
        confined(world, &allow, &["make", word(&work)]).all(&["OK"]);
        let (one, two) = (work.join("directory/one"), work.join("two"));
        confined(world, &allow, &["rename", word(&own), word(&one)]).all(&["OK"]);
        confined(world, &allow, &["link", word(&one), word(&two)]).all(&["OK"]);
        confined(world, &allow, &["exchange", word(&one), word(&two)]).all(&["OK"]);
        confined(world, &allow, &["unlink", word(&one)]).all(&["OK"]);
        confined(world, &allow, &["rmdir", word(&work.join("directory"))]).all(&["OK"]);
        confined(world, &["--read", word(&work)], &["unlink", word(&two)]).all(&["EACCES"]);
    });
}

#[test]
fn device_nodes_cannot_be_made_even_where_everything_may_be_written() {
    each(|world| {
        let work = world.work();
        confined(world, &["--allow", word(&work)], &["devices", word(&work)]).all(&["EPERM", "EACCES"]);
        assert_eq!(fs::read_dir(&work).expect("the directory").count(), 0);
    });
}

#[test]
fn a_handle_names_nothing() {
    each(|world| {
        let secret = secret(world);
        let outside = bare(world, &["handle", word(&secret)]);
        outside.are(&["name-to-handle"], "OK");
        if world.who == Who::Root {
            outside.are(&["open-by-handle"], "OK");
        }
        confined(world, &[], &["handle", word(&secret)]).all(&["EPERM"]);
    });
}

#[test]
fn odd_spellings_of_a_path_come_to_what_the_plain_one_comes_to() {
    each(|world| {
        let outside = world.outside();
        world.file(&outside.join("file"), "");
        world.file(&outside.join(OsStr::from_bytes(b"\xff\xfe")), "");
        let attack = ["edges", word(&outside), "file"];
        let kernel = bare(world, &attack);
        kernel.are(&["plain", "proc-root", "not-utf8", "after-nul", "longest", "page-end", "two-pages"], "OK");
        kernel.are(&["unmapped-tail", "null", "wild"], "EFAULT");
        assert_eq!(confined(world, &["--read", word(&outside)], &attack).lines, kernel.lines);
        let deny = |(name, verdict): (String, String)| (name, if verdict == "OK" { "EACCES".into() } else { verdict });
        let denied: Vec<_> = kernel.lines.into_iter().map(deny).collect();
        assert_eq!(confined(world, &[], &attack).lines, denied);
    });
}

#[test]
fn what_was_opened_for_reading_cannot_be_opened_again_for_writing() {
    each(|world| {
        let secret = secret(world);
        bare(world, &["upgrade", word(&secret)]).all(&["OK"]);
        world.file(&secret, "secret\n");
        confined(world, &["--read", word(&secret)], &["upgrade", word(&secret)]).all(&["EACCES"]);
        assert_eq!(content(&secret), "secret\n");
        confined(world, &["--allow", word(&secret)], &["upgrade", word(&secret)]).all(&["OK"]);
    });
}

#[test]
fn standard_streams_can_be_used_and_not_opened_again() {
    each(|world| {
        let secret = secret(world);
        let from = || File::open(&secret).expect("the secret");
        report(world, bare_command(world, &["stdin"]).stdin(from())).all(&["OK"]);
        let inside = report(world, confined_command(world, &[], &["stdin"]).stdin(from()));
        inside.are(&["read"], "OK");
        inside.all_but(&["read"], &["EACCES"]);
        let twin = report(world, confined_command(world, &["--read", word(&secret)], &["stdin"]).stdin(from()));
        twin.are(&["dev-stdin", "dev-fd-0", "proc-thread-self-fd-0"], "OK");
        // A directory leads to nothing that lies in it.
        let directory = || File::open(world.outside()).expect("the directory");
        let attack = ["fd", "0", "secret"];
        report(world, bare_command(world, &attack).stdin(directory())).are(&["beneath", "enter"], "OK");
        for denial in [&[][..], &["--deny", "**/.env"]] {
            let mut inside = confined_command(world, denial, &attack);
            report(world, inside.stdin(directory())).are(&["beneath"], "EACCES");
        }
        let mut twin = confined_command(world, &["--read", word(&secret)], &attack);
        report(world, twin.stdin(directory())).are(&["beneath"], "OK");
        // Nor is a device opened again, and standard output, a file here, is written to alone.
        let device = || File::open("/dev/tty0").or_else(|_| File::open("/dev/kmsg")).ok();
        for denial in [&[][..], &["--deny", "**/.env"]] {
            let mut inside = confined_command(world, denial, &["open", "r", "/dev/stdin", "/proc/self/fd/0"]);
            if let Some(device) = device() {
                report(world, inside.stdin(device)).all(&["EACCES"]);
            }
            let output = ["/dev/stdout", "/proc/self/fd/1", "/dev/stderr", "/proc/thread-self/fd/2"];
            for how in ["r", "w"] {
                confined(world, denial, &[&["open", how][..], &output].concat()).all(&["EACCES"]);
                if world.who == Who::Root {
                    bare(world, &[&["open", how][..], &output].concat()).all(&["OK"]);
                }
            }
        }
    });
}

#[test]
fn inherited_descriptors_are_closed() {
    each(|world| {
        let secret = secret(world);
        let outside = world.outside();
        for (number, path) in [("9", &secret), ("9", &outside), ("3", &secret), ("200", &secret), ("1000", &outside)] {
            let holding = |run: &std::process::Command| {
                let mut command = bare_command(world, &["holding", number, word(path)]);
                command.arg(run.get_program()).args(run.get_args());
                report(world, &mut command)
            };
            let attack = ["fd", number, "secret"];
            let outside = holding(&bare_command(world, &attack));
            assert!(outside.verdict("read") == "OK" || outside.verdict("beneath") == "OK");
            holding(&confined_command(world, &[], &attack)).all(&["EBADF"]);
            holding(&confined_command(world, &[], &["fds"])).all(&["EBADF"]);
        }
    });
}

#[test]
fn a_closed_standard_stream_does_not_become_something_of_nono_s() {
    each(|world| {
        for stream in ["<&-", "2>&-", "<&- 2>&-"] {
            let run = sandbox(world, &[]);
            let mut command = world.command("/bin/sh");
            command
                .arg("-c")
                .arg(format!("exec \"$@\" {stream}"))
                .arg("sh")
                .arg(run.get_program())
                .args(run.get_args());
            let outcome =
                world.finish(command.args(["/bin/sh", "-c", "readlink /proc/self/fd/0; readlink /proc/self/fd/2"]));
            assert_eq!(outcome.code(), 0, "{stream}: {}", outcome.stderr);
            let harmless = |line: &str| line == "/dev/null" || line.ends_with(".err");
            assert!(outcome.stdout.lines().all(harmless), "{stream}: {}", outcome.stdout);
            assert_eq!(outcome.stdout.lines().count(), 2, "{stream}: {}", outcome.stdout);
        }
    });
}

#[test]
fn a_symbolic_link_is_judged_by_where_it_leads() {
    each(|world| {
        let (secret, outside, work) = (secret(world), world.outside(), world.work());
        let allow = ["--allow", word(&work)];
        let (file, directory) = (work.join("file"), work.join("directory"));
        confined(world, &allow, &["symlink", word(&secret), word(&file)]).all(&["OK"]);
        confined(world, &allow, &["symlink", word(&outside), word(&directory)]).all(&["OK"]);
        for path in [file.clone(), directory.join("secret")] {
            bare(world, &["read", word(&path)]).all(&["OK"]);
            confined(world, &allow, &["read", word(&path)]).all(&["EACCES"]);
            confined(world, &allow, &["write", word(&path)]).all(&["EACCES"]);
            confined(world, &["--read", word(&work)], &["chmod", word(&path)]).all(&["EPERM"]);
        }
        confined(world, &allow, &["make", word(&directory)]).all(&["EACCES"]);
        confined(world, &allow, &["unlink", word(&directory.join("secret"))]).all(&["EACCES"]);
        let away = directory.join("away");
        confined(world, &allow, &["rename", word(&file), word(&away)]).all(&["EACCES", "EXDEV"]);
        assert_eq!(content(&secret), "secret\n");
        // The link itself is the program's own.
        confined(world, &allow, &["unlink", word(&file)]).all(&["OK"]);
        assert_eq!(content(&secret), "secret\n");
        // A link to something granted leads there.
        let (inner, link) = (work.join("inner"), work.join("link"));
        world.file(&inner, "inner\n");
        symlink(&inner, &link).expect("a link");
        confined(world, &allow, &["read", word(&link)]).all(&["OK"]);
    });
}

#[test]
fn a_program_outside_the_policy_is_not_executed_by_any_way() {
    each(|world| {
        let (outside, work) = (world.outside(), world.work());
        let denied = copy_of_program(world, &outside);
        let written = copy_of_program(world, &work);
        let run = |flags: &[&str], command: &[&str]| {
            let outcome = world.finish(sandbox(world, flags).args(command));
            (outcome.code(), outcome.stdout)
        };
        assert_eq!(run(&[], &[&denied, "landlock"]), (126, String::new()));
        assert_eq!(run(&["--write", word(&work)], &[&written, "landlock"]), (126, String::new()));
        confined(world, &[], &["execute", &denied, "landlock"]).all(&["EACCES"]);
        confined(world, &["--write", word(&work)], &["execute", &written, "landlock"]).all(&["EACCES"]);
        if let Some(loader) = loader() {
            assert_eq!(run(&["--read", word(&work)], &[loader, &written, "landlock"]).0, 0);
            let (code, output) = run(&[], &[loader, &denied, "landlock"]);
            assert!(code != 0 && output.is_empty(), "the loader ran what it may not read: {code} {output}");
        }
        assert_eq!(run(&["--read", word(&outside)], &[&denied, "landlock"]).0, 0);
    });
}

#[test]
fn a_program_without_a_name_runs_under_the_same_policy() {
    each(|world| {
        let secret = secret(world);
        let attack = ["memfd-run", word(program()), "open", "r", word(&secret)];
        bare(world, &attack).all(&["OK"]);
        let inside = confined(world, &[], &attack);
        inside.all(&["EACCES", "EPERM"]);
        let twin =
            confined(world, &["--read", word(&secret)], &["execute", word(program()), "open", "r", word(&secret)]);
        twin.all(&["OK"]);
    });
}

/// A copy of the attack program in a directory of the world.
fn copy_of_program(world: &World, directory: &Path) -> String {
    let copy = directory.join("program");
    fs::copy(program(), &copy).expect("a copy of the attack program");
    world.give(&copy);
    word(&copy).to_owned()
}

/// The dynamic loader, which executes whatever it can read.
fn loader() -> Option<&'static str> {
    let known = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"];
    known.into_iter().find(|path| Path::new(path).exists())
}

fn content(path: &Path) -> String {
    fs::read_to_string(path).expect("a file of the world")
}
