//! git, and trees of many files.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use crate::alike::{Work, desk};
use crate::world::{NOBODY, own_user};

#[test]
fn git_clones_rebases_collects_and_branches_alike() {
    let Some(world) = desk(&["/usr/bin/git"]) else { return };
    let script = "
        export GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'
        export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@localhost GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@localhost
        git init -q -b main one; cd one
        for i in 1 2 3 4 5 6 7 8; do echo $i > file$i; mkdir -p d$i; echo x$i > d$i/f; git add .; git commit -qm \"step $i\"; done
        git checkout -q -b side HEAD~4; echo side > side; chmod +x side; ln -s side link; git add .; git commit -qm side
        git rebase -q main; git tag -a -m v1 v1
        git clone -q . ../two; git clone -q --bare --no-hardlinks . ../bare.git
        git worktree add -q ../tree main; echo more >> ../tree/file1; git -C ../tree commit -qam more
        git stash list; git merge -q main; git mv file2 moved; git commit -qm moved; git rm -q file3; git commit -qm gone
        git -c pack.threads=1 -c gc.auto=0 gc -q --prune=now; git fsck --strict; git status --porcelain; git log --oneline --graph --all
        git -C ../two pull -q --rebase ../one side; git -C ../two -c core.hooksPath=/dev/null status --porcelain; git -C ../two log -1 --format=%T";
    let own = ["index", "gitdir", "commondir", ".rev", "FETCH_HEAD"];
    let (_, told, files) = Work { world: &world, profile: "rust-dev", script, own: &own }.is_alike(|_| ());
    assert!(told.contains("moved") && files.len() > 100, "{told}");
}

#[test]
fn find_rsync_and_tar_carry_twenty_thousand_files_alike() {
    let Some(world) = desk(&["/usr/bin/find", "/usr/bin/rsync", "/usr/bin/tar"]) else { return };
    let script = "
        find from -printf '%p %y %m %n %s %l\\n' | sort | cksum
        rsync -aH from/ copied/
        tar -cf - from | (mkdir unpacked && tar -C unpacked -xpf -)
        find copied -type f -name '*3' -delete; find copied | wc -l";
    let work = Work { world: &world, profile: "default", script, own: &[] };
    let (_, _, files) = work.is_alike(many);
    assert!(files.len() > 55_000, "{} files", files.len());
}

/// Twenty thousand files with modes, times and links of every kind.
fn many(directory: &Path) {
    let from = directory.join("from");
    fs::create_dir(&from).expect("a directory");
    for number in 0..200 {
        let above = from.join(format!("directory {number}"));
        fs::create_dir(&above).expect("a directory");
        for file in 0..100_u32 {
            let path = above.join(format!("f\u{e4}{file}"));
            match file % 25 {
                1 => fs::hard_link(above.join(format!("f\u{e4}{}", file - 1)), &path).expect("a hard link"),
                2 => symlink(format!("f\u{e4}{}", file - 2), &path).expect("a link"),
                3 => symlink("nothing", &path).expect("a link"),
                _ => {
                    fs::write(&path, format!("{number} {file}\n")).expect("a file");
                    let time =
                        UNIX_EPOCH + Duration::from_nanos(1_000_000_000_123_456_789 + u64::from(file) * 1_000_003);
                    let opened = fs::File::options().write(true).open(&path).expect("a file");
                    opened.set_modified(time).expect("a time");
                    let mode = [0o644, 0o600, 0o755, 0o640, 0o400][(file % 5) as usize];
                    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).expect("a mode");
                }
            }
        }
    }
    // Links and directories have a time of their own, which is carried as well.
    let script =
        "find \"$0\" -exec chown -h \"$1:$1\" {} +; find \"$0\" ! -type f -exec touch -h -d @1000000000.5 {} +";
    let user = NOBODY.to_string();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", if own_user() == 0 { script } else { &script[script.find(';').map_or(0, |end| end + 2)..] }]);
    assert!(command.arg(&from).arg(user).status().expect("a shell").success());
}
