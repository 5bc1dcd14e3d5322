//! Accepts connections and answers each request in turn, watching all the while whether the peer leaves.
//! `desk` decides what a request gets.

mod desk;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::http::{Reader, Request};
use crate::journal::{Closed, Journal, Received};
use crate::reply::{After, Player};
use crate::server::desk::Desk;
use crate::{Options, http};

/// What the connections of one provider share.
#[derive(Debug)]
pub(crate) struct State {
    desk: Desk,
    journal: Arc<Journal>,
}

impl State {
    pub(crate) fn new(options: Options, address: SocketAddr, journal: Arc<Journal>) -> Self {
        Self { desk: Desk::new(options, address, Arc::clone(&journal)), journal }
    }
}

/// Serves until the other end of `stopped` is gone; then everything ends at once.
pub(crate) fn run(listener: std::net::TcpListener, state: State, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made where a test runs");
    runtime.block_on(async {
        tokio::select! {
            () = accept(listener, Arc::new(state)) => {}
            _ = stopped => {}
        }
    });
}

async fn accept(listener: std::net::TcpListener, state: Arc<State>) {
    let listener = TcpListener::from_std(listener).expect("the listener was made non-blocking");
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                let number = state.journal.accept();
                tokio::spawn(Connection::new(socket, number, Arc::clone(&state)).serve());
            }
            // Out of file descriptors, most likely: some will come back.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    }
}

/// One accepted connection.
#[derive(Debug)]
struct Connection {
    number: usize,
    /// Requests answered on it so far.
    served: usize,
    reader: Reader<OwnedReadHalf>,
    player: Player,
    state: Arc<State>,
}

/// What is known of the request being answered.
#[derive(Debug, Default)]
struct Exchange {
    received: Option<Instant>,
    began: OnceLock<Instant>,
}

impl Connection {
    fn new(socket: TcpStream, number: usize, state: Arc<State>) -> Self {
        // Without it, small writes would wait for each other; where it fails the socket is dead anyway.
        let _ = socket.set_nodelay(true);
        let (reader, writer) = socket.into_split();
        let player = Player::new(writer, Arc::clone(&state.journal));
        Self { number, served: 0, reader: Reader::new(reader), player, state }
    }

    async fn serve(mut self) {
        let mut last = Exchange::default();
        loop {
            match self.request().await {
                Ok(Some(request)) => {
                    last = Exchange { received: Some(Instant::now()), began: OnceLock::new() };
                    match self.answer(request, &last).await {
                        After::Keep => self.served += 1,
                        After::Close => return,
                        After::Reset => return self.player.abandon(),
                    }
                }
                Ok(None) => return self.left(&last, false, false),
                Err(_) => return self.left(&last, false, true),
            }
        }
    }

    async fn request(&mut self) -> std::io::Result<Option<Request>> {
        let Some(mut request) = self.reader.head().await? else { return Ok(None) };
        if request.expects_continue() {
            self.player.write(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        request.body = self.reader.body(&request).await?;
        Ok(Some(request))
    }

    async fn answer(&mut self, request: http::Request, exchange: &Exchange) -> After {
        let serial = self.note(&request);
        let reply = self.state.desk.reply(&request, serial, self.served);
        let outcome = tokio::select! {
            biased;
            played = self.player.play(reply, &exchange.began) => played.map_err(|_| true),
            reset = self.reader.gone() => Err(reset),
        };
        match outcome {
            Ok(after) => after,
            Err(reset) => {
                self.left(exchange, true, reset);
                After::Close
            }
        }
    }

    /// Writes a request down, unless it only asks what was written down.
    fn note(&self, request: &Request) -> usize {
        if desk::is_question(request) {
            return 0;
        }
        let received = Received {
            connection: self.number,
            method: request.method.clone(),
            path: request.target.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
            at: Instant::now(),
        };
        if desk::asks_list(request) {
            self.state.journal.receive_list(received);
            return 0;
        }
        self.state.journal.receive(received)
    }

    fn left(&self, exchange: &Exchange, answering: bool, reset: bool) {
        let at = Instant::now();
        let since = |from: Instant| at.duration_since(from);
        self.state.journal.close(Closed {
            connection: self.number,
            at,
            answering,
            reset,
            since_request: exchange.received.map(since),
            since_first_byte: exchange.began.get().copied().map(since),
        });
    }
}
