//! Compilers and what drives them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::alike::{Work, copy, desk, give};
use crate::world::skip;

#[test]
fn make_builds_a_program_of_the_distribution_alike() {
    let Some(world) = desk(&["/usr/bin/make", "/usr/bin/cc"]) else { return };
    let Some(sources) = sources() else {
        skip("the sources of bzip2 are not there; .ci/run fetches them");
        return;
    };
    // Its own tests are among what `all` makes.
    let script = "
        make -j4 CFLAGS='-O1 -D_FILE_OFFSET_BITS=64' all
        make -s install PREFIX=\"$PWD/installed\"
        ./installed/bin/bzip2 -k9 manual.html; ./installed/bin/bzip2 -dc manual.html.bz2 | cmp - manual.html
        make -s clean; make -j4 -s CFLAGS=-O0 bzip2recover";
    let script = format!("({script}) > output 2>&1; sort output | cksum");
    // The order of lines is that of four jobs at once.
    let work = Work { world: &world, profile: "python-dev", script: &script, own: &["output"] };
    let (_, _, files) = work.is_alike(|directory| copy(&world, &sources, directory));
    assert!(files.contains_key(Path::new("installed/bin/bzip2")), "{:?}", files.keys());
}

/// Where `.ci/run` puts them.
fn sources() -> Option<PathBuf> {
    let entries = fs::read_dir(Path::new(env!("CARGO_TARGET_TMPDIR")).join("sources")).ok()?.flatten();
    entries.map(|entry| entry.path()).find(|path| path.join("bzlib.c").exists())
}

#[test]
fn cargo_builds_a_workspace_alike() {
    let Some(world) = desk(&["/usr/bin/cargo", "/usr/bin/cc"]) else { return };
    let write = |directory: &Path| {
        let file = |name: &str, text: &str| {
            let path = directory.join(name);
            fs::create_dir_all(path.parent().expect("a directory")).expect("directories");
            fs::write(path, text).expect("a file");
        };
        file("Cargo.toml", "[workspace]\nmembers = [\"tool\", \"library\", \"made\"]\nresolver = \"2\"\n");
        let package = |name: &str, rest: &str| {
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n{rest}")
        };
        let needs = "[dependencies]\nlibrary = { path = \"../library\" }\nmade = { path = \"../made\" }\n";
        file("tool/Cargo.toml", &package("tool", needs));
        file("tool/src/main.rs", "fn main() { println!(\"{} {}\", library::twice(21), made::WORD); }\n");
        file("library/Cargo.toml", &package("library", ""));
        file(
            "library/src/lib.rs",
            "pub fn twice(x: u32) -> u32 { x * 2 }\n#[test] fn it() { assert_eq!(twice(2), 4) }\n",
        );
        file("made/Cargo.toml", &package("made", "build = \"build.rs\"\n"));
        file("made/src/lib.rs", "include!(concat!(env!(\"OUT_DIR\"), \"/word.rs\"));\n");
        let build = "fn main() { let out = std::env::var(\"OUT_DIR\").unwrap();\n
            std::fs::write(out + \"/word.rs\", \"pub const WORD: &str = \\\"made\\\";\").unwrap(); }\n";
        file("made/build.rs", build);
        give(&world, directory);
    };
    let script = "
        export CARGO_HOME=\"$PWD/home\" CARGO_INCREMENTAL=0
        cargo build -q --offline; ./target/debug/tool; cargo test -q --offline -p library 2>/dev/null | grep -c passed
        cargo build --offline 2>&1 | grep -c Compiling || true; touch tool/src/main.rs
        cargo build --offline 2>&1 | grep -c Compiling; cp target/debug/tool the-tool; rm -rf target home";
    let work = Work { world: &world, profile: "rust-dev", script, own: &[] };
    let (_, told, _) = work.is_alike(write);
    assert_eq!(told, "42 made\n2\n0\n1\n");
}
