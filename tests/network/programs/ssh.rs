//! ssh, and git over it, to a real server.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::lab::{Lab, each};
use crate::world::skip;

const SERVER: &str = "/usr/sbin/sshd";

/// A server on port 22 of the lab, which runs until the value is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn key(path: &Path) {
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path).status();
    assert!(made.expect("ssh-keygen").success());
}

fn serve(lab: &Lab) -> Server {
    let of = |name: &str| lab.directory.join(name);
    key(&of("host"));
    key(&of("user"));
    let _ = fs::create_dir("/run/sshd");
    let mut server = lab.inside(SERVER);
    server.args(["-D", "-f", "/dev/null", "-o", "StrictModes=no", "-o", "PidFile=none", "-o", "UsePAM=no"]);
    server.args(["-o", &format!("HostKey={}", of("host").display())]);
    server.args(["-o", &format!("AuthorizedKeysFile={}", of("user.pub").display())]);
    let child = server.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("a server");
    let work = lab.world.work();
    fs::copy(of("user"), work.join("key")).expect("a key");
    lab.world.give(&work.join("key"));
    Server(child)
}

#[test]
fn ssh_and_git_over_it_reach_an_allowed_host_and_no_other() {
    if !Path::new(SERVER).exists() {
        skip("sshd is not there");
        return;
    }
    each(|lab| {
        let _server = serve(lab);
        let repository = lab.directory.join("repository");
        let made = Command::new("git").args(["init", "-q", "--bare"]).arg(&repository).status();
        assert!(made.expect("git").success());
        let options = "ssh -F /dev/null -i key -o BatchMode=yes -o StrictHostKeyChecking=no \
            -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectionAttempts=5";
        let flags = ["--allow-cwd", "--allow-host", "api.example.com:22"];
        let run = |script: &str| lab.run(&flags, &["sh", "-c", &format!("umask 77; {script}")]);
        let reached = run(&format!("{options} root@api.example.com echo reached"));
        assert_eq!((reached.code(), reached.stdout.as_str()), (0, "reached\n"), "{}", reached.stderr);
        let other = run(&format!("{options} root@other.example.org echo reached"));
        assert!(other.code() == 255 && other.stdout.is_empty(), "{} {}", other.stdout, other.stderr);
        let clone = |host: &str| {
            let path = repository.display();
            run(&format!("GIT_SSH_COMMAND='{options}' git clone -q root@{host}:{path} {host} && ls -A {host}"))
        };
        let cloned = clone("api.example.com");
        assert_eq!(cloned.stdout, ".git\n", "{}", cloned.stderr);
        let refused = clone("other.example.org");
        assert!(refused.code() != 0 && refused.stderr.contains("look up other.example.org"), "{}", refused.stderr);
    });
}
