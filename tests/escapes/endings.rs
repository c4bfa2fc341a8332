//! Who outlives whom, and what a program may use up (rows 42–44).

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::attack::{
    Report, bare, can_confine, confined, confined_command, each, program, report, sandbox, secret, word,
};
use crate::world::{Outcome, Who, World};

/// Users of their own: the kernel counts the processes of a user, whichever test started them.
const COUNTED: [u32; 2] = [60_123, 60_124];

/// How long the tree may live after its supervisor.
const GRACE: Duration = Duration::from_secs(1);

#[test]
fn what_a_program_leaves_behind_ends_with_it() {
    each(|world| {
        for attack in ["daemon", "runaway"] {
            let mark = world.work().join(attack);
            let words = |seconds| [attack, word(&mark), seconds, "go"];
            report_started(&bare(world, &words("2")));
            assert!(grows(&mark), "{attack} does not survive even without a sandbox");
            assert!(is_soon(Duration::from_secs(20), || !grows(&mark)), "{attack} does not end by itself");
            fs::remove_file(&mark).expect("the mark of the first run");
            report_started(&confined(world, &["--allow", word(&world.work())], &words("15")));
            assert_eq!(survivors(&mark), Vec::<u32>::new(), "{attack} survived");
            assert!(!grows(&mark), "{attack} still writes");
        }
    });
}

#[test]
fn the_whole_tree_ends_when_the_supervisor_is_killed() {
    each(|world| {
        let (mut nono, mark) = running_daemon(world, "mark");
        kill("-9", nono.id());
        nono.wait().expect("the end of nono");
        assert!(is_soon(GRACE, || survivors(&mark).is_empty()), "alive: {:?}", survivors(&mark));
    });
}

#[test]
fn even_a_process_that_never_stays_ends_when_the_supervisor_is_killed() {
    each(|world| {
        let (mark, work) = (world.work().join("mark"), world.work());
        let script = format!("{} runaway {} 15; sleep 15", word(program()), word(&mark));
        let mut command = sandbox(world, &["--allow", word(&work)]);
        command.args(["/bin/sh", "-c", &script]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut nono = command.spawn().expect("nono");
        assert!(is_soon(Duration::from_secs(10), || mark.exists()), "the program did not start");
        kill("-9", nono.id());
        nono.wait().expect("the end of nono");
        assert!(is_soon(GRACE, || !grows(&mark)), "it still writes");
    });
}

#[test]
fn the_whole_tree_ends_when_any_process_of_nono_is_killed() {
    each(|world| {
        // Every process between nono and the program, from the top down, each in a run of its own.
        for depth in 1.. {
            let (mut nono, mark) = running_daemon(world, &format!("mark-{depth}"));
            let chain = chain_to_program(nono.id());
            let Some(process) = chain.get(depth) else {
                kill("-9", nono.id());
                nono.wait().expect("the end of nono");
                assert!(is_soon(GRACE, || survivors(&mark).is_empty()));
                break;
            };
            kill("-9", *process);
            let ended = is_soon(GRACE, || nono.try_wait().expect("the state of nono").is_some());
            let alive = survivors(&mark);
            kill("-9", nono.id());
            let status = nono.wait().expect("the end of nono");
            assert!(ended, "nono waits on after process {depth} of {chain:?} was killed");
            assert!(!status.success(), "{status}");
            assert!(alive.is_empty() || is_soon(GRACE, || survivors(&mark).is_empty()), "alive: {alive:?}");
        }
    });
}

#[test]
fn the_whole_tree_ends_when_a_stopped_job_is_killed() {
    each(|world| {
        let work = world.work();
        // The program stops itself; or somebody outside stops nono's processes, each of them.
        for by_itself in [true, false] {
            let mark = work.join(format!("mark-{by_itself}"));
            let then = if by_itself { "kill -STOP $$; " } else { "" };
            let script = format!("{} daemon {} 15 go; {then}sleep 15", word(program()), word(&mark));
            let mut command = sandbox(world, &["--allow", word(&work)]);
            command.args(["/bin/sh", "-c", &script]).stdout(Stdio::null()).stderr(Stdio::null());
            let mut nono = command.spawn().expect("nono");
            let soon = Duration::from_secs(10);
            assert!(is_soon(soon, || mark.exists()), "the daemon did not start");
            if !by_itself {
                let chain = chain_to_program(nono.id());
                kill_at_once("-STOP", &chain);
                assert!(is_soon(soon, || chain.iter().all(|process| is_stopped(*process))), "{chain:?}");
            }
            assert!(is_soon(soon, || is_stopped(nono.id())), "the front does not stop with the program");
            // In the other case nobody answers its calls.
            assert!(!by_itself || grows(&mark), "the daemon stopped as well");
            assert!(!survivors(&mark).is_empty(), "there is no daemon");
            kill("-9", nono.id());
            nono.wait().expect("the end of nono");
            assert!(is_soon(GRACE, || survivors(&mark).is_empty()), "{by_itself}: {:?}", survivors(&mark));
            assert!(!grows(&mark), "it still writes");
        }
    });
}

#[test]
fn a_stopped_job_goes_on_and_ends_as_without_nono() {
    each(|world| {
        for signal in ["STOP", "TSTP"] {
            let script = format!("kill -{signal} $$; exit 7");
            let mut command = sandbox(world, &[]);
            command.args(["/bin/sh", "-c", &script]).stdout(Stdio::null()).stderr(Stdio::null());
            // An orphaned group would not stop for the second (setpgid(2)).
            let mut nono = command.process_group(0).spawn().expect("nono");
            let soon = Duration::from_secs(10);
            assert!(is_soon(soon, || is_stopped(nono.id())), "{signal} does not stop the front");
            kill("-CONT", nono.id());
            assert!(is_soon(soon, || nono.try_wait().expect("the state of nono").is_some()), "{signal}: it waits on");
            assert_eq!(nono.wait().expect("the end of nono").code(), Some(7), "{signal}");
        }
    });
}

#[test]
fn the_whole_tree_ends_when_all_that_is_called_nono_is_killed_at_once() {
    each(|world| {
        let (mut nono, mark) = running_daemon(world, "mark");
        let chain = chain_to_program(nono.id());
        let called_nono: Vec<u32> = chain.iter().copied().filter(|process| name(*process) == "nono\n").collect();
        assert!(!called_nono.is_empty() && called_nono.len() < chain.len(), "{chain:?}");
        kill_at_once("-9", &called_nono);
        nono.wait().expect("the end of nono");
        assert!(is_soon(GRACE, || survivors(&mark).is_empty()), "alive: {:?}", survivors(&mark));
    });
}

#[test]
fn what_outlives_all_processes_of_nono_stays_in_the_sandbox() {
    each(|world| {
        let profile = world.home().join("static.json");
        world.file(&profile, r#"{"name": "static", "extends": ["default"], "supervisor": {"enabled": false}}"#);
        let [mark, open] = ["mark", "open"].map(|name| world.work().join(name));
        world.file(&open, "open\n");
        let closed = secret(world);
        for (flags, opened) in [(&[][..], "ENOSYS"), (&["-p", word(&profile)], "OK")] {
            let attack = ["outlive", word(&mark), word(&open), word(&closed)];
            let mut command = confined_command(world, &[&["--allow", word(&world.work())], flags].concat(), &attack);
            let nono = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("nono");
            assert!(is_soon(Duration::from_secs(10), || mark.exists()), "the process that leaves did not start");
            // From the first down each is kept from looking after the next, which is then killed before it is.
            let mut chain = chain_to_program(nono.id());
            kill_at_once("-STOP", &chain);
            chain.reverse();
            kill_at_once("-9", &chain);
            let ended = nono.wait_with_output().expect("what was left behind");
            let [stdout, stderr] = [ended.stdout, ended.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
            let report = Report::of(&Outcome { status: ended.status, stdout, stderr }, format!("{flags:?}"));
            report.are(&["held"], "OK");
            report.are(&["open", "execute"], opened);
            let refused = if opened == "OK" { "EACCES" } else { "ENOSYS" };
            report.are(&["closed", "unlink", "connect"], refused);
            assert_eq!(fs::read_to_string(&closed).expect("the secret"), "secret\n");
            fs::remove_file(&mark).expect("the mark");
        }
    });
}

#[test]
fn a_signal_to_nono_ends_the_whole_tree() {
    each(|world| {
        for (signal, name) in [("-TERM", "term"), ("-HUP", "hup"), ("-INT", "int"), ("-QUIT", "quit")] {
            let (mut nono, mark) = running_daemon(world, name);
            kill(signal, nono.id());
            assert!(
                is_soon(Duration::from_secs(5), || nono.try_wait().expect("the state of nono").is_some()),
                "{name}"
            );
            assert!(is_soon(GRACE, || survivors(&mark).is_empty()), "{name}: {:?}", survivors(&mark));
            assert!(!nono.wait().expect("the end of nono").success(), "{name}");
        }
    });
}

#[test]
fn a_program_that_makes_its_parent_its_tracer_or_gives_it_children_runs_on() {
    each(|world| {
        let profile = world.home().join("static.json");
        world.file(&profile, r#"{"name": "static", "extends": ["default"], "supervisor": {"enabled": false}}"#);
        for flags in [&[][..], &["--deny", "**/.env"], &["-p", word(&profile)]] {
            // SIGUSR1, SIGSEGV, SIGTRAP, SIGURG: each would stop it for its tracer.
            for signal in ["10", "11", "5", "23"] {
                let attack = ["traced", signal, "/bin/echo", "echo: OK"];
                let mut command = confined_command(world, flags, &attack);
                let report = report(world, &mut command);
                report.all(&["OK"]);
                assert_eq!(report.lines.len(), 3, "{signal} {flags:?}: {report:?}");
            }
            let outcome = world.finish(&mut confined_command(world, flags, &["sibling"]));
            assert_eq!((outcome.code(), outcome.stdout.as_str()), (5, "clone: OK\n"), "{flags:?}: {}", outcome.stderr);
        }
    });
}

#[test]
fn a_limit_on_processes_holds_or_is_refused() {
    for_counted(|world| {
        report(world, &mut crate::attack::bare_command(world, &["processes", "200"])).are(&["fork"], "OK");
        for attack in ["processes", "threads"] {
            let outcome = limited(world, r#""processes": 64"#, &[attack, "200"]);
            if let Some(report) = kept(&outcome, "processes", world) {
                assert_eq!(report.lines[0].1, "EAGAIN", "{report:?}");
                let started: u32 = report.verdict("started").parse().expect("a number");
                assert!((8..64).contains(&started), "{started} {attack}");
            }
            let twin = limited(world, r#""processes": 64"#, &[attack, "8"]);
            if let Some(report) = kept(&twin, "processes", world) {
                report.are(&["started"], "8");
            }
        }
    });
}

#[test]
fn a_limit_on_open_files_holds() {
    each(|world| {
        let outcome = limited(world, r#""open_files": 64"#, &["open-files", "200"]);
        let report = kept(&outcome, "open_files", world).expect("a limit that every kernel keeps");
        report.are(&["dup"], "EMFILE");
        // Three are open already.
        report.are(&["opened"], "61");
        let twin = limited(world, r#""open_files": 64"#, &["open-files", "8"]);
        kept(&twin, "open_files", world).expect("the same limit").are(&["dup"], "OK");
    });
}

#[test]
fn a_limit_on_memory_holds_or_is_refused() {
    each(|world| {
        bare(world, &["memory", "512"]).all(&["OK"]);
        let outcome = limited(world, r#""memory": "256MiB""#, &["memory", "512"]);
        // A group of processes is killed where a single one is refused more.
        if outcome.code() != 137 {
            if let Some(report) = kept(&outcome, "memory", world) {
                report.are(&["mmap"], "ENOMEM");
            }
        }
        let twin = limited(world, r#""memory": "256MiB""#, &["memory", "32"]);
        if let Some(report) = kept(&twin, "memory", world) {
            report.all(&["OK"]);
        }
    });
}

#[test]
fn a_limit_on_processor_time_holds() {
    each(|world| {
        let outcome = limited(world, r#""cpu_seconds": 1"#, &["spin", "15"]);
        // 128 and SIGXCPU, or SIGKILL; or nono's own refusal.
        assert!(matches!(outcome.code(), 152 | 137 | 125), "{} {}", outcome.code(), outcome.stderr);
        assert_eq!(outcome.stdout, "");
        if outcome.code() == 125 {
            kept(&outcome, "cpu_seconds", world);
        }
    });
}

/// Runs `test` as root, and as a user whose processes nothing else adds to.
fn for_counted(test: impl Fn(&World)) {
    for who in [Who::Root, Who::User(COUNTED[0])] {
        if let Some(world) = can_confine().then(|| World::new(who)).flatten() {
            test(&world);
        }
    }
}

/// Runs an attack under a profile with one limit.
fn limited(world: &World, limit: &str, attack: &[&str]) -> Outcome {
    let profile = world.home().join("limited.json");
    let text =
        format!(r#"{{ "name": "limited", "version": "1.0.0", "extends": ["default"], "limits": {{ {limit} }} }}"#);
    world.file(&profile, &text);
    world.finish(&mut confined_command(world, &["--profile", word(&profile)], attack))
}

/// The report, or nothing when nono refused because it cannot keep the limit, and said which.
fn kept(outcome: &Outcome, limit: &str, world: &World) -> Option<Report> {
    if outcome.code() == 125 {
        assert!(outcome.stdout.is_empty() && outcome.stderr.contains(limit), "{}", outcome.stderr);
        assert!(outcome.stderr.starts_with("nono: "), "{}", outcome.stderr);
        return None;
    }
    assert_eq!(outcome.code(), 0, "{limit} as {:?}: {}", world.who, outcome.stderr);
    Some(Report::of(outcome, limit.into()))
}

fn report_started(report: &Report) {
    report.are(&["started"], "OK");
}

/// Starts a program in the sandbox that has left a daemon behind and stays itself.
fn running_daemon(world: &World, name: &str) -> (Child, PathBuf) {
    let mark = world.work().join(name);
    let work = world.work();
    let mut command = confined_command(world, &["--allow", word(&work)], &["daemon", word(&mark), "15", "stay"]);
    let nono = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("nono");
    assert!(is_soon(Duration::from_secs(10), || mark.exists()), "the daemon did not start");
    (nono, mark)
}

/// Whether somebody still adds to `mark`.
fn grows(mark: &Path) -> bool {
    let size = || fs::metadata(mark).expect("the mark").len();
    let before = size();
    thread::sleep(Duration::from_millis(300));
    size() != before
}

/// The processes that were started with `mark` on their command line, or by one that was.
fn survivors(mark: &Path) -> Vec<u32> {
    let mark = word(mark).as_bytes();
    let names_it = |process: &u32| {
        let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|argument| argument == mark)
    };
    processes().into_iter().filter(names_it).collect()
}

fn processes() -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// `process`, its child, and so on, as long as they are nono's own.
fn chain_to_program(process: u32) -> Vec<u32> {
    let mut chain = vec![process];
    while let Some(last) = chain.last().copied() {
        let is_next = |each: &u32| parent(*each) == Some(last) && ["nono\n", "supervisor\n"].contains(&&*name(*each));
        match processes().into_iter().find(is_next) {
            Some(next) => chain.push(next),
            None => break,
        }
    }
    chain
}

fn name(process: u32) -> String {
    fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default()
}

fn is_stopped(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" T"))
}

/// Field 4 of proc_pid_stat(5), counted from the end of the name in parentheses.
fn parent(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()
}

fn kill(signal: &str, process: u32) {
    kill_at_once(signal, &[process]);
}

/// One signal to all of `processes`, in one program.
fn kill_at_once(signal: &str, processes: &[u32]) {
    let numbers = processes.iter().map(u32::to_string);
    let _ = Command::new("kill").args([signal, "--"]).args(numbers).stderr(Stdio::null()).status();
}

/// Whether `condition` becomes true before `patience` is over.
fn is_soon(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if condition() {
            return true;
        }
        if start.elapsed() > patience {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
}
