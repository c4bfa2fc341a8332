//! What a call points to changes while it is decided about.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::lab::{API, OTHER, each};
use crate::programs::resolvers::built;

#[test]
fn what_is_swapped_during_a_call_leads_nowhere_else() {
    let compile = |source: &Path, target: &Path| {
        let mut compiler = Command::new("cc");
        compiler.args(["-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-o"]).arg(target).arg(source);
        compiler
    };
    let Some(program) = built("race.c", include_str!("race.c"), compile) else { return };
    let program = program.to_str().expect("a UTF-8 path");
    let tries = std::env::var("NONO_RACE_TRIES").unwrap_or_else(|_| "2000".to_owned());
    each(|lab| {
        for (kind, rule, other) in [
            ("address", "93.184.215.14:80", "93.184.215.15:80"),
            ("port", "93.184.215.14:80", "93.184.215.14:8080"),
            ("datagram", "93.184.215.14:7/udp", "93.184.215.15:7/udp"),
            ("message", "93.184.215.14:7/udp", "93.184.215.15:7/udp"),
            ("socket", "93.184.215.15:80/udp", "93.184.215.15:80"),
        ] {
            let words = [program, kind, API, OTHER, &tries];
            let datagrams = |expected: &[&str]| {
                let expected: Vec<String> = expected.iter().map(|host| format!("::ffff:{host}")).collect();
                // The server may be behind.
                let mut hosts = BTreeSet::new();
                loop {
                    let more = lab.taken("datagrams");
                    if more.is_empty() {
                        break;
                    }
                    hosts.extend(more);
                    thread::sleep(Duration::from_millis(500));
                }
                let hosts: Vec<String> = hosts.into_iter().collect();
                assert_eq!(hosts, expected, "{kind}");
            };
            let one = lab.run(&["-s", "--allow-host", rule], &words);
            assert!(one.stdout.starts_with("allowed "), "{kind}: {} {}", one.stdout, one.stderr);
            let is_sent = matches!(kind, "datagram" | "message");
            datagrams(if is_sent { &[API] } else { &[] });
            // With both allowed, both are reached, so what is swapped does take effect.
            let two = lab.run(&["-s", "--allow-host", rule, "--allow-host", other], &words);
            let reached =
                if is_sent { two.stdout.starts_with("allowed ") } else { two.stdout.starts_with("forbidden ") };
            assert!(reached, "{kind}: {} {}", two.stdout, two.stderr);
            datagrams(if is_sent { &[API, OTHER] } else { &[] });
        }
        lab.taken("requests");
    });
}
