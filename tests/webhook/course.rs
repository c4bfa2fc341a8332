//! Questions that are asked again, waited for, withdrawn, or sent to a policy agent.

use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use nono::approval::webhook::{Config, Format, Webhook};
use nono::approval::{Answer, Approver, Cancelled, Scope};

use crate::service::{Asked, Service, allow, allowing, ok, with_status};
use crate::{PATIENCE, allowed, ask, config, question, refused, webhook};

#[test]
fn the_request_is_a_signed_looking_post_that_says_no_arguments() {
    let service = Service::answering(allow);
    let record = allowed(&webhook(&service.url()));
    let asked = service.asked().remove(0);
    assert!(asked.head.starts_with("POST /approve HTTP/1.1\r\n"), "{}", asked.head);
    assert_eq!(asked.field("host"), Some(format!("127.0.0.1:{}", service.port).as_str()));
    assert_eq!(asked.field("content-type"), Some("application/json"));
    assert_eq!(asked.field("connection"), Some("close"));
    assert_eq!(asked.field("accept-encoding"), Some("identity"));
    assert_eq!(asked.field("webhook-signature"), None);
    assert!(asked.field("user-agent").is_some_and(|agent| agent.starts_with("nono/")));
    assert_eq!((asked.uid().len(), asked.uid()), (32, record.uid.as_str()));
    let json = asked.json();
    assert_eq!(json["request"]["uid"], *record.uid);
    assert!(json["request"]["process"].get("argv").is_none());
    assert_eq!(record.peer.as_deref(), Some(format!("127.0.0.1:{}", service.port).as_str()));
    assert!(record.request_sha256.is_some() && record.response_sha256.is_some() && record.key_sha256.is_none());
}

#[test]
fn two_questions_have_two_ids_and_two_nonces() {
    let service = Service::answering(allow);
    let webhook = webhook(&service.url());
    assert_ne!(allowed(&webhook).uid, allowed(&webhook).uid);
    let asked = service.asked();
    assert_ne!(asked[0].json()["request"]["nonce"], asked[1].json()["request"]["nonce"]);
}

#[test]
fn a_busy_approver_is_asked_again_with_the_same_id() {
    for status in ["429 x", "502 x", "503 x", "504 x"] {
        let service = Service::answering(move |asked| match asked.earlier {
            0 | 1 => with_status(status, "", "{}"),
            _ => allow(asked),
        });
        let began = Instant::now();
        let record = allowed(&webhook(&service.url()));
        assert_eq!(record.requests, 3, "{status}");
        assert!(began.elapsed() >= Duration::from_millis(750), "{:?}", began.elapsed());
        let asked = service.asked();
        assert!(asked.iter().all(|asked| asked.uid() == record.uid));
        let attempts: Vec<_> = asked.iter().map(|asked| asked.json()["request"]["attempt"].as_u64()).collect();
        assert_eq!(attempts, [Some(1), Some(2), Some(3)]);
        assert!(asked.windows(2).all(|two| two[0].json()["request"]["nonce"] == two[1].json()["request"]["nonce"]));
    }
}

#[test]
fn three_more_tries_are_enough() {
    let service = Service::answering(|_| with_status("503 x", "", ""));
    let record = refused(&webhook(&service.url()), PATIENCE, "status", "always busy");
    assert_eq!((record.requests, service.asked().len(), record.status), (4, 4, Some(503)));
}

#[test]
fn the_approver_says_when_to_try_again() {
    let service = Service::answering(|asked| match asked.earlier {
        0 => with_status("503 x", "Retry-After: 1\r\n", ""),
        _ => allow(asked),
    });
    let began = Instant::now();
    allowed(&webhook(&service.url()));
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());

    for after in ["3600", "18446744073709551615", "99999999999999999999999"] {
        let service = Service::answering(move |_| with_status("503 x", &format!("Retry-After: {after}\r\n"), ""));
        let patience = Duration::from_millis(900);
        let record = refused(&webhook(&service.url()), patience, "status", after);
        assert!(record.requests <= 2, "{after}: {}", record.requests);
    }
}

#[test]
fn an_approver_that_starts_a_moment_later_is_reached() {
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let webhook = webhook(&format!("http://{closed}/"));
    let starting = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        Service::on(TcpListener::bind(closed).expect("the same port"), |asked, stream| {
            drop(std::io::Write::write_all(stream, &allow(asked)));
        })
    });
    let record = allowed(&webhook);
    assert!((2..=4).contains(&record.requests), "{}", record.requests);
    drop(starting.join());
}

#[test]
fn nobody_at_the_port_is_no_answer() {
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let record = refused(&webhook(&format!("http://{closed}/")), PATIENCE, "connect", "closed");
    assert_eq!((record.requests, record.status), (4, None));
    let record = refused(&webhook(&format!("http://{closed}/")), Duration::from_millis(100), "connect", "closed");
    assert_eq!(record.requests, 1);
}

#[test]
fn a_promised_answer_is_fetched_beneath_the_same_url() {
    let elsewhere = Service::answering(allow);
    let location = format!("Location: {}\r\n", elsewhere.url());
    let service = Service::answering(move |asked| match asked.earlier {
        0 | 1 => with_status("202 Accepted", &location, r#"{"status":"pending","poll_after_ms":150}"#),
        2 => with_status("503 x", "", ""),
        _ => allow(asked),
    });
    let began = Instant::now();
    let record = allowed(&webhook(&service.url()));
    assert!(began.elapsed() >= Duration::from_millis(550), "{:?}", began.elapsed());
    let asked = service.asked();
    assert_eq!(asked.len(), 4);
    for asked in &asked[1..] {
        assert!(asked.head.starts_with(&format!("GET /approve/{} HTTP/1.1\r\n", record.uid)), "{}", asked.head);
        assert!(asked.body.is_empty() && asked.uid() == record.uid);
    }
    assert!(elsewhere.asked().is_empty());
}

#[test]
fn a_promise_that_is_not_kept_ends_with_the_deadline() {
    for pause in [0, 100, 60_000] {
        let body = format!(r#"{{"status":"pending","poll_after_ms":{pause}}}"#);
        let service = Service::answering(move |_| with_status("202 x", "", &body));
        let record = refused(&webhook(&service.url()), Duration::from_millis(800), "deadline", "pending");
        assert!((2..=9).contains(&record.requests), "{pause}: {}", record.requests);
    }
    for (body, code) in [("{}", "version"), (r#"{"status":"pending","poll_after_ms":1e3}"#, "wrong-type"), ("", "json")]
    {
        let service = Service::answering(move |_| with_status("202 x", "", body));
        refused(&webhook(&service.url()), PATIENCE, code, body);
    }
    let service = Service::answering(|asked| match asked.earlier {
        0 => with_status("202 x", "", r#"{"status":"pending","poll_after_ms":100}"#),
        _ => with_status("404 x", "", ""),
    });
    refused(&webhook(&service.url()), PATIENCE, "status", "forgotten");
}

#[test]
fn an_answer_to_an_earlier_question_is_not_taken_again() {
    let first = std::sync::Mutex::new(String::new());
    let service = Service::answering(move |asked| {
        let mut first = first.lock().expect("a lock");
        if first.is_empty() {
            asked.uid().clone_into(&mut first);
        }
        ok(&allowing(&first))
    });
    let webhook = webhook(&service.url());
    allowed(&webhook);
    refused(&webhook, PATIENCE, "uid-reused", "replayed");
}

#[test]
fn a_withdrawn_question_is_left_at_once() {
    let service = Service::new(|_, _| thread::sleep(Duration::from_secs(4)));
    let webhook = webhook(&service.url());
    let cancelled = Cancelled::default();
    let began = Instant::now();
    thread::scope(|scope| {
        let asking = scope.spawn(|| webhook.ask(&question(), began + PATIENCE, &cancelled));
        thread::sleep(Duration::from_millis(200));
        cancelled.cancel();
        let (answer, record) = asking.join().expect("an answer");
        assert_eq!(record.and_then(|record| record.code), Some("cancelled"));
        assert!(matches!(&answer, Answer::None { reason } if reason.ends_with("(cancelled)")), "{answer:?}");
    });
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[test]
fn a_question_whose_time_is_over_is_not_sent() {
    let service = Service::answering(allow);
    let (answer, record) = webhook(&service.url()).ask_and_record(&question(), Instant::now(), &Cancelled::default());
    assert!(matches!(answer, Answer::None { .. }));
    assert_eq!((record.code, service.asked().len()), (Some("deadline"), 0));
}

#[test]
fn what_the_approver_says_reaches_whoever_asked() {
    let answer = |members: &str| {
        let members = members.to_owned();
        Service::answering(move |asked: &Asked| ok(&allowing(asked.uid()).replace("\"decision\":\"allow\"", &members)))
    };
    let service = answer(
        r#""decision":"approve","scope":"path","expires_at":"2200-01-01T00:00:00Z","approver":"alice","annotations":{"ticket":"X-1"}"#,
    );
    let (given, record) = ask(&webhook(&service.url()), PATIENCE);
    let Answer::Allow { scope: Scope::Object, until: Some(until), approver } = given else { panic!("{given:?}") };
    assert_eq!(until, std::time::UNIX_EPOCH + Duration::from_secs(7_258_118_400));
    assert_eq!(approver, format!("alice (http://127.0.0.1:{})", service.port));
    assert_eq!(record.annotations.get("ticket").map(String::as_str), Some("X-1"));

    let service = answer(r#""decision":"deny","reason":"not today\u001b[2J""#);
    let (given, _) = ask(&webhook(&service.url()), PATIENCE);
    assert!(matches!(&given, Answer::Deny { reason, .. } if reason == "not today\\u{1b}[2J"), "{given:?}");
}

#[test]
fn a_policy_agent_is_asked_in_its_own_way() {
    let agent = |result: &'static str| {
        let service = Service::answering(move |_| ok(result));
        let webhook = Webhook::new(Config { format: Format::Opa, ..config(&service.url()) }).expect("a webhook");
        (service, webhook)
    };
    let (service, webhook) = agent(r#"{"result":true,"decision_id":"1"}"#);
    allowed(&webhook);
    assert_eq!(service.asked()[0].json()["input"]["target"]["path"], "/etc/hosts");
    for (result, reason) in [
        ("{}", "undefined: no rule of the policy decides"),
        (r#"{"result":false}"#, "it gave no reason"),
        (r#"{"result":{"allow":false,"reason":"no"}}"#, "no"),
    ] {
        let (given, _) = ask(&agent(result).1, PATIENCE);
        assert!(matches!(&given, Answer::Deny { reason: told, .. } if told == reason), "{result}: {given:?}");
    }
    refused(&agent(r#"{"result":"allow"}"#).1, PATIENCE, "wrong-type", "a word");
    let service = Service::answering(|_| with_status("202 x", "", r#"{"status":"pending"}"#));
    let webhook = Webhook::new(Config { format: Format::Opa, ..config(&service.url()) }).expect("a webhook");
    refused(&webhook, PATIENCE, "status", "an agent promises nothing");
}
