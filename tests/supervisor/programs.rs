//! Programs that work with many files, where a denial lies inside their directory: the same trees come out.

use std::fs;
use std::path::Path;

use crate::attack::can_confine;
use crate::attack::word;
use crate::place::Place;
use crate::world::{NOBODY, Who, World, skip};

/// A place of an unprivileged user, or nothing when a program or the kernel's part is missing.
fn with_place(programs: &[&str], test: impl Fn(&Place<'_>)) {
    if let Some(missing) = programs.iter().find(|program| !Path::new(program).exists()) {
        return skip(&format!("{missing} is not installed"));
    }
    if let Some(world) = can_confine().then(|| World::new(Who::User(NOBODY))).flatten() {
        test(&Place::by_pattern(&world));
    }
}

/// Runs a script of the shell, bare or inside, and hands out what it printed.
fn script(place: &Place<'_>, inside: bool, text: &str) -> String {
    let mut command = if inside { place.sandbox() } else { place.world.command("/bin/sh") };
    if inside {
        command.arg("/bin/sh");
    }
    let outcome = place.world.finish(command.args(["-e", "-c", text]));
    assert_eq!(outcome.code(), 0, "inside: {inside}\n{}\n{}", outcome.stdout, outcome.stderr);
    outcome.stdout
}

/// Every entry beneath a directory of the working directory: type, mode, links, size, time and target, and the contents.
fn tree(place: &Place<'_>, directory: &str) -> String {
    let text = format!(
        "cd {directory}; find . -printf '%P %y %m %n %s %T@ %l\\n' | sed -E 's/^(.* d [0-9]+ [0-9]+) [0-9]+ /\\1 /' | LC_ALL=C sort; \
         find . -type f -print0 | LC_ALL=C sort -z | xargs -0 cksum"
    );
    script(place, false, &text)
}

/// Compares two trees, and shows the first entries that differ.
#[track_caller]
fn same(one: &str, other: &str) {
    let differ: Vec<_> = one.lines().zip(other.lines()).filter(|(one, other)| one != other).take(5).collect();
    assert!(differ.is_empty() && one.len() == other.len(), "{differ:#?}");
}

#[test]
fn tar_gives_the_same_tree_of_two_thousand_files() {
    with_place(&["/usr/bin/tar", "/usr/bin/find"], |place| {
        let make = "umask 027; mkdir from; cd from; for d in $(seq 40); do mkdir d$d; for f in $(seq 50); do \
                    echo $d $f > d$d/f$f; done; ln d$d/f1 d$d/hard; ln -s f2 d$d/soft; chmod 751 d$d/f3; \
                    touch -d @$((d * 1000)).5 d$d/f4; mkfifo d$d/fifo; done; chmod 2755 d1; touch -d @77777 d2";
        script(place, false, make);
        script(place, false, "tar cf bare.tar --format=posix from; mkdir bare; tar xpf bare.tar -C bare");
        script(place, true, "tar cf inside.tar --format=posix from; mkdir inside; tar xpf inside.tar -C inside");
        let (bare, inside) = (tree(place, "bare/from"), tree(place, "inside/from"));
        assert!(bare.lines().count() > 4000, "{}", bare.lines().count());
        same(&bare, &inside);
        same(&tree(place, "from"), &inside);
        script(place, true, "cp -a from copied; rm -rf from");
        same(&tree(place, "copied"), &inside);
        assert!(!place.world.work().join("from").exists());
    });
}

#[test]
fn git_clones_rebases_packs_and_adds_working_trees() {
    with_place(&["/usr/bin/git"], |place| {
        let work = "export GIT_AUTHOR_DATE='@1 +0000' GIT_COMMITTER_DATE='@1 +0000'; \
            git config --global user.name A; git config --global user.email a@localhost; \
            git config --global init.defaultBranch main; \
            git init -q one; cd one; for i in 1 2 3 4 5; do echo $i > f$i; git add .; git commit -qm c$i; done; \
            git checkout -qb side HEAD~3; for i in 6 7; do echo $i > f$i; git add .; git commit -qm c$i; done; \
            git rebase -q main; git gc -q; git fsck --strict; git worktree add -q ../tree main; cd ..; \
            git clone -q one two; cd two; git mv f1 moved; git commit -qm moved; git stash list; git status --porcelain; \
            git log --format='%H %s' ; cd ../tree; git log --format='%H %s'; ls; git -C ../one worktree remove ../tree";
        let run = |inside: bool, directory: &str| {
            place.world.directory(&place.world.work().join(directory));
            script(place, inside, &format!("cd {directory}; export HOME=$PWD; {work}"))
        };
        let bare = run(false, "bare");
        assert!(bare.lines().count() > 12, "{bare}");
        assert_eq!(run(true, "inside"), bare);
    });
}

#[test]
fn a_server_on_a_socket_of_the_program_s_own_is_reached_and_no_other() {
    with_place(&["/usr/bin/python3"], |place| {
        let server = "import asyncio, os, sys
async def serve(reader, writer):
    writer.write((await reader.readline()).upper()); await writer.drain(); writer.close()
async def main(path):
    server = await asyncio.start_unix_server(serve, path)
    for how in (path, os.path.relpath(path), '/proc/self/cwd/' + os.path.basename(path)):
        reader, writer = await asyncio.open_unix_connection(how)
        writer.write(b'hello\\n'); await writer.drain()
        print((await reader.read()).decode(), end='')
    os.rename(path, path + '2')
    reader, writer = await asyncio.open_unix_connection(path + '2')
    print('renamed', oct(os.stat(path + '2').st_mode))
os.umask(0o27)
asyncio.run(main(sys.argv[1]))";
        let (bare, inside) = (place.path("s"), place.path("t"));
        let outside = place.world.finish(place.world.command("/usr/bin/python3").args(["-c", server, &bare]));
        let within = place.world.finish(place.sandbox().args(["/usr/bin/python3", "-c", server, &inside]));
        assert_eq!(outside.stdout.lines().count(), 4, "{}", outside.stderr);
        assert_eq!(within.stdout, outside.stdout, "{}", within.stderr);
        // A socket of somebody else, in the same directory: by its path, by a link and by a relative path.
        let listener = std::os::unix::net::UnixListener::bind(place.path("theirs")).expect("a listener");
        place.world.give(Path::new(&place.path("theirs")));
        listener.set_nonblocking(true).expect("a listener that does not wait");
        std::os::unix::fs::symlink("theirs", place.path("link")).expect("a link");
        for name in [&place.path("theirs"), &place.path("link"), "theirs", "/proc/self/cwd/theirs"] {
            crate::attack::bare(place.world, &["unix-stream", name]).all(&["OK"]);
            while listener.accept().is_ok() {}
            place.confined(&["unix-stream", name]).all(&["EACCES", "EPERM"]);
            assert!(listener.accept().is_err(), "{name} was reached");
        }
    });
}

#[test]
fn a_number_that_was_a_socket_of_the_program_s_is_nobody_else_s_door() {
    with_place(&[], |place| {
        let directory = place.world.outside();
        // The program makes and removes sockets; then somebody outside makes one, which may get the number of a file again.
        let mut reached = 0;
        for round in 0..4 {
            let mut command = place.sandbox();
            command.arg(crate::place::probe()).args([
                "reuse",
                &place.path("mine"),
                word(&directory.join("theirs")),
                "200",
            ]);
            let mut child = command.stdout(std::process::Stdio::piped()).spawn().expect("nono");
            let mark = place.world.work().join("ready");
            while !mark.exists() {
                assert!(child.try_wait().expect("the state of nono").is_none(), "it ended in round {round}");
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            let listener = std::os::unix::net::UnixListener::bind(directory.join("theirs")).expect("a listener");
            place.world.give(&directory.join("theirs"));
            listener.set_nonblocking(true).expect("a listener that does not wait");
            fs::remove_file(&mark).expect("the mark");
            let output = child.wait_with_output().expect("the end of nono");
            assert!(output.status.success());
            reached += usize::from(listener.accept().is_ok());
            fs::remove_file(directory.join("theirs")).expect("the socket");
        }
        assert_eq!(reached, 0);
    });
}
