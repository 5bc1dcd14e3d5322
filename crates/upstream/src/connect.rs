//! From an endpoint to an open connection: look up, connect, shake hands, all within one deadline.

use std::io;
use std::net::SocketAddr;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{timeout, timeout_at};
use wire::Fault;

use crate::connection::{Connection, Stream};
use crate::deadline::{Deadline, now};
use crate::endpoint::Endpoint;
use crate::proxy::{Proxy, Scheme, tunnel};
use crate::tls::Tls;

/// Opens a fresh connection. `provider` is for the text of faults.
pub(crate) async fn connect(
    endpoint: &Endpoint,
    tls: &Tls,
    deadline: Deadline,
    provider: &str,
) -> Result<Connection, Fault> {
    match timeout_at(deadline.at, open(endpoint, tls, deadline)).await {
        Ok(Ok(stream)) => Ok(Connection::new(stream)),
        Ok(Err(why)) => Err(Fault::Unreachable { provider: provider.to_owned(), why }),
        Err(_) => Err(deadline.fault(provider)),
    }
}

async fn open(endpoint: &Endpoint, tls: &Tls, deadline: Deadline) -> Result<Stream, String> {
    match &endpoint.origin.proxy {
        None => {
            let addresses = addresses(endpoint).await?;
            secure(endpoint, tls, tcp(endpoint.host(), &addresses, deadline).await?).await
        }
        Some(proxy) => {
            let socket = at_proxy(proxy, deadline).await.map_err(|why| format!("proxy {proxy}: {why}"))?;
            through(proxy, endpoint, tls, socket).await
        }
    }
}

/// From a socket at the proxy to a stream that carries the provider's HTTP.
async fn through(
    proxy: &Proxy,
    endpoint: &Endpoint,
    tls: &Tls,
    mut socket: TcpStream,
) -> Result<Stream, String> {
    match proxy.scheme {
        Scheme::Socks5h => secure(endpoint, tls, tunnel::socks5(proxy, socket, endpoint, None).await?).await,
        Scheme::Socks5 => {
            let address = addresses(endpoint).await?.into_iter().next();
            secure(endpoint, tls, tunnel::socks5(proxy, socket, endpoint, address).await?).await
        }
        Scheme::Http if endpoint.is_tls() => {
            tunnel::connect(proxy, &mut socket, endpoint).await?;
            secure(endpoint, tls, socket).await
        }
        Scheme::Http => Ok(Stream::Plain(socket)),
        Scheme::Https => through_tls(proxy, endpoint, tls, socket).await,
    }
}

async fn through_tls(
    proxy: &Proxy,
    endpoint: &Endpoint,
    tls: &Tls,
    socket: TcpStream,
) -> Result<Stream, String> {
    let name = ServerName::try_from(proxy.host.clone()).map_err(|error| format!("proxy {proxy}: {error}"))?;
    let shaken = tls.connect(name, socket).await;
    let mut outer = shaken.map_err(|error| format!("proxy {proxy}: TLS: {error}"))?;
    let Some(name) = &endpoint.server_name else { return Ok(Stream::Tls(Box::new(outer))) };
    tunnel::connect(proxy, &mut outer, endpoint).await?;
    let inner = tls.connect(name.clone(), outer).await;
    inner.map(|inner| Stream::Nested(Box::new(inner))).map_err(|error| tls_failure(endpoint, &error))
}

/// TLS on top, where the provider wants it.
async fn secure(endpoint: &Endpoint, tls: &Tls, socket: TcpStream) -> Result<Stream, String> {
    let Some(name) = &endpoint.server_name else { return Ok(Stream::Plain(socket)) };
    let shaken = tls.connect(name.clone(), socket).await;
    shaken.map(|stream| Stream::Tls(Box::new(stream))).map_err(|error| tls_failure(endpoint, &error))
}

fn tls_failure(endpoint: &Endpoint, error: &io::Error) -> String {
    format!("TLS: {error} ({})", endpoint.host())
}

/// The operator named the proxy, so it may be anywhere.
async fn at_proxy(proxy: &Proxy, deadline: Deadline) -> Result<TcpStream, String> {
    let addresses = resolve(&proxy.host, proxy.port).await?;
    tcp(&proxy.host, &addresses, deadline).await
}

/// Of the provider; looked up once, so that what was checked is what is connected to.
async fn addresses(endpoint: &Endpoint) -> Result<Vec<SocketAddr>, String> {
    let addresses = resolve(endpoint.host(), endpoint.port()).await?;
    endpoint.origin.reach.check(endpoint.host(), &addresses)?;
    Ok(addresses)
}

async fn tcp(host: &str, addresses: &[SocketAddr], deadline: Deadline) -> Result<TcpStream, String> {
    reach(addresses, deadline).await.map_err(|(address, error)| refusal(host, address, &error))
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let found = tokio::net::lookup_host((host, port)).await;
    let addresses: Vec<_> = found.map_err(|error| format!("no address for {host}: {error}"))?.collect();
    if addresses.is_empty() { Err(format!("no address for {host}")) } else { Ok(addresses) }
}

/// Tries the addresses in turn; one that is silent gets its share of the time that is left, the last one all of it.
async fn reach(addresses: &[SocketAddr], deadline: Deadline) -> Result<TcpStream, (SocketAddr, io::Error)> {
    let (last, others) = addresses.split_last().expect("resolve gives at least one address");
    for (index, address) in others.iter().enumerate() {
        let left = deadline.at.saturating_duration_since(now());
        let share = left / u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        if let Ok(Ok(socket)) = timeout(share, dial(*address)).await {
            return Ok(socket);
        }
    }
    dial(*last).await.map_err(|error| (*last, error))
}

/// Without Nagle's algorithm, which holds small writes back by up to 40 ms on reused connections.
async fn dial(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

fn refusal(host: &str, address: SocketAddr, error: &io::Error) -> String {
    let why = words(error);
    if address.ip().to_string() == host {
        format!("{why} at {address}")
    } else {
        format!("{why} at {address} ({host})")
    }
}

/// An I/O error in short words, without the number of the operating system where the kind says it all.
pub(crate) fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".into(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "connection reset".into(),
        io::ErrorKind::ConnectionAborted => "connection aborted".into(),
        io::ErrorKind::TimedOut => "connection timed out".into(),
        io::ErrorKind::HostUnreachable => "host unreachable".into(),
        io::ErrorKind::NetworkUnreachable => "network unreachable".into(),
        io::ErrorKind::UnexpectedEof => "connection closed unexpectedly".into(),
        _ => error.to_string(),
    }
}
