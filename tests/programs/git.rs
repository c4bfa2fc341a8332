//! git, on repositories of the working directory.

use crate::{SECRET, desk, fails, inside, key, works};

const GIT: &str = "/usr/bin/git";
const WHO: [&str; 5] = ["git", "-c", "user.name=A", "-c", "user.email=a@localhost"];

#[test]
fn git_makes_commits_to_and_clones_a_repository() {
    let Some(world) = desk(&[GIT]) else { return };
    let git = |words: &[&str]| inside(&world, "rust-dev", &[&WHO[..], words].concat());
    works(&git(&["init", "--quiet", "one"]));
    world.file(&world.work().join("one/file"), "content\n");
    works(&git(&["-C", "one", "add", "file"]));
    works(&git(&["-C", "one", "commit", "--quiet", "-m", "A first commit"]));
    assert!(works(&git(&["-C", "one", "log", "--oneline"])).ends_with("A first commit\n"));
    works(&git(&["clone", "--quiet", "one", "two"]));
    let cloned = std::fs::read_to_string(world.work().join("two/file")).expect("the clone has the file");
    assert_eq!(cloned, "content\n");
    assert_eq!(works(&git(&["-C", "two", "status", "--porcelain"])), "");
    works(&git(&["-C", "two", "checkout", "--quiet", "-b", "branch"]));
    works(&git(&["-C", "two", "gc", "--quiet"]));
    works(&git(&["-C", "two", "fsck", "--strict"]));
}

#[test]
fn a_repository_that_a_group_shares_keeps_the_bits_of_its_directories() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(world) = desk(&[GIT]) else { return };
    works(&inside(&world, "rust-dev", &["git", "init", "--quiet", "--shared=group", "--bare", "shared"]));
    let mode = std::fs::metadata(world.work().join("shared/objects")).expect("the objects").permissions().mode();
    assert_eq!(mode & 0o7070, 0o2070);
}

#[test]
fn git_reads_no_key_and_clones_to_no_other_place() {
    let Some(world) = desk(&[GIT]) else { return };
    let key = key(&world).display().to_string();
    let bare = world.finish(world.command("git").args(["hash-object", &key]));
    works(&bare);
    let read = inside(&world, "rust-dev", &["git", "hash-object", &key]);
    fails(&read);
    assert!(!read.stdout.contains(bare.stdout.trim()), "{}", read.stdout);
    works(&inside(&world, "rust-dev", &["git", "init", "--quiet", "one"]));
    let elsewhere = world.outside().join("two");
    fails(&inside(&world, "rust-dev", &["git", "clone", "--quiet", "one", &elsewhere.display().to_string()]));
    assert!(!elsewhere.join(".git").exists());
}

#[test]
fn a_hook_of_the_repository_is_confined_like_git_itself() {
    let Some(world) = desk(&[GIT]) else { return };
    works(&inside(&world, "rust-dev", &["git", "init", "--quiet", "one"]));
    let hook = world.work().join("one/.git/hooks/pre-commit");
    let script = format!("#!/bin/sh\ncat {} > stolen\n", key(&world).display());
    world.file(&hook, &script);
    let run = [&WHO[..], &["-C", "one", "commit", "--quiet", "--allow-empty", "-m", "A commit"]].concat();
    works(&inside(&world, "rust-dev", &["chmod", "755", "one/.git/hooks/pre-commit"]));
    fails(&inside(&world, "rust-dev", &run));
    let stolen = std::fs::read_to_string(world.work().join("one/stolen")).expect("the hook ran");
    assert!(!stolen.contains(SECRET));
}
