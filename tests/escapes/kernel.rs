//! Other ways to make a call, and calls that no program needs (rows 1–4, 15–17, 45, 60).

use std::net::TcpListener;

use crate::attack::{
    Victim, bare, bare_command, confined, confined_command, each, program, report, sandbox, secret, word,
};
use crate::world::{Who, World, shared};

/// `ENOSYS` as a number, for the wrapper that answers with it.
const ENOSYS: &str = "38";

/// How a process ends that the filter killed: 128 and `SIGSYS`.
#[cfg(target_arch = "x86_64")]
const KILLED_BY_FILTER: i32 = 159;

#[test]
fn a_ring_opens_and_connects_nothing() {
    each(|world| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        listener.set_nonblocking(true).expect("a listener that does not wait");
        let port = listener.local_addr().expect("its address").port().to_string();
        let secret = secret(world);
        let attack = ["uring", word(&secret), &port];
        // A kernel may have io_uring switched off: then there is nothing to compare with.
        let outside = bare(world, &attack);
        assert!(matches!(outside.verdict("setup"), "EPERM" | "ENOSYS") || outside.verdict("open") == "OK");
        while listener.accept().is_ok() {}
        confined(world, &[], &attack).all(&["EPERM", "ENOSYS"]);
        confined(world, &[], &["uring-rest"]).all(&["EPERM", "ENOSYS"]);
        assert!(listener.accept().is_err(), "a connection came through a ring");
        // Even where everything the ring would do is granted, because no filter sees what it does.
        confined(world, &["--allow", word(&world.outside())], &attack).all(&["EPERM", "ENOSYS"]);
        confined(world, &["--read", word(&world.outside())], &["open", "r", word(&secret)]).all(&["OK"]);
    });
}

#[cfg(target_arch = "x86_64")]
#[test]
fn the_32_bit_entry_ends_the_program() {
    each(|world| {
        let secret = secret(world);
        for attack in [&["int80-open", word(&secret)][..], &["int80-socket"]] {
            assert_eq!(world.finish(&mut bare_command(world, attack)).code(), 0);
            let outcome = world.finish(&mut confined_command(world, &[], attack));
            assert_eq!(
                (outcome.code(), outcome.stdout.as_str()),
                (KILLED_BY_FILTER, ""),
                "{attack:?}: {}",
                outcome.stderr
            );
        }
        confined(world, &["--read", word(&secret)], &["open", "r", word(&secret)]).all(&["OK"]);
    });
}

#[cfg(target_arch = "x86_64")]
#[test]
fn numbers_of_the_x32_table_are_not_calls() {
    each(|world| {
        let secret = secret(world);
        confined(world, &["--read", word(&secret)], &["x32", word(&secret)]).all(&["ENOSYS"]);
    });
}

#[test]
fn numbers_that_nobody_looked_at_are_not_calls() {
    each(|world| confined(world, &[], &["unknown"]).all(&["ENOSYS"]));
}

#[test]
fn a_program_that_rewrites_its_own_code_is_under_the_same_rules() {
    each(|world| {
        let secret = secret(world);
        let attack = ["own-code", word(&secret)];
        bare(world, &attack).are(&["runs", "open"], "OK");
        for denial in [&[][..], &["--deny", "**/.env"]] {
            let inside = confined(world, denial, &attack);
            inside.are(&["runs"], "OK");
            inside.are(&["open"], "EACCES");
            inside.are(&["ring"], "EPERM");
        }
    });
}

#[test]
fn nothing_is_typed_into_the_terminal() {
    each(|world| {
        let typed = |report: &crate::attack::Report| report.verdict("typed").to_owned();
        let outside = bare(world, &["in-terminal", word(program()), "terminal"]);
        // Kernels without legacy TIOCSTI answer EIO to everybody.
        assert!(outside.verdict("tiocsti") == "EIO" || typed(&outside) != "0", "{outside:?}");
        let nono = sandbox(world, &[]);
        let mut command: Vec<&str> = vec!["in-terminal", word(std::path::Path::new(nono.get_program()))];
        command.extend(nono.get_args().filter_map(|argument| argument.to_str()));
        command.push(word(program()));
        let attacked = bare(world, &[&command[..], &["terminal"]].concat());
        assert_eq!(typed(&attacked), "0", "{attacked:?}");
        attacked.all_but(&["typed", "status"], &["EPERM"]);
        let twin = bare(world, &[&command[..], &["terminal-size"]].concat());
        twin.all_but(&["typed", "status"], &["OK"]);
        assert_eq!(twin.verdict("status"), "0");
    });
}

#[test]
fn terminal_calls_are_refused_whatever_the_descriptor_is() {
    // Without a terminal the kernel would say ENOTTY, so EPERM is the filter's.
    each(|world| {
        bare(world, &["terminal"]).all(&["ENOTTY"]);
        confined(world, &[], &["terminal"]).all(&["EPERM"]);
    });
}

#[test]
fn the_key_store_and_the_instruments_are_closed() {
    each(|world| {
        bare(world, &["keys"]).are(&["keyctl"], "OK");
        if world.who == Who::Root {
            bare(world, &["instruments"]).are(&["bpf", "perf", "userfaultfd"], "OK");
        }
        confined(world, &[], &["keys"]).all(&["EPERM", "ENOSYS"]);
        confined(world, &[], &["instruments"]).all(&["EPERM", "ENOSYS"]);
        confined(world, &[], &["ordinary"]).all(&["OK"]);
    });
}

#[test]
fn objects_that_all_processes_of_a_user_share_cannot_be_had() {
    each(|world| {
        bare(world, &["ipc"]).are(&["shmget", "semget", "msgget"], "OK");
        confined(world, &[], &["ipc"]).all(&["ENOSYS", "EPERM"]);
    });
}

#[test]
fn there_is_no_way_into_another_namespace() {
    each(|world| {
        if world.who == Who::Root {
            bare(world, &["namespaces"]).are(&["clone-user", "clone3", "unshare-user", "setns"], "OK");
        }
        let inside = confined(world, &[], &["namespaces"]);
        inside.all_but(&["clone3"], &["EPERM"]);
        // Its flags are behind a pointer: the C library falls back to clone(2), whose flags a filter sees.
        inside.are(&["clone3"], "ENOSYS");
        confined(world, &[], &["ordinary"]).all(&["OK"]);
    });
}

#[test]
fn nothing_can_be_mounted_and_no_other_root_be_taken() {
    each(|world| {
        let work = world.work();
        let report = confined(world, &["--allow", word(&work)], &["mounts", word(&work)]);
        report.all(&["EPERM", "ENOSYS"]);
    });
}

#[test]
fn calls_of_the_administrator_are_refused() {
    each(|world| confined(world, &[], &["administration"]).all(&["EPERM", "ENOSYS"]));
}

#[test]
fn a_listener_of_its_own_is_refused_and_a_plain_filter_is_not() {
    each(|world| {
        bare(world, &["listener"]).are(&["listener"], "OK");
        confined(world, &[], &["listener"]).all(&["EBUSY"]);
        confined(world, &[], &["filter"]).all(&["OK"]);
    });
}

#[test]
fn a_program_cannot_hide_from_whoever_answers_it() {
    each(|world| {
        bare(world, &["hide-itself"]).all(&["OK"]);
        let inside = confined(world, &[], &["hide-itself"]);
        inside.are(&["undumpable"], "EPERM");
        inside.are(&["open"], "OK");
        if let Who::User(_) = world.who {
            let hidden = world.work().join("hidden");
            std::fs::copy(program(), &hidden).expect("a copy of the attack program");
            world.give(&hidden);
            std::fs::set_permissions(&hidden, std::os::unix::fs::PermissionsExt::from_mode(0o111)).expect("its mode");
            let run = |command: &mut std::process::Command| {
                let outcome = world.finish(command.arg(&hidden).args(["open", "r", "/dev/null"]));
                (outcome.code(), outcome.stdout)
            };
            assert_eq!(run(&mut world.command("/usr/bin/env")), (0, "/dev/null: OK\n".to_owned()));
            let (code, output) = run(&mut sandbox(world, &["--allow", word(&world.work())]));
            assert!(code != 0 && output.is_empty(), "{code} {output}");
        }
    });
}

#[test]
fn filters_of_its_own_open_nothing_and_still_forbid() {
    each(|world| {
        let secret = secret(world);
        bare(world, &["own-filters", word(&secret)]).are(&["log", "allow"], "OK");
        for denial in [&[][..], &["--deny", "**/.env"]] {
            let closed = confined(world, denial, &["own-filters", word(&secret)]);
            // The newest filter that hands over is asked, and has nobody to ask.
            closed.are(&["notify"], "ENOSYS");
            closed.are(&["trace", "log", "allow"], "EACCES");
            let open = confined(world, &[&["--read", word(&secret)], denial].concat(), &["own-filters", word(&secret)]);
            open.are(&["trace", "log", "allow"], "OK");
            open.are(&["refuse"], "EXDEV");
        }
        // Nor does a tracer take them away, which is root's to do where the kernel can.
        if world.who == Who::Root {
            bare(world, &["suspend"]).all(&["OK", "EINVAL"]);
        }
        confined(world, &[], &["suspend"]).all(&["EPERM"]);
    });
}

#[test]
fn rules_that_a_program_makes_for_itself_hold_or_are_refused() {
    each(|world| {
        let file = world.work().join("file");
        world.file(&file, "");
        let work = world.work();
        bare(world, &["own-rules", word(&file)]).are(&["open", "openat2"], "EACCES");
        // The supervisor is not under them.
        for denial in [&[][..], &["--deny", "**/.env"]] {
            let flags = [&["--allow", word(&work)], denial].concat();
            let inside = confined(world, &flags, &["own-rules", word(&file)]);
            inside.are(&["create", "restrict"], "EOPNOTSUPP");
            inside.are(&["open", "openat2"], "OK");
        }
        let mut wrapped = world.nono();
        wrapped.args(["wrap", "-s", "--read"]).arg(shared()).args(["--allow", word(&work), "--"]).arg(program());
        let wrapped = report(world, wrapped.args(["own-rules", word(&file)]));
        wrapped.are(&["create", "restrict"], "OK");
        wrapped.are(&["open"], "EACCES");
    });
}

#[test]
fn without_landlock_nothing_is_run_unless_the_user_accepts_that() {
    each(|world| {
        // ENOSYS: not built in. EOPNOTSUPP (95): switched off at boot.
        for errno in [ENOSYS, "95"] {
            let outcome = hidden(world, "444", errno, &[], &["open", "r", "/etc/hostname"]);
            let said = &outcome.stderr;
            assert_eq!((outcome.code(), outcome.stdout.as_str()), (125, ""), "{said}");
            assert!(said.starts_with("nono: ") && said.contains("Landlock") && said.contains("5.13"), "{said}");
            // The one way around it prints what is lost, even though -s silences everything else.
            let outcome = hidden(world, "444", errno, &["--degraded"], &["open", "r", "/etc/hostname"]);
            assert_eq!(outcome.code(), 0, "{}", outcome.stderr);
            assert!(
                outcome.stderr.contains("NOT ENFORCED") && outcome.stderr.contains("Landlock"),
                "{}",
                outcome.stderr
            );
        }
    });
}

#[test]
fn a_kernel_that_refuses_a_call_of_the_setup_runs_nothing_unconfined() {
    let calls: &[(&str, &str)] = if cfg!(target_arch = "x86_64") {
        &[("445", "add_rule"), ("446", "restrict_self"), ("317", "seccomp"), ("157", "prctl")]
    } else {
        &[("445", "add_rule"), ("446", "restrict_self"), ("277", "seccomp"), ("167", "prctl")]
    };
    each(|world| {
        let secret = secret(world);
        for (number, name) in calls {
            for errno in [ENOSYS, "1", "22"] {
                let outcome = hidden(world, number, errno, &[], &["open", "r", word(&secret)]);
                assert_eq!((outcome.code(), outcome.stdout.as_str()), (125, ""), "{name}: {}", outcome.stderr);
                assert!(outcome.stderr.starts_with("nono: "), "{name}: {}", outcome.stderr);
            }
        }
    });
}

#[test]
fn a_kernel_without_close_range_still_leaks_no_descriptor() {
    each(|world| {
        let secret = secret(world);
        let nono = confined_command(world, &[], &["fds"]);
        let mut command = bare_command(world, &["hide", "436", ENOSYS, word(program()), "holding", "9", word(&secret)]);
        command.arg(nono.get_program()).args(nono.get_args());
        let outcome = world.finish(&mut command);
        let closed = outcome.code() == 0 && outcome.stdout == "inherited: EBADF\n";
        assert!(closed || outcome.code() == 125, "{} {}", outcome.stdout, outcome.stderr);
    });
}

#[test]
fn wrap_confines_as_run_does() {
    each(|world| {
        let secret = secret(world);
        let wrapped = |flags: &[&str], attack: &[&str]| {
            let mut command = world.nono();
            command.args(["wrap", "-s", "--read"]).arg(shared()).args(flags).arg("--").arg(program()).args(attack);
            report(world, &mut command)
        };
        for access in ["read", "write"] {
            let report = wrapped(&[], &[access, word(&secret)]);
            report.all_but(&["openat2"], &["EACCES"]);
            report.are(&["openat2"], "ENOSYS");
        }
        wrapped(&[], &["metadata", word(&secret)]).all(&["EPERM"]);
        wrapped(&["--read", word(&secret)], &["open", "r", word(&secret)]).all(&["OK"]);
        wrapped(&[], &["uring-rest"]).all(&["EPERM", "ENOSYS"]);
        wrapped(&[], &["terminal"]).all(&["EPERM"]);
        wrapped(&[], &["namespaces"]).all(&["EPERM", "ENOSYS"]);
        wrapped(&[], &["listener"]).all(&["EBUSY"]);
        wrapped(&[], &["udp", "9"]).all(&["EACCES"]);
        wrapped(&[], &["listen-anywhere"]).all(&["EACCES", "EPERM"]);
        let mut victim = Victim::start(world);
        wrapped(&[], &["trace", &victim.pid(), &victim.address]).all(&["EPERM", "EBADF"]);
        wrapped(&[], &["signals", &victim.pid(), "everything"]).all(&["EPERM"]);
        wrapped(&[], &["influence", &victim.pid()]).all(&["EPERM", "ENOSYS"]);
        assert!(victim.lives() && victim.signals() == 0);
        let identity = wrapped(&[], &["identity"]);
        identity.are(&["effective", "permitted", "inheritable"], "000000000");
        identity.are(&["no-new-privileges"], "1");
        wrapped(&[], &["ordinary"]).all(&["OK"]);
        wrapped(&[], &["pairs"]).all(&["OK"]);
    });
}

/// Runs an attack under `nono` where the kernel answers `call` with `errno`.
fn hidden(world: &World, call: &str, errno: &str, flags: &[&str], attack: &[&str]) -> crate::world::Outcome {
    let mut command = bare_command(world, &["hide", call, errno]);
    let nono = confined_command(world, flags, attack);
    command.arg(nono.get_program()).args(nono.get_args());
    // The wrapper itself must work: bare, the attack behind it does.
    let mut without = bare_command(world, &["hide", call, errno]);
    without.arg(program()).args(attack);
    report(world, &mut without).all(&["OK"]);
    world.finish(&mut command)
}
