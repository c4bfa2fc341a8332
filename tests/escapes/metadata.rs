//! What an inode says about itself (rows 7 and 8). Landlock does not cover these calls, the filter does.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::attack::{bare, confined, each, secret, word};
use crate::world::Who;

/// What kernels and file systems without a call say to everybody.
const NOT_HERE: [&str; 5] = ["OK", "ENOSYS", "ENOTTY", "EOPNOTSUPP", "EINVAL"];

#[test]
fn the_attacks_on_metadata_work_without_a_sandbox() {
    each(|world| {
        let secret = secret(world);
        let report = bare(world, &["metadata", word(&secret)]);
        report.all(&NOT_HERE);
        report.are(&["fchmodat", "fchmod", "fchownat", "fchown", "utimensat", "futimens", "fsetxattr"], "OK");
    });
}

#[test]
fn no_call_changes_metadata_of_a_file_outside_the_policy() {
    each(|world| {
        let secret = secret(world);
        let before = inode(&secret);
        confined(world, &[], &["metadata", word(&secret)]).all(&["EPERM"]);
        confined(world, &[], &["metadata", word(&world.outside())]).all(&["EPERM"]);
        assert_eq!(inode(&secret), before);
    });
}

#[test]
fn no_call_changes_metadata_of_a_file_that_may_be_read() {
    each(|world| {
        let secret = secret(world);
        let before = inode(&secret);
        let outside = world.outside();
        let report = confined(world, &["--read", word(&outside)], &["metadata", word(&secret)]);
        report.all(&["EPERM"]);
        // The variants by a readable descriptor were among them.
        report.are(&["fchmod", "fchown", "futimens", "fsetxattr", "setflags", "setflags-above"], "EPERM");
        confined(world, &["--read", word(&outside)], &["metadata", word(&outside)]).all(&["EPERM"]);
        assert_eq!(inode(&secret), before);
        confined(world, &["--read", word(&outside)], &["look", word(&secret)]).all(&["OK"]);
    });
}

#[test]
fn metadata_changes_where_the_program_may_write() {
    each(|world| {
        let secret = secret(world);
        let report = confined(world, &["--allow", word(&world.outside())], &["metadata", word(&secret)]);
        report.are(
            &["fchmodat", "fchmodat2-empty", "fchmod", "utimensat", "utimensat-empty", "futimens", "fsetxattr"],
            "OK",
        );
        // Nobody has a rule for what these change.
        report.are(&["setflags", "setflags-above", "fssetxattr", "fssetxattr-above"], "EPERM");
    });
}

#[test]
fn without_a_supervisor_root_changes_no_metadata_even_where_it_may_write() {
    each(|world| {
        let secret = secret(world);
        let profile = world.work().join("static.json");
        world.file(&profile, r#"{"name": "static", "extends": ["default"], "supervisor": {"enabled": false}}"#);
        let before = inode(&secret);
        let outside = world.outside();
        let flags = ["-p", word(&profile), "--allow", word(&outside)];
        let report = confined(world, &flags, &["metadata", word(&secret)]);
        if world.who == Who::Root {
            report.all(&["EPERM"]);
            assert_eq!(inode(&secret), before);
        } else {
            // A user's own files: programs that unpack, build or check out need these.
            report.are(&["fchmodat", "fchmod", "utimensat", "futimens"], "OK");
            report.are(&["setflags", "setflags-above", "fssetxattr", "fssetxattr-above"], "EPERM");
        }
    });
}

/// What one of the calls would have changed, the change time included.
fn inode(path: &Path) -> [i64; 7] {
    let found = fs::symlink_metadata(path).expect("the metadata of a file");
    let [mode, user, group] = [found.mode(), found.uid(), found.gid()].map(i64::from);
    [mode, user, group, found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()]
}
