//! TLS, and SAFETY U03.

use std::sync::{Arc, Mutex};

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{HandshakeKind, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use upstream::{Call, Options, Upstreams};
use wire::Fault;

use crate::server::{CHUNKED, LONG, OK, Server, call, read_request, upstreams};

/// A server with a certificate of its own making, for `localhost`.
pub struct TlsServer {
    pub server: Server,
    pub certificate: CertificateDer<'static>,
    handshakes: Arc<Mutex<Vec<HandshakeKind>>>,
}

/// What shakes hands with a certificate of its own making, for `localhost`; and that certificate.
pub fn acceptor() -> (TlsAcceptor, CertificateDer<'static>) {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = own.cert.der().clone();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    (TlsAcceptor::from(Arc::new(config)), certificate)
}

impl TlsServer {
    pub async fn answering(answer: &'static str, rounds: usize) -> Self {
        let (acceptor, certificate) = acceptor();
        let handshakes = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&handshakes);
        let server = Server::start(move |socket, _| {
            let (acceptor, seen) = (acceptor.clone(), Arc::clone(&seen));
            async move {
                let Ok(mut stream) = acceptor.accept(socket).await else { return };
                assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
                seen.lock().unwrap().push(stream.get_ref().1.handshake_kind().unwrap());
                for _ in 0..rounds {
                    if read_request(&mut stream).await.is_none() {
                        return;
                    }
                    stream.write_all(answer.as_bytes()).await.unwrap();
                    stream.flush().await.unwrap();
                }
            }
        })
        .await;
        TlsServer { server, certificate, handshakes }
    }

    fn trusting(&self) -> Options {
        Options { extra_roots: vec![self.certificate.clone()], ..Options::default() }
    }

    pub fn call(&self) -> Call {
        call(&format!("https://localhost:{}/v1", self.server.address.port()))
    }
}

pub async fn ask(upstreams: &Upstreams, call: Call) -> Result<String, Fault> {
    let reply = tokio::time::timeout(LONG, upstreams.send(call)).await.unwrap()?;
    Ok(String::from_utf8(reply.body.collect(1 << 22).await?.to_vec()).unwrap())
}

#[tokio::test]
async fn a_certificate_from_a_trusted_root_is_accepted_and_the_connection_kept() {
    let server = TlsServer::answering(OK, 10).await;
    let upstreams = Upstreams::new(server.trusting());
    for _ in 0..5 {
        assert_eq!(ask(&upstreams, server.call()).await.unwrap(), "{}");
    }
    assert_eq!(server.server.accepted(), 1);
}

#[tokio::test]
async fn a_new_connection_resumes_the_session_of_an_earlier_one() {
    let server = TlsServer::answering(OK, 10).await;
    let upstreams = Upstreams::new(Options { max_idle_per_origin: 0, ..server.trusting() });
    for _ in 0..2 {
        ask(&upstreams, server.call()).await.unwrap();
    }
    let handshakes = server.handshakes.lock().unwrap().clone();
    assert_eq!(handshakes.len(), 2);
    assert_eq!(handshakes[1], HandshakeKind::Resumed);
}

#[tokio::test]
async fn u21_holds_over_tls_too() {
    let server = TlsServer::answering(OK, 1).await;
    let upstreams = Upstreams::new(server.trusting());
    for _ in 0..12 {
        assert_eq!(ask(&upstreams, server.call()).await.unwrap(), "{}");
    }
}

#[tokio::test]
async fn a_large_request_passes_through_tls() {
    let server = TlsServer::answering(OK, 1).await;
    let mut call = server.call();
    call.body = vec![bytes::Bytes::from(vec![b'x'; 300_000]); 20];
    assert_eq!(ask(&Upstreams::new(server.trusting()), call).await.unwrap(), "{}");
}

#[tokio::test]
async fn u03_a_self_signed_certificate_is_refused() {
    let server = TlsServer::answering(OK, 1).await;
    let fault = ask(&upstreams(), server.call()).await.unwrap_err();
    assert!(matches!(fault, Fault::Unreachable { .. }), "{fault:?}");
    let text = fault.to_string();
    assert!(
        text.starts_with("acme: TLS: ") && text.contains("certificate") && text.contains("localhost"),
        "{text}"
    );
    assert_eq!(server.server.accepted(), 1, "and not tried again");
}

#[tokio::test]
async fn u03_a_certificate_for_another_name_is_refused() {
    let server = TlsServer::answering(OK, 1).await;
    let by_address = call(&format!("https://{}/v1", server.server.address));
    let fault = ask(&Upstreams::new(server.trusting()), by_address).await.unwrap_err();
    assert!(fault.to_string().starts_with("acme: TLS: "), "{fault}");
}

#[tokio::test]
async fn u03_plain_text_on_a_tls_port_is_refused() {
    let server = Server::start(|mut socket, _| async move {
        let _ = socket.read(&mut [0; 16]).await;
        let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        crate::server::until_closed(&mut socket).await;
    })
    .await;
    let fault = ask(&upstreams(), call(&format!("https://{}/v1", server.address))).await.unwrap_err();
    assert!(matches!(fault, Fault::Unreachable { .. }), "{fault:?}");
    assert!(fault.to_string().starts_with("acme: TLS: "), "{fault}");
}

#[tokio::test]
async fn u08_an_answer_cut_below_tls_is_a_cut() {
    for answer in [CHUNKED, "HTTP/1.1 200 OK\r\n\r\nhalf of it"] {
        let server = TlsServer::answering(answer, 1).await;
        // The server drops the socket without the closing message of TLS.
        let fault = ask(&Upstreams::new(server.trusting()), server.call()).await.unwrap_err();
        assert!(matches!(fault, Fault::Cut { .. }), "{fault:?}");
    }
}
