//! Signatures over files and policies: OpenSSL verifies ours, its own are verified, and nothing is half signed.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nono::profile::abs_path::AbsPath;
use nono::trust::bundle::{Bundle, Content, Envelope, PAYLOAD_TYPE, pre_authentication_encoding, read};
use nono::trust::digest::Digest;
use nono::trust::policy::{self, Level, Origin, Policy, Publisher, Rules};
use nono::trust::public_key::PublicKey;
use nono::trust::statement::{Predicate, Statement, Subject};
use nono::trust::verify::{Bundles, Verdict, verify_policy};

use crate::world::{NOBODY, Outcome, Who, World};
use crate::{keystore, refused, shell, trust};

/// `nono trust` in the working directory, which is a project of the user's with a key.
fn project() -> Option<World> {
    let world = World::new(Who::User(NOBODY))?;
    assert_eq!(trust(&world, &["keygen", "--no-passphrase"]).code(), 0);
    for (name, text) in [("SKILLS.md", "be nice\n"), ("CLAUDE.md", "be quick\n")] {
        world.file(&world.work().join(name), text);
    }
    world.directory(&world.work().join("src"));
    world.file(&world.work().join("src/config.py"), "x = 1\n");
    Some(world)
}

fn succeed(outcome: &Outcome) -> &str {
    assert_eq!(outcome.code(), 0, "{}", outcome.stderr);
    &outcome.stdout
}

fn public_key(world: &World) -> PublicKey {
    PublicKey::from_base64(succeed(&trust(world, &["export-key"])).trim()).expect("a public key")
}

/// What the bundle beside `name` says about the file, to whoever trusts `key`.
fn judged(world: &World, name: &str, key: &PublicKey) -> Verdict {
    let root = AbsPath::new(world.work().as_os_str().as_bytes()).expect("a path");
    let policy = Policy::new(Vec::new(), vec![Publisher::keyed("local-dev", "default", key.clone())]);
    let level = Level { origin: Origin::Project(root.clone()), policy, believed: true };
    let rules = Rules::new(&[level], std::slice::from_ref(&root), &[]);
    let path = world.work().join(name);
    let bundle = fs::read(format!("{}.bundle", path.display())).expect("a bundle");
    let opened = rules.open(&bundle);
    let digest = Digest::of(&fs::read(path).expect("a file"));
    rules.judge(&root.join(name.as_bytes()), digest, Bundles { sidecar: Some(&opened), project: None })
}

#[test]
fn openssl_verifies_what_is_signed_and_what_it_signs_is_verified() {
    let Some(world) = project() else { return };
    succeed(&trust(&world, &["init", "--include", "*.md", "--include", "src/config.py"]));
    succeed(&trust(&world, &["sign", "SKILLS.md", "src/config.py"]));
    let key = public_key(&world);
    for name in ["SKILLS.md", "src/config.py"] {
        assert!(matches!(judged(&world, name, &key), Verdict::Verified(_)), "{name}");
    }
    let path = world.work().join("SKILLS.md.bundle");
    let bundle = read(&fs::read(&path).expect("a bundle")).expect("a bundle");
    let Content::Envelope(envelope) = &bundle.content else { panic!("an envelope") };
    fs::write(world.home().join("signed"), envelope.signed_bytes()).expect("what was signed");
    fs::write(world.home().join("signature"), &envelope.signature).expect("the signature");
    fs::write(world.home().join("public.pem"), key.to_pem()).expect("the key");
    let said = shell(&world, "openssl dgst -sha256 -verify public.pem -signature signature signed");
    assert_eq!(said, "Verified OK\n");
    // The other way round.
    let file = world.work().join("CLAUDE.md");
    let digest = Digest::of(&fs::read(&file).expect("a file"));
    let subject = Subject { name: "CLAUDE.md".to_owned(), digest };
    let payload = Statement::keyed(Predicate::File, vec![subject], "default").to_json().into_bytes();
    fs::write(world.home().join("to-sign"), pre_authentication_encoding(PAYLOAD_TYPE, &payload)).expect("a file");
    shell(&world, "openssl dgst -sha256 -sign keys/default.key -out theirs to-sign");
    let signature = fs::read(world.home().join("theirs")).expect("a signature");
    let envelope = Envelope { payload, payload_type: PAYLOAD_TYPE.to_owned(), signature, key_id: String::new() };
    fs::write(world.work().join("CLAUDE.md.bundle"), Bundle::keyed(&key, envelope).to_json()).expect("a bundle");
    assert!(matches!(judged(&world, "CLAUDE.md", &key), Verdict::Verified(_)));
    fs::write(file, "be evil\n").expect("another content");
    assert!(matches!(judged(&world, "CLAUDE.md", &key), Verdict::Failed(_)));
}

#[test]
fn all_files_are_signed_or_none_is() {
    let Some(world) = project() else { return };
    let closed = world.work().join("closed");
    world.directory(&closed);
    world.file(&closed.join("x.md"), "x");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o500)).expect("a mode");
    for (last, word) in [("nothing.md", "No such file"), ("closed/x.md", "nothing was signed"), ("src", "regular file")]
    {
        refused(&trust(&world, &["sign", "SKILLS.md", "CLAUDE.md", last]), 125, &[word]);
        let names: Vec<_> =
            fs::read_dir(world.work()).expect("the project").flatten().map(|entry| entry.file_name()).collect();
        assert!(!names.iter().any(|name| name.to_string_lossy().contains("bundle")), "{names:?}");
    }
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).expect("a mode");
    let said = trust(&world, &["sign", "SKILLS.md", "./CLAUDE.md", "SKILLS.md"]).stdout;
    assert_eq!(said.lines().count(), 2, "{said}");
}

#[test]
fn what_cannot_be_signed_is_refused_with_what_to_do() {
    let Some(world) = project() else { return };
    succeed(&trust(&world, &["init", "--include", "SKILLS.md"]));
    shell(&world, "cd ../work; mkfifo pipe; : > \"$(printf 'bad\\377')\"; ln -s /nowhere dangling; : > x.bundle");
    for (words, status, word) in [
        (&["sign"][..], 2, "needs a FILE"),
        (&["sign", "pipe"], 125, "not a regular file"),
        (&["sign", "dangling"], 125, "No such file"),
        (&["sign", "x.bundle"], 125, "a bundle"),
        (&["sign", "trust-policy.json"], 125, "sign-policy"),
        (&["sign", "SKILLS.md", "--key", "other"], 125, "nono trust keygen --id other"),
        (&["sign", "SKILLS.md", "--key", "a/b"], 2, "no name for a key"),
        (&["sign", "SKILLS.md", "--keyless"], 125, "next release"),
    ] {
        refused(&trust(&world, words), status, &[word]);
    }
    let mut command = world.nono();
    command.args(["trust", "sign"]).arg(std::ffi::OsStr::from_bytes(b"bad\xff")).env("NONO_KEYSTORE", keystore(&world));
    refused(&world.finish(&mut command), 125, &["UTF-8"]);
}

#[test]
fn a_policy_is_written_signed_and_never_replaced_unasked() {
    let Some(world) = project() else { return };
    let path = world.work().join("trust-policy.json");
    refused(&trust(&world, &["init"]), 2, &["--include"]);
    refused(&trust(&world, &["init", "--include", "!SKILLS*"]), 2, &["!SKILLS*"]);
    refused(&trust(&world, &["sign-policy"]), 125, &["nono trust init"]);
    let said = trust(&world, &["init", "--include", "SKILLS*", "--include", "*.py"]);
    assert!(succeed(&said).contains("nono trust sign-policy"), "{}", said.stdout);
    let before = fs::read(&path).expect("a policy");
    let key = public_key(&world);
    let policy = policy::read(&before).expect("a policy");
    assert_eq!(policy.includes.iter().map(policy::Include::as_str).collect::<Vec<_>>(), ["SKILLS*", "*.py"]);
    assert_eq!(policy.publishers, [Publisher::keyed("local-dev", "default", key)]);
    refused(&trust(&world, &["init", "--include", "x"]), 125, &["--force"]);
    assert_eq!(fs::read(&path).expect("a policy"), before);
    assert!(succeed(&trust(&world, &["sign-policy"])).contains("trust-policy.json.bundle"));
    let bundle = fs::read(world.work().join("trust-policy.json.bundle")).expect("a bundle");
    assert!(verify_policy(&before, &bundle, &policy.publishers).is_ok());
    succeed(&trust(&world, &["init", "--include", "x", "--force"]));
    let after = fs::read(&path).expect("a policy");
    assert!(after != before && verify_policy(&after, &bundle, &policy.publishers).is_err());
    fs::write(&path, "{\"version\": 2}").expect("no policy");
    refused(&trust(&world, &["sign-policy"]), 125, &["trust-policy.json: line 1"]);
}

#[test]
fn the_user_s_policy_is_among_the_user_s_settings() {
    let Some(world) = project() else { return };
    let path = world.home().join(".config/nono/trust-policy.json");
    assert!(succeed(&trust(&world, &["init", "--user"])).contains("sign-policy --user"));
    let policy = policy::read(&fs::read(&path).expect("a policy")).expect("a policy");
    assert!(policy.includes.is_empty() && policy.publishers.len() == 1);
    succeed(&trust(&world, &["sign-policy", "--user"]));
    for name in ["trust-policy.json", "trust-policy.json.bundle"] {
        let mode = fs::metadata(path.with_file_name(name)).expect(name).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    // A key that the policy does not name signs it too, and that is said.
    succeed(&trust(&world, &["keygen", "--id", "other", "--no-passphrase"]));
    let said = trust(&world, &["sign-policy", "--user", "--key", "other"]);
    assert!(said.code() == 0 && said.stderr.contains("not among the publishers"), "{}", said.stderr);
}

#[test]
fn the_name_that_is_signed_begins_at_the_project_s_root() {
    let Some(world) = project() else { return };
    let signed = |name: &str| {
        let bundle = read(&fs::read(world.work().join(format!("{name}.bundle"))).expect("a bundle")).expect("a bundle");
        let Content::Envelope(envelope) = bundle.content else { panic!("an envelope") };
        let statement = Statement::read(&envelope.payload).expect("a statement");
        (statement.subjects.first().expect("a subject").name.clone(), statement.whole_paths)
    };
    let sign = |name: &str| {
        succeed(&trust(&world, &["sign", name]));
        signed(name)
    };
    assert_eq!(sign("src/config.py"), ("config.py".to_owned(), false));
    shell(&world, "mkdir ../work/.git");
    assert_eq!(sign("src/config.py"), ("src/config.py".to_owned(), true));
    world.file(&world.work().join("src/trust-policy.json"), "{\"version\": 1}");
    assert_eq!(sign("src/config.py"), ("config.py".to_owned(), true));
    assert!(Path::new(&world.work()).join("src/config.py.bundle").exists());
}

#[test]
fn all_that_the_policy_wants_signed_is_signed_and_nothing_else() {
    let Some(world) = project() else { return };
    refused(&trust(&world, &["sign", "--all"]), 125, &["nono trust init"]);
    succeed(&trust(&world, &["init", "--include", "SKILLS*", "--include", "*.py"]));
    shell(
        &world,
        "cd ../work; mkdir .git node_modules .hidden; echo '*' > .gitignore; echo x | tee node_modules/a.py > .hidden/b.py",
    );
    shell(&world, "cd ../work; echo x > other.txt; ln -s /etc/passwd link.py; mkfifo pipe.py");
    let said = trust(&world, &["sign", "--all"]).stdout;
    let mut signed: Vec<&str> = said.lines().filter_map(|line| line.rsplit(": ").next()).collect();
    signed.sort_unstable();
    // The baseline that comes with nono wants CLAUDE* signed as well.
    assert_eq!(
        signed,
        [".hidden/b.py.bundle", "CLAUDE.md.bundle", "SKILLS.md.bundle", "src/config.py.bundle"],
        "{said}"
    );
    refused(&trust(&world, &["sign", "--all", "SKILLS.md"]), 2, &["leave the files out"]);
    refused(&trust(&world, &["sign", "--multi-subject", "SKILLS.md"]), 2, &["--all"]);
}

#[test]
fn one_bundle_speaks_for_all_files() {
    let Some(world) = project() else { return };
    succeed(&trust(&world, &["init", "--include", "SKILLS*", "--include", "*.py"]));
    assert!(succeed(&trust(&world, &["sign", "--all", "--multi-subject"])).contains("Signed 3 files"));
    let bundle = read(&fs::read(world.work().join(".nono-trust.bundle")).expect("a bundle")).expect("a bundle");
    let Content::Envelope(envelope) = bundle.content else { panic!("an envelope") };
    let statement = Statement::read(&envelope.payload).expect("a statement");
    let names: Vec<&str> = statement.subjects.iter().map(|subject| subject.name.as_str()).collect();
    assert_eq!((statement.predicate, names), (Predicate::Files, vec!["CLAUDE.md", "SKILLS.md", "src/config.py"]));
    assert!(!world.work().join("SKILLS.md.bundle").exists());
}
