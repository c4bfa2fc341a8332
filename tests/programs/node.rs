//! Node.js and npm.

use std::fs;

use crate::{desk, fails, inside, key, works};

const NODE: &str = "/usr/bin/node";
const NPM: &str = "/usr/bin/npm";

#[test]
fn node_runs_a_script_with_files_timers_and_a_child() {
    let Some(world) = desk(&[NODE]) else { return };
    let script = "
        const fs = require('fs'), { execFileSync } = require('child_process');
        fs.mkdirSync('a/b', { recursive: true });
        fs.writeFileSync('a/b/c', 'written');
        setTimeout(() => console.log(fs.readFileSync('a/b/c', 'utf8'), execFileSync('echo', ['child']).toString().trim()), 10);";
    assert_eq!(works(&inside(&world, "node-dev", &["node", "-e", script])), "written child\n");
}

#[test]
fn node_reads_no_key_and_writes_nothing_outside() {
    let Some(world) = desk(&[NODE]) else { return };
    let read = format!("console.log(require('fs').readFileSync('{}', 'utf8'))", key(&world).display());
    works(&world.finish(world.command("node").args(["-e", &read])));
    let outcome = inside(&world, "node-dev", &["node", "-e", &read]);
    fails(&outcome);
    assert!(outcome.stderr.contains("EACCES"), "{}", outcome.stderr);
    let file = world.outside().join("file");
    let write = format!("require('fs').writeFileSync('{}', 'x')", file.display());
    fails(&inside(&world, "node-dev", &["node", "-e", &write]));
    assert!(!file.exists());
}

#[test]
fn npm_packs_a_local_package() {
    let Some(world) = desk(&[NODE, NPM]) else { return };
    world.file(&world.work().join("package.json"), r#"{ "name": "small", "version": "1.2.3", "main": "index.js" }"#);
    world.file(&world.work().join("index.js"), "module.exports = 1;\n");
    let packed = inside(&world, "node-dev", &["npm", "pack"]);
    assert!(works(&packed).contains("small-1.2.3.tgz"), "{}", packed.stdout);
    assert!(fs::metadata(world.work().join("small-1.2.3.tgz")).is_ok_and(|file| file.len() > 100));
    assert!(!world.home().join(".npm").exists(), "npm's cache is in the private temporary directory");
}

#[test]
fn a_script_of_a_package_reads_no_key() {
    let Some(world) = desk(&[NODE, NPM]) else { return };
    let script = format!("cat {}", key(&world).display());
    let package = format!(r#"{{ "name": "small", "version": "1.2.3", "scripts": {{ "steal": "{script}" }} }}"#);
    world.file(&world.work().join("package.json"), &package);
    let stolen = inside(&world, "node-dev", &["npm", "run", "--silent", "steal"]);
    fails(&stolen);
    assert!(stolen.stderr.contains("Permission denied"), "{}", stolen.stderr);
}
