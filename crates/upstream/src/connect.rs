//! From an endpoint to an open connection: look up, connect, shake hands, all within one deadline.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio::time::{timeout, timeout_at};
use wire::Fault;

use crate::connection::{Connection, Stream};
use crate::deadline::{Deadline, now};
use crate::endpoint::Endpoint;
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
    let addresses = resolve(endpoint.host(), endpoint.port()).await?;
    let socket =
        reach(&addresses, deadline).await.map_err(|(address, error)| refusal(endpoint, address, &error))?;
    match &endpoint.server_name {
        None => Ok(Stream::Plain(socket)),
        Some(name) => match tls.connect(name.clone(), socket).await {
            Ok(stream) => Ok(Stream::Tls(Box::new(stream))),
            Err(error) => Err(format!("TLS: {error} ({})", endpoint.host())),
        },
    }
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

fn refusal(endpoint: &Endpoint, address: SocketAddr, error: &io::Error) -> String {
    let why = words(error);
    if address.ip().to_string() == endpoint.host() {
        format!("{why} at {address}")
    } else {
        format!("{why} at {address} ({})", endpoint.host())
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
