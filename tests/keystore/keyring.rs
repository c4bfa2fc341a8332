//! A real keyring: GNOME's, on a session bus of the test's own, without a desktop.

use std::path::Path;

use crate::world::{Outcome, Who, World, shared, skip};

/// Runs a script on a session bus; `None` where there is no keyring to start.
fn on_a_bus(world: &World, script: &str) -> Option<Outcome> {
    for program in ["/usr/bin/dbus-run-session", "/usr/bin/gnome-keyring-daemon", "/usr/bin/secret-tool"] {
        if !Path::new(program).exists() {
            skip(&format!("{program} is not installed"));
            return None;
        }
    }
    if !cfg!(feature = "secret-service") {
        return None;
    }
    let mut command = world.command(Path::new("/usr/bin/dbus-run-session"));
    command.args(["--", "/bin/sh", "-c", script]).env("NONO", shared().join("nono"));
    Some(world.finish(command.env("XDG_RUNTIME_DIR", world.home()).current_dir(world.home())))
}

const UNLOCKED: &str = "printf 'pw\\n' | gnome-keyring-daemon --unlock --components=secrets > /dev/null 2>&1;";

#[test]
fn a_key_in_the_keyring_is_found_again_and_read_by_libsecret() {
    World::each(|world| {
        shell_mode(world);
        let script = "$NONO trust keygen && $NONO trust export-key --pem && \
             secret-tool lookup application nono key-id default purpose signing | openssl pkey -pubout";
        let Some(done) = on_a_bus(world, &format!("{UNLOCKED} {script}")) else { return };
        assert_eq!(done.code(), 0, "{}", done.stderr);
        let (made, keys) = done.stdout.split_once("-----BEGIN").expect("two public keys");
        assert!(made.contains("default, ECDSA P-256, in the keyring"), "{made}");
        let (ours, theirs) = keys.split_once("-----BEGIN").expect("two public keys");
        assert_eq!(ours, theirs);
    });
}

#[test]
fn a_key_in_the_keyring_is_never_replaced_and_a_missing_one_is_named() {
    let Some(world) = World::new(Who::User(crate::world::NOBODY)) else { return };
    shell_mode(&world);
    let script = "$NONO trust keygen --id a > a && $NONO trust export-key --id a > 1; $NONO trust keygen --id a; \
         $NONO trust export-key --id a > 2; cmp 1 2 || exit 9; $NONO trust keygen --id b --no-passphrase; \
         $NONO trust export-key --id b";
    let Some(done) = on_a_bus(&world, &format!("{UNLOCKED} {script}")) else { return };
    assert_eq!(done.code(), 125, "{}", done.stderr);
    for sentence in ["in the keyring already and stays", "a keyring has a lock of its own", "there is no key \"b\""] {
        assert!(done.stderr.contains(sentence), "{sentence}: {}", done.stderr);
    }
}

#[test]
fn without_a_keyring_the_message_names_the_way_out() {
    let Some(world) = World::new(Who::User(crate::world::NOBODY)) else { return };
    for address in ["", "unix:path=/nowhere/bus", "no address"] {
        let mut command = world.nono();
        let done = world.finish(command.args(["trust", "keygen"]).env("DBUS_SESSION_BUS_ADDRESS", address));
        crate::refused(&done, 125, &["NONO_KEYSTORE", "file:"]);
        assert!(!world.home().join(".config/nono/keys").exists());
    }
}

/// The daemon wants its runtime directory for itself.
fn shell_mode(world: &World) {
    crate::shell(world, "chmod 700 .");
}
