//! What a program tries so that a signed file no longer verifies: for itself, for others, and for the next run.

use std::fs;

use crate::world::{NOBODY, Who, World};
use crate::{is_refused, prints, project, run, shell, trust};

/// `renameat2(2)` with `RENAME_EXCHANGE`.
fn exchange(one: &str, other: &str) -> String {
    format!(
        "python3 -c 'import ctypes, os; \
           r = ctypes.CDLL(None, use_errno=True).renameat2(-100, b\"{one}\", -100, b\"{other}\", 2); \
           raise SystemExit(0 if r == 0 else os.strerror(ctypes.get_errno()))'"
    )
}

#[test]
fn a_bundle_and_the_place_of_a_file_stay_as_they_are() {
    World::each(|world| {
        project(world);
        shell(world, "ln -s CLAUDE.md AGENTS.md; mkdir other");
        let before = shell(world, "ls -R; cat CLAUDE.md.bundle");
        for attack in [
            "rm CLAUDE.md.bundle",
            "mv CLAUDE.md.bundle gone",
            "echo x > CLAUDE.md.bundle",
            "truncate -s 1 CLAUDE.md.bundle",
            "chmod 0 CLAUDE.md.bundle",
            "touch CLAUDE.md.bundle",
            "echo x > new; mv new CLAUDE.md.bundle",
            "ln CLAUDE.md.bundle gone",
            "mv .claude gone",
            "mv .claude/commands gone",
            "mv src other/",
            "rm AGENTS.md",
            "ln -sf other AGENTS.md",
            &exchange("src", "other"),
            &exchange("other", "src"),
            &exchange("CLAUDE.md.bundle", "src/config.py.bundle"),
        ] {
            is_refused(world, attack, "stays as it was signed");
            shell(world, "rm -f new CLAUDE-2.md");
            assert_eq!(shell(world, "ls -R; cat CLAUDE.md.bundle"), before, "{attack}");
        }
        prints(
            world,
            "mv other another && mv another other && mkdir -p src/deep && mv src/deep src/deeper && rmdir src/deeper \
               && echo x > other/a.bundle && rm other/a.bundle && chmod 700 src && cat AGENTS.md src/config.py",
            "be kind\nprint(7)\n",
        );
    });
}

#[test]
fn a_hard_link_from_before_changes_neither_a_file_nor_its_bundle() {
    World::each(|world| {
        project(world);
        shell(world, "ln CLAUDE.md notes.txt; ln CLAUDE.md.bundle proof.txt; ln trust-policy.json free.txt");
        for attack in ["echo x > notes.txt", "echo x > proof.txt", "truncate -s 0 notes.txt", "chmod 0 proof.txt"] {
            is_refused(world, attack, "stays as it was signed");
        }
        prints(world, "cat CLAUDE.md notes.txt; echo y > other.txt; cat other.txt", "be kind\nbe kind\ny\n");
    });
}

#[test]
fn no_bundle_comes_to_stand_beside_a_file_that_another_one_speaks_for() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    project(&world);
    shell(&world, "cp CLAUDE.md.bundle kept.txt; find . -name '*.bundle' ! -name 'trust-policy*' -delete");
    trust(&world, "sign --all --multi-subject");
    for attack in [
        "cp kept.txt CLAUDE.md.bundle",
        "mkdir CLAUDE.md.bundle",
        "mkfifo CLAUDE.md.bundle",
        "ln -s kept.txt CLAUDE.md.bundle",
        "ln kept.txt CLAUDE.md.bundle",
        "mv kept.txt CLAUDE.md.bundle",
    ] {
        is_refused(&world, attack, "stays as it was signed");
    }
    for attack in ["rm .nono-trust.bundle", "echo x > .nono-trust.bundle", "mv .nono-trust.bundle gone"] {
        is_refused(&world, attack, "stays as it was signed");
    }
    prints(
        &world,
        "cp kept.txt notes.md.bundle; cat CLAUDE.md src/config.py; rm notes.md.bundle",
        "be kind\nprint(7)\n",
    );
}

#[test]
fn no_bundle_for_many_files_comes_to_stand_beside_the_policy() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    project(&world);
    for attack in ["echo x > .nono-trust.bundle", "mkdir .nono-trust.bundle", "mv CLAUDE-2.md .nono-trust.bundle"] {
        let outcome = run(&world, attack);
        assert!(outcome.code() != 0 && outcome.stderr.contains("denied"), "{attack}: {}", outcome.stderr);
    }
    prints(&world, "mkdir g; echo x > g/.nono-trust.bundle; cat g/.nono-trust.bundle CLAUDE.md", "x\nbe kind\n");
}

#[test]
fn a_policy_that_protects_nothing_lets_bundles_and_directories_go() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    project(&world);
    shell(&world, "sed -i 's/\"version\": 1/\"version\": 1, \"protect\": false/' trust-policy.json");
    trust(&world, "sign-policy");
    prints(
        &world,
        "mv src gone; mv CLAUDE.md.bundle gone/; ls gone",
        "CLAUDE.md.bundle\nconfig.py\nconfig.py.bundle\n",
    );
    assert!(fs::metadata(world.work().join("gone/config.py")).is_ok());
}
