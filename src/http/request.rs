//! Requests as bytes (RFC 9112, section 3).

use super::Failure;
use crate::profile::url::Url;

/// One request. The connection ends with its answer, and nothing is asked for that would change the answer's coding.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub method: Method,
    pub url: &'a Url,
    /// Fields besides those that every request has.
    pub fields: &'a [(&'static str, String)],
    /// Empty for [`Method::Get`].
    pub body: &'a [u8],
    pub media: Media,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

/// What the body is, and what may come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// JSON for JSON.
    Json,
    /// Text for whatever the status brings.
    Text,
}

impl Request<'_> {
    /// The bytes to send.
    ///
    /// # Errors
    /// Code `request` when a field holds what would end it, such as a line break.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Failure> {
        let method = match self.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        let (body_is, accepted) = match self.media {
            Media::Json => ("application/json", "application/json"),
            Media::Text => ("text/plain; charset=utf-8", "*/*"),
        };
        let mut text = format!("{method} {} HTTP/1.1\r\n", self.url.request_target());
        let mut write = |name: &str, value: &str| {
            if value.bytes().any(|byte| byte != b' ' && !byte.is_ascii_graphic()) {
                return Err(Failure::new("request", format!("the field {name} would hold a character that it cannot")));
            }
            text.push_str(name);
            text.push_str(": ");
            text.push_str(value);
            text.push_str("\r\n");
            Ok(())
        };
        write("host", &self.url.host_field())?;
        write("user-agent", concat!("nono/", env!("CARGO_PKG_VERSION")))?;
        write("accept", accepted)?;
        write("accept-encoding", "identity")?;
        write("connection", "close")?;
        if self.method == Method::Post {
            write("content-type", body_is)?;
            write("content-length", &self.body.len().to_string())?;
        }
        for (name, value) in self.fields {
            write(name, value)?;
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(self.body);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_has_its_length_and_a_get_has_no_body() {
        let url = Url::parse("https://a.example:8443/x?y").unwrap();
        let fields = [("webhook-id", "7".to_owned())];
        let post = Request { method: Method::Post, url: &url, fields: &fields, body: b"{}", media: Media::Json }
            .to_bytes()
            .unwrap();
        let text = String::from_utf8(post).unwrap();
        assert!(text.starts_with("POST /x?y HTTP/1.1\r\nhost: a.example:8443\r\nuser-agent: nono/"), "{text}");
        assert!(text.ends_with("content-length: 2\r\nwebhook-id: 7\r\n\r\n{}"), "{text}");
        assert!(text.contains("accept: application/json\r\n") && text.contains("content-type: application/json\r\n"));
        let plain = Request { method: Method::Post, url: &url, fields: &[], body: b"x", media: Media::Text };
        let text = String::from_utf8(plain.to_bytes().unwrap()).unwrap();
        assert!(text.contains("accept: */*\r\n") && text.contains("content-type: text/plain; charset=utf-8\r\n"));
        let get =
            Request { method: Method::Get, url: &url, fields: &[], body: b"", media: Media::Json }.to_bytes().unwrap();
        assert!(!String::from_utf8(get).unwrap().contains("content-"));
    }

    #[test]
    fn a_field_cannot_begin_another() {
        let url = Url::parse("https://a.example").unwrap();
        for hostile in ["1\r\nx: 2", "1\n", "1\0", "é"] {
            let fields = [("webhook-id", hostile.to_owned())];
            let request = Request { method: Method::Get, url: &url, fields: &fields, body: b"", media: Media::Json };
            assert_eq!(request.to_bytes().unwrap_err().code, "request", "{hostile:?}");
        }
    }
}
