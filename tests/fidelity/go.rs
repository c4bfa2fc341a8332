//! A program of Go, whose runtime sends its own threads a signal whenever one has run for long.

use crate::alike::desk;

/// Opens, makes, renames and removes files in many threads, while the collector stops all of them all the time.
const PROGRAM: &str = r#"package main

import (
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
)

func main() {
	var failed, interrupted, done int64
	var busy atomic.Bool
	busy.Store(true)
	for i := 0; i < 4; i++ {
		go func() {
			for x := 0; busy.Load(); x++ {
			}
		}()
	}
	go func() {
		for busy.Load() {
			runtime.GC()
		}
	}()
	count := func(err error) {
		if err == syscall.EINTR {
			atomic.AddInt64(&interrupted, 1)
		} else if err != nil {
			atomic.AddInt64(&failed, 1)
		}
		atomic.AddInt64(&done, 1)
	}
	var group sync.WaitGroup
	for i := 0; i < 8; i++ {
		name := "file" + strconv.Itoa(i)
		group.Add(1)
		go func() {
			defer group.Done()
			for n := 0; n < 250; n++ {
				fd, err := syscall.Open(name, syscall.O_RDWR|syscall.O_CREAT, 0600)
				count(err)
				if err == nil {
					syscall.Close(fd)
				}
				_, err = os.ReadFile(name)
				count(err)
				count(os.Rename(name, name+"x"))
				count(os.Remove(name + "x"))
			}
		}()
	}
	group.Wait()
	busy.Store(false)
	println(failed, interrupted, done)
}
"#;

#[test]
fn a_runtime_that_signals_its_own_threads_neither_hangs_nor_fails() {
    let Some(world) = desk(&["/usr/bin/go"]) else { return };
    let source = world.work().join("main.go");
    world.file(&source, PROGRAM);
    let mut build = world.command("/usr/bin/go");
    let cache = world.work().join("cache");
    build.args(["build", "-o", "program", "main.go"]).env("GOCACHE", &cache).env("GO111MODULE", "off");
    let built = world.finish(build.env("CGO_ENABLED", "0").env("GOFLAGS", "").env("GOTELEMETRY", "off"));
    assert_eq!(built.code(), 0, "{}", built.stderr);
    for flags in [&[][..], &["--deny", "**/.nothing-is-called-so"]] {
        let mut nono = world.nono();
        let outcome = world.finish(nono.args(["run", "-s", "--allow-cwd"]).args(flags).args(["--", "./program"]));
        let numbers: Vec<u64> = outcome.stderr.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        assert_eq!(outcome.code(), 0, "{}", outcome.stderr);
        // A raw call that nobody took up yet can be interrupted; Go makes it again, as this program does not.
        assert!(matches!(numbers[..], [0, interrupted, 8000] if interrupted < 80), "{flags:?}: {}", outcome.stderr);
    }
}
