//! `llm-gateway` without a command: what is there, and the next step.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::local::print_json;
use super::say;
use crate::VERSION;
use crate::config::{self, Config};
use crate::exit::Failure;
use crate::startup;

/// How long a server on this machine may take to accept.
const PROBE: Duration = Duration::from_millis(300);

/// Says what is there and what to do next; never starts a server.
pub(super) fn status(json: bool) -> Result<(), Failure> {
    let config = startup::configuration(&config::Flags::default())?;
    let address = SocketAddr::new(config.host, config.port);
    let serving = TcpStream::connect_timeout(&address, PROBE).is_ok();
    if json {
        return print_json(&serde_json::json!({
            "version": VERSION,
            "config": config.file,
            "data": config.data_dir,
            "address": address.to_string(),
            "serving": serving,
        }));
    }
    let server = if serving { "something listens" } else { "nothing listens" };
    let next = if serving { format!("curl http://{address}/health") } else { "llm-gateway serve".to_owned() };
    say(&format!(
        "llm-gateway {VERSION}\n{}  server      {server} on {address}\n\nNext: {next}\n",
        found(&config)
    ))
}

/// Where configuration and data are.
pub(super) fn found(config: &Config) -> String {
    let file =
        config.file.as_ref().map_or("none (none is needed)".to_owned(), |file| file.display().to_string());
    format!("  config      {file}\n  data        {}\n", config.data_dir.display())
}
