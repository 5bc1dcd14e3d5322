//! A load generator on kept connections. One thread, to be pinned by the caller; prints one line of JSON.

mod client;
mod figures;
mod runs;

use std::io::Write as _;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

/// Loads a gateway, a proxy or an upstream with chat requests.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    ask: Ask,
    #[command(subcommand)]
    run: Run,
}

/// What is asked, and of whom.
#[derive(Clone, Debug, Args)]
struct Ask {
    /// Port on 127.0.0.1.
    #[arg(long)]
    port: u16,
    /// The model's name; for the mock it chooses the kind of answer.
    #[arg(long, default_value = "bench")]
    model: String,
    /// Bearer token.
    #[arg(long, default_value = "none")]
    token: String,
    /// Length of the prompt.
    #[arg(long, default_value_t = 1000)]
    prompt_bytes: usize,
}

/// How it is asked.
#[derive(Debug, Subcommand)]
enum Run {
    /// Whole answers, each connection asking again at once.
    Closed(Many),
    /// Whole answers at a fixed rate, on as many connections as are needed.
    Open {
        /// Requests a second.
        #[arg(long, default_value_t = 1000)]
        rate: u32,
        #[arg(long, default_value_t = 5.0)]
        seconds: f64,
    },
    /// Streams, each connection asking again at once.
    Streams(Many),
    /// Streams whose chunks carry the time they were written.
    Paced(Many),
    /// Opens streams, says so, and keeps them open until its standard input ends.
    Hold {
        #[arg(long, default_value_t = 1000)]
        streams: usize,
    },
}

#[derive(Clone, Copy, Debug, Args)]
struct Many {
    #[arg(long, default_value_t = 32)]
    connections: usize,
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
}

impl Many {
    fn time(self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let Arguments { ask, run } = Arguments::parse();
    let figures = match run {
        Run::Closed(many) => runs::closed(&ask, many).await?,
        Run::Open { rate, seconds } => runs::open(&ask, rate, Duration::from_secs_f64(seconds)).await?,
        Run::Streams(many) => runs::streams(&ask, many).await?,
        Run::Paced(many) => runs::paced(&ask, many).await?,
        Run::Hold { streams } => return runs::hold(&ask, streams).await,
    };
    Ok(writeln!(std::io::stdout(), "{figures}")?)
}
