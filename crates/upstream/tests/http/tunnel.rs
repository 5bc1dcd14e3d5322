//! HTTP proxies that open tunnels, plain and inside TLS, as small fakes; and whose connections are whose.

use std::sync::{Arc, Mutex};

use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use upstream::{Call, Destination, Endpoint, Options, Proxy, Upstreams};

use crate::server::{OK, Server, call};
use crate::tls::{TlsServer, acceptor, ask};

/// Opens tunnels, and answers plain requests itself.
struct FakeProxy {
    server: Server,
    certificate: Option<CertificateDer<'static>>,
    /// The first line of each request.
    asked: Arc<Mutex<Vec<String>>>,
}

impl FakeProxy {
    async fn plain() -> Self {
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&asked);
        let server = Server::start(move |socket, _| serve(socket, Arc::clone(&seen))).await;
        FakeProxy { server, certificate: None, asked }
    }

    async fn inside_tls() -> Self {
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&asked);
        let (acceptor, certificate) = acceptor();
        let server = Server::start(move |socket, _| {
            let (acceptor, seen) = (acceptor.clone(), Arc::clone(&seen));
            async move { serve(acceptor.accept(socket).await.unwrap(), seen).await }
        })
        .await;
        FakeProxy { server, certificate: Some(certificate), asked }
    }

    fn before(&self, call: Call) -> Call {
        let Destination::Http(endpoint) = &call.to else { panic!("a call over HTTP") };
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://us:s3cret@localhost:{}", self.server.address.port());
        Call { to: Destination::Http(endpoint.via(Proxy::parse(&url).unwrap())), ..call }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, asked: Arc<Mutex<Vec<String>>>) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            head.push(byte);
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.contains("proxy-authorization: Basic dXM6czNjcmV0\r\n"), "{head}");
        let line = head.lines().next().unwrap().to_owned();
        asked.lock().unwrap().push(line.clone());
        if let Some(authority) = line.strip_prefix("CONNECT ") {
            let mut far = TcpStream::connect(authority.split(' ').next().unwrap()).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 Connection established\r\nvia: 1.1 fake\r\n\r\n").await.unwrap();
            // A tunnel ends when either side has had enough.
            let _ = tokio::io::copy_bidirectional(&mut stream, &mut far).await;
            return;
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.unwrap().parse().unwrap()];
        stream.read_exact(&mut body).await.unwrap();
        stream.write_all(OK.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
    }
}

fn trusting(certificates: &[&CertificateDer<'static>]) -> Upstreams {
    let extra_roots = certificates.iter().map(|&certificate| certificate.clone()).collect();
    Upstreams::new(Options { extra_roots, ..Options::default() })
}

#[tokio::test]
async fn a_tunnel_through_an_http_proxy_carries_tls_to_the_provider_and_is_kept() {
    let (provider, proxy) = (TlsServer::answering(OK, 10).await, FakeProxy::plain().await);
    let upstreams = trusting(&[&provider.certificate]);
    for _ in 0..3 {
        assert_eq!(ask(&upstreams, proxy.before(provider.call())).await.unwrap(), "{}");
    }
    let port = provider.server.address.port();
    assert_eq!(proxy.asked(), [format!("CONNECT localhost:{port} HTTP/1.1")]);
}

#[tokio::test]
async fn a_proxy_inside_tls_carries_plain_requests_and_tls_within_its_own() {
    let (provider, proxy) = (TlsServer::answering(OK, 10).await, FakeProxy::inside_tls().await);
    let of_proxy = proxy.certificate.as_ref().unwrap();
    let upstreams = trusting(&[&provider.certificate, of_proxy]);
    assert_eq!(ask(&upstreams, proxy.before(provider.call())).await.unwrap(), "{}");
    assert_eq!(ask(&upstreams, proxy.before(call("http://plain.invalid/v1"))).await.unwrap(), "{}");
    let connect = format!("CONNECT localhost:{} HTTP/1.1", provider.server.address.port());
    assert_eq!(proxy.asked(), [connect, "POST http://plain.invalid/v1 HTTP/1.1".to_owned()]);
}

#[tokio::test]
async fn the_certificates_of_proxy_and_provider_are_both_verified() {
    let (provider, proxy) = (TlsServer::answering(OK, 1).await, FakeProxy::inside_tls().await);
    let of_proxy = proxy.certificate.clone().unwrap();
    for (trusted, wanted) in
        [(&provider.certificate, "acme: proxy https://localhost"), (&of_proxy, "acme: TLS: ")]
    {
        let fault = ask(&trusting(&[trusted]), proxy.before(provider.call())).await.unwrap_err();
        let text = fault.to_string();
        assert!(
            text.starts_with(wanted) && text.contains("certificate") && !text.contains("s3cret"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_connection_through_one_proxy_serves_neither_direct_calls_nor_another_proxy() {
    let provider = TlsServer::answering(OK, 10).await;
    let (one, two) = (FakeProxy::plain().await, FakeProxy::plain().await);
    let upstreams = trusting(&[&provider.certificate]);
    for _ in 0..2 {
        for call in [provider.call(), one.before(provider.call()), two.before(provider.call())] {
            assert_eq!(ask(&upstreams, call).await.unwrap(), "{}");
        }
    }
    assert_eq!((one.asked().len(), two.asked().len(), provider.server.accepted()), (1, 1, 3));
}

#[tokio::test]
async fn a_proxy_that_will_not_connect_is_quoted_with_its_status() {
    let proxy = Server::closing_after("HTTP/1.1 403 Filtered\r\ncontent-length: 0\r\n\r\n").await;
    let through = Proxy::parse(&format!("http://{}", proxy.address)).unwrap();
    let endpoint = Endpoint::parse("https://provider.invalid/v1").unwrap().via(through);
    let call = Call { to: Destination::Http(endpoint), ..call("https://provider.invalid/v1") };
    let fault = ask(&trusting(&[]), call).await.unwrap_err();
    let text = fault.to_string();
    assert!(text.contains("refused to connect to provider.invalid: HTTP 403"), "{text}");
}
