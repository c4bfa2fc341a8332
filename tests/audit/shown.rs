//! What `nono audit list` and `nono audit show` print.

use std::fs;

use serde_json::Value;

use crate::world::{NOBODY, Who, World, skip};
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
        // The same by other names.
        world.command("ln").args(["-s", work, "link"]).current_dir(world.outside()).status().expect("ln runs");
        let link = world.outside().join("link").display().to_string();
        for name in [".", "../work/", link.as_str()] {
            assert_eq!(show(&["--path", name, "--operation", "fs"]).1, beneath, "{name}");
        }
        assert_eq!(show(&["--path", "wor"]).1, "");
        assert!(beneath.lines().all(|line| line.contains(work) && line.contains(" fs.")), "{beneath}");
        assert!(beneath.chars().all(|c| c == '\n' || (' '..='~').contains(&c)), "{beneath}");
        let rows = json(&show(&["--json", "--operation", "fs.rename"]).1);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["leaf_hash"].as_str().map(str::len), Some(64));
        assert_eq!(json(&show(&["--json", "--operation", "nothing"]).1).len(), 0);
        assert_eq!(audit(world, &["show", "no-such-session"]).0, 125);
    });
}

/// Runs `nono audit show` in front of somebody who does these steps, and returns what the terminal showed.
fn on_a_terminal(world: &World, variables: &[(&str, &str)], words: &[&str], steps: &Value) -> Option<String> {
    let driver = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/terminal/drive.py");
    let text = fs::read_to_string(driver).expect("the driver");
    let copy = world.outside().join("drive.py");
    world.file(&copy, &text);
    if !std::path::Path::new("/usr/bin/python3").exists() {
        skip("python3 is not there");
        return None;
    }
    let program = world.nono().get_program().to_owned();
    let mut command = world.command("/usr/bin/python3");
    command.arg(&copy).arg(steps.to_string()).arg(program).args(["audit", "show"]).args(words);
    let outcome = world.finish(command.env("TERM", "xterm").envs(variables.iter().copied()));
    assert_eq!(outcome.code(), 0, "{}", outcome.stderr);
    Some(outcome.stdout)
}

#[test]
fn a_terminal_gets_colours_and_a_pager_that_no_record_can_command() {
    World::each(|world| {
        let name = "a$(printf '\\n\\033[2J\\033]0;t\\007\\302\\233\\342\\200\\256')b";
        run(world, &["--allow-cwd"], &format!("cat /etc/shadow; echo x > \"{name}\""));
        let session = sessions(world)[0].file_name().expect("a name").to_string_lossy().into_owned();
        let pages = world.work().join("page");
        let pager = format!("cat > {}", pages.display());
        let steps = serde_json::json!([["wait", 0.01]]);
        let paged = |variables: &[(&str, &str)], words: &[&str]| {
            let _ = fs::remove_file(&pages);
            let shown = on_a_terminal(world, variables, &[&[session.as_str()], words].concat(), &steps)?;
            Some((shown, fs::read_to_string(&pages).unwrap_or_default()))
        };
        let plain = |text: &str| text.chars().all(|c| c == '\n' || (' '..='~').contains(&c));
        let Some((shown, page)) = paged(&[("PAGER", &pager)], &[]) else { return };
        assert_eq!(shown, "");
        assert!(page.contains("\u{1b}[31mdenied    \u{1b}[0m fs.read /etc/shadow"), "{page}");
        let without =
            ["31", "32", "36", "0"].iter().fold(page, |text, code| text.replace(&format!("\u{1b}[{code}m"), ""));
        assert!(plain(&without) && without.contains("fs.create"), "{without}");
        // Without colours nothing is left that a terminal obeys.
        let (_, page) = paged(&[("PAGER", &pager), ("NO_COLOR", "1")], &[]).expect("python3 is there");
        assert!(plain(&page) && page == without, "{page}");
        let (_, page) = paged(&[("PAGER", &pager), ("TERM", "dumb")], &[]).expect("python3 is there");
        assert_eq!(page, without);
        for (variables, words) in [
            (&[("PAGER", pager.as_str())][..], &["--no-pager"][..]),
            (&[("PAGER", "")], &[]),
            (&[("PAGER", "cat")], &[]),
        ] {
            let (shown, page) = paged(variables, words).expect("python3 is there");
            assert!(page.is_empty() && shown.contains("session.end"), "{variables:?}: {shown}");
        }
        let said = on_a_terminal(world, &[("PAGER", "no-such-pager-is-here")], &[&session], &steps);
        assert!(said.as_ref().is_some_and(|said| said.contains("that PAGER names does not run")), "{said:?}");
    });
}

#[test]
fn less_shows_a_long_log_a_screen_at_a_time_and_ctrl_c_does_not_end_it() {
    World::each(|world| {
        if !std::path::Path::new("/usr/bin/less").exists() {
            skip("less is not there");
            return;
        }
        run(world, &[], "i=0; while [ $i -lt 120 ]; do cat /etc/nothing$i; i=$((i+1)); done 2>/dev/null");
        let session = sessions(world)[0].file_name().expect("a name").to_string_lossy().into_owned();
        let steps = serde_json::json!([
            ["expect", "session.start"],
            // Until it waits for keys: what interrupts it while it paints may take the keys after it along.
            ["wait", 0.5],
            ["send", "\u{3}"],
            ["wait", 1.5],
            ["send", "G"],
            ["expect", "session.end"],
            ["send", "q"],
        ]);
        // Of the pager's own environment nothing is inherited here.
        let Some(shown) = on_a_terminal(world, &[("LESSHISTFILE", "-")], &[&session], &steps) else { return };
        assert!(shown.contains("session.end"), "{shown}");
        // What fits is not held.
        let short =
            on_a_terminal(world, &[], &[&session, "--operation", "session"], &serde_json::json!([["wait", 0.01]]));
        assert!(short.is_some_and(|shown| shown.contains("session.start") && shown.contains("session.end")));
    });
}

#[test]
fn what_stands_in_the_place_of_a_log_and_is_no_file_is_not_waited_for() {
    let Some(world) = World::new(Who::User(NOBODY)) else { return };
    assert_eq!(run(&world, &[], "true").code(), 0);
    let [session] = sessions(&world).try_into().expect("one session");
    let events = session.join("events.jsonl");
    let given = session.display().to_string();
    let verbs = [&["show", &given][..], &["show", &given, "--follow"], &["export", &given], &["verify", &given]];
    for made in ["mkfifo", "mkdir"] {
        fs::rename(&events, session.join("kept")).expect("it is moved");
        assert!(world.command(made).arg(&events).status().expect("it runs").success());
        for words in verbs {
            let outcome = world.finish(world.nono().arg("audit").args(words));
            let (status, said) = (outcome.code(), outcome.stdout + &outcome.stderr);
            assert!(status == 125 && said.contains("is not a regular file"), "{made}: {words:?}: {status}: {said}");
        }
        let (status, listed) = audit(&world, &["list"]);
        assert!(status == 0 && listed.contains("  unreadable "), "{made}: {status}: {listed}");
        fs::rename(&events, session.join(made)).expect("it is moved");
        fs::rename(session.join("kept"), &events).expect("it is put back");
    }
    for words in verbs {
        assert_eq!(audit(&world, words).0, 0, "{words:?}");
    }
}
