//! From rules and a host to grants, denials and warnings.

use super::*;
use crate::plan::{Access, Plan, build};
use FileRuleKind::{Allow, Deny, Read, Write};

fn planned(files: Vec<FileRule>, world: &mut World) -> Plan {
    build(profile(files), &facts(), world)
}

fn warnings(plan: &Plan) -> Vec<&str> {
    plan.warnings.iter().map(|warning| warning.text.as_str()).collect()
}

#[test]
fn each_path_is_looked_up_once_whatever_rules_name_it() {
    let mut world = World::default();
    let files = vec![rule(Read, "/a"), rule(Write, "/a"), rule(Deny, "/b"), rule(Deny, "/b"), rule(Allow, "/b/c")];
    planned(files, &mut world);
    world.asked.sort();
    assert_eq!(world.asked, ["/a", "/b", "/b/c", "/own/state", "/usr/bin/nono"].map(at));
}

#[test]
fn rules_for_one_path_stay_apart_only_where_each_adds_something() {
    let accesses =
        |files| planned(files, &mut World::default()).grants.iter().map(|grant| grant.rule).collect::<Vec<_>>();
    assert_eq!(accesses(vec![rule(Read, "/a"), rule(Read, "/a")]), [Read]);
    assert_eq!(accesses(vec![rule(Read, "/a"), rule(Write, "/a")]), [Read, Write]);
    assert_eq!(accesses(vec![rule(Read, "/a"), rule(Write, "/a"), rule(Allow, "/a")]), [Allow]);
    assert_eq!(accesses(vec![rule(Allow, "/a"), rule(Read, "/a")]), [Allow]);
}

#[test]
fn two_names_of_one_object_share_what_was_found_there() {
    let mut world = World { links: vec![("/bin", "/usr/bin")], ..World::default() };
    let plan = planned(vec![rule(Read, "/bin"), rule(Read, "/usr/bin")], &mut world);
    let reals: Vec<_> = plan.grants.iter().map(|grant| grant.real.clone()).collect();
    assert_eq!(reals, [at("/usr/bin")]);
    let by_link = rule(Deny, "/bin");
    let plan = planned(vec![by_link.clone(), by_link], &mut world);
    assert_eq!((plan.denials.len(), plan.denials[0].real.clone()), (1, Some(at("/usr/bin"))));
}

#[test]
fn a_missing_path_of_a_profile_is_news_and_one_of_a_group_is_not() {
    let mut world = World { missing: vec!["/a", "/g", "/d"], unreachable: vec!["/u"], ..World::default() };
    let mut by_flag = rule(Read, "/a");
    by_flag.from = Provenance::flag("--read");
    let files = vec![rule(Allow, "/a"), by_flag, in_group(rule(Read, "/g"), "go"), rule(Read, "/u"), rule(Deny, "/d")];
    let plan = planned(files, &mut world);
    assert!(plan.grants.is_empty());
    assert_eq!(
        warnings(&plan),
        [
            "/a does not exist, so nothing is granted; create it first, or remove the entry",
            "/a does not exist, so nothing is granted; create it first, or leave the flag out",
            "/u cannot be reached (Permission denied), so nothing is granted; check the directories above it",
        ]
    );
    assert_eq!(plan.missing, [(at("/g"), from_line(7))]);
    assert_eq!(plan.denials.len(), 1);
}

#[test]
fn a_grant_that_a_denial_closes_is_none_and_says_so() {
    let mut world = World { links: vec![("/link", "/keys")], ..World::default() };
    let files = vec![
        rule(Deny, "/keys"),
        rule(Deny, "**/.env"),
        rule(Allow, "/keys/a"),
        rule(Read, "/link/b"),
        rule(Read, "/p/.env"),
        in_group(rule(Read, "/keys/c"), "git"),
        rule(Allow, "/p"),
    ];
    let plan = planned(files, &mut world);
    assert_eq!(plan.grants.iter().map(|grant| grant.path.clone()).collect::<Vec<_>>(), [at("/p")]);
    assert_eq!(plan.warnings.len(), 3);
    assert_eq!(
        warnings(&plan)[0],
        "/keys/a grants nothing: /keys/a is denied (p.json:7:5), and a denial beats every allow"
    );
}

#[test]
fn a_grant_of_nonos_own_files_is_cut_down() {
    let files =
        vec![rule(Allow, "/own/state"), rule(Write, "/usr/bin/nono"), rule(Allow, "/usr/bin/nono"), rule(Read, "/usr")];
    let plan = planned(files, &mut World::default());
    let left: Vec<_> = plan.grants.iter().map(|grant| (grant.path.clone(), grant.access)).collect();
    assert_eq!(left, [(at("/usr/bin/nono"), Access::of(Read)), (at("/usr"), Access::of(Read))]);
    assert_eq!(plan.warnings.len(), 3, "{:?}", plan.warnings);
}

#[test]
fn a_pattern_grants_nothing() {
    let plan = planned(vec![rule(Allow, "**/x")], &mut World::default());
    assert!(plan.grants.is_empty());
    assert_eq!(warnings(&plan), ["**/x is a pattern, which only `deny` takes, so nothing is granted"]);
}

#[test]
fn a_socket_is_granted_when_one_is_there_and_nothing_closes_it() {
    let mut world = World {
        missing: vec!["/run/missing"],
        sockets: vec!["/run/good", "/run/denied", "/own/state/socket"],
        unreachable: vec!["/run/unreachable"],
        ..World::default()
    };
    let mut profile = profile(vec![rule(Deny, "/run/denied")]);
    let named = ["/run/good", "/run/missing", "/run/unreachable", "/run", "/run/denied", "/own/state/socket"];
    profile.unix_sockets = named.map(|path| given(at(path))).into();
    let plan = build(profile, &facts(), &mut world);
    assert_eq!(plan.unix_sockets.iter().map(|socket| socket.path.clone()).collect::<Vec<_>>(), [at("/run/good")]);
    assert_eq!(
        warnings(&plan),
        [
            "no connection is allowed: the socket /run/missing does not exist; start what listens on it first",
            "no connection is allowed: the socket /run/unreachable cannot be reached (Permission denied); check the directories above it",
            "no connection is allowed: /run is not a socket; name the socket itself",
            "no connection is allowed: /run/denied is denied (p.json:7:5), and a denial beats every allow",
            "no connection is allowed: /own/state/socket is nono's own",
        ]
    );
}
