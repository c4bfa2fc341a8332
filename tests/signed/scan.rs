//! What is looked at before a program starts.

use std::fs;

use crate::world::{NOBODY, Who, World};
use crate::{does_not_start, prints, project, run, shell, trust};

#[test]
fn nothing_starts_beside_a_file_that_fails() {
    World::each(|world| {
        project(world);
        assert_eq!(run(world, "true").code(), 0);
        shell(world, "rm -f CLAUDE-2.md");
        for (harm, word, repair) in [
            ("echo x > CLAUDE-4.md", "UNSIGNED", "rm CLAUDE-4.md"),
            ("cp CLAUDE.md kept; echo x >> CLAUDE.md", "TAMPERED", "cp kept CLAUDE.md"),
            ("echo '*' > .gitignore; echo x > CLAUDE-4.md", "UNSIGNED", "rm CLAUDE-4.md"),
            ("mkdir -p a/b/c/d; echo x > a/b/c/d/CLAUDE.md", "UNSIGNED", "rm -r a"),
            ("mkdir .h; echo x > .h/CLAUDE.md", "UNSIGNED", "rm -r .h"),
            ("mkfifo CLAUDE-4.md", "not a regular file", "rm CLAUDE-4.md"),
            ("echo x > y; ln -s y CLAUDE-4.md", "UNSIGNED", "rm CLAUDE-4.md"),
            ("cp CLAUDE.md.bundle kept; echo '{}' > CLAUDE.md.bundle", "malformed", "cp kept CLAUDE.md.bundle"),
            (
                "mv CLAUDE.md.bundle kept; ln -s kept CLAUDE.md.bundle",
                "its bundle cannot be read: it is not a regular",
                "mv kept CLAUDE.md.bundle",
            ),
            ("echo x > CLAUDE-4.md; mkdir CLAUDE-4.md.bundle", "it is not a regular", "rm -r CLAUDE-4.md*"),
            ("truncate -s 64M CLAUDE-4.md", "UNSIGNED", "rm CLAUDE-4.md"),
        ] {
            shell(world, harm);
            does_not_start(world, word);
            shell(world, repair);
        }
        assert_eq!(run(world, "true").code(), 0);
    });
}

/// Behind a path that is longer than `PATH_MAX`, and in a directory that can be gone through and not listed.
const HIDDEN: &str = "import os, sys
if sys.argv[1] == 'make':
    for _ in range(25):
        os.mkdir('d' * 200)
        os.chdir('d' * 200)
    open('CLAUDE.md', 'w').write('be evil')
elif sys.argv[1] == 'read':
    for _ in range(25): os.chdir('d' * 200)
    print(open('CLAUDE.md').read())
";

#[test]
fn what_cannot_be_searched_is_said_and_refused_where_nothing_looks_later() {
    World::each(|world| {
        project(world);
        world.file(&world.work().join("hidden"), HIDDEN);
        let wrap = |script: &str| {
            let mut command = world.nono();
            world.finish(command.args(["wrap", "-s", "--read", ".", "--", "/bin/sh", "-c", script]))
        };
        let verify = || world.finish(world.nono().args(["trust", "verify", "--all"]));
        let kind = wrap("cat CLAUDE.md");
        assert_eq!((kind.stdout.as_str(), verify().code()), ("be kind\n", 0));
        assert!(kind.stderr.contains("`nono run` verifies each file when it is opened"), "{}", kind.stderr);
        assert!(!run(world, "true").stderr.contains("`nono run` verifies"), "only where nobody does it");
        let closed = "mkdir closed; echo 'be evil' > closed/CLAUDE.md; chmod 111 closed";
        for (hide, show, repair) in [
            ("python3 hidden make", "python3 hidden read", "rm -r ddd*"),
            (closed, "cat closed/CLAUDE.md", "chmod 755 closed; rm -r closed"),
        ] {
            if hide == closed && world.who == Who::Root {
                // Root lists every directory.
                continue;
            }
            shell(world, hide);
            let refused = wrap(show);
            assert_eq!((refused.code(), refused.stdout.as_str()), (125, ""), "{hide}: {}", refused.stderr);
            assert!(refused.stderr.contains("cannot be searched"), "{hide}: {}", refused.stderr);
            let verified = verify();
            assert_eq!(verified.code(), 1, "{hide}: {}", verified.stdout);
            assert!(verified.stderr.contains("cannot be searched"), "{hide}: {}", verified.stderr);
            // Beside the program, somebody looks at each file that is opened.
            let read = run(world, show);
            assert!(read.code() != 0 && !read.stdout.contains("be evil"), "{hide}: {}{}", read.stdout, read.stderr);
            prints(world, "cat CLAUDE.md", "be kind\n");
            shell(world, &format!("rm -f CLAUDE-2.md; {repair}"));
        }
        assert_eq!((wrap("cat CLAUDE.md").stdout.as_str(), verify().code()), ("be kind\n", 0));
    });
}

#[test]
fn skipped_directories_are_closed_by_the_supervisor_and_the_override_says_what_it_lets_through() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    project(&world);
    shell(&world, "mkdir node_modules vendor; echo x | tee node_modules/CLAUDE.md > vendor/CLAUDE.md");
    let cat = |words: &[&str]| {
        let mut command = world.nono();
        world.finish(command.args(["run", "-s", "--allow-cwd"]).args(words))
    };
    let skipped =
        cat(&["--skip-dir", "vendor", "--", "cat", "vendor/CLAUDE.md", "node_modules/CLAUDE.md", "CLAUDE.md"]);
    assert_eq!((skipped.code(), skipped.stdout.as_str()), (1, "be kind\n"), "{}", skipped.stderr);
    assert_eq!(cat(&["--", "true"]).code(), 125);
    // Without a supervisor nothing is verified later, and so nothing is left out but what the user names.
    let wrap = |flags: &[&str]| {
        let mut command = world.nono();
        let words = ["--", "cat", "CLAUDE.md", "node_modules/CLAUDE.md"];
        world.finish(command.args(["wrap", "-s", "--read", ".", "--skip-dir", "vendor"]).args(flags).args(words))
    };
    let refused = wrap(&[]);
    assert_eq!((refused.code(), refused.stdout.as_str()), (125, ""), "{}", refused.stderr);
    assert!(refused.stderr.contains("node_modules/CLAUDE.md: UNSIGNED"), "{}", refused.stderr);
    assert_eq!(wrap(&["--skip-dir", "node_modules"]).stdout, "be kind\nx\n");
    let overridden = cat(&["--trust-override", "--", "cat", "vendor/CLAUDE.md"]);
    assert_eq!((overridden.code(), overridden.stdout.as_str()), (0, "x\n"), "{}", overridden.stderr);
    assert!(overridden.stderr.contains("warning: ") && overridden.stderr.contains("vendor/CLAUDE.md: UNSIGNED"));
    // At any level the log has what went on.
    let flags = ["--trust-override", "--audit", "decisions", "--", "cat", "vendor/CLAUDE.md"];
    assert_eq!(cat(&flags).stdout, "x\n");
    let list = world.finish(world.nono().args(["audit", "list"])).stdout;
    let id = list.lines().last().and_then(|line| line.split(' ').next()).unwrap_or_default();
    let shown = world.finish(world.nono().args(["audit", "show", id, "--path", "vendor/CLAUDE.md"]));
    let shown = shown.stdout + &shown.stderr;
    assert_eq!(shown.matches("ALERT: it goes on although it is not verified").count(), 2, "{id}: {shown}{list}");
}

#[test]
fn a_project_cannot_weaken_what_the_user_asks_for() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    project(&world);
    shell(&world, "mkdir .git; echo x > src/CLAUDE.md");
    let from_below =
        world.finish(world.nono().args(["run", "--allow-cwd", "--", "true"]).current_dir(world.work().join("src")));
    assert!(from_below.code() == 125 && from_below.stderr.contains("UNSIGNED"), "{}", from_below.stderr);
    shell(&world, "rm src/CLAUDE.md");
    // Somebody else's key in an own policy, with the name of a publisher that is trusted.
    trust(&world, "init --user");
    trust(&world, "sign-policy --user");
    trust(&world, "keygen --no-passphrase --id theirs");
    fs::remove_dir_all(world.home().join(".config/nono/keys")).expect("notes");
    shell(&world, "mkdir -m 700 ../home/.config/nono/keys");
    let mut unsigned = world.nono();
    let refused = world.finish(unsigned.args(["run", "--allow-cwd", "--", "true"]));
    assert!(refused.code() == 125 && refused.stderr.contains("sign-policy --user"), "{}", refused.stderr);
}
