//! `nono profiles` as a user meets it: what is printed, where, and with which exit status.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

/// A home with a configuration of its own, removed at the end.
struct Home(PathBuf);

impl Home {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("nono-profiles-{}-{count}", std::process::id()));
        fs::create_dir_all(path.join("config/nono/profiles")).unwrap();
        fs::create_dir_all(path.join("config/nono/groups")).unwrap();
        for directory in ["config/nono", "config/nono/profiles", "config/nono/groups"] {
            fs::set_permissions(path.join(directory), fs::Permissions::from_mode(0o700)).unwrap();
        }
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn nono(&self, arguments: &[&str]) -> Answer {
        self.plain(&[&["profiles"], arguments].concat())
    }

    /// Any verb.
    fn plain(&self, arguments: &[&str]) -> Answer {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nono"));
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &self.0)
            .env("XDG_CONFIG_HOME", self.0.join("config"));
        Answer::from(command.current_dir(&self.0).args(arguments).output().unwrap())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Answer {
    status: i32,
    out: String,
    err: String,
}

impl Answer {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { status: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_list_has_the_users_own_before_the_built_in_ones_and_says_what_is_wrong() {
    let home = Home::new();
    home.write("config/nono/profiles/mine.json", r#"{"name": "mine", "description": "Mine"}"#);
    home.write("config/nono/profiles/default.json", r#"{"name": "default", "description": "Shadow"}"#);
    home.write("config/nono/groups/broken.json", r#"{"name": "broken", "alow": []}"#);
    home.write("config/nono/profiles/mine.test.json", "[]");
    let answer = home.nono(&["list", "--json"]);
    assert_eq!((answer.status, answer.err.as_str()), (0, ""));
    let listed = answer.json();
    let find = |kind: &str, name: &str| {
        listed[kind].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap().clone()
    };
    assert_eq!(find("profiles", "mine")["description"], "Mine");
    assert_eq!(find("profiles", "default")["description"], "Shadow");
    assert_eq!(find("profiles", "rust-dev")["place"], "built-in");
    assert!(find("groups", "broken")["problem"].as_str().unwrap().contains("did you mean \"allow\"?"));
    let plain = home.nono(&["list"]).out;
    assert!(plain.contains("  temp-private") && !plain.contains("mine.test"), "{plain}");
}

#[test]
fn show_names_the_origin_of_every_entry() {
    let home = Home::new();
    let mine = "{\"name\": \"mine\", \"extends\": [\"default\"],\n \"sandbox\": {\"read\": [\"~/x\"]},\n \"limits\": {\"memory\": \"1GiB\"}}";
    let place = home.write("config/nono/profiles/mine.json", mine);
    let answer = home.nono(&["show", "mine"]);
    assert_eq!((answer.status, answer.err.as_str()), (0, ""));
    assert!(answer.out.contains(&format!("{}:2:23", text(&place))), "{}", answer.out);
    assert!(answer.out.contains("built-in group system-runtime:"));
    assert!(answer.out.contains("limits.memory\n  1073741824"));
    assert!(answer.out.contains("PATH                                        unless a policy says otherwise"));
    let shown = home.nono(&["show", "mine", "--json"]).json();
    let entries = shown["entries"].as_array().unwrap();
    let own = entries.iter().find(|entry| entry["value"] == text(&home.0.join("x"))).unwrap();
    assert_eq!(own["from"]["json_path"], "sandbox.read[0]");
    assert!(entries.iter().any(|entry| entry["key"] == "network" && entry["value"].is_null()));
    assert!(entries.iter().all(|entry| entry["from"].is_null() || entry["from"]["line"].as_u64().unwrap() > 0));
}

#[test]
fn validate_tells_everything_at_once_and_by_kind_of_file() {
    let home = Home::new();
    let good = home.write("good.json", r#"{"name": "good", "extends": ["default"]}"#);
    let bad = home.write("bad.json", "{\"name\": \"bad\",\n \"sandbx\": {},\n \"limits\": {\"processes\": 0}}");
    let group = home.write("config/nono/groups/g.json", r#"{"name": "g", "read": ["/usr"], "includes": ["g"]}"#);
    let tests = home.write("good.test.json", r#"[{"read": "/etc/shadow", "expect": "deny"}]"#);
    let all = [text(&good), text(&bad), text(&group), text(&tests)];
    let answer = home.nono(&[&["validate"], &all[..]].concat());
    assert_eq!(answer.status, 1);
    let said: Vec<&str> = answer.err.lines().collect();
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[0].contains("bad.json:2:2: sandbx: unknown key \"sandbx\"; did you mean \"sandbox\"?"), "{said:?}");
    assert!(said[1].contains("bad.json:3:26: limits.processes: "), "{said:?}");
    assert!(said[2].contains("groups build on each other in a circle (g → g)"), "{said:?}");
    assert!(answer.out.contains("good.json: valid\n") && answer.out.contains("good.test.json: valid\n"));
    assert_eq!(home.nono(&["validate", text(&good), text(&tests)]).status, 0);
    let documents = home.nono(&["validate", "--json", text(&good), text(&bad)]).json();
    assert_eq!((&documents[0]["valid"], &documents[1]["valid"]), (&Value::Bool(true), &Value::Bool(false)));
    assert_eq!(documents[1]["problems"][1]["line"], 3);
}

#[test]
fn validate_and_run_read_the_webhook_s_address_alike() {
    let home = Home::new();
    let profile = |network: &str, webhook: &str| {
        let text = format!(
            "{{\"name\": \"w\", \"extends\": [\"default\"],\n \"network\": {{\"listen\": {network}}},\n \"supervisor\": {{\"webhook\": \"{webhook}\"}}}}"
        );
        home.write("w.json", &text)
    };
    for (network, webhook, said) in [
        (
            "[]",
            "http://127.1/",
            "w.json:3:28: supervisor.webhook: \"http://127.1/\" cannot be used: an address is four decimal numbers",
        ),
        ("[]", "http://[::ffff:127.0.0.1]/", "over http anybody on the way could answer"),
        ("[]", "unix:/run/a.sock?x", "a socket is named by its whole path"),
        (
            "[80, 18080]",
            "http://127.0.0.1:18080/secret",
            "w.json:2:29: network.listen[1]: whoever listens at 18080 is asked in the place of the webhook http://127.0.0.1:18080 (",
        ),
        ("[\"[::]:80\"]", "http://localhost/", "choose another port"),
    ] {
        let file = profile(network, webhook);
        let answer = home.nono(&["validate", text(&file)]);
        assert_eq!((answer.status, answer.err.lines().count()), (1, 1), "{webhook}: {}", answer.err);
        assert!(answer.err.contains(said) && !answer.err.contains("secret"), "{webhook}: {}", answer.err);
        for verb in [&["why", "-p", text(&file), "listen", "18080"][..], &["run", "-p", text(&file), "--", "true"]] {
            let refused = home.plain(verb);
            assert_eq!(refused.status, 125, "{verb:?}: {}", refused.err);
            assert!(refused.err.contains(said), "{verb:?}: {}", refused.err);
        }
    }
    let file = profile("[80]", "http://127.0.0.1:18080/");
    assert_eq!(home.nono(&["validate", text(&file)]).status, 0);
    for (port, status) in [("80", 0), ("18080", 1)] {
        let answer = home.plain(&["why", "-p", text(&file), "listen", port]);
        assert_eq!(answer.status, status, "{port}: {}{}", answer.out, answer.err);
        assert_eq!(answer.out.contains("must not answer in its place"), status == 1, "{}", answer.out);
        assert!(!answer.out.contains("to allow it"), "{}", answer.out);
    }
    let flag = home.plain(&["why", "-p", text(&file), "--listen", "0.0.0.0:18080", "listen", "80"]);
    assert_eq!(flag.status, 125, "{}", flag.err);
    assert!(flag.err.contains("--listen 0.0.0.0:18080: whoever listens at 0.0.0.0:18080 is asked"), "{}", flag.err);
}

#[test]
fn a_secret_that_others_know_is_refused_by_validate_and_run() {
    let home = Home::new();
    let key = home.write("key", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\n");
    let link = home.0.join("link");
    std::os::unix::fs::symlink(&key, &link).unwrap();
    let mode = |mode: u32| fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
    for named in [&key, &link] {
        let supervisor = format!(r#"{{"webhook": "http://127.0.0.1:1/", "webhook_secret": {{"file": {named:?}}}}}"#);
        let file =
            home.write("s.json", &format!(r#"{{"name": "s", "extends": ["default"], "supervisor": {supervisor}}}"#));
        let (validate, run) = (["validate", text(&file)], ["run", "-s", "-p", text(&file), "--", "true"]);
        for exposed in [0o644, 0o666, 0o604, 0o602, 0o620, 0o601] {
            mode(exposed);
            let said = format!("can be read or changed by others (mode {exposed:04o})");
            let (validated, started) = (home.nono(&validate), home.plain(&run));
            assert_eq!((validated.status, started.status), (1, 125), "{exposed:o}: {}", started.err);
            assert!(
                validated.err.contains(&said) && validated.err.contains("supervisor.webhook_secret.file: "),
                "{}",
                validated.err
            );
            assert!(started.err.contains(&said) && started.err.contains("s.json:1:"), "{}", started.err);
        }
        for kept in [0o600, 0o400] {
            mode(kept);
            assert_eq!(home.nono(&validate).status, 0, "{kept:o}");
            assert!(!home.plain(&run).err.contains("by others"), "{kept:o}");
        }
    }
    let file = home.write(
        "s.json",
        r#"{"name": "s", "supervisor": {"webhook": "http://127.0.0.1:1/", "webhook_secret": {"file": "/nonexistent"}}}"#,
    );
    let answer = home.nono(&["validate", text(&file)]);
    assert!(
        answer.status == 0 && answer.err.contains("/nonexistent does not exist, so nobody can be asked"),
        "{}",
        answer.err
    );
    // Who runs this does not matter: the file is another user's.
    if std::os::unix::fs::chown(&key, Some(65_533), None).is_ok() {
        let supervisor = format!(r#"{{"webhook": "http://127.0.0.1:1/", "webhook_secret": {{"file": {key:?}}}}}"#);
        let file =
            home.write("s.json", &format!(r#"{{"name": "s", "extends": ["default"], "supervisor": {supervisor}}}"#));
        for refused in
            [home.nono(&["validate", text(&file)]), home.plain(&["run", "-s", "-p", text(&file), "--", "true"])]
        {
            assert!(
                refused.status != 0 && refused.err.contains("belongs to user 65533 and not to you"),
                "{}",
                refused.err
            );
        }
    }
}

#[test]
fn a_missing_path_is_a_warning_and_with_strict_a_problem() {
    let home = Home::new();
    let file = home.write("x.json", r#"{"name": "x", "extends": ["default"], "sandbox": {"allow": ["~/absent"]}}"#);
    let lenient = home.nono(&["validate", text(&file)]);
    assert_eq!((lenient.status, lenient.out.contains("valid, with 1 warning")), (0, true), "{}", lenient.out);
    assert!(lenient.err.contains("sandbox.allow[0]: "), "{}", lenient.err);
    assert_eq!(home.nono(&["validate", "--strict", text(&file)]).status, 1);
    fs::create_dir(home.0.join("absent")).unwrap();
    let strict = home.nono(&["validate", "--strict", text(&file)]);
    assert_eq!((strict.status, strict.err.as_str()), (0, ""));
}

#[test]
fn a_file_that_cannot_be_read_is_not_called_invalid() {
    let home = Home::new();
    let absent = home.0.join("absent.json");
    let answer = home.nono(&["validate", text(&absent)]);
    assert_eq!(answer.status, 125);
    assert!(answer.err.contains("it cannot be read: "), "{}", answer.err);
    assert_eq!(home.nono(&["validate", text(&home.0)]).status, 125);
    assert_eq!(home.nono(&["show", "no-such"]).status, 125);
}

#[test]
fn diff_compares_what_policies_say_and_not_where() {
    let home = Home::new();
    let left = home.write("left.json", r#"{"name": "left", "sandbox": {"read": ["/a", "/b"]}}"#);
    let right = home.write("right.json", r#"{"name": "right", "sandbox": {"read": ["/b", "/c"]}}"#);
    let answer = home.nono(&["diff", text(&left), text(&right)]);
    assert_eq!(answer.status, 1);
    let lines: Vec<&str> = answer.out.lines().map(|line| line.split("  ").next().unwrap()).collect();
    assert_eq!(lines, ["sandbox.read", "- /a", "+ /c"]);
    let same = home.nono(&["diff", "default", "default"]);
    assert_eq!((same.status, same.out.as_str()), (0, ""));
    let json = home.nono(&["diff", "--json", text(&left), text(&right)]).json();
    assert_eq!(json["added"][0]["value"], "/c");
    assert_eq!(home.nono(&["diff", "default", "no-such"]).status, 125);
}

#[test]
fn init_writes_a_profile_that_validates_and_never_replaces_one_unasked() {
    let home = Home::new();
    let answer = home.nono(&["init", "mine", "--extends", "rust-dev"]);
    assert_eq!((answer.status, answer.err.as_str()), (0, ""));
    let path = answer.out.trim_end();
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(home.nono(&["validate", "--strict", path]).status, 0);
    fs::write(path, r#"{"name": "mine", "version": "9"}"#).unwrap();
    let again = home.nono(&["init", "mine"]);
    assert_eq!((again.status, again.err.contains("is there already")), (125, true), "{}", again.err);
    assert!(fs::read_to_string(path).unwrap().contains("\"9\""));
    assert_eq!(home.nono(&["init", "mine", "--force"]).status, 0);
    assert!(!fs::read_to_string(path).unwrap().contains("\"9\""));
    assert_eq!(fs::read_dir(home.0.join("config/nono/profiles")).unwrap().count(), 1);
    for (arguments, status) in [
        (["init", "../x"].as_slice(), 2),
        (&["init", "x", "--extends", "no-such"], 125),
        (&["init", "x", "--extends", "x"], 125),
    ] {
        assert_eq!(home.nono(arguments).status, status, "{arguments:?}");
    }
}

#[test]
fn show_leaves_no_key_of_a_profile_out() {
    let home = Home::new();
    home.write("config/nono/profiles/base.json", r#"{"name": "base"}"#);
    let whole = concat!(env!("CARGO_MANIFEST_DIR"), "/src/profile/resolve/whole.json");
    let shown = home.nono(&["show", whole, "--json"]).json();
    let shown: Vec<&str> =
        shown["entries"].as_array().unwrap().iter().map(|entry| entry["key"].as_str().unwrap()).collect();
    let written: Value = serde_json::from_str(&fs::read_to_string(whole).unwrap()).unwrap();
    for (section, keys) in written.as_object().unwrap() {
        for (key, value) in keys.as_object().into_iter().flatten() {
            let key = format!("{section}.{key}");
            let is_empty = value.as_array().is_some_and(Vec::is_empty) || key == "sandbox.groups";
            assert!(is_empty || shown.iter().any(|shown| shown.starts_with(&key)), "{key} is not shown");
        }
    }
}
