//! A mock upstream that costs next to nothing, so that what is measured is what stands before it. One thread; two
//! wires by path; the model name chooses between whole, bunched, paced and held answers. It believes what it reads.

mod answers;

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::time::Duration;

use answers::{Answers, Kind};
use bytes::{Buf as _, BytesMut};
use clap::Parser;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, interval_at};

/// A very fast mock LLM provider.
#[derive(Clone, Copy, Debug, Parser)]
struct Arguments {
    /// Port on 127.0.0.1; 0 lets the system choose.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Chunks of a `paced` stream.
    #[arg(long, default_value_t = 50)]
    paced_chunks: u32,
    /// Milliseconds between them.
    #[arg(long, default_value_t = 20)]
    paced_ms: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, arguments.port)).await?;
    let mut out = std::io::stdout();
    writeln!(out, "listening on http://{}", listener.local_addr()?)?;
    out.flush()?;
    let answers: &'static Answers = Box::leak(Box::new(Answers::new()));
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let connection = Connection { socket, ahead: BytesMut::with_capacity(16 * 1024), answers, arguments };
        tokio::spawn(connection.serve());
    }
}

struct Connection {
    socket: TcpStream,
    ahead: BytesMut,
    answers: &'static Answers,
    arguments: Arguments,
}

impl Connection {
    /// Answers until the peer leaves; a peer that leaves in the middle is nothing to report.
    async fn serve(mut self) {
        while let Ok(Some((kind, length))) = self.request().await {
            self.ahead.advance(length);
            if self.answer(kind).await.is_err() {
                return;
            }
        }
    }

    /// Waits for a whole request; what it wants and how long it is.
    async fn request(&mut self) -> anyhow::Result<Option<(Kind, usize)>> {
        loop {
            if let Some((head, body)) = lengths(&self.ahead)? {
                while self.ahead.len() < head + body {
                    anyhow::ensure!(self.socket.read_buf(&mut self.ahead).await? > 0, "the peer left");
                }
                let kind = Kind::of(&self.ahead[..head], &self.ahead[head..head + body]);
                return Ok(Some((kind, head + body)));
            }
            if self.socket.read_buf(&mut self.ahead).await? == 0 {
                return Ok(None);
            }
        }
    }

    async fn answer(&mut self, kind: Kind) -> anyhow::Result<()> {
        match kind {
            Kind::Whole(wire) => self.socket.write_all(self.answers.whole(wire)).await?,
            Kind::Bunched(wire) => {
                for write in self.answers.bunched(wire) {
                    self.socket.write_all(write).await?;
                    tokio::task::yield_now().await;
                }
            }
            Kind::Paced => self.paced().await?,
            Kind::Hold => {
                // Content, not the opening alone: a gateway may hold an answer back that has said nothing yet.
                self.socket
                    .write_all(&[self.answers.opening(), answers::stamped().as_slice()].concat())
                    .await?;
                anyhow::ensure!(self.socket.read_buf(&mut self.ahead).await? > 0, "the peer left");
            }
        }
        Ok(())
    }

    async fn paced(&mut self) -> anyhow::Result<()> {
        self.socket.write_all(self.answers.opening()).await?;
        let pace = Duration::from_millis(self.arguments.paced_ms);
        let mut ticks = interval_at(Instant::now() + pace, pace);
        for _ in 0..self.arguments.paced_chunks {
            ticks.tick().await;
            self.socket.write_all(&answers::stamped()).await?;
        }
        Ok(self.socket.write_all(self.answers.closing()).await?)
    }
}

/// Lengths of the head and the body, once the head is there.
fn lengths(bytes: &[u8]) -> anyhow::Result<Option<(usize, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head) = request.parse(bytes)? else { return Ok(None) };
    let named = |name: &str| request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    anyhow::ensure!(named("transfer-encoding").is_none(), "only bodies of a told length are read");
    let body = match named("content-length") {
        Some(header) => std::str::from_utf8(header.value)?.parse()?,
        None => 0,
    };
    Ok(Some((head, body)))
}
