//! Every policy of up to three rules over a small world, against a model that is too simple to be wrong.

use std::collections::HashMap;

use super::*;
use crate::plan::{Near, Operation, Verdict, build, decide, decide_near};
use FileRuleKind::{Allow, Deny, Read, Write};

const PATTERNS: [&str; 4] = ["a", "**/b/a", "/a/*", "*/b"];

/// `/`, and every path of up to three names out of `a` and `b`.
fn universe() -> Vec<String> {
    let mut paths = vec![String::new()];
    let mut level = paths.clone();
    for _ in 0..3 {
        level = level.iter().flat_map(|path| [format!("{path}/a"), format!("{path}/b")]).collect();
        paths.extend(level.iter().cloned());
    }
    paths
}

fn rules() -> Vec<FileRule> {
    let named = |path: &String| if path.is_empty() { "/".to_owned() } else { path.clone() };
    let kinds = [Allow, Deny, Read, Write];
    let mut rules: Vec<FileRule> =
        universe().iter().flat_map(|path| kinds.map(|kind| rule(kind, &named(path)))).collect();
    rules.extend(PATTERNS.map(|pattern| rule(Deny, pattern)));
    rules
}

/// The model: a path and everything above it, as text.
fn above(path: &str) -> Vec<&str> {
    let mut all: Vec<&str> = path.match_indices('/').map(|(slash, _)| &path[..slash]).collect();
    all.push(path);
    all
}

fn model_covers(rule: &FileRule, path: &str) -> bool {
    let depth = |place: &str| place.matches('/').count();
    above(path).iter().any(|place| match &*rule.written {
        "a" => place.ends_with("/a"),
        "**/b/a" => place.ends_with("/b/a"),
        "/a/*" => place.starts_with("/a/") && depth(place) == 2,
        "*/b" => place.ends_with("/b") && depth(place) >= 2,
        "/" => true,
        written => *place == written,
    })
}

/// Bit `3 * path + use` is set when the rules allow it.
fn model(rules: &[&FileRule]) -> u64 {
    let mut allowed = 0;
    for (index, path) in universe().iter().enumerate() {
        let covering: Vec<FileRuleKind> =
            rules.iter().filter(|rule| model_covers(rule, path)).map(|rule| rule.kind).collect();
        let has =
            |kinds: &[FileRuleKind]| covering.iter().any(|kind| kinds.contains(kind)) && !covering.contains(&Deny);
        let uses = [has(&[Allow, Read]), has(&[Allow, Write]), has(&[Allow, Read])];
        for (which, yes) in uses.into_iter().enumerate() {
            allowed |= u64::from(yes) << (3 * index + which);
        }
    }
    allowed
}

fn decided(rules: &[&FileRule], operations: &[[Operation; 3]]) -> u64 {
    let profile = profile(rules.iter().map(|rule| (*rule).clone()).collect());
    let facts = Facts { own_directories: Vec::new(), own_binary: None, ..facts() };
    let plan = build(profile, &facts, &mut World::default());
    let mut allowed = 0;
    for (bit, operation) in operations.iter().flatten().enumerate() {
        allowed |= u64::from(matches!(decide(&plan, operation), Verdict::Allow(_))) << bit;
    }
    allowed
}

fn operations() -> Vec<[Operation; 3]> {
    let path = |text: &String| at(if text.is_empty() { "/" } else { text });
    universe()
        .iter()
        .map(|text| [Operation::Read(path(text)), Operation::Write(path(text)), Operation::Execute(path(text))])
        .collect()
}

#[test]
fn every_policy_of_up_to_three_rules_decides_as_the_model_does() {
    let (rules, operations) = (rules(), operations());
    let mut known: HashMap<Vec<usize>, u64> = HashMap::from([(Vec::new(), 0)]);
    let mut latest: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..3 {
        let longer = |chosen: &Vec<usize>| {
            let (start, chosen) = (chosen.last().map_or(0, |last| last + 1), chosen.clone());
            (start..rules.len()).map(move |next| [chosen.as_slice(), &[next]].concat())
        };
        latest = latest.iter().flat_map(longer).collect();
        for chosen in &latest {
            let named: Vec<&FileRule> = chosen.iter().map(|&index| &rules[index]).collect();
            let allowed = decided(&named, &operations);
            assert_eq!(allowed, model(&named), "{named:?}");
            one_rule_less(chosen, allowed, &rules, &known);
            known.insert(chosen.clone(), allowed);
        }
    }
}

/// A denial only ever closes, any other rule only ever opens.
fn one_rule_less(chosen: &[usize], allowed: u64, rules: &[FileRule], known: &HashMap<Vec<usize>, u64>) {
    for left_out in chosen {
        let others: Vec<usize> = chosen.iter().copied().filter(|index| index != left_out).collect();
        let before = known[&others];
        let (smaller, larger) = if rules[*left_out].kind == Deny { (allowed, before) } else { (before, allowed) };
        assert_eq!(smaller & !larger, 0, "{chosen:?} without {:?}", rules[*left_out]);
    }
}

#[test]
fn the_order_of_the_rules_changes_no_answer() {
    let (rules, operations) = (rules(), operations());
    // A third of the rules: their triples in all six orders stand for the rest, whose answers the model fixed in one order.
    let some: Vec<&FileRule> = rules.iter().step_by(4).chain(rules.iter().skip(1).step_by(9)).collect();
    for (one, first) in some.iter().enumerate() {
        for (two, second) in some.iter().enumerate().skip(one + 1) {
            for third in some.iter().skip(two + 1) {
                let expected = decided(&[first, second, third], &operations);
                for order in [
                    [first, third, second],
                    [second, first, third],
                    [second, third, first],
                    [third, first, second],
                    [third, second, first],
                ] {
                    assert_eq!(decided(&order.map(|rule| *rule), &operations), expected, "{order:?}");
                }
            }
        }
    }
}

#[test]
fn what_is_known_of_a_directory_changes_no_answer() {
    let (rules, operations) = (rules(), operations());
    let directories: Vec<AbsPath> =
        universe().iter().map(|text| at(if text.is_empty() { "/" } else { text })).collect();
    for (one, first) in rules.iter().enumerate() {
        for second in rules.iter().skip(one) {
            let plan = build(profile(vec![first.clone(), second.clone()]), &facts(), &mut World::default());
            for near in directories.iter().map(|directory| Near::new(&plan, directory.clone())) {
                for operation in operations.iter().flatten() {
                    assert_eq!(decide_near(&plan, &near, operation), decide(&plan, operation), "{near:?}: {operation}");
                }
            }
        }
    }
}
