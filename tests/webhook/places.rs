//! Where an approver may be, and what leads there.

use std::net::TcpListener;
use std::process::Command;

use nono::approval::webhook::Webhook;

use crate::service::{Service, allow};
use crate::{PATIENCE, allowed, config, refused, webhook};

#[test]
fn a_place_that_others_could_listen_in_on_is_refused_when_the_policy_is_loaded() {
    for url in [
        "http://a.example/",
        "http://10.0.0.1/",
        "http://user@127.0.0.1/",
        "http://127.0.0.1/#x",
        "http://127.0.0.1/\r\nX: y",
        "http://127.0.0.1/a b",
        "https://ä.example/",
        "ftp://127.0.0.1/",
        "unix:x",
    ] {
        match Webhook::new(config(url)) {
            Err(error) => assert!(error.starts_with("the webhook's address is refused: "), "{url}: {error}"),
            Ok(webhook) => panic!("{url}: {webhook:?}"),
        }
    }
}

#[test]
fn localhost_is_reached_over_either_family() {
    let service = Service::answering(allow);
    allowed(&webhook(&format!("http://localhost:{}/", service.port)));
    match TcpListener::bind("[::1]:0") {
        Ok(listener) => {
            let service = Service::on(listener, |asked, stream| {
                drop(std::io::Write::write_all(stream, &allow(asked)));
            });
            let record = allowed(&webhook(&format!("http://[::1]:{}/", service.port)));
            assert_eq!(record.peer, Some(format!("[::1]:{}", service.port)));
        }
        Err(error) => eprintln!("skipped: this machine has no IPv6 loopback ({error})"),
    }
}

#[cfg(feature = "https")]
#[test]
fn a_host_that_does_not_exist_or_does_not_answer_costs_no_more_than_the_deadline() {
    for (url, codes) in [
        ("https://approver.invalid/", ["dns", "deadline"]),
        // TEST-NET-1 (RFC 5737): nobody is there.
        ("https://192.0.2.1/", ["connect", "deadline"]),
        ("https://[2001:db8::1]/", ["connect", "deadline"]),
    ] {
        let (answer, record) = crate::ask(&webhook(url), std::time::Duration::from_millis(700));
        assert!(record.code.is_some_and(|code| codes.contains(&code)), "{url}: {answer:?}");
    }
}

#[cfg(not(feature = "https"))]
#[test]
fn a_build_without_tls_says_so_when_the_policy_is_loaded() {
    let error = Webhook::new(config("https://a.example/")).expect_err("refused");
    assert!(error.contains("no TLS") && error.contains("unix:"), "{error}");
}

#[test]
fn no_variable_of_the_environment_leads_elsewhere() {
    const CHILD: &str = "NONO_TEST_APPROVER";
    if let Ok(url) = std::env::var(CHILD) {
        allowed(&webhook(&url));
        return;
    }
    let service = Service::answering(allow);
    let proxy = Service::answering(|_| Vec::new());
    let mut child = Command::new(std::env::current_exe().expect("this test"));
    child.args(["--exact", "places::no_variable_of_the_environment_leads_elsewhere"]).env(CHILD, service.url());
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        child.env(name, proxy.url());
    }
    let output = child.output().expect("a child");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!((service.asked().len(), proxy.asked().len()), (1, 0));
}

/// Runs one test of this file in a mount namespace where `file` has other contents; with `what` in its environment.
fn with_file(test: &str, file: &str, contents: &str, variable: (&str, &str)) {
    let name = std::env::temp_dir().join(format!("nono{}-{}", file.replace('/', "-"), std::process::id()));
    std::fs::write(&name, contents).expect("a file");
    let output = Command::new("unshare")
        .args([
            "--mount",
            "--map-root-user",
            "sh",
            "-c",
            "mount --bind \"$1\" \"$2\" || exit 77; shift 2; exec \"$@\"",
            "sh",
        ])
        .arg(&name)
        .arg(file)
        .arg(std::env::current_exe().expect("this test"))
        .args(["--exact", test, "--nocapture"])
        .env(variable.0, variable.1)
        .output()
        .expect("unshare");
    drop(std::fs::remove_file(&name));
    if !output.status.success() && !String::from_utf8_lossy(&output.stdout).contains("running 1 test") {
        assert!(std::env::var_os("CI").is_none(), "{}", String::from_utf8_lossy(&output.stderr));
        eprintln!("skipped: no mount namespace here: {}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn localhost_with_an_address_elsewhere_is_not_asked() {
    const CHILD: &str = "NONO_TEST_LOCALHOST";
    if let Ok(port) = std::env::var(CHILD) {
        refused(&webhook(&format!("http://localhost:{port}/")), PATIENCE, "loopback", "one address elsewhere");
        allowed(&webhook(&format!("http://127.0.0.1:{port}/")));
        return;
    }
    let service = Service::answering(allow);
    let hosts = "127.0.0.1 localhost\n192.0.2.1 localhost\n";
    let port = service.port.to_string();
    with_file("places::localhost_with_an_address_elsewhere_is_not_asked", "/etc/hosts", hosts, (CHILD, &port));
}

#[cfg(feature = "https")]
#[test]
fn a_name_server_that_says_nothing_is_left_at_the_deadline() {
    const CHILD: &str = "NONO_TEST_NAME_SERVER";
    if std::env::var_os(CHILD).is_some() {
        let webhook = webhook("https://approver.example/");
        for _ in 0..3 {
            refused(&webhook, std::time::Duration::from_millis(300), "deadline", "a silent name server");
        }
        return;
    }
    // A socket that nobody reads.
    let Ok(_silent) = std::net::UdpSocket::bind("127.0.0.77:53") else {
        assert!(std::env::var_os("CI").is_none(), "only root may take the port of name servers");
        eprintln!("skipped: only root may take the port of name servers");
        return;
    };
    let servers = "nameserver 127.0.0.77\n";
    let test = "places::a_name_server_that_says_nothing_is_left_at_the_deadline";
    with_file(test, "/etc/resolv.conf", servers, (CHILD, "1"));
}
