//! npm with packages of its own.

use std::fs;
use std::path::Path;

use crate::alike::{Work, desk, give};

#[test]
fn npm_installs_a_tree_of_local_packages_alike() {
    let Some(world) = desk(&["/usr/bin/node", "/usr/bin/npm"]) else { return };
    let furnish = |directory: &Path| {
        let package = |name: &str, rest: &str, script: &str| {
            let above = directory.join(name);
            fs::create_dir_all(above.join("lib")).expect("directories");
            let json = format!(r#"{{ "name": "{name}", "version": "1.0.0", "main": "lib/index.js"{rest} }}"#);
            fs::write(above.join("package.json"), json).expect("a file");
            fs::write(above.join("lib/index.js"), script).expect("a file");
            for number in 0..40 {
                fs::write(above.join(format!("lib/part{number}.js")), format!("exports.n = {number};\n"))
                    .expect("a file");
            }
        };
        package("leaf", "", "exports.leaf = 1;\n");
        package("branch", r#", "bin": { "branch": "lib/index.js" }"#, "#!/usr/bin/node\nconsole.log('branch');\n");
        let needs = r#", "dependencies": { "leaf": "file:../leaf-1.0.0.tgz", "branch": "file:../branch-1.0.0.tgz" },
            "scripts": { "postinstall": "echo made > made-by-script" }"#;
        package("root", needs, "console.log(require('leaf').leaf + require('leaf/lib/part7.js').n);\n");
        give(&world, directory);
    };
    let script = "
        export npm_config_cache=\"$PWD/cache\" npm_config_update_notifier=false npm_config_audit=false npm_config_fund=false
        npm pack --silent ./leaf ./branch
        cd root; npm install --offline --silent --no-package-lock; node .; ./node_modules/.bin/branch; rm -rf ../cache";
    let work = Work { world: &world, profile: "node-dev", script, own: &[".package-lock.json"] };
    let (_, told, files) = work.is_alike(furnish);
    assert_eq!(told, "leaf-1.0.0.tgz\nbranch-1.0.0.tgz\n8\nbranch\n");
    assert!(files.contains_key(Path::new("root/node_modules/leaf/lib/part39.js")), "{:?}", files.keys());
}
