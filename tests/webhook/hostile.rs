//! What holds for any bytes that an approver may send. The fuzzer and the tests ask the same.

use std::time::Duration;

use nono::approval::Scope;
use nono::approval::webhook::Format;
use nono::approval::webhook::answer::{Expected, Verdict, pause, read};
use nono::http::Failure;
use nono::http::response::{LONGEST_BODY, Parser, Response};
use serde_json::Value;

const UID: &str = "0123456789abcdef0123456789abcdef";
const NOW: Duration = Duration::from_secs(1_769_860_800);

/// The first byte says how to cut the others, which are an answer: it is the same whole and in pieces, and has its bounds.
pub(crate) fn is_one_answer(bytes: &[u8]) -> Result<(), String> {
    let Some((&seed, answer)) = bytes.split_first() else { return Ok(()) };
    let whole = parsed([answer].into_iter());
    let mut state = u32::from(seed) + 1;
    let mut rest = answer;
    let pieces = std::iter::from_fn(|| {
        // xorshift32: pieces of 1 to 16 bytes.
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let length = (state as usize % 16 + 1).min(rest.len());
        let (piece, behind) = rest.split_at(length);
        rest = behind;
        (length > 0).then_some(piece)
    });
    let in_pieces = parsed(pieces);
    if whole != in_pieces {
        return Err(format!("whole it is {whole:?}, in pieces {in_pieces:?}"));
    }
    let Ok(response) = whole else { return Ok(()) };
    if response.body.len() > LONGEST_BODY || !(200..600).contains(&response.status) {
        return Err(format!("out of bounds: {response:?}"));
    }
    if !matches!(response.status, 200 | 202) && !response.body.is_empty() {
        return Err(format!("a body that nobody asked for: {response:?}"));
    }
    if response.check_is_json().is_ok() && !matches!(response.field("content-type"), Ok(Some(_))) {
        return Err(format!("JSON without a type: {response:?}"));
    }
    Ok(())
}

fn parsed<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Result<Response, Failure> {
    let mut parser = Parser::default();
    for piece in pieces {
        parser.take(piece)?;
    }
    parser.finish()
}

/// The bytes are the body of an answer: a yes says so plainly, for this question, and no further than it may.
pub(crate) fn is_no_false_yes(body: &[u8]) -> Result<(), String> {
    for format in [Format::Nono, Format::Opa] {
        let expected = Expected { uid: UID, access: &["read"], offered: &[Scope::Once, Scope::Object], now: NOW };
        let Ok(decision) = read(body, format, expected) else { continue };
        let plain: Value = serde_json::from_slice(body).map_err(|error| format!("read, and no JSON: {error}"))?;
        let Verdict::Allow { scope, until } = decision.verdict else { continue };
        if scope == Scope::Directory || until.is_some_and(|until| until <= NOW) {
            return Err(format!("a yes that is too wide or over: {decision:?}"));
        }
        let yes = |at: &str| matches!(plain.pointer(at).and_then(Value::as_str), Some("allow" | "approve"));
        let is = |at: &str| plain.pointer(at).and_then(Value::as_bool) == Some(true);
        let said = match format {
            Format::Nono => yes("/response/decision") && plain.pointer("/response/uid") == Some(&UID.into()),
            Format::Opa => is("/result") || is("/result/allow") || yes("/result/decision"),
        };
        if !said {
            return Err(format!("nobody said yes: {plain}"));
        }
    }
    match pause(body) {
        Ok(pause) if pause < Duration::from_millis(100) || pause > Duration::from_secs(60) => {
            Err(format!("a pause of {pause:?}"))
        }
        _ => Ok(()),
    }
}
