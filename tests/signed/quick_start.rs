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
