//! Decisions about files and sockets.

use super::*;
use crate::plan::{Operation, Reason, Verdict, build, decide};
use crate::profile::{Approver, Supervisor};
use FileRuleKind::{Allow, Deny, Read, Write};

/// `allow`, `ask` or `deny`, for reading, writing and executing.
fn answers(files: Vec<FileRule>, world: &mut World, path: &str) -> [&'static str; 3] {
    let plan = build(profile(files), &facts(), world);
    [Operation::Read(at(path)), Operation::Write(at(path)), Operation::Execute(at(path))].map(|operation| match decide(
        &plan, &operation,
    ) {
        Verdict::Allow(_) => "allow",
        Verdict::Ask(_) => "ask",
        Verdict::Deny(_) => "deny",
    })
}

#[test]
fn each_kind_of_rule_gives_what_it_says() {
    for (kind, expected) in [
        (Allow, ["allow", "allow", "allow"]),
        (Deny, ["deny", "deny", "deny"]),
        (Read, ["allow", "deny", "allow"]),
        (Write, ["deny", "allow", "deny"]),
    ] {
        assert_eq!(answers(vec![rule(kind, "/a")], &mut World::default(), "/a/b"), expected, "{kind:?}");
        assert_eq!(answers(vec![rule(kind, "/a")], &mut World::default(), "/ab"), ["deny"; 3], "{kind:?}");
    }
}

#[test]
fn a_denial_holds_by_its_own_name_and_where_it_really_is() {
    let mut world = World { links: vec![("/link", "/data/keys")], ..World::default() };
    let files = vec![rule(Allow, "/"), rule(Deny, "/link")];
    for (path, expected) in [("/link/x", "deny"), ("/data/keys/x", "deny"), ("/data/keys", "deny"), ("/data", "allow")]
    {
        assert_eq!(answers(files.clone(), &mut world, path), [expected; 3], "{path}");
    }
}

#[test]
fn a_missing_path_that_is_denied_stays_denied_once_it_appears() {
    let mut world = World { missing: vec!["/data/.env"], ..World::default() };
    let files = vec![rule(Allow, "/data"), rule(Deny, "/data/.env")];
    assert_eq!(answers(files, &mut world, "/data/.env"), ["deny"; 3]);
}

#[test]
fn a_pattern_holds_where_its_directory_really_is() {
    let mut world = World { links: vec![("/people", "/disk/people")], ..World::default() };
    let files = vec![rule(Allow, "/"), except(rule(Deny, "/people/*/*.key"), &["/people/*/public.key"])];
    for (path, expected) in [
        ("/disk/people/me/a.key", "deny"),
        ("/people/me/a.key", "deny"),
        ("/disk/people/me/public.key", "allow"),
        ("/disk/people/me/a.txt", "allow"),
    ] {
        assert_eq!(answers(files.clone(), &mut world, path), [expected; 3], "{path}");
    }
}

#[test]
fn an_exception_of_a_denial_is_as_open_as_without_it() {
    let files = vec![rule(Allow, "/"), except(rule(Deny, "**/.env.*"), &["**/.env.example"])];
    for (path, expected) in [
        ("/p/.env.local", "deny"),
        ("/p/.env.local/deeper/file", "deny"),
        ("/p/.env.example", "allow"),
        ("/p/.env.example/beneath", "allow"),
    ] {
        assert_eq!(answers(files.clone(), &mut World::default(), path), [expected; 3], "{path}");
    }
    let other = [files, vec![rule(Deny, "/p")]].concat();
    assert_eq!(answers(other, &mut World::default(), "/p/.env.example"), ["deny"; 3]);
}

#[test]
fn a_grant_through_a_link_is_a_grant_of_what_it_led_to() {
    let mut world = World { links: vec![("/link", "/data")], ..World::default() };
    assert_eq!(answers(vec![rule(Read, "/link")], &mut world, "/data/x"), ["allow", "deny", "allow"]);
    // Whatever stands at the link's own name later is another object.
    assert_eq!(answers(vec![rule(Read, "/link")], &mut world, "/link/x"), ["deny"; 3]);
}

#[test]
fn no_rule_opens_what_is_nonos_own() {
    let files = vec![rule(Allow, "/"), rule(Allow, "/own/state"), rule(Allow, "/usr/bin/nono")];
    for (path, expected) in [
        ("/own/state/sessions/1", ["deny"; 3]),
        ("/own/state", ["deny"; 3]),
        ("/own", ["allow"; 3]),
        ("/usr/bin/nono", ["allow", "deny", "allow"]),
    ] {
        assert_eq!(answers(files.clone(), &mut World::default(), path), expected, "{path}");
    }
    let mut world = World { links: vec![("/own", "/disk")], ..World::default() };
    assert_eq!(answers(files, &mut world, "/disk/state/key"), ["deny"; 3]);
}

#[test]
fn the_closest_rule_is_the_one_that_is_named() {
    let files = vec![rule(Read, "/"), rule(Allow, "/a"), rule(Read, "/a/b")];
    let plan = build(profile(files), &facts(), &mut World::default());
    for (operation, expected) in [
        (Operation::Read(at("/a/b/c")), "/a/b"),
        (Operation::Write(at("/a/b/c")), "/a"),
        (Operation::Read(at("/z")), "/"),
    ] {
        let Verdict::Allow(Reason::Grant(grant)) = decide(&plan, &operation) else { panic!("{operation}") };
        assert_eq!(&*grant.written, expected, "{operation}");
    }
    let Verdict::Deny(Reason::OtherAccess(grant)) = decide(&plan, &Operation::Write(at("/z"))) else { panic!() };
    assert_eq!(&*grant.written, "/");
}

#[test]
fn only_what_no_rule_closes_is_asked_about() {
    let supervisors = [
        (Supervisor::default(), "deny"),
        (Supervisor { approval: vec![given(Approver::Deny)], ..Supervisor::default() }, "deny"),
        (
            Supervisor { approval: vec![given(Approver::Deny), given(Approver::Terminal)], ..Supervisor::default() },
            "ask",
        ),
        (Supervisor { webhook: Some(given("https://x".into())), ..Supervisor::default() }, "ask"),
        (
            Supervisor {
                webhook: Some(given("https://x".into())),
                approval: vec![given(Approver::Deny)],
                ..Supervisor::default()
            },
            "deny",
        ),
        (
            Supervisor {
                approval: vec![given(Approver::Terminal)],
                enabled: Some(given(false)),
                ..Supervisor::default()
            },
            "deny",
        ),
    ];
    for (supervisor, expected) in supervisors {
        let mut profile = profile(vec![rule(Read, "/a"), rule(Deny, "/d")]);
        profile.supervisor = supervisor;
        let plan = build(profile, &facts(), &mut World::default());
        for (operation, expected) in [
            (Operation::Read(at("/z")), expected),
            (Operation::Write(at("/a/x")), expected),
            (Operation::UnixConnect(at("/z/socket")), expected),
            (Operation::Read(at("/d/x")), "deny"),
            (Operation::UnixConnect(at("/d/socket")), "deny"),
            (Operation::Read(at("/own/state")), "deny"),
            (Operation::Execute(at("/a/x")), "allow"),
        ] {
            let answer = match decide(&plan, &operation) {
                Verdict::Allow(_) => "allow",
                Verdict::Ask(_) => "ask",
                Verdict::Deny(_) => "deny",
            };
            assert_eq!(answer, expected, "{operation}");
        }
    }
}

#[test]
fn a_socket_is_connected_to_by_its_real_path_alone_and_never_when_denied() {
    let mut world = World {
        links: vec![("/var/run", "/run")],
        sockets: vec!["/run/db.sock", "/run/docker.sock"],
        ..World::default()
    };
    let mut profile = profile(vec![rule(Allow, "/run"), rule(Deny, "/var/run/docker.sock")]);
    profile.unix_sockets = ["/var/run/db.sock", "/run/docker.sock"].map(|path| given(at(path))).into();
    let plan = build(profile, &facts(), &mut world);
    let answer = |path| decide(&plan, &Operation::UnixConnect(at(path)));
    assert!(matches!(answer("/run/db.sock"), Verdict::Allow(Reason::UnixSocket(_))));
    assert!(matches!(answer("/run/docker.sock"), Verdict::Deny(Reason::Denial(_))));
    assert!(matches!(answer("/run/other.sock"), Verdict::Deny(Reason::NoRule)));
    assert!(matches!(answer("/run/db.sock/x"), Verdict::Deny(Reason::NoRule)));
}
