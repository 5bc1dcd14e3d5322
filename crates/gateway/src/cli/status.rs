//! `llm-gateway` without a command, and `config check`: what is there, and the next step.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::{CommonArgs, say};
use crate::VERSION;
use crate::config::{self, Config};
use crate::exit::Failure;
use crate::startup;

/// How long a server on this machine may take to accept.
const PROBE: Duration = Duration::from_millis(300);

/// Says what is there and what to do next; never starts a server.
pub(super) fn status() -> Result<(), Failure> {
    let config = startup::configuration(&config::Flags::default())?;
    let address = SocketAddr::new(config.host, config.port);
    let serving = TcpStream::connect_timeout(&address, PROBE).is_ok();
    let server = if serving { "something listens" } else { "nothing listens" };
    let next = if serving { format!("curl http://{address}/health") } else { "llm-gateway serve".to_owned() };
    say(&format!(
        "llm-gateway {VERSION}\n{}  server      {server} on {address}\n\nNext: {next}\n",
        found(&config)
    ))
}

/// Reads everything that `serve` would read.
pub(super) fn check(args: &CommonArgs) -> Result<(), Failure> {
    let flags = config::Flags { config: args.config.clone(), ..config::Flags::default() };
    let config = startup::configuration(&flags)?;
    let (_, warnings) = config::build_snapshot(&config);
    let warnings: String = warnings.iter().map(|warning| format!("  warning     {warning}\n")).collect();
    say(&format!("{}{warnings}The configuration is valid.\n", found(&config)))
}

fn found(config: &Config) -> String {
    let file =
        config.file.as_ref().map_or("none (none is needed)".to_owned(), |file| file.display().to_string());
    format!("  config      {file}\n  data        {}\n", config.data_dir.display())
}
