//! Runs a scripted provider on its own, for tests in other languages and for trying things by hand.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Parser;
use fakeprov::{FakeProv, Options};

/// A scripted LLM provider: answers, timing and faults are chosen by model name.
#[derive(Debug, Parser)]
struct Arguments {
    /// Port on 127.0.0.1; 0 lets the system choose.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Directory of recorded exchanges, served to models named `replay:<id>`.
    #[arg(long)]
    fixtures: Option<PathBuf>,
    /// The only API key that is accepted.
    #[arg(long)]
    key: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let Arguments { port, fixtures, key } = Arguments::parse();
    let provider = FakeProv::with(Options { port, fixtures, key })?;
    let mut out = std::io::stdout();
    writeln!(out, "listening on {}", provider.origin())?;
    out.flush()?;
    tokio::signal::ctrl_c().await?;
    Ok(())
}
