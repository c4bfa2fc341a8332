//! TLS 1.2 and 1.3 by rustls, with the certificates that the system trusts or those of a file.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use sha2::{Digest, Sha256};

use super::Failure;
use super::deadline::{Hurries, Timed};
use crate::profile::host::Target;

/// What is trusted, and how.
#[derive(Debug)]
pub(super) struct Tls(Arc<ClientConfig>);

/// A connection that only the named host can read.
pub(super) struct Encrypted<'c>(StreamOwned<ClientConnection, Timed<'c, TcpStream>>);

impl Tls {
    /// Trusts the certificates in `certificates` (PEM) and no others, or those that this system trusts.
    ///
    /// The latter are found as OpenSSL finds them, and so by `SSL_CERT_FILE` and `SSL_CERT_DIR` in the environment that nono
    /// itself was started with. They are read once, here.
    ///
    /// # Errors
    /// Why there is nothing to trust.
    pub(super) fn new(certificates: Option<&[u8]>) -> Result<Self, String> {
        let roots = match certificates {
            Some(text) => from_text(text)?,
            None => from_system()?,
        };
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS cannot be set up: {error}"))?;
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        // One exchange a connection: nothing is kept of the last one.
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }

    /// The encrypted stream, and the SHA-256 of the server's public key (its SubjectPublicKeyInfo).
    pub(super) fn shake_hands<'c>(
        &self,
        host: &Target,
        mut stream: Timed<'c, TcpStream>,
    ) -> Result<(Encrypted<'c>, [u8; 32]), Failure> {
        let name = match host {
            Target::Address(address) => ServerName::from(*address),
            Target::Name(name) => ServerName::try_from(name.clone())
                .map_err(|_| Failure::new("tls-name", "its name cannot stand in a certificate"))?,
        };
        let mut connection = ClientConnection::new(Arc::clone(&self.0), name).map_err(|error| failure_of(&error))?;
        while connection.is_handshaking() {
            connection.complete_io(&mut stream).map_err(|error| failure_in(error, "tls"))?;
        }
        let key = connection
            .peer_certificates()
            .and_then(|chain| chain.first())
            .and_then(|certificate| ParsedCertificate::try_from(certificate).ok())
            .map(|certificate| Sha256::digest(certificate.subject_public_key_info()).into())
            .ok_or_else(|| Failure::new("tls-certificate", "it showed no certificate"))?;
        Ok((Encrypted(StreamOwned::new(connection, stream)), key))
    }
}

impl Hurries for Encrypted<'_> {
    fn hurry(&mut self, time: Duration) {
        self.0.sock.hurry(time);
    }
}

impl Read for Encrypted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(explained)
    }
}

impl Write for Encrypted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(explained)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(explained)
    }
}

fn from_text(text: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(text) {
        let certificate = certificate.map_err(|error| format!("the file of certificates is no PEM: {error}"))?;
        roots
            .add(certificate)
            .map_err(|error| format!("the file of certificates has one that cannot be used: {error}"))?;
    }
    if roots.is_empty() {
        return Err("the file of certificates has none; it holds `BEGIN CERTIFICATE` in PEM".to_owned());
    }
    Ok(roots)
}

fn from_system() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Systems carry a few certificates that no verifier reads; the others are good.
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let why = found.errors.first().map_or_else(String::new, |error| format!(" ({error})"));
        return Err(format!("this system has no certificates to trust{why}; install them, or name some in `ca_file`"));
    }
    Ok(roots)
}

/// The failure inside an error of a stream.
fn explained(error: io::Error) -> io::Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(inner) => io::Error::other(failure_of(inner)),
        None => error,
    }
}

fn failure_in(error: io::Error, code: &'static str) -> Failure {
    super::transport::failure_of(explained(error), code, "the TLS handshake did not end")
}

fn failure_of(error: &rustls::Error) -> Failure {
    if let rustls::Error::InvalidCertificate(fault) = error {
        return certificate_failure(fault);
    }
    let old = rustls::Error::AlertReceived(rustls::AlertDescription::ProtocolVersion);
    if matches!(error, rustls::Error::PeerIncompatible(_)) || *error == old {
        return Failure::new("tls-version", "it does not speak TLS 1.2 or 1.3 in a way that is safe");
    }
    Failure::new("tls", format!("TLS failed: {error}"))
}

fn certificate_failure(fault: &CertificateError) -> Failure {
    use CertificateError as Bad;
    if matches!(fault, Bad::Expired | Bad::ExpiredContext { .. }) {
        return Failure::new("tls-expired", "its certificate has expired");
    }
    if matches!(fault, Bad::NotValidYet | Bad::NotValidYetContext { .. }) {
        return Failure::new("tls-expired", "its certificate is not valid yet");
    }
    if matches!(fault, Bad::NotValidForName | Bad::NotValidForNameContext { .. }) {
        return Failure::new("tls-name", "its certificate is for another name");
    }
    if matches!(fault, Bad::UnknownIssuer) {
        return Failure::new(
            "tls-unknown-ca",
            "nobody who is trusted signed its certificate; name the issuer in `ca_file`",
        );
    }
    // The verifier's own errors come through as what they print, and this one is what a certificate for oneself looks like.
    if matches!(fault, Bad::Other(inner) if inner.to_string().contains("CaUsedAsEndEntity")) {
        return Failure::new(
            "tls-certificate",
            "it shows the certificate of an authority, such as `openssl req -x509` makes, which no server may; give the server \
             one that the authority signed (`basicConstraints=CA:FALSE`), and name the authority's in `ca_file`",
        );
    }
    Failure::new("tls-certificate", format!("its certificate cannot be trusted: {fault}"))
}
