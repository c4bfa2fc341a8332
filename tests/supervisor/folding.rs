//! Filesystems that ignore case: a denial is about the object, however its name is written (row 59). The filesystem is a real
//! one, mounted by `tests/supervisor/folding`.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use crate::attack::{Report, bare, compiled, confined, each, word};
use crate::place::SECRET;
use crate::world::{NOBODY, Who, World, own_user, skip};

const REFUSED: [&str; 2] = ["EACCES", "EPERM"];

/// A mounted filesystem, in the working directory.
struct Disk<'w> {
    world: &'w World,
    root: PathBuf,
    server: Child,
}

impl<'w> Disk<'w> {
    /// Runs `test` for each user on filesystems of `kinds`, with a file, a closed one, and a directory with a closed one.
    fn each(kinds: &[&str], test: impl Fn(&Disk<'_>)) {
        if own_user() != 0 {
            return skip("only root mounts a filesystem");
        }
        if !Path::new("/dev/fuse").exists() {
            return skip("this kernel has no FUSE");
        }
        each(|world| kinds.iter().for_each(|kind| test(&Disk::mounted(world, kind))));
    }

    fn mounted(world: &'w World, kind: &str) -> Self {
        static SERVER: OnceLock<PathBuf> = OnceLock::new();
        let root = world.work().join(kind);
        world.directory(&root);
        let user = if world.who == Who::Root { 0 } else { NOBODY };
        let mut command = Command::new(SERVER.get_or_init(|| compiled("tests/supervisor/folding", "folding")));
        command.arg("serve").arg(&root).args([kind, &user.to_string()]).stdout(Stdio::piped());
        let mut server = command.spawn().expect("the filesystem's server");
        let mut ready = [0; 6];
        server.stdout.as_mut().expect("its output").read_exact(&mut ready).expect("what it says");
        assert_eq!(&ready, b"ready\n", "a kernel with FUSE, and /dev/fuse");
        let disk = Self { world, root, server };
        for directory in ["Secrets", "conf", "empty"] {
            fs::create_dir(disk.root.join(directory)).expect("a directory");
        }
        for (file, content) in [(".env", SECRET), ("Secrets/file", SECRET), ("conf/a.key", SECRET), ("open", "open\n")]
        {
            fs::write(disk.root.join(file), content).expect("a file");
        }
        disk
    }

    fn path(&self, name: &str) -> String {
        word(&self.root.join(name)).into()
    }

    fn confined(&self, denied: &[&str], attack: &[&str]) -> Report {
        let denials: Vec<&str> = denied.iter().flat_map(|denied| ["--deny", denied]).collect();
        confined(self.world, &[&["--allow", word(&self.root)], denials.as_slice()].concat(), attack)
    }

    #[track_caller]
    fn is_untouched(&self) {
        for closed in [".env", "Secrets/file", "conf/a.key"] {
            assert_eq!(fs::read_to_string(self.root.join(closed)).expect("a closed file"), SECRET);
        }
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.root).status();
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn a_denial_holds_for_every_spelling_where_case_is_ignored() {
    Disk::each(&["fold", "renumber"], |disk| {
        let secrets = disk.path("SECRETS");
        let denied = ["**/.env", secrets.as_str(), "CONF/*.Key"];
        for name in [".env", ".ENV", ".eNv", "Secrets/file", "SECRETS/FILE", "secrets/file", "conf/a.key", "Conf/A.KEY"]
        {
            let path = disk.path(name);
            bare(disk.world, &["read", &path]).all(&["OK"]);
            disk.confined(&denied, &["read", &path]).all(&["EACCES"]);
            disk.confined(&denied, &["write", &path]).all(&["EACCES"]);
            disk.confined(&denied, &["chmod", &path]).all(&REFUSED);
            disk.confined(&denied, &["rename", &path, &disk.path("taken")]).all(&REFUSED);
            disk.confined(&denied, &["rename", &disk.path("open"), &path]).all(&REFUSED);
            disk.confined(&denied, &["exchange", &disk.path("open"), &path]).all(&REFUSED);
            disk.confined(&denied, &["link", &path, &disk.path("taken")]).all(&REFUSED);
            disk.confined(&denied, &["unlink", &path]).all(&REFUSED);
            disk.is_untouched();
        }
        let directories = ["Secrets", "secrets", "SECRETS", "conf", "CONF"];
        for name in directories {
            disk.confined(&denied, &["rename", &disk.path(name), &disk.path("taken")]).all(&REFUSED);
        }
        disk.is_untouched();
        // The twins: everything else, in any spelling.
        for name in ["open", "OPEN", "Empty/new", "empty/New"] {
            disk.confined(&denied, &["write", &disk.path(name)]).all_but(&["creat", "openat2", "open"], &["OK"]);
            disk.confined(&denied, &["read", &disk.path(name)]).all(&["OK"]);
        }
        disk.confined(&denied, &["rename", &disk.path("OPEN"), &disk.path("Other")]).all(&["OK"]);
        disk.confined(&denied, &["rename", &disk.path("EMPTY"), &disk.path("full")]).all(&["OK"]);
        assert!(disk.root.join("other").exists() && disk.root.join("Full").exists());
    });
}

/// Moves the directory of a closed file to and fro, and what is in it, while it is opened by other spellings. Prints how many
/// opens went through, how many were refused, and how many moves were made.
const MOVING: &str = "
import os, sys, threading, time
os.chdir(sys.argv[1])
end, opened, refused, moves = time.time() + 3, 0, 0, 0
def tried(pairs):
    global moves
    while time.time() < end:
        for pair in pairs:
            try:
                os.rename(*pair)
                moves += 1
            except OSError: pass
directory = [('d', 'e'), ('E', 'D')]
content = [('open', 'd/.ENV'), ('d/.ENV', 'p'), ('e/.Env', 'q')]
threads = [threading.Thread(target=tried, args=(pairs,)) for pairs in (directory, content)]
for thread in threads: thread.start()
while time.time() < end:
    for path in ('d/.ENV', 'e/.eNv', 'D/.ENV'):
        try:
            os.close(os.open(path, os.O_RDONLY))
            opened += 1
        except FileNotFoundError: pass
        except PermissionError: refused += 1
for thread in threads: thread.join()
print(opened, refused > 0, moves > 99)
";

#[test]
fn no_move_meanwhile_makes_another_spelling_open() {
    Disk::each(&["fold", "renumber"], |disk| {
        fs::create_dir(disk.root.join("d")).expect("a directory");
        fs::write(disk.root.join("d/.env"), SECRET).expect("a closed file");
        let mut command = crate::attack::sandbox(disk.world, &["--allow", word(&disk.root), "--deny", "**/.env"]);
        let outcome = disk.world.finish(command.args(["/usr/bin/python3", "-c", MOVING]).arg(&disk.root));
        assert_eq!(outcome.stdout, "0 True True\n", "{}", outcome.stderr);
    });
}

#[test]
fn a_spelling_of_what_is_denied_is_not_made_where_case_may_be_ignored() {
    // Of a name that is not there nobody knows whether such a filesystem takes another for it.
    Disk::each(&["fold", "exact"], |disk| {
        let path = disk.path("empty/.ENV");
        let create = [
            "/bin/sh",
            "-c",
            &format!("true > {path}; mkdir {path}; ln -s open {path}; mv {} {path}", disk.path("open")),
        ];
        let flags = ["--allow", word(&disk.root), "--deny", "**/.env"];
        let outcome = disk.world.finish(crate::attack::sandbox(disk.world, &flags).args(create));
        assert_eq!(outcome.stderr.matches("ermission denied").count(), 4, "{}", outcome.stderr);
        assert!(!Path::new(&path).exists() && disk.root.join("open").exists());
        disk.confined(&["**/.env"], &["write", &disk.path("empty/.ENVRC")]).are(&["openat", "truncate"], "OK");
    });
}

#[test]
fn names_that_differ_in_case_are_two_names_where_case_counts() {
    let check = |world: &World, root: &Path| {
        fs::write(root.join(".ENV"), "open\n").expect("the other file");
        world.give(&root.join(".ENV"));
        let path = |name: &str| word(&root.join(name)).to_owned();
        let run = |attack: &[&str]| {
            confined(world, &["--allow", word(root), "--deny", "**/.env", "--deny", "CONF/*"], attack)
        };
        run(&["read", &path(".env")]).all(&["EACCES"]);
        run(&["read", &path(".ENV")]).all(&["OK"]);
        run(&["read", &path("conf/a.key")]).all(&["OK"]);
        run(&["rename", &path("conf"), &path("moved")]).all(&["OK"]);
        run(&["rename", &path("moved"), &path("conf")]).all(&["OK"]);
        run(&["unlink", &path(".ENV")]).all(&["OK"]);
    };
    Disk::each(&["exact"], |disk| check(disk.world, &disk.root));
    // The filesystem of the tests themselves, where the directory says so: such a name can be made as well.
    each(|world| {
        let root = world.work().join("plain");
        world.directory(&root);
        world.directory(&root.join("conf"));
        world.file(&root.join("conf/a.key"), "open\n");
        world.file(&root.join(".env"), SECRET);
        check(world, &root);
        confined(world, &["--allow", word(&root), "--deny", "**/.env"], &["write", word(&root.join(".ENV"))])
            .all_but(&["open"], &["OK"]);
    });
}
