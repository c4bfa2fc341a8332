//! The first steps of a user, word for word, with keys in files.

use crate::shell;
use crate::world::{NOBODY, Outcome, Who, World, shared};

/// Runs a line as a user types it, in the project.
fn typed(world: &World, line: &str) -> Outcome {
    let mut command = world.command(std::path::Path::new("/bin/sh"));
    let path = format!("{}:/usr/bin:/bin", shared().display());
    command.args(["-c", line]).env("PATH", path);
    command.env("NONO_KEYSTORE", format!("file:{}/keys", world.home().display()));
    world.finish(command.env("NONO_KEY_PASSPHRASE_FILE", world.home().join("passphrase")))
}

fn succeeds(world: &World, line: &str) -> String {
    let outcome = typed(world, line);
    assert_eq!(outcome.code(), 0, "{line}: {}", outcome.stderr);
    outcome.stdout
}

#[test]
fn the_first_steps_lead_where_they_should() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    world.file(&world.home().join("passphrase"), "correct horse\n");
    shell(&world, "mkdir src; echo s > SKILLS.md; echo c > CLAUDE.md; echo 'x = 1' > src/config.py");
    for line in [
        "nono trust keygen",
        "nono trust init --include \"SKILLS.md\" --include \"CLAUDE.md\" --include \"src/config.py\"",
        "nono trust sign-policy",
        "nono trust sign SKILLS.md",
        "nono trust sign --all",
        "nono trust verify --all",
        "nono trust keygen --id my-signing-key",
        "nono trust keygen --id my-key",
        "nono trust init --include \"*.md\" --force",
        "nono trust init --include \"*.md\" --include \"*.py\" --force",
        "nono trust init --include \"SKILLS*\" --key my-key --force",
        "nono trust init --user",
        "nono trust sign-policy --user",
        "nono trust init --force --include \"SKILLS.md\" --include \"CLAUDE.md\" --include \"src/config.py\"",
        "nono trust sign-policy",
        "nono trust sign SKILLS.md --key my-key",
        "nono trust sign SKILLS.md CLAUDE.md",
        "nono trust verify SKILLS.md",
        "nono trust verify SKILLS.md --policy trust-policy.json",
        "nono trust export-key",
        "nono trust export-key --id my-signing-key",
        "nono trust export-key --id default --pem",
        "nono run --profile claude-code --allow-cwd -- cat SKILLS.md",
        "nono run --profile claude-code --allow-cwd --trust-override -- cat SKILLS.md",
    ] {
        succeeds(&world, line);
    }
    assert_eq!(
        succeeds(&world, "mkdir -p .claude/commands; echo d > .claude/commands/deploy.md; nono trust list"),
        "  File                               Status       Publisher\n\
         \x20 -------------------------------------------------------------------\n\
         \x20 .claude/commands/deploy.md         UNSIGNED     no .bundle file found\n\
         \x20 CLAUDE.md                          VERIFIED     local-dev (keyed)\n\
         \x20 SKILLS.md                          VERIFIED     local-dev (keyed)\n\
         \x20 src/config.py                      VERIFIED     local-dev (keyed)\n"
    );
    assert_eq!(typed(&world, "nono trust verify --all").code(), 1);
    shell(&world, "rm -r .claude; find . -name '*.md.bundle' -delete; rm src/config.py.bundle");
    succeeds(&world, "nono trust sign --all --multi-subject && nono trust verify --all");
    let keyless = typed(&world, "nono trust sign SKILLS.md --keyless");
    assert!(keyless.code() == 125 && keyless.stderr.contains("next release"), "{}", keyless.stderr);
}

#[test]
fn one_bundle_for_a_project_is_set_up_in_three_steps() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    world.file(&world.home().join("passphrase"), "correct horse\n");
    shell(&world, "mkdir src; echo s > SKILLS.md; echo c > CLAUDE.md; echo 'x = 1' > src/config.py");
    for line in [
        "nono trust keygen",
        "nono trust init --include \"SKILLS.md\" --include \"CLAUDE.md\" --include \"src/config.py\"",
        "nono trust sign-policy",
        "nono trust sign --all --multi-subject",
        "nono trust verify --all",
        "nono run --profile claude-code --allow-cwd -- cat src/config.py",
    ] {
        succeeds(&world, line);
    }
    let found = shell(&world, "find . -name '*.bundle' -o -name '*.json' | sort");
    assert_eq!(found, "./.nono-trust.bundle\n./trust-policy.json\n./trust-policy.json.bundle\n");
    // A file that the bundle does not name is not signed by it.
    shell(&world, "mkdir -p docs; echo more > docs/CLAUDE.md");
    assert_eq!(typed(&world, "nono trust verify docs/CLAUDE.md").code(), 1);
    let refused = typed(&world, "nono run --profile claude-code --allow-cwd -- true");
    assert!(refused.code() == 125 && refused.stderr.contains("docs/CLAUDE.md: UNSIGNED"), "{}", refused.stderr);
}

#[test]
fn any_file_is_signed_without_a_policy_and_a_policy_again_after_each_change() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    world.file(&world.home().join("passphrase"), "correct horse\n");
    shell(&world, "echo s > notes.txt; echo c > CLAUDE.md");
    succeeds(&world, "nono trust keygen && nono trust sign notes.txt && nono trust verify notes.txt");
    succeeds(&world, "nono trust init --user && nono trust sign-policy --user");
    let policy = shell(&world, "cat ../home/.config/nono/trust-policy.json");
    let key = succeeds(&world, "nono trust export-key --id default");
    assert!(policy.contains("\"includes\": []") && policy.contains(key.trim()), "{policy}");
    succeeds(&world, "nono trust init --include \"CLAUDE*\" && nono trust sign-policy && nono trust sign --all");
    succeeds(&world, "nono run --profile claude-code --allow-cwd -- cat CLAUDE.md");
    shell(&world, "sed -i 's/CLAUDE\\*/CLAUDE.md/' trust-policy.json");
    let changed = typed(&world, "nono run --profile claude-code --allow-cwd -- cat CLAUDE.md");
    assert!(changed.code() == 125 && changed.stderr.contains("sign-policy"), "{}", changed.stderr);
    succeeds(&world, "nono trust sign-policy && nono run --profile claude-code --allow-cwd -- cat CLAUDE.md");
}

#[test]
fn a_project_s_policy_alone_is_warned_of_and_the_override_is_the_command_line_s() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    crate::project(&world);
    let warning = "Warning: project-level trust-policy.json found but no user-level policy exists.\n\
                   nono: Project policies are not authoritative without a user-level policy to anchor trust.\n\
                   nono: Create a signed policy at ~/.config/nono/trust-policy.json to enforce verification.\n";
    let plain = typed(&world, "nono run -s --allow-cwd -- true");
    assert!(plain.code() == 0 && plain.stderr.contains(warning), "{}", plain.stderr);
    shell(&world, "echo x > CLAUDE-4.md");
    assert_eq!(typed(&world, "nono run -s --allow-cwd -- cat CLAUDE-4.md").code(), 125);
    for line in [
        "NONO_TRUST_OVERRIDE=1 nono run -s --allow-cwd -- cat CLAUDE-4.md",
        "nono run -s --allow-cwd --trust-override -- cat CLAUDE-4.md",
    ] {
        let outcome = typed(&world, line);
        assert_eq!((outcome.code(), outcome.stdout.as_str()), (0, "x\n"), "{line}: {}", outcome.stderr);
        assert!(outcome.stderr.contains("warning: ") && outcome.stderr.contains("CLAUDE-4.md: UNSIGNED"), "{line}");
    }
    let records = shell(&world, "grep -rhs '\"operation\":\"verify\"' ../home/.local/state/nono/sessions");
    assert!(records.lines().any(|line| line.contains("CLAUDE-4.md") && line.contains("UNSIGNED")), "{records}");
    for document in
        ["{ \"name\": \"p\", \"trust_override\": true }", "{ \"name\": \"p\", \"trust\": { \"override\": true } }"]
    {
        world.file(&world.work().join("p.json"), document);
        assert_eq!(typed(&world, "nono run -s -p ./p.json -- true").code(), 125, "{document}");
    }
    // A directory of the profile's is not searched, and closed by the supervisor all the same.
    shell(&world, "rm CLAUDE-4.md; mkdir vendor; echo x > vendor/CLAUDE.md");
    world.file(
        &world.work().join("p.json"),
        r#"{ "name": "p", "extends": ["default"], "sandbox": { "allow": ["$WORKDIR"] }, "skipdirs": ["vendor"] }"#,
    );
    let skipped = typed(&world, "nono run -s -p ./p.json -- cat CLAUDE.md vendor/CLAUDE.md");
    assert_eq!((skipped.code(), skipped.stdout.as_str()), (1, "be kind\n"), "{}", skipped.stderr);
}

/// Every document of the reference, with what stands in angle brackets or behind dots filled in.
#[test]
fn each_policy_of_the_reference_is_one() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    world.file(&world.home().join("passphrase"), "correct horse\n");
    let key = {
        succeeds(&world, "nono trust keygen");
        succeeds(&world, "nono trust export-key").trim().to_owned()
    };
    let keyless = r#"{ "name": "my-org-ci", "issuer": "https://token.actions.githubusercontent.com",
        "repository": "my-org/my-repo", "workflow": ".github/workflows/sign-skills.yml", "ref_pattern": "refs/heads/main" }"#;
    let wide = r#"{ "name": "my-org-ci", "issuer": "https://token.actions.githubusercontent.com",
        "repository": "my-org/*", "workflow": "*", "ref_pattern": "refs/heads/main" }"#;
    let keyed = format!(r#"{{ "name": "local-dev", "key_id": "default", "public_key": "{key}" }}"#);
    let blocked = format!(
        r#"{{ "sha256": "{}", "description": "Known malicious SKILLS.md variant", "added": "2026-02-20" }}"#,
        "a1b2c3d4".repeat(8)
    );
    let policy = |includes: &str, publishers: &str, blocklist: &str| {
        format!(
            r#"{{ "version": 1, "includes": [{includes}], "publishers": [{publishers}], "blocklist": {{ {blocklist} }},
                 "enforcement": "deny" }}"#
        )
    };
    let many = r#""SKILLS*", "CLAUDE*", "*.py", ".claude/**/*.md""#;
    for document in [
        policy(many, &keyed, r#""digests": [], "publishers": []"#),
        policy(r#""SKILLS*", "CLAUDE*", "AGENT*""#, keyless, r#""digests": []"#),
        policy("", wide, r#""digests": []"#),
        policy(many, &format!("{keyed}, {keyless}"), &format!(r#""digests": [{blocked}]"#)),
    ] {
        world.file(&world.work().join("trust-policy.json"), &document);
        succeeds(&world, "nono trust sign-policy && nono trust verify --all");
        for enforcement in ["warn", "audit"] {
            world.file(
                &world.work().join("trust-policy.json"),
                &document.replace("\"deny\"", &format!("\"{enforcement}\"")),
            );
            succeeds(&world, "nono trust sign-policy && nono run -s --profile claude-code --allow-cwd -- true");
        }
    }
    // Keys that are not in the reference are not passed over.
    for unknown in ["\"predicate\": {}", "\"files\": []", "\"trust_override\": true"] {
        world.file(&world.work().join("trust-policy.json"), &format!("{{ \"version\": 1, {unknown} }}"));
        let outcome = typed(&world, "nono trust sign-policy");
        assert!(outcome.code() == 125 && outcome.stderr.contains("unknown key"), "{unknown}: {}", outcome.stderr);
    }
}
