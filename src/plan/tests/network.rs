//! Decisions about connections and listening ports.

use super::*;
use crate::plan::{Operation, Plan, Reason, Verdict, build, decide, network};
use crate::profile::host::{Endpoint, HostRule, Listen, Target};
use crate::profile::{Approver, Network};

fn plan(allow: &[&str], deny_private: Option<bool>, listen: &[&str], approver: bool) -> Plan {
    let mut profile = profile(Vec::new());
    profile.network = Some(Network {
        allow: allow.iter().map(|text| given(HostRule::parse(text).unwrap())).collect(),
        deny_private: deny_private.map(given),
        listen: listen.iter().map(|text| given(Listen::parse(text).unwrap())).collect(),
    });
    if approver {
        profile.supervisor.approval = vec![given(Approver::Terminal)];
    }
    build(profile, &facts(), &mut World::default())
}

fn operation(text: &str) -> Operation {
    let Endpoint { target, port, udp } = Endpoint::parse(text).unwrap();
    Operation::Connect { target, port, udp }
}

/// The verdict in a word or two.
fn word(verdict: &Verdict<'_>) -> String {
    let (decision, reason) = match verdict {
        Verdict::Allow(reason) => ("allow", reason),
        Verdict::Ask(reason) => ("ask", reason),
        Verdict::Deny(reason) => ("deny", reason),
    };
    match reason {
        Reason::Host(given) => format!("{decision} {}", given.value),
        Reason::Listen(given) => format!("{decision} {}", given.value),
        Reason::Metadata => format!("{decision} metadata"),
        Reason::NoNetwork => format!("{decision} no network"),
        Reason::Approver(_) => format!("{decision} approver"),
        Reason::NoRule => decision.to_owned(),
        Reason::Private(_) => format!("{decision} private"),
        Reason::Denial(_)
        | Reason::Grant(_)
        | Reason::OtherAccess(_)
        | Reason::Own(_)
        | Reason::Replaced(_)
        | Reason::UnixSocket(_) => {
            format!("{decision} {reason:?}")
        }
    }
}

fn assert_answers(plan: &Plan, expected: &[(&str, &str)]) {
    for (target, expected) in expected {
        assert_eq!(word(&decide(plan, &operation(target))), *expected, "{target}");
    }
}

#[test]
fn the_approver_is_out_of_reach_whatever_is_allowed() {
    for (url, refused, allowed) in [
        ("https://approve.example.com/x?y", "approve.example.com:443", "approve.example.com:444"),
        ("https://approve.example.com", "APPROVE.example.com:443", "api.example.com:443"),
        ("https://approve.example.com:8080/x", "approve.example.com:8080", "approve.example.com:80"),
        ("http://127.0.0.1/", "127.0.0.1:80", "127.0.0.1:443"),
        ("http://127.0.0.1:8080/", "localhost:8080", "localhost:80"),
        ("http://localhost:8080/", "[::1]:8080", "[::1]:80"),
        ("http://localhost:8080/", "127.0.0.2:8080", "127.0.0.2:80"),
        ("http://[::1]:8080/", "[::ffff:127.0.0.1]:8080", "[::ffff:127.0.0.1]:80"),
        ("https://93.184.215.14/", "93.184.215.14:443", "93.184.215.14:443/udp"),
    ] {
        let rules = ["*.example.com", "localhost", "127.0.0.0/8", "::1", "93.184.215.14", "93.184.215.14:443/udp"];
        let mut plan = plan(&rules, None, &[], false);
        assert!(matches!(decide(&plan, &operation(refused)), Verdict::Allow(_)), "{refused}");
        plan.profile.supervisor.webhook = Some(given(url.to_owned()));
        assert_eq!(word(&decide(&plan, &operation(refused))), "deny approver", "{url}");
        assert!(matches!(decide(&plan, &operation(allowed)), Verdict::Allow(_)), "{url} {allowed}");
        if let Operation::Connect { target: Target::Address(address), port, .. } = operation(refused) {
            let led = network::lead_to(&plan, Reason::NoRule, address, port, false, None);
            assert_eq!(word(&led), "deny approver", "{url}");
        }
    }
}

#[test]
fn without_the_key_there_is_no_network_and_no_question() {
    let mut profile = profile(Vec::new());
    profile.supervisor.approval = vec![given(Approver::Terminal)];
    let plan = build(profile, &facts(), &mut World::default());
    assert_answers(&plan, &[("example.com:443", "deny no network"), ("127.0.0.1:80", "deny no network")]);
    assert_eq!(word(&decide(&plan, &Operation::Listen(Listen::parse("8080").unwrap()))), "deny no network");
}

#[test]
fn a_name_is_decided_by_names_and_the_nearest_rule_is_named() {
    let plan = plan(&["example.com:443", "*.example.com", "*.b.example.com:443", "x.org:53/udp"], None, &[], false);
    assert_answers(
        &plan,
        &[
            ("example.com:443", "allow example.com:443"),
            ("EXAMPLE.com.:443", "allow example.com:443"),
            ("example.com:80", "deny"),
            ("example.com:443/udp", "deny"),
            ("a.example.com:80", "allow *.example.com"),
            ("a.b.example.com:443", "allow *.b.example.com:443"),
            ("evil-example.com:443", "deny"),
            ("example.com.evil.org:443", "deny"),
            ("x.org:53/udp", "allow x.org:53/udp"),
            ("x.org:53", "deny"),
            ("93.184.215.14:443", "deny"),
        ],
    );
}

#[test]
fn an_address_that_is_private_needs_a_rule_about_private_addresses() {
    let broad = ["0.0.0.0/1", "128.0.0.0/1", "10.1.0.0/16:5432", "127.0.0.1:6379", "fd00::/8"];
    let allowed = [
        ("10.1.2.3:5432", "allow 10.1.0.0/16:5432"),
        ("127.0.0.1:6379", "allow 127.0.0.1:6379"),
        ("[::ffff:127.0.0.1]:6379", "allow 127.0.0.1:6379"),
        ("[fd12::1]:1", "allow fd00::/8"),
        ("93.184.215.14:443", "allow 0.0.0.0/1"),
    ];
    let refused = ["10.1.2.3:80", "10.2.0.0:5432", "127.0.0.1:80", "127.0.0.2:6379", "192.168.0.1:443", "100.64.1.1:1"];
    for approver in [false, true] {
        let plan = plan(&broad, None, &[], approver);
        assert_answers(&plan, &allowed);
        assert_answers(&plan, &refused.map(|target| (target, "deny private")));
        let elsewhere = if approver { "ask" } else { "deny" };
        assert_answers(&plan, &[("[2606:4700::1]:443", elsewhere), ("[64:ff9b::7f00:1]:1", "deny private")]);
    }
    let open = plan(&broad, Some(false), &[], false);
    assert_answers(&open, &allowed);
    assert_answers(&open, &[("10.1.2.3:80", "allow 0.0.0.0/1"), ("192.168.0.1:443", "allow 128.0.0.0/1")]);
    assert_answers(&open, &[("[fe80::1]:80", "deny")]);
}

#[test]
fn a_metadata_address_is_opened_by_its_literal_address_alone_and_never_asked_about() {
    for deny_private in [None, Some(true), Some(false)] {
        let broad = plan(&["169.254.0.0/16", "0.0.0.0/1", "128.0.0.0/1"], deny_private, &[], true);
        for target in ["169.254.169.254:80", "100.100.100.200:80", "[::ffff:a9fe:a9fe]:80", "[fd00:ec2::254]:80"] {
            assert_answers(&broad, &[(target, "deny metadata")]);
        }
        let literal = plan(&["169.254.169.254:80"], deny_private, &[], true);
        assert_answers(&literal, &[("169.254.169.254:80", "allow 169.254.169.254:80")]);
        assert_answers(
            &literal,
            &[("169.254.169.254:443", "deny metadata"), ("[64:ff9b::a9fe:a9fe]:80", "deny metadata")],
        );
    }
}

#[test]
fn an_unlisted_name_is_a_question_where_somebody_may_answer() {
    assert_answers(&plan(&[], None, &[], true), &[("example.com:443", "ask"), ("93.184.215.14:443", "ask")]);
    assert_answers(&plan(&[], None, &[], true), &[("127.0.0.1:443", "deny private")]);
    assert_answers(&plan(&[], None, &[], false), &[("example.com:443", "deny")]);
}

#[test]
fn listening_needs_the_very_address_and_port() {
    let plan = plan(&[], None, &["8080", "0.0.0.0:9090", "10.0.0.1:7"], false);
    for (wanted, expected) in [
        ("8080", "allow 8080"),
        ("127.0.0.1:8080", "allow 8080"),
        ("[::1]:8080", "allow 8080"),
        ("0.0.0.0:8080", "deny"),
        ("[::]:8080", "deny"),
        ("8081", "deny"),
        ("0.0.0.0:9090", "allow 0.0.0.0:9090"),
        ("[::]:9090", "deny"),
        ("127.0.0.1:9090", "deny"),
        ("10.0.0.1:7", "allow 10.0.0.1:7"),
        ("10.0.0.2:7", "deny"),
    ] {
        assert_eq!(word(&decide(&plan, &Operation::Listen(Listen::parse(wanted).unwrap()))), expected, "{wanted}");
    }
}

#[test]
fn a_name_is_looked_up_when_some_port_of_it_is_allowed() {
    let look = |plan: &Plan, name: &str| word(&network::look_up(plan, &Target::Name(name.to_owned())));
    let closed = plan(&["api.example.com:443", "*.example.org:53/udp", "10.0.0.0/8"], None, &[], false);
    assert_eq!(look(&closed, "api.example.com"), "allow api.example.com:443");
    assert_eq!(look(&closed, "a.example.org"), "allow *.example.org:53/udp");
    for name in ["example.com", "x.api.example.com", "example.org", "aexample.org", "api.example.com.evil.example"] {
        assert_eq!(look(&closed, name), "deny", "{name}");
    }
    assert!(network::has_names(&closed) && network::connects(&closed));
    let literal = plan(&["10.0.0.0/8"], None, &[], false);
    assert!(!network::has_names(&literal) && network::connects(&literal));
    let asking = plan(&[], None, &[], true);
    assert_eq!(look(&asking, "example.com"), "ask");
    assert!(network::has_names(&asking) && network::connects(&asking));
    let listening = plan(&[], None, &["8080"], false);
    assert!(!network::has_names(&listening) && !network::connects(&listening));
}

#[test]
fn a_name_leads_to_public_addresses_and_to_others_only_where_they_are_allowed_themselves() {
    let led = |plan: &Plan, address: &str| {
        let by_name = Operation::Connect { target: Target::Name("a.example".to_owned()), port: 443, udp: false };
        let Verdict::Allow(by_name) = decide(plan, &by_name) else { panic!("a.example is not allowed") };
        word(&network::lead_to(plan, by_name, address.parse().unwrap(), 443, false, None))
    };
    let private = ["10.1.2.3", "192.168.0.1", "100.64.0.1", "fd00::1", "fe80::1", "::ffff:10.1.2.3", "2002:a01:203::"];
    let own = ["127.0.0.1", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1"];
    let metadata = ["169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"];
    for approver in [false, true] {
        let closed = plan(&["a.example", "0.0.0.0/1"], None, &[], approver);
        assert_eq!(led(&closed, "93.184.215.14"), "allow a.example");
        private.iter().chain(&own).for_each(|address| assert_eq!(led(&closed, address), "deny private", "{address}"));
        metadata.iter().for_each(|address| assert_eq!(led(&closed, address), "deny metadata", "{address}"));
        let open = plan(&["a.example"], Some(false), &[], approver);
        private.iter().for_each(|address| assert_eq!(led(&open, address), "allow a.example", "{address}"));
        own.iter().for_each(|address| assert_eq!(led(&open, address), "deny private", "{address}"));
        metadata.iter().for_each(|address| assert_eq!(led(&open, address), "deny metadata", "{address}"));
    }
    let literal = plan(&["a.example", "10.1.0.0/16:443", "127.0.0.1", "169.254.169.254:443"], None, &[], false);
    for (address, verdict) in [
        ("10.1.2.3", "allow 10.1.0.0/16:443"),
        ("10.2.0.0", "deny private"),
        ("127.0.0.1", "allow 127.0.0.1"),
        ("169.254.169.254", "allow 169.254.169.254:443"),
    ] {
        assert_eq!(led(&literal, address), verdict, "{address}");
    }
}

#[test]
fn an_address_of_this_machine_is_private_whatever_its_number() {
    let address = "93.184.215.14".parse().unwrap();
    let here = |plan: &Plan| word(&network::connect_home(plan, address, 443, false, "own"));
    let led = |plan: &Plan| {
        let by_name = Operation::Connect { target: Target::Name("a.example".to_owned()), port: 443, udp: false };
        let Verdict::Allow(by_name) = decide(plan, &by_name) else { panic!("a.example is not allowed") };
        word(&network::lead_to(plan, by_name, address, 443, false, Some("own")))
    };
    for approver in [false, true] {
        let broad = plan(&["a.example", "93.184.0.0/16"], None, &[], approver);
        assert_eq!((here(&broad), led(&broad)), ("deny private".to_owned(), "deny private".to_owned()));
        let open = plan(&["a.example"], Some(false), &[], approver);
        assert_eq!((here(&open), led(&open)), ("deny".to_owned(), "deny private".to_owned()));
        for deny_private in [None, Some(false)] {
            let literal = plan(&["a.example", "93.184.0.0/16", "93.184.215.14:443"], deny_private, &[], approver);
            assert_eq!((here(&literal), led(&literal)), (literal_rule(), literal_rule()));
        }
    }
    let network = plan(&["a.example", "10.1.0.0/16"], None, &[], false);
    assert_eq!(
        word(&network::connect_home(&network, "10.1.2.3".parse().unwrap(), 443, false, "own")),
        "allow 10.1.0.0/16"
    );
}

fn literal_rule() -> String {
    "allow 93.184.215.14:443".to_owned()
}
