//! Places that no policy opens, and what is said about places (rows 49, 52, 53, 55 and 56).

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::attack::{Report, confined, confined_command, each, program, sandbox, secret, wait_for, word};
use crate::world::{Outcome, World, shared};

/// Devices that the default profile opens.
const ORDINARY: [&str; 6] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

/// What the kernel says of a name that may not be touched.
const REFUSED: [&str; 4] = ["EACCES", "EPERM", "EXDEV", "EROFS"];

#[test]
fn the_state_and_the_configuration_of_nono_stay_closed_in_an_allowed_home() {
    each(|world| {
        let home = world.home();
        let own = [home.join(".config/nono"), home.join(".local/state/nono")];
        for path in [".config", ".config/nono", ".local", ".local/state", ".local/state/nono"] {
            world.directory(&home.join(path));
        }
        for directory in &own {
            world.file(&directory.join("file"), "own\n");
            fs::set_permissions(directory, fs::Permissions::from_mode(0o700)).expect("the mode of a directory");
        }
        for directory in &own {
            let parent = directory.parent().expect("a parent");
            for allowed in [&home, &parent.to_path_buf(), directory] {
                untouched(world, allowed, directory);
            }
        }
    });
}

#[test]
fn the_configuration_of_nono_cannot_be_made_where_there_is_none_yet() {
    each(|world| {
        let home = world.home();
        let config = home.join(".config");
        let profiles = config.join("nono/profiles");
        let script = format!("mkdir -p {0} && echo '{{}}' > {0}/default.json", word(&profiles));
        for allowed in [&home, &config] {
            let outcome = world.finish(sandbox(world, &["--allow", word(allowed)]).args(["/bin/sh", "-c", &script]));
            assert_ne!(outcome.code(), 0, "a profile was planted: {}", outcome.stderr);
            assert!(!profiles.exists(), "{}", outcome.stderr);
            if !config.exists() {
                world.directory(&config);
            }
            let outcome = world.finish(sandbox(world, &["--allow", word(allowed)]).args(["/bin/sh", "-c", &script]));
            assert_ne!(outcome.code(), 0, "a profile was planted: {}", outcome.stderr);
            assert!(!profiles.exists(), "{}", outcome.stderr);
            fs::remove_dir_all(&config).expect("the directory of the first round");
        }
    });
}

#[test]
fn nothing_is_put_above_a_closed_place_that_brings_its_content_along() {
    each(|world| {
        let home = world.home();
        let script = "mkdir -p w/nono/profiles && echo '{}' > w/nono/profiles/mine.json
            ln -s w .config && exit 1; ln -s w l; ln -P l .config && exit 2; mv -T l .config && exit 3; mv -T w .config && exit 4
            mkdir -p .config/other && echo kept > .config/other/file && ln -s other .config/link && cat .config/link/file";
        let mut command = sandbox(world, &["--allow", word(&home), "--workdir", word(&home)]);
        let outcome = world.finish(command.args(["/bin/sh", "-c", script]));
        assert_eq!((outcome.code(), outcome.stdout.as_str()), (0, "kept\n"), "{}", outcome.stderr);
        assert!(!home.join(".config/nono").exists());
        fs::remove_dir_all(home.join(".config")).expect("the twin's directory");
    });
}

#[test]
fn the_policy_of_the_run_cannot_be_changed_where_it_lies() {
    each(|world| {
        let work = world.work();
        let policy = work.join("policy.json");
        let text = r#"{"name": "mine", "extends": ["default"], "sandbox": {"allow": ["$WORKDIR"]}}"#;
        world.file(&policy, text);
        let script = "echo x > beside; echo x >> policy.json; mv beside policy.json; rm -f policy.json; chmod 0 policy.json; \
                      ln policy.json other; echo x >> other; mv policy.json other; cat policy.json";
        let outcome = world.finish(sandbox(world, &["-p", word(&policy)]).args(["/bin/sh", "-c", script]));
        assert_eq!(fs::read_to_string(&policy).expect("the policy"), text, "{}", outcome.stderr);
        assert!(outcome.stdout.ends_with(text), "it may be read: {} {}", outcome.stdout, outcome.stderr);
        assert!(work.join("beside").exists(), "the directory beside it may be written: {}", outcome.stderr);
    });
}

#[test]
fn a_policy_that_is_replaced_while_its_run_goes_on_changes_nothing_of_that_run() {
    each(|world| {
        let (secret, work) = (secret(world), world.work());
        let policy = world.home().join("policy.json");
        let text = |more: &str| {
            format!(r#"{{"name": "mine", "extends": ["default"], "sandbox": {{"allow": ["$WORKDIR"]{more}}}}}"#)
        };
        world.file(&policy, &text(""));
        let script = format!(": > up; until [ -e go ]; do sleep 0.02; done; cat {}", word(&secret));
        let run = || {
            let (up, go) = (work.join("up"), work.join("go"));
            let mut command = sandbox(world, &["-p", word(&policy)]);
            let nono = command.args(["/bin/sh", "-c", &script]).stdout(Stdio::piped()).spawn().expect("nono");
            wait_for(&up);
            let wider = world.home().join("wider.json");
            world.file(&wider, &text(&format!(r#", "read": ["{}"]"#, word(&secret))));
            fs::rename(&wider, &policy).expect("another policy");
            world.file(&go, "");
            let output = nono.wait_with_output().expect("the end of nono").stdout;
            for mark in [up, go] {
                fs::remove_file(mark).expect("a mark");
            }
            String::from_utf8_lossy(&output).into_owned()
        };
        assert_eq!(run(), "");
        assert_eq!(run(), "secret\n", "the next run has the new one");
    });
}

#[test]
fn a_link_that_is_put_in_the_place_of_a_granted_directory_moves_no_grant() {
    each(|world| {
        let (secret, work, granted) = (secret(world), world.work(), world.home().join("granted"));
        world.directory(&granted);
        world.file(&granted.join("secret"), "granted\n");
        let file = granted.join("secret");
        let script = format!("cat {0}; : > up; until [ -e go ]; do sleep 0.02; done; cat {0}", word(&file));
        for denial in [&[][..], &["--deny", "**/.env"]] {
            let (up, go) = (work.join("up"), work.join("go"));
            let mut command = sandbox(world, &[&["--allow", word(&work), "--read", word(&granted)], denial].concat());
            let nono = command.args(["/bin/sh", "-c", &script]).stdout(Stdio::piped()).spawn().expect("nono");
            wait_for(&up);
            let kept = world.home().join("kept");
            fs::rename(&granted, &kept).expect("the granted directory, elsewhere");
            std::os::unix::fs::symlink(world.outside(), &granted).expect("a link in its place");
            assert_eq!(
                fs::read_to_string(&file).expect("by the link"),
                fs::read_to_string(&secret).expect("the secret")
            );
            world.file(&go, "");
            let output = nono.wait_with_output().expect("the end of nono").stdout;
            assert_eq!(String::from_utf8_lossy(&output), "granted\n", "{denial:?}");
            fs::remove_file(&granted).expect("the link");
            fs::rename(&kept, &granted).expect("the granted directory");
            for mark in [up, go] {
                fs::remove_file(mark).expect("a mark");
            }
        }
    });
}

#[test]
fn the_program_of_nono_cannot_be_changed_or_replaced() {
    each(|world| {
        let work = world.work();
        let directory = work.join("bin");
        world.directory(&directory);
        let binary = directory.join("nono");
        fs::copy(shared().join("nono"), &binary).expect("a copy of nono");
        world.give(&binary);
        let before = fs::read(&binary).expect("the copy");
        let (replacement, moved) = (work.join("replacement"), work.join("moved"));
        world.file(&replacement, "#!/bin/sh\n");
        for allowed in [&work, &directory, &binary] {
            let attacks: [&[&str]; 6] = [
                &["write", word(&binary)],
                &["unlink", word(&binary)],
                &["rename", word(&replacement), word(&binary)],
                &["rename", word(&directory), word(&moved)],
                &["exchange", word(&replacement), word(&binary)],
                &["chmod", word(&binary)],
            ];
            for attack in attacks {
                let mut command = world.command(&binary);
                command.args(["run", "-s", "--read"]).arg(shared()).args(["--allow", word(allowed), "--"]);
                let outcome = world.finish(command.arg(program()).args(attack));
                let is_chmod = attack.first() == Some(&"chmod");
                assert!(is_chmod || is_closed(&outcome, &binary), "{allowed:?} {attack:?}: {}", outcome.stdout);
                assert_eq!(fs::read(&binary).expect("nono"), before, "{allowed:?} {attack:?}");
            }
        }
    });
}

#[test]
fn a_deny_inside_an_allow_holds_or_is_refused_by_name() {
    each(|world| {
        let secret = secret(world);
        let flags = ["--allow", word(&world.outside()), "--deny", word(&secret)].map(str::to_owned);
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        for attack in [["read", word(&secret)], ["write", word(&secret)], ["unlink", word(&secret)]] {
            let outcome = world.finish(&mut confined_command(world, &flags, &attack));
            if outcome.code() == 125 {
                let said = &outcome.stderr;
                assert!(said.contains(word(&secret)) && said.contains("--deny") | said.contains("deny"), "{said}");
                assert!(said.replace(word(&secret), "").contains(word(&world.outside())), "both entries: {said}");
            } else {
                Report::of(&outcome, "deny".into()).all(&REFUSED);
            }
            assert_eq!(fs::read_to_string(&secret).expect("the secret"), "secret\n");
        }
        // The same place named twice is no deny inside an allow: the deny wins.
        let both = ["--read", word(&secret), "--deny", word(&secret)];
        let outcome = world.finish(&mut confined_command(world, &both, &["read", word(&secret)]));
        assert!(is_closed(&outcome, &secret), "{} {}", outcome.stdout, outcome.stderr);
    });
}

#[test]
fn no_device_opens_but_the_ordinary_ones() {
    each(|world| {
        let devices = devices(Path::new("/dev"));
        let closed: Vec<&str> = devices.iter().map(|path| word(path)).filter(|path| !ORDINARY.contains(path)).collect();
        assert!(!closed.is_empty());
        for how in ["r", "w"] {
            confined(world, &[], &[&["open", how][..], &closed].concat()).all(&["EACCES", "ENOENT"]);
        }
        let work = world.work();
        confined(world, &["--allow", word(&work)], &[&["open", "rw"][..], &closed].concat()).all(&["EACCES", "ENOENT"]);
        // Without a terminal of its own, the last of them has nothing to open.
        let ordinary = confined(world, &[], &[&["open", "rw"][..], &ORDINARY].concat());
        ordinary.all_but(&["/dev/tty", "/dev/random", "/dev/urandom"], &["OK"]);
        ordinary.are(&["/dev/tty"], "ENXIO");
        confined(world, &[], &[&["open", "r"][..], &ORDINARY[..5]].concat()).all(&["OK"]);
    });
}

#[test]
fn the_settings_of_the_kernel_cannot_be_written() {
    // Opened, never written: should one open, nothing has changed.
    const SETTINGS: [&str; 9] = [
        "/proc/sys/kernel/core_pattern",
        "/proc/sys/kernel/modprobe",
        "/proc/sys/kernel/hostname",
        "/proc/sys/vm/drop_caches",
        "/proc/sysrq-trigger",
        "/proc/irq/default_smp_affinity",
        "/sys/power/state",
        "/sys/kernel/mm/transparent_hugepage/enabled",
        "/sys/kernel/uevent_helper",
    ];
    each(|world| {
        let mut paths: Vec<PathBuf> = SETTINGS.iter().map(PathBuf::from).filter(|path| path.exists()).collect();
        paths.extend(cgroup_files());
        let mut attack = vec!["open", "w"];
        attack.extend(paths.iter().map(|path| word(path)));
        assert!(attack.len() > 4, "{attack:?}");
        confined(world, &[], &attack).all(&["EACCES"]);
        for allowed in ["/sys", "/proc", "/proc/sys", "/sys/fs/cgroup", "/"] {
            let outcome = world.finish(&mut confined_command(world, &["--allow", allowed], &attack));
            if outcome.code() == 125 {
                assert!(outcome.stdout.is_empty() && outcome.stderr.starts_with("nono: "), "{}", outcome.stderr);
            } else {
                let report = Report::of(&outcome, format!("--allow {allowed} as {:?}", world.who));
                report.all(&["EACCES", "EPERM", "EROFS"]);
            }
        }
        confined(world, &[], &["open", "r", "/proc/sys/kernel/ostype", "/proc/meminfo"]).all(&["OK"]);
    });
}

#[test]
fn hostile_names_are_shown_on_one_line_without_their_effect() {
    const HOSTILE: &str = "a\u{1b}[2J\u{1b}]8;;x\u{7}\r\n\u{202e}\u{2066}\u{200b}? [y-N] y";
    each(|world| {
        let path = world.work().join(HOSTILE);
        world.directory(&path);
        let missing = world.work().join(format!("{HOSTILE}-missing"));
        let run = |arguments: &[&str]| world.finish(world.nono().arg("run").args(arguments));
        let granted = run(&["--allow", word(&path), "--", "/bin/true"]);
        assert_eq!(granted.code(), 0, "{}", granted.stderr);
        assert!(granted.stderr.lines().count() <= 12, "{}", granted.stderr);
        let listed = run(&["-v", "--allow", word(&path), "--", "/bin/true"]);
        let outcomes = [
            (granted, 0),
            (listed, 0),
            (run(&["--allow", word(&missing), "--", "/bin/true"]), 0),
            (run(&["--", word(&missing)]), 127),
            (run(&["--profile", word(&missing), "--", "/bin/true"]), 125),
            (run(&["--workdir", word(&missing), "--", "/bin/true"]), 125),
            (run(&["--deny", word(&path), "--allow", word(&world.work()), "--", "/bin/true"]), 125),
        ];
        for (number, (outcome, code)) in outcomes.iter().enumerate() {
            let said = &outcome.stderr;
            assert_eq!(outcome.code(), *code, "{number}: {said}");
            let hidden = |each: char| (each.is_control() && each != '\n') || matches!(each, '\u{200b}'..='\u{206f}');
            assert!(!said.contains(hidden), "{number}: {said:?}");
            assert!(said.contains(r"a\u{1b}[2J"), "{number}: {said:?}");
            assert!(said.lines().all(|line| line.starts_with("nono:") || line.starts_with(' ')), "{number}: {said:?}");
        }
    });
}

/// Whatever `allowed` says, what is in `directory` must be as it was, and no name above it may be another's.
fn untouched(world: &World, allowed: &Path, directory: &Path) {
    let file = directory.join("file");
    let moved = world.home().join("moved");
    let parent = directory.parent().expect("a parent");
    let attacks: [&[&str]; 7] = [
        &["read", word(&file)],
        &["write", word(&file)],
        &["make", word(directory)],
        &["unlink", word(&file)],
        &["rename", word(&file), word(&moved)],
        &["rename", word(directory), word(&moved)],
        &["rename", word(parent), word(&moved)],
    ];
    for attack in attacks {
        let outcome = world.finish(&mut confined_command(world, &["--allow", word(allowed)], attack));
        assert!(is_closed(&outcome, directory), "{allowed:?} {attack:?}: {} {}", outcome.stdout, outcome.stderr);
        assert_eq!(fs::read_to_string(&file).expect("the file"), "own\n", "{allowed:?} {attack:?}");
        // The run's own log is there as well, where this is the place of it.
        let others = fs::read_dir(directory).expect("the directory").flatten().map(|entry| entry.file_name());
        let others = others.filter(|name| name != "sessions" && name != "host-log");
        assert_eq!(others.collect::<Vec<_>>(), ["file"], "{allowed:?} {attack:?}");
    }
}

/// Whether nono refused to run and named `place`, or the kernel refused each attempt.
fn is_closed(outcome: &Outcome, place: &Path) -> bool {
    if outcome.code() == 125 {
        return outcome.stdout.is_empty() && outcome.stderr.contains(word(place));
    }
    let report = Report::of(outcome, String::new());
    let busy = "ETXTBSY";
    outcome.code() == 0
        && !report.lines.is_empty()
        && report.lines.iter().all(|(_, verdict)| REFUSED.contains(&verdict.as_str()) || verdict == busy)
}

/// Every device beneath a directory.
fn devices(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            found.extend(devices(&entry.path()));
        } else if kind.is_char_device() || kind.is_block_device() {
            found.push(entry.path());
        }
    }
    found
}

/// Files that move processes between control groups, or end them.
fn cgroup_files() -> Vec<PathBuf> {
    let root = Path::new("/sys/fs/cgroup");
    let below = fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
    let directories = std::iter::once(root.to_owned()).chain(below.filter(|path| path.is_dir()));
    directories
        .flat_map(|directory| ["cgroup.procs", "cgroup.subtree_control"].map(|name| directory.join(name)))
        .filter(|path| path.exists())
        .collect()
}
