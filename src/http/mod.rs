//! A blocking HTTP/1.1 client for one exchange with one server (RFC 9110, RFC 9112).
//!
//! A request goes out, a strictly framed answer comes back, the connection ends. One deadline covers all of it. What the
//! client leaves out on purpose is in `vendor-notes/http.md`.

mod connect;
pub mod deadline;
pub mod request;
pub mod response;
#[cfg(feature = "https")]
mod tls;
#[cfg(not(feature = "https"))]
#[path = "without_tls.rs"]
mod tls;
pub mod transport;

use std::fmt;

/// Why an exchange, or the answer it brought, cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// A stable word for logs, such as `redirect`.
    pub code: &'static str,
    /// A clause for people: `it answered 302, and redirects are not followed`.
    pub why: String,
    /// Nothing was sent, so the same question may be asked again.
    pub unsent: bool,
}

impl Failure {
    pub(crate) fn new(code: &'static str, why: impl Into<String>) -> Self {
        Self { code, why: why.into(), unsent: false }
    }

    /// A connection that never came about.
    pub(crate) fn unsent(code: &'static str, why: impl Into<String>) -> Self {
        Self { code, why: why.into(), unsent: true }
    }
}

impl Failure {
    /// Whether nobody was there, or not in time. Anything else is something that came, or that was wrong here.
    pub fn is_silence(&self) -> bool {
        self.unsent || matches!(self.code, "cancelled" | "deadline" | "dns")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.why, self.code)
    }
}

impl std::error::Error for Failure {}
