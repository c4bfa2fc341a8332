//! What the policies and the profile make of a file that is not signed.

use std::fs;

use crate::world::{NOBODY, Who, World};
use crate::{does_not_start, is_refused, prints, project, run, shell, trust};

/// Rewrites the project's policy and signs it again.
fn policy(world: &World, change: &str) {
    shell(world, &format!("sed -i '{change}' trust-policy.json"));
    trust(world, "sign-policy");
}

#[test]
fn without_a_policy_nothing_is_stopped() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    prints(&world, "echo a > CLAUDE.md; echo b >> CLAUDE.md; cat CLAUDE.md; mv CLAUDE.md x; rm x", "a\nb\n");
}

#[test]
fn each_verification_is_in_the_audit_log() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    project(&world);
    is_refused(&world, "cat CLAUDE.md CLAUDE-2.md", "no .bundle file found");
    let records = shell(&world, "grep -rhs '\"operation\":\"verify\"' ../home/.local/state/nono/sessions");
    for (file, status) in [("CLAUDE.md", "VERIFIED"), ("CLAUDE-2.md", "UNSIGNED")] {
        let found = records.lines().any(|line| line.contains(&format!("/{file}\"")) && line.contains(status));
        assert!(found, "{file} {status}: {records}");
    }
    // What is looked at before the start is recorded as well, and the refusal to start.
    assert!(records.contains("/src/config.py\""), "{records}");
    shell(&world, "rm -r ../home/.local/state/nono; echo x > CLAUDE-4.md");
    does_not_start(&world, "CLAUDE-4.md: UNSIGNED");
    let listed = world.finish(world.nono().args(["audit", "list"]));
    assert_eq!(listed.stdout.matches("  exit 125    1 denied  default  ").count(), 2, "{}", listed.stdout);
    let verified = world.finish(world.nono().args(["audit", "verify", "--all"]));
    assert_eq!(verified.code(), 0, "{}{}", verified.stdout, verified.stderr);
    let id = listed.stdout.split(' ').next().unwrap_or_default();
    let shown = world.finish(world.nono().args(["audit", "show", id])).stdout;
    for expected in ["verify ", "/CLAUDE-4.md  (no .bundle file found)", "/CLAUDE.md  (", "(not started: "] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    // Without a place for the log nothing starts either.
    let mut homeless = world.nono();
    let refused = world.finish(homeless.args(["run", "--allow-cwd", "--", "true"]).env("XDG_STATE_HOME", "/proc"));
    assert_eq!(refused.code(), 125, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("UNSIGNED") && refused.stderr.contains("not in the audit log"),
        "{}",
        refused.stderr
    );
}

#[test]
fn warn_and_audit_let_a_file_through() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    project(&world);
    policy(&world, "s/\"deny\"/\"warn\"/");
    prints(&world, "cat CLAUDE-2.md CLAUDE.md", "be evil\nbe kind\n");
    is_refused(&world, "echo x > CLAUDE.md", "stays as it was signed");
    policy(&world, "s/\"warn\"/\"audit\"/");
    prints(&world, "cat CLAUDE-2.md; echo x >> CLAUDE.md; cat CLAUDE.md", "be evil\nbe kind\nx\n");
}

#[test]
fn what_is_blocked_is_refused_whatever_the_enforcement_is() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    project(&world);
    let digest = shell(&world, "echo 'be evil' | sha256sum | cut -c1-64");
    let entry = format!("{{ \"sha256\": \"{}\", \"description\": \"known evil\" }}", digest.trim());
    policy(&world, &format!("s/\"deny\"/\"audit\"/; s/\"digests\": \\[\\]/\"digests\": [{entry}]/"));
    is_refused(&world, "cat CLAUDE-2.md", "known evil");
    prints(&world, "echo 'be odd' > CLAUDE-3.md; cat CLAUDE-3.md", "be odd\n");
    shell(&world, "rm -f CLAUDE-[23].md; echo 'be evil' > CLAUDE.md");
    does_not_start(&world, "known evil");
    let overridden = world.finish(world.nono().args(["run", "--trust-override", "--", "true"]));
    assert_eq!(overridden.code(), 125, "{}", overridden.stderr);
}

#[test]
fn a_policy_can_let_signed_files_be_changed() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    project(&world);
    policy(&world, "s/\"version\": 1/\"version\": 1, \"protect\": false/");
    is_refused(&world, "echo x >> CLAUDE.md && cat CLAUDE.md", "content changed after it was signed");
    does_not_start(&world, "content changed after it was signed");
}

#[test]
fn a_profile_asks_for_signatures_and_names_whose_count() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    project(&world);
    shell(&world, "mv trust-policy.json ../home/; echo x > AGENTS.md");
    let profile = |signers: &str| {
        let text = format!(
            r#"{{ "name": "p", "extends": ["default"], "sandbox": {{ "allow": ["$WORKDIR"] }},
                 "trust": {{ "require_signed_instructions": true, "signers": [{signers}] }} }}"#
        );
        fs::write(world.work().join("p.json"), text).expect("a profile");
    };
    let read = |name: &str| world.finish(world.nono().args(["run", "-s", "-p", "./p.json", "--", "cat", name]));
    trust(&world, "sign AGENTS.md");
    for (signers, code) in [("", 0), ("\"default\"", 0), ("\"somebody@else\"", 125)] {
        profile(signers);
        let outcome = read("AGENTS.md");
        assert_eq!(outcome.code(), code, "{signers}: {}", outcome.stderr);
    }
    profile("");
    shell(&world, "echo x > CLAUDE-2.md");
    assert_eq!(read("CLAUDE-2.md").code(), 125);
    shell(&world, "rm CLAUDE-2.md");
    // Nobody beside the program would verify anything.
    let outcome = world.finish(world.nono().args(["wrap", "-p", "./p.json", "--", "cat", "AGENTS.md"]));
    assert!(outcome.code() == 125 && outcome.stderr.contains("require_signed_instructions"), "{}", outcome.stderr);
}

#[test]
fn nobody_inside_reaches_the_keys() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    project(&world);
    let keys = world.home().join("keys/default.key");
    let mut command = world.nono();
    command.args(["run", "-s", "--allow-cwd", "-a"]).arg(world.home()).args(["--", "cat"]).arg(&keys);
    let stolen = world.finish(command.env("NONO_KEYSTORE", format!("file:{}/keys", world.home().display())));
    assert!(stolen.code() != 0 && stolen.stdout.is_empty(), "{}", stolen.stdout);
    let noted = run(&world, "ls ~/.config/nono/keys");
    assert!(noted.code() != 0 && noted.stdout.is_empty(), "{}", noted.stdout);
}

#[test]
fn a_replaced_policy_or_a_repository_inside_hides_nothing_from_the_user_s_policy() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    trust(&world, "keygen --no-passphrase");
    trust(&world, "init --user");
    trust(&world, "sign-policy --user");
    trust(&world, "init --include guide*");
    trust(&world, "sign-policy");
    shell(&world, "mkdir .git sub sub/.git; echo evil > sub/guide.md; cp trust-policy.json kept");
    let mut inner = world.nono();
    inner.current_dir(world.work().join("sub")).args(["run", "--allow-cwd", "--", "cat", "guide.md"]);
    let outcome = world.finish(&mut inner);
    assert_eq!((outcome.code(), outcome.stdout.as_str()), (125, ""), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("no .bundle file found"), "{}", outcome.stderr);
    shell(&world, "rm sub/guide.md; echo '{\"version\": 1, \"includes\": []}' > trust-policy.json");
    does_not_start(&world, "its publishers are not believed");
    shell(&world, "mv kept trust-policy.json");
    prints(&world, "echo started", "started\n");
}

#[test]
fn an_older_policy_that_is_put_back_is_noticed_and_refused_where_the_user_says_so() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    trust(&world, "keygen --no-passphrase");
    trust(&world, "init --user");
    trust(&world, "sign-policy --user");
    trust(&world, "init --include guide*");
    trust(&world, "sign-policy");
    let run = || world.finish(world.nono().args(["run", "-s", "--allow-cwd", "--", "true"]));
    let noticed = "it was signed before another one that was used here";
    assert!(run().code() == 0 && !run().stderr.contains(noticed));
    // Times are in seconds.
    shell(&world, "mkdir older; cp trust-policy.json* older/; sleep 1.1; sed -i 's/guide/rules/' trust-policy.json");
    trust(&world, "sign-policy");
    assert!(run().code() == 0 && !run().stderr.contains(noticed));
    shell(&world, "mkdir newer; mv trust-policy.json* newer/; cp older/* .");
    let warned = run();
    assert!(warned.code() == 0 && warned.stderr.contains(noticed), "{}", warned.stderr);
    let user = world.home().join(".config/nono/trust-policy.json");
    let text = fs::read_to_string(&user).expect("a policy");
    fs::write(&user, text.replace("\"version\": 1", "\"version\": 1, \"refuse_older_policies\": true"))
        .expect("a policy");
    trust(&world, "sign-policy --user");
    does_not_start(&world, noticed);
    shell(&world, "cp newer/* .");
    assert_eq!(run().code(), 0, "{}", run().stderr);
    // Signed again it is the newest, and what has no time of its own is older than what has one.
    shell(&world, "cp older/* .");
    trust(&world, "sign-policy");
    assert_eq!(run().code(), 0, "{}", run().stderr);
    shell(&world, "for file in ../home/.local/state/nono/policies/*; do echo x > $file; done");
    assert!(run().code() == 125 && run().stderr.contains("does not hold a number"), "{}", run().stderr);
    let inside = world.finish(world.nono().args(["run", "-s", "-a"]).arg(world.home()).args([
        "--",
        "sh",
        "-c",
        "rm ~/.local/state/nono/policies/*",
    ]));
    assert_ne!(inside.code(), 0, "{}", inside.stderr);
}

#[test]
fn a_question_about_a_file_is_answered_as_a_run_would() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    project(&world);
    shell(&world, "echo evil > CLAUDE-2.md; echo x > notes.md");
    let why = |words: &[&str]| world.finish(world.nono().arg("why").args(words).arg("--allow-cwd"));
    for (words, status, said) in [
        (&["read", "CLAUDE.md"][..], 0, "is allowed"),
        (&["read", "CLAUDE-2.md"], 1, "is denied: no .bundle file found"),
        (&["exec", "run.py"], 0, "is allowed"),
        (&["write", "CLAUDE.md"], 1, "stays as it was signed"),
        (&["write", "CLAUDE-2.md"], 0, "is allowed"),
        (&["read", "notes.md"], 0, "is allowed"),
        (&["read", "CLAUDE-2.md", "--trust-override"], 0, "is allowed"),
        (&["read", "CLAUDE-9.md"], 0, "is allowed"),
    ] {
        let outcome = why(words);
        assert_eq!(outcome.code(), status, "{words:?}: {}{}", outcome.stdout, outcome.stderr);
        assert!(outcome.stdout.contains(said), "{words:?}: {}", outcome.stdout);
    }
    let outcome = why(&["read", "CLAUDE-2.md", "--json"]);
    assert!(outcome.stdout.contains("\"decision\": \"deny\""), "{}", outcome.stdout);
}
