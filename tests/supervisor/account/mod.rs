//! `nono run --json FILE`: what programs read about a run.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::attack::{each, word};
use crate::world::{Outcome, World};

fn accounted(world: &World, flags: &[&str], command: &[&str]) -> (Outcome, Value) {
    let file = world.outside().join("account.json");
    let mut nono: Command = world.nono();
    nono.args(["run", "-s", "--json", word(&file), "--allow-cwd"]).args(flags).arg("--").args(command);
    let outcome = world.finish(&mut nono);
    let text = fs::read(&file).expect("the account");
    (outcome, serde_json::from_slice(&text).expect("one document of JSON"))
}

#[test]
fn an_account_says_what_was_refused_and_how_the_run_ended() {
    each(|world| {
        let secret = world.outside().join("secret");
        world.file(&secret, "content\n");
        let script = format!("cat {0}; cat {0}; exit 3", word(&secret));
        let (outcome, account) = accounted(world, &[], &["/bin/sh", "-c", &script]);
        assert_eq!((outcome.code(), outcome.stdout.as_str()), (3, ""));
        assert!(!outcome.stderr.contains("nono:"), "{}", outcome.stderr);
        let expected = json!({
            "profile": "default", "ended": "exited", "signal": null, "status": 3,
            "refused": [{
                "operation": format!("read {}", word(&secret)), "path": word(&secret), "path_b64": null,
                "reason": "no rule covers it", "change": account["refused"][0]["change"].clone(), "times": 2,
            }],
        });
        assert_eq!(account, expected);
        assert!(account["refused"][0]["change"].as_str().expect("a change").contains("--read"));
        let (_, account) = accounted(world, &[], &["/bin/sh", "-c", "kill -9 $$"]);
        assert_eq!(
            [&account["ended"], &account["signal"], &account["status"]],
            [&json!("killed"), &json!(9), &json!(137)]
        );
        assert_eq!(account["refused"], json!([]));
    });
}

#[test]
fn names_that_strangers_chose_are_exact_and_break_nothing() {
    each(|world| {
        let names: [&[u8]; 4] =
            [b"a\n\"}]\x1b[2J", b"not \xff utf-8", "\u{202e}txt.\u{200b}".as_bytes(), b"tab\there \\"];
        for name in names {
            let path = world.outside().join(OsString::from_vec(name.to_vec()));
            world.file(&path, "content\n");
            let file = world.outside().join("account.json");
            let mut nono = world.nono();
            nono.args(["run", "--json", word(&file), "--", "/bin/cat"]).arg(&path);
            let outcome = world.finish(&mut nono);
            let mut said = outcome.stderr.lines().filter(|line| line.starts_with("nono:"));
            assert!(!said.any(|line| line.contains('\u{202e}') || line.contains('\x1b')), "{:?}", outcome.stderr);
            let account: Value = serde_json::from_slice(&fs::read(&file).expect("the account")).expect("JSON");
            let refused = &account["refused"][0];
            let bytes = path.as_os_str().as_bytes();
            match std::str::from_utf8(bytes) {
                Ok(text) => assert_eq!((&refused["path"], &refused["path_b64"]), (&json!(text), &Value::Null)),
                Err(_) => {
                    assert_eq!(refused["path"], Value::Null);
                    let decoded = STANDARD.decode(refused["path_b64"].as_str().expect("base64"));
                    assert_eq!(decoded.as_deref(), Ok(bytes));
                }
            }
        }
    });
}

#[test]
fn nothing_inside_changes_the_account_even_in_its_own_directory() {
    each(|world| {
        let file = world.work().join("account.json");
        let script = "echo forged > account.json; echo forged > x; mv x account.json; ln x y; rm -f account.json; \
            mv account.json z; chmod 777 account.json; truncate -s 1 account.json; exit 0";
        let mut nono = world.nono();
        nono.args(["run", "-s", "--json", word(&file), "--allow-cwd", "--", "/bin/sh", "-c", script]);
        assert_eq!(world.finish(&mut nono).code(), 0);
        let account: Value = serde_json::from_slice(&fs::read(&file).expect("the account")).expect("JSON");
        assert_eq!(account["status"], json!(0));
        assert!(account["refused"][0]["times"].as_u64().expect("a number") >= 4, "{account}");
        // The other name was the program's own.
        assert!(world.work().join("y").exists());
    });
}

#[test]
fn a_run_whose_account_cannot_be_written_does_not_start() {
    each(|world| {
        let mark = world.work().join("mark");
        let mut nono = world.nono();
        nono.args(["run", "-s", "--json", "no/such/place", "--allow-cwd", "--", "/bin/touch", word(&mark)]);
        let outcome = world.finish(&mut nono);
        assert_eq!(outcome.code(), 125);
        assert!(
            outcome
                .stderr
                .contains("the file of --json, no/such/place, cannot be written: No such file or directory\n")
        );
        assert!(!mark.exists());
    });
}

#[test]
fn what_an_account_advises_is_enough_whatever_the_name() {
    each(|world| {
        let place = world.outside().join("place");
        for name in ["plain", "sp ace", "quo'te", "star*", "$HOME", "~a"] {
            for (does, name) in [
                ("cat \"$1\"", name),
                (": >> \"$1\"", name),
                (": <> \"$1\"", name),
                ("rm \"$1\"", name),
                ("mv \"$1\" \"$1.moved\"", name),
                ("chmod 600 \"$1\"", name),
                ("echo new > \"$1.new\"", name),
                ("mkdir \"$1.made\"", name),
                ("ln -s x \"$1.link\"", name),
            ] {
                let _ = fs::remove_dir_all(&place);
                world.directory(&place);
                let path = place.join(name);
                world.file(&path, "content\n");
                let command = ["/bin/sh", "-c", &format!("{does} || exit 9"), "sh", word(&path)];
                let (outcome, account) = accounted(world, &[], &command);
                assert_ne!(outcome.code(), 0, "{does} {name}");
                let change = account["refused"][0]["change"].as_str().unwrap_or_else(|| panic!("{does}: {account}"));
                let flag = change.split(", or in the profile").next().expect("a flag");
                let mut nono = world.command("/bin/sh");
                let script = format!("exec \"$0\" run -s --allow-cwd {flag} -- \"$@\"");
                nono.args(["-c", &script]).arg(world.nono().get_program()).args(command);
                let outcome = world.finish(&mut nono);
                assert_eq!(outcome.code(), 0, "{does} {name} with {flag}: {}", outcome.stderr);
                assert_eq!(
                    change.contains("in the profile"),
                    !name.contains(['*', '$']) || !flag.contains(name),
                    "{change}"
                );
            }
        }
    });
}

#[test]
fn a_file_that_may_be_written_is_not_removed_without_its_directory_and_that_is_told() {
    each(|world| {
        let file = world.outside().join("file");
        for (flags, denies) in [(&[][..], false), (&["--deny", "**/.env"], true)] {
            world.file(&file, "content\n");
            let flags = [&["--write", word(&file)], flags].concat();
            let (outcome, account) =
                accounted(world, &flags, &["/bin/sh", "-c", "echo x > \"$0\" && rm \"$0\"", word(&file)]);
            assert_ne!(outcome.code(), 0, "{denies}");
            assert_eq!(fs::read_to_string(&file).expect("the file"), "x\n", "{denies}");
            let change = account["refused"][0]["change"].as_str().expect("a change");
            assert!(change.starts_with(&format!("--write {}", word(&world.outside()))), "{change}");
        }
    });
}

#[test]
fn a_free_port_is_not_named_since_the_next_run_gets_another() {
    if !std::path::Path::new("/usr/bin/python3").exists() {
        crate::world::skip("python3 is not installed");
        return;
    }
    each(|world| {
        for (port, told) in [(0, "bind(2) with a port"), (7799, "--listen 7799")] {
            let script = format!("import socket; s = socket.socket(); s.bind(('127.0.0.1', {port})); s.listen()");
            let flags = ["--allow-host", "example.com"];
            let (outcome, account) = accounted(world, &flags, &["/usr/bin/python3", "-c", &script]);
            assert_ne!(outcome.code(), 0);
            let refused = account["refused"].as_array().expect("a list");
            let mut changes = refused.iter().filter_map(|refused| refused["change"].as_str());
            assert!(changes.any(|change| change.starts_with(told)), "{account}");
        }
    });
}
