use super::*;

fn read(bytes: &[u8]) -> Result<Response, Failure> {
    let mut parser = Parser::default();
    parser.take(bytes)?;
    parser.finish()
}

fn code(bytes: &[u8]) -> &'static str {
    match read(bytes) {
        Ok(response) => panic!("{} gave {response:?}", bytes.escape_ascii()),
        Err(failure) => failure.code,
    }
}

const PLAIN: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
const CHUNKED: &[u8] =
    b"HTTP/1.1 200 \r\ncontent-type:application/json; charset=UTF-8\r\nTransfer-Encoding: Chunked\r\n\r\n\
    1;note=\"x\"\r\n{\r\n00000001\r\n}\r\n0\r\nExpires: never\r\n\r\n";
const INTERIM: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n\
    HTTP/1.0 200 OK\r\ncontent-type: Application/JSON\r\ncontent-length: 2 \r\n\r\n{}";

#[test]
fn a_valid_answer_is_the_same_however_it_is_cut() {
    for whole in [PLAIN, CHUNKED, INTERIM] {
        let expected = read(whole).unwrap();
        assert_eq!((expected.status, expected.body.as_slice()), (200, &b"{}"[..]));
        expected.check_is_json().unwrap();
        for cut in 0..whole.len() {
            let (first, second) = whole.split_at(cut);
            let mut parser = Parser::default();
            parser.take(first).unwrap();
            assert!(!parser.is_done(), "{cut}");
            parser.take(second).unwrap();
            assert_eq!(parser.finish().unwrap(), expected, "{cut}");
            assert_eq!(code(first), "truncated", "{cut}");
        }
        let mut parser = Parser::default();
        for byte in whole {
            parser.take(&[*byte]).unwrap();
        }
        assert_eq!(parser.finish().unwrap(), expected);
    }
}

#[test]
fn bytes_behind_the_body_are_refused() {
    for whole in [PLAIN, CHUNKED, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"] {
        assert_eq!(code(&[whole, b"\n"].concat()), "extra-bytes");
    }
}

#[test]
fn a_status_that_is_no_answer_ends_with_its_fields() {
    for status in [204, 304, 302, 404, 503] {
        let text = format!("HTTP/1.1 {status} x\r\nRetry-After: 2\r\nLocation: https://b.example\r\n\r\nanything");
        let response = read(text.as_bytes()).unwrap();
        assert_eq!((response.status, response.body.len()), (status, 0));
        assert_eq!(response.field("retry-after"), Ok(Some("2")));
    }
}

#[test]
fn a_bad_status_line_is_refused() {
    for line in [
        "",
        "HTTP/2 200 OK",
        "HTTP/1.2 200 OK",
        "http/1.1 200 OK",
        "HTTP/1.1  200 OK",
        "HTTP/1.1 200",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 +20 OK",
        "HTTP/1.1 099 OK",
        "HTTP/1.1 600 OK",
        "ICY 200 OK",
        "{}",
    ] {
        assert_eq!(code(format!("{line}\r\n").as_bytes()), "status-line", "{line}");
    }
}

#[test]
fn bad_lines_and_fields_are_refused() {
    for (text, expected) in [
        (&b"HTTP/1.1 200 OK\n"[..], "line-end"),
        (b"HTTP/1.1 200 O\rK\r\n", "line-end"),
        (b"HTTP/1.1 200 OK\r\r\n", "line-end"),
        (b"HTTP/1.1 200 OK\r\na: b\n\n", "line-end"),
        (b"HTTP/1.1 200 O\0K\r\n", "control-character"),
        (b"HTTP/1.1 200 OK\r\na: \x1b[2J\r\n", "control-character"),
        (b"HTTP/1.1 200 OK\r\na : b\r\n", "field"),
        (b"HTTP/1.1 200 OK\r\na\r\n", "field"),
        (b"HTTP/1.1 200 OK\r\n: b\r\n", "field"),
        (b"HTTP/1.1 200 OK\r\na: b\r\n c\r\n", "field"),
        (b"HTTP/1.1 200 OK\r\n\tc: d\r\n", "field"),
        (b"HTTP/1.1 200 OK\r\na(b): c\r\n", "field"),
        (b"HTTP/1.1 200 OK\r\na: \xff\r\n", "field"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "interim"),
    ] {
        assert_eq!(code(text), expected, "{}", text.escape_ascii());
    }
}

#[test]
fn a_body_whose_end_is_in_doubt_is_refused() {
    for fields in [
        "",
        "content-length: +2",
        "content-length: -2",
        "content-length: 2, 2",
        "content-length: 2\r\ncontent-length: 2",
        "content-length: 2\r\nContent-Length: 3",
        "content-length:",
        "content-length: 0x2",
        "content-length: 2\r\ntransfer-encoding: chunked",
        "transfer-encoding: gzip, chunked",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
        "transfer-encoding: xchunked",
        "transfer-encoding: identity",
    ] {
        assert_eq!(
            code(format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n").replace("\r\n\r\n\r\n", "\r\n\r\n").as_bytes()),
            "framing",
            "{fields}"
        );
    }
    assert_eq!(code(b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"), "framing");
}

#[test]
fn chunks_are_read_to_the_letter() {
    let long = format!("1;{}\r\nx", "y".repeat(300));
    for (chunks, expected) in [
        ("\r\n", "chunk"),
        ("x\r\n", "chunk"),
        ("-1\r\n", "chunk"),
        ("0x1\r\n", "chunk"),
        (" 1\r\n", "chunk"),
        ("1 \r\n", "chunk"),
        ("000000001\r\n", "chunk"),
        ("ffffffffffffffff\r\n", "chunk"),
        ("2\r\nabc\r\n", "chunk"),
        ("2\r\nab0\r\n", "chunk"),
        ("2\r\nab\n0\r\n", "line-end"),
        ("1\na\r\n", "line-end"),
        ("ffffffff\r\n", "too-large"),
        ("10001\r\n", "too-large"),
        ("0\r\nbad\r\n", "field"),
        ("0\r\n a: b\r\n", "field"),
        (&long, "chunk"),
        ("2\r\nab\r\n", "truncated"),
        ("2\r\nab\r\n0\r\n", "truncated"),
    ] {
        let text = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}");
        assert_eq!(code(text.as_bytes()), expected, "{}", chunks.escape_debug());
    }
}

#[test]
fn everything_has_a_bound() {
    let ok = "HTTP/1.1 200 OK\r\n";
    let chunked = format!("{ok}transfer-encoding: chunked\r\n\r\n");
    let chunk = format!("8000;{}\r\n{}\r\n", "e".repeat(200), "x".repeat(0x8000));
    for (text, expected) in [
        (format!("{ok}a: {}", "x".repeat(LONGEST_HEAD)), "head-too-large"),
        (format!("{ok}{}", "a: b\r\n".repeat(MOST_FIELDS + 1)), "head-too-large"),
        (format!("{chunked}0\r\n{}", "a: b\r\n".repeat(MOST_FIELDS + 1)), "head-too-large"),
        (format!("{chunked}0\r\na: {}", "x".repeat(LONGEST_HEAD)), "head-too-large"),
        ("HTTP/1.1 100 x\r\n\r\n".repeat(5), "interim"),
        (format!("{ok}content-length: 65537\r\n\r\n"), "too-large"),
        (format!("{ok}content-length: 99999999999999999999999\r\n\r\n"), "too-large"),
        (format!("{chunked}{}1\r\nx", chunk.repeat(2)), "too-large"),
        (format!("{chunked}{}", format!("1;{}\r\nx\r\n", "e".repeat(250)).repeat(5000)), "too-large"),
    ] {
        assert_eq!(code(text.as_bytes()), expected, "{}", text.get(..80).unwrap_or(&text).escape_debug());
    }
    let full = format!("{ok}content-length: 65536\r\n\r\n{}", "x".repeat(LONGEST_BODY));
    assert_eq!(read(full.as_bytes()).unwrap().body.len(), LONGEST_BODY);
}

#[test]
fn only_plain_json_is_read() {
    for (fields, expected) in [
        ("", "content-type"),
        ("content-type: text/html", "content-type"),
        ("content-type: application/jsonp", "content-type"),
        ("content-type: application/json; charset=latin1", "content-type"),
        ("content-type: application/json\r\ncontent-type: text/html", "field"),
        ("content-type: application/json\r\ncontent-encoding: gzip", "content-encoding"),
        ("content-type: application/json\r\ncontent-encoding: identity", "content-encoding"),
    ] {
        let text =
            format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n{fields}\r\n\r\n").replace("\r\n\r\n\r\n", "\r\n\r\n");
        assert_eq!(read(text.as_bytes()).unwrap().check_is_json().unwrap_err().code, expected, "{fields}");
    }
}
