//! Threads that change what a call means while it is looked at (rows 22–25): no try may reach what is closed.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;

use crate::attack::{Report, each, word};
use crate::place::{Place, number};

/// Tries of each race, by each of two users and in several shapes; together more than 50,000.
const TRIES: &str = "13000";

#[test]
fn a_path_that_changes_while_it_is_read_reaches_nothing_closed() {
    Place::each(|place| {
        let report = place.probe(&["race-path", &place.path("open"), place.closed(), TRIES]);
        none_escaped(&report);
        assert!(number(&report, "reached") > 1000, "{report:?}");
        // The terminal is nothing that another process could open in the ordinary way.
        none_escaped(&place.probe(&["race-path", "/dev/tty", place.closed(), TRIES]));
        place.is_untouched();
    });
}

#[test]
fn flags_in_memory_that_change_while_they_are_read_give_no_content() {
    Place::each(|place| {
        let report = place.probe(&["race-flags", place.closed(), TRIES]);
        none_escaped(&report);
        place.is_untouched();
    });
}

#[test]
fn a_mode_in_memory_that_changes_while_it_is_read_makes_no_file_that_lends_power() {
    let race = |report: Report| {
        none_escaped(&report);
        assert!(number(&report, "reached") > 100, "{report:?}");
    };
    Place::each(|place| race(place.probe(&["race-lasting", &place.path("made"), "4000"])));
    // Also where nothing is denied, and the kernel does most by itself.
    each(|world| {
        let mut command = crate::attack::sandbox(world, &["--allow", word(&world.work())]);
        command.arg(crate::place::probe()).args(["race-lasting", word(&world.work().join("made")), "4000"]);
        race(crate::attack::report(world, &mut command));
    });
}

#[test]
fn a_directory_that_becomes_a_link_reaches_nothing_closed() {
    Place::each(|place| {
        let world = place.world;
        let (directory, link) = (world.work().join("directory"), world.work().join("link"));
        for closed in [world.outside(), world.work().join("secret")] {
            if !closed.exists() {
                continue;
            }
            for name in ["file", "victim"] {
                world.file(&closed.join(name), crate::place::SECRET);
            }
            world.directory(&directory);
            world.file(&directory.join("file"), "open\n");
            symlink(&closed, &link).expect("a link");
            let report = place.probe(&["race-swap", word(&directory), word(&link), word(&closed), TRIES]);
            none_escaped(&report);
            assert!(number(&report, "reached") > 100 && number(&report, "swaps") > 1000, "{report:?}");
            for path in [&directory, &link] {
                remove(path);
            }
        }
    });
}

#[test]
fn an_address_that_changes_while_it_is_read_connects_to_nobody_else() {
    each(|world| {
        let place = Place::by_pattern(world);
        let path = world.outside().join("socket");
        let listener = UnixListener::bind(&path).expect("a listener");
        world.give(&path);
        listener.set_nonblocking(true).expect("a listener that does not wait");
        let report = place.probe(&["race-address", &place.path("own"), word(&path), TRIES]);
        assert!(listener.accept().is_err(), "somebody came: {report:?}");
        assert!(number(&report, "reached") > 1000, "{report:?}");
    });
}

#[test]
fn a_message_whose_description_changes_or_vanishes_reaches_nobody_else() {
    each(|world| {
        let place = Place::by_pattern(world);
        let path = world.outside().join("socket");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        world.give(&path);
        socket.set_nonblocking(true).expect("a socket that does not wait");
        let report = place.probe(&["race-header", &place.path("own"), word(&path), "5000"]);
        assert!(socket.recv(&mut [0; 8]).is_err(), "a datagram came: {report:?}");
        report.are(&["odd"], "0");
        let counts = ["reached", "faults", "refused"].map(|name| number(&report, name));
        assert!(counts.iter().all(|&count| count > 0), "{report:?}");
    });
}

#[test]
fn a_socket_that_takes_the_place_of_the_program_s_own_is_not_taken_for_it() {
    each(|world| {
        let theirs = world.work().join("theirs");
        let listener = UnixListener::bind(&theirs).expect("a listener");
        world.give(&theirs);
        listener.set_nonblocking(true).expect("a listener that does not wait");
        let own = world.work().join("own");
        // Also where nothing is denied, and the kernel renames by itself.
        for denial in [&["--deny", "**/.env"][..], &[]] {
            let mut command = crate::attack::sandbox(world, &[&["--allow", word(&world.work())], denial].concat());
            command.arg(crate::place::probe()).args(["race-bind", word(&own), word(&theirs), "1500"]);
            let report = crate::attack::report(world, &mut command);
            none_escaped(&report);
            report.are(&["own"], "1");
            assert!(number(&report, "reached") > 10, "{report:?}");
            assert!(listener.accept().is_err(), "somebody came: {report:?}");
            fs::remove_file(&own).expect("the program's own socket");
        }
    });
}

#[track_caller]
#[test]
fn a_directory_that_moves_while_it_is_renamed_from_takes_nothing_out_of_reach_of_its_rules() {
    each(|world| {
        let (work, given) = (world.work(), world.work().join("given"));
        for directory in ["given", "b", "conf", "conf/prod", "write"] {
            world.directory(&work.join(directory));
        }
        for secret in ["conf/prod/k.key", "write/secret"] {
            world.file(&work.join(secret), crate::place::SECRET);
        }
        let in_work = |name: &str| word(&work.join(name)).to_owned();
        // By a pattern with directories in it, and where something may only be written.
        let (whole, write) = (in_work(""), in_work("write"));
        let closed = ["--allow", &whole, "--deny", "conf/prod/*.key"];
        let write_only = ["--allow", word(&given), "--write", &write, "--deny", "none"];
        let [key, secret] = ["conf/prod/k.key", "write/secret"].map(in_work);
        for (flags, [before, after, protected, name, read]) in [
            (&closed[..], ["b/m", "b/conf", "conf/prod", "prod", "/k.key"]),
            (&write_only[..], ["given/sub", "write/sub", "write/secret", "secret", ""]),
        ] {
            let paths = [before, after, protected].map(in_work);
            let words = ["moves", &paths[0], &paths[1], &paths[2], name, read, "300"];
            let mut command = crate::attack::sandbox(world, flags);
            let report =
                crate::attack::report(world, command.arg(crate::place::probe()).args(words).current_dir(&given));
            report.are(&["escapes"], "0");
            // A directory does not move to where the pattern would be about it.
            assert_eq!(number(&report, "reached") > 100, flags == write_only, "{report:?}");
            for links in fs::read_dir(&given).expect("a directory").flatten() {
                remove(&links.path());
            }
        }
        for path in [key, secret] {
            assert_eq!(fs::read_to_string(path).expect("the secret"), crate::place::SECRET);
        }
    });
}

#[test]
fn directories_that_move_at_the_same_time_all_do() {
    Place::each(|place| place.probe(&["move-storm", &place.path("a"), &place.path("b")]).are(&["failed"], "0"));
}

fn none_escaped(report: &Report) {
    report.are(&["escapes"], "0");
}

/// A link or a whole directory.
fn remove(path: &Path) {
    if fs::symlink_metadata(path).expect("one of the two").is_symlink() {
        fs::remove_file(path).expect("the link");
    } else {
        fs::remove_dir_all(path).expect("the directory");
    }
}
