//! gcc, make, and cargo.

use crate::{SECRET, desk, fails, inside, key, works};

const GCC: &str = "/usr/bin/gcc";
const MAKE: &str = "/usr/bin/make";
/// The distribution's: another one may be in a home that this user cannot read.
const CARGO: &str = "/usr/bin/cargo";

#[test]
fn gcc_and_make_build_a_program_that_runs() {
    let Some(world) = desk(&[GCC, MAKE]) else { return };
    world.file(&world.work().join("hello.c"), "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 3; }\n");
    world.file(
        &world.work().join("Makefile"),
        "hello: hello.o\n\tgcc -o $@ $<\nhello.o: hello.c\n\tgcc -O2 -pipe -c $<\n",
    );
    works(&inside(&world, "python-dev", &["make", "-j2"]));
    let run = inside(&world, "python-dev", &["./hello"]);
    assert_eq!((run.code(), run.stdout.as_str()), (3, "hello\n"), "{}", run.stderr);
}

#[test]
fn a_makefile_reads_no_key_and_installs_nothing_outside() {
    let Some(world) = desk(&[MAKE]) else { return };
    let (key, file) = (key(&world), world.outside().join("installed"));
    let makefile = format!("steal:\n\tcat {}\ninstall:\n\tcp Makefile {}\n", key.display(), file.display());
    world.file(&world.work().join("Makefile"), &makefile);
    fails(&inside(&world, "python-dev", &["make", "steal"]));
    fails(&inside(&world, "python-dev", &["make", "install"]));
    assert!(!file.exists());
}

#[test]
fn cargo_builds_and_tests_a_crate_without_a_network() {
    let Some(world) = desk(&[CARGO, GCC]) else { return };
    world.directory(&world.work().join("src"));
    world.file(
        &world.work().join("Cargo.toml"),
        "[package]\nname = \"small\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
    );
    let main = "fn main() { println!(\"built\"); }\n#[test]\nfn it_adds() { assert_eq!(1 + 1, 2); }\n";
    world.file(&world.work().join("src/main.rs"), main);
    works(&inside(&world, "rust-dev", &[CARGO, "build", "--offline"]));
    assert_eq!(works(&inside(&world, "rust-dev", &["target/debug/small"])), "built\n");
    let tested = inside(&world, "rust-dev", &[CARGO, "test", "--offline"]);
    assert!(works(&tested).contains("1 passed"), "{}", tested.stdout);
}

#[test]
fn a_build_script_of_a_crate_reads_no_key() {
    let Some(world) = desk(&[CARGO, GCC]) else { return };
    world.directory(&world.work().join("src"));
    world.file(
        &world.work().join("Cargo.toml"),
        "[package]\nname = \"small\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
    );
    world.file(&world.work().join("src/lib.rs"), "");
    let script = "fn main() { std::fs::write(\"found\", format!(\"{:?}\", std::fs::read_to_string(KEY))).unwrap(); }";
    let script = format!("const KEY: &str = \"{}\";\n{script}\n", key(&world).display());
    world.file(&world.work().join("build.rs"), &script);
    works(&inside(&world, "rust-dev", &[CARGO, "build", "--offline"]));
    let found = std::fs::read_to_string(world.work().join("found")).expect("the build script ran");
    assert!(found.contains("PermissionDenied") && !found.contains(SECRET), "{found}");
}
