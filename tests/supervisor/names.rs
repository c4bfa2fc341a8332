//! Names that change: hard links, renames of a file and of what is above it, new files (rows 8, 20, 21).

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;

use crate::attack::{each, wait_for, word};
use crate::place::{Place, SECRET};
use crate::world::World;

const REFUSED: [&str; 4] = ["EACCES", "EPERM", "EXDEV", "ENOENT"];

#[test]
fn a_closed_file_gets_no_other_name() {
    Place::each(|place| {
        for name in ["link", "rename", "exchange"] {
            let other = place.path("open");
            let target = if name == "exchange" { other } else { place.path("taken") };
            place.confined(&[name, place.closed(), &target]).all(&REFUSED);
            if name != "link" {
                place.confined(&[name, &target, place.closed()]).all(&REFUSED);
            }
        }
        place.confined(&["rename", &place.path("open"), place.closed()]).all(&REFUSED);
        place.confined(&["link-descriptor", place.closed(), &place.path("taken")]).all(&REFUSED);
        place.confined(&["unlink", place.closed()]).all(&REFUSED);
        assert!(!place.world.work().join("taken").exists());
        assert_eq!(fs::metadata(&place.closed).expect("the closed file").nlink(), 1);
        place.is_untouched();
        place.confined(&["link", &place.path("open"), &place.path("second")]).all(&["OK"]);
        place.confined(&["exchange", &place.path("open"), &place.path("second")]).all(&["OK"]);
        place.confined(&["rename", &place.path("second"), &place.path("third")]).all(&["OK"]);
        place.confined(&["link-descriptor", &place.path("open"), &place.path("fourth")]).all(&["OK", "EEXIST"]);
        assert!(place.world.work().join("fourth").exists());
        place.confined(&["unlink", &place.path("third")]).all(&["OK"]);
    });
}

#[test]
fn a_socket_that_is_put_where_an_allowed_one_was_is_not_reached() {
    each(|world| {
        let [ours, theirs] = ["ours", "theirs"].map(|name| world.work().join(name));
        let program = word(crate::attack::program());
        let work = world.work();
        let work = word(&work);
        for denial in [&["--deny", "**/.env"][..], &[]] {
            for name in ["rename", "exchange"] {
                let (allowed, closed) = (listening(world, &ours), listening(world, &theirs));
                let connect = format!("{program} unix-stream {}", word(&ours));
                let script = format!("{connect}; {program} {name} {} {}; {connect}", word(&theirs), word(&ours));
                let flags = [&["--allow", work, "--allow-unix-socket", word(&ours)], denial].concat();
                let mut command = crate::attack::sandbox(world, &flags);
                let report = crate::attack::report(world, command.args(["/bin/sh", "-c", &script]));
                let verdicts: Vec<_> = report.lines.iter().map(|(_, verdict)| verdict.as_str()).collect();
                assert_eq!(verdicts, ["OK", "OK", "OK", "EACCES", "EACCES"], "{name} {denial:?}: {report:?}");
                assert!(allowed.accept().is_ok() && closed.accept().is_err(), "{name} {denial:?}");
                for path in [&ours, &theirs] {
                    let _ = fs::remove_file(path);
                }
            }
        }
        // Where the program cannot write, a server may make its socket anew.
        let outside = world.outside().join("socket");
        let first = listening(world, &outside);
        let connect = format!("{program} unix-stream {}", word(&outside));
        let script = format!("{connect}; : > up; until [ -e go ]; do sleep 0.02; done; {connect}");
        let mut command = crate::attack::sandbox(world, &["--allow", work, "--allow-unix-socket", word(&outside)]);
        let (up, go) = (world.work().join("up"), world.work().join("go"));
        let second = std::thread::scope(|scope| {
            let restarted = scope.spawn(|| {
                wait_for(&up);
                fs::remove_file(&outside).expect("the first socket");
                let second = listening(world, &outside);
                world.file(&go, "");
                second
            });
            crate::attack::report(world, command.args(["/bin/sh", "-c", &script])).all(&["OK"]);
            restarted.join().expect("the server")
        });
        assert!(first.accept().is_ok() && second.accept().is_ok());
    });
}

/// A listener at `path` that belongs to the user.
fn listening(world: &World, path: &Path) -> UnixListener {
    let listener = UnixListener::bind(path).expect("a listener");
    world.give(path);
    listener.set_nonblocking(true).expect("a listener that does not wait");
    listener
}

#[test]
fn a_directory_above_is_not_moved_away_from_its_denial() {
    each(|world| {
        let (above, away) = (world.work().join("above"), world.work().join("away"));
        world.directory(&above);
        world.directory(&above.join("conf"));
        world.file(&above.join("conf/key"), SECRET);
        world.directory(&away);
        let key = above.join("conf/key");
        for denied in [word(&key).to_owned(), "conf/key".into(), format!("{}/*/key", word(&above))] {
            let run = |attack: &[&str]| {
                crate::attack::confined(world, &["--allow", word(&world.work()), "--deny", &denied], attack)
            };
            let conf = above.join("conf");
            run(&["rename", word(&conf), word(&away.join("other"))]).all(&REFUSED);
            run(&["exchange", word(&conf), word(&away)]).all(&REFUSED);
            run(&["read", word(&key)]).all(&["EACCES"]);
            if denied == "conf/key" {
                // This one holds wherever the directory goes as long as it keeps its name.
                run(&["rename", word(&above), word(&world.work().join("moved"))]).all(&["OK"]);
                let moved = world.work().join("moved");
                run(&["read", word(&moved.join("conf/key"))]).all(&["EACCES"]);
                run(&["rename", word(&moved), word(&above)]).all(&["OK"]);
            } else {
                run(&["rename", word(&above), word(&world.work().join("moved"))]).all(&REFUSED);
            }
            assert_eq!(fs::read_to_string(&key).expect("the key"), SECRET);
        }
    });
}

#[test]
fn nothing_is_brought_to_where_a_pattern_would_have_closed_it() {
    each(|world| {
        let work = world.work();
        for directory in ["g", "g/hooks", "h", "h/other", ".git", ".git/objects"] {
            world.directory(&work.join(directory));
        }
        world.file(&work.join("g/hooks/pre-push"), "evil\n");
        let path = |name: &str| word(&work.join(name)).to_owned();
        for denied in [".git/hooks/*".to_owned(), format!("{}/.git/*/pre-push", word(&work))] {
            let flags = ["--allow", word(&work), "--deny", &denied];
            let run = |attack: &[&str]| crate::attack::confined(world, &flags, attack);
            // Programs copy what cannot be moved there, and are refused file by file.
            run(&["rename", &path("g/hooks"), &path(".git/hooks")]).all(&["EXDEV"]);
            run(&["exchange", &path("g"), &path(".git")]).all(&["EXDEV", "EACCES"]);
            run(&["symlink", "../h", &path(".git/hooks")]).all(&["EACCES"]);
            run(&["symlink", &path("h"), &path(".git/hooks")]).all(&["EACCES"]);
            run(&["symlink", "../h", &path("link")]).all(&["OK"]);
            run(&["rename", &path("link"), &path(".git/hooks")]).all(&["EACCES"]);
            run(&["link", &path("link"), &path(".git/hooks")]).all(&["EACCES"]);
            run(&["unlink", &path("link")]).all(&["OK"]);
            let mut command = crate::attack::sandbox(world, &flags);
            let outcome = world.finish(command.args(["/bin/mv", &path("g/hooks"), &path(".git/hooks")]));
            assert_ne!(outcome.code(), 0);
            assert!(!work.join(".git/hooks/pre-push").exists());
            drop(fs::remove_dir(work.join(".git/hooks")));
            // Where the pattern is about the same as before, and about nothing.
            run(&["rename", &path("h/other"), &path("h/another")]).all(&["OK"]);
            run(&["rename", &path("h/another"), &path("h/other")]).all(&["OK"]);
            run(&["symlink", "../h", &path("g/link")]).all(&["OK"]);
            run(&["unlink", &path("g/link")]).all(&["OK"]);
        }
    });
}

#[test]
fn directories_move_where_no_denial_depends_on_their_names() {
    Place::each(|place| {
        let world = place.world;
        let (one, two) = (world.work().join("one"), world.work().join("two"));
        world.directory(&one);
        world.file(&one.join("file"), "one\n");
        place.confined(&["rename", word(&one), word(&two)]).all(&["OK"]);
        world.directory(&one);
        place.confined(&["exchange", word(&one), word(&two)]).all(&["OK"]);
        assert_eq!(fs::read_to_string(one.join("file")).expect("the file that moved"), "one\n");
    });
}

#[test]
fn another_name_gives_no_more_than_the_one_before() {
    each(|world| {
        let (work, outbox) = (world.work(), world.work().join("outbox"));
        let [secret, shown, hidden] = ["secret", "shown", "hidden"].map(|name| outbox.join(name));
        let inbox = work.join("inbox");
        for directory in [&outbox, &shown, &hidden, &inbox] {
            world.directory(directory);
        }
        world.file(&secret, SECRET);
        world.file(&hidden.join("file"), SECRET);
        // Of the outbox, which may only be written, one directory may be read as well.
        for denial in [&[][..], &["--deny", "**/.env"]] {
            let flags = ["--write", word(&outbox), "--read", word(&shown), "--allow", word(&inbox)];
            let run = |attack: &[&str]| crate::attack::confined(world, &[&flags[..], denial].concat(), attack);
            run(&["read", word(&secret)]).all(&["EACCES", "ENOSYS"]);
            let taken = inbox.join("taken");
            for name in ["rename", "link"] {
                run(&[name, word(&secret), word(&taken)]).all(&["EXDEV"]);
                run(&[name, word(&secret), word(&shown.join("taken"))]).all(&["EXDEV"]);
            }
            run(&["link-descriptor", word(&secret), word(&taken)]).all(&["EXDEV", "ENOENT", "EACCES"]);
            world.file(&inbox.join("own"), "own\n");
            run(&["exchange", word(&secret), word(&inbox.join("own"))]).all(&["EXDEV"]);
            run(&["exchange", word(&inbox.join("own")), word(&secret)]).all(&["EXDEV"]);
            if !denial.is_empty() {
                // The kernel's own rules go with the directory.
                run(&["exchange", word(&hidden), word(&shown)]).all(&["EXDEV"]);
            }
            // Once it has made room for it.
            let script = format!(
                "mv {0}/shown {0}/other && mv {0}/hidden {0}/shown; {1} read {0}/shown/file >&2",
                word(&outbox),
                word(crate::attack::program())
            );
            let mut command = crate::attack::sandbox(world, &[&flags[..], denial].concat());
            let outcome = world.finish(command.args(["/bin/sh", "-c", &script]));
            assert!(outcome.code() == 0 && !outcome.stderr.contains("OK"), "{denial:?}: {}", outcome.stderr);
            let moved = [(shown.clone(), &hidden), (outbox.join("other"), &shown)];
            for (from, to) in moved.iter().filter(|(from, to)| from.exists() && !to.exists()) {
                fs::rename(from, to).expect("a directory that was moved");
            }
            assert!(!taken.exists() && fs::read_to_string(&secret).expect("the secret") == SECRET);
            // The twins: as much or less is granted there.
            run(&["rename", word(&inbox.join("own")), word(&outbox.join("sent"))]).all(&["OK"]);
            run(&["rename", word(&outbox.join("sent")), word(&outbox.join("again"))]).all(&["OK"]);
            run(&["rename", word(&hidden), word(&outbox.join("elsewhere"))]).all(&["OK"]);
            run(&["rename", word(&outbox.join("elsewhere")), word(&hidden)]).all(&["OK"]);
            run(&["unlink", word(&outbox.join("again"))]).all(&["OK"]);
        }
    });
}

#[test]
fn a_pattern_holds_for_files_that_come_later() {
    each(|world| {
        let place = Place::by_pattern(world);
        let report = place.probe(&["later", ".env"]);
        report.all(&["EACCES", "EPERM"]);
        let report = place.probe(&["later", "fine"]);
        report.all(&["OK"]);
        // Somebody outside makes one, and it is closed at once.
        let deep = world.work().join("deep");
        world.directory(&deep);
        world.file(&deep.join(".env"), SECRET);
        place.confined(&["read", word(&deep.join(".env"))]).all(&["EACCES"]);
        world.directory(&world.work().join("is-directory"));
        world.directory(&world.work().join("is-directory/.env"));
        world.file(&world.work().join("is-directory/.env/file"), SECRET);
        place.confined(&["read", &place.path("is-directory/.env/file")]).all(&["EACCES"]);
    });
}

#[test]
fn a_file_that_loses_its_name_meanwhile_is_judged_by_the_name_it_had() {
    each(|world| {
        let place = Place::by_pattern(world);
        let report = {
            let over = std::sync::atomic::AtomicBool::new(false);
            let (from, to) = (world.work().join("next"), place.closed.clone());
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    while !over.load(std::sync::atomic::Ordering::Relaxed) {
                        fs::write(&from, SECRET).expect("the next content");
                        world.give(&from);
                        fs::rename(&from, &to).expect("the change of the closed file");
                    }
                });
                let report = place.probe(&["read-often", place.closed(), "20000"]);
                over.store(true, std::sync::atomic::Ordering::Relaxed);
                report
            })
        };
        report.are(&["opened"], "0");
    });
}
