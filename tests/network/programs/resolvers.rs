//! Every way that programs look names up: none of them knows of a proxy, and none needs to.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::lab::{Lab, each};
use crate::world::{shared, skip};

const C: &str = r#"
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int count, char **words)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    if (count < 2 || getaddrinfo(words[1], "80", &hints, &found) != 0)
        return puts("no such name"), 1;
    for (; found != NULL; found = found->ai_next) {
        int stream = socket(found->ai_family, found->ai_socktype, 0);
        if (connect(stream, found->ai_addr, found->ai_addrlen) != 0)
            continue;
        const char *request = "GET / HTTP/1.0\r\n\r\n";
        char answer[4096] = "";
        size_t had = 0;
        ssize_t got = 1;
        if (write(stream, request, strlen(request)) < 0)
            return 1;
        while (got > 0 && had < sizeof answer - 1)
            had += (size_t)(got = read(stream, answer + had, sizeof answer - 1 - had)) * (got > 0);
        char *body = strstr(answer, "\r\n\r\n");
        return puts(body != NULL && strstr(body, "hello") != NULL ? "hello" : answer), 0;
    }
    return puts("no connection"), 1;
}
"#;

const GO: &str = r#"package main
import ("fmt"; "io"; "net/http"; "os")
func main() {
	r, e := http.Get("http://" + os.Args[1] + "/")
	if e != nil { fmt.Println(e); os.Exit(1) }
	b, _ := io.ReadAll(r.Body)
	fmt.Print(string(b))
}
"#;

const NODE: &str = "
const name = process.argv[1], failed = error => { console.log((error.cause || error).code); process.exitCode = 1 };
const get = done => require('http').get(`http://${name}/`, r => r.on('data', d => done(String(d)))).on('error', failed);
const c_ares = done => require('dns').resolve4(name, (error, found) => error ? failed(error) : done(found.length > 0));
get(body => c_ares(found => fetch(`http://${name}/`).then(r => r.text()).then(text =>
    console.log(body === text && found ? 'hello' : [body, text, found]), failed)));
";

const JAVA: &str = r#"
import java.io.InputStream;
import java.net.URL;
public class Get {
    public static void main(String[] words) throws Exception {
        try (InputStream in = new URL("http://" + words[0] + "/").openStream()) { System.out.print(new String(in.readAllBytes())); }
    }
}
"#;

const PYTHON: &str = "
import asyncio, sys, urllib.request
name = sys.argv[1]
async def read():
    reader, writer = await asyncio.open_connection(name, 80)
    writer.writelines([b'GET / HTTP/1.0\\r\\n', b'\\r\\n'])
    return (await reader.read()).endswith(b'hello\\n')
body = urllib.request.urlopen(f'http://{name}/', timeout=15).read().decode()
print(body.strip() if asyncio.run(read()) else 'not twice')
";

/// A program that was built once, where the sandbox may read it; nothing when what builds it is missing.
pub(crate) fn built(name: &str, source: &str, compile: impl FnOnce(&Path, &Path) -> Command) -> Option<PathBuf> {
    let target = shared().join(name.split('.').next().unwrap_or(name));
    let file = shared().join(name);
    std::fs::write(&file, source).expect("a source");
    let mut compiler = compile(&file, &target);
    match compiler.env("GOCACHE", shared().join("go-cache")).env("GO111MODULE", "off").output() {
        Ok(done) => assert!(done.status.success(), "{compiler:?}: {}", String::from_utf8_lossy(&done.stderr)),
        Err(_) => {
            skip(&format!("{compiler:?} is not there"));
            return None;
        }
    }
    Some(target)
}

fn with(program: &str, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(words);
    command
}

/// The words that start each client; the name to get is to follow.
fn clients() -> &'static [Vec<String>] {
    static CLIENTS: OnceLock<Vec<Vec<String>>> = OnceLock::new();
    CLIENTS.get_or_init(|| {
        let compile = |program: &'static str, words: &'static [&'static str]| {
            move |file: &Path, target: &Path| {
                let mut command = with(program, words);
                command.arg("-o").arg(target).arg(file);
                command
            }
        };
        let go = |cgo: &'static str| {
            move |file: &Path, target: &Path| {
                let mut command = with("go", &["build", "-o"]);
                command.arg(target).arg(file).env("CGO_ENABLED", cgo);
                command
            }
        };
        let programs = [
            built("glibc.c", C, compile("cc", &["-O1"])),
            built("musl.c", C, compile("musl-gcc", &["-O1", "-static"])),
            built("pure.go", GO, go("0")),
            built("cgo.go", GO, go("1")),
        ];
        let word = |path: &Path| path.to_str().expect("a UTF-8 path").to_owned();
        let mut all: Vec<Vec<String>> = programs.iter().flatten().map(|path| vec![word(path)]).collect();
        if built("Get.java", JAVA, |file, _| with("javac", &["-d", &word(shared()), &word(file)])).is_some() {
            all.push(["java", "-Xmx64m", "-cp", &word(shared()), "Get"].map(str::to_owned).into());
        }
        for (program, option, source) in [("/usr/bin/node", "-e", NODE), ("/usr/bin/python3", "-c", PYTHON)] {
            if Path::new(program).exists() {
                all.push([program, option, source].map(str::to_owned).into());
            } else {
                skip(&format!("{program} is not there"));
            }
        }
        all
    })
}

fn get(lab: &Lab, client: &[String], name: &str) -> (i32, String, String) {
    let words: Vec<&str> = client.iter().map(String::as_str).chain([name]).collect();
    // Java's own settings lie there.
    let outcome = lab.run(&["--read", "/etc/java-17-openjdk", "--allow-host", "*.example.com"], &words);
    (outcome.code(), outcome.stdout, outcome.stderr)
}

#[test]
fn every_client_reaches_an_allowed_name_and_no_other() {
    each(|lab| {
        lab.write("hosts", "127.0.0.1 localhost\n93.184.215.14 listed.example.com\n");
        for client in clients() {
            for name in ["api.example.com", "v4.example.com", "listed.example.com"] {
                // c-ares asks a name server for what only `/etc/hosts` has: that is known here as well.
                let (code, out, err) = get(lab, client, name);
                assert_eq!((code, out.as_str()), (0, "hello\n"), "{client:?} {name}: {err}");
            }
            lab.taken("requests");
            let (code, out, err) = get(lab, client, "other.example.org");
            assert!(code != 0 && !out.contains("hello"), "{client:?}: {out} {err}");
            assert!(err.contains("look up other.example.org"), "{client:?}: {err}");
            assert_eq!(lab.taken("requests"), [""; 0], "{client:?}");
        }
    });
}
