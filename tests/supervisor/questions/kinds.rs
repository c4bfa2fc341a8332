//! A yes is to the kind of operation that was shown, and to no other, whatever its scope.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::{Asked, LONG, Service, answer, asking, outside, run, webhook, word};
use crate::attack::{Report, each};

/// What a question wants: its change where it is one, and else its access.
fn wants(asked: &Asked) -> String {
    let request = &asked.json()["request"];
    match request["change"].as_str() {
        Some(change) => change.to_owned(),
        None => request["access"].to_string(),
    }
}

/// A service that says yes to what is wanted, with a scope, and no to everything else.
fn only(wanted: &'static str, scope: &'static str) -> Service {
    Service::answering(move |asked| {
        let (decision, scope) = if wants(asked) == wanted { ("allow", scope) } else { ("deny", "once") };
        answer(asked, decision, scope)
    })
}

#[test]
fn a_yes_to_one_kind_of_operation_is_none_to_another() {
    each(|world| {
        let directory = outside(world, "file", "content\n");
        let directory = directory.trim_end_matches("/file");
        for (wanted, does, again) in [
            (r#"["write"]"#, "echo more >> file", "echo more >> file"),
            (r#"["read"]"#, "cat file", "cat file"),
            ("set its mode to 0640", "chmod 640 file", "chmod 640 file"),
            ("create and write", "echo new > new", "echo new > newer"),
            ("make a directory", "mkdir made", "mkdir again"),
        ] {
            for left in ["new", "newer"] {
                let _ = fs::remove_file(format!("{directory}/{left}"));
            }
            outside(world, "file", "content\n");
            fs::set_permissions(format!("{directory}/file"), fs::Permissions::from_mode(0o666)).expect("a mode");
            let service = only(wanted, "directory");
            let others = [
                (r#"["write"]"#, "echo changed > file"),
                (r#"["read"]"#, "cat file"),
                ("set its mode to 0640", "chmod 640 file"),
                ("set its times", "touch -d 2001-01-01 file"),
                ("create and write", "(set -C; echo new > new2)"),
                ("make a directory", "mkdir made2"),
                ("remove", "rm -f file"),
                ("rename", "mv file file2"),
                ("link", "ln file file3"),
                ("symlink", "ln -s file file4"),
                ("fifo", "mkfifo file5"),
            ];
            let others = others.iter().filter(|(other, _)| *other != wanted);
            let others: String = others.map(|(other, does)| format!("{does} && echo 'ESCAPED: {other}'; ")).collect();
            let script = format!("cd {directory}; {does} && {again} && echo twice; {others} exit 0");
            let supervisor = format!(r#"{}, "questions_per_second": 1000"#, webhook(&service.url(), LONG));
            let mut command = asking(world, &supervisor, &[]);
            let outcome = world.finish(command.args(["/bin/sh", "-c", &script]));
            assert!(!outcome.stdout.contains("ESCAPED"), "{wanted}: {} {}", outcome.stdout, outcome.stderr);
            assert!(outcome.stdout.contains("twice"), "{wanted}: {} {}", outcome.stdout, outcome.stderr);
            let asked: Vec<String> = service.asked().iter().map(wants).collect();
            assert_eq!(asked.iter().filter(|what| *what == wanted).count(), 1, "{asked:?}");
        }
    });
}

#[test]
fn a_yes_to_a_connection_is_none_to_a_change_of_the_socket() {
    each(|world| {
        let socket = world.outside().join("socket");
        let listener = UnixListener::bind(&socket).expect("a listener");
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).expect("a mode");
        world.give(&socket);
        thread::spawn(move || listener.incoming().flatten().for_each(drop));
        let file = outside(world, "file", "content\n");
        let connect = format!("{} unix-stream {}", word(crate::attack::program()), word(&socket));
        // To the socket, once and again; then what a yes to it must not cover.
        let service = only(r#"["connect"]"#, "path");
        let script =
            format!("{connect}; {connect}; chmod 600 {0} || echo kept; rm -f {0} || echo there", word(&socket));
        let outcome = run(world, &service.url(), &[], &script);
        assert!(outcome.stdout.contains("kept") && outcome.stdout.contains("there"), "{}", outcome.stdout);
        let asked: Vec<String> = service.asked().iter().map(wants).collect();
        assert_eq!(asked, [r#"["connect"]"#, "set its mode to 0600", "remove"]);
        assert_eq!(service.asked()[0].json()["request"]["scopes"], json!(["once", "path"]));
        // A directory that is written to has sockets too.
        let service = only(r#"["write"]"#, "directory");
        let outcome = run(world, &service.url(), &[], &format!("echo more >> {file}; exec {connect}"));
        Report::of(&outcome, outcome.stderr.clone()).all(&["EACCES"]);
        assert_eq!(fs::read_to_string(&file).expect("the file"), "content\nmore\n");
        assert_eq!(service.asked().iter().map(wants).collect::<Vec<_>>(), [r#"["write"]"#, r#"["connect"]"#]);
    });
}

#[test]
fn a_yes_to_new_names_is_none_to_one_by_which_more_may_be_written() {
    each(|world| {
        let file = outside(world, "file", "content\n");
        let place = word(&world.outside()).to_owned();
        let inside = world.work().join("got");
        let inside = word(&inside);
        let service = Service::answering(move |asked| {
            let is_move = wants(asked).contains("outside") || wants(asked).starts_with("give this name");
            answer(asked, if is_move && !wants(asked).contains("got") { "allow" } else { "deny" }, "directory")
        });
        let script = format!(
            "cd {place}; mv file other && mv other file && echo moved; mv -n file {inside}; ln file {inside}; exit 0"
        );
        let outcome = run(world, &service.url(), &["--write", word(&world.work())], &script);
        assert!(
            outcome.stdout.contains("moved"),
            "{} {:?}",
            outcome.stderr,
            service.asked().iter().map(wants).collect::<Vec<_>>()
        );
        assert!(fs::metadata(&file).is_ok() && fs::metadata(inside).is_err(), "{}", outcome.stderr);
    });
}

#[test]
fn once_is_one_call_however_many_wait_for_the_same() {
    each(|world| {
        let file = outside(world, "file", "content\n");
        for (scope, questions) in [("once", 4), ("path", 1)] {
            let service = Service::answering(move |asked| {
                thread::sleep(Duration::from_millis(400));
                answer(asked, "allow", scope)
            });
            let script = format!("for i in 1 2 3 4; do cat {file} & done; wait");
            let outcome = run(world, &service.url(), &[], &script);
            assert_eq!(outcome.stdout, "content\n".repeat(4), "{scope}: {}", outcome.stderr);
            assert_eq!(service.asked().len(), questions, "{scope}");
        }
    });
}

#[test]
fn each_change_is_asked_about_by_its_name() {
    each(|world| {
        let file = outside(world, "file", "content\n");
        let place = word(&world.outside()).to_owned();
        let service = Service::answering(|asked| answer(asked, "allow", "once"));
        let script = format!(
            "cd {place}; chmod 600 file; chmod 640 file; touch -d 2001-01-01 file; ln -s 'a b' l; \
             mkdir d; rmdir d; rm l; mv file g; exit 0"
        );
        let supervisor = format!(r#"{}, "questions_per_second": 1000"#, webhook(&service.url(), LONG));
        let outcome = world.finish(asking(world, &supervisor, &[]).args(["/bin/sh", "-c", &script]));
        let asked: Vec<String> = service.asked().iter().map(wants).filter(|what| !what.starts_with('[')).collect();
        let expected = [
            "set its mode to 0600".to_owned(),
            "set its mode to 0640".into(),
            "set its times".into(),
            "make a symbolic link to a b".into(),
            "make a directory".into(),
            "remove".into(),
            "remove".into(),
            format!("rename it to {place}/g"),
            format!("give this name to {file}"),
        ];
        assert_eq!(asked, expected, "{}", outcome.stderr);
    });
}
