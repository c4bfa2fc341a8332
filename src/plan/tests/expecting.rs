//! Policy tests against plans.

use super::*;
use crate::plan::build;
use crate::plan::expect::{AsIfPresent, Holds, check};
use crate::profile::read::expectations::read_expectations;
use crate::profile::variables::Variables;
use FileRuleKind::{Deny, Read};

fn variables() -> Variables {
    Variables::new(at("/srv/dir"), 1000, |_| None)
}

#[test]
fn an_expectation_holds_or_is_explained() {
    let text = br#"[
        { "read": "/data/a", "expect": "allow" },
        { "read": "/data/keys/a", "expect": "deny" },
        { "write": "/data/a", "expect": "allow" },
        { "unix": "/run/db", "expect": "allow" },
        { "connect": "x.org:443", "expect": "deny" },
        { "listen": 80, "expect": "ask" },
        { "exec": "/link/keys/a", "expect": "deny" }
    ]"#;
    let expectations = read_expectations(&Arc::from("p.test.json"), text, &variables()).unwrap();
    // Nothing of the policy is on this host, apart from the link.
    let mut world = World {
        links: vec![("/link", "/data")],
        missing: vec!["/data", "/data/a", "/data/keys", "/data/keys/a", "/run/db"],
        ..World::default()
    };
    let mut profile = profile(vec![rule(Read, "/data"), rule(Deny, "/data/keys")]);
    profile.unix_sockets = vec![given(at("/run/db"))];
    let plan = build(profile, &facts(), &mut AsIfPresent { host: &mut world });
    let outcomes = check(&plan, expectations, &mut world);
    let holds: Vec<Holds> = outcomes.iter().map(|outcome| outcome.holds).collect();
    use Holds::{No, Yes};
    assert_eq!(holds, [Yes, Yes, No, Yes, Yes, No, Yes]);
    assert_eq!(outcomes[2].explanation.rule.as_ref().map(|rule| rule.written.as_str()), Some("/data"));
    assert_eq!(outcomes[2].expectation.from.line, 4);
}
