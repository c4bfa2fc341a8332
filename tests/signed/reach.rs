//! Where patterns hold: a project's in the project, the user's wherever the program reads.

use std::fs;

use crate::world::{NOBODY, Outcome, Who, World};
use crate::{shell, trust};

/// A script inside that may read all of the home directory.
fn inside(world: &World, flags: &[&str], script: &str) -> Outcome {
    let mut command = world.nono();
    command.args(["run", "--allow-cwd", "--read"]).arg(world.home()).args(flags);
    world.finish(command.args(["--", "/bin/sh", "-c", script]))
}

fn reads(world: &World, flags: &[&str], script: &str, expected: &str) {
    let outcome = inside(world, flags, script);
    assert_eq!((outcome.code(), outcome.stdout.as_str()), (0, expected), "{script}: {}", outcome.stderr);
}

fn refuses(world: &World, flags: &[&str], script: &str, word: &str) {
    let outcome = inside(world, flags, script);
    assert!(outcome.code() != 0 && outcome.stdout.is_empty(), "{script}: {}", outcome.stdout);
    assert!(outcome.stderr.contains(word), "{script}: {word}: {}", outcome.stderr);
}

/// Files that lie outside of the project.
fn outside(world: &World) {
    shell(
        world,
        "cd ../home; mkdir -p .claude .notes deep/.notes repo/.git repo/a repo/b; echo u > .claude/CLAUDE.md; \
         echo n > .notes/a.txt; echo d > deep/.notes/a.txt; echo s > repo/a/SKILL.md",
    );
    trust(world, "keygen --no-passphrase");
}

#[test]
fn what_the_user_wants_signed_is_signed_wherever_it_lies() {
    World::each(|world| {
        outside(world);
        trust(world, "init --user --include .notes/*.txt");
        trust(world, "sign-policy --user");
        refuses(world, &[], "cat ~/.claude/CLAUDE.md", "no .bundle file found");
        refuses(world, &[], "ln -s ~/.claude/CLAUDE.md x; cat x; rm x; false", "no .bundle file found");
        refuses(world, &[], "cat /proc/self/root$HOME/.claude/CLAUDE.md", "no .bundle file found");
        refuses(world, &[], "cat ~/.notes/a.txt", "no .bundle file found");
        reads(world, &[], "cat ~/deep/.notes/a.txt", "d\n");
        let home = world.home().display().to_string();
        trust(world, &format!("sign {home}/.claude/CLAUDE.md {home}/.notes/a.txt"));
        reads(world, &[], "cat ~/.claude/CLAUDE.md ~/.notes/a.txt", "u\nn\n");
        // Another project's root is what its signatures name files from.
        refuses(world, &[&format!("--read={home}/repo")], "cat ~/repo/a/SKILL.md", "no .bundle file found");
        trust(world, &format!("sign {home}/repo/a/SKILL.md"));
        reads(world, &[&format!("--read={home}/repo")], "cat ~/repo/a/SKILL.md", "s\n");
        shell(world, "cp ../home/repo/a/SKILL.md* ../home/repo/b/");
        refuses(world, &[&format!("--read={home}/repo")], "cat ~/repo/b/SKILL.md", "is about `a/SKILL.md`");
    });
}

#[test]
fn what_the_profile_asks_for_holds_outside_of_the_project_as_well() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    outside(&world);
    let profile = |required: bool| {
        let text = format!(
            r#"{{ "name": "p", "extends": ["default"], "trust": {{ "require_signed_instructions": {required} }} }}"#
        );
        fs::write(world.work().join("p.json"), text).expect("a profile");
    };
    profile(true);
    refuses(&world, &["-p", "./p.json"], "cat ~/.claude/CLAUDE.md", "no .bundle file found");
    reads(&world, &["-p", "./p.json"], "cat ~/.notes/a.txt", "n\n");
    profile(false);
    reads(&world, &["-p", "./p.json"], "cat ~/.claude/CLAUDE.md", "u\n");
}

#[test]
fn a_project_asks_for_nothing_outside_of_itself() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    outside(&world);
    trust(&world, "init --include CLAUDE* --include .notes/*.txt");
    trust(&world, "sign-policy");
    reads(&world, &[], "cat ~/.claude/CLAUDE.md ~/.notes/a.txt", "u\nn\n");
    refuses(&world, &[], "echo evil > CLAUDE.md; cat CLAUDE.md; rm CLAUDE.md; false", "no .bundle file found");
}

#[test]
fn a_path_counts_by_where_it_leads() {
    World::each(|world| {
        crate::project(world);
        let twins = "cat /proc/self/cwd/CLAUDE.md /proc/thread-self/cwd/./src/../CLAUDE.md /dev/fd/3 3< CLAUDE.md";
        crate::prints(world, twins, "be kind\nbe kind\nbe kind\n");
        for attack in [
            "cat /proc/self/cwd/CLAUDE-2.md",
            "cat /proc/thread-self/cwd/CLAUDE-2.md",
            "cat /proc/self/root$PWD/CLAUDE-2.md",
            "cd src; cat ../CLAUDE-2.md",
            "mkdir g; cd g; cat /proc/self/cwd/../CLAUDE-2.md",
        ] {
            crate::is_refused(world, attack, "no .bundle file found");
        }
    });
}
