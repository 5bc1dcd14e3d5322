//! Asking a proxy for a connection to a provider: SOCKS5 (RFC 1928, 1929) and HTTP CONNECT (RFC 9110, 9.3.6).

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_socks::TargetAddr;
use tokio_socks::tcp::Socks5Stream;

use super::Proxy;
use crate::connect::words;
use crate::endpoint::Endpoint;

/// Bytes of an answer to CONNECT, at most.
const MAX_ANSWER: usize = 8 * 1024;

/// The way through a SOCKS5 proxy; `address` is the provider's, where it was looked up here.
pub(crate) async fn socks5(
    proxy: &Proxy,
    socket: TcpStream,
    endpoint: &Endpoint,
    address: Option<SocketAddr>,
) -> Result<TcpStream, String> {
    let literal = || endpoint.host().parse().ok().map(|ip| SocketAddr::new(ip, endpoint.port()));
    let target = match address.or_else(literal) {
        Some(address) => TargetAddr::Ip(address),
        None => TargetAddr::Domain(endpoint.host().into(), endpoint.port()),
    };
    let opened = match proxy.login() {
        Some((user, password)) => {
            Socks5Stream::connect_with_password_and_socket(socket, target, user, password).await
        }
        None => Socks5Stream::connect_with_socket(socket, target).await,
    };
    opened.map(Socks5Stream::into_inner).map_err(|error| match error {
        tokio_socks::Error::Io(error) => format!("proxy {proxy}: {}", words(&error)),
        error => format!("proxy {proxy}: {error}"),
    })
}

/// Makes the stream to an HTTP proxy one to the provider.
pub(crate) async fn connect(
    proxy: &Proxy,
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    endpoint: &Endpoint,
) -> Result<(), String> {
    let status = ask(proxy, stream, endpoint)
        .await
        .map_err(|error| format!("proxy {proxy}: {} while it was asked to connect", words(&error)))?;
    match status {
        200..300 => Ok(()),
        // Tinyproxy says 401 to a wrong password; the provider cannot have said anything yet.
        401 | 407 => Err(refused(proxy, status)),
        status => Err(format!("proxy {proxy} refused to connect to {}: HTTP {status}", endpoint.host())),
    }
}

/// A proxy answered with this status that it will not serve us like this.
pub(crate) fn refused(proxy: &Proxy, status: u16) -> String {
    let login = if proxy.login().is_some() {
        "refused its user name or password"
    } else {
        "wants a user name and password"
    };
    format!("proxy {proxy} {login} (HTTP {status})")
}

async fn ask(
    proxy: &Proxy,
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    endpoint: &Endpoint,
) -> io::Result<u16> {
    let authority = endpoint.authority();
    let login = proxy.authorization().map(|value| format!("proxy-authorization: {value}\r\n"));
    let request =
        format!("CONNECT {authority} HTTP/1.1\r\nhost: {authority}\r\n{}\r\n", login.unwrap_or_default());
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    answer(stream).await
}

/// Byte by byte: what follows the head belongs to the provider, and a proxy sends it once a connection.
async fn answer(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<u16> {
    let mut head = Vec::with_capacity(256);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == MAX_ANSWER {
            return Err(io::Error::other("its answer is too long"));
        }
        head.push(stream.read_u8().await?);
    }
    let mut lines = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut lines);
    let parsed = response.parse(&head);
    parsed.ok().and(response.code).ok_or_else(|| io::Error::other("its answer is not HTTP"))
}
