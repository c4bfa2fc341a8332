//! Key files: what OpenSSL reads and writes, whom they are closed to, and what stays as it is.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use nono::trust::keystore::own;

use crate::world::{Who, World};
use crate::{refused, shell, trust};

#[test]
fn openssl_reads_the_keys_that_are_made_and_theirs_are_read() {
    World::each(|world| {
        world.file(&world.home().join("passphrase"), "correct horse\n");
        let made = trust(world, &["keygen"]);
        assert_eq!(made.code(), 0, "{}", made.stderr);
        assert!(made.stdout.contains("default, ECDSA P-256, in the directory"), "{}", made.stdout);
        assert_eq!(trust(world, &["keygen", "--id", "open", "--no-passphrase"]).code(), 0);
        let text = fs::read_to_string(world.home().join("keys/default.key")).expect("a key file");
        assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "{text}");
        for id in ["default", "open"] {
            let public = trust(world, &["export-key", "--id", id]).stdout;
            let pem = trust(world, &["export-key", "--id", id, "--pem"]).stdout;
            let read = format!("openssl pkey -in keys/{id}.key -passin file:passphrase -pubout");
            assert_eq!(shell(world, &read), pem);
            assert_eq!(shell(world, &format!("{read} -outform DER | base64 -w0; echo")), public);
        }
        shell(world, "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out theirs.pem");
        let public = shell(world, "openssl pkey -in theirs.pem -pubout");
        for (id, how) in [("pbkdf2", ""), ("scrypt", "-scrypt"), ("aes128", "-v2 aes-128-cbc"), ("plain", "-nocrypt")] {
            let convert = "openssl pkcs8 -topk8 -in theirs.pem -passout file:passphrase";
            shell(world, &format!("{convert} {how} -out keys/{id}.key; chmod 600 keys/{id}.key"));
            let exported = trust(world, &["export-key", "--id", id, "--pem"]);
            assert_eq!(exported.stdout, public, "{how}: {}", exported.stderr);
        }
    });
}

#[test]
fn a_key_that_is_there_is_never_replaced_whoever_comes_at_once() {
    let Some(world) = World::new(Who::User(crate::world::NOBODY)) else { return };
    world.file(&world.home().join("passphrase"), "correct horse");
    let statuses: Vec<i32> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| trust(&world, &["keygen", "--no-passphrase"]))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread").code()).collect()
    });
    assert_eq!(statuses.iter().filter(|&&status| status == 0).count(), 1, "{statuses:?}");
    let before = fs::read(world.home().join("keys/default.key")).expect("a key file");
    refused(&trust(&world, &["keygen"]), 125, &["already and stays", "--id"]);
    assert_eq!(fs::read(world.home().join("keys/default.key")).expect("a key file"), before);
    let names: Vec<_> = fs::read_dir(world.home().join("keys")).expect("keys").flatten().collect();
    assert_eq!(names.len(), 1, "{names:?}");
    let mode = |path: &str| fs::metadata(world.home().join(path)).expect(path).permissions().mode() & 0o777;
    assert_eq!((mode("keys"), mode("keys/default.key")), (0o700, 0o600));
}

#[test]
fn what_others_can_read_is_refused_until_it_is_closed() {
    World::each(|world| {
        let (home, secret) = (world.home(), world.home().join("passphrase"));
        world.file(&secret, "correct horse");
        assert_eq!(trust(world, &["keygen"]).code(), 0);
        let export = || trust(world, &["export-key"]);
        for (path, closed) in [("keys", 0o700), ("keys/default.key", 0o600), ("passphrase", 0o600)] {
            for open in [0o640, 0o604, 0o660, 0o711] {
                fs::set_permissions(home.join(path), fs::Permissions::from_mode(open)).expect(path);
                refused(&export(), 125, &["is open to others", path, "chmod"]);
            }
            fs::set_permissions(home.join(path), fs::Permissions::from_mode(closed)).expect(path);
            assert_eq!(export().code(), 0, "{path}");
        }
        // Another user's key is another user's.
        if world.who == Who::Root {
            shell(world, "chown 12345 keys/default.key");
            refused(&export(), 125, &["belongs to user 12345"]);
        }
    });
}

#[test]
fn files_that_are_no_keys_are_named_with_what_to_do() {
    let Some(world) = World::new(Who::User(crate::world::NOBODY)) else { return };
    world.file(&world.home().join("passphrase"), "correct horse");
    assert_eq!(trust(&world, &["keygen"]).code(), 0);
    let keys = world.home().join("keys");
    shell(&world, "openssl ecparam -name prime256v1 -genkey -noout -out keys/sec1.key");
    shell(&world, "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out keys/p384.key");
    shell(&world, "openssl genpkey -algorithm RSA -out keys/rsa.key");
    shell(&world, "openssl pkcs8 -topk8 -in keys/sec1.key -v1 PBE-SHA1-3DES -passout pass:x -out keys/des.key");
    shell(&world, "mkfifo keys/fifo.key; mkdir keys/directory.key");
    world.file(&keys.join("empty.key"), "");
    world.file(&keys.join("large.key"), &" ".repeat(1 << 20));
    shell(&world, "chmod 600 keys/*.key; chmod 700 keys/directory.key; ln -s nothing keys/dangling.key");
    for (id, word) in [
        ("sec1", "openssl pkcs8 -topk8"),
        ("p384", "curve P-256"),
        ("rsa", "curve P-256"),
        ("des", "PBES2"),
        ("fifo", "not a regular file"),
        ("directory", "not a regular file"),
        ("dangling", "there is no key"),
        ("empty", "PEM"),
        ("large", "16 KiB"),
        ("nothing", "nono trust keygen --id nothing"),
    ] {
        refused(&trust(&world, &["export-key", "--id", id]), 125, &[word]);
    }
    refused(&trust(&world, &["export-key", "--id", "../x"]), 2, &["no name for a key"]);
    // A mounted secret is often a link to the file.
    symlink(keys.join("default.key"), keys.join("link.key")).expect("a link");
    assert_eq!(trust(&world, &["export-key", "--id", "link"]).code(), 0);
}

#[test]
fn a_wrong_or_missing_passphrase_opens_nothing() {
    let Some(world) = World::new(Who::User(crate::world::NOBODY)) else { return };
    let secret = world.home().join("passphrase");
    world.file(&secret, "correct horse\r\n");
    assert_eq!(trust(&world, &["keygen"]).code(), 0);
    for (text, word) in
        [("correct", "the passphrase is wrong"), ("\n", "empty"), ("", "empty"), (&"x".repeat(2000), "1024 bytes")]
    {
        world.file(&secret, text);
        refused(&trust(&world, &["export-key"]), 125, &[word]);
    }
    let mut without = world.nono();
    without.args(["trust", "export-key"]).env("NONO_KEYSTORE", crate::keystore(&world));
    refused(&world.finish(&mut without), 125, &["NONO_KEY_PASSPHRASE_FILE", "terminal"]);
    // As a shell's <(command) gives it.
    let piped = format!(
        "mkfifo pipe; printf 'correct horse\\n' > pipe & NONO_KEYSTORE={} NONO_KEY_PASSPHRASE_FILE=pipe {} trust export-key",
        crate::keystore(&world),
        crate::world::shared().join("nono").display()
    );
    assert!(shell(&world, &piped).starts_with("MFkw"));
}

#[test]
fn own_keys_are_noted_where_only_the_user_writes() {
    let Some(world) = World::new(Who::Root) else { return };
    let settings = world.home().join(".config/nono");
    assert_eq!(own::keys(&settings).expect("none"), []);
    for id in ["one", "two"] {
        assert_eq!(trust(&world, &["keygen", "--no-passphrase", "--id", id]).code(), 0);
    }
    let keys = own::keys(&settings).expect("two keys");
    let names: Vec<_> = keys.iter().map(|key| key.id.as_str()).collect();
    assert_eq!(names, ["one", "two"]);
    let note = fs::read_dir(settings.join("keys")).expect("notes").flatten().next().expect("a note").path();
    let mode =
        |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    for (path, closed) in [(settings.clone(), 0o700), (settings.join("keys"), 0o700), (note.clone(), 0o600)] {
        mode(&path, 0o666);
        let why = own::keys(&settings).expect_err("others can write").to_string();
        assert!(why.contains("can be written by others"), "{why}");
        mode(&path, closed);
    }
    assert_eq!(own::keys(&settings).expect("two keys").len(), 2);
    // Another key under the name of a note is not believed.
    let other = trust(&world, &["export-key", "--id", "two", "--pem"]).stdout;
    fs::write(note, other.replace('M', "N")).expect("a changed note");
    assert!(own::keys(&settings).is_err());
}
