//! Whose call a record says it was, where that changes or is gone.

use std::fs;
use std::path::Path;

use crate::world::{Who, World, skip};
use crate::{records, run, sessions};

/// Opens a file twenty times by a name that is at the same address in every program of this, and becomes one that opens
/// another, as a child with its parent's memory or as a further thread beside the first.
const BECOMES_ANOTHER: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
char path[64];
static void opens(const char *name) {
    strcpy(path, name);
    for (int i = 0; i < 20; i++) close(open(path, O_RDONLY));
}
static void *become(void *self) { execl(self, self, "last", (char *)0); return 0; }
int main(int count, char **word) {
    pthread_t thread;
    if (strcmp(word[1], "last") == 0) return opens("second"), 0;
    if (strcmp(word[1], "vfork") == 0) {
        int status;
        if (vfork() == 0) opens("first"), become(word[0]), _exit(1);
        return wait(&status), status;
    }
    opens("first");
    if (pthread_create(&thread, 0, become, word[0])) return 1;
    for (;;) close(open(path, O_RDONLY));
}
"#;

#[test]
fn a_thread_that_became_another_program_is_recorded_with_what_that_opens() {
    World::each(|world| {
        let place = world.outside().join("plain");
        world.directory(&place);
        let (source, program) = (place.join("becomes.c"), place.join("becomes"));
        world.file(&source, BECOMES_ANOTHER);
        ["first", "second"].iter().for_each(|name| world.file(&place.join(name), ""));
        let mut compiler = world.command("cc");
        compiler.args(["-static", "-no-pie", "-pthread", "-o"]).args([&program, &source]);
        assert!(compiler.status().expect("a compiler").success());
        for way in ["vfork", "thread"] {
            let before = sessions(world);
            // Nothing is denied inside this grant, so that the opens are left to the kernel.
            let outcome = run(
                world,
                &["--read", &place.display().to_string()],
                &format!("cd {} && ./becomes {way}", place.display()),
            );
            assert_eq!(outcome.code(), 0, "{way}: {}", outcome.stderr);
            let session = sessions(world).into_iter().find(|session| !before.contains(session));
            let all = records(&session.expect("a session"));
            let second = place.join("second").display().to_string();
            let of_second = all.iter().filter(|record| record["target"] == second.as_str());
            assert_eq!(of_second.map(|record| record["repeats"].as_u64().unwrap_or(1)).sum::<u64>(), 20, "{way}");
        }
    });
}

/// A further thread becomes another program, which takes a second because of a lease, and the first opens a file meanwhile.
const BECOMES_SLOWLY: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
static void *become(void *nothing) { execl("./other", "other", "last", (char *)0); return nothing; }
int main(int count, char **word) {
    pthread_t thread;
    if (count > 1) return open("second", O_RDONLY) < 0;
    int ready[2];
    if (pipe(ready)) return 2;
    if (fork() == 0) {
        int file = open("other", O_RDONLY);
        signal(SIGIO, SIG_IGN);
        if (fcntl(file, F_SETLEASE, F_WRLCK)) _exit(1);
        write(ready[1], "x", 1), sleep(2), _exit(0);
    }
    char byte;
    if (read(ready[0], &byte, 1) != 1 || pthread_create(&thread, 0, become, 0)) return 3;
    for (;;) close(open("first", O_RDONLY)), usleep(20000);
}
"#;

#[test]
fn a_program_that_takes_its_time_to_become_another_is_recorded_as_what_it_is() {
    World::each(|world| {
        let place = world.outside().join("plain");
        world.directory(&place);
        let (source, program, other) = (place.join("becomes.c"), place.join("becomes"), place.join("other"));
        world.file(&source, BECOMES_SLOWLY);
        ["first", "second"].iter().for_each(|name| world.file(&place.join(name), ""));
        let mut compiler = world.command("cc");
        compiler.args(["-static", "-pthread", "-w", "-o"]).args([&program, &source]);
        assert!(compiler.status().expect("a compiler").success());
        fs::copy(&program, &other).expect("another program");
        // Leases are for the owner of a file.
        world.give(&other);
        for denial in [&[][..], &["--deny", "none"]] {
            let before = sessions(world);
            let granted = place.display().to_string();
            let outcome = run(world, &[&["--read", &granted], denial].concat(), &format!("cd {granted} && ./becomes"));
            assert_eq!(outcome.code(), 0, "{}", outcome.stderr);
            let session = sessions(world).into_iter().find(|session| !before.contains(session));
            let all = records(&session.expect("a session"));
            for (file, by) in [("first", &program), ("second", &other)] {
                let target = place.join(file).display().to_string();
                let mut opens = all.iter().filter(|record| record["target"] == target.as_str()).peekable();
                assert!(opens.peek().is_some(), "nobody opened {file}");
                let by = by.display().to_string();
                opens.for_each(|record| {
                    assert_eq!(record["process"]["executable"], by.as_str(), "{denial:?}: {record}")
                });
            }
        }
    });
}

#[test]
fn an_open_that_finds_no_room_is_recorded_as_failed() {
    World::each(|world| {
        let python = "/usr/bin/python3";
        if !Path::new(python).exists() {
            skip("python3 is not there");
            return;
        }
        world.file(&world.work().join("file"), "");
        let script = "import os,resource
resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
try:
    while True: os.dup(1)
except OSError: pass
try: os.open('file', os.O_RDONLY)
except OSError as error: print(error.errno)";
        let outcome = run(world, &["--allow-cwd", "--deny", "none"], &format!("{python} -c \"{script}\""));
        assert_eq!(outcome.stdout, "24\n", "{}", outcome.stderr);
        let target = world.work().join("file").display().to_string();
        let all = records(&sessions(world)[0]);
        let last = all.iter().rfind(|record| record["target"] == target.as_str()).expect("a record");
        assert_eq!((&last["disposition"], &last["outcome"]), (&"failed".into(), &"EMFILE".into()), "{last}");
    });
}

#[test]
fn a_program_that_becomes_another_user_is_recorded_as_that() {
    let Some(world) = World::new(Who::Root) else {
        skip("only root becomes another user");
        return;
    };
    let python = "/usr/bin/python3";
    if !Path::new(python).exists() {
        skip("python3 is not there");
        return;
    }
    let profile = world.home().join("users.json");
    world.file(
        &profile,
        r#"{"name": "users", "extends": ["default"], "sandbox": {"capabilities": ["setuid", "setgid"]}}"#,
    );
    let script = "import os
for time in range(9): os.close(os.open('/usr/bin/env', os.O_RDONLY))
os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
os.close(os.open('/usr/bin/tail', os.O_RDONLY))";
    let profile = profile.display().to_string();
    let outcome = run(&world, &["-p", &profile], &format!("{python} -c \"{script}\""));
    assert_eq!(outcome.code(), 0, "{}", outcome.stderr);
    let all = records(&sessions(&world)[0]);
    for (target, user) in [("/usr/bin/env", 0), ("/usr/bin/tail", 65534)] {
        let found = all.iter().find(|record| record["target"] == target).expect("a record");
        assert_eq!(found["process"]["user"], user, "{found}");
    }
}
