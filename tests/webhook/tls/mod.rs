//! TLS servers with certificates that OpenSSL made: the right one, and every wrong one.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use nono::approval::Answer;
use nono::approval::webhook::{Config, Webhook};

use crate::service::{Service, allow};
use crate::{PATIENCE, allowed, config, refused};

/// A name, the subject's alternative names, and what else the certificate says.
const CERTIFICATES: [(&str, &str, &str); 6] = [
    ("good", "DNS:localhost,IP:127.0.0.1", ""),
    ("other-name", "DNS:approver.example", ""),
    ("similar-name", "DNS:*.localhost,DNS:localhost.example", ""),
    ("client", "DNS:localhost,IP:127.0.0.1", "extendedKeyUsage=clientAuth"),
    ("expired", "DNS:localhost,IP:127.0.0.1", ""),
    ("future", "DNS:localhost,IP:127.0.0.1", ""),
];

/// A running server; it ends with the test.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn new(certificate: &str, behaviour: &str) -> Self {
        let folder = certificates();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/webhook/tls/server.py");
        let mut child = Command::new("/usr/bin/python3")
            .args(["-W", "ignore"])
            .arg(script)
            .args([folder.join(format!("{certificate}.pem")), folder.join(format!("{certificate}.key"))])
            .arg(behaviour)
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a port");
        Self { child, port: line.trim().parse().expect("a port") }
    }

    /// An approver that trusts the authority of the tests.
    fn webhook(&self, host: &str) -> Webhook {
        trusting(&format!("https://{host}:{}/approve", self.port), "ca")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn trusting(url: &str, authority: &str) -> Webhook {
    let ca = std::fs::read(certificates().join(format!("{authority}.pem"))).expect("a certificate");
    Webhook::new(Config { ca: Some(ca), ..config(url) }).expect("a webhook")
}

/// A folder with two authorities (`ca`, `other-ca`), a certificate that nobody signed (`self-signed`), and those of the table.
fn certificates() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("certificates-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        for name in ["ca", "other-ca"] {
            openssl(&folder, &format!("req -x509 {} -keyout {name}.key -out {name}.pem -days 30 -subj /CN={name}", KEY));
        }
        openssl(
            &folder,
            &format!(
                "req -x509 {KEY} -keyout self-signed.key -out self-signed.pem -days 30 -subj /CN=localhost \
                 -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE"
            ),
        );
        std::fs::write(folder.join("index.txt"), "").expect("a file");
        std::fs::write(folder.join("ca.conf"), AUTHORITY).expect("a file");
        for (name, names, more) in CERTIFICATES {
            let extensions = format!("[e]\nbasicConstraints=critical,CA:FALSE\nsubjectAltName={names}\n{more}\n");
            std::fs::write(folder.join(format!("{name}.ext")), extensions).expect("a file");
            openssl(&folder, &format!("req {KEY} -new -keyout {name}.key -out {name}.csr -subj /CN=localhost"));
            let dates = match name {
                "expired" => "-startdate 20200101000000Z -enddate 20200201000000Z",
                "future" => "-startdate 20980101000000Z -enddate 20990101000000Z",
                _ => "-days 30",
            };
            openssl(
                &folder,
                &format!(
                    "ca -batch -notext -config ca.conf -in {name}.csr -out {name}.pem -extfile {name}.ext -extensions e {dates}"
                ),
            );
        }
        folder
    })
}

const KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";

const AUTHORITY: &str = "[ca]\ndefault_ca=a\n[a]\ndatabase=index.txt\nnew_certs_dir=.\ncertificate=ca.pem\nprivate_key=ca.key\n\
    default_md=sha256\nrand_serial=yes\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n";

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl").current_dir(folder).args(arguments.split_ascii_whitespace()).output();
    let output = output.expect("openssl");
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_server_with_the_right_certificate_is_asked() {
    for (behaviour, host) in
        [("polite", "localhost"), ("polite", "127.0.0.1"), ("tls1.2", "localhost"), ("tls1.3", "localhost")]
    {
        let server = Server::new("good", behaviour);
        let record = allowed(&server.webhook(host));
        assert_eq!(record.key_sha256.map(|key| key.to_vec()), Some(public_key("good")), "{behaviour}");
    }
}

#[test]
fn an_authority_s_own_certificate_is_refused_with_what_to_do() {
    let server = Server::new("ca", "polite");
    let (answer, record) = crate::ask(&server.webhook("localhost"), PATIENCE);
    assert_eq!(record.code, Some("tls-certificate"), "{answer:?}");
    let Answer::Unusable { reason } = answer else { panic!("{answer:?}") };
    assert!(reason.contains("it shows the certificate of an authority") && reason.contains("CA:FALSE"), "{reason}");
}

#[test]
fn an_answer_of_known_length_needs_no_farewell_and_any_other_is_refused() {
    allowed(&Server::new("good", "rude").webhook("localhost"));
    refused(&Server::new("good", "cut").webhook("localhost"), PATIENCE, "truncated", "a cut body");
    refused(&Server::new("good", "no-length").webhook("localhost"), PATIENCE, "framing", "a body without length");
}

#[test]
fn a_wrong_certificate_is_refused_for_its_own_reason() {
    for (certificate, host, code) in [
        ("expired", "localhost", "tls-expired"),
        ("future", "localhost", "tls-expired"),
        ("other-name", "localhost", "tls-name"),
        ("other-name", "127.0.0.1", "tls-name"),
        ("similar-name", "localhost", "tls-name"),
        ("client", "localhost", "tls-certificate"),
        ("self-signed", "localhost", "tls-unknown-ca"),
    ] {
        let server = Server::new(certificate, "polite");
        let record = refused(&server.webhook(host), PATIENCE, code, certificate);
        assert_eq!((record.requests, record.status), (1, None), "{certificate}");
    }
}

#[test]
fn an_authority_that_is_not_trusted_is_refused() {
    let server = Server::new("good", "polite");
    let url = format!("https://localhost:{}/", server.port);
    refused(&trusting(&url, "other-ca"), PATIENCE, "tls-unknown-ca", "another authority");
    match Webhook::new(config(&url)) {
        Ok(system) => drop(refused(&system, PATIENCE, "tls-unknown-ca", "the system's authorities")),
        Err(error) => assert!(error.contains("no certificates to trust"), "{error}"),
    }
}

#[test]
fn tls_before_1_2_is_refused() {
    let server = Server::new("good", "tls1.1");
    refused(&server.webhook("localhost"), PATIENCE, "tls-version", "TLS 1.1");
}

#[test]
fn a_server_without_tls_or_without_words_is_refused() {
    let plain = Service::answering(allow);
    let url = format!("https://localhost:{}/", plain.port);
    let (answer, record) = crate::ask(&trusting(&url, "ca"), Duration::from_millis(600));
    // The script waits for a request that never comes, or the bytes of TLS end it.
    assert!(record.code.is_some_and(|code| ["tls", "deadline"].contains(&code)), "{answer:?}");

    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("https://localhost:{}/", silent.local_addr().expect("an address").port());
    refused(&trusting(&url, "ca"), Duration::from_millis(400), "deadline", "silence in the handshake");

    let talking = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("https://localhost:{}/", talking.local_addr().expect("an address").port());
    std::thread::spawn(move || {
        for stream in talking.incoming().flatten() {
            drop(std::io::Write::write_all(&mut &stream, b"HTTP/1.1 400 Bad Request\r\n\r\n"));
            std::thread::sleep(Duration::from_millis(500));
        }
    });
    refused(&trusting(&url, "ca"), PATIENCE, "tls", "HTTP where TLS should be");
}

#[test]
fn a_file_of_certificates_that_is_none_is_told_when_the_policy_is_loaded() {
    let good = std::fs::read_to_string(certificates().join("ca.pem")).expect("a certificate");
    let key = std::fs::read_to_string(certificates().join("ca.key")).expect("a key");
    for (case, text) in [
        ("nothing", String::new()),
        ("text", "hello".to_owned()),
        ("a key", key),
        ("a cut one", good[..good.len() / 2].to_owned()),
        ("no base64", good.replace('M', "!")),
        ("no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned()),
        ("a good and a bad one", format!("{good}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")),
    ] {
        let config = Config { ca: Some(text.into_bytes()), ..config("https://localhost/") };
        match Webhook::new(config) {
            Err(error) => assert!(error.contains("file of certificates"), "{case}: {error}"),
            Ok(_) => panic!("{case} was taken"),
        }
    }
}

#[test]
fn the_certificates_of_the_environment_count_only_without_a_file() {
    const CHILD: &str = "NONO_TEST_TLS_APPROVER";
    if let Ok(url) = std::env::var(CHILD) {
        // The environment trusts `other-ca`, which did not sign; then the file decides.
        refused(&Webhook::new(config(&url)).expect("a webhook"), PATIENCE, "tls-unknown-ca", "the environment's");
        let file = std::env::var_os("NONO_TEST_AUTHORITY").expect("a path");
        let ca = Some(std::fs::read(file).expect("a certificate"));
        allowed(&Webhook::new(Config { ca, ..config(&url) }).expect("a webhook"));
        return;
    }
    let server = Server::new("good", "polite");
    let output = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "tls::the_certificates_of_the_environment_count_only_without_a_file"])
        .env(CHILD, format!("https://localhost:{}/", server.port))
        .env("NONO_TEST_AUTHORITY", certificates().join("ca.pem"))
        .env("SSL_CERT_FILE", certificates().join("other-ca.pem"))
        .output()
        .expect("a child");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// SHA-256 of the certificate's SubjectPublicKeyInfo, as OpenSSL has it.
fn public_key(certificate: &str) -> Vec<u8> {
    let folder = certificates();
    openssl(folder, &format!("x509 -in {certificate}.pem -pubkey -noout -out {certificate}.spki"));
    openssl(folder, &format!("pkey -pubin -in {certificate}.spki -outform der -out {certificate}.der"));
    openssl(folder, &format!("dgst -sha256 -binary -out {certificate}.hash {certificate}.der"));
    std::fs::read(folder.join(format!("{certificate}.hash"))).expect("a hash")
}
