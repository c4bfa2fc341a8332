//! Contents that a denial inside of a grant closes, by every call and every spelling (rows 5, 7, 10, 19, 26).

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;

use crate::attack::{bare, can_confine, each, word};
use crate::place::Place;
use crate::world::{Who, World, shared};

#[test]
fn no_call_opens_or_changes_a_closed_file() {
    Place::each(|place| {
        bare(place.world, &["read", place.closed()]).all(&["OK"]);
        place.confined(&["read", place.closed()]).all(&["EACCES"]);
        place.confined(&["write", place.closed()]).all(&["EACCES"]);
        place.confined(&["upgrade", place.closed()]).all(&["EACCES", "EBADF"]);
        let before = about(&place.closed);
        place.confined(&["metadata", place.closed()]).all(&["EPERM"]);
        assert_eq!(about(&place.closed), before);
        place.is_untouched();
        let open = place.path("open");
        place.confined(&["read", &open]).all(&["OK"]);
        place.confined(&["upgrade", &open]).all(&["OK"]);
        place.confined(&["write", &open]).all(&["OK"]);
        place
            .confined(&["metadata", &open])
            .are(&["fchmodat", "fchmod", "fchownat-empty", "futimens", "fsetxattr"], "OK");
    });
}

#[test]
fn every_spelling_of_a_path_comes_to_what_the_kernel_makes_of_it() {
    Place::each(|place| {
        let directory = place.closed.parent().expect("a directory");
        let name = place.closed.file_name().and_then(|name| name.to_str()).expect("a name");
        let attack = ["edges", word(directory), name];
        let deny = |(name, verdict): (String, String)| {
            let closed = verdict == "OK" && (name != "not-utf8" || directory.ends_with("secret"));
            (name, if closed { "EACCES".into() } else { verdict })
        };
        let expected: Vec<_> = bare(place.world, &attack).lines.into_iter().map(deny).collect();
        assert_eq!(place.confined(&attack).lines, expected);
        let open = ["edges", word(&place.world.work()), "open"].map(str::to_owned);
        let open: Vec<_> = open.iter().map(String::as_str).collect();
        assert_eq!(place.confined(&open).lines, bare(place.world, &open).lines);
    });
}

#[test]
fn every_way_through_proc_and_dev_leads_to_the_object_itself() {
    Place::each(|place| {
        let work = place.world.work();
        let beneath = place.closed.strip_prefix(&work).expect("it lies in the working directory");
        let ways = |name: &str| {
            ["/proc/self/cwd", "/proc/thread-self/cwd", "/proc/self/root/proc/self/cwd", "/dev/fd/../cwd", "."]
                .map(|start| format!("{start}/{name}"))
        };
        let closed = ways(word(beneath));
        let open = ways("open");
        for how in ["r", "w", "rw"] {
            let attack = |paths: &[String]| {
                let mut words = vec!["open".to_owned(), how.to_owned()];
                words.extend(paths.iter().cloned());
                words
            };
            let words = attack(&closed);
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            bare(place.world, &words).all(&["OK"]);
            place.confined(&words).all(&["EACCES"]);
            let words = attack(&open);
            place.confined(&words.iter().map(String::as_str).collect::<Vec<_>>()).all(&["OK"]);
        }
        let name = word(beneath);
        place.confined(&["chdir-open", word(&work), name]).are(&["relative", "beneath-o-path"], "EACCES");
        place.confined(&["chdir-open", word(&work), "open"]).all(&["OK"]);
        place.is_untouched();
    });
}

#[test]
fn a_link_is_judged_by_where_it_leads() {
    Place::each(|place| {
        let work = place.world.work();
        for (name, target) in [("to-closed", place.closed()), ("to-open", &place.path("open"))] {
            place.confined(&["symlink", target, &place.path(name)]).all(&["OK"]);
        }
        let directory = place.closed.parent().expect("a directory");
        symlink(directory, work.join("to-directory")).expect("a link");
        let through = format!("{}/{}", place.path("to-directory"), word(Path::new(place.closed.file_name().unwrap())));
        for path in [place.path("to-closed"), through] {
            bare(place.world, &["read", &path]).all(&["OK"]);
            place.confined(&["read", &path]).all(&["EACCES"]);
            place.confined(&["write", &path]).all(&["EACCES"]);
            place.confined(&["chmod", &path]).all(&["EPERM"]);
        }
        place.is_untouched();
        place.confined(&["read", &place.path("to-open")]).all(&["OK"]);
        place.confined(&["unlink", &place.path("to-closed")]).all(&["OK"]);
        place.is_untouched();
    });
}

#[test]
fn the_supervisor_itself_is_out_of_reach() {
    each(|world| {
        let place = Place::by_pattern(world);
        let report = place.probe(&["supervisor"]);
        report.all_but(&["processes"], &["closed"]);
        assert!(report.lines.len() > 20, "{report:?}");
        // Its parent, one of the two, is among them. That a process is there may be seen.
        assert!(crate::place::number(&report, "processes") >= 1, "{report:?}");
        // The same names of its own.
        place.probe(&["itself"]).all(&["OK"]);
    });
}

/// What a `/proc` shows of processes depends on who looks, so one in another place is nobody's way to what the supervisor sees.
#[test]
fn a_second_proc_beneath_a_grant_shows_nothing() {
    let Some(world) = can_confine().then(|| World::new(Who::Root)).flatten() else { return };
    let place = Place::by_pattern(&world);
    let second = world.work().join("second");
    world.directory(&second);
    let script = "for f in second/1/stat second/self/status second/meminfo $PWD/second/$PPID/environ; do
            cat $f >/dev/null 2>&1 && echo shown || echo not
        done; cat open; cd second/1 && { cat status || cat ../../open; } | head -n 1";
    let mount = "mount -t proc proc second && exec \"$@\"";
    let inside = |words: &[String]| {
        let mut command = world.command("unshare");
        command.args(["--mount", "/bin/sh", "-c", mount, "sh"]).args(words).args(["/bin/sh", "-c", script]);
        world.finish(&mut command).stdout
    };
    let bare = inside(&[]);
    assert!(bare.starts_with("shown\nshown\nshown\nshown\nopen\nName:"), "{bare}");
    let mut run: Vec<String> = vec![word(&shared().join("nono")).into(), "run".into(), "-s".into()];
    run.extend(place.flags());
    run.push("--".into());
    assert_eq!(inside(&run), format!("{}open\nopen\n", "not\n".repeat(4)));
}

#[test]
fn a_device_that_everybody_uses_stays_as_it_is() {
    each(|world| {
        let before = about(Path::new("/dev/full"));
        for denial in [&[][..], &["--deny", "**/.env"]] {
            let report = crate::attack::confined(world, denial, &["metadata", "/dev/full"]);
            report.all(&["EPERM"]);
        }
        let after = about(Path::new("/dev/full"));
        assert_eq!(before, after);
    });
}

#[test]
fn inherited_standard_input_is_judged_like_any_file() {
    Place::each(|place| {
        let mut command = place.sandbox();
        command
            .arg(crate::attack::program())
            .arg("stdin")
            .stdin(fs::File::open(&place.closed).expect("the closed file"));
        let report = crate::attack::report(place.world, &mut command);
        report.are(&["read"], "OK");
        report.all_but(&["read"], &["EACCES"]);
    });
}

/// All that a change of attributes would change.
fn about(path: &Path) -> (u32, u32, i64, i64, i64) {
    let about = fs::metadata(path).expect("a file");
    (about.mode(), about.uid(), about.mtime(), about.mtime_nsec(), about.ctime_nsec())
}

/// Without a denial inside a grant the kernel decides about every open. What it refuses is told all the same, by where a path
/// leads, and the common path without a link is no exception to that.
#[test]
fn where_the_kernel_decides_a_refusal_is_told_by_where_the_path_leads() {
    each(|world| {
        let (work, closed) = (world.work(), world.outside().join("file"));
        world.file(&closed, "outside\n");
        world.file(&work.join("open"), "inside\n");
        world.directory(&work.join("deep"));
        symlink(&closed, work.join("link")).expect("a link");
        symlink(world.outside(), work.join("directory")).expect("a link");
        symlink("open", work.join("near")).expect("a link");
        let script = format!(
            "for f in {0}/link link directory/file ../outside/file {1} {1}/; do cat $f; done 2>&1 | grep -c Permission
             cat {0}/open open deep/../near ./near {0}//open; cat missing directory/missing open/below 2>&1 | wc -l
             cd deep; cat ../open; echo new >{0}/new; echo new >here; cat {0}/new {0}/deep/here",
            word(&work),
            word(&closed),
        );
        let mut command = world.nono();
        command.args(["run", "--allow", word(&work), "--", "/bin/sh", "-c", &script]);
        let outcome = world.finish(&mut command);
        assert_eq!(outcome.stdout, format!("5\n{}3\ninside\nnew\nnew\n", "inside\n".repeat(5)), "{}", outcome.stderr);
        let said = format!("refused 5 times: read {}: ", word(&closed));
        assert!(outcome.stderr.contains(&said), "{}", outcome.stderr);
    });
}
