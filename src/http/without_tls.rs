//! A build without TLS: a server behind `https://` is refused before anything is sent.

use std::convert::Infallible;
use std::net::TcpStream;

use super::Failure;
use super::deadline::Timed;
use crate::profile::host::Target;

/// TLS, of which this build has none: there is no value of this type.
#[derive(Debug)]
pub(super) struct Tls(Infallible);

impl Tls {
    /// # Errors
    /// Always.
    pub(super) fn new(_certificates: Option<&[u8]>) -> Result<Self, String> {
        Err("this build of nono has no TLS; use a `unix:` socket or `http://127.0.0.1`, or a build with the feature `https`".to_owned())
    }

    pub(super) fn shake_hands<'c>(
        &self,
        _host: &Target,
        _stream: Timed<'c, TcpStream>,
    ) -> Result<(Timed<'c, TcpStream>, [u8; 32]), Failure> {
        match self.0 {}
    }
}
