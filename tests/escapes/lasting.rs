//! What stays after the run: no file lends its owner's power to another account of the host that starts it.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::attack::{Report, bare, confined, each, word};
use crate::world::{Who, World};

/// `S_ISUID` and `S_ISGID`.
const SET_ID: u32 = 0o6000;
/// 04755, 02755 and 06777 as decimals, then the twin 0755.
const MODES: [&str; 3] = ["2541", "1517", "3583"];
const ORDINARY: &str = "493";

#[test]
fn the_attacks_that_last_work_without_a_sandbox() {
    each(|world| {
        for mode in MODES {
            let place = fresh(world);
            bare(world, &["lasting", word(&place), mode]).all(&["OK"]);
            assert!(lenders(&place).len() >= 10, "{:?}", lenders(&place));
        }
    });
}

#[test]
fn no_call_makes_a_file_that_lends_its_owner_s_power() {
    each(|world| {
        for denial in [&[][..], &["--deny", "**/.env"]] {
            for mode in MODES {
                let place = fresh(world);
                let report = lasting(world, denial, &["lasting", word(&place), mode]);
                // Giving a file that has no set-id bit a name is not refused.
                report.all_but(&["kept"], &["EPERM"]);
                assert!(fs::read_dir(&place).expect("the directory").count() > 0);
                assert_eq!(lenders(&place), [] as [PathBuf; 0]);
            }
            let place = fresh(world);
            lasting(world, denial, &["lasting", word(&place), ORDINARY]).all(&["OK"]);
            let mode = fs::metadata(place.join("temporary-openat2")).expect("a file").permissions().mode();
            assert_eq!(mode & 0o7777, 0o755);
        }
    });
}

#[test]
fn directories_that_a_group_shares_keep_their_bit() {
    each(|world| {
        for denial in [&[][..], &["--deny", "**/.env"]] {
            let place = fresh(world);
            lasting(world, denial, &["lasting-directories", word(&place)]).all(&["OK"]);
            let mode = |name: &str| fs::metadata(place.join(name)).expect("what was made").mode() & 0o7777;
            assert_eq!([mode("shared"), mode("shared/beneath"), mode("sticky")], [0o3777, 0o2775, 0o1644]);
        }
    });
}

#[test]
fn no_file_gets_capabilities() {
    each(|world| {
        let place = fresh(world);
        let file = place.join("program");
        world.file(&file, "");
        if world.who == Who::Root {
            bare(world, &["lasting-capability", word(&file)]).all(&["OK"]);
            fs::remove_file(&file).expect("the file");
            world.file(&file, "");
        }
        let report = lasting(world, &[], &["lasting-capability", word(&file)]);
        report.all(&["EPERM"]);
    });
}

#[test]
fn without_a_supervisor_no_call_makes_such_a_file_either() {
    each(|world| {
        let profile = world.home().join("static.json");
        world.file(&profile, r#"{"name": "static", "extends": ["default"], "supervisor": {"enabled": false}}"#);
        for mode in MODES {
            let place = fresh(world);
            let report = lasting(world, &["-p", word(&profile)], &["lasting", word(&place), mode]);
            report.all_but(&["openat2", "temporary-openat2", "kept"], &["EPERM"]);
            // Its mode is in memory, where no filter can see it.
            report.are(&["openat2", "temporary-openat2"], "ENOSYS");
            assert_eq!(lenders(&place), [] as [PathBuf; 0]);
        }
        let place = fresh(world);
        let twin = lasting(world, &["-p", word(&profile)], &["lasting", word(&place), ORDINARY]);
        let changes = ["chmod", "fchmod", "fchmod-above", "fchmodat", "fchmodat-proc", "fchmodat2", "fchmodat2-empty"];
        let nameless = ["openat2", "temporary-openat2", "fchmod-temporary"];
        twin.all_but(&[&changes[..], &nameless[..]].concat(), &["OK"]);
        twin.are(&changes, if world.who == Who::Root { "EPERM" } else { "OK" });
    });
}

fn lasting(world: &World, flags: &[&str], attack: &[&str]) -> Report {
    let work = world.work();
    confined(world, &[&["--allow", word(&work)], flags].concat(), attack)
}

/// An empty directory that the program may write.
fn fresh(world: &World) -> PathBuf {
    let place = world.work().join("place");
    if place.exists() {
        fs::remove_dir_all(&place).expect("what was left");
    }
    world.directory(&place);
    place
}

/// The regular files of a directory with a set-id bit.
fn lenders(place: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(place).expect("the directory").flatten().map(|entry| entry.path());
    let lends = |path: &PathBuf| {
        let about = fs::symlink_metadata(path).expect("a file");
        about.is_file() && about.mode() & SET_ID != 0
    };
    paths.filter(lends).collect()
}
