//! `psql` to a real PostgreSQL.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{fs, thread, time};

use crate::lab::{API, Lab, OTHER, each};
use crate::world::{NOBODY, skip};

/// A server on port 5432 of the lab, which runs until the value is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where Debian has the programs of its newest version.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut all: Vec<PathBuf> = versions.flatten().map(|version| version.path().join("bin")).collect();
    all.retain(|directory| directory.join("initdb").exists() && directory.join("psql").exists());
    all.sort();
    all.pop()
}

/// One of the programs in the lab's network. It refuses to be root.
fn unprivileged(lab: &Lab, program: &Path) -> Command {
    let user = NOBODY.to_string();
    let mut command = lab.inside("/usr/bin/setpriv");
    command.args(["--reuid", &user, "--regid", &user, "--clear-groups"]).arg(program);
    command
}

fn serve(lab: &Lab, programs: &Path) -> Server {
    let (data, password) = (lab.directory.join("data"), lab.directory.join("password"));
    fs::create_dir(&data).expect("a directory of the lab");
    lab.write("password", "s3cret\n");
    for path in [&data, &password] {
        std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).expect("an owner");
    }
    let mut made = unprivileged(lab, &programs.join("initdb"));
    made.args(["-A", "scram-sha-256", "-U", "reader", "-N", "-E", "UTF8", "--locale=C", "-D"]).arg(&data);
    let made = made.arg("--pwfile").arg(&password).output().expect("initdb");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    fs::write(data.join("pg_hba.conf"), "host all all all scram-sha-256\n").expect("who may come");
    let mut server = unprivileged(lab, &programs.join("postgres"));
    server.arg("-D").arg(&data).args(["-h", "*", "-k", "", "-c", "fsync=off"]);
    Server(server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a server"))
}

#[test]
fn psql_reaches_an_allowed_host_and_no_other() {
    let Some(programs) = programs() else {
        skip("PostgreSQL is not there");
        return;
    };
    each(|lab| {
        let _server = serve(lab, &programs);
        let psql = programs.join("psql");
        let run = |flags: &[&str], host: &str| {
            let to = format!("host={host} user=reader password=s3cret dbname=postgres connect_timeout=10");
            let query = "select string_agg(n::text, ',') from generate_series(1, 3) n";
            lab.run(flags, &[psql.to_str().expect("a UTF-8 path"), "-XAtc", query, &to])
        };
        let flags = ["--allow-host", "api.example.com:5432"];
        let mut reached = run(&flags, "api.example.com");
        let end = time::Instant::now() + time::Duration::from_secs(60);
        // It starts meanwhile.
        while reached.code() != 0 && time::Instant::now() < end {
            thread::sleep(time::Duration::from_millis(200));
            reached = run(&flags, "api.example.com");
        }
        assert_eq!((reached.code(), reached.stdout.as_str()), (0, "1,2,3\n"), "{}", reached.stderr);
        for (flags, host, reason) in [
            (flags, "other.example.org", "look up other.example.org: no rule covers it".to_owned()),
            (flags, API, format!("connect {API}:5432: no rule covers it")),
            (flags, OTHER, format!("connect {OTHER}:5432: no rule covers it")),
            (["--allow-host", "api.example.com:80"], "api.example.com", "connect api.example.com:5432".to_owned()),
        ] {
            let refused = run(&flags, host);
            assert!(refused.code() == 2 && refused.stdout.is_empty(), "{host}: {}", refused.stdout);
            assert!(refused.stderr.contains(&reason), "{host}: {}", refused.stderr);
        }
    });
}
