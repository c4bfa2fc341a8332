//! Hosts that no rule covers, under a policy that says whom to ask.

use crate::lab::{API, API_V6, HOME, Lab, OTHER, PRIVATE, each};

/// The flags of a policy with an approver, which says yes to `hosts`, each with a scope.
pub(crate) fn asking(lab: &Lab, hosts: &str) -> [String; 2] {
    lab.write("answers", hosts);
    let policy = lab.world.outside().join("asking.json");
    let text = r#"{ "name": "asking", "extends": ["default"], "network": { "allow": ["api.example.com:80"] },
        "supervisor": { "webhook": "http://127.0.0.1:8080/approve", "timeout_ms": 20000 } }"#;
    lab.world.file(&policy, text);
    ["-p".to_owned(), policy.to_str().expect("a UTF-8 path").to_owned()]
}

fn taken(lab: &Lab) -> Vec<String> {
    let mut asked = lab.taken("questions");
    asked.retain(|line| !line.starts_with("fs."));
    asked
}

#[test]
fn a_host_without_a_rule_is_asked_about_with_its_address() {
    each(|lab| {
        let flags = asking(lab, &format!("other.example.org once\n{OTHER} once\n"));
        let flags = [flags[0].as_str(), flags[1].as_str()];
        assert_eq!(lab.curl(&flags, "http://api.example.com/").stdout, "hello\n");
        assert_eq!(taken(lab), [""; 0], "what is allowed is not asked about");
        let outcome = lab.curl(&flags, "http://other.example.org/");
        assert_eq!(outcome.stdout, "hello\n", "{}", outcome.stderr);
        assert_eq!(taken(lab), [format!("other.example.org 80 tcp {OTHER}")]);
        assert_eq!(lab.curl(&flags, &format!("http://{OTHER}/")).stdout, "hello\n");
        assert_eq!(taken(lab), [format!("{OTHER} 80 tcp {OTHER}")]);
        lab.taken("requests");
        let refused = lab.curl(&flags, "http://evil.example/");
        assert!(refused.code() != 0 && refused.stdout.is_empty(), "{}", refused.stdout);
        assert!(refused.stderr.contains("connect evil.example:80"), "{}", refused.stderr);
        assert_eq!(taken(lab), [format!("evil.example 80 tcp {OTHER}")]);
        assert_eq!(lab.taken("requests"), [""; 0]);
    });
}

#[test]
fn a_question_names_every_address_that_the_connection_may_go_to() {
    each(|lab| {
        let flags = asking(lab, "several.example.org once\n");
        let flags = [flags[0].as_str(), flags[1].as_str()];
        lab.write("zone", &format!("several.example.org 10.0.0.5 {OTHER} {API} 169.254.169.254 {HOME}\n"));
        let outcome = lab.curl(&flags, "http://several.example.org/");
        assert_eq!(outcome.stdout, "hello\n", "{}", outcome.stderr);
        assert_eq!(taken(lab), [format!("several.example.org 80 tcp {OTHER} {API}")]);
        let requests = lab.taken("requests");
        assert!(requests.iter().all(|line| line.starts_with(&format!("::ffff:{OTHER} "))), "{requests:?}");
    });
}

/// With a rule such a host is reached, and without one the account says why it is not.
#[test]
fn a_host_without_ipv4_is_not_asked_about_and_the_account_says_so() {
    each(|lab| {
        let flags = asking(lab, "six.example.org once\n");
        lab.write("zone", &format!("six.example.org {API_V6}\n"));
        let refused = lab.curl(&[&flags[0], &flags[1]], "http://six.example.org/");
        assert!(refused.code() != 0 && refused.stdout.is_empty(), "{}", refused.stdout);
        assert!(refused.stderr.contains("a rule with its name opens both"), "{}", refused.stderr);
        assert_eq!(taken(lab), [""; 0]);
        let flags = [&flags[0], &flags[1], "--allow-host", "six.example.org"];
        assert_eq!(lab.curl(&flags, "http://six.example.org/").stdout, "hello\n");
    });
}

#[test]
fn private_hosts_and_metadata_services_are_never_asked_about() {
    each(|lab| {
        let names = "rebound.example.org once\nmeta.example.org once\nown.example.org once\n";
        let all = format!("{names}{PRIVATE} once\n127.0.0.1 once\n{HOME} once\n");
        let flags = asking(lab, &all);
        let flags = [flags[0].as_str(), flags[1].as_str()];
        let zone = "rebound.example.org 10.0.0.5\nmeta.example.org 169.254.169.254\nown.example.org";
        lab.write("zone", &format!("{zone} {HOME}\n"));
        let hosts = ["rebound.example.org", "meta.example.org", PRIVATE, "127.0.0.1", "localhost", "169.254.169.254"];
        for host in hosts.into_iter().chain(["own.example.org", HOME]) {
            let outcome = lab.curl(&flags, &format!("http://{host}/"));
            assert!(outcome.code() != 0 && outcome.stdout.is_empty(), "{host}: {}", outcome.stdout);
            assert_eq!((taken(lab), lab.taken("requests")), (Vec::new(), Vec::new()), "{host}");
        }
    });
}

#[test]
fn the_approver_is_not_reached_even_where_a_rule_allows_its_address() {
    each(|lab| {
        let policy = lab.world.outside().join("reaching.json");
        let text = |more: &str| {
            format!(
                r#"{{ "name": "reaching", "extends": ["default"],
                "network": {{ "allow": ["127.0.0.1:80", "127.0.0.1:8080", "localhost", "::1"] }}{more} }}"#
            )
        };
        let flags = ["-p", policy.to_str().expect("a UTF-8 path")];
        lab.world.file(&policy, &text(""));
        assert_eq!(lab.curl(&flags, "http://127.0.0.1:8080/").stdout, "hello\n");
        lab.world.file(&policy, &text(r#", "supervisor": { "webhook": "http://127.0.0.1:8080/approve" }"#));
        assert_eq!(lab.curl(&flags, "http://127.0.0.1/").stdout, "hello\n");
        lab.taken("requests");
        for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "127.1", "2130706433"] {
            let outcome = lab.curl(&flags, &format!("http://{host}:8080/"));
            assert!(outcome.code() != 0 && outcome.stdout.is_empty(), "{host}: {}", outcome.stdout);
            assert_eq!(lab.taken("requests"), [""; 0], "{host}");
        }
        let outcome = lab.curl(&flags, "http://127.0.0.1:8080/");
        assert!(outcome.stderr.contains("the policy's own approver"), "{}", outcome.stderr);
    });
}

#[test]
fn an_answer_holds_for_its_host_and_port_as_long_as_it_says() {
    each(|lab| {
        let program = "import socket, sys, time
for host, port in (('other.example.org', 80), ('other.example.org', 80), ('other.example.org', 8080), ('evil.example', 80),
                   ('evil.example', 80)):
    try: socket.create_connection((host, port), 9).close()
    except OSError as error: print(error.errno)
    else: print('yes')
# Five questions a second are listened to.
time.sleep(1.2)
for turn in range(2):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(9)
    try: print(s.sendto(b'x', ('other.example.org', 7)) and s.recv(9))
    except OSError as error: print(error.errno)
";
        for (scope, times) in [("path", 1), ("once", 2)] {
            let flags = asking(lab, &format!("other.example.org {scope}\n"));
            let outcome = lab.python(&[&flags[0], &flags[1]], program, &[]);
            let expected = "yes\nyes\nyes\n13\n13\nb'echo x'\nb'echo x'\n";
            assert_eq!(outcome.stdout, expected, "{scope}: {}", outcome.stderr);
            let asked = taken(lab);
            let count = |line: &str| asked.iter().filter(|each| *each == &format!("{line} {OTHER}")).count();
            assert_eq!(count("other.example.org 80 tcp"), times, "{asked:?}");
            assert_eq!(count("other.example.org 8080 tcp"), 1, "{asked:?}");
            assert_eq!(count("other.example.org 7 udp"), times, "{asked:?}");
            assert_eq!(count("evil.example 80 tcp"), 1, "{asked:?}");
        }
    });
}

#[test]
fn names_are_looked_up_for_questions_no_faster_than_questions_are_asked() {
    each(|lab| {
        let flags = asking(lab, "");
        let program = "import socket
for number in range(200):
    try: socket.create_connection((f'n{number}.evil.example', 80), 9)
    except OSError: pass
";
        let began = std::time::Instant::now();
        let outcome = lab.python(&[&flags[0], &flags[1]], program, &[]);
        assert!(outcome.stderr.contains("too many questions"), "{}", outcome.stderr);
        let mut names: Vec<String> = lab.taken("queries");
        names.retain(|line| line.contains("evil.example") && line.ends_with(" 1"));
        names.sort();
        names.dedup();
        let most = 5 * (began.elapsed().as_secs() + 2);
        assert!((names.len() as u64) <= most, "{} names in {:?}", names.len(), began.elapsed());
    });
}
