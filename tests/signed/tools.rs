//! Real programs read signed files as they read any other.

use crate::world::{NOBODY, Who, World};
use crate::{prints, project, shell};

#[test]
fn tools_read_signed_files_as_they_are() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    project(&world);
    shell(&world, "git init -q . 2>/dev/null");
    let digest = shell(&world, "sha256sum CLAUDE.md");
    for (script, expected) in [
        ("sha256sum CLAUDE.md", digest.as_str()),
        ("cp -a CLAUDE.md copy; cmp CLAUDE.md copy; rm copy", ""),
        ("install -m 600 CLAUDE.md copy; rm copy", ""),
        ("tar -cf - CLAUDE.md src | tar -xOf - CLAUDE.md", "be kind\n"),
        ("diff CLAUDE.md CLAUDE.md", ""),
        ("rm CLAUDE-2.md; grep -rh kind --include='*.md' .", "be kind\n"),
        ("sed -n p CLAUDE.md; head -c 2 CLAUDE.md; tail -n 1 CLAUDE.md", "be kind\nbebe kind\n"),
        (
            "git add CLAUDE.md; git -c user.name=x -c user.email=x commit -qm x; git status -s CLAUDE.md; git show HEAD:CLAUDE.md",
            "be kind\n",
        ),
        ("flock -s CLAUDE.md cat CLAUDE.md", "be kind\n"),
        ("node -e 'process.stdout.write(require(\"fs\").readFileSync(\"CLAUDE.md\"))'", "be kind\n"),
        ("vim -es -u NONE +'w! /dev/stdout' +q CLAUDE.md < /dev/null | cat", "be kind\n"),
    ] {
        prints(&world, script, expected);
    }
    let script = r#"
import mmap, os
file = os.open("CLAUDE.md", os.O_RDONLY)
opened, named = os.fstat(file), os.stat("CLAUDE.md")
print(os.path.samestat(opened, named), opened.st_size, os.readlink("/proc/self/fd/%d" % file) == os.path.abspath("CLAUDE.md"))
print(mmap.mmap(file, 0, prot=mmap.PROT_READ)[:7])
other = os.open("CLAUDE.md", os.O_RDONLY)
print(os.read(file, 2), os.read(other, 7))
"#;
    std::fs::write(world.work().join("probe"), script).expect("a script");
    prints(&world, "python3 probe", "True 8 True\nb'be kind'\nb'be' b'be kind'\n");
}
