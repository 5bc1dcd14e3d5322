//! A server whose every byte a test decides, and calls to it.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use upstream::{Call, Destination, Endpoint, Options, Timeouts, Upstreams};

/// A bound that a test only meets when something is wrong.
pub const LONG: Duration = Duration::from_secs(10);
/// A bound that a test runs into on purpose.
pub const SHORT: Duration = Duration::from_millis(300);

/// Small whole answers that keep the connection.
pub const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
/// A head before chunks.
pub const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

/// Accepts connections and runs the script on each, until dropped.
pub struct Server {
    pub address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// The script gets each connection and its number, from 0.
    pub async fn start<F, Done>(script: F) -> Self
    where
        F: Fn(TcpStream, usize) -> Done + Send + 'static,
        Done: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&accepted);
        let accepting = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(script(socket, count.fetch_add(1, Ordering::SeqCst)));
            }
        });
        Server { address, accepted, accepting }
    }

    /// Reads each request whole and answers it with the same bytes; the connection stays open.
    pub async fn answering(answer: &'static str) -> Self {
        Server::start(move |mut socket, _| async move {
            while read_request(&mut socket).await.is_some() {
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
        })
        .await
    }

    /// Answers one request and closes.
    pub async fn closing_after(answer: impl Into<Bytes>) -> Self {
        let answer = answer.into();
        Server::start(move |mut socket, _| {
            let answer = answer.clone();
            async move {
                read_request(&mut socket).await.unwrap();
                // The client may hang up on what it does not like.
                let _ = socket.write_all(&answer).await;
                let _ = socket.shutdown().await;
            }
        })
        .await
    }

    /// Connections so far.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    pub fn call(&self) -> Call {
        call(&format!("http://{}/v1/chat/completions", self.address))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

pub fn upstreams() -> Upstreams {
    Upstreams::new(Options::default())
}

pub fn call(url: &str) -> Call {
    Call {
        provider: "acme".into(),
        to: Destination::Http(Endpoint::parse(url).unwrap()),
        headers: HeaderMap::new(),
        body: vec![Bytes::from_static(b"{\"model\":"), Bytes::from_static(b"\"m\"}")],
        timeouts: Timeouts { connect: LONG, head: LONG, idle: LONG, total: None },
    }
}

/// One request with its body, as bytes; `None` when the client closed before one began.
pub async fn read_request(socket: &mut (impl AsyncRead + Unpin)) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    loop {
        if let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if request.len() >= end + 4 + length.map_or(0, |length| length.parse::<usize>().unwrap()) {
                return Some(request);
            }
        }
        if socket.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    }
}

/// Reads until the client has closed, by FIN or by RST.
pub async fn until_closed(socket: &mut TcpStream) {
    let mut rest = [0; 1024];
    while !matches!(socket.read(&mut rest).await, Ok(0) | Err(_)) {}
}
