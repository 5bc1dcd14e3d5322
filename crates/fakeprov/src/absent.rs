//! Addresses at which nobody answers: what breaks before a model is named.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

/// How long an attempt to fill a queue may take; one that takes longer has found it full.
const PATIENCE: Duration = Duration::from_millis(200);

/// A port of 127.0.0.1 that is taken, so that nobody else can listen there, and does not answer.
#[derive(Debug)]
pub struct Absent {
    socket: Socket,
    /// The attempts that fill the queue.
    _queue: Vec<TcpStream>,
}

impl Absent {
    /// Refuses every connection. Fails when no port can be had.
    pub fn closed() -> io::Result<Self> {
        Ok(Self { socket: bound()?, _queue: Vec::new() })
    }

    /// Lets every attempt to connect wait for ever: its queue is full, and further attempts are dropped without a word.
    /// Fails when no port can be had.
    pub fn full() -> io::Result<Self> {
        let socket = bound()?;
        socket.listen(0)?;
        let address = address(&socket)?;
        let attempts = std::iter::from_fn(|| TcpStream::connect_timeout(&address, PATIENCE).ok());
        let queue = attempts.take(16).collect();
        Ok(Self { socket, _queue: queue })
    }

    /// The base URL of an API that would be there: `http://127.0.0.1:PORT/v1`.
    pub fn url(&self) -> String {
        let address = address(&self.socket).expect("a bound socket has an address");
        format!("http://{address}/v1")
    }
}

fn bound() -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    Ok(socket)
}

fn address(socket: &Socket) -> io::Result<SocketAddr> {
    socket.local_addr()?.as_socket().ok_or_else(|| io::Error::other("not an address of the Internet"))
}
