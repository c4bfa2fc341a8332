//! What `nono audit list` and `nono audit show` print.

use serde_json::Value;

use crate::world::World;
use crate::{run, sessions};

fn audit(world: &World, words: &[&str]) -> (i32, String) {
    let outcome = world.finish(world.nono().arg("audit").args(words));
    (outcome.code(), outcome.stdout)
}

fn json(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn sessions_are_listed_with_how_they_ended_and_since_when() {
    World::each(|world| {
        assert_eq!(audit(world, &["list"]), (0, String::new()));
        run(world, &[], "cat /etc/shadow; exit 7");
        run(world, &[], "true");
        let (status, text) = audit(world, &["list"]);
        assert!(
            status == 0 && text.lines().count() == 2 && text.contains("exit 7") && text.contains("1 denied"),
            "{text}"
        );
        let all = json(&audit(world, &["list", "--json", "--since", "1h"]).1);
        let mut exits: Vec<_> = all.iter().map(|row| row["exit_status"].as_u64()).collect();
        exits.sort_unstable();
        assert_eq!(exits, [Some(0), Some(7)]);
        assert_eq!(audit(world, &["list", "--since", "2100-01-01"]), (0, String::new()));
        assert_eq!(audit(world, &["list", "--since", "yesterday"]).0, 2);
    });
}

#[test]
fn records_are_shown_by_refusal_operation_and_path_and_cannot_forge_lines() {
    World::each(|world| {
        let name = "a$(printf '\\n\\033[2J\\342\\200\\256')b";
        run(world, &["--allow-cwd"], &format!("cat /etc/shadow; echo x > \"{name}\"; mv \"{name}\" c"));
        let session = sessions(world)[0].file_name().expect("a name").to_string_lossy().into_owned();
        let show = |words: &[&str]| audit(world, &[&["show", session.as_str()], words].concat());
        let (status, denied) = show(&["--denied"]);
        assert!(status == 0 && denied.lines().all(|line| line.contains(" denied ")), "{denied}");
        assert!(denied.contains("fs.read /etc/shadow"), "{denied}");
        let work = world.work();
        let work = work.to_str().expect("a path");
        let (_, beneath) = show(&["--path", work, "--operation", "fs"]);
        assert!(beneath.contains("fs.create") && beneath.contains(" -> "), "{beneath}");
        assert!(beneath.lines().all(|line| line.contains(work) && line.contains(" fs.")), "{beneath}");
        assert!(beneath.chars().all(|c| c == '\n' || (' '..='~').contains(&c)), "{beneath}");
        let rows = json(&show(&["--json", "--operation", "fs.rename"]).1);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["leaf_hash"].as_str().map(str::len), Some(64));
        assert_eq!(json(&show(&["--json", "--operation", "nothing"]).1).len(), 0);
        assert_eq!(audit(world, &["show", "no-such-session"]).0, 125);
    });
}
