//! Root's programs that become somebody else, as the policy's `setuid` and `setgid` let them: what the supervisor does for
//! them it does as what they have become, with no more power than that, and with no less.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use std::os::fd::AsFd as _;

use crate::attack::{Report, bare, can_confine, program, report, sandbox, wait_for, word};
use crate::world::{NOBODY, Who, World};

/// The supplementary group of whom the attack program becomes.
const GROUP: u32 = 4242;
const USER: &str = "65534";
/// With nothing denied the kernel does most by itself, with a denial inside the grant the supervisor does.
const MODES: [&[&str]; 2] = [&[], &["--deny", "**/.env"]];

/// A name, and its mode, owner and group.
type Entry = (PathBuf, u32, u32, u32);
/// What one attack printed.
type Lines = Vec<(String, String)>;

/// A world of root's, whose working directory everybody may write to.
fn roots() -> Option<World> {
    let world = can_confine().then(|| World::new(Who::Root)).flatten()?;
    fs::set_permissions(world.work(), fs::Permissions::from_mode(0o777)).expect("the mode of the directory");
    Some(world)
}

/// Makes `words` inside, where the policy keeps `capabilities`.
fn inside(world: &World, capabilities: &str, flags: &[&str], words: &[&str]) -> Report {
    let profile = world.home().join("keeps.json");
    let text =
        format!(r#"{{"name": "keeps", "extends": ["default"], "sandbox": {{"capabilities": [{capabilities}]}}}}"#);
    world.file(&profile, &text);
    let work = world.work();
    let flags = [&["-p", word(&profile), "--allow", word(&work)], flags].concat();
    let mut command = sandbox(world, &flags);
    report(world, command.arg(program()).args(words))
}

const CHANGES: &str = r#""setuid", "setgid""#;
const CHANGES_AND_OVERRIDES: &str = r#""setuid", "setgid", "dac_override""#;

/// A directory with files of root's and of the other user's, each closed to somebody.
fn furnished(world: &World) -> PathBuf {
    let place = world.work().join("place");
    if place.exists() {
        fs::remove_dir_all(&place).expect("what was left");
    }
    let directory = |name: &str, owner: u32, mode: u32| {
        let path = place.join(name);
        fs::create_dir(&path).expect("a directory");
        chown(&path, Some(owner), Some(owner)).expect("an owner");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
    };
    let file = |name: &str, owner: u32, group: u32, mode: u32| {
        let path = place.join(name);
        fs::write(&path, "content\n").expect("a file");
        chown(&path, Some(owner), Some(group)).expect("an owner");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
    };
    directory("", 0, 0o777);
    for (name, owner, mode) in [("closed", 0, 0o700), ("sticky", 0, 0o1777), ("theirs", NOBODY, 0o700)] {
        directory(name, owner, mode);
        file(&format!("{name}/root"), 0, 0, 0o644);
        file(&format!("{name}/other"), NOBODY, NOBODY, 0o600);
    }
    file("root", 0, 0, 0o600);
    file("open", 0, 0, 0o644);
    file("other", NOBODY, NOBODY, 0o600);
    file("by-group", 0, NOBODY, 0o660);
    file("by-groups", 0, GROUP, 0o660);
    place
}

/// Everything beneath a directory: name, mode, owner and group.
fn tree(place: &Path) -> Vec<Entry> {
    let mut found = Vec::new();
    let mut rest = vec![place.to_owned()];
    while let Some(directory) = rest.pop() {
        for path in fs::read_dir(&directory).expect("a directory").flatten().map(|entry| entry.path()) {
            let about = fs::symlink_metadata(&path).expect("a file");
            if about.is_dir() {
                rest.push(path.clone());
            }
            found.push((path, about.mode(), about.uid(), about.gid()));
        }
    }
    found.sort();
    found
}

/// What is tried on the files of `place`, each with the words of an attack.
fn attacks(place: &Path) -> Vec<Vec<String>> {
    let path = |name: &str| word(&place.join(name)).to_owned();
    let files = ["root", "open", "other", "by-group", "by-groups", "closed/root", "closed/other", "sticky/root"];
    let all: Vec<String> = files.into_iter().chain(["sticky/other", "theirs/root", "theirs/other"]).map(path).collect();
    let mut attacks: Vec<Vec<String>> = Vec::new();
    for how in ["r", "w", "rw"] {
        attacks.push([vec!["open".into(), how.into()], all.clone()].concat());
    }
    for file in &all {
        attacks.extend(["read", "write", "metadata", "upgrade"].map(|name| vec![name.into(), file.clone()]));
    }
    for directory in ["closed", "sticky", "theirs", ""] {
        attacks.push(vec!["make".into(), path(directory)]);
        attacks.push(vec!["lasting".into(), path(directory), "420".into()]);
    }
    for (from, to) in [("root", "closed/r"), ("by-group", "by-group2"), ("sticky/root", "sticky/r"), ("other", "o")] {
        attacks.extend(["link", "rename"].map(|name| vec![name.into(), path(from), path(to)]));
    }
    attacks.extend(["sticky/other", "theirs/root", "closed/other"].map(|name| vec!["unlink".into(), path(name)]));
    attacks
}

/// The results of `attacks` and the tree they leave, in a fresh place.
fn results(world: &World, run: impl Fn(&[&str]) -> Report) -> (Vec<Lines>, Vec<Entry>) {
    let place = furnished(world);
    let lines = attacks(&place).into_iter();
    let lines = lines.map(|attack| run(&attack.iter().map(String::as_str).collect::<Vec<_>>()).lines).collect();
    (lines, tree(&place))
}

fn becoming<'w>(how: &'w str, attack: &[&'w str]) -> Vec<&'w str> {
    [&["becoming", how, USER], attack].concat()
}

#[test]
fn whoever_a_program_becomes_may_do_what_that_user_may() {
    let Some(world) = roots() else { return };
    for how in ["whole", "files", "powerless"] {
        let outside = results(&world, |attack| bare(&world, &becoming(how, attack)));
        let refused = outside.0.iter().flatten().filter(|(_, verdict)| verdict == "EACCES").count();
        let done = outside.0.iter().flatten().filter(|(_, verdict)| verdict == "OK").count();
        assert!(refused > 20 && done > 50, "{how}: {refused} refused, {done} done");
        for flags in MODES {
            let inner = results(&world, |attack| inside(&world, CHANGES_AND_OVERRIDES, flags, &becoming(how, attack)));
            for (one, other) in outside.0.iter().zip(&inner.0) {
                same(one, other, &format!("{how} {flags:?}"));
            }
            assert_eq!(outside.1, inner.1, "{how} {flags:?}");
        }
        // A program that was executed meanwhile can be looked into again as any other.
        let file = world.work().join("place/other");
        let words = becoming(how, &["execute", word(program()), "open", "r", word(&file)]);
        let outside = bare(&world, &words);
        assert_eq!(inside(&world, CHANGES_AND_OVERRIDES, MODES[1], &words).lines, outside.lines, "{how}");
    }
}

/// What a sandbox closes for everybody is left out of the comparison.
#[track_caller]
fn same(outside: &[(String, String)], inside: &[(String, String)], context: &str) {
    const CLOSED: [&str; 7] =
        ["setflags", "setflags-above", "fssetxattr", "fssetxattr-above", "file-setattr", "mknod-device", "device"];
    let differ: Vec<_> =
        outside.iter().zip(inside).filter(|(one, other)| one != other && !CLOSED.contains(&one.0.as_str())).collect();
    assert!(differ.is_empty() && outside.len() == inside.len(), "{context}: {differ:?}");
}

#[test]
fn whoever_comes_back_may_do_what_he_could() {
    let Some(world) = roots() else { return };
    for flags in MODES {
        let never = results(&world, |attack| inside(&world, CHANGES, flags, attack));
        let back = results(&world, |attack| inside(&world, CHANGES, flags, &becoming("back", attack)));
        assert_eq!(never, back, "{flags:?}");
    }
}

#[test]
fn a_change_takes_set_id_bits_away_unless_the_policy_keeps_fsetid() {
    let Some(world) = roots() else { return };
    let names = ["append", "overwrite", "empty", "truncate", "owner"];
    let place = world.work().join("place");
    let script =
        "cd place; echo x >> append; printf y 1<> overwrite; : > empty; truncate -s 2 truncate; chown 0:0 owner";
    let modes = |run: &dyn Fn()| {
        let _ = fs::remove_dir_all(&place);
        fs::create_dir(&place).expect("a directory");
        for name in names {
            fs::write(place.join(name), "content\n").expect("a file");
            fs::set_permissions(place.join(name), fs::Permissions::from_mode(0o6755)).expect("a mode");
        }
        run();
        names.map(|name| fs::metadata(place.join(name)).expect("a file").mode() & 0o7777)
    };
    let bare = modes(&|| {
        assert_eq!(world.finish(world.command("/bin/sh").args(["-c", script])).code(), 0);
    });
    // chown(2) takes them away from root as well.
    assert_eq!(bare, [0o6755, 0o6755, 0o6755, 0o6755, 0o755]);
    for flags in MODES {
        for (capabilities, expected) in [(r#""chown""#, [0o755; 5]), (r#""chown", "fsetid""#, bare)] {
            let kept = modes(&|| {
                let words = ["execute", "/bin/sh", "-c", script];
                inside(&world, capabilities, flags, &words);
            });
            assert_eq!(kept, expected, "{capabilities} {flags:?}");
        }
    }
}

#[test]
fn the_other_end_of_a_socket_sees_who_the_program_has_become() {
    let Some(world) = roots() else { return };
    let path = world.outside().join("socket");
    let listener = UnixListener::bind(&path).expect("a listener");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).expect("a mode");
    for (how, user) in [("whole", NOBODY), ("back", 0)] {
        let words = ["becoming", how, USER, "unix-seqpacket", word(&path)];
        // Another type of socket: nobody is connected, whoever asks.
        inside(&world, CHANGES, &["--allow-unix-socket", word(&path)], &words).all(&["EPROTOTYPE"]);
        let words = ["becoming", how, USER, "unix-stream", word(&path)];
        inside(&world, CHANGES, &["--allow-unix-socket", word(&path)], &words).all(&["OK"]);
        for _ in 0..2 {
            let (stream, _) = listener.accept().expect("somebody");
            assert_eq!(syscalls::credentials::peer_user(stream.as_fd()), Ok(user), "{how}");
        }
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("a mode");
    let words = ["becoming", "whole", USER, "unix-stream", word(&path)];
    inside(&world, CHANGES, &["--allow-unix-socket", word(&path)], &words).all(&["EACCES"]);
}

#[test]
fn a_process_that_became_somebody_else_ends_with_the_run() {
    let Some(world) = roots() else { return };
    let profile = world.home().join("keeps.json");
    world.file(
        &profile,
        r#"{"name": "keeps", "extends": ["default"], "sandbox": {"capabilities": ["setuid", "setgid"]}}"#,
    );
    for victim in ["nobody", "front", "keeper"] {
        let mark = world.work().join(format!("mark-{victim}"));
        let flags = ["-p", word(&profile), "--allow", word(&world.work()), "--deny", "**/.env"].map(str::to_owned);
        let mut command = sandbox(&world, &flags.each_ref().map(String::as_str));
        let attack = word(program());
        let stays = if victim == "nobody" { "sleep 0.5" } else { "sleep 600" };
        let script = format!(
            "setsid {attack} becoming whole {USER} execute /bin/sh -c 'trap \"\" TERM HUP; : > {}; sleep 600' & {stays}",
            word(&mark)
        );
        let mut nono = command.args(["/bin/sh", "-c", &script]).stdout(Stdio::null()).spawn().expect("nono");
        wait_for(&mark);
        if victim != "nobody" {
            let pid = if victim == "front" { nono.id() } else { crate::loads::keeper(nono.id()) };
            let killed = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status();
            assert!(killed.expect("kill").success());
        }
        nono.wait().expect("the end of nono");
        assert!(crate::loads::is_quiet(word(&mark)), "a process is left when {victim} was killed");
    }
}

#[test]
fn signals_for_the_program_reach_it_when_it_became_somebody_else() {
    let Some(world) = roots() else { return };
    let profile = world.home().join("keeps.json");
    world.file(
        &profile,
        r#"{"name": "keeps", "extends": ["default"], "sandbox": {"capabilities": ["setuid", "setgid"]}}"#,
    );
    let mark = world.work().join("mark");
    let mut command = sandbox(&world, &["-p", word(&profile), "--allow", word(&world.work())]);
    let script = format!("trap 'exit 7' TERM; : > {}; while :; do sleep 0.05; done", word(&mark));
    command.arg(program()).args(["becoming", "whole", USER, "execute", "/bin/sh", "-c", &script]);
    let mut nono = command.stdout(Stdio::null()).spawn().expect("nono");
    wait_for(&mark);
    let sent = std::process::Command::new("kill").args(["-TERM", &nono.id().to_string()]).status();
    assert!(sent.expect("kill").success());
    let start = Instant::now();
    let ended = loop {
        match nono.try_wait().expect("the state of nono") {
            Some(status) => break status.code(),
            None if start.elapsed() > Duration::from_secs(20) => {
                nono.kill().expect("the end of nono");
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    assert_eq!(ended, Some(7));
}
