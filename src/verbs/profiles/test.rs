//! `nono profiles test`: does a policy decide as its tests expect.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::plan::expect::{AsIfPresent, Holds, Outcome, check};
use crate::profile::escape::escaped;
use crate::profile::read::expectations::read_expectations;
use crate::verbs::gather::{self, RunningHost};
use crate::verbs::{NO, REFUSED, YES, print, why};

/// What the name of a file with tests ends in, and the name of a policy.
const TESTS: &[u8] = b".test.json";
const POLICY: &[u8] = b".json";

/// Longest name shown, in characters.
const MOST_SHOWN: usize = 4096;

/// Runs the tests of each file. Answers 0 when every expectation holds, 1 when one does not, and 125 when a file could not be
/// used, whatever the others say.
pub(in crate::verbs) fn test(files: &[OsString], as_json: bool) -> u8 {
    let tested: Vec<Tested> = files.iter().map(|file| tested(file)).collect();
    let printed = match as_json {
        true => print::json(&tested.iter().map(report_as_json).collect()),
        false => print::document(&tested.iter().map(report_as_text).collect::<String>()),
    };
    for problem in tested.iter().filter_map(|tested| tested.outcomes.as_ref().err()).flatten() {
        print::say(problem);
    }
    let status = tested.iter().map(|tested| match &tested.outcomes {
        Ok(outcomes) if outcomes.iter().all(|outcome| outcome.holds == Holds::Yes) => YES,
        Ok(_) => NO,
        Err(_) => REFUSED,
    });
    if printed == YES { status.max().unwrap_or(YES) } else { REFUSED }
}

/// What came of one file.
struct Tested {
    /// The files with the tests and with the policy, safe to print.
    tests: String,
    policy: String,
    /// Or everything that is wrong with the two files.
    outcomes: Result<Vec<Outcome>, Vec<String>>,
}

fn tested(file: &OsStr) -> Tested {
    let name = file.as_bytes();
    let stem = name.strip_suffix(TESTS).or_else(|| name.strip_suffix(POLICY)).unwrap_or(name);
    let tests = OsString::from_vec([stem, TESTS].concat());
    let policy = OsString::from_vec([stem, POLICY].concat());
    let outcomes = match name.ends_with(POLICY) {
        true => outcomes(&tests, &policy),
        false => Err(vec![format!(
            "{}: this is no policy and no file with tests; name a file that ends in .json",
            escaped(name, MOST_SHOWN)
        )]),
    };
    Tested { tests: escaped(tests.as_bytes(), MOST_SHOWN), policy: escaped(policy.as_bytes(), MOST_SHOWN), outcomes }
}

fn outcomes(tests: &OsStr, policy: &OsStr) -> Result<Vec<Outcome>, Vec<String>> {
    let place = escaped(tests.as_bytes(), MOST_SHOWN);
    let bytes = gather::read(Path::new(tests)).map_err(|error| vec![format!("{place}: it cannot be read: {error}")])?;
    let mut host = RunningHost::default();
    let (plan, variables) = gather::plan_of(policy, &mut AsIfPresent { host: &mut host })?;
    let expectations = read_expectations(&Arc::from(place), &bytes, &variables)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    Ok(check(&plan, expectations, &mut host))
}

fn report_as_text(tested: &Tested) -> String {
    let Ok(outcomes) = &tested.outcomes else { return format!("{}: not tested\n", tested.tests) };
    let failed: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.holds == Holds::No).collect();
    let mut text = String::new();
    for Outcome { expectation, explanation, .. } in &failed {
        let lines = explanation.to_string().replace('\n', "\n    ");
        text.push_str(&format!("{}: expected {}\n    {lines}\n", expectation.from, expectation.expected));
    }
    let held = outcomes.len().saturating_sub(failed.len());
    text + &format!("{}: {held} of {} hold\n", tested.tests, outcomes.len())
}

fn report_as_json(tested: &Tested) -> Value {
    let (outcomes, problems) = match &tested.outcomes {
        Ok(outcomes) => (outcomes.as_slice(), [].as_slice()),
        Err(problems) => ([].as_slice(), problems.as_slice()),
    };
    json!({
        "tests": tested.tests,
        "policy": tested.policy,
        "problems": problems,
        "outcomes": outcomes.iter().map(outcome_as_json).collect::<Value>(),
    })
}

fn outcome_as_json(outcome: &Outcome) -> Value {
    let Outcome { expectation, explanation, holds } = outcome;
    json!({
        "line": expectation.from.line,
        "column": expectation.from.column,
        "operation": explanation.operation,
        "expected": expectation.expected.to_string(),
        "decision": explanation.decision,
        "holds": *holds == Holds::Yes,
        "reason": explanation.reason,
        "rule": explanation.rule.as_ref().map(why::rule_as_json),
        "change": explanation.change,
    })
}
