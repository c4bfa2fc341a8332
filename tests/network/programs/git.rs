//! git over HTTPS to the real `git http-backend`.

use std::path::Path;
use std::process::Command;

use crate::lab::{API, each};
use crate::world::skip;

const BACKEND: &str = "/usr/lib/git-core/git-http-backend";

#[test]
fn git_clones_and_pushes_over_https_to_an_allowed_host_and_no_other() {
    if !Path::new(BACKEND).exists() {
        skip("git http-backend is not there");
        return;
    }
    each(|lab| {
        let repository = lab.directory.join("repositories/project.git");
        let git = |words: &[&str]| {
            let done = Command::new("git").arg("-C").arg(&repository).args(words).output().expect("git");
            assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
            String::from_utf8_lossy(&done.stdout).into_owned()
        };
        std::fs::create_dir_all(&repository).expect("a directory of the lab");
        git(&["init", "-q", "--bare", "-b", "main"]);
        git(&["config", "http.receivepack", "true"]);
        let authority = lab.world.work().join("authority.pem");
        std::fs::copy(lab.directory.join("authority.pem"), &authority).expect("a copy");
        lab.world.give(&authority);
        let run = |rule: &str, script: &str| {
            let settings = "export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_SSL_CAINFO=$PWD/authority.pem \
                GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.com";
            lab.run(&["--allow-cwd", "--allow-host", rule], &["sh", "-ec", &format!("{settings}\n{script}")])
        };
        let https = "api.example.com:443";
        // More than git sends in one piece, so that the body has no length.
        let pushed = run(
            https,
            "git clone -q https://api.example.com/git/project.git project 2>&1; cd project; git checkout -q -b main
            head -c 2000000 /dev/urandom > data; git add data; git commit -qm first; git push -q origin main
            git rev-parse HEAD",
        );
        assert_eq!(pushed.code(), 0, "{}{}", pushed.stdout, pushed.stderr);
        let head = git(&["rev-parse", "main"]);
        assert!(pushed.stdout.ends_with(&head), "{} {head}", pushed.stdout);
        let again =
            run(https, "git clone -q https://api.example.com/git/project.git again; git -C again log --format=%s");
        assert_eq!(again.stdout, "first\n", "{}", again.stderr);
        lab.taken("requests");
        for (rule, host, reason) in [
            (https, "other.example.org", "look up other.example.org: no rule covers it".to_owned()),
            (https, API, format!("connect {API}:443: no rule covers it")),
            ("api.example.com:80", "api.example.com", "connect api.example.com:443: no rule covers it".to_owned()),
            // The server sends it elsewhere.
            (https, "api.example.com/elsewhere", "look up other.example.org: no rule covers it".to_owned()),
        ] {
            let refused = run(rule, &format!("git clone -q https://{host}/git/project.git refused"));
            assert!(refused.code() != 0 && refused.stderr.contains(&reason), "{host}: {}", refused.stderr);
            let requests = lab.taken("requests");
            assert!(requests.iter().all(|line| line.ends_with("/elsewhere/git/project.git/info/refs")), "{requests:?}");
        }
    });
}
