//! The command line: what can be said, and how commands end.

mod audit;
mod banner;
mod chat;
mod doctor;
mod files;
mod keys;
mod local;
mod serve;
mod status;
mod vault;

use std::io::Write;
use std::net::IpAddr;
use std::num::{NonZero, ParseIntError};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::exit::Failure;

/// One address between your programs and the language models they use.
#[derive(Debug, Parser)]
#[command(name = "llm-gateway", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the HTTP API; needs no file and no key.
    Serve(ServeArgs),
    /// Stream one answer to the terminal.
    Chat(ChatArgs),
    /// Access keys of callers.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Secrets of providers; they are read from a prompt, a file or standard input, never from an argument.
    #[command(subcommand)]
    Vault(vault::Command),
    /// Auth files of command-line programs.
    #[command(subcommand)]
    Files(files::Command),
    /// Who changed what in the vault.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Look whether everything is as it should be.
    Doctor(doctor::Args),
    /// Check the configuration and say what it means.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Print the version.
    Version,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Read everything that `serve` would read, and report every error.
    Check(CommonArgs),
}

/// What every command takes that needs the configuration.
#[derive(Debug, Args, Default)]
pub struct CommonArgs {
    /// Configuration file (default: ./config.yaml and the usual places; none is needed).
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `serve`
#[derive(Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: CommonArgs,
    /// Address to listen on (default: 127.0.0.1).
    #[arg(long)]
    pub host: Option<IpAddr>,
    /// Port to listen on (default: 3456; 0: any free one).
    #[arg(short, long)]
    pub port: Option<u16>,
    /// Offer the built-in demonstration provider beside the configured ones.
    #[arg(long)]
    pub demo: bool,
    /// Serve the API without the dashboard.
    #[arg(long)]
    pub no_ui: bool,
    /// Runtimes that carry connections (default: one a core).
    #[arg(long, env = "LLM_GATEWAY_WORKERS", value_name = "N", hide_env_values = true, value_parser = at_least_one)]
    pub workers: Option<usize>,
}

/// `chat`
#[derive(Debug, Args)]
pub struct ChatArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: CommonArgs,
    /// Model, as in a request: an id, or provider/model.
    pub model: String,
    /// What to say; read from standard input when absent.
    pub prompt: Vec<String>,
}

fn at_least_one(text: &str) -> Result<usize, ParseIntError> {
    text.parse().map(NonZero::get)
}

/// Parses the command line, runs one command and turns its end into an exit code.
pub fn run() -> ExitCode {
    match dispatch(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nowhere else to say it if standard error is gone.
            let _ = writeln!(std::io::stderr(), "llm-gateway: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}

fn dispatch(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        None => status::status(),
        Some(Command::Serve(args)) => serve::serve(&args),
        Some(Command::Chat(args)) => chat::chat(&args),
        Some(Command::Keys(command)) => keys::run(command),
        Some(Command::Vault(command)) => vault::run(command),
        Some(Command::Files(command)) => files::run(command),
        Some(Command::Audit(command)) => audit::run(&command),
        Some(Command::Doctor(args)) => doctor::run(&args),
        Some(Command::Config { command: ConfigCommand::Check(args) }) => status::check(&args),
        Some(Command::Version) => say(&format!("llm-gateway {}\n", crate::VERSION)),
    }
}

/// Writes to standard output.
fn say(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Failure::new(74, error))
}
