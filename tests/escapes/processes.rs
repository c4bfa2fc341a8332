//! Other processes, the program's own identity and its environment (rows 9, 10, 28, 30–32, 54).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::attack::{Report, Victim, bare, confined, confined_command, each, program, report, sandbox, secret, word};
use crate::world::{Who, World, own_user, skip};

/// Files of `/proc/PID` that show or change another process. Not `fd/`: that it has a descriptor 5 may be seen, and where
/// that leads may not.
const PRIVATE: [&str; 13] = [
    "mem",
    "environ",
    "auxv",
    "maps",
    "smaps",
    "pagemap",
    "syscall",
    "stack",
    "io",
    "fdinfo",
    "map_files",
    "root/",
    "cwd/",
];

/// Symbolic links of `/proc/PID`.
const LINKS: [&str; 8] = ["root", "cwd", "exe", "fd/0", "fd/1", "ns/mnt", "ns/user", "ns/pid"];

#[test]
fn no_other_process_can_be_traced_or_read() {
    each(|world| {
        let mut victim = Victim::start(world);
        let outside = bare(world, &["trace", &victim.pid(), &victim.address]);
        if outside.verdict("attach") == "OK" {
            outside.all(&["OK"]);
        } else {
            // Yama lets only a parent trace.
            assert_eq!(outside.verdict("attach"), "EPERM");
        }
        confined(world, &[], &["trace", &victim.pid(), &victim.address]).all(&["EPERM", "EBADF"]);
        assert!(victim.lives());
        for supervisor in ["parent", "grandparent"] {
            confined(world, &[], &["trace", supervisor, "8"]).all(&["EPERM", "EBADF"]);
        }
    });
}

#[test]
fn proc_shows_nothing_private_of_another_process() {
    each(|world| {
        let victim = Victim::start(world);
        let path = |name: &&str| format!("/proc/{}/{name}", victim.pid());
        let opened: Vec<String> = PRIVATE.iter().map(path).collect();
        let linked: Vec<String> = LINKS.iter().map(path).collect();
        let attack = |first: &[&'static str], paths: &[String]| {
            first.iter().map(|word| (*word).to_owned()).chain(paths.iter().cloned()).collect::<Vec<String>>()
        };
        let open = attack(&["peek"], &opened);
        let links = attack(&["links"], &linked);
        let [open, links] = [&open, &links].map(|words| words.iter().map(String::as_str).collect::<Vec<&str>>());
        bare(world, &links).all(&["OK"]);
        bare(world, &open).are(&[&opened[1], &opened[2], &opened[3]], "OK");
        confined(world, &[], &open).all(&["EACCES", "EPERM"]);
        confined(world, &[], &links).all(&["EACCES", "EPERM"]);
        // By way of its root and its directory, as well.
        let through = [path(&"root/etc/shadow"), path(&"cwd/file"), path(&"fd/1"), path(&"task"), path(&"mem")];
        let through: Vec<&str> = ["open", "rw"].into_iter().chain(through.iter().map(String::as_str)).collect();
        confined(world, &[], &through).all(&["EACCES", "EPERM", "EISDIR"]);
        let own = ["open", "r", "/proc/self/maps", "/proc/self/environ", "/proc/self/fd", "/proc/thread-self/stat"];
        confined(world, &[], &own).all(&["OK"]);
        confined(world, &[], &["links", "/proc/self/root", "/proc/self/exe", "/proc/self/cwd"]).all(&["OK"]);
    });
}

#[test]
fn no_signal_reaches_a_process_outside() {
    each(|world| {
        let reached = Victim::start(world);
        bare(world, &["signals", &reached.pid()]).all(&["OK"]);
        assert!(reached.signals() > 0, "the signals do not work even without a sandbox");
        for way in ["0", "1", "2", "3", "4", "5", "6"] {
            let before = reached.signals();
            bare(world, &["signal-by-owner", way, &reached.pid()]).all(&["OK"]);
            assert!(reached.gets_more_than(before), "owner {way} does not work even without a sandbox");
        }
        drop(reached);
        let mut victim = Victim::start(world);
        // In a directory that it may write, so that something can be noticed there.
        let work = world.work();
        confined(world, &["--allow", word(&work)], &["signals", &victim.pid(), "everything"]).all(&["EPERM"]);
        assert!(victim.lives() && victim.signals() == 0, "{} signals", victim.signals());
        for supervisor in ["parent", "grandparent"] {
            confined(world, &[], &["signals", supervisor, "everything"]).all(&["EPERM"]);
        }
        assert!(victim.lives());
        confined(world, &[], &["own"]).all(&["OK"]);
    });
}

#[test]
fn standard_input_signals_nobody_outside_who_owns_it() {
    each(|world| {
        let owned = |victim: &Victim, run: &Command, attack: &str| {
            let mut command = crate::attack::bare_command(world, &["owned", &victim.pid()]);
            command.arg(run.get_program()).args(run.get_args()).arg(attack);
            report(world, &mut command)
        };
        let reached = Victim::start(world);
        owned(&reached, &world.command(program()), "stir").all(&["OK"]);
        assert!(reached.gets_more_than(0), "it signals nobody even without a sandbox");
        drop(reached);
        let mut victim = Victim::start(world);
        let mut wrap = world.nono();
        wrap.args(["wrap", "-s", "--read"]).arg(crate::world::shared()).arg("--").arg(program());
        let mut run = sandbox(world, &[]);
        run.arg(program());
        for run in [&run, &wrap] {
            let inside = owned(&victim, run, "stir");
            inside.are(&["asynchronous", "read"], "OK");
            inside.are(&["set-signal"], "EPERM");
            owned(&victim, run, "own-signal").all(&["OK"]);
        }
        assert!(victim.lives() && victim.signals() == 0, "{} signals", victim.signals());
    });
}

#[test]
fn no_process_outside_is_slowed_moved_or_limited() {
    each(|world| {
        let standing = |victim: &Victim| {
            let stat = victim.proc("stat");
            let fields: Vec<String> = stat.rsplit(')').next().unwrap_or("").split(' ').map(str::to_owned).collect();
            // Priority, nice value, real-time priority and scheduling policy: proc_pid_stat(5), 18, 19, 40 and 41.
            let scheduling: Vec<String> = [16, 17, 38, 39].map(|field: usize| fields[field].clone()).into();
            let allowed: Vec<String> = victim
                .proc("status")
                .lines()
                .filter(|line| line.starts_with("Cpus_allowed:"))
                .map(str::to_owned)
                .collect();
            (scheduling, allowed, victim.proc("limits"))
        };
        let mut victim = Victim::start(world);
        let before = standing(&victim);
        confined(world, &[], &["influence", &victim.pid()]).all(&["EPERM", "ENOSYS"]);
        for supervisor in ["parent", "grandparent"] {
            confined(world, &[], &["influence", supervisor]).all(&["EPERM", "ENOSYS"]);
        }
        assert_eq!(standing(&victim), before);
        bare(world, &["influence", &victim.pid()])
            .are(&["setpriority", "affinity", "prlimit", "ioprio", "compare"], "OK");
        assert!(standing(&victim) != before && victim.lives());
        confined(world, &[], &["own"]).all(&["OK"]);
    });
}

#[test]
fn set_user_id_programs_and_file_capabilities_give_nothing() {
    each(|world| {
        if own_user() != 0 {
            return skip("only root can make the program that gives its user more");
        }
        let work = world.work();
        let [set_user, capable] = ["set-user", "capable"].map(|name| work.join(name));
        for path in [&set_user, &capable] {
            fs::copy(program(), path).expect("a copy of the attack program");
        }
        fs::set_permissions(&set_user, fs::Permissions::from_mode(0o4755)).expect("the set-user-ID bit");
        let made = Command::new(program()).arg("privilege").arg(&capable).output().expect("the attack program");
        assert_eq!(String::from_utf8_lossy(&made.stdout), "setxattr: OK\n");
        let bare = |path: &Path| report(world, world.command(path).arg("identity"));
        let inside = |path: &Path| world.finish(sandbox(world, &["--read", word(&work)]).arg(path).arg("identity"));
        if let Who::User(user) = world.who {
            bare(&set_user).are(&["euid"], "0");
            assert_ne!(bare(&capable).verdict("effective"), "000000000");
            Report::of(&inside(&set_user), String::new()).are(&["uid", "euid"], &user.to_string());
        }
        for path in [&set_user, &capable] {
            let outcome = inside(path);
            // Root's bounding set is empty: the kernel refuses a program whose capabilities it can never have.
            if (world.who, outcome.code()) == (Who::Root, 126) && path == &capable {
                continue;
            }
            assert_eq!(outcome.code(), 0, "{}", outcome.stderr);
            let report = Report::of(&outcome, format!("{path:?} as {:?}", world.who));
            report.are(&["effective", "permitted", "inheritable"], "000000000");
            report.are(&["no-new-privileges"], "1");
        }
    });
}

#[test]
fn nobody_keeps_a_capability_or_becomes_somebody_else() {
    each(|world| {
        let report = confined(world, &[], &["identity"]);
        report.are(&["effective", "permitted", "inheritable"], "000000000");
        report.are(&["ambient"], "0");
        report.are(&["no-new-privileges"], "1");
        if world.who == Who::Root {
            assert_ne!(bare(world, &["identity"]).verdict("effective"), "000000000");
            report.are(&["bounding", "euid"], "0");
            bare(world, &["become"]).all(&["OK"]);
        }
        confined(world, &[], &["become"]).all(&["EPERM"]);
    });
}

#[test]
fn a_crash_leaves_no_core_dump() {
    each(|world| {
        let work = world.work();
        let outcome = world.finish(&mut confined_command(world, &["--allow", word(&work)], &["core"]));
        let report = Report::of(&outcome, "core".into());
        report.are(&["soft", "hard", "after 1048576", "after 0"], "1");
        // 128 and SIGABRT.
        assert_eq!(outcome.code(), 134, "{}", outcome.stderr);
        assert_eq!(fs::read_dir(&work).expect("the directory").count(), 0);
    });
}

#[test]
fn only_declared_variables_reach_the_program() {
    const SECRETS: [&str; 24] = [
        "AWS_SECRET_ACCESS_KEY",
        "GITHUB_TOKEN",
        "SSH_AUTH_SOCK",
        "DBUS_SESSION_BUS_ADDRESS",
        "BASH_ENV",
        "ENV",
        "NODE_OPTIONS",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "PERL5OPT",
        "RUBYOPT",
        "GIT_SSH_COMMAND",
        "GIT_CONFIG_GLOBAL",
        "JAVA_TOOL_OPTIONS",
        "GCONV_PATH",
        "GLIBC_TUNABLES",
        "PROMPT_COMMAND",
        "BASH_FUNC_ls%%",
        "NONO_TRUST_OVERRIDE",
        "NONO_KEY_PASSPHRASE_FILE",
        "XDG_RUNTIME_DIR",
        "DISPLAY",
        "LD_BIND_NOW",
        "LD_DEBUG_OUTPUT",
    ];
    each(|world| {
        let environment = |flags: &[&str]| {
            let mut command = sandbox(world, flags);
            command.arg("/usr/bin/env").env("TERM", "dumb").env("TZ", "UTC").env("LC_ALL", "C.UTF-8");
            command.envs(SECRETS.map(|name| (name, "leaked")));
            let outcome = world.finish(&mut command);
            assert_eq!(outcome.code(), 0, "{}", outcome.stderr);
            outcome.stdout
        };
        let plain = environment(&[]);
        let mut names: Vec<&str> = plain.lines().filter_map(|line| line.split('=').next()).collect();
        names.sort_unstable();
        assert_eq!(names, ["HOME", "LANG", "LC_ALL", "PATH", "TERM", "TZ"], "{plain}");
        let named = environment(&["--env", "GITHUB_TOKEN", "--env", "CHOSEN=value"]);
        assert!(named.contains("GITHUB_TOKEN=leaked\n") && named.contains("CHOSEN=value\n"), "{named}");
        assert!(!named.contains("AWS_SECRET_ACCESS_KEY"), "{named}");
    });
}

#[test]
fn a_library_of_the_program_is_not_loaded_by_nono() {
    each(|world| {
        let library = library(world);
        let mark = world.work().join("loaded");
        let mut outside = world.command("/bin/true");
        world.finish(outside.env("LD_PRELOAD", &library).env("MARK", &mark));
        assert!(mark.exists(), "the library does not work even without a sandbox");
        fs::remove_file(&mark).expect("the mark of the library");
        // Where the program may write, and asks for it by itself: it is loaded there, and sees only what the program sees.
        let work = world.work();
        let secret = secret(world);
        let mut inside = sandbox(world, &["--allow", word(&work)]);
        inside.args(["/usr/bin/env"]).arg(format!("LD_PRELOAD={}", library.display()));
        inside.arg(format!("MARK={}", mark.display())).arg(program()).args(["open", "r", word(&secret)]);
        report(world, &mut inside).all(&["EACCES"]);
        assert!(mark.exists());
        // Given by whoever starts nono, it stops at nono: the program inside does not get it.
        fs::remove_file(&mark).expect("the mark of the library");
        let mut given = confined_command(world, &[], &["landlock"]);
        let outcome = world.finish(given.env("LD_AUDIT", &library).env("BASH_ENV", &library));
        assert_eq!(outcome.code(), 0, "{}", outcome.stderr);
    });
}

/// A shared library that creates the file `$MARK` when it is loaded.
fn library(world: &World) -> PathBuf {
    let source = world.work().join("library.c");
    let library = world.work().join("library.so");
    let code = "#include <fcntl.h>\n#include <stdlib.h>\n__attribute__((constructor)) static void loaded(void)\n\
                { const char *mark = getenv(\"MARK\"); if (mark) open(mark, O_WRONLY | O_CREAT, 0600); }\n";
    world.file(&source, code);
    let mut compiler = world.command("/usr/bin/cc");
    let outcome = world.finish(compiler.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source));
    assert_eq!(outcome.code(), 0, "{}", outcome.stderr);
    library
}
