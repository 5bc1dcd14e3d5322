//! TLS toward providers: rustls with aws-lc-rs, made when the first `https` provider is asked.
//!
//! Certificates are always verified; nothing in a request can change that.

use std::io;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Makes TLS connections; all share one configuration, hence one cache of sessions to resume.
#[derive(Default)]
pub(crate) struct Tls {
    extra_roots: Vec<CertificateDer<'static>>,
    config: OnceLock<Arc<ClientConfig>>,
}

impl Tls {
    pub(crate) fn new(extra_roots: Vec<CertificateDer<'static>>) -> Self {
        Tls { extra_roots, config: OnceLock::new() }
    }

    pub(crate) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        name: ServerName<'static>,
        socket: S,
    ) -> io::Result<TlsStream<S>> {
        let config = self.config.get_or_init(|| Arc::new(configuration(&self.extra_roots)));
        TlsConnector::from(Arc::clone(config)).connect(name, socket).await
    }
}

/// The certificates of a file of authorities, in PEM. The error says what is wrong, in words that follow the file's name.
pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = read.map_err(|error| format!("is not PEM: {error}"))?;
    if certificates.is_empty() {
        return Err("holds no certificate".into());
    }
    for certificate in &certificates {
        let added = RootCertStore::empty().add(certificate.clone());
        added.map_err(|error| format!("holds what cannot be an authority: {error}"))?;
    }
    Ok(certificates)
}

fn configuration(extra_roots: &[CertificateDer<'static>]) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("aws-lc-rs has cipher suites for the default versions")
        .with_root_certificates(roots(extra_roots))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

/// The system's roots (also those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name), else the built-in ones of Mozilla for
/// containers that have none; and the given ones.
fn roots(extra: &[CertificateDer<'static>]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots.add_parsable_certificates(extra.iter().cloned());
    roots
}
